"""Readings that come one by one are judged as in files; each hour becomes a delivery, and late readings a correction of it."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from jobs.collaboration.channels import PortalNotices
from jobs.contracts import Contract, Registry
from jobs.contracts.names import DELIVERY
from jobs.lake.lake import Lake
from jobs.lake.stream_ledger import Hour
from jobs.lake.zones import Zone
from jobs.model.actor import SYSTEM
from jobs.model.delivery import State
from jobs.pipeline import stream_seal
from jobs.pipeline.stream_alarms import alarms_of, publish
from jobs.pipeline.stream_batch import StreamWriter
from jobs.pipeline.stream_figures import figures, prometheus
from jobs.pipeline.stream_seal import seal, seal_due
from jobs.pipeline.ticket_store import open_tickets
from jobs.pipeline.tickets import govern
from jobs.streams.alarms import AlarmState
from tests.contract_texts import STATION_SUITE
from tests.spark.readings import (
    DATASET,
    HOUR,
    SEALED,
    all_rows,
    curated,
    new_messages,
    reading,
    rows,
    run,
    run_query,
    send,
    with_contracts,
)


@pytest.fixture
def registry(stream_lake: Lake, write_contracts: Callable[..., Registry]) -> Registry:
    return with_contracts(stream_lake, write_contracts)


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
    assert {row[DELIVERY] for row in all_rows(stream_lake, Zone.SILVER)} == {delivery.id}


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


def test_a_reading_that_is_sent_again_after_sealing_changes_nothing(stream_lake: Lake, registry: Registry) -> None:
    send(stream_lake, [reading("A", 1), reading("A", 2, temp=500.0)], ["1", "2"])
    run(stream_lake, registry)
    (first,) = seal_due(stream_lake, registry, SEALED)
    before = curated(stream_lake)[Zone.SILVER]
    send(stream_lake, [reading("A", 1), reading("B", 1, hour=HOUR + timedelta(hours=1))], ["1", "3"])
    run(stream_lake, registry)
    second, _ = seal_due(stream_lake, registry, SEALED + timedelta(days=1))
    older, newer = stream_lake.ledger.get(first), stream_lake.ledger.get(second)
    assert (older.sha256, older.superseded_by) == (newer.sha256, second)
    assert [row for row in curated(stream_lake)[Zone.SILVER] if row["station"] == "A"] == before


def test_an_hour_whose_sealing_was_cut_off_is_evaluated_without_another_hour(
    stream_lake: Lake, registry: Registry
) -> None:
    send(stream_lake, [reading("A", 1), reading("A", 2, temp=500.0)])
    run(stream_lake, registry)
    (hour,) = stream_lake.streams.hours(DATASET)
    seal(stream_lake, registry.contract(DATASET), hour, SEALED)
    assert seal_due(stream_lake, registry, SEALED) == [hour.delivery]
    assert stream_lake.ledger.get(hour.delivery).state is State.PARTLY_QUARANTINED
    assert seal_due(stream_lake, registry, SEALED) == []


def test_an_hour_is_not_sealed_before_its_messages_are_written(stream_lake: Lake, registry: Registry) -> None:
    stream_lake.streams.open_hour(DATASET, "heat", HOUR - timedelta(hours=1), HOUR)  # as a batch does at first
    assert seal_due(stream_lake, registry, SEALED) == []
    send(stream_lake, [reading("A", 1)])
    run(stream_lake, registry)
    assert len(seal_due(stream_lake, registry, SEALED)) == 1
    assert len(stream_lake.streams.hours(DATASET, is_open=True)) == 1


def test_an_hour_that_fails_stops_no_other(
    stream_lake: Lake, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(lake: Lake, contract: Contract, hour: Hour, now: datetime) -> bool:
        if hour.hour == HOUR:
            raise ValueError("no such place")
        return seal(lake, contract, hour, now)

    send(stream_lake, [reading("A", 1), reading("A", 1, hour=HOUR + timedelta(hours=1))])
    run(stream_lake, registry)
    monkeypatch.setattr(stream_seal, "seal", failing)
    failed: list[Exception] = []
    assert len(seal_due(stream_lake, registry, SEALED, failed)) == 1
    assert [str(error) for error in failed] == ["no such place"]
    with pytest.raises(ValueError, match="no such place"):
        seal_due(stream_lake, registry, SEALED)


def test_late_readings_make_a_correction_that_supersedes(stream_lake: Lake, registry: Registry) -> None:
    send(stream_lake, [reading("A", 1), reading("A", 2, temp=500.0)])
    run(stream_lake, registry)
    (first,) = seal_due(stream_lake, registry, SEALED)
    send(stream_lake, [reading("A", 3), reading("A", 2, temp=61.0)])
    run(stream_lake, registry)
    (second,) = seal_due(stream_lake, registry, SEALED + timedelta(days=1))
    older, newer = stream_lake.ledger.get(first), stream_lake.ledger.get(second)
    assert (older.superseded_by, newer.supersedes) == (second, first)
    assert {row[DELIVERY] for row in all_rows(stream_lake, Zone.SILVER)} == {second}
    assert newer.counted_rows == 4
    assert seal_due(stream_lake, registry, SEALED + timedelta(days=2)) == []


def test_what_is_no_reading_is_kept_and_named(stream_lake: Lake, registry: Registry) -> None:
    wide = [{**reading(name, 1), **{f"{name}{i}": i for i in range(1_200)}} for name in "BC"]
    by_header = {"站点": "D", "时间": reading("D", 1)["read_at"], "温度": 60.0}
    send(stream_lake, [*POISON, reading("A", 1), *wide, by_header])
    run(stream_lake, registry)
    stored = all_rows(stream_lake, Zone.TELEMETRY)
    assert [row["sent_bytes"] for row in stored if row["sent_bytes"] is not None] == [b"\xff\xfe"]
    assert len(stored) == 10
    assert {row["station"] for row in all_rows(stream_lake, Zone.SILVER)} == {"A", "B", "C", "D"}
    held = {row["reasons"][0] for row in all_rows(stream_lake, Zone.QUARANTINE)}
    assert "row_shape" in held
    assert len(all_rows(stream_lake, Zone.QUARANTINE)) == 4
    seal_due(stream_lake, registry, SEALED)
    assert sum(hour.facts["messages"] for hour in stream_lake.streams.hours()) == 10
    assert len(all_rows(stream_lake, Zone.QUARANTINE)) == 5  # C: with B, one file would have too many names
    assert {row["station"] for row in all_rows(stream_lake, Zone.SILVER)} == {"A", "B", "D"}


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
    told = PortalNotices(stream_lake.streams.database, SEALED).notices("bureau")
    assert [notice.title for notice in told] == ["实时报警：1 条变化", "实时报警：2 条变化"]
    assert "发生：A 供温不高于回温" in told[1].text
    (sealed,) = seal_due(stream_lake, registry, SEALED)
    (ticket,) = govern(stream_lake, registry, sealed).tickets
    with open_tickets(stream_lake, registry) as tickets:
        assert (
            tickets.ticket(ticket, SYSTEM, SEALED).rule == "temp_c_range"
        )  # what an alarm says is true: nobody is asked to correct it


SPIKE = """  - id: temp_spike
    type: expect_column_values_to_not_spike
    kwargs: {column: temp_c, series: [station], at: read_at, limit: 10, readings: 3}
    severity: warning
    meta: {dimension: 准确性, message: 温度突跳, remedy: 请核对测点, basis: 供热常识, alarm: {after: 2, clear_after: 2}}
"""


def test_a_spike_that_only_later_readings_show_opens_its_alarm_late_and_once(
    stream_lake: Lake, write_contracts: Callable[..., Registry]
) -> None:
    registry = with_contracts(stream_lake, write_contracts, STATION_SUITE + SPIKE)
    first = [reading("A", 0), reading("A", 1), reading("B", 1), reading("A", 2, temp=85.0)]
    for batch in (first, [reading("A", 3, temp=85.0)], [reading("A", 4)], [reading("A", 5)]):
        send(stream_lake, batch)
        run(stream_lake, registry)
    (alarm,) = alarms_of(stream_lake).all(with_cleared=True)
    assert (alarm.device, alarm.rule) == ("A", "temp_spike")
    at = [(event.change, (event.at - HOUR) / timedelta(minutes=1)) for event in alarms_of(stream_lake).events()]
    assert at == [("opened", 3), ("cleared", 5)]
    assert len(rows(stream_lake, Zone.SILVER)) == 7  # nothing is written twice


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
