"""The one way to the lake by SQL: an actor asks, and gets an answer with its grade; each question is logged."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from threading import Lock
from time import monotonic
from zoneinfo import ZoneInfo

import pyarrow as pa
from ulid import ULID

from jobs.access.grants import Grants
from jobs.access.policy import Right
from jobs.access.rights import check_right
from jobs.contracts import Registry
from jobs.contracts.grades import OPEN
from jobs.errors import LakeError, PolicyRefusal, Unknown, UserError
from jobs.lake.database import Database
from jobs.lake.lake import Lake
from jobs.lake.zones import TablePath, Zone
from jobs.model.actor import Actor
from jobs.serving.sql import listing
from jobs.serving.sql.answer import NO_LIMIT, Answer, Grade, Opened, Prepared, Run, columns_of, grade_of
from jobs.serving.sql.engine import Engine, MemoryExceeded, Parameters, Rows
from jobs.serving.sql.engines import Engines
from jobs.serving.sql.gate import Question, Reference, question
from jobs.serving.sql.large.route import Large
from jobs.serving.sql.limits import AccountLimits, size_bytes
from jobs.serving.sql.marked import MarkedSnapshots
from jobs.serving.sql.query_log import Entry, Outcome, QueryLog
from jobs.serving.sql.readable import MARKED, SEARCHED, Name, Readable, readable_tables
from jobs.serving.sql.reading import read
from jobs.serving.sql.snapshot import Snapshot, Snapshots
from jobs.serving.sql.stopping import Stop

OWN_S = 600.0
"""So long an account keeps a database of its own after a query that needed it."""


class LargeQuery(PolicyRefusal):
    """The query may read more than the service reads without asking; it has not begun."""


class TooManyQueries(PolicyRefusal):
    """The account already runs as many queries as it may."""


def utc_now() -> datetime:
    """The moment in UTC."""
    return datetime.now(UTC)


class SqlService:
    """Answers questions; safe for threads. `spares`: databases that are kept open for those who ask first."""

    def __init__(
        self,
        lake: Lake,
        database: Database,
        registry: Callable[[], Registry],
        now: Callable[[], datetime] = utc_now,
        spares: int = 0,
    ) -> None:
        self._lake, self._registry, self.settings = lake, registry, lake.settings
        self.now = now
        self.log = QueryLog(database)
        self._limits, self._grants = AccountLimits(database, lake.settings), Grants(database)
        self._snapshots = Snapshots(lake.delta)
        self._marked = MarkedSnapshots(lake, self._snapshots)
        self._engines, self._large = Engines(lake.settings, lake.delta, spares), Large(lake.settings)
        self._own: dict[Actor, float] = {}
        self._running: dict[tuple[str, str], int] = {}
        self._lock = Lock()

    def warm(self) -> None:
        """Open the spare databases."""
        self._engines.prepare()

    def new_id(self) -> str:
        """An id for the log; a later one sorts behind."""
        return str(ULID())

    def ask(self, actor: Actor, sql: str, way: str, parameters: Parameters = (), run: Run = NO_LIMIT) -> Answer:
        """The answer to one statement; UserError with the reason where there is none. `way` says how it came in."""
        began, entry = monotonic(), Entry(self.new_id(), self.now(), actor, way, sql)
        with self._logged(entry, began), self._turn(actor):
            answer, prepared = self._answer(actor, entry.id, question(sql), parameters, run)
        done = replace(
            entry,
            tables=prepared.logged_tables() if prepared else (),
            grade=answer.grade.name,
            is_sensitive=bool(answer.grade.datasets),
            rows=answer.table.num_rows,
            duration_ms=_ms(began),
        )
        self.log.add(done)
        self.log.add_showing(done, answer.grade.shown())
        return answer

    def tables(self, actor: Actor) -> tuple[Readable, ...]:
        """The existing tables that the actor may query."""
        tables = self._readable(actor).values()
        return tuple(table for table in tables if self._snapshots.newest(self.path(table)) is not None)

    def newest(self, table: Readable) -> Snapshot | None:
        """The newest version; None where the table does not exist yet."""
        return self._with_tickets(table, self._snapshots.newest(self.path(table)))

    def columns(self, table: Readable) -> list[listing.ShownColumn]:
        """The columns of a table that its reader sees."""
        snapshot = self.newest(table)
        return [] if snapshot is None else listing.shown_columns(table, snapshot)

    def described(self, actor: Actor, sql: str, way: str, parameters: Parameters = ()) -> Answer:
        """The columns of an answer, without rows; tables are not read, and only refusals are logged."""
        entry = Entry(self.new_id(), self.now(), actor, way, sql)
        with self._logged(entry, monotonic()):
            asked = question(sql)
            if asked.kind == "query":
                prepared = self._prepared(actor, asked)
                rows = self._no_rows(prepared, parameters)
                return Answer(entry.id, rows, prepared.grade, columns=columns_of(prepared))
        answer = self.ask(actor, sql, "describe")
        return replace(answer, table=answer.table.slice(0, 0))

    def check_grant(self, until: datetime | None) -> None:
        """UserError where the grant by which rows are read ended at that moment; None needs no grant."""
        if until is not None and self.now() >= until:
            raise UserError("the grant for these rows has expired / 这些数据的授权已到期")

    def path(self, table: Readable) -> TablePath:
        """The Delta table."""
        zone = Zone.SILVER if table.name.schema == MARKED else Zone(table.name.schema)
        return self._lake.path(zone, table.name.table)

    def close(self) -> None:
        """Close all databases, and the session with Spark."""
        self._engines.close()
        self._large.close()

    def _answer(
        self, actor: Actor, id_: str, asked: Question, parameters: Parameters, run: Run
    ) -> tuple[Answer, Prepared | None]:
        open_grade = Grade(OPEN, False, ())
        if asked.kind == "show":
            return Answer(id_, listing.tables(self.tables(actor)), open_grade), None
        if asked.kind == "describe":
            (reference,) = asked.references()
            opened = self._opened(self._readable(actor), reference)
            return Answer(id_, listing.columns(opened.readable, opened.snapshot), open_grade), None
        prepared = self._prepared(actor, asked)
        if asked.kind == "explain":
            tables = [(o.readable.name, o.snapshot) for o in prepared.tables]
            plan = listing.plan(tables, prepared.grade.name, self._large.route(prepared))
            return Answer(id_, plan, open_grade), prepared
        if prepared.reading.parameters and not parameters:
            raise UserError("the query has parameters without values / 查询中有未给值的参数")
        if self._large.is_large(prepared) and not run.is_large:
            raise self._asking(prepared)
        rows = self._rows(actor, asked, prepared, parameters, run)
        return Answer(id_, rows.table, prepared.grade, rows.is_cut, columns_of(prepared), rows.engine), prepared

    def _rows(self, actor: Actor, asked: Question, prepared: Prepared, parameters: Parameters, run: Run) -> Rows:
        """The rows from the shared database; where its memory does not do, from the actor's own."""
        limits, stop = self._limits.of(actor), run.stop or Stop()
        limits = replace(limits, rows=min(run.most or limits.rows, limits.rows))
        found = self._large.rows(prepared, lambda: self._no_rows(prepared).schema, limits, stop)
        if found is not None:
            return found
        try:
            return prepared.engine.rows(prepared.sql, parameters, limits, stop)
        except MemoryExceeded:
            if self._has_own(actor):
                raise
            self._own[actor] = monotonic() + OWN_S
        again = self._prepared(actor, asked)
        return again.engine.rows(again.sql, parameters, limits, stop)

    @staticmethod
    def _no_rows(prepared: Prepared, parameters: Parameters = ()) -> pa.Table:
        """The columns of the answer; tables are not read."""
        return prepared.engine.rows(f"SELECT * FROM ({prepared.sql}) LIMIT 0", parameters).table

    def _has_own(self, actor: Actor) -> bool:
        """Whether the actor has a database of its own: for some time after a query that needed it, or with less memory than others."""
        own, shared = self._limits.of(actor).memory, self.settings.sql_memory
        return self._own.get(actor, 0.0) > monotonic() or size_bytes(own) < size_bytes(shared)

    def _asking(self, prepared: Prepared) -> LargeQuery:
        gib, most = self._large.size(prepared) / 2**30, self.settings.sql_read
        return LargeQuery(
            f"the query reads up to {gib:.1f} GiB, over {most}; see EXPLAIN, then allow it (--large, SET lake.large = on) / "
            f"这条查询最多要读 {gib:.1f} GiB，超过 {most}；请先用 EXPLAIN 查看，确认后选择「允许大查询」再运行"
        )

    def _prepared(self, actor: Actor, asked: Question) -> Prepared:
        tables = self._readable(actor)
        opened = {reference: self._opened(tables, reference) for reference in asked.references()}
        engine = self._engine(actor, tables)
        views = {
            reference: (str(o.readable.name.schema), engine.ensure(o.readable, o.path, o.snapshot))
            for reference, o in opened.items()
        }
        sql = asked.sql(views.__getitem__)
        reading = read(sql)
        if not reading.views <= set(views.values()):
            raise UserError("the query names a table in a way that is not accepted / 查询中的表名写法不被接受")
        found = tuple(opened.values())
        return Prepared(engine, sql, found, grade_of(found, reading), reading)

    def _readable(self, actor: Actor) -> Mapping[Name, Readable]:
        check_right(actor, Right.QUERY, "用 SQL 查询")
        return readable_tables(actor, self._registry(), self._grants.of(actor, self.now()))

    def _opened(self, tables: Mapping[Name, Readable], reference: Reference) -> Opened:
        schemas = [reference.name.schema] if reference.name.schema else SEARCHED
        for schema in schemas:
            table = tables.get(Name(schema, reference.name.table))
            path = None if table is None else self.path(table)
            if table is None or path is None:
                continue
            snapshot = self._with_tickets(table, self._snapshot(path, reference))
            if snapshot is not None:
                return Opened(table, path, snapshot)
        raise Unknown(
            f"no table {reference.name} for you, or none yet; SHOW TABLES lists yours / "
            f"没有表 {reference.name}，或不属于您的权限；SHOW TABLES 列出可查的表"
        )

    def _with_tickets(self, table: Readable, snapshot: Snapshot | None) -> Snapshot | None:
        if snapshot is None or table.name.schema != MARKED:
            return snapshot
        return self._marked.of(table.name.table, snapshot)

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

    def _engine(self, actor: Actor, tables: Mapping[Name, Readable]) -> Engine:
        """The database of all actors with the same rights, or the actor's own."""
        rights, paths = tuple(table.rights() for table in tables.values()), [self.path(t) for t in tables.values()]
        if self._has_own(actor):
            limits = self._limits.of(actor)
            return self._engines.get((actor, limits, rights), paths, limits)
        return self._engines.get(rights, paths, self._limits.default)

    @contextmanager
    def _logged(self, entry: Entry, began: float) -> Iterator[None]:
        """A question that is refused, or fails, is logged with the reason."""
        try:
            yield
        except (LakeError, RecursionError) as error:
            outcome: Outcome = "refused" if isinstance(error, UserError) else "failed"
            self.log.add(replace(entry, outcome=outcome, reason=str(error), duration_ms=_ms(began)))
            raise

    @contextmanager
    def _turn(self, actor: Actor) -> Iterator[None]:
        """One of the queries that a person may run concurrently."""
        most, name = self._limits.of(actor).queries, (actor.department, actor.name)
        with self._lock:
            if self._running.get(name, 0) >= most:
                raise TooManyQueries(f"您已有 {most} 条查询在运行（您的上限），请等其中一条结束再试")
            self._running[name] = self._running.get(name, 0) + 1
        try:
            yield
        finally:
            with self._lock:
                self._running[name] -= 1


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
