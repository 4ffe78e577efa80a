"""The one way to the lake by SQL: an actor asks, and gets an answer with its grade; each question is logged."""

from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from threading import Lock
from time import monotonic
from zoneinfo import ZoneInfo

import pyarrow as pa
from ulid import ULID

from jobs.access.policy import Mask, Right
from jobs.access.rights import check_right
from jobs.access.roles import grade_labels
from jobs.contracts import Registry
from jobs.contracts.grades import OPEN, highest, is_sensitive
from jobs.errors import LakeError, PolicyRefusal, Unknown, UserError
from jobs.lake.database import Database
from jobs.lake.lake import Lake
from jobs.lake.zones import TablePath, Zone
from jobs.model.actor import Actor
from jobs.serving.sql import listing
from jobs.serving.sql.engine import Engine, Parameters
from jobs.serving.sql.gate import Question, Reference, question
from jobs.serving.sql.query_log import Entry, Outcome, QueryLog
from jobs.serving.sql.readable import Readable, readable_tables
from jobs.serving.sql.reading import Reading, read
from jobs.serving.sql.snapshot import Snapshot, Snapshots
from jobs.serving.sql.views import physical_name, visible_columns

MOST_ENGINES = 12
"""Open databases; the one that was used longest ago is closed first."""


@dataclass(frozen=True)
class Grade:
    """What an answer holds: the highest grade of the columns touched, and whether such values are shown unmasked."""

    name: str
    is_masked: bool
    datasets: Sequence[str]
    """Datasets whose sensitive values (L3, L4) are shown as they were sent."""

    def notice(self) -> str:
        """The grade in Chinese, for the person who gets the answer."""
        how = (
            "，敏感字段已脱敏"
            if self.is_masked
            else "，含未脱敏的敏感数据，本次查询已记入访问日志"
            if self.datasets
            else ""
        )
        return f"本结果涉及的最高分级：{self.name} {grade_labels().get(self.name, '')}{how}"


@dataclass(frozen=True)
class Answer:
    """Rows with their grade; `id` is the query's in the log."""

    id: str
    table: pa.Table
    grade: Grade
    is_cut: bool = False
    comments: Mapping[str, str] = field(default_factory=dict)
    """Title and unit of columns that are shown under their own name."""


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


def utc_now() -> datetime:
    """The moment in UTC."""
    return datetime.now(UTC)


class SqlService:
    """Answers questions; safe for threads."""

    def __init__(
        self, lake: Lake, database: Database, registry: Callable[[], Registry], now: Callable[[], datetime] = utc_now
    ) -> None:
        self._lake, self._registry, self.settings = lake, registry, lake.settings
        self.now = now
        self.log = QueryLog(database)
        self._snapshots = Snapshots(lake.delta)
        self._engines: OrderedDict[tuple[object, ...], Engine] = OrderedDict()
        self._running: dict[str, int] = {}
        self._lock = Lock()

    def warm(self, actor: Actor) -> None:
        """Open the engine for actors with these rights, so that their first query does not wait for it."""
        self._engine(actor)

    def new_id(self) -> str:
        """An id for the log; a later one sorts behind."""
        return str(ULID())

    def ask(self, actor: Actor, sql: str, way: str, parameters: Parameters = (), most: int | None = None) -> Answer:
        """The answer to one statement; UserError with the reason where there is none. `way` says how it came in."""
        began, entry = monotonic(), Entry(self.new_id(), self.now(), actor, way, sql)
        try:
            with self._turn(actor):
                answer, prepared = self._answer(actor, entry.id, question(sql), parameters, most)
        except (LakeError, RecursionError) as error:
            outcome: Outcome = "refused" if isinstance(error, UserError) else "failed"
            self.log.add(replace(entry, outcome=outcome, reason=str(error), duration_ms=_ms(began)))
            raise
        done = replace(
            entry,
            tables=prepared.logged_tables() if prepared else (),
            grade=answer.grade.name,
            is_sensitive=bool(answer.grade.datasets),
            rows=answer.table.num_rows,
            duration_ms=_ms(began),
        )
        self.log.add(done)
        self.log.add_showing(done, answer.grade.datasets)
        return answer

    def tables(self, actor: Actor) -> tuple[Readable, ...]:
        """The existing tables that the actor may query."""
        check_right(actor, Right.QUERY, "用 SQL 查询")
        tables = readable_tables(actor, self._registry()).values()
        return tuple(table for table in tables if self._snapshots.newest(self.path(table)) is not None)

    def columns(self, table: Readable) -> list[listing.ShownColumn]:
        """The columns of a table that its reader sees."""
        snapshot = self._snapshots.newest(self.path(table))
        return [] if snapshot is None else listing.shown_columns(table, snapshot)

    def described(self, actor: Actor, sql: str, parameters: Parameters) -> pa.Table:
        """The columns of an answer, without rows; tables are not read."""
        asked = question(sql)
        if asked.kind != "query":
            return self.ask(actor, sql, "describe").table.slice(0, 0)
        prepared = self._prepared(actor, asked)
        return prepared.engine.rows(f"SELECT * FROM ({prepared.sql}) LIMIT 0", parameters).table

    def path(self, table: Readable) -> TablePath:
        """The Delta table."""
        return self._lake.path(Zone(table.name.schema), table.name.table)

    def close(self) -> None:
        """Close all databases."""
        for engine in self._engines.values():
            engine.close()

    def _answer(
        self, actor: Actor, id_: str, asked: Question, parameters: Parameters, most: int | None
    ) -> tuple[Answer, Prepared | None]:
        open_grade = Grade(OPEN, False, ())
        if asked.kind == "show":
            return Answer(id_, listing.tables(self.tables(actor)), open_grade), None
        if asked.kind == "describe":
            (reference,) = asked.references()
            opened = self._opened(actor, reference)
            return Answer(id_, listing.columns(opened.readable, opened.snapshot), open_grade), None
        prepared = self._prepared(actor, asked)
        if asked.kind == "explain":
            plan = listing.plan([(o.readable.name, o.snapshot) for o in prepared.tables], prepared.grade.name)
            return Answer(id_, plan, open_grade), prepared
        if prepared.reading.parameters and not parameters:
            raise UserError("the query has parameters without values / 查询中有未给值的参数")
        rows = prepared.engine.rows(prepared.sql, parameters, most)
        return Answer(id_, rows.table, prepared.grade, rows.is_cut, _comments(prepared)), prepared

    def _prepared(self, actor: Actor, asked: Question) -> Prepared:
        opened = {reference: self._opened(actor, reference) for reference in asked.references()}
        engine = self._engine(actor)
        names = {reference: engine.ensure(o.readable, o.path, o.snapshot) for reference, o in opened.items()}
        sql = asked.sql(names.__getitem__)
        reading = read(sql)
        own = {(str(reference.name.schema), name) for reference, name in names.items()}
        if not reading.views <= own:
            raise UserError("the query names a table in a way that is not accepted / 查询中的表名写法不被接受")
        tables = tuple(opened.values())
        return Prepared(engine, sql, tables, _grade(tables, reading), reading)

    def _opened(self, actor: Actor, reference: Reference) -> Opened:
        check_right(actor, Right.QUERY, "用 SQL 查询")
        table = readable_tables(actor, self._registry()).get(reference.name)
        path = None if table is None else self.path(table)
        snapshot = None if path is None else self._snapshot(path, reference)
        if table is None or path is None or snapshot is None:
            raise Unknown(
                f"no table {reference.name} for you, or none yet; SHOW TABLES lists yours / "
                f"没有表 {reference.name}，或不属于您的权限；SHOW TABLES 列出可查的表"
            )
        return Opened(table, path, snapshot)

    def _snapshot(self, path: TablePath, reference: Reference) -> Snapshot | None:
        newest = self._snapshots.newest(path)
        if newest is None or (reference.version is None and not reference.moment):
            return newest
        version = reference.version
        if version is None:
            version = self._lake.delta.version_at(path, _moment(reference.moment, self.settings.timezone))
        if version is None or version > newest.version:
            raise UserError(
                f"{path} has no such version; the newest is {newest.version} / 没有这个版本，最新为 {newest.version}"
            )
        return self._snapshots.version(path, version)

    def _engine(self, actor: Actor) -> Engine:
        """The database of all actors with the same rights."""
        check_right(actor, Right.QUERY, "用 SQL 查询")
        tables = readable_tables(actor, self._registry())
        key = (actor.role, actor.department, tuple(tables))
        with self._lock:
            engine = self._engines.pop(key, None)
            if engine is None:
                paths = [self.path(table) for table in tables.values()]
                engine = Engine(self.settings, self._lake.delta, paths)
            self._engines[key] = engine
            if len(self._engines) > MOST_ENGINES:
                self._engines.popitem(last=False)  # closed when its last query ends
        return engine

    @contextmanager
    def _turn(self, actor: Actor) -> Iterator[None]:
        """One of the queries that a person may run concurrently."""
        most, name = self.settings.sql_queries, f"{actor.department}/{actor.name}"
        with self._lock:
            if self._running.get(name, 0) >= most:
                raise PolicyRefusal(f"您已有 {most} 条查询在运行，请等其中一条结束再试")
            self._running[name] = self._running.get(name, 0) + 1
        try:
            yield
        finally:
            with self._lock:
                self._running[name] -= 1


def _grade(tables: Sequence[Opened], reading: Reading) -> Grade:
    """The highest grade of the columns touched, in SELECT, WHERE, ORDER BY or anywhere else."""
    grades, sensitive, is_masked = [OPEN], [], False
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
    return Grade(highest(grades), is_masked and not datasets, datasets)


def _comments(prepared: Prepared) -> dict[str, str]:
    """Comments by name, of columns that mean the same in all tables of the query."""
    comments: dict[str, set[str]] = {}
    for opened in prepared.tables:
        for column, _ in visible_columns(opened.readable, opened.snapshot):
            comments.setdefault(column.name, set()).add(column.comment)
    return {name: next(iter(words)) for name, words in comments.items() if len(words) == 1}


def _moment(text: str, zone: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise UserError(
            f"'{text[:40]}' is no moment; write 2026-01-12 08:00:00 / 时间写法：2026-01-12 08:00:00"
        ) from error
    return at if at.tzinfo else at.replace(tzinfo=ZoneInfo(zone))


def _ms(began: float) -> int:
    return round((monotonic() - began) * 1000)
