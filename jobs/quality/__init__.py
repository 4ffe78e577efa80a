"""Rules → verdicts. The only package that imports Great Expectations, only to run rules (jobs.quality.evaluation)."""

from jobs.quality.delivery_rules import DeliveryContext, delivery_check_rows
from jobs.quality.plan import REFERENCE, Group, Plan, Reference, flag_of, other_datasets, plan
from jobs.quality.verdict import (
    Basis,
    Decision,
    RowCounts,
    county_rows,
    decide,
    decide_removal,
    product_results,
    repair_counts,
    rule_rows,
    unreadable,
    verdict_on,
)

__all__ = [
    "REFERENCE",
    "Basis",
    "Decision",
    "DeliveryContext",
    "Group",
    "Plan",
    "Reference",
    "RowCounts",
    "county_rows",
    "decide",
    "decide_removal",
    "delivery_check_rows",
    "flag_of",
    "other_datasets",
    "plan",
    "product_results",
    "repair_counts",
    "rule_rows",
    "unreadable",
    "verdict_on",
]
