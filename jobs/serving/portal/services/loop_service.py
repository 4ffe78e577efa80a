"""Metrics of a month by department, each with the tickets that it counts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from jobs.access import rights
from jobs.access.policy import Right
from jobs.collaboration import LoopMetrics
from jobs.collaboration.metrics import Durations, Share, Stock
from jobs.errors import Unknown
from jobs.model.actor import Actor
from jobs.model.ticket import TicketSummary
from jobs.reporting import figures
from jobs.reporting.bulletin.period import Period
from jobs.serving.portal.context import Portal
from jobs.serving.portal.loops import Month

CITY = ""
STOCK: Mapping[str, str] = {"opening": "期初未办结", "new": "新增", "closed": "办结", "closing": "期末未办结"}
SHARES: Mapping[str, tuple[str, str]] = {
    "mended": ("复核通过办结", "到期或办结"),
    "mended_in_time": ("按期办结", "到期"),
    "first_pass": ("一次复核通过", "复核通过办结"),
    "recurred": ("办结后重复发生", "复核通过办结"),
    "corrections_in_time": ("按期答复", "到期"),
    "false_alarms": ("申诉成立", "派单"),
}
"""Labels of numerator and denominator of each share."""

DURATIONS = "durations"


@dataclass(frozen=True)
class TicketCount:
    """A number of tickets; `of` names their list."""

    of: str
    words: str
    number: int


@dataclass(frozen=True)
class LoopFigure:
    """One number of the loop as people read it, and the numbers of tickets that it is made of."""

    title: str
    value: str
    parts: tuple[TicketCount, ...]


@dataclass(frozen=True)
class LoopRow:
    """All figures of a department, or of the city."""

    provider: str
    name: str
    figures: tuple[LoopFigure, ...]

    def is_quiet(self) -> bool:
        """Whether none of its numbers counts a ticket."""
        return not any(part.number for figure in self.figures for part in figure.parts)


@dataclass(frozen=True)
class LoopView:
    """A month's figures, and the months that can be chosen."""

    month: Month
    months: tuple[Period, ...]
    rows: tuple[LoopRow, ...]
    quiet: tuple[LoopRow, ...] = ()
    """Departments without any ticket in the month: not listed one by one."""


@dataclass(frozen=True)
class FigureQuery:
    """Which number of which month, as of which cut, and which page of its tickets."""

    of: str
    month: str
    mark: str
    page: int
    size: int


@dataclass(frozen=True)
class FigureTickets:
    """A page of the tickets behind one number, in the order in which they were counted; a ticket may count twice."""

    month: Month
    name: str
    title: str
    summaries: tuple[TicketSummary, ...]
    total: int
    page: int
    size: int


@dataclass(frozen=True)
class LoopService:
    """What the actor may know of how the loop did."""

    portal: Portal
    actor: Actor

    def department(self, provider: str, month: str) -> LoopView:
        """The figures of one department; Unknown for people of another."""
        name = self._name(provider)
        loop_month = self.portal.loops.month(month)
        row = LoopRow(provider, name, figures_of(self._metrics(loop_month, provider)))
        return LoopView(loop_month, self.portal.loops.offered(), (row,))

    def city(self, month: str) -> LoopView:
        """The figures of the city and of every department; NotAllowed for people of a department."""
        rights.check_right(self.actor, Right.OVERSEE, "查看全市总览")
        loop_month = self.portal.loops.month(month)
        names = {CITY: "全市"} | self._names()
        rows = tuple(
            LoopRow(provider, name, figures_of(self._metrics(loop_month, provider))) for provider, name in names.items()
        )
        quiet = tuple(row for row in rows if row.provider and row.is_quiet())
        active = tuple(row for row in rows if not row.provider or not row.is_quiet())
        return LoopView(loop_month, self.portal.loops.offered(), active, quiet)

    def metrics(self, provider: str, month: str) -> LoopMetrics:
        """The same for programs."""
        self._name(provider)
        return self._metrics(self.portal.loops.month(month), provider)

    def listed(self, provider: str, query: FigureQuery) -> FigureTickets:
        """The tickets of one number of a department, or of the city where no provider is named."""
        name = self._name(provider) if provider else self._city()
        loop_month = self.portal.loops.at(query.month, query.mark)
        title, ids = tickets_of(self._metrics(loop_month, provider), query.of)
        page_ids = ids[(query.page - 1) * query.size : query.page * query.size]
        summaries = tuple(loop_month.loop.summaries[ticket_id] for ticket_id in page_ids)
        return FigureTickets(loop_month, name, title, summaries, len(ids), query.page, query.size)

    def _city(self) -> str:
        rights.check_right(self.actor, Right.OVERSEE, "查看全市总览")
        return "全市"

    def _name(self, provider: str) -> str:
        rights.check_known(self.actor, provider, f"单位 {provider}")
        names = self._names()
        if provider not in names:
            raise Unknown(f"没有单位 {provider}，或不属于您的部门")
        return names[provider]

    def _names(self) -> dict[str, str]:
        return {c.provider: c.department for c in self.portal.registry().sources()}

    def _metrics(self, month: Month, provider: str) -> LoopMetrics:
        """The department's numbers; of one that has no tickets, those of nothing."""
        every = month.loop.now
        return every[provider] if provider in every else nothing(every[CITY])


def nothing(like: LoopMetrics) -> LoopMetrics:
    """The numbers of a period without tickets."""
    shares = tuple(Share(share.name, share.title, None, (), ()) for share in like.shares)
    return LoopMetrics(like.since, like.until, shares, Durations(None, None, None, None, ()), Stock((), (), (), ()))


def figures_of(metrics: LoopMetrics) -> tuple[LoopFigure, ...]:
    """All figures, in the order in which people read them."""
    stock = [
        LoopFigure(title, "", (TicketCount(name, "件", len(getattr(metrics.stock, name))),))
        for name, title in STOCK.items()
    ]
    return (*stock, *(_share(share) for share in metrics.shares), _durations(metrics.durations))


def _share(share: Share) -> LoopFigure:
    part, whole = SHARES[share.name]
    parts = (
        TicketCount(f"{share.name}.part", part, len(share.part)),
        TicketCount(f"{share.name}.whole", whole, len(share.whole)),
    )
    return LoopFigure(share.title, figures.percent(share.value), parts)


def _durations(durations: Durations) -> LoopFigure:
    parts = (TicketCount(DURATIONS, "件按工作日计时", len(durations.tickets)),)
    if durations.mean is None or durations.median is None or durations.p90 is None or durations.net_mean is None:
        return LoopFigure("平均整改时长", figures.NONE, parts)
    value = f"{durations.mean:.1f} 个工作日（中位数 {durations.median:g}，九成在 {durations.p90:g} 以内，扣除暂停 {durations.net_mean:.1f}）"
    return LoopFigure("平均整改时长", value, parts)


def tickets_of(metrics: LoopMetrics, of: str) -> tuple[str, Sequence[str]]:
    """What a number is called, and the ids of the tickets that it counts; Unknown where there is no such number."""
    if of in STOCK:
        return STOCK[of], getattr(metrics.stock, of)
    if of == DURATIONS:
        return "平均整改时长", metrics.durations.tickets
    name, _, side = of.partition(".")
    if name not in SHARES or side not in ("part", "whole"):
        raise Unknown("没有这个指标")
    share = metrics.share(name)
    return f"{share.title}：{SHARES[name][side == 'whole']}", getattr(share, side)
