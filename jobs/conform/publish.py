"""Evaluated rows into silver, quarantine and evidence; each write replaces or merges, never appends twice."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pyarrow as pa
from pyspark.sql import DataFrame

from jobs.conform import quarantine
from jobs.conform.arrow_rows import broken_rows, is_of_broken_rows, silver_table
from jobs.contracts import Contract, Rule
from jobs.contracts.names import FIRST_SENT, QUALIFIER
from jobs.lake.delta_writing import commit_attempts
from jobs.lake.lake import Lake
from jobs.lake.merge import Merge
from jobs.lake.prepared_plans import in_engine
from jobs.lake.staging import Stage
from jobs.lake.system_tables import system_contract, system_table
from jobs.lake.table_schema import ColumnSpec, column_specs
from jobs.lake.zones import TablePath, Zone
from jobs.model.delivery import Delivery

# The engine merges into a larger table: the client would read too many keys into memory.
MOST_MERGED = 1_000_000


@dataclass(frozen=True)
class Publication:
    """What is to be published: evaluated rows of one delivery, and its relation to other deliveries.

    `is_retry`: an earlier attempt may have written rows. `replaced`: deliveries that this one replaces. `is_replaced`: a
    later delivery replaces it already, so that no row of it reaches silver. `overwritten`: for the rows that reach
    silver, the rows of other deliveries to restore. `reinstated`: deliveries that are valid again.
    `table`: the rows in memory, of a small delivery; `stage`: those of a large one, in files.
    """

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
    stage: Stage | None = None
    removed: Sequence[pa.RecordBatch] = ()
    """Evidence of rows that leave silver once these are written."""
    restores_removed: bool = False
    """Whether rows that an earlier attempt removed come back; evidence lists them until they are."""
    newer: tuple[str, ...] | None = None
    """Deliveries whose rows win over these, where the date of the covering letter decides; None where arrival does."""

    def removes_rows(self) -> bool:
        """Whether rows may leave silver without another with their key in their place."""
        return bool(self.replaced or self.reinstated or self.is_retry or self.is_refused)

    def evaluated(self) -> Iterator[pa.RecordBatch]:
        """All evaluated rows, with the columns that quarantine and evidence need."""
        if self.table is not None:
            yield from self.table.to_batches()
        elif self.stage is not None:
            yield from self.stage.batches([name for name in self.stage.columns() if is_of_broken_rows(name)])


def publish(lake: Lake, publication: Publication) -> None:
    """Write the three tables."""
    steps: list[Callable[[Lake, Publication], None]] = []
    # A refused delivery writes nothing, unless an earlier attempt did: then an empty write removes those rows.
    if not publication.is_replaced and (not publication.is_refused or publication.is_retry):
        steps.append(_silver if publication.removes_rows() else _more_silver)
    if publication.broken or publication.is_retry or publication.removed:
        steps.append(_quarantine_and_evidence)
    if publication.restores_removed:
        for step in steps:
            step(lake, publication)
    else:
        _in_parallel(lake, publication, steps)


def _in_parallel(lake: Lake, publication: Publication, steps: Sequence[Callable[[Lake, Publication], None]]) -> None:
    """Silver and the others at the same time: neither reads the other."""
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
    return lake.delta.ensure(
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
    return Merge(contract.key(), latest, publication.replaced, retried, FIRST_SENT, publication.newer)


def _more_silver(lake: Lake, publication: Publication) -> None:
    """Append the good rows to silver, or merge them by key; committed by the client where the table is small enough."""
    contract, stage = publication.contract, publication.stage
    path = lake.path(Zone.SILVER, contract.id)
    is_new = _ensure_silver(lake, publication)
    keys_are_new = is_new or not contract.key()
    if stage is not None:
        if keys_are_new or not lake.delta.may_have_keys(path, contract.key(), stage.batches(contract.key())):
            stage.commit()
        else:
            lake.tables.merge(_good_rows(lake, publication), path, _merge(publication))
        return
    rows = _silver_table(publication)
    if keys_are_new:
        lake.delta.append(path, rows)
    elif lake.delta.count(path) <= MOST_MERGED:
        lake.delta.merge(path, rows, _merge(publication))
    else:
        lake.tables.merge(in_engine(lake.spark, rows), path, _merge(publication))


def _silver(lake: Lake, publication: Publication) -> None:
    """The good rows where others leave silver: those of an earlier attempt, and of deliveries that are replaced."""
    contract, delivery = publication.contract, publication.delivery
    path = lake.path(Zone.SILVER, contract.id)
    is_new = _ensure_silver(lake, publication)
    rows = _good_rows(lake, publication)
    if publication.is_refused:
        # The write still runs, to remove rows of an earlier attempt.
        rows = rows.limit(0)
    restored = None if is_new else publication.overwritten(rows)
    if restored is None and _is_for_client(lake, publication, path):
        own = _silver_table(publication)
        lake.delta.merge(path, own.slice(0, 0) if publication.is_refused else own, _merge(publication))
        return
    rows = rows if restored is None else rows.unionByName(restored)
    if is_new or not contract.key():
        lake.tables.replace_any(rows, path, (delivery.id, *publication.replaced, *publication.reinstated))
    else:
        lake.tables.merge(rows, path, _merge(publication))


def _is_for_client(lake: Lake, publication: Publication, path: TablePath) -> bool:
    """Whether the client merges: it tries again where others append meanwhile, as streams do all the time."""
    contract = publication.contract
    in_memory = publication.stage is None and bool(contract.key())
    return in_memory and (contract.stream is not None or lake.delta.count(path) <= MOST_MERGED)


def _good_rows(lake: Lake, publication: Publication) -> DataFrame:
    """The rows of silver, on the engine."""
    if publication.stage is None:
        return in_engine(lake.spark, _silver_table(publication))
    return publication.stage.good_rows(
        [column.name for column in silver_columns(publication.contract, publication.extras)]
    )


def _silver_table(publication: Publication) -> pa.Table:
    p = publication
    return silver_table(p.table, p.rules, p.contract, p.extras, p.delivery)


def _quarantine_and_evidence(lake: Lake, publication: Publication) -> None:
    """Write the rows that break a rule to two tables; read for each, a part at a time, so that memory stays flat."""
    delivery, rules = publication.delivery, publication.rules

    def failed_rows() -> Iterator[pa.RecordBatch]:
        return broken_rows(publication.evaluated(), rules)

    def quarantined() -> Iterator[pa.RecordBatch]:
        return quarantine.quarantined(failed_rows(), rules, delivery)

    def evidence() -> Iterator[pa.RecordBatch]:
        yield from quarantine.evidence(failed_rows(), rules, delivery, publication.suggest)
        yield from publication.removed

    for zone, rows in ((Zone.QUARANTINE, quarantined), (Zone.EVIDENCE, evidence)):
        path, table = lake.path(zone, publication.contract.id), system_table(zone)
        for attempt in commit_attempts():
            with attempt:
                lake.delta.replace(path, table, rows(), delivery.id, delivery.received_date())
