"""The registry of steps, in pipeline order; DAGs, command line and lineage read it.

A step imports its module when it runs, so that detecting a file does not wait for the import of Spark's client.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jobs.contracts import Registry
from jobs.contracts.assets import (
    BRONZE,
    EVIDENCE,
    GOLD,
    LANDING,
    PROOFS,
    QUARANTINE,
    RECEIVED,
    REPORTS,
    RESULTS,
    SILVER,
    TELEMETRY,
)
from jobs.lake.lake import Lake
from jobs.pipeline.step import Step, step

if TYPE_CHECKING:
    from datetime import datetime

    from jobs.ingest.land import Landed
    from jobs.lake.ledger import Build
    from jobs.model.actor import Actor
    from jobs.model.delivery import Delivery
    from jobs.model.verdict import Verdict
    from jobs.pipeline.bulletins import BulletinRequest
    from jobs.pipeline.catalogue_check import CatalogueCheck
    from jobs.pipeline.profile import DatasetProfile
    from jobs.pipeline.recheck import Recheck
    from jobs.pipeline.tickets import TicketChanges
    from jobs.pipeline.verification import Verification
    from jobs.reporting import ReportFiles
    from jobs.reporting.bulletin import BulletinFiles


@step(reads=(LANDING,), writes=(RECEIVED,))
def land(lake: Lake, registry: Registry) -> "tuple[Landed, ...]":
    """Record what is new in the landing zone."""
    from jobs.pipeline import ingestion

    return ingestion.land(lake, registry)


@step(reads=(LANDING,), writes=(RECEIVED, LANDING, SILVER, RESULTS))
def watch(lake: Lake, registry: Registry) -> list[tuple[str, str]]:
    """Record what is new in the landing zone, and name its asset events and those that were lost."""
    from jobs.pipeline import watch as watching

    return watching.watch(lake, registry)


@step()
def pending(lake: Lake, registry: Registry, dataset: str, *requested: str) -> list[str]:
    """List the deliveries of a dataset that are not evaluated yet."""
    from jobs.pipeline import ingestion

    return ingestion.pending(lake, registry, dataset, *requested)


@step(reads=(RECEIVED,), writes=(BRONZE,))
def load(lake: Lake, registry: Registry, delivery_id: str) -> "Delivery":
    """Read a delivery's rows into bronze."""
    from jobs.pipeline import ingestion

    return ingestion.load(lake, registry, delivery_id)


@step(reads=(RECEIVED, BRONZE, SILVER), writes=(BRONZE, SILVER, QUARANTINE, EVIDENCE, RESULTS))
def conform(lake: Lake, registry: Registry, delivery_id: str) -> "Verdict":
    """Evaluate a delivery and split it into silver and quarantine."""
    from jobs.pipeline import conform as conforming

    return conforming.conform(lake, registry, delivery_id)


@step(reads=(RECEIVED, BRONZE, SILVER), writes=(BRONZE, SILVER, QUARANTINE, EVIDENCE, RESULTS))
def load_and_conform(lake: Lake, registry: Registry, dataset: str, *requested: str) -> list[str]:
    """Load and evaluate the deliveries of a dataset that are not evaluated yet."""
    from jobs.pipeline import processing

    return processing.load_and_conform(lake, registry, dataset, *requested)


@step(reads=(RECEIVED, SILVER), writes=(TELEMETRY, RECEIVED, BRONZE, SILVER, QUARANTINE, EVIDENCE, RESULTS, REPORTS))
def read_once(lake: Lake, registry: Registry) -> list[str]:
    """Read the topics of readings once, and evaluate the hours that are due."""
    from jobs.pipeline import stream_service

    return stream_service.read_once(lake, registry)


@step(reads=(TELEMETRY, SILVER), writes=(RECEIVED, BRONZE, SILVER, QUARANTINE, EVIDENCE, RESULTS, REPORTS))
def seal(lake: Lake, registry: Registry, now: "datetime") -> list[str]:
    """Make deliveries of the hours of readings that are due."""
    from jobs.pipeline import stream_service

    return stream_service.seal(lake, registry, now)


@step(reads=(LANDING, BRONZE))
def awaited(lake: Lake, registry: Registry, product: str) -> list[str]:
    """List deliveries of a product's inputs that are being evaluated."""
    from jobs.pipeline import products

    return products.awaited(lake, registry, product)


@step(reads=(SILVER, GOLD), writes=(GOLD, RESULTS))
def build(lake: Lake, registry: Registry, product: str) -> "Build | None":
    """Rebuild a gold table where its inputs have changed."""
    from jobs.pipeline import products

    return products.build(lake, registry, product)


@step(reads=(RESULTS, EVIDENCE, BRONZE, SILVER), writes=(PROOFS, RESULTS))
def govern(lake: Lake, registry: Registry, delivery_id: str) -> "TicketChanges":
    """Open tickets for the rules that a delivery fails, and close those that it proves corrected."""
    from jobs.pipeline import tickets

    return tickets.govern(lake, registry, delivery_id)


@step(reads=(RESULTS, EVIDENCE, BRONZE, SILVER), writes=(PROOFS, RESULTS))
def governed(lake: Lake, registry: Registry, *delivery_ids: str) -> "list[TicketChanges]":
    """Open and close the tickets of several deliveries, in order of arrival."""
    from jobs.pipeline import tickets

    return tickets.governed(lake, registry, *delivery_ids)


@step(reads=(EVIDENCE, BRONZE))
def ticket_workbook(lake: Lake, registry: Registry, ticket_id: str, actor: "Actor") -> bytes:
    """Make the workbook of a ticket."""
    from jobs.pipeline import correction_workbook

    return correction_workbook.ticket_workbook(lake, registry, ticket_id, actor)


@step(writes=(LANDING,))
def answer_ticket(lake: Lake, registry: Registry, ticket_id: str, actor: "Actor", file: Path) -> str:
    """Put a filled workbook into the landing zone as the redelivery of its ticket."""
    from jobs.pipeline import correction_workbook

    return correction_workbook.answer_ticket(lake, registry, ticket_id, actor, file)


@step(writes=(RESULTS,))
def remind(lake: Lake, registry: Registry) -> list[str]:
    """End expired waivers, escalate overdue tickets, and notify departments of what is due."""
    from jobs.pipeline import maintenance

    return maintenance.remind(lake, registry)


@step(reads=(RESULTS, EVIDENCE), writes=(REPORTS,))
def report(lake: Lake, registry: Registry, delivery_id: str) -> "ReportFiles":
    """Write the governance report of a delivery, and the index."""
    from jobs.pipeline import reports

    return reports.report(lake, registry, delivery_id)


@step(reads=(RESULTS, EVIDENCE), writes=(REPORTS,))
def reports(lake: Lake, registry: Registry, *delivery_ids: str) -> list[str]:
    """Write the reports of several deliveries and of any without a report, and the index once."""
    from jobs.pipeline import reports as reporting

    return reporting.reports(lake, registry, *delivery_ids)


@step(reads=(RESULTS, EVIDENCE, BRONZE, SILVER), writes=(REPORTS, PROOFS, RESULTS))
def report_and_govern(lake: Lake, registry: Registry) -> "list[TicketChanges]":
    """Write the reports of all evaluated deliveries whose tickets are not done, and open and close these tickets."""
    from jobs.pipeline import processing

    return processing.report_and_govern(lake, registry)


@step(
    reads=(BRONZE, SILVER, QUARANTINE, EVIDENCE, PROOFS, RESULTS, GOLD),
    writes=(BRONZE, SILVER, QUARANTINE, EVIDENCE, PROOFS, RESULTS, GOLD),
)
def upkeep(lake: Lake, registry: Registry) -> list[str]:
    """Compact all tables and remove old files."""
    from jobs.pipeline import maintenance

    return maintenance.upkeep(lake, registry)


@step(reads=(SILVER, RESULTS, REPORTS))
def check_catalogue(lake: Lake, registry: Registry) -> "CatalogueCheck":
    """Compare the catalogue with the lake; each difference is a ticket of its department until it is gone."""
    from jobs.pipeline import catalogue_check

    return catalogue_check.check_catalogue(lake, registry)


@step(reads=(RESULTS,), writes=(RESULTS,))
def measure_storage(lake: Lake, registry: Registry) -> "Mapping[str, int]":
    """Measure how much each dataset and product occupies, in bytes, once a day."""
    from jobs.pipeline import storage_use

    return storage_use.measure_storage(lake, registry)


@step(reads=(RESULTS, REPORTS), writes=(REPORTS,))
def bulletin(lake: Lake, registry: Registry, period: str, request: "BulletinRequest") -> "BulletinFiles":
    """Write the bulletin of a period."""
    from jobs.pipeline import bulletins

    return bulletins.bulletin(lake, registry, period, request)


@step()
def closed_periods(lake: Lake, registry: Registry) -> list[str]:
    """List the month that ended last, and the quarter and the year that ended with it."""
    from jobs.pipeline import bulletins

    return bulletins.closed_periods(lake, registry)


@step(reads=(RESULTS, REPORTS), writes=(REPORTS,))
def announce(lake: Lake, registry: Registry, period: str) -> str:
    """Publish the bulletin of a period, once."""
    from jobs.pipeline import bulletins

    return bulletins.announce(lake, registry, period)


@step(reads=(REPORTS, RESULTS, EVIDENCE, BRONZE, SILVER))
def verify(lake: Lake, registry: Registry, report: str) -> "Verification":
    """Recompute each number of a report."""
    from jobs.pipeline import verification

    return verification.verify(lake, registry, report)


@step(reads=(RESULTS, EVIDENCE, BRONZE, SILVER))
def recheck(lake: Lake, registry: Registry, delivery_id: str, against: str = "") -> "list[Recheck]":
    """Evaluate a redelivery on exactly the keys that failed before."""
    from jobs.pipeline import recheck_delivery

    return recheck_delivery.recheck(lake, registry, delivery_id, against)


@step(reads=(SILVER, GOLD), writes=(REPORTS,))
def profile(lake: Lake, registry: Registry, dataset: str, with_series: bool = False) -> "DatasetProfile":
    """Profile a curated table, and propose rules."""
    from jobs.pipeline import profile as profiling

    return profiling.profile(lake, registry, dataset, with_series)


STEPS: Mapping[str, Step[..., Any]] = {
    declared.name: declared for declared in tuple(globals().values()) if isinstance(declared, Step)
}
