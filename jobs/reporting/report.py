"""One delivery's results → its report: a page, a workbook and a JSON file."""

import logging
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from jobs.contracts import Catalogue
from jobs.lake.lake import Lake
from jobs.reporting import shelf
from jobs.reporting.delivery_page import delivery_page
from jobs.reporting.evidence import Evidence
from jobs.reporting.facts import gather
from jobs.reporting.machine import machine_report
from jobs.reporting.workbook import write_workbook

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class ReportFiles:
    """Keys of one report's files in the object store."""

    html: str
    xlsx: str
    json: str


def write_report(lake: Lake, catalogue: Catalogue, delivery_id: str, now: datetime) -> ReportFiles:
    """The report of one delivery, in place of any earlier one; also for a delivery that could not be read."""
    facts = gather(lake, catalogue, delivery_id, now)
    evidence = Evidence(lake, facts.contract, delivery_id)
    first = evidence.first()
    delivery = facts.delivery
    files = ReportFiles(*(shelf.report_key(delivery, ending) for ending in ("html", "xlsx", "json")))
    shelf.put_made(lake, files.xlsx, partial(write_workbook, facts=facts, rows=evidence.rows()))
    shelf.put(lake, files.json, machine_report(facts, first), shelf.JSON)
    shelf.put(lake, files.html, delivery_page(facts, first).encode(), shelf.HTML)
    logger.info("%s: report of delivery %s written", delivery.dataset, delivery.id)
    return files
