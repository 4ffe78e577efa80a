"""Readings that come one by one are judged as in files; each hour becomes a delivery, and late readings a correction of it."""

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest

from jobs.contracts import Registry
from jobs.contracts.names import DELIVERY, FILE, FIRST_SENT, RECEIVED, ROW, SEQ
from jobs.lake.broker import ensure_topics, producer, topic
from jobs.lake.lake import Lake
from jobs.lake.spark_tables import to_arrow
from jobs.lake.zones import Zone
from jobs.model.delivery import State
from jobs.pipeline import stream_query
from jobs.pipeline.stream_alarms import alarms_of, publish
from jobs.pipeline.stream_batch import StreamWriter
from jobs.pipeline.stream_figures import figures, prometheus
from jobs.pipeline.stream_seal import seal_due
from jobs.streams.alarms import AlarmState
from tests.contract_texts import STATION_SUITE, stream_contract

DATASET = "station"
NOW = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
HOUR = NOW - timedelta(hours=3)
SEALED = NOW + timedelta(days=1)
Reading = dict[str, Any]


@pytest.fixture
def registry(stream_lake: Lake, write_contracts: Callable[..., Registry]) -> Registry:
    return with_contracts(stream_lake, write_contracts)


def with_contracts(lake: Lake, write_contracts: Callable[..., Registry], suite: str = STATION_SUITE) -> Registry:
    """The contracts, where the worker of the engine finds them too."""
    registry = write_contracts(
        {
            f"schemas/sources/heat/{DATASET}.yaml": stream_contract(DATASET),
            f"expectations/sources/heat/{DATASET}.yaml": suite,
        }
    )
    folder = registry.contract(DATASET).file.parents[3]
    lake.settings = lake.settings.model_copy(
        update={"schemas": folder / "schemas", "expectations": folder / "expectations"}
    )
    return registry


def reading(station: str, minute: int, temp: float = 60.0, hour: datetime = HOUR, **more: Any) -> Reading:
    at = hour + timedelta(minutes=minute)
    return {"station": station, "read_at": at.isoformat(timespec="seconds"), "temp_c": temp, "return_c": 40.0, **more}


def send(lake: Lake, messages: Sequence[Reading | bytes | None], numbers: Sequence[str] = ()) -> None:
    """Put messages into the dataset's topic, with their sender's numbers where given."""
    ensure_topics(lake.settings, [topic(lake.settings, DATASET)])
    client, errors = producer(lake.settings), []
    for index, message in enumerate(messages):
        value = json.dumps(message).encode() if isinstance(message, dict) else message
        headers = {"sender": "heat", "id": numbers[index]} if numbers else None
        client.produce(
            topic(lake.settings, DATASET), value, key="k", headers=headers, on_delivery=lambda e, _: errors.append(e)
        )
    assert client.flush(30) == 0
    assert errors == [None] * len(messages)


def new_messages(lake: Lake, registry: Registry) -> pa.Table:
    """What the topic has after the last message in the lake, as the query would read it."""
    offsets = stream_query.first_offsets(lake, stream_query.subscribed(registry))
    options = {**stream_query.spark_options(lake.settings), "includeHeaders": "true", "startingOffsets": offsets}
    frame = lake.spark.read.format("kafka")
    for name, value in options.items():
        frame = frame.option(name, value)
    frame = frame.option("subscribe", topic(lake.settings, DATASET)).load().select(*stream_query.COLUMNS)
    return to_arrow(frame)


def run(lake: Lake, registry: Registry) -> None:
    """Write what the topic has now, as one batch."""
    number = max((state.batch for state in lake.streams.states()), default=-1) + 1
    outcomes = StreamWriter(lake, "w").write(registry, new_messages(lake, registry), number)
    assert [outcome.error for outcome in outcomes.values()] == [""]


def run_query(lake: Lake, registry: Registry) -> None:
    """Read what the topics have now, by the query itself."""
    checkpoint = lake.streams.own("test", datetime.now(UTC))
    assert checkpoint
    query = stream_query.start(lake, registry, checkpoint, until_now=True)
    query.awaitTermination()
    assert query.exception() is None
    assert [state.facts["error"] for state in lake.streams.states()] == [""]


def rows(lake: Lake, zone: Zone, but: Sequence[str] = ()) -> list[dict[str, Any]]:
    """The rows of a table in order, without the columns that say where they come from."""
    table = lake.delta.open(lake.path(zone, DATASET))
    if table is None:
        return []
    data = table.to_pyarrow_table()
    data = data.drop_columns([name for name in (*but, DELIVERY, FILE, ROW, SEQ, RECEIVED) if name in data.column_names])
    return sorted(data.to_pylist(), key=repr)


def curated(lake: Lake) -> dict[str, list[dict[str, Any]]]:
    return {zone: rows(lake, zone, (FIRST_SENT,)) for zone in (Zone.SILVER, Zone.QUARANTINE, Zone.EVIDENCE)}


POISON = (b"no json", b"[1, 2]", b"\xff\xfe", b'{"station": "C",\n"read_at": "never", "temp_c": 1}', b"", None)


def test_readings_are_curated_at_once_and_sealing_changes_nothing_but_their_delivery(
    stream_lake: Lake, registry: Registry
) -> None:
    good = [reading("A", minute) for minute in range(5)]
    bad = [reading("B", 1, temp=500.0), reading("B", 2, temp=20.0), {**reading("B", 3), "station": None}]
    send(stream_lake, [*good, *bad])
    run_query(stream_lake, registry)
    at_once = curated(stream_lake)
    assert len(at_once[Zone.SILVER]) == 6
    assert len(at_once[Zone.QUARANTINE]) == 2
    (delivery,) = stream_lake.ledger.deliveries(DATASET)
    assert delivery.state is State.OPEN
    assert seal_due(stream_lake, registry, SEALED) == [delivery.id]
    assert curated(stream_lake) == at_once
    sealed = stream_lake.ledger.get(delivery.id)
    assert sealed.state is State.PARTLY_QUARANTINED
    assert sealed.counted_rows == sealed.declared_rows == 8
    assert {row[DELIVERY] for row in _all(stream_lake, Zone.SILVER)} == {delivery.id}


def _all(lake: Lake, zone: Zone) -> list[dict[str, Any]]:
    table = lake.delta.open(lake.path(zone, DATASET))
    assert table is not None
    return list(table.to_pyarrow_table().to_pylist())


def test_a_reading_that_is_sent_twice_counts_once(stream_lake: Lake, registry: Registry) -> None:
    first = [reading("A", minute) for minute in range(3)]
    send(stream_lake, first, ["1", "2", "3"])
    run(stream_lake, registry)
    send(stream_lake, [*first, reading("A", 9)], ["1", "2", "3", "4"])  # with the sender's numbers
    send(stream_lake, first)  # by device and time
    run(stream_lake, registry)
    assert len(rows(stream_lake, Zone.SILVER)) == 4
    assert len(rows(stream_lake, Zone.TELEMETRY)) == 10
    seal_due(stream_lake, registry, SEALED)
    assert len(rows(stream_lake, Zone.SILVER)) == 4
    (hour,) = stream_lake.streams.hours(DATASET)
    assert (hour.facts["messages"], hour.facts["rows"], hour.facts["resent"]) == (10, 7, 3)


def test_late_readings_make_a_correction_that_supersedes(stream_lake: Lake, registry: Registry) -> None:
    send(stream_lake, [reading("A", 1), reading("A", 2, temp=500.0)])
    run(stream_lake, registry)
    (first,) = seal_due(stream_lake, registry, SEALED)
    send(stream_lake, [reading("A", 3), reading("A", 2, temp=61.0)])
    run(stream_lake, registry)
    (second,) = seal_due(stream_lake, registry, SEALED + timedelta(days=1))
    older, newer = stream_lake.ledger.get(first), stream_lake.ledger.get(second)
    assert (older.superseded_by, newer.supersedes) == (second, first)
    assert {row[DELIVERY] for row in _all(stream_lake, Zone.SILVER)} == {second}
    assert newer.counted_rows == 4
    assert seal_due(stream_lake, registry, SEALED + timedelta(days=2)) == []


def test_what_is_no_reading_is_kept_and_named(stream_lake: Lake, registry: Registry) -> None:
    send(stream_lake, [*POISON, reading("A", 1)])
    run(stream_lake, registry)
    stored = _all(stream_lake, Zone.TELEMETRY)
    assert [row["sent_bytes"] for row in stored if row["sent_bytes"] is not None] == [b"\xff\xfe"]
    assert len(stored) == 7
    assert len(rows(stream_lake, Zone.SILVER)) == 1
    held = {row["reasons"][0] for row in _all(stream_lake, Zone.QUARANTINE)}
    assert "row_shape" in held
    assert len(_all(stream_lake, Zone.QUARANTINE)) == 4
    seal_due(stream_lake, registry, SEALED)
    assert sum(hour.facts["messages"] for hour in stream_lake.streams.hours()) == 7
    assert len(_all(stream_lake, Zone.QUARANTINE)) == 4


@pytest.mark.parametrize("year", [1970, 2099])
def test_a_clock_that_cannot_be_right_belongs_to_the_hour_of_receipt(
    stream_lake: Lake, registry: Registry, year: int
) -> None:
    send(stream_lake, [{**reading("A", 1), "read_at": f"{year}-01-01T00:00:00Z"}])
    run(stream_lake, registry)
    (hour,) = stream_lake.streams.hours(DATASET)
    assert abs(hour.hour - datetime.now(UTC)) < timedelta(hours=2)


def test_a_batch_that_is_tried_again_writes_nothing_twice(stream_lake: Lake, registry: Registry) -> None:
    send(stream_lake, [reading("A", 1), reading("A", 2, temp=500.0)])
    table = new_messages(stream_lake, registry)
    StreamWriter(stream_lake, "w").write(registry, table, 0)
    before = {zone: rows(stream_lake, zone) for zone in (Zone.TELEMETRY, Zone.SILVER, Zone.QUARANTINE, Zone.EVIDENCE)}
    assert len(before[Zone.TELEMETRY]) == 2
    StreamWriter(stream_lake, "w").write(registry, table, 0)
    assert before == {zone: rows(stream_lake, zone) for zone in before}


def test_a_lost_checkpoint_loses_and_doubles_nothing(stream_lake: Lake, registry: Registry) -> None:
    send(stream_lake, [reading("A", minute) for minute in range(3)])
    run_query(stream_lake, registry)
    stream_lake.streams.reset()
    send(stream_lake, [reading("A", minute) for minute in range(2, 5)])
    run_query(stream_lake, registry)
    assert len(rows(stream_lake, Zone.TELEMETRY)) == 6
    assert len(rows(stream_lake, Zone.SILVER)) == 5


def test_a_broken_limit_opens_one_alarm_and_readings_clear_it(
    stream_lake: Lake, write_contracts: Callable[..., Registry]
) -> None:
    alarm = "basis: 供热常识, alarm: {after: 2, clear_after: 2}}"
    registry = with_contracts(stream_lake, write_contracts, STATION_SUITE.replace("basis: 供热常识}", alarm))
    cold = [reading("A", minute, temp=30.0) for minute in range(4)]
    send(stream_lake, [*cold, reading("B", 1), reading("C", 1, temp=500.0), reading("C", 2, temp=500.0)])
    run(stream_lake, registry)
    (opened,) = alarms_of(stream_lake).all()
    assert (opened.device, opened.rule, opened.state) == ("A", "supply_above_return", AlarmState.OPEN)
    assert len(rows(stream_lake, Zone.SILVER)) == 5  # the values stay
    assert publish(stream_lake, SEALED) == 2  # opened, and escalated: nobody acknowledged it
    send(stream_lake, [reading("A", minute) for minute in range(4, 6)])
    run(stream_lake, registry)
    assert alarms_of(stream_lake).all() == []
    assert publish(stream_lake, SEALED) == 1
    assert [e.change for e in alarms_of(stream_lake).events(opened.id)] == ["opened", "escalated", "cleared"]


def test_figures_say_how_far_the_lake_is_behind_the_broker(stream_lake: Lake, registry: Registry) -> None:
    send(stream_lake, [reading("A", 1), reading("A", 2, temp=500.0)])
    run(stream_lake, registry)
    send(stream_lake, [reading("A", 3)])
    (one,) = figures(stream_lake)
    assert (one.rows, one.new, one.rejected, one.failed, one.lag, one.open_hours, one.alarms) == (2, 2, 1, 0, 1, 1, 0)
    assert one.last_event == (HOUR + timedelta(minutes=2)).timestamp()
    assert 'lake_stream_lag_messages{dataset="station"} 1\n' in prometheus([one])


def test_one_owner_at_a_time(stream_lake: Lake) -> None:
    now = datetime.now(UTC)
    mine = stream_lake.streams.own("me", now)
    assert mine is not None
    assert stream_lake.streams.own("you", now) is None
    assert stream_lake.streams.own("you", now + timedelta(minutes=2)) == mine
    stream_lake.streams.leave("you")
    assert stream_lake.streams.own("me", now) == mine
