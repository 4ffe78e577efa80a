"""SQL of users: one read-only query, and the tables that it names."""

from dataclasses import dataclass

import sqlglot
from sqlglot import exp

from jobs.errors import UserError

Statement = exp.Query | exp.Values | exp.Describe
DIALECT = "databricks"
"""Spark SQL with the clauses of Delta tables."""

RUNS_CODE = {"reflect", "java_method", "try_reflect"}
TABLE_FUNCTIONS = {"range", "explode", "explode_outer", "posexplode_outer", "inline_outer", "stack", "json_tuple"}
ONE_SELECT = "only one SELECT (or DESCRIBE of a table) is accepted / 只能执行一条 SELECT 查询（或对一张表的 DESCRIBE）"


@dataclass(frozen=True, order=True)
class NamedTable:
    """A table as a query names it; `zone` is empty where it names none."""

    zone: str
    name: str

    def __str__(self) -> str:
        return f"{self.zone}.{self.name}" if self.zone else self.name


def named_tables(query: str) -> tuple[NamedTable, ...]:
    """The tables that one read-only query names, in order of name; UserError for any other statement."""
    statement = _statement(query)
    _refuse_code(statement)
    local = {cte.alias.lower() for cte in statement.find_all(exp.CTE)}
    tables = [table for table in statement.find_all(exp.Table) if not _is_function(table)]
    return tuple(sorted({_named(table) for table in tables if table.db or table.name.lower() not in local}))


def _statement(query: str) -> Statement:
    try:
        parsed = sqlglot.parse(query, dialect=DIALECT)
    except sqlglot.errors.SqlglotError as error:
        raise UserError(f"invalid SQL / SQL 有误: {_place(error)}") from error
    statements = [
        expression for expression in parsed if expression is not None and not isinstance(expression, exp.Semicolon)
    ]
    if len(statements) != 1:
        raise UserError(f"{ONE_SELECT}; got {len(statements)}")
    (statement,) = statements
    if not isinstance(statement, (exp.Query, exp.Values, exp.Describe)):
        raise UserError(f"{ONE_SELECT}; got {query.split()[0].upper()}")
    return statement


def _place(error: sqlglot.errors.SqlglotError) -> str:
    details = getattr(error, "errors", None)
    if not details:
        return str(error).split("\n")[0]
    first = details[0]
    return f"line {first['line']}, column {first['col']}, near '{first['highlight']}': {first['description']}"


def _refuse_code(statement: Statement) -> None:
    """UserError for a change within the query, and for functions by which the engine would run code."""
    changing = statement.find(exp.DML, exp.DDL, exp.QueryTransform, exp.Command)
    if changing is not None:
        raise UserError(f"{ONE_SELECT}; it contains {changing.key.upper()}")
    for function in statement.find_all(exp.Anonymous):
        if function.name.lower() in RUNS_CODE:
            raise UserError(f"{function.name}() runs code and is not accepted / 不能调用 {function.name}()")


def _is_function(table: exp.Table) -> bool:
    """Whether rows come from a function; UserError for one that can read a table or a file."""
    if isinstance(table.this, exp.Anonymous):
        name = table.this.name.lower()
        if name not in TABLE_FUNCTIONS:
            raise UserError(f"{name}() is not accepted as a table / 不能把 {name}() 用作表")
        return True
    return isinstance(table.this, exp.Func)


def _named(table: exp.Table) -> NamedTable:
    zone = f"{table.catalog}.{table.db}" if table.catalog else table.db
    return NamedTable(zone.lower(), table.name.lower())
