"""Streams of readings, curves of devices, and alarms, for an actor."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds

from jobs.access import rights
from jobs.access.policy import Right
from jobs.access.roles import acts_for_department
from jobs.contracts import Contract, Field, Rule
from jobs.contracts.grades import is_sensitive
from jobs.contracts.names import MARKS
from jobs.errors import NotAllowed, PolicyRefusal, Unknown
from jobs.lake.stream_ledger import Hour
from jobs.lake.zones import Zone
from jobs.model.actor import Actor
from jobs.serving.portal.context import Portal
from jobs.serving.portal.feed_figures import SUMMARY, Correction, corrections
from jobs.serving.portal.feeds import Feed, Feeds
from jobs.serving.portal.services.feed_devices import Device, Known, StationMap, devices, plates, station_map
from jobs.streams.alarm_store import Alarm, AlarmEvent, Alarms

BETWEEN = "expect_column_values_to_be_between"
DAY = timedelta(hours=24)
MOST_POINTS = 3_000
"""Points of a curve: more than a screen has."""
SHOWN = 24
NUMBERS = ("integer", "number")


@dataclass(frozen=True)
class Band:
    """The limits of a field of one kind: 物理, 规定 (an alarm beyond it) or 运行 (a mark beyond it)."""

    kind: str
    low: float | None
    high: float | None


@dataclass(frozen=True)
class FeedView:
    """A stream, its devices, the fields that can be drawn, its newest sealed hours and alarms with their changes."""

    feed: Feed
    contract: Contract
    devices: tuple[Device, ...]
    fields: tuple[Field, ...]
    hours: tuple[Hour, ...]
    alarms: tuple[tuple[Alarm, tuple[AlarmEvent, ...]], ...]

    corrections: tuple[Correction, ...] = ()
    figure_titles: Mapping[str, str] = field(default_factory=dict)
    """Title of each figure of the summary."""

    def title_of(self, name: str) -> str:
        """The title of a field of the dataset."""
        return next((one.title for one in self.contract.fields if one.name == name), name)

    def figure_title(self, name: str) -> str:
        """The title of a figure; of a whole row where there is none."""
        return self.figure_titles.get(name, "整行")

    def map(self) -> StationMap | None:
        """Map of the devices; None where no location is known."""
        return station_map(self.devices)


@dataclass(frozen=True)
class CurveQuery:
    """A device's field over the last hours."""

    device: str
    field: str
    hours: int


@dataclass(frozen=True)
class FeedService:
    """What the actor may see and do of streams and alarms."""

    portal: Portal
    actor: Actor

    def feeds(self) -> Feeds:
        """The streams that the actor may know of."""
        found = self.portal.feeds.get()
        return Feeds(tuple(f for f in found.feeds if rights.may_know(self.actor, f.provider)), found.note)

    def feed(self, dataset: str) -> FeedView:
        """One stream."""
        contract, feed = self._contract(dataset), self._feed(dataset)
        alarms = Alarms(self.portal.tickets.database)
        newest = tuple((alarm, tuple(alarms.events(alarm.id))) for alarm in alarms.newest(dataset, SHOWN))
        hours = tuple(self.portal.lake.streams.last_hours(dataset, SHOWN))
        summary = self.portal.registry().contracts.get(SUMMARY)
        titles = {one.name: one.title for one in summary.fields} if summary else {}
        found, drawn = self._devices(contract, feed), self._drawn(contract)
        corrected = corrections(self.portal.lake, dataset, [one.name for one in drawn], SHOWN)
        return FeedView(feed, contract, found, drawn, hours, newest, corrected, titles)

    def curve(self, dataset: str, query: CurveQuery) -> dict[str, Any]:
        """Times in seconds since 1970 and values of a device's field, with its bands and the rules that mark each value."""
        contract = self._contract(dataset)
        field = next((f for f in self._drawn(contract) if query.field in ("", f.name)), None)
        if field is None or contract.stream is None:
            raise Unknown(f"{contract.title}没有可画的字段 {query.field}")
        at = contract.stream.event_time
        since = self.portal.now() - timedelta(hours=query.hours)
        rows = self._silver(contract, [at, field.name, MARKS], since, query.device).sort_by(at)
        rows = rows.filter(pc.is_valid(rows[field.name]))
        rows = rows.take(
            pa.array(np.unique(np.linspace(0, rows.num_rows - 1, MOST_POINTS).astype(int))[: rows.num_rows])
        )
        rules = {rule.id: rule for rule in self.portal.registry().rules[dataset]}
        return {
            "times": [moment.timestamp() for moment in rows[at].to_pylist()],
            "values": [float(value) for value in rows[field.name].to_pylist()],
            "marks": [_words(marks, rules, field) for marks in rows[MARKS].to_pylist()],
            "bands": [band.__dict__ for band in bands(contract, field, tuple(rules.values()))],
            "title": field.title,
            "unit": field.unit,
        }

    def acknowledge(self, number: int) -> Alarm:
        """Record that the actor's authority has seen the alarm."""
        return self._alarms(number).acknowledge(number, self.actor.name, self.portal.now())

    def clear(self, number: int, reason: str) -> Alarm:
        """End the alarm; PolicyRefusal without a reason."""
        alarms = self._alarms(number)
        if not reason.strip():
            raise PolicyRefusal("请填写解除报警的理由，例如：已现场复测，仪表已校准")
        return alarms.clear(number, self.actor.name, reason[:1000], self.portal.now())

    def may_handle(self, alarm: Alarm) -> bool:
        """Whether the alarm is for the actor's authority, and the actor may act for it."""
        is_for = alarm.authority == self.actor.department if acts_for_department(self.actor) else True
        return rights.may(self.actor, Right.HANDLE_ALARMS) and is_for

    def _alarms(self, number: int) -> Alarms:
        """The alarms, where the actor may change this one."""
        alarms = Alarms(self.portal.tickets.database)
        alarm = alarms.one(number)
        if alarm.authority != self.actor.department:
            rights.check_known(self.actor, self._provider(alarm), f"编号为 {number} 的报警")
        rights.check_right(self.actor, Right.HANDLE_ALARMS, "处置报警")
        if not self.may_handle(alarm):
            raise NotAllowed("报警由主管部门处置；贵单位可在页面上查看进展")
        return alarms

    def _provider(self, alarm: Alarm) -> str:
        known = {contract.id: contract.provider for contract in self.portal.registry().sources()}
        return known.get(alarm.dataset, "")

    def _contract(self, dataset: str) -> Contract:
        for contract in self.portal.registry().streams():
            if contract.id == dataset and rights.may_know(self.actor, contract.provider):
                return contract
        raise Unknown(f"没有实时数据集 {dataset}，或不属于您的部门")

    def _feed(self, dataset: str) -> Feed:
        return next(feed for feed in self.portal.feeds.get().feeds if feed.dataset == dataset)

    def _drawn(self, contract: Contract) -> tuple[Field, ...]:
        """Fields with numbers; sensitive ones for their own department alone."""
        own = self.actor.department == contract.provider
        return tuple(f for f in contract.fields if f.type in NUMBERS and (own or not is_sensitive(f.classification)))

    def _devices(self, contract: Contract, feed: Feed) -> tuple[Device, ...]:
        stream, now = contract.stream, self.portal.now()
        if stream is None:
            return ()
        offsets = feed.sealed.facts.get("clock_offsets", {}) if feed.sealed else {}
        rows = self._silver(contract, [stream.device, stream.event_time], now - DAY)
        alarms = [alarm.device for alarm in feed.alarms]
        return devices(rows, stream, now, Known(alarms, offsets, plates(self.portal.lake, stream)))

    def _silver(self, contract: Contract, names: list[str], since: datetime, device: str | None = None) -> pa.Table:
        """Columns of the rows since then, of one device or of all."""
        table, stream = self.portal.lake.delta.open(self.portal.lake.path(Zone.SILVER, contract.id)), contract.stream
        if table is None or stream is None:
            return pa.table({name: pa.array([], pa.timestamp("us", "UTC")) for name in names})
        rows = table.to_pyarrow_dataset()
        chosen = ds.field(stream.event_time) >= since
        if device is not None:
            chosen = chosen & (ds.field(stream.device).cast(pa.string()) == device)
        return rows.to_table(names, filter=chosen)


def bands(contract: Contract, field: Field, rules: Sequence[Rule]) -> list[Band]:
    """The field's limits: of the contract, of rules that raise alarms, and of rules that only mark."""
    found = [Band("物理", _number(field.minimum), _number(field.maximum))]
    for rule in rules:
        if rule.type == BETWEEN and rule.kwargs.get("column") == field.name:
            kind = "规定" if rule.alarm is not None else "运行" if rule.severity == "info" else ""
            limits = _number(rule.kwargs.get("min_value")), _number(rule.kwargs.get("max_value"))
            found += [Band(kind, *limits)] if kind else []
    return [band for band in found if band.low is not None or band.high is not None]


def _number(limit: object) -> float | None:
    return float(limit) if isinstance(limit, int | float) else None


def _words(marks: Sequence[str] | None, rules: Mapping[str, Rule], field: Field) -> str:
    """What the rules that a value breaks say."""
    broken = (rules[name] for name in marks or () if name in rules)
    return "；".join(rule.message for rule in broken if field.name in rule.fields)
