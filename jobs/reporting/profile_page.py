"""A table's profile → its page."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from jobs.contracts import Contract, Field
from jobs.lake.lake import Lake
from jobs.lake.zones import Zone
from jobs.reporting import figures, report_store
from jobs.reporting.pages import Cell, Table, render, table

SHOWN = 12
HIDDEN = "（个人信息，不展示取值）"


class Profile(Protocol):
    """What the page needs of a field's profile."""

    @property
    def field(self) -> Field: ...
    @property
    def rows(self) -> int: ...
    @property
    def filled(self) -> int: ...
    @property
    def distinct(self) -> int: ...
    @property
    def low(self) -> str: ...
    @property
    def high(self) -> str: ...
    @property
    def quantiles(self) -> tuple[float, ...]: ...
    @property
    def top(self) -> tuple[tuple[str, int], ...]: ...


@dataclass(frozen=True)
class ProfiledTable:
    """The profiled table, its version, and when."""

    table: str
    version: int
    at: datetime


def write_profile(
    lake: Lake, contract: Contract, profiles: Sequence[Profile], profiled: ProfiledTable, diff: str
) -> str:
    """Write the page in place of an earlier one; its key."""
    key = f"{Zone.REPORTS}/{contract.provider or 'products'}/{contract.id}/profile.html"
    page = render(
        "profile.html",
        title=f"{contract.title} 数据剖析",
        source=f"{profiled.table} 第 {profiled.version} 版",
        rows=figures.count(profiles[0].rows if profiles else 0),
        fields=_fields(profiles),
        values=_values(profiles),
        diff=diff,
        made_at=figures.moment(profiled.at, lake.settings.timezone),
    )
    report_store.put(lake, key, page.encode(), report_store.HTML)
    return key


def _fields(profiles: Sequence[Profile]) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for profile in profiles:
        is_hidden = profile.field.is_personal() and profile.field.type != "string"
        span = f"{profile.low} ～ {profile.high}" if profile.low and not is_hidden else figures.NONE
        if profile.field.type == "string" and profile.low:
            span = f"长度 {span}"
        middle = " / ".join(f"{q:g}" for q in profile.quantiles[1:4]) or figures.NONE
        empty = figures.percent(figures.share(profile.rows - profile.filled, profile.rows))
        name = f"{profile.field.title}（{profile.field.name}）"
        rows.append(
            (name, profile.field.type, empty, figures.count(profile.distinct), span, HIDDEN if is_hidden else middle)
        )
    head = ("字段", "类型", "空值占比", "取值数（约）", "最小 ～ 最大", "四分位数")
    return table("各字段", head, rows, (2, 3))


def _values(profiles: Sequence[Profile]) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for profile in profiles:
        shares = [f"{value} {figures.percent(figures.share(n, profile.filled))}" for value, n in profile.top[:SHOWN]]
        more = f" 等 {len(profile.top)} 种" if len(profile.top) > SHOWN else ""
        if shares:
            rows.append((profile.field.title, "、".join(shares) + more))
    return table("取值不多的字段", ("字段", "取值与占比"), rows)
