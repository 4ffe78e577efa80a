"""The bulletin of a period: results, ledger and tickets as of its end, stored as JSON; its pages are rendered from that alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from jobs.collaboration import Cutoff, Loop, LoopMetrics
from jobs.collaboration.working_days import WorkingDays
from jobs.contracts import Registry
from jobs.contracts.place import place
from jobs.errors import UserError
from jobs.lake.lake import Lake
from jobs.model.ticket import TicketSummary
from jobs.pipeline.ticket_store import open_tickets
from jobs.reporting import bulletin as bulletins
from jobs.reporting.bulletin import BulletinFacts, BulletinFiles, Edition, Figure, Period, TicketFacts
from jobs.reporting.bulletin.gather import TicketSide

SHARES = ("mended", "mended_in_time", "first_pass", "recurred", "false_alarms", "corrections_in_time")
STOCK = ("opening", "new", "closed", "closing")


@dataclass(frozen=True)
class BulletinRequest:
    """Options of a bulletin. `number` 0: the usual one. `reason` is why a new revision is made."""

    is_draft: bool = False
    reason: str = ""
    number: int = 0


def bulletin(lake: Lake, registry: Registry, name: str, request: BulletinRequest) -> BulletinFiles:
    """The bulletin's files. A published bulletin never changes: without a reason, only its pages are rendered again."""
    now, zone = datetime.now(UTC), lake.settings.timezone
    period = bulletins.period(name, zone)
    bulletins.check_fonts(lake.settings)
    if not request.is_draft and period.until > now:
        raise UserError(f"{period.title}尚未结束；期末前只能加 --draft 出草稿")
    if period.since >= now:
        raise UserError(f"{period.title}尚未开始")
    store = bulletins.Bulletins(lake)
    published = None if request.is_draft else store.last(name)
    if published and not request.reason:
        return store.pages(published)
    revision = published.revision + 1 if published else 1
    edition = _edition(lake, period, request, revision, now)
    document = bulletins.bulletin_document(_facts(lake, registry, edition))
    return store.keep(edition, document)


def closed_periods(lake: Lake, registry: Registry, day: date | None = None) -> list[str]:
    """The month that ended last before the day, and the quarter and the year that ended with it; none where nothing was delivered."""
    zone = lake.settings.timezone
    today = day or datetime.now(ZoneInfo(zone)).date()
    month = bulletins.period(f"{today:%Y-%m}", zone).before(zone)
    names = [month.name]
    last = month.until.astimezone(ZoneInfo(zone))
    if last.month % 3 == 1:
        names.append(f"{month.name[:4]}Q{int(month.name[5:]) // 3}")
    if last.month == 1:
        names.append(month.name[:4])
    return names if lake.ledger.received(month.since, month.until) else []


def announce(lake: Lake, registry: Registry, name: str) -> str:
    """Key of a period's published bulletin; an earlier one is returned unchanged."""
    return bulletin(lake, registry, name, BulletinRequest()).json


def recomputed(lake: Lake, registry: Registry, document: Mapping[str, Any]) -> dict[str, Any]:
    """The document recomputed from what it cites: table versions, the chain up to its event, its own terms and weights."""
    return bulletins.bulletin_document(_facts(lake, registry, bulletins.edition_of(document), document))


def _edition(lake: Lake, period: Period, request: BulletinRequest, revision: int, now: datetime) -> Edition:
    zone = lake.settings.timezone
    return Edition(
        period=period,
        before=period.before(zone).since,
        until=min(period.until, now),
        made_at=now,
        issued_on=now.astimezone(ZoneInfo(zone)).date(),
        is_draft=request.is_draft,
        revision=revision,
        reason=request.reason,
        number=request.number or period.serial,
        bureau=lake.settings.bureau or place().bureau,
        zone=zone,
    )


def _facts(lake: Lake, registry: Registry, edition: Edition, cited: Mapping[str, Any] | None = None) -> BulletinFacts:
    """The data behind the edition: as of now, or as a document cites it."""
    cut = Cutoff(edition.before, edition.period.since, edition.until)
    if cited:
        days = cited["basis"]["recurrence_days"]
        cut = Cutoff(cut.before, cut.since, cut.until, cited["sources"]["events"]["seq"], days)
    with open_tickets(lake, registry) as tickets:
        loop, calendar = tickets.loop(cut), tickets.calendar()
    return bulletins.gathered(lake, registry, edition, TicketSide(_ticket_facts(loop), _due_on(calendar)), cited)


def _ticket_facts(loop: Loop) -> TicketFacts:
    return TicketFacts(
        seq=loop.seq,
        hash=loop.hash,
        basis={
            "machine_version": loop.machine_version,
            "clocks_version": loop.clocks_version,
            "recurrence_days": loop.recurrence_days,
            "calendar": dict(loop.calendar),
        },
        figures=_figures(loop),
        tickets=_cited(loop),
    )


def _figures(loop: Loop) -> dict[str, tuple[Figure, ...]]:
    """Figures of both periods by department, for each with tickets in either."""
    figures = {}
    for name in sorted({*loop.now, *loop.before}):
        now, before = loop.now.get(name), loop.before.get(name)
        summaries = [summary for summary in loop.summaries.values() if name in ("", summary.provider)]
        lists = _lists(now, summaries)
        figures[name] = tuple(_figure(key, lists[key], now, before) for key in lists)
    return figures


def _lists(
    now: LoopMetrics | None, summaries: Sequence[TicketSummary]
) -> dict[str, tuple[tuple[str, ...], tuple[str, ...]]]:
    """Ticket ids of numerator and denominator, by figure."""
    no_ids: tuple[tuple[str, ...], tuple[str, ...]] = ((), ())
    shares = {name: (now.share(name).part, now.share(name).whole) if now else no_ids for name in SHARES}
    stock = {name: ((), getattr(now.stock, name)) if now else no_ids for name in STOCK}
    timed = ((), now.durations.tickets) if now else no_ids
    overdue = tuple(summary.id for summary in summaries if _is_late_issue(summary))
    flagged = {"overdue": ((), overdue), "again": ((), tuple(summary.id for summary in summaries if summary.recurred))}
    return {**stock, **shares, **dict.fromkeys(("mean_days", "median_days", "p90_days", "net_days"), timed), **flagged}


def _is_late_issue(summary: TicketSummary) -> bool:
    return summary.is_overdue and summary.is_found


def _figure(
    name: str, ids: tuple[tuple[str, ...], tuple[str, ...]], now: LoopMetrics | None, before: LoopMetrics | None
) -> Figure:
    if name in ("overdue", "again"):
        return Figure(name, len(ids[1]), None, *ids)
    return Figure(name, _value(name, now), _value(name, before), *ids)


def _value(name: str, metrics: LoopMetrics | None) -> float | None:
    if name in STOCK:
        return len(getattr(metrics.stock, name)) if metrics else 0
    if metrics is None:
        return None
    if name in SHARES:
        return metrics.share(name).value
    timed = metrics.durations
    return {"mean_days": timed.mean, "median_days": timed.median, "p90_days": timed.p90, "net_days": timed.net_mean}[
        name
    ]


def _cited(loop: Loop) -> tuple[TicketSummary, ...]:
    """Tickets that a number of the period names, or whose dispute was upheld."""
    named = set().union(*(_named(metrics) for metrics in loop.now.values()))
    return tuple(t for t in loop.summaries.values() if t.id in named or t.is_overdue or t.recurred or t.upheld)


def _named(metrics: LoopMetrics) -> set[str]:
    """Tickets that any number of a period counts."""
    of_shares = (share.whole for share in metrics.shares)
    of_stock = (getattr(metrics.stock, name) for name in STOCK)
    return set().union(*of_shares, *of_stock, metrics.durations.tickets)


def _due_on(calendar: WorkingDays) -> Any:
    def due_on(day: date, count: int) -> str:
        return calendar.add_working_days(day, count).isoformat()

    return due_on
