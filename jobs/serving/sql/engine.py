"""The engine: a locked DuckDB in memory, in which only the views of its readers exist."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from urllib.parse import urlsplit

import duckdb
import pyarrow as pa
from deltalake import DeltaTable, QueryBuilder

from jobs.errors import ServiceUnavailable, UserError
from jobs.lake.delta_tables import DeltaTables
from jobs.lake.zones import TablePath
from jobs.serving.sql import masks
from jobs.serving.sql.legacy_times import LegacyTimes
from jobs.serving.sql.limits import Limits
from jobs.serving.sql.marked import MarkedSnapshot
from jobs.serving.sql.readable import SCHEMAS, Readable, text_literal
from jobs.serving.sql.snapshot import Snapshot
from jobs.serving.sql.stopping import Stop
from jobs.serving.sql.views import physical_name, view_sql
from jobs.settings import Settings

BATCH = 10_000
MOST_COPIED_ROWS = 5_000_000
"""Rows of a table that its files do not hold by themselves, which is copied into memory."""
MOST_VIEWS = 200
MOST_TICKETS = 3
"""States of a dataset's open tickets that are kept."""
COPIES = "copies"
OF_VALUES = (
    duckdb.ConversionException,
    duckdb.InvalidInputException,
    duckdb.OutOfRangeException,
    duckdb.DataError,
    duckdb.ConstraintException,
)
"""Errors that quote values: of rows, perhaps, that the reader may not see."""


CONFIG = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "python_enable_replacements": "false",
    "allow_community_extensions": "false",
    "temp_directory": "",
}
LEGACY = LegacyTimes()
"""Of all databases: they read the same files."""
Parameters = Sequence[object] | Mapping[str, object]


@dataclass(frozen=True)
class Rows:
    """Rows of an answer. `is_cut`: there are more; `engine`: another one than DuckDB, for people."""

    table: pa.Table
    is_cut: bool
    engine: str = ""


class QueryStopped(UserError):
    """The query was stopped: it ran longer than its reader's may."""


class QueryCancelled(QueryStopped):
    """The query was cancelled."""


class MemoryExceeded(UserError):
    """The query needs more memory than its reader has."""


def open_database(settings: Settings) -> duckdb.DuckDBPyConnection:
    """A database with masks and the object store, not yet locked; it takes some 50 ms, so that spare ones are kept."""
    database = duckdb.connect(":memory:", config=dict(CONFIG))
    masks.register(database)
    database.execute("SET parquet_metadata_cache = true")
    database.execute("SET validate_external_file_cache = 'NO_VALIDATION'")  # a file of a Delta table never changes
    database.execute(
        f"SET GLOBAL TimeZone = {text_literal(settings.timezone)}"
    )  # cursors have only what is set for all
    for schema in (*SCHEMAS, COPIES):
        database.execute(f"CREATE SCHEMA {schema}")
    if settings.s3_endpoint:
        _connect_store(database, settings)
    return database


class Engine:
    """One database, locked; each query runs on a cursor of its own."""

    def __init__(
        self, database: duckdb.DuckDBPyConnection, delta: DeltaTables, paths: Sequence[TablePath], limits: Limits
    ) -> None:
        self._database, self._delta, self._limits, self._lock = database, delta, limits, Lock()
        self._views: dict[tuple[str, str], None] = {}
        self._tickets: dict[str, list[str]] = {}
        self._running = 0
        _lock_down(database, limits.memory, [delta.url(path) for path in paths])

    @property
    def is_idle(self) -> bool:
        """Whether no query runs."""
        return self._running == 0

    def used_bytes(self) -> int:
        """Memory that the database holds, of queries and of files that it keeps."""
        row = self._database.cursor().execute("SELECT sum(memory_usage_bytes) FROM duckdb_memory()").fetchone()
        return int(row[0] or 0) if row else 0

    def ensure(self, readable: Readable, path: TablePath, snapshot: Snapshot) -> str:
        """The name of the view of a table's version, which is made where it does not exist yet."""
        name = physical_name(readable.name.table, snapshot)
        key = (str(readable.name.schema), name)
        with self._lock:
            if key not in self._views:
                kinds = snapshot.columns.values()
                copied = "" if snapshot.is_plain else self._copy(path, name, snapshot)
                found = self._with_tickets(path, snapshot) if isinstance(snapshot, MarkedSnapshot) else ""
                with self._cursor() as cursor:
                    legacy = LEGACY.of(cursor, snapshot.files) if not copied and "TIMESTAMPTZ" in kinds else {}
                    cursor.execute(view_sql(readable, snapshot, copied, legacy, found))
                self._forget()
            self._views.pop(key, None)
            self._views[key] = None
        return name

    def rows(
        self, sql: str, parameters: Parameters = (), limits: Limits | None = None, stop: Stop | None = None
    ) -> Rows:
        """The rows of a checked query, within the limits of who asks; UserError where it fails, without values in the message.

        The memory is that of the database.
        """
        limits = limits or self._limits
        most = limits.rows
        with self._cursor(limits, stop) as cursor:
            reader = cursor.execute(sql, parameters or None).to_arrow_reader(BATCH)
            batches: list[pa.RecordBatch] = []
            count = 0
            for batch in reader:
                batches.append(batch)
                count += batch.num_rows
                if count > most:
                    break
            table = pa.Table.from_batches(batches, reader.schema)
        return Rows(table.slice(0, most), count > most)

    def close(self) -> None:
        """Close the database."""
        self._database.close()

    @contextmanager
    def _cursor(self, limits: Limits | None = None, stop: Stop | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
        """A cursor whose query is stopped after the time that its reader has."""
        limits, stop = limits or self._limits, stop or Stop()
        cursor = self._database.cursor()
        self._running += 1
        try:
            with stop.watched(cursor, limits.seconds):
                yield cursor
        except duckdb.Error as error:
            raise _explained(error, limits, stop) from None
        finally:
            self._running -= 1
            cursor.close()

    def _copy(self, path: TablePath, name: str, snapshot: Snapshot) -> str:
        """The table that holds a version's rows; delta-rs reads deletion vectors and mapped columns, the engine does not."""
        if snapshot.rows > MOST_COPIED_ROWS:
            raise UserError(
                f"{path} has deletion vectors and too many rows to be copied; use `lake sql` / 这张表请用 lake sql 查询"
            )
        table = self._delta.open(path, snapshot.version)
        if table is None:
            raise UserError(f"{path} has no version {snapshot.version} / 没有这个版本")
        return self._put(f"{path.zone}.{name}", _read(table))

    def _with_tickets(self, path: TablePath, snapshot: MarkedSnapshot) -> str:
        """The table that holds what has tickets in a dataset; older ones go, of which only running queries may read."""
        kept = self._tickets.setdefault(path.name, [])
        name = f"tickets.{path.name}@{snapshot.rows_with_tickets.label}"
        target = self._put(name, snapshot.rows_with_tickets.found)
        if target not in kept:
            kept.append(target)
        while len(kept) > MOST_TICKETS:
            self._database.cursor().execute(f"DROP TABLE IF EXISTS {kept.pop(0)}")
        return target

    def _put(self, name: str, rows: pa.Table) -> str:
        """The table of that name, which is made of the rows where it does not exist yet."""
        target = f"{COPIES}.{masks.quoted(name)}"
        cursor = self._database.cursor()
        cursor.register("_rows", rows)
        try:
            cursor.execute(f"CREATE TABLE IF NOT EXISTS {target} AS SELECT * FROM _rows")
        finally:
            cursor.unregister("_rows")
        return target

    def _forget(self) -> None:
        """Drop the views that were used longest ago; a query that runs keeps what it reads."""
        while len(self._views) > MOST_VIEWS:
            schema, name = next(iter(self._views))
            del self._views[schema, name]
            self._database.cursor().execute(f"DROP VIEW IF EXISTS {schema}.{masks.quoted(name)}")


def _explained(error: duckdb.Error, limits: Limits, stop: Stop) -> Exception:
    if isinstance(error, duckdb.InterruptException) and stop.is_cancelled:
        return QueryCancelled("cancelled / 查询已取消")
    if isinstance(error, duckdb.InterruptException):
        seconds = f"{limits.seconds:g}"
        return QueryStopped(
            f"stopped after {seconds} s, your limit / 查询超过您的时限 {seconds} 秒，已中止，请缩小范围"
        )
    if isinstance(error, duckdb.OutOfMemoryException):
        return MemoryExceeded(
            f"the query needs more than {limits.memory} of memory, your limit / "
            f"查询占用内存超过您的上限 {limits.memory}，请缩小范围或先汇总"
        )
    if isinstance(error, duckdb.IOException | duckdb.HTTPException):
        return ServiceUnavailable("the object store did not answer / 对象存储暂时无响应")
    if isinstance(error, OF_VALUES):
        return UserError(
            f"a value does not fit the operation ({type(error).__name__}); try_cast gives NULL instead / "
            "有的值不能这样换算或运算；可改用 try_cast"
        )
    return UserError(f"{_reason(error)} / 查询有误，请按提示修改")


def _read(table: DeltaTable) -> pa.Table:
    return pa.table(QueryBuilder().register("t", table).execute("SELECT * FROM t").read_all())


def _connect_store(database: duckdb.DuckDBPyConnection, settings: Settings) -> None:
    address = urlsplit(settings.s3_endpoint)
    database.execute(f"LOAD {text_literal(str(_extension()))}")
    parts = {
        "KEY_ID": settings.s3_access_key,
        "SECRET": settings.s3_secret_key.get_secret_value(),
        "ENDPOINT": address.netloc,
        "REGION": settings.s3_region,
        "URL_STYLE": "path",
    }
    listed = ", ".join(f"{name} {text_literal(value)}" for name, value in parts.items())
    database.execute(f"CREATE SECRET lake (TYPE s3, USE_SSL {address.scheme == 'https'}, {listed})")


def _extension() -> Path:
    """The file of the extension that reads S3; its package has the engine's version."""
    import duckdb_extension_httpfs

    folder = Path(str(duckdb_extension_httpfs.__file__)).parent
    return next(folder.rglob(f"v{duckdb.__version__}/httpfs.duckdb_extension"))


def _lock_down(database: duckdb.DuckDBPyConnection, memory: str, folders: Sequence[str]) -> None:
    listed = ", ".join(text_literal(f"{folder}/") for folder in folders)
    for setting in (
        f"memory_limit = {text_literal(memory)}",
        f"allowed_directories = [{listed}]",
        "enable_external_access = false",
        "lock_configuration = true",
    ):
        database.execute(f"SET {setting}")


def _reason(error: duckdb.Error) -> str:
    """The engine's message without the query that follows it."""
    return str(error).partition("\n\nLINE")[0].partition("\n\n")[0].replace("\n", " ")[:500]
