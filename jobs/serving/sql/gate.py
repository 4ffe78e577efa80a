"""What a user's SQL may be: one SELECT, or EXPLAIN, SHOW TABLES and DESCRIBE, over named tables.

The text itself never reaches the engine: what was parsed is written out again, so that comments and whatever two parsers
could read differently are gone. jobs/serving/sql/reading.py then checks what the engine's own parser reads.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

import sqlglot
from sqlglot import exp

from jobs.errors import UserError
from jobs.serving.sql.readable import SCHEMAS, Name

DIALECT = "duckdb"
MOST_CHARS = 100_000
ONE_QUERY = "one SELECT (or WITH, EXPLAIN, SHOW TABLES, DESCRIBE) is accepted / 只接受一条查询：SELECT、WITH、EXPLAIN、SHOW TABLES、DESCRIBE"
CATALOG = "lake"
EXPLAIN = re.compile(r"\s*explain\b\s*(?:analyze\b\s*)?", re.I)
CHANGES = (exp.DML, exp.DDL, exp.Command, exp.QueryTransform, exp.Into, exp.Lock, exp.Set, exp.Pragma, exp.Attach)
UNREADABLE = (sqlglot.errors.SqlglotError, RecursionError, AttributeError, LookupError, TypeError, ValueError)
"""What the parser raises for texts that it cannot read."""

Kind = Literal["query", "explain", "show", "describe"]


@dataclass(frozen=True)
class Reference:
    """A table in a query, at a version, or as of a moment, where the query names one; the schema may be empty."""

    name: Name
    version: int | None = None
    moment: str = ""


@dataclass(frozen=True)
class Question:
    """A statement that was let through."""

    kind: Kind
    tree: exp.Expr

    def references(self) -> tuple[Reference, ...]:
        """The tables that it names."""
        return tuple(dict.fromkeys(_reference(table) for table in _tables(self.tree)))

    def sql(self, physical: Callable[[Reference], tuple[str, str]]) -> str:
        """The query for the engine; `physical` gives schema and name of each table's view."""
        tree = self.tree.copy()
        for column in tree.find_all(exp.Column):
            if column.text("db").lower() in SCHEMAS:
                column.set("db", None)
                column.set("catalog", None)
        for table in list(_tables(tree)):
            _rename(table, physical(_reference(table)))
        try:
            return tree.sql(dialect=DIALECT, comments=False, unsupported_level=sqlglot.ErrorLevel.RAISE)
        except UNREADABLE as error:
            raise UserError(f"invalid SQL / SQL 有误: {_place(error)}") from error


def question(sql: str) -> Question:
    """The statement in the text; UserError for any other, with the reason."""
    if len(sql) > MOST_CHARS:
        raise UserError(f"the query is longer than {MOST_CHARS:,} characters / 查询太长")
    head = EXPLAIN.match(sql)
    tree = _parsed(sql[head.end() :] if head else sql)
    if isinstance(tree, exp.Show) and not head:
        return _shown(tree)
    if isinstance(tree, exp.Describe) and not head:
        return Question("describe", _described(tree))
    if not isinstance(tree, exp.Query | exp.Values):
        raise UserError(f"{ONE_QUERY}; got {_kind(tree, sql)}")
    _check(tree)
    _contain(tree)
    return Question("explain" if head else "query", tree)


def _parsed(sql: str) -> exp.Expr:
    try:
        parsed = sqlglot.parse(sql, dialect=DIALECT)
    except UNREADABLE as error:
        raise UserError(f"invalid SQL / SQL 有误: {_place(error)}") from error
    statements = [tree for tree in parsed if tree is not None and not isinstance(tree, exp.Semicolon)]
    if len(statements) != 1:
        raise UserError(f"{ONE_QUERY}; got {len(statements)} statements / 收到 {len(statements)} 条")
    return statements[0]


def _place(error: Exception) -> str:
    details = getattr(error, "errors", None)
    if not details:
        is_ours = isinstance(error, sqlglot.errors.SqlglotError)
        return str(error).split("\n")[0][:200] if is_ours else "it cannot be read / 无法解析"
    first = details[0]
    return f"line {first['line']}, column {first['col']}: {first['description']}"


def _kind(tree: exp.Expr, sql: str) -> str:
    return (sql.split() or [tree.key])[0].upper()[:20]


def _shown(tree: exp.Show) -> Question:
    if tree.name.upper() not in ("TABLES", "ALL TABLES"):
        raise UserError(f"SHOW TABLES is accepted, not SHOW {tree.name} / 只接受 SHOW TABLES")
    return Question("show", tree)


def _described(tree: exp.Describe) -> exp.Expr:
    if not isinstance(tree.this, exp.Table):
        raise UserError("DESCRIBE takes a table, such as silver.divisions / DESCRIBE 后面写表名")
    _check(tree)
    return tree


def _check(tree: exp.Expr) -> None:
    """UserError for a change within the query, or a table that is no named one."""
    changing = tree.find(*CHANGES)
    if changing is not None:
        raise UserError(f"{ONE_QUERY}; it contains {changing.key.upper()}")
    for table in _tables(tree):
        _reference(table)


def _contain(tree: exp.Expr) -> None:
    """`x = ANY($1)`, as drivers write it, as a function of the engine, which reads it only in some places."""
    for equal in list(tree.find_all(exp.EQ)):
        of = equal.expression
        inner = of.this.unnest() if isinstance(of, exp.Any) else None
        if isinstance(inner, exp.Placeholder | exp.Parameter | exp.Cast):
            equal.replace(exp.Anonymous(this="list_contains", expressions=[inner, equal.this]))


def _tables(tree: exp.Expr) -> Iterator[exp.Table]:
    """Tables of the lake: no CTE, and no function in place of a table, which `reading` checks."""
    local = {cte.alias.lower() for cte in tree.find_all(exp.CTE)}
    for table in tree.find_all(exp.Table):
        if isinstance(table.this, exp.Identifier) and (table.db or table.name.lower() not in local):
            yield table


def _reference(table: exp.Table) -> Reference:
    name = Name(table.db.lower(), table.name.lower())
    known = ", ".join(SCHEMAS)
    if table.catalog.lower() not in ("", CATALOG) or name.schema not in ("", *SCHEMAS):
        raise UserError(
            f"no table {table.sql(dialect=DIALECT, comments=False)[:100]}; schemas are {known} / 没有这张表"
        )
    if not re.fullmatch(r"[a-z0-9_]+", name.table):
        raise UserError(f"'{name.table[:100]}' is no name of a table / 没有这张表")
    return _at(name, table.args.get("when") or table.args.get("version"))


def _at(name: Name, clause: exp.Expr | None) -> Reference:
    if clause is None:
        return Reference(name)
    kind = clause.args["kind"] if isinstance(clause, exp.HistoricalData) else clause.name
    value = clause.expression
    value = value.this if isinstance(value, exp.Cast) else value
    if str(kind).upper() == "VERSION" and isinstance(value, exp.Literal) and value.name.isdigit():
        return Reference(name, version=int(value.name))
    if str(kind).upper() == "TIMESTAMP" and isinstance(value, exp.Literal) and value.is_string:
        return Reference(name, moment=value.name)
    raise UserError(
        "write AT (VERSION => 3) or AT (TIMESTAMP => '2026-01-12 08:00:00') behind the table / 版本写法：表名 AT (VERSION => 3)"
    )


def _rename(table: exp.Table, physical: tuple[str, str]) -> None:
    if not table.alias:
        table.set("alias", exp.TableAlias(this=exp.to_identifier(table.name, quoted=True)))
    for part in ("catalog", "when", "version"):
        table.set(part, None)
    schema, view = physical
    table.set("db", exp.to_identifier(schema))
    table.set("this", exp.to_identifier(view, quoted=True))
