"""What clients ask about tables rather than of them: a database without rows that has the user's tables, columns and comments."""

import re
from collections.abc import Iterator, Sequence
from threading import Event, Thread

import duckdb
import pyarrow as pa
import sqlglot
from sqlglot import exp

from jobs.errors import UserError
from jobs.model.actor import Actor
from jobs.serving.sql.engine import BATCH, stop_late
from jobs.serving.sql.masks import quoted
from jobs.serving.sql.readable import SCHEMAS, text_literal
from jobs.serving.sql.service import SqlService

LONGEST_S = 10.0
NAMED = ("pg_catalog", "information_schema")
OF_THE_SYSTEM = re.compile(r"\b(?:pg_catalog|information_schema|pg_[a-z_]+)\b", re.I)
ALONE = frozenset(
    (
        *("version", "currentversion", "current_schema", "currentschema", "current_database", "currentdatabase"),
        *("current_catalog", "currentcatalog", "current_user", "currentuser", "sessionuser", "pg_backend_pid"),
    )
)
MACROS = (
    "pg_get_userbyid(role) AS 'lake'",
    "pg_encoding_to_char(code) AS 'UTF8'",
    "pg_backend_pid() AS 1",
    "pg_is_in_recovery() AS false",
)
"""Functions that clients call and the engine lacks."""
TABLES = """SELECT table_schema AS "Schema", table_name AS "Name", 'table' AS "Type", '' AS "Owner"
    FROM information_schema.tables WHERE table_schema IN ({}) ORDER BY 1, 2"""
PSQL_TABLES = re.compile(r"c\.relkind IN \('r'", re.I)


def is_of_catalogue(sql: str) -> bool:
    """Whether a statement asks only about tables or the server; what cannot be parsed does where it names them."""
    try:
        tree = sqlglot.parse_one(sql, dialect="postgres")
    except (sqlglot.errors.SqlglotError, RecursionError):
        return bool(OF_THE_SYSTEM.search(sql))
    tables = list(_tables(tree))
    if tables:
        return all(t.db.lower() in NAMED or (not t.db and t.name.lower().startswith("pg_")) for t in tables)
    calls = {node.name.lower() or node.key.lower() for node in tree.find_all(exp.Func)}
    return bool(calls) and calls <= ALONE


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
        for macro in MACROS:
            self._database.execute(f"CREATE MACRO {macro}")
        for schema in SCHEMAS:
            self._database.execute(f"CREATE SCHEMA {schema}")
        for table in service.tables(actor):
            name = f"{table.name.schema}.{quoted(table.name.table)}"
            columns = service.columns(table)
            listed = ", ".join(f"{quoted(column.name)} {column.type}" for column in columns)
            self._database.execute(f"CREATE TABLE {name} ({listed})")
            self._database.execute(f"COMMENT ON TABLE {name} IS {text_literal(table.contract.title)}")
            for column in columns:
                words = text_literal(f"{column.comment}（{column.grade}）")
                self._database.execute(f"COMMENT ON COLUMN {name}.{quoted(column.name)} IS {words}")
        self._database.execute("SET enable_external_access = false")
        self._database.execute("SET lock_configuration = true")

    def rows(self, sql: str, parameters: Sequence[object] = ()) -> pa.Table:
        """The answer to a question about tables; UserError where the engine's catalogue lacks what a client asks for."""
        if PSQL_TABLES.search(sql):
            sql, parameters = TABLES.format(", ".join(text_literal(schema) for schema in SCHEMAS)), ()
        done = Event()
        with self._database.cursor() as cursor:
            Thread(target=stop_late, args=(cursor, done, LONGEST_S), daemon=True).start()
            try:
                cursor.execute("USE lake")
                statements = cursor.extract_statements(_plain(sql))
                if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
                    raise UserError("one SELECT is accepted / 只接受一条 SELECT")
                return cursor.execute(statements[0], list(parameters) or None).to_arrow_reader(BATCH).read_all()
            except duckdb.Error as error:
                reason = str(error).partition("\n")[0][:300]
                raise UserError(f"{reason}; use SHOW TABLES and DESCRIBE / 请用 SHOW TABLES、DESCRIBE") from None
            finally:
                done.set()


def _plain(sql: str) -> str:
    """PostgreSQL's spellings that the engine does not read."""
    sql = re.sub(r"OPERATOR\(pg_catalog\.([^)]+)\)", r"\1", sql)
    sql = re.sub(r"\s+COLLATE\s+pg_catalog\.\w+", "", sql)
    sql = re.sub(r"\bpg_catalog\.(?=\w+\()", "", sql)
    return re.sub(r"::(?:pg_catalog\.)?(?:regclass|regtype|regproc|oidvector)\b", "", sql)
