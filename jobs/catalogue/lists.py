"""The lists of a city (共享清单, 开放清单) as rows made from the published entries, and what differs between two versions."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jobs.catalogue.attributes import CATEGORIES, METHODS, OPEN_TYPES, SHARE_TYPES, Attributes
from jobs.catalogue.entry import Entry
from jobs.catalogue.licences import COLUMNS as LICENCE_COLUMNS

UNITS: Mapping[str, str] = {"mi": "分钟", "h": "小时", "d": "日", "w": "周", "mo": "月", "y": "年"}
Row = Mapping[str, str]


@dataclass(frozen=True)
class ListKind:
    """A list: its name, its columns, and which published entries belong to it; None where its rows are no entries."""

    id: str
    title: str
    columns: tuple[str, ...]
    holds: Callable[[Attributes], bool] | None = None


COMMON = ("信息资源名称", "信息资源代码", "信息资源类别", "提供部门", "信息项", "更新周期", "数据分级")
LISTS: Mapping[str, ListKind] = {
    kind.id: kind
    for kind in (
        ListKind(
            "share",
            "共享清单",
            (*COMMON, "共享属性", "共享条件", "共享方式", "不予共享依据"),
            lambda found: found.status == "in_use",
        ),
        ListKind(
            "open",
            "开放清单",
            (*COMMON, "开放属性", "开放条件"),
            lambda found: found.status == "in_use" and found.opening != "refused",
        ),
        ListKind("licence", "电子证照清单", LICENCE_COLUMNS),
    )
}
KEY = "标识"
"""The column by which rows of two versions are the same entry; not printed."""


@dataclass(frozen=True)
class Change:
    """An entry that differs between two versions of a list. `kind`: added, removed or changed; `columns`: title, before, after."""

    kind: str
    id: str
    title: str
    columns: tuple[tuple[str, str, str], ...] = ()


CHANGES: Mapping[str, str] = {"added": "新增", "removed": "移出", "changed": "变更"}


def rows(kind: ListKind, published: Iterable[tuple[Entry, Attributes]]) -> list[Row]:
    """The rows of a list, by department and title."""
    held = sorted(
        ((entry, found) for entry, found in published if kind.holds and kind.holds(found)),
        key=lambda pair: (pair[0].provider, pair[0].id),
    )
    return [{KEY: entry.id} | {name: _cell(name, entry, found) for name in kind.columns} for entry, found in held]


def text(found: Sequence[Row]) -> str:
    """A version of a list as JSON."""
    return json.dumps(list(found), ensure_ascii=False)


def read(content: str) -> list[Row]:
    """The rows of a version."""
    found: list[Row] = json.loads(content)
    return found


def changes(before: Sequence[Row], after: Sequence[Row]) -> list[Change]:
    """Entry by entry what differs: first what is new, then what changed, then what is gone."""
    old, new = ({row[KEY]: row for row in some} for some in (before, after))
    both = {id_: _cells(old[id_], row) for id_, row in new.items() if id_ in old}
    return [
        *_only_in(new, old, "added"),
        *(Change("changed", id_, _title(new[id_]), cells) for id_, cells in both.items() if cells),
        *_only_in(old, new, "removed"),
    ]


def _only_in(some: Mapping[str, Row], others: Mapping[str, Row], kind: str) -> list[Change]:
    return [Change(kind, id_, _title(row)) for id_, row in some.items() if id_ not in others]


def _title(row: Row) -> str:
    """The first column."""
    return next(value for name, value in row.items() if name != KEY)


def _cells(old: Row, new: Row) -> tuple[tuple[str, str, str], ...]:
    """Columns that differ: title, before, after."""
    named = ((name, old.get(name, ""), new.get(name, "")) for name in dict.fromkeys((*old, *new)))
    return tuple(cells for cells in named if cells[1] != cells[2])


def cycle(amount: str) -> str:
    """An update cycle such as `1d` in Chinese; empty where none is agreed."""
    number, unit = amount.rstrip("abcdefghijklmnopqrstuvwxyz"), amount.lstrip("0123456789")
    if unit not in UNITS:
        return amount
    return f"每{UNITS[unit]}" if number == "1" else f"每 {number} {UNITS[unit]}"


def _cell(name: str, entry: Entry, found: Attributes) -> str:
    cells: Mapping[str, Callable[[], Any]] = {
        "信息资源名称": lambda: entry.title,
        "信息资源代码": lambda: found.code,
        "信息资源类别": lambda: CATEGORIES[found.category],
        "提供部门": lambda: entry.department,
        "信息项": lambda: "、".join(item.title for item in entry.items),
        "更新周期": lambda: cycle(entry.update_cycle),
        "数据分级": entry.grade,
        "共享属性": lambda: SHARE_TYPES[found.share],
        "共享条件": lambda: found.share_conditions,
        "共享方式": lambda: METHODS.get(found.share_method, ""),
        "不予共享依据": lambda: found.share_basis,
        "开放属性": lambda: OPEN_TYPES[found.opening],
        "开放条件": lambda: found.open_conditions,
    }
    return str(cells[name]())
