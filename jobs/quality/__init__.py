"""Rules → verdicts. The one room that knows Great Expectations, imported only when rules run (jobs.quality.run)."""

from jobs.quality.plan import REFERENCE, Group, Plan, Reference, plan
from jobs.quality.verdict import decide, product_results, repair_counts, rule_rows, unreadable

__all__ = [
    "REFERENCE",
    "Group",
    "Plan",
    "Reference",
    "decide",
    "plan",
    "product_results",
    "repair_counts",
    "rule_rows",
    "unreadable",
]
