"""A reconciliation as tables for people: a page, a workbook, a screen; kept as JSON."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter

from jobs.catalogue.list_tables import Unread
from jobs.catalogue.province.comparison import CodeOffer, Pair, Reconciliation
from jobs.catalogue.province.form import CODE, PROVIDER
from jobs.catalogue.province.keys import PROVINCE_CODE
from jobs.catalogue.province.resources import Resource
from jobs.model.sheet import TextTable

NAMES = ("信息资源", "提供部门")
STATUS, OPINION = "province_status", "province_opinion"
BY: Mapping[str, str] = {"code": "代码", "title": "名称"}
COUNTED: Mapping[str, str] = {
    "differing": "不一致的目录",
    "only_here": "仅本市有的目录",
    "only_there": "仅省级有的目录",
    "unread": "未能读取的内容",
    "same": "一致的目录",
    "offers": "可采用的省级代码",
}

TABLES: Mapping[str, str] = {
    "differing": "不一致",
    "only_here": "仅本市有",
    "only_there": "仅省级有",
    "unread": "未能读取",
    "same": "一致",
    "offers": "可采用的省级代码",
}
"""The table that has what is counted."""


@dataclass(frozen=True)
class ResultRow:
    """A row, and whose department it is about; empty for none."""

    provider: str
    cells: tuple[str, ...]


@dataclass(frozen=True)
class ResultTable:
    """A table of the result."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[ResultRow, ...]

    def of(self, provider: str) -> "ResultTable":
        """The rows about one department."""
        return replace(self, rows=tuple(row for row in self.rows if row.provider == provider))

    def plain(self) -> TextTable:
        """The table without the departments' ids."""
        return TextTable(self.title, self.columns, tuple(row.cells for row in self.rows))


@dataclass(frozen=True)
class Result:
    """A reconciliation of a file: its counts by the names of COUNTED, its tables, the codes that may be adopted.

    `at`: the moment in ISO form, UTC; `by`: who reconciled.
    """

    file: str
    at: str
    by: str
    is_equal: bool
    counts: Mapping[str, int]
    tables: tuple[ResultTable, ...]
    offers: tuple[CodeOffer, ...]

    def of(self, provider: str, datasets: frozenset[str]) -> "Result":
        """What concerns one department; `datasets` are its own."""
        own = tuple(table for table in (table.of(provider) for table in self.tables) if table.rows)
        offers = tuple(offer for offer in self.offers if offer.dataset in datasets)
        number = {table.title: _count(table) for table in own}
        counts = {name: number.get(TABLES[name], 0) for name in self.counts}
        return replace(self, tables=own, offers=offers, counts=counts)

    def moment(self) -> datetime:
        """When it was made, UTC."""
        return datetime.fromisoformat(self.at)

    def text_tables(self) -> tuple[TextTable, ...]:
        """The tables for a workbook, counts first."""
        counts = tuple((COUNTED[name], str(number)) for name, number in self.counts.items())
        return (TextTable("概况", ("项目", "数量"), counts), *(table.plain() for table in self.tables))

    def document(self) -> dict[str, Any]:
        """The result as JSON has it."""
        return asdict(self)


def result(found: Reconciliation, about: tuple[str, str, str], hints: Mapping[str, str]) -> Result:
    """The tables. `about`: file, moment and who; `hints`: what our side has where only the other has a resource, by place."""
    numbers = {
        "differing": found.differing(),
        "only_here": found.only_here,
        "only_there": found.only_there,
        "unread": found.unread,
        "same": found.same(),
        "offers": found.offers,
    }
    counts = {name: len(numbers[name]) for name in COUNTED}
    return Result(*about, found.is_equal(), counts, tuple(_tables(found, hints)), found.offers)


def read_result(document: object) -> Result:
    """A result from its JSON."""
    return TypeAdapter(Result).validate_python(document)


def _tables(found: Reconciliation, hints: Mapping[str, str]) -> Iterator[ResultTable]:
    differences = (*NAMES, "信息项", "列", "本市", "省级", "位置", "匹配依据", "省级状态")
    yield ResultTable(
        TABLES["differing"], differences, tuple(row for pair in found.differing() for row in _differences(pair))
    )
    yield ResultTable(
        TABLES["only_here"], (*NAMES, "代码"), tuple(_row(one, one.text(CODE)) for one in found.only_here)
    )
    only_there = (*NAMES, "代码", "省级代码", "省级状态", "位置", "本市情况")
    yield ResultTable(TABLES["only_there"], only_there, tuple(_only_there(one, hints) for one in found.only_there))
    yield ResultTable(TABLES["unread"], ("位置", "内容", "原因"), tuple(map(_unread, found.unread)))
    same = (*NAMES, "代码", "匹配依据", "省级状态", "省级意见")
    yield ResultTable(TABLES["same"], same, tuple(map(_same, found.same())))
    offers = (*NAMES, "本市代码", "省级代码", "位置")
    yield ResultTable(TABLES["offers"], offers, tuple(_offers(found)))
    yield ResultTable("关于文件", ("位置", "内容", "说明"), tuple(map(_unread, _remarks(found))))


def _count(table: ResultTable) -> int:
    """How many things a table has: resources where several rows are about one."""
    return len({row.cells[:2] for row in table.rows}) if table.title == TABLES["differing"] else len(table.rows)


def _row(one: Resource, *cells: str) -> ResultRow:
    return ResultRow(one.provider, (one.title, one.text(PROVIDER), *cells))


def _differences(pair: Pair) -> Iterator[ResultRow]:
    status = pair.there.text(STATUS)
    for one in pair.differences:
        yield _row(pair.here, one.item, one.column, one.here, one.there, one.place, BY[pair.by], status)


def _only_there(one: Resource, hints: Mapping[str, str]) -> ResultRow:
    return _row(one, one.text(CODE), one.text(PROVINCE_CODE), one.text(STATUS), one.place, hints.get(one.place, ""))


def _same(pair: Pair) -> ResultRow:
    return _row(pair.here, pair.here.text(CODE), BY[pair.by], pair.there.text(STATUS), pair.there.text(OPINION))


def _offers(found: Reconciliation) -> Iterator[ResultRow]:
    here = {pair.here.dataset: pair.here for pair in found.pairs}
    yield from (_row(here[one.dataset], one.before, one.code, one.place) for one in found.offers)


def _unread(one: Unread) -> ResultRow:
    return ResultRow("", (one.place, one.value, one.reason))


def _remarks(found: Reconciliation) -> Iterable[Unread]:
    yield from found.remarks
    yield from (Unread("列", title, "不认识，未读取") for title in found.ignored)
    yield from (Unread("列", title, "文件中没有，未比对") for title in found.missing)
