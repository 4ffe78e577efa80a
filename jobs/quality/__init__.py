"""Rules → verdicts. The one room that knows Great Expectations, which it imports only when rules run."""

from jobs.quality.plan import Group, Plan, Reference, plan

__all__ = ["Group", "Plan", "Reference", "plan"]
