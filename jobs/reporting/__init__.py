"""Results of deliveries as reports for departments: pages, workbooks, JSON, and an index over them."""

from jobs.reporting.delivery.recompute import Check, Document, against_rules, against_verdict, in_the_tables
from jobs.reporting.delivery.report import ReportFiles, write_report
from jobs.reporting.overview import write_index
from jobs.reporting.periods import BY, GroupScore, period_scores
from jobs.reporting.profile_page import write_profile
from jobs.reporting.report_store import report_key

__all__ = [
    "BY",
    "Check",
    "Document",
    "GroupScore",
    "ReportFiles",
    "against_rules",
    "against_verdict",
    "in_the_tables",
    "period_scores",
    "report_key",
    "write_index",
    "write_profile",
    "write_report",
]
