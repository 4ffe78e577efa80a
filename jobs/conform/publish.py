"""Judged rows into silver, quarantine and evidence; each write replaces or merges, never doubles."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa
from pyspark.sql import DataFrame

from jobs.conform import quarantine
from jobs.conform.split import broken_rows, silver_rows, value_columns
from jobs.contracts import Contract, Rule
from jobs.contracts.names import FIRST_SENT, QUALIFIER
from jobs.lake.delta_tables import commit_attempts, read_spool
from jobs.lake.lake import Lake
from jobs.lake.spark_tables import Merge
from jobs.lake.system_tables import system_contract, system_table
from jobs.lake.table_schema import ColumnSpec, column_specs
from jobs.lake.zones import Zone
from jobs.model.delivery import Delivery


@dataclass(frozen=True)
class Publication:
    """What is to be published: judged rows of one delivery, and what is known of earlier tries.

    `is_replaced`: a later delivery took its place already, so that nothing of it reaches silver. `beneath`: for the rows
    that reach silver, those of other deliveries that come forward; `back`: deliveries that stand again.
    """

    rows: DataFrame
    rules: Sequence[Rule]
    contract: Contract
    delivery: Delivery
    extras: Sequence[str]
    gone: tuple[str, ...]
    began_before: bool
    failed: int
    broken: int
    is_refused: bool
    suggest: quarantine.Suggest
    is_replaced: bool = False
    back: tuple[str, ...] = ()
    beneath: Callable[[DataFrame], DataFrame | None] = lambda goods: None


def publish(lake: Lake, what: Publication) -> None:
    """Write the three tables; silver and what is held back at once, since neither reads the other."""
    steps: list[Callable[[Lake, Publication], None]] = []
    # A refused delivery writes nothing, unless an earlier try did: then an empty write takes those rows away.
    if not what.is_replaced and (not what.is_refused or what.began_before):
        steps.append(_silver)
    if what.broken or what.began_before:
        steps.append(_held)
    with ThreadPoolExecutor(max_workers=2) as pool:
        for done in [pool.submit(step, lake, what) for step in steps]:
            done.result()


def silver_columns(contract: Contract, extras: Sequence[str] = ()) -> list[ColumnSpec]:
    """Columns of a silver table with Chinese comments and units."""
    specs = []
    for field in contract.fields:
        specs += column_specs([field])
        if field.source.censored:
            specs.append(ColumnSpec(field.name + QUALIFIER, "string", f"{field.title}的限定符（<、>）"))
    specs.extend(ColumnSpec(name, "string", "契约外的列，原样保留") for name in extras)
    return [*specs, *column_specs(system_contract(Zone.SILVER).fields)]


def _silver(lake: Lake, what: Publication) -> None:
    contract, delivery = what.contract, what.delivery
    path = lake.path(Zone.SILVER, contract.id)
    is_new = lake.tables.ensure(
        path,
        silver_columns(contract, what.extras),
        f"{contract.title}（{contract.department}）",
        contract.write.partition_by,
    )
    rows = silver_rows(what.rows, what.rules, value_columns(contract, what.extras), delivery)
    if what.is_refused:
        # The write still runs, to remove what an earlier try left in silver.
        rows = rows.limit(0)
    more = None if is_new else what.beneath(rows)
    rows = rows if more is None else rows.unionByName(more)
    if is_new or not contract.key():
        lake.tables.replace_any(rows, path, (delivery.id, *what.gone, *what.back))
    else:
        # An answer to a ticket corrects: it wins over the row of telemetry that came first (ADR 0010).
        latest = contract.write.mode == "merge" or bool(delivery.answers)
        again = delivery.id if what.began_before else ""
        lake.tables.merge(rows, path, Merge(contract.key(), latest, what.gone, again, FIRST_SENT))


def _held(lake: Lake, what: Publication) -> None:
    """Broken rows come from the engine once, through a file so that memory stays flat, and become two tables."""
    delivery, rules = what.delivery, what.rules
    with TemporaryDirectory(prefix="lake-held-") as folder:
        # Read twice below, for a stream from the engine can be read once only.
        spool = Path(folder) / "broken.arrow"
        lake.tables.spool(broken_rows(what.rows, rules, what.contract), spool)

        def quarantined() -> Iterator[pa.RecordBatch]:
            return quarantine.quarantined(read_spool(spool), rules, delivery)

        def evidence() -> Iterator[pa.RecordBatch]:
            return quarantine.evidence(read_spool(spool), rules, delivery, what.suggest)

        for zone, rows in ((Zone.QUARANTINE, quarantined), (Zone.EVIDENCE, evidence)):
            path, table = lake.path(zone, what.contract.id), system_table(zone)
            for attempt in commit_attempts():
                with attempt:
                    lake.delta.replace(path, table, rows(), delivery.id, delivery.received_date())
