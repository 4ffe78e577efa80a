"""Rules → verdicts. The one room that knows Great Expectations, imported only when rules run (jobs.quality.evaluation)."""

from jobs.quality.delivery_rules import EarlierDeliveries, handover_rows
from jobs.quality.plan import REFERENCE, Group, Plan, Reference, other_datasets, plan
from jobs.quality.verdict import (
    Basis,
    Decision,
    RowCounts,
    county_rows,
    decide,
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
    "EarlierDeliveries",
    "Group",
    "Plan",
    "Reference",
    "RowCounts",
    "county_rows",
    "decide",
    "handover_rows",
    "other_datasets",
    "plan",
    "product_results",
    "repair_counts",
    "rule_rows",
    "unreadable",
    "verdict_on",
]
