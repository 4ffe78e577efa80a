"""How the streams of readings are doing: what the portal shows and keeps up to date."""

from dataclasses import dataclass
from datetime import UTC, datetime

from jobs.contracts import Registry
from jobs.lake.lake import Lake
from jobs.lake.stream_ledger import Hour
from jobs.pipeline.stream_figures import StreamFigures, figures
from jobs.serving.portal.feed_figures import coverage
from jobs.streams.alarm_store import Alarm, Alarms

UNKNOWN_LAG = "积压未知：消息服务无响应，或在门户之后才启动（重启门户后显示）；已入湖的数据不受影响"


@dataclass(frozen=True)
class Feed:
    """One dataset's stream; `figures` is None before its first batch."""

    dataset: str
    provider: str
    title: str
    department: str
    figures: StreamFigures | None
    open_hours: int
    sealed: Hour | None
    alarms: tuple[Alarm, ...]
    coverage_pct: float | None = None
    """Readings received of those due in the last 24 hours; None where no hour was summed up."""

    def last_event(self) -> datetime | None:
        """The time of the newest reading."""
        known = self.figures is not None and self.figures.last_event
        return datetime.fromtimestamp(known, UTC) if known else None


@dataclass(frozen=True)
class Feeds:
    """All streams; `note` says in Chinese what could not be read."""

    feeds: tuple[Feed, ...]
    note: str = ""


def read_feeds(lake: Lake, registry: Registry, now: datetime) -> Feeds:
    """The streams of all contracts as they are now."""
    covered = coverage(lake, now)
    known = {one.dataset: one for one in figures(lake)}
    open_hours = [hour.dataset for hour in lake.streams.hours(is_open=True)]
    alarms = Alarms(lake.streams.database).all()
    found = []
    for contract in registry.streams():
        sealed = lake.streams.last_hours(contract.id, 1)
        found.append(
            Feed(
                dataset=contract.id,
                provider=contract.provider,
                title=contract.title,
                department=contract.department,
                figures=known.get(contract.id),
                open_hours=open_hours.count(contract.id),
                sealed=sealed[0] if sealed else None,
                alarms=tuple(alarm for alarm in alarms if alarm.dataset == contract.id),
                coverage_pct=covered.get(contract.id),
            )
        )
    return Feeds(tuple(found), UNKNOWN_LAG if any(one.lag is None for one in known.values()) else "")
