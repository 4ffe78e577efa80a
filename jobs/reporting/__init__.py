"""Results of deliveries as reports for departments: pages, workbooks, JSON, and an index over them."""

from jobs.reporting.overview import write_index
from jobs.reporting.report import ReportFiles, write_report

__all__ = ["ReportFiles", "write_index", "write_report"]
