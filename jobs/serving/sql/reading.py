"""A query as the engine's own parser reads it: functions against the list, tables against the views, and columns touched.

Names are compared, not scopes: a column counts as touched where its name is anywhere in the query, and all columns of a table
where a star, a row as a whole, a natural join or a pivot is over it. So the grade of an answer may be too high, never too low.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from threading import Lock
from typing import Any

import duckdb

from jobs.errors import UserError
from jobs.serving.sql.functions import BY_NAME, FUNCTIONS, TABLES

Tree = Mapping[str, Any]
EXPRESSIONS = frozenset(
    (
        *("COLUMN_REF", "CONSTANT", "FUNCTION", "OPERATOR", "CONJUNCTION", "COMPARISON", "CAST", "CASE", "STAR"),
        *("SUBQUERY", "WINDOW", "LAMBDA", "LAMBDA_REF", "BETWEEN", "COLLATE", "PARAMETER", "POSITIONAL_REFERENCE"),
    )
)
SOURCES = frozenset(("BASE_TABLE", "JOIN", "SUBQUERY", "TABLE_FUNCTION", "EXPRESSION_LIST", "EMPTY", "PIVOT", "CTE"))
SYSTEM_NAMES = ("duckdb_", "pg_", "sqlite_", "pragma_", "information_schema")
DEEPEST = 400


@dataclass
class Reading:
    """What a query touches: views by schema and name, names of columns, and views of which it touches every column."""

    views: set[tuple[str, str]] = field(default_factory=set)
    columns: set[str] = field(default_factory=set)
    whole: set[tuple[str, str]] = field(default_factory=set)
    parameters: int = 0
    _aliases: dict[str, set[tuple[str, str]]] = field(default_factory=dict)
    _last: set[str] = field(default_factory=set)
    _local: set[str] = field(default_factory=set)
    _unqualified: set[str] = field(default_factory=set)

    def touches(self, view: tuple[str, str], column: str) -> bool:
        """Whether the query touches the column of the view."""
        return view in self.whole or (view in self.views and column.lower() in self.columns)

    def finish(self) -> "Reading":
        """Rows as a whole count as all their columns; UserError for a name that is neither a table nor a CTE."""
        for name in self._last:
            self.whole |= self._aliases.get(name, set())
        unknown = self._unqualified - self._local
        system = [name for name in self._unqualified | self._local if name.startswith(SYSTEM_NAMES)]
        if unknown or system:
            raise UserError(f"no table {sorted(unknown or system)[0]} / 没有这张表")
        return self

    def visit(self, node: object, depth: int = 0) -> None:
        """Add what a part of the tree touches."""
        if depth > DEEPEST:
            raise UserError("the query is too deeply nested / 查询嵌套太深")
        if isinstance(node, list):
            for item in node:
                self.visit(item, depth + 1)
        elif isinstance(node, Mapping):
            self._check(node)
            for item in node.values():
                self.visit(item, depth + 1)

    def _check(self, node: Tree) -> None:
        if "select_list" in node and _has_star(node):
            self.whole |= set(_direct(node["from_table"]))
        if "cte_map" in node:
            self._local |= {entry["key"].lower() for entry in node["cte_map"]["map"]}
        if "cte_name" in node:
            self._local.add(str(node["cte_name"]).lower())
        if "class" in node:
            self._expression(node)
        elif "sample" in node and "query_location" in node:
            self._source(node)

    def _expression(self, node: Tree) -> None:
        kind = node["class"]
        if kind not in EXPRESSIONS:
            raise UserError(f"{kind} is not accepted in a query / 查询中不能用 {kind}")
        if kind == "COLUMN_REF":
            names = [str(name).lower() for name in node["column_names"]]
            self.columns.update(names)
            self._last.add(names[-1])
        elif kind == "PARAMETER":
            self.parameters += 1
        elif kind in ("FUNCTION", "WINDOW"):
            _check_function(node)

    def _source(self, node: Tree) -> None:
        kind = node["type"]
        if kind not in SOURCES:
            raise UserError(f"{kind} is not accepted in FROM / FROM 中不能用 {kind}")
        if kind == "BASE_TABLE":
            self._base_table(node)
        elif kind == "TABLE_FUNCTION":
            name = str(node["function"].get("function_name", "")).lower()
            if name not in TABLES:
                raise UserError(f"{name}() is not accepted as a table / 不能把 {name}() 用作表")
        elif kind == "JOIN":
            self.columns.update(str(name).lower() for name in node["using_columns"])
        if kind == "PIVOT" or node.get("ref_type") == "NATURAL":
            self.whole |= set(_direct(node))

    def _base_table(self, node: Tree) -> None:
        view = (str(node["schema_name"]).lower(), str(node["table_name"]))
        if not view[0]:
            self._unqualified.add(view[1].lower())
            return
        self.views.add(view)
        for alias in (node["alias"], view[1]):
            self._aliases.setdefault(str(alias).lower(), set()).add(view)
        if node["column_name_alias"]:
            self.whole.add(view)


def read(sql: str) -> Reading:
    """The query as the engine reads it; UserError where it is no query, or calls what is not accepted."""
    with _lock:
        text = _parser().execute("SELECT json_serialize_sql(?::VARCHAR)", [sql]).fetchone()
    tree: dict[str, Any] = json.loads(text[0]) if text else {"error": True}
    if tree.get("error"):
        raise UserError(f"invalid SQL / SQL 有误: {str(tree.get('error_message', ''))[:300]}")
    if len(tree["statements"]) != 1:
        raise UserError("one query is accepted / 只接受一条查询")
    reading = Reading()
    reading.visit(tree["statements"][0])
    return reading.finish()


_lock = Lock()


@lru_cache
def _parser() -> duckdb.DuckDBPyConnection:
    """An empty database that parses and runs nothing else."""
    return duckdb.connect(":memory:", config={"threads": 1, "enable_external_access": "false"})


def _check_function(node: Tree) -> None:
    name = str(node["function_name"]).lower()
    if name not in FUNCTIONS or node.get("catalog") or node.get("schema") not in ("", "main", None):
        raise UserError(f"function {name}() is not accepted / 不能调用函数 {name}()")
    if name in BY_NAME:
        named = node["children"][1] if len(node["children"]) > 1 else {}
        value = named.get("value", {}).get("value") if named.get("class") == "CONSTANT" else None
        if str(value).lower() not in FUNCTIONS:
            raise UserError(
                f"function {name}() takes the name of an accepted function / {name}() 的第二个参数须是允许的函数名"
            )


def _has_star(select: Tree) -> bool:
    """Whether a star, or the number of a column, is in a SELECT itself, not in one below it."""
    return any(
        node.get("class") in ("STAR", "POSITIONAL_REFERENCE")
        for part, value in select.items()
        if part not in ("from_table", "cte_map")
        for node in _nodes(value)
    )


def _nodes(value: object) -> Iterator[Tree]:
    """Parts of a tree, without those of a SELECT in it."""
    parts: Iterable[object] = ()
    if isinstance(value, list):
        parts = value
    elif isinstance(value, Mapping) and "select_list" not in value:
        yield value
        parts = value.values()
    for part in parts:
        yield from _nodes(part)


def _direct(source: Tree) -> Iterator[tuple[str, str]]:
    """Views of a FROM clause, not those of a subquery in it."""
    if source.get("type") == "BASE_TABLE" and source["schema_name"]:
        yield str(source["schema_name"]).lower(), str(source["table_name"])
    for part in ("left", "right", "source"):
        if isinstance(source.get(part), Mapping):
            yield from _direct(source[part])
