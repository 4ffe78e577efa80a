"""Evaluated rows into silver, quarantine and evidence; each write replaces or merges, never appends twice."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa
from pyspark.sql import DataFrame

from jobs.conform import quarantine
from jobs.conform.arrow_rows import broken_table, silver_table
from jobs.conform.split import broken_rows, silver_rows, value_columns
from jobs.contracts import Contract, Rule
from jobs.contracts.names import FIRST_SENT, QUALIFIER
from jobs.lake.delta_tables import commit_attempts, read_spool
from jobs.lake.lake import Lake
from jobs.lake.merge import Merge
from jobs.lake.spark_tables import in_engine
from jobs.lake.system_tables import system_contract, system_table
from jobs.lake.table_schema import ColumnSpec, column_specs
from jobs.lake.zones import Zone
from jobs.model.delivery import Delivery


@dataclass(frozen=True)
class Publication:
    """What is to be published: evaluated rows of one delivery, and its relation to other deliveries.

    `is_retry`: an earlier attempt may have written rows. `replaced`: deliveries that this one replaces. `is_replaced`: a
    later delivery replaces it already, so that no row of it reaches silver. `overwritten`: for the rows that reach
    silver, the rows of other deliveries to restore. `reinstated`: deliveries that are valid again.
    `table`: the rows in memory, of a small delivery.
    """

    rows: DataFrame
    rules: Sequence[Rule]
    contract: Contract
    delivery: Delivery
    extras: Sequence[str]
    replaced: tuple[str, ...]
    is_retry: bool
    failed: int
    broken: int
    is_refused: bool
    suggest: quarantine.Suggest
    is_replaced: bool = False
    reinstated: tuple[str, ...] = ()
    overwritten: Callable[[DataFrame], DataFrame | None] = lambda goods: None
    table: pa.Table | None = None

    def is_from_memory(self) -> bool:
        """Whether the client commits the good rows: they are in memory, and no row leaves silver but by key."""
        removes_rows = self.replaced or self.reinstated or self.is_retry or self.is_refused
        return self.table is not None and not removes_rows


def publish(lake: Lake, publication: Publication) -> None:
    """Write the three tables; silver in parallel with the others, since neither reads the other."""
    steps: list[Callable[[Lake, Publication], None]] = []
    # A refused delivery writes nothing, unless an earlier attempt did: then an empty write removes those rows.
    if not publication.is_replaced and (not publication.is_refused or publication.is_retry):
        steps.append(_silver_from_memory if publication.is_from_memory() else _silver)
    if publication.broken or publication.is_retry:
        steps.append(_quarantine_and_evidence)
    with ThreadPoolExecutor(max_workers=2) as pool:
        for write in [pool.submit(step, lake, publication) for step in steps]:
            write.result()


def silver_columns(contract: Contract, extras: Sequence[str] = ()) -> list[ColumnSpec]:
    """Columns of a silver table with Chinese comments and units."""
    specs = []
    for field in contract.fields:
        specs += column_specs([field])
        if field.source.censored:
            specs.append(ColumnSpec(field.name + QUALIFIER, "string", f"{field.title}的限定符（<、>）"))
    specs.extend(ColumnSpec(name, "string", "契约外的列，原样保留") for name in extras)
    return [*specs, *column_specs(system_contract(Zone.SILVER).fields)]


def _ensure_silver(lake: Lake, publication: Publication) -> bool:
    """Create the silver table, or add the columns that it lacks; whether it is new."""
    contract = publication.contract
    return lake.tables.ensure(
        lake.path(Zone.SILVER, contract.id),
        silver_columns(contract, publication.extras),
        f"{contract.title}（{contract.department}）",
        contract.write.partition_by,
    )


def _merge(publication: Publication) -> Merge:
    """How the delivery's rows merge with those in silver."""
    contract, delivery = publication.contract, publication.delivery
    # An answer to a ticket corrects: it wins over the first row of telemetry (ADR 0010).
    latest = contract.write.mode == "merge" or bool(delivery.answers)
    retried = delivery.id if publication.is_retry else ""
    return Merge(contract.key(), latest, publication.replaced, retried, FIRST_SENT)


def _silver_from_memory(lake: Lake, publication: Publication) -> None:
    """The good rows of a small delivery, committed by the client."""
    contract = publication.contract
    path = lake.path(Zone.SILVER, contract.id)
    is_new = _ensure_silver(lake, publication)
    rows = silver_table(publication.table, publication.rules, contract, publication.extras, publication.delivery)
    if is_new or not contract.key():
        lake.delta.append(path, rows)
    else:
        # Not by delta-rs: its merge writes texts as Arrow views, which pyarrow cannot filter by.
        lake.tables.merge(in_engine(lake.spark, rows), path, _merge(publication))


def _silver(lake: Lake, publication: Publication) -> None:
    contract, delivery = publication.contract, publication.delivery
    path = lake.path(Zone.SILVER, contract.id)
    is_new = _ensure_silver(lake, publication)
    rows = silver_rows(publication.rows, publication.rules, value_columns(contract, publication.extras), delivery)
    if publication.is_refused:
        # The write still runs, to remove rows of an earlier attempt.
        rows = rows.limit(0)
    restored = None if is_new else publication.overwritten(rows)
    rows = rows if restored is None else rows.unionByName(restored)
    if is_new or not contract.key():
        lake.tables.replace_any(rows, path, (delivery.id, *publication.replaced, *publication.reinstated))
    else:
        lake.tables.merge(rows, path, _merge(publication))


def _quarantine_and_evidence(lake: Lake, publication: Publication) -> None:
    """Write failed rows to two tables."""
    if publication.table is not None:
        batches = broken_table(publication.table, publication.rules).to_batches()
        _write_failed_rows(lake, publication, lambda: iter(batches))
        return
    with TemporaryDirectory(prefix="lake-held-") as folder:
        # Fetched from the engine once, via a file so that memory stays flat, and read twice.
        spool = Path(folder) / "broken.arrow"
        lake.tables.spool(broken_rows(publication.rows, publication.rules, publication.contract), spool)
        _write_failed_rows(lake, publication, lambda: read_spool(spool))


def _write_failed_rows(
    lake: Lake, publication: Publication, failed_rows: Callable[[], Iterator[pa.RecordBatch]]
) -> None:
    delivery, rules = publication.delivery, publication.rules

    def quarantined() -> Iterator[pa.RecordBatch]:
        return quarantine.quarantined(failed_rows(), rules, delivery)

    def evidence() -> Iterator[pa.RecordBatch]:
        return quarantine.evidence(failed_rows(), rules, delivery, publication.suggest)

    for zone, rows in ((Zone.QUARANTINE, quarantined), (Zone.EVIDENCE, evidence)):
        path, table = lake.path(zone, publication.contract.id), system_table(zone)
        for attempt in commit_attempts():
            with attempt:
                lake.delta.replace(path, table, rows(), delivery.id, delivery.received_date())
