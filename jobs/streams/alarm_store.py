"""Alarms in the state database: what is open, and every change, which is only ever added."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, DateTime, Integer, String, Text, func, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from jobs.contracts.alarm import AlarmPolicy
from jobs.errors import InvalidTransition, Unknown
from jobs.lake.database import Database, utc
from jobs.lake.ledger_tables import SEQ, Base
from jobs.streams.alarms import AlarmState, Change, Rejudged, Watch, Watched, advance_again

AT = DateTime(timezone=True)
LAKE = "lake"


class WatchRow(Base):
    """A device and a limit that it broke at least once; healthy devices have none."""

    __tablename__ = "alarm_watch"

    dataset: Mapped[str] = mapped_column(String(120), primary_key=True)
    rule: Mapped[str] = mapped_column(String(120), primary_key=True)
    device: Mapped[str] = mapped_column(String(200), primary_key=True)
    last_at: Mapped[datetime | None] = mapped_column(AT)
    run: Mapped[int] = mapped_column(Integer)
    alarm: Mapped[int | None] = mapped_column(BigInteger)


class AlarmRow(Base):
    """An alarm as it is now."""

    __tablename__ = "alarm"

    id: Mapped[int] = mapped_column(SEQ, primary_key=True, autoincrement=True)
    dataset: Mapped[str] = mapped_column(String(120), index=True)
    rule: Mapped[str] = mapped_column(String(120))
    device: Mapped[str] = mapped_column(String(200))
    authority: Mapped[str] = mapped_column(String(120))
    message: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(String(20), index=True)
    opened_at: Mapped[datetime] = mapped_column(AT)
    escalates_at: Mapped[datetime] = mapped_column(AT)
    is_escalated: Mapped[bool] = mapped_column(default=False)


class AlarmEventRow(Base):
    """One change of an alarm; `sent` once the topic of alarms has it."""

    __tablename__ = "alarm_event"

    seq: Mapped[int] = mapped_column(SEQ, primary_key=True, autoincrement=True)
    alarm: Mapped[int] = mapped_column(BigInteger, index=True)
    change: Mapped[str] = mapped_column(String(20))
    at: Mapped[datetime] = mapped_column(AT)
    actor: Mapped[str] = mapped_column(String(120))
    value: Mapped[str] = mapped_column(Text, default="")
    reason: Mapped[str] = mapped_column(Text, default="")
    is_sent: Mapped[bool] = mapped_column(default=False, index=True)


@dataclass(frozen=True)
class Limit:
    """A rule whose breach is an alarm."""

    dataset: str
    rule: str
    message: str
    policy: AlarmPolicy


@dataclass(frozen=True)
class Alarm:
    """An alarm as it is now; `opened_at` is the time of the reading that opened it."""

    id: int
    dataset: str
    rule: str
    device: str
    authority: str
    message: str
    state: AlarmState
    opened_at: datetime
    is_escalated: bool


@dataclass(frozen=True)
class AlarmEvent:
    """One change of an alarm."""

    seq: int
    alarm: Alarm
    change: Change
    at: datetime
    actor: str
    value: str
    reason: str

    def as_json(self) -> bytes:
        """The event for the topic of alarms."""
        alarm = {name: str(value) for name, value in self.alarm.__dict__.items() if name != "opened_at"}
        facts = {"seq": self.seq, "change": str(self.change), "at": self.at.isoformat(), "actor": self.actor}
        more = {"value": self.value, "reason": self.reason, "opened_at": self.alarm.opened_at.isoformat()}
        return json.dumps({**facts, **more, "alarm": alarm}, ensure_ascii=False).encode()


class Alarms:
    """Reads and writes alarms; every method is one transaction."""

    def __init__(self, database: Database) -> None:
        self._session = database.session

    def watch(
        self,
        limit: Limit,
        readings: Mapping[str, Sequence[Watched]],
        again: Mapping[str, Sequence[Watched]] | None = None,
    ) -> list[AlarmEvent]:
        """What new readings change, by device. The same readings again change nothing.

        `again`: known readings on which the rule decided again, since later ones came.
        """
        again = again or {}
        with self._session() as session:
            known = select(WatchRow).where(WatchRow.dataset == limit.dataset, WatchRow.rule == limit.rule)
            rows = {row.device: row for row in session.scalars(known)}
            since = _last_changes(session, limit) if again else {}
            events = []
            for device in sorted({*readings, *again}):
                earlier, new = Rejudged(again.get(device, ()), since.get(device)), readings.get(device, ())
                if device in rows or any(reading.breaks for reading in (*earlier.readings, *new)):
                    row = rows.get(device) or _row(session, limit, device)
                    events += _advance(session, limit, row, (earlier, new))
            return [_event(session, event) for event in events]

    def watched(self, dataset: str) -> dict[str, set[str]]:
        """By rule, the devices that broke its limit at least once."""
        query = select(WatchRow.rule, WatchRow.device).where(WatchRow.dataset == dataset)
        devices: dict[str, set[str]] = {}
        with self._session() as session:
            for rule, device in session.execute(query):
                devices.setdefault(rule, set()).add(device)
        return devices

    def acknowledge(self, number: int, actor: str, at: datetime) -> Alarm:
        """Somebody of the authority has seen it."""
        return self._act(number, (AlarmState.OPEN,), Change.ACKNOWLEDGED, (actor, "", at))

    def clear(self, number: int, actor: str, reason: str, at: datetime) -> Alarm:
        """The authority ends it, with a reason; if readings go on to break the limit, another one opens."""
        if not reason.strip():
            raise InvalidTransition("an alarm is cleared by hand with a reason / 人工解除须说明理由")
        states = (AlarmState.OPEN, AlarmState.ACKNOWLEDGED)
        return self._act(number, states, Change.CLEARED, (actor, reason, at))

    def escalate(self, now: datetime) -> list[Alarm]:
        """Alarms that nobody acknowledged in time, each once."""
        with self._session() as session:
            late = select(AlarmRow).where(
                AlarmRow.state == AlarmState.OPEN, AlarmRow.is_escalated.is_(False), AlarmRow.escalates_at <= now
            )
            rows = list(session.scalars(late))
            for row in rows:
                row.is_escalated = True
                _add(session, row.id, Change.ESCALATED, Watched(now, True, ""))
            return [_alarm(row) for row in rows]

    def all(self, dataset: str | None = None, with_cleared: bool = False) -> list[Alarm]:
        """Alarms, newest first."""
        query = select(AlarmRow).order_by(AlarmRow.id.desc())
        if dataset is not None:
            query = query.where(AlarmRow.dataset == dataset)
        if not with_cleared:
            query = query.where(AlarmRow.state != AlarmState.CLEARED)
        with self._session() as session:
            return [_alarm(row) for row in session.scalars(query)]

    def one(self, number: int) -> Alarm:
        """An alarm by its number."""
        with self._session() as session:
            row = session.get(AlarmRow, number)
            if row is None:
                raise Unknown(f"no alarm {number} / 没有编号为 {number} 的报警")
            return _alarm(row)

    def newest(self, dataset: str, most: int) -> list[Alarm]:
        """Alarms of a dataset, cleared ones too, newest first."""
        query = select(AlarmRow).where(AlarmRow.dataset == dataset).order_by(AlarmRow.id.desc()).limit(most)
        with self._session() as session:
            return [_alarm(row) for row in session.scalars(query)]

    def events(self, number: int | None = None, unsent: bool = False) -> list[AlarmEvent]:
        """Changes in their order: of one alarm, or those that the topic does not have."""
        query = select(AlarmEventRow).order_by(AlarmEventRow.seq)
        if number is not None:
            query = query.where(AlarmEventRow.alarm == number)
        if unsent:
            query = query.where(AlarmEventRow.is_sent.is_(False))
        with self._session() as session:
            return [_event(session, row) for row in session.scalars(query)]

    def sent(self, seqs: Sequence[int]) -> None:
        """The topic has these events."""
        with self._session() as session:
            session.execute(update(AlarmEventRow).where(AlarmEventRow.seq.in_(seqs)).values(is_sent=True))

    def _act(self, number: int, states: Sequence[AlarmState], change: Change, how: tuple[str, str, datetime]) -> Alarm:
        actor, reason, at = how
        with self._session() as session:
            row = session.get(AlarmRow, number, with_for_update=True)
            if row is None:
                raise Unknown(f"no alarm {number} / 没有编号为 {number} 的报警")
            if row.state not in states:
                raise InvalidTransition(f"alarm {number} is {row.state} / 报警 {number} 已是该状态，不能再操作")
            row.state = AlarmState.CLEARED if change is Change.CLEARED else AlarmState.ACKNOWLEDGED
            _add(session, row.id, change, Watched(at, False, ""), (actor, reason))
            if change is Change.CLEARED:
                session.execute(update(WatchRow).where(WatchRow.alarm == row.id).values(alarm=None, run=0))
            return _alarm(row)


def _last_changes(session: Session, limit: Limit) -> dict[str, datetime]:
    """By device, when its last alarm of this limit opened or cleared."""
    at = func.max(AlarmEventRow.at)
    query = (
        select(AlarmRow.device, at).join(AlarmEventRow, AlarmEventRow.alarm == AlarmRow.id).group_by(AlarmRow.device)
    )
    query = query.where(AlarmRow.dataset == limit.dataset, AlarmRow.rule == limit.rule)
    rows = session.execute(query.where(AlarmEventRow.change.in_((Change.OPENED, Change.CLEARED))))
    return {device: utc(moment) for device, moment in rows}


def _row(session: Session, limit: Limit, device: str) -> WatchRow:
    row = WatchRow(dataset=limit.dataset, rule=limit.rule, device=device, last_at=None, run=0, alarm=None)
    session.add(row)
    return row


def _advance(
    session: Session, limit: Limit, row: WatchRow, readings: tuple[Rejudged, Sequence[Watched]]
) -> list[AlarmEventRow]:
    (again, new), device = readings, row.device
    last_at = None if row.last_at is None else utc(row.last_at)
    watch, changes = advance_again(Watch(last_at, row.run, row.alarm is not None), again, new, limit.policy)
    row.last_at, row.run = watch.last_at, watch.run
    events = []
    for change, reading in changes:
        if change is Change.OPENED:
            row.alarm = _open(session, limit, device, reading).id
        events.append(_add(session, row.alarm or 0, change, reading))
        if change is Change.CLEARED:
            session.execute(update(AlarmRow).where(AlarmRow.id == row.alarm).values(state=AlarmState.CLEARED))
            row.alarm = None
    return events


def _open(session: Session, limit: Limit, device: str, reading: Watched) -> AlarmRow:
    alarm = AlarmRow(
        dataset=limit.dataset,
        rule=limit.rule,
        device=device,
        authority=limit.policy.authority,
        message=limit.message,
        state=AlarmState.OPEN,
        opened_at=reading.at,
        escalates_at=reading.at + timedelta(minutes=limit.policy.escalate_min),
    )
    session.add(alarm)
    session.flush()
    return alarm


def _add(
    session: Session, alarm: int, change: Change, reading: Watched, by: tuple[str, str] = (LAKE, "")
) -> AlarmEventRow:
    """A change of an alarm; `by`: who made it, and why."""
    actor, reason = by
    row = AlarmEventRow(alarm=alarm, change=change, at=reading.at, actor=actor, value=reading.value, reason=reason)
    session.add(row)
    session.flush()
    return row


def _alarm(row: AlarmRow) -> Alarm:
    facts: dict[str, Any] = {
        name: getattr(row, name) for name in ("id", "dataset", "rule", "device", "authority", "message", "is_escalated")
    }
    return Alarm(**facts, state=AlarmState(row.state), opened_at=utc(row.opened_at))


def _event(session: Session, row: AlarmEventRow) -> AlarmEvent:
    alarm = _alarm(session.get_one(AlarmRow, row.alarm))
    return AlarmEvent(row.seq, alarm, Change(row.change), utc(row.at), row.actor, row.value, row.reason)
