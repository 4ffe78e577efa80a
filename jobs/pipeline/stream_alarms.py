"""Verdicts of a batch → alarms; and alarms → the topic of alarms."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from jobs.collaboration.channels import channels
from jobs.conform.split import MASK
from jobs.contracts import Contract, Rule
from jobs.contracts.stream import Stream
from jobs.errors import ServiceUnavailable
from jobs.lake.bits import AnyBit
from jobs.lake.broker import alarms_topic, ensure_topics, producer
from jobs.lake.lake import Lake
from jobs.streams.alarm_store import AlarmEvent, Alarms, Limit
from jobs.streams.alarms import CHANGE_WORDS, Watched

logger = logging.getLogger(__name__)
FLUSH_S = 10


def alarms_of(lake: Lake) -> Alarms:
    """The alarms of a lake."""
    return Alarms(lake.streams.database)


@dataclass(frozen=True)
class Judged:
    """New rows of a batch with their masks; `order`: ids of the rules in the order of the mask's bits.

    `again`: by rule, known readings on which it decided again, with its verdict in the column of its name.
    """

    tables: Sequence[pa.Table]
    order: Sequence[str]
    again: Mapping[str, pa.Table] = field(default_factory=dict)


def watch(
    lake: Lake, contract: Contract, stream: Stream, by_id: Mapping[str, Rule], judged: Judged
) -> list[AlarmEvent]:
    """What the new rows change; a row that breaks a critical rule is a wrong value, and says nothing of a limit.

    `by_id`: the rules as the suite has them now. A compiled plan is kept as long as verdicts stay the same, whatever is said of alarms.
    """
    rules = [by_id[name] for name in judged.order]
    limits = [(index, rule, rule.alarm) for index, rule in enumerate(rules) if rule.alarm is not None]
    if not limits:
        return []
    good = _good(rules, judged)
    events: list[AlarmEvent] = []
    alarms = alarms_of(lake)
    known = alarms.watched(contract.id)
    for index, rule, policy in limits:
        limit = Limit(contract.id, rule.id, rule.message, policy)
        devices = known.get(rule.id, set())
        again = _again(judged.again.get(rule.id), stream, rule, devices)
        breaks = AnyBit(MASK, (index,)).rows(good)
        concerned = _of_devices(good, stream, breaks, {*devices, *again})
        if again or concerned.any():
            rows = good.filter(pa.array(concerned))
            events += alarms.watch(limit, _by_device(rows, stream, rule, breaks[concerned]), again)
    for event in events:
        logger.info("%s: alarm %s of %s %s", contract.id, event.alarm.id, event.alarm.device, event.change)
    return events


def _good(rules: Sequence[Rule], judged: Judged) -> pa.Table:
    """The rows that break no critical rule."""
    critical = AnyBit(MASK, tuple(index for index, rule in enumerate(rules) if rule.severity == "critical"))
    return pa.concat_tables([rows.filter(pa.array(~critical.rows(rows))) for rows in judged.tables])


def _of_devices(rows: pa.Table, stream: Stream, breaks: np.ndarray, known: set[str]) -> np.ndarray:
    """Which rows are of a device that breaks the limit now, or did before; of all others an alarm has nothing to say."""
    devices = rows[stream.device].cast(pa.string())
    now = pc.unique(devices.filter(pa.array(breaks))).drop_null().to_pylist()
    wanted = pa.array(sorted({*now, *known}), pa.string())
    concerned: np.ndarray = pc.is_in(devices, value_set=wanted).to_numpy()
    return concerned


def _again(rows: pa.Table | None, stream: Stream, rule: Rule, known: set[str]) -> dict[str, list[Watched]]:
    """Known readings by device, with the verdict that they have now."""
    if rows is None:
        return {}
    breaks: np.ndarray = rows[rule.id].to_numpy()
    concerned = _of_devices(rows, stream, breaks, known)
    return _by_device(rows.filter(pa.array(concerned)), stream, rule, breaks[concerned])


def _by_device(rows: pa.Table, stream: Stream, rule: Rule, breaks: np.ndarray) -> dict[str, list[Watched]]:
    """The readings of each device; one without device, time or value says nothing."""
    by_device: dict[str, list[Watched]] = {}
    columns = (rows[stream.device], rows[stream.event_time], rows[rule.fields[0]])
    for device, at, value, is_broken in zip(*(c.to_pylist() for c in columns), breaks.tolist(), strict=True):
        if device is not None and at is not None and value is not None:
            by_device.setdefault(str(device), []).append(Watched(at.astimezone(UTC), bool(is_broken), str(value)))
    return by_device


def publish(lake: Lake, now: datetime) -> int:
    """Escalate what nobody acknowledged in time, and put all new events into the topic of alarms; how many those were.

    An event is marked as sent once the broker has it: it may come twice, with the same `seq`, and is never left out.
    """
    alarms = alarms_of(lake)
    alarms.escalate(now)
    events = alarms.events(unsent=True)
    if not events:
        return 0
    ensure_topics(lake.settings, [alarms_topic(lake.settings)])
    client = producer(lake.settings)
    stored: list[int] = []

    def note(seq: int, error: object, _: object) -> None:
        if error is None:
            stored.append(seq)

    for event in events:
        key, noted = str(event.alarm.id), partial(note, event.seq)
        client.produce(alarms_topic(lake.settings), event.as_json(), key=key, on_delivery=noted)
    client.flush(FLUSH_S)
    notify(lake, [event for event in events if event.seq in set(stored)], now)
    alarms.sent(stored)
    return len(stored)


@dataclass(frozen=True)
class AlarmMessage:
    """A notification of alarms to an authority. It contains no reading: every member of a chat group sees what a webhook posts."""

    department: str
    title: str
    lines: tuple[str, ...]

    def texts(self) -> Iterator[str]:
        """The texts of the lines."""
        return iter(self.lines)


def notify(lake: Lake, events: Sequence[AlarmEvent], now: datetime) -> None:
    """Notify the authorities in the portal and by the configured channels; a failed notification is logged, not retried."""
    zone = ZoneInfo(lake.settings.timezone)
    for authority in sorted({event.alarm.authority for event in events}):
        lines = tuple(_line(event, zone) for event in events if event.alarm.authority == authority)
        message = AlarmMessage(authority, f"实时报警：{len(lines)} 条变化", lines)
        for channel in channels(lake.settings, lake.streams.database, now):
            try:
                if channel.reaches(authority):
                    channel.send(message)
            except ServiceUnavailable as error:
                logger.warning("%s to %s: %s", channel.name, authority, error)


def _line(event: AlarmEvent, zone: ZoneInfo) -> str:
    alarm = event.alarm
    return f"{event.at.astimezone(zone):%m-%d %H:%M} {CHANGE_WORDS[event.change]}：{alarm.device} {alarm.message}（编号 {alarm.id}）"
