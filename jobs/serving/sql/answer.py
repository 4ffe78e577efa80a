"""Answers with their grade, and what a question needs to be answered."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import pyarrow as pa

from jobs.access.grants import Grant
from jobs.access.policy import Mask
from jobs.access.roles import grade_labels
from jobs.contracts.grades import OPEN, highest, is_sensitive
from jobs.lake.zones import TablePath
from jobs.serving.sql.engine import Engine
from jobs.serving.sql.readable import Column, Readable
from jobs.serving.sql.reading import Reading
from jobs.serving.sql.snapshot import Snapshot
from jobs.serving.sql.stopping import Stop
from jobs.serving.sql.views import physical_name, visible_columns


@dataclass(frozen=True)
class Run:
    """How one question is asked: at most so many rows, where that is less than the account has, and what may stop it.

    `is_large`: it may read more than the service reads without having asked.
    """

    most: int | None = None
    stop: Stop | None = None
    is_large: bool = False


NO_LIMIT = Run()


@dataclass(frozen=True)
class Grade:
    """What an answer holds: the highest grade of the columns touched, and whether such values are shown unmasked."""

    name: str
    is_masked: bool
    datasets: Sequence[str]
    """Datasets whose sensitive values (L3, L4) are shown as they were sent."""
    grants: Mapping[str, Grant] = field(default_factory=dict)
    """By table, the grant by which it is read."""

    @property
    def until(self) -> datetime | None:
        """When the first of the grants ends; None where none does."""
        return min((at for grant in self.grants.values() if (at := grant.until())), default=None)

    def shown(self) -> dict[str, str]:
        """The datasets with sensitive values, each with the grant by which they are shown; empty for the owner's."""
        return {name: self.grants[name].notice() if name in self.grants else "" for name in self.datasets}

    def notice(self) -> str:
        """The grade in Chinese, for the person who gets the answer."""
        how = (
            "，敏感字段已脱敏"
            if self.is_masked
            else "，含未脱敏的敏感数据，本次查询已记入访问日志"
            if self.datasets
            else ""
        )
        purposes = dict.fromkeys(f"；{grant.notice()}" for grant in self.grants.values())
        return f"本结果涉及的最高分级：{self.name} {grade_labels().get(self.name, '')}{how}{''.join(purposes)}"


@dataclass(frozen=True)
class Answer:
    """Rows with their grade; `id` is the query's in the log."""

    id: str
    table: pa.Table
    grade: Grade
    is_cut: bool = False
    columns: Mapping[str, Column] = field(default_factory=dict)
    """Columns of the tables that are shown under their own name."""
    engine: str = ""
    """What computed it, where it was not DuckDB."""

    @property
    def comments(self) -> dict[str, str]:
        """Title and unit of these columns."""
        return {name: column.comment for name, column in self.columns.items()}

    def notices(self) -> tuple[str, ...]:
        """What a client gets with the rows: the grade, the query's id, and whether there are more rows."""
        cut = (f"只返回前 {self.table.num_rows:,} 行（您的行数上限）",) if self.is_cut else ()
        by = f"，由 {self.engine} 计算" if self.engine else ""
        return (f"{self.grade.notice()}。查询编号 {self.id}{by}", *cut)


@dataclass(frozen=True)
class Opened:
    """A table of a question: what the actor may see of it, and the version."""

    readable: Readable
    path: TablePath
    snapshot: Snapshot


@dataclass(frozen=True)
class Prepared:
    """A question that may be asked: the engine's SQL, the tables at their versions, and the grade."""

    engine: Engine
    sql: str
    tables: tuple[Opened, ...]
    grade: Grade
    reading: Reading

    def logged_tables(self) -> list[str]:
        return [
            f"{opened.readable.name.schema}.{physical_name(opened.readable.name.table, opened.snapshot)}"
            for opened in self.tables
        ]


def grade_of(tables: Sequence[Opened], reading: Reading) -> Grade:
    """The highest grade of the columns touched, in SELECT, WHERE, ORDER BY or anywhere else."""
    grades, sensitive, is_masked = [OPEN], [], False
    grants = {opened.readable.name.table: opened.readable.grant for opened in tables if opened.readable.grant}
    for opened in tables:
        readable = opened.readable
        view = (str(readable.name.schema), physical_name(readable.name.table, opened.snapshot))
        for column, _ in visible_columns(readable, opened.snapshot):
            if not reading.touches(view, column.name):
                continue
            grades.append(column.grade)
            if is_sensitive(column.grade) and column.mask is Mask.AS_SENT:
                sensitive.append(readable.name.table)
            elif is_sensitive(column.grade):
                is_masked = True
    datasets = tuple(dict.fromkeys(sensitive))
    return Grade(highest(grades), is_masked and not datasets, datasets, grants)


def columns_of(prepared: Prepared) -> dict[str, Column]:
    """Columns by name that mean the same in all tables of the query."""
    columns: dict[str, dict[str, Column]] = {}
    for opened in prepared.tables:
        for column, _ in visible_columns(opened.readable, opened.snapshot):
            columns.setdefault(column.name, {})[column.comment] = column
    return {name: next(iter(found.values())) for name, found in columns.items() if len(found) == 1}
