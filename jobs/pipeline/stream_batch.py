"""A batch of messages → telemetry, and at once silver, quarantine and evidence of the hours that are still open.

The telemetry table is the record: it must be written. What is curated before an hour is sealed is provisional: sealing makes
the hour a delivery, which is evaluated like any other and replaces these rows. Each table has each batch once, however often
the batch is tried.
"""

import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc

from jobs.conform import silver_columns
from jobs.conform.arrow_rows import broken_rows, silver_table
from jobs.conform.quarantine import evidence, quarantined
from jobs.conform.split import MASK
from jobs.contracts import Contract, Registry, Rule
from jobs.contracts.names import FILE
from jobs.contracts.stream import Stream
from jobs.lake.bits import AnyBit
from jobs.lake.broker import topic
from jobs.lake.delta_writing import commit_attempts
from jobs.lake.lake import Lake
from jobs.lake.session import is_unavailable
from jobs.lake.stream_ledger import StreamState
from jobs.lake.system_tables import system_contract, system_table
from jobs.lake.table_schema import column_specs
from jobs.lake.zones import Zone
from jobs.model.delivery import Delivery
from jobs.pipeline.bronze import typed_table, with_day
from jobs.pipeline.evaluation import evaluate_in_memory, runnable_rules
from jobs.pipeline.late_verdicts import late_verdicts
from jobs.pipeline.recent_readings import IS_WRONG, RecentReadings
from jobs.pipeline.stream_alarms import Judged, watch
from jobs.pipeline.stream_hours import datetimes, label
from jobs.pipeline.stream_keys import KnownKeys
from jobs.pipeline.stream_messages import Messages, by_dataset, messages_of, places
from jobs.pipeline.versions import latest_versions

if TYPE_CHECKING:
    from jobs.quality.evaluation import EvaluatedRows

logger = logging.getLogger(__name__)
FEW_ROWS = 8_000
"""A batch of more rows is worth compiled code, which the next batches use too (measured: 16,000 rows 6.2 s, then 5.1 s)."""
Part = tuple[Delivery, datetime, pa.Table]
"""An hour's delivery, the hour, and its new rows of a batch."""


@dataclass
class Outcome:
    """What became of a batch's messages of one dataset, in rows; `error`: why none is curated before sealing."""

    messages: int
    new: int = 0
    rejected: int = 0
    warned: int = 0
    error: str = ""


@dataclass(frozen=True)
class Batch:
    """One dataset's messages of a batch. `number`: that of the batch in its query."""

    contract: Contract
    stream: Stream
    rules: tuple[Rule, ...]
    messages: Messages
    deliveries: Mapping[datetime, Delivery]
    number: int


class StreamWriter:
    """Writes the batches of one query; what it remembers between batches can be rebuilt from the tables."""

    def __init__(self, lake: Lake, writer: str) -> None:
        self._lake, self._writer = lake, writer
        self._keys = KnownKeys(lake)
        self._recent = RecentReadings(lake)

    def write(self, registry: Registry, table: pa.Table, number: int) -> dict[str, Outcome]:
        """Write the messages of a batch, as Spark's Kafka source gives them; may be repeated with the same number."""
        by_topic = {topic(self._lake.settings, contract.id): contract for contract in registry.streams()}
        outcomes = {}
        for contract, stream, part in by_dataset(table, by_topic):
            started = time.monotonic()
            messages = messages_of(contract, stream, part)
            deliveries = self._hours(contract, messages)
            batch = Batch(contract, stream, registry.rules[contract.id], messages, deliveries, number)
            self._append(Zone.TELEMETRY, batch, messages.telemetry())
            outcome = self._curate(batch)
            # An hour that was sealed meanwhile lacks these messages: this opens its next revision.
            self._hours(contract, messages)
            self._note(batch, outcome, time.monotonic() - started)
            outcomes[contract.id] = outcome
        return outcomes

    def _hours(self, contract: Contract, messages: Messages) -> dict[datetime, Delivery]:
        """The open delivery of each hour."""
        by_hour = pa.table({"hour": messages.hours, "received": messages.received}).group_by("hour")
        latest = by_hour.aggregate([("received", "max")])
        pairs = zip(*(datetimes(latest[name].combine_chunks()) for name in ("hour", "received_max")), strict=True)
        streams = self._lake.streams
        return {h: streams.open_hour(contract.id, contract.provider, h, at) for h, at in pairs if h and at}

    def _curate(self, batch: Batch) -> Outcome:
        """Evaluate the messages and write what is new. Where that fails, sealing does it; an outage is raised."""
        outcome = Outcome(batch.messages.table.num_rows)
        try:
            self._evaluate(batch, outcome)
        except Exception as error:
            self._keys.forget(batch.contract.id)
            self._recent.forget(batch.contract.id)
            if is_unavailable(error):
                raise
            logger.exception("%s: batch %s waits for its hours to be sealed", batch.contract.id, batch.number)
            outcome.error = f"{type(error).__name__}: {error}"[:500]
        return outcome

    def _evaluate(self, batch: Batch, outcome: Outcome) -> None:
        contract, messages = batch.contract, batch.messages
        if not messages.rows.num_rows:
            return
        lake, versions = self._lake, latest_versions(self._lake)
        lake.tables.interpret(messages.rows.num_rows, len(contract.fields), FEW_ROWS)
        today = datetime.now(UTC).astimezone(ZoneInfo(lake.settings.timezone)).date()
        typed = typed_table(lake, contract, with_day(places(contract, messages), today))
        rules = runnable_rules(lake, batch.rules, versions)
        recent = self._recent.of(contract, rules, messages.rows[batch.stream.device], _since(batch))
        neighbours = self._recent.in_engine(recent)
        typed = replace(typed, neighbours=neighbours)
        with lake.tables.in_parts():
            judged = evaluate_in_memory(lake, contract, typed, rules, versions)
        parts = list(self._new(batch, judged))
        self._write_silver(batch, judged.rules, typed.extras, parts)
        self._write_broken(batch, judged.rules, parts)
        tables = [rows for _, _, rows in parts]
        again = late_verdicts(lake, contract, rules, (recent, pa.concat_tables(tables)), versions) if tables else {}
        new = Judged(tables, [rule.id for rule in judged.rules], again)
        watch(lake, contract, batch.stream, {rule.id: rule for rule in batch.rules}, new)
        self._recent.remember(contract, rules, [_with_wrong(rows, judged.rules) for rows in tables])
        for _, hour, rows in parts:
            self._keys.remember(contract, hour, rows)
            outcome.new += rows.num_rows
            outcome.rejected += _breaking(rows, judged.rules, "critical")
            outcome.warned += _breaking(rows, judged.rules, "warning")

    def _new(self, batch: Batch, judged: "EvaluatedRows") -> Iterator[Part]:
        """The rows of each hour that are not known, with the hour's delivery."""
        rows = judged.table
        if rows is None:
            return
        for hour, delivery in batch.deliveries.items():
            own = _where(rows, pc.ends_with(rows[FILE], label(hour)))
            yield delivery, hour, _where(own, pa.array(self._keys.new(batch.contract, hour, own), pa.bool_()))

    def _write_silver(self, batch: Batch, rules: Sequence[Rule], extras: Sequence[str], parts: Sequence[Part]) -> None:
        contract = batch.contract
        columns = silver_columns(contract, extras)
        path, comment = self._lake.path(Zone.SILVER, contract.id), f"{contract.title}（{contract.department}）"
        self._lake.delta.ensure(path, columns, comment, contract.write.partition_by)
        tables = [silver_table(rows, rules, contract, extras, delivery) for delivery, _, rows in parts]
        self._append(Zone.SILVER, batch, pa.concat_tables(tables))

    def _write_broken(self, batch: Batch, rules: Sequence[Rule], parts: Sequence[Part]) -> None:
        """What breaks a rule, in quarantine and evidence."""
        from jobs.quality.suggest import suggested  # takes seconds to import

        held: list[pa.RecordBatch] = []
        broken: list[pa.RecordBatch] = []
        for delivery, _, rows in parts:
            failing = list(broken_rows(rows.to_batches(), rules))
            held += quarantined(failing, rules, delivery)
            broken += evidence(failing, rules, delivery, suggested)
        for zone, batches in ((Zone.QUARANTINE, held), (Zone.EVIDENCE, broken)):
            if batches:
                self._append(zone, batch, pa.Table.from_batches(batches, system_table(zone).schema))

    def _append(self, zone: Zone, batch: Batch, rows: pa.Table) -> None:
        """Append once."""
        path = self._lake.path(zone, batch.contract.id)
        if zone is not Zone.SILVER:
            own = system_table(zone)
            columns = column_specs(system_contract(zone).fields)
            self._lake.delta.ensure(path, columns, f"{batch.contract.title}（{zone}）", own.partition_by)
        if rows.num_rows:
            for attempt in commit_attempts():
                with attempt:
                    self._lake.delta.append(path, rows, (self._writer, batch.number))

    def _offsets(self, dataset: str) -> dict[str, int]:
        """Those of earlier batches."""
        known = (state for state in self._lake.streams.states() if state.dataset == dataset)
        return next((dict(state.facts["offsets"]) for state in known), {})

    def _note(self, batch: Batch, outcome: Outcome, seconds: float) -> None:
        last_event, last_received = (pc.max(own).as_py() for own in (batch.messages.events, batch.messages.received))
        facts = {
            **asdict(outcome),
            "kept": self._recent.count(batch.contract.id) + self._keys.count(batch.contract.id),
            "seconds": round(seconds, 3),
            "last_event": last_event.isoformat() if last_event else "",
            "last_received": last_received.isoformat(),
            "offsets": self._offsets(batch.contract.id) | _next_offsets(batch.messages.table),
        }
        state = StreamState(batch.contract.id, self._writer, batch.number, datetime.now(UTC), facts)
        self._lake.streams.note(state)


def _where(rows: pa.Table, mask: pa.Array | pa.ChunkedArray) -> pa.Table:
    """The rows of the mask; mostly that is all of them, which are not copied."""
    return rows if pc.all(mask, min_count=0).as_py() else rows.filter(mask)


def _since(batch: Batch) -> datetime:
    """The time of the earliest reading that the batch's rules look at."""
    earliest: datetime = pc.min(batch.messages.events).as_py() or datetime.now(UTC)
    return earliest - timedelta(minutes=batch.stream.context_min)


def _next_offsets(table: pa.Table) -> dict[str, int]:
    """The offset after the last message of each partition; the table is in their order."""
    pairs = zip(table["partition"].to_pylist(), table["offset"].to_pylist(), strict=True)
    return {str(partition): offset + 1 for partition, offset in pairs}


def _with_wrong(rows: pa.Table, rules: Sequence[Rule]) -> pa.Table:
    """The rows with a column that says which of them break a critical rule."""
    return rows.append_column(IS_WRONG, pa.array(AnyBit(MASK, _bits(rules, "critical")).rows(rows)))


def _breaking(rows: pa.Table, rules: Sequence[Rule], severity: str) -> int:
    return int(AnyBit(MASK, _bits(rules, severity)).rows(rows).sum())


def _bits(rules: Sequence[Rule], severity: str) -> tuple[int, ...]:
    return tuple(index for index, rule in enumerate(rules) if rule.severity == severity)
