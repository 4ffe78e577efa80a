"""One delivery's results → its report: a page, a workbook and a JSON file."""

import logging
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from jobs.contracts import Registry
from jobs.lake.lake import Lake
from jobs.reporting import report_store
from jobs.reporting.delivery.document import report_document
from jobs.reporting.delivery.facts import gather
from jobs.reporting.delivery.page import delivery_page
from jobs.reporting.delivery.workbook import write_workbook
from jobs.reporting.evidence import Evidence

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class ReportFiles:
    """Keys of one report's files in the object store."""

    html: str
    xlsx: str
    json: str


def write_report(lake: Lake, registry: Registry, delivery_id: str, now: datetime) -> ReportFiles:
    """The report of one delivery, in place of any earlier one; also for a delivery that could not be read."""
    facts = gather(lake, registry, delivery_id, now)
    evidence = Evidence(lake, facts.contract, delivery_id)
    first = evidence.first()
    delivery = facts.delivery
    files = ReportFiles(*(report_store.report_key(delivery, ending) for ending in ("html", "xlsx", "json")))
    report_store.put_generated(lake, files.xlsx, partial(write_workbook, facts=facts, rows=evidence.rows()))
    report_store.put(lake, files.json, report_document(facts, first), report_store.JSON)
    report_store.put(lake, files.html, delivery_page(facts, first).encode(), report_store.HTML)
    logger.info("%s: report of delivery %s written", delivery.dataset, delivery.id)
    return files
