"""What clients ask about tables rather than of them: PostgreSQL's catalogue with the user's tables, without rows."""

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path

import duckdb
import pyarrow as pa
from sqlglot import exp

from jobs.errors import UserError
from jobs.model.actor import Actor
from jobs.serving.sql.engine import BATCH
from jobs.serving.sql.readable import Readable
from jobs.serving.sql.service import SqlService
from jobs.serving.sql.stopping import Stop
from jobs.serving.sql.wire.pg_dialect import BY_NAME, NAMED, SCHEMA, parsed, translated
from jobs.serving.sql.wire.pg_tables import Listed, catalogue_tables

FUNCTIONS = Path(__file__).parent / "pg_functions.sql"
LONGEST_S = 10.0
OF_THE_SYSTEM = re.compile(r"\b(?:pg_catalog|information_schema|pg_[a-z_]+)\b", re.I)
OF_THE_SERVER = frozenset(
    (
        *("currentversion", "current_schema", "currentschema", "current_database", "currentdatabase", "sessionuser"),
        *("current_catalog", "currentcatalog", "current_user", "currentuser", *BY_NAME),
    )
)


def is_of_catalogue(sql: str) -> bool:
    """Whether a statement asks only about tables or the server; what cannot be parsed does where it names them."""
    if not _hint().search(sql):  # most statements are not parsed twice
        return False
    tree = parsed(sql)
    if tree is None:
        return bool(OF_THE_SYSTEM.search(sql))
    return _names_only_it(tree) or (not list(_tables(tree)) and "::reg" in sql)


def _names_only_it(tree: exp.Expr) -> bool:
    """Whether all tables are the catalogue's; without tables, whether a function of the server is called."""
    tables = list(_tables(tree))
    if tables:
        return all(t.db.lower() in NAMED or (not t.db and t.name.lower().startswith("pg_")) for t in tables)
    calls = {
        node.name.lower() or node.key.lower() for node in tree.find_all(exp.Func) if not isinstance(node, exp.Cast)
    }
    return bool(calls & _of_the_server())


@lru_cache
def _hint() -> re.Pattern[str]:
    """What every question about tables or the server has in it."""
    names = "|".join(sorted(re.escape(name) for name in _of_the_server()))
    return re.compile(rf"\b(?:pg_\w+|information_schema|current_\w+|session_user|{names})\b|::reg", re.I)


@lru_cache
def _of_the_server() -> frozenset[str]:
    return OF_THE_SERVER | set(re.findall(r"CREATE MACRO (\w+)", FUNCTIONS.read_text(encoding="utf-8")))


def _tables(tree: exp.Expr) -> Iterator[exp.Table]:
    """Tables, without CTEs and functions in place of a table."""
    local = {cte.alias.lower() for cte in tree.find_all(exp.CTE)}
    for table in tree.find_all(exp.Table):
        if isinstance(table.this, exp.Identifier) and table.name.lower() not in local:
            yield table


class Catalogue:
    """The tables that an actor may query, without rows: nothing in it is secret from its reader."""

    def __init__(self, service: SqlService, actor: Actor) -> None:
        self._database = duckdb.connect(
            ":memory:",
            config={"threads": 1, "memory_limit": "100MB", "temp_directory": "", "python_enable_replacements": "false"},
        )
        self._database.execute("ATTACH ':memory:' AS lake")
        self._database.execute("USE lake")
        self._database.execute(f"CREATE SCHEMA {SCHEMA}")
        for name, rows in catalogue_tables([_listed(service, table) for table in service.tables(actor)]).items():
            self._database.register("_rows", rows)
            self._database.execute(f"CREATE TABLE {SCHEMA}.{name} AS SELECT * FROM _rows")
            self._database.unregister("_rows")
        self._database.execute(FUNCTIONS.read_text(encoding="utf-8"))
        self._database.execute("SET enable_external_access = false")
        self._database.execute("SET lock_configuration = true")

    def rows(self, sql: str, parameters: Sequence[object] = ()) -> pa.Table:
        """The answer to a question about tables; UserError where the catalogue lacks what a client asks for."""
        tree = parsed(sql)
        if not isinstance(tree, exp.Query):
            raise UserError("one SELECT is accepted / 只接受一条 SELECT")
        text = translated(tree)
        with self._database.cursor() as cursor, Stop().watched(cursor, LONGEST_S):
            try:
                cursor.execute("USE lake")
                statements = cursor.extract_statements(text)
                if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
                    raise UserError("one SELECT is accepted / 只接受一条 SELECT")
                return cursor.execute(statements[0], list(parameters) or None).to_arrow_reader(BATCH).read_all()
            except duckdb.Error as error:
                reason = str(error).partition("\n")[0][:300]
                raise UserError(f"{reason}; use SHOW TABLES and DESCRIBE / 请用 SHOW TABLES、DESCRIBE") from None


def _listed(service: SqlService, table: Readable) -> Listed:
    snapshot = service.newest(table)
    return Listed(
        table, service.columns(table), snapshot.rows if snapshot else 0, snapshot.size_bytes if snapshot else 0
    )
