"""Rules → verdicts. The one room that knows Great Expectations, imported only when rules run (jobs.quality.run)."""

from jobs.quality.plan import REFERENCE, Group, Plan, Reference, plan
from jobs.quality.verdict import decide, repair_counts, rule_rows, unreadable

__all__ = ["REFERENCE", "Group", "Plan", "Reference", "decide", "plan", "repair_counts", "rule_rows", "unreadable"]
