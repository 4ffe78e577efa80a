"""A query of the service in Spark's dialect, where both engines are known to give the same answer.

What is accepted is a list, by kind of expression and by the types that it is over. All else stays with DuckDB: a query that
means something else on the other engine would be answered wrongly, without a sign.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import sqlglot
from sqlglot import exp
from sqlglot.optimizer.annotate_types import annotate_types
from sqlglot.optimizer.qualify import qualify

from jobs.serving.sql.readable import SCHEMAS

FROM, TO = "duckdb", "spark"
Types = Mapping[str, Mapping[str, str]]
"""Columns with DuckDB's types, by the name of the view."""

TEXT, NUMBER, DECIMAL, TIME, DATE, TRUTH, NOTHING = "text", "number", "decimal", "time", "date", "truth", "nothing"
T = exp.DataType.Type
FAMILIES = {
    TEXT: (T.VARCHAR, T.TEXT, T.CHAR),
    NUMBER: (T.TINYINT, T.SMALLINT, T.INT, T.BIGINT, T.FLOAT, T.DOUBLE),
    DECIMAL: (T.DECIMAL,),
    TIME: (T.TIMESTAMPTZ,),
    DATE: (T.DATE,),
    TRUTH: (T.BOOLEAN,),
    NOTHING: (T.NULL,),
}
FAMILY = {kind: family for family, kinds in FAMILIES.items() for kind in kinds}
UNITS = ("YEAR", "QUARTER", "MONTH", "DAY", "HOUR", "MINUTE")
PLAIN = (
    *(exp.Select, exp.From, exp.Where, exp.Having, exp.Group, exp.Order, exp.Ordered, exp.Limit, exp.Offset, exp.With),
    *(exp.CTE, exp.Table, exp.TableAlias, exp.Identifier, exp.Alias, exp.Paren, exp.Var, exp.Null, exp.Boolean),
    *(exp.Star, exp.Filter, exp.Min, exp.Max, exp.Count, exp.DataType),
)
"""Kinds that mean the same over any types."""
COMPARISONS = (exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE)


class OnlyDuckDB(Exception):
    """The query stays with DuckDB; the text says what in it."""


@dataclass(frozen=True)
class SparkQuery:
    """The query over views, by the name of the view, and the columns of each that it reads."""

    tree: exp.Expr
    columns: Mapping[str, tuple[str, ...]]

    def sql(self, names: Mapping[str, str]) -> str:
        """The text for the engine; `names`: what each view is called there."""
        tree = self.tree.copy()
        for table in tree.find_all(exp.Table):
            if table.db:
                table.set("db", None)
                table.set("this", exp.to_identifier(names[table.name]))
        return tree.sql(dialect=TO, comments=False)


def spark_query(sql: str, types: Types) -> SparkQuery:
    """The query, which DuckDB's own parser has read, for Spark; OnlyDuckDB where its answers may differ."""
    schema: dict[str, object] = dict.fromkeys(SCHEMAS, types)
    try:
        tree = qualify(sqlglot.parse_one(sql, dialect=FROM), dialect=FROM, schema=schema)
        tree = annotate_types(tree, schema=schema, dialect=FROM)
    except sqlglot.errors.SqlglotError as error:
        raise OnlyDuckDB("names that are not resolved") from error
    for node in list(tree.walk()):
        _check(node)
    return SparkQuery(tree, _columns(tree))


def _columns(tree: exp.Expr) -> dict[str, tuple[str, ...]]:
    """Columns by view; an alias of two views, in two subqueries, gets the columns of both."""
    views: dict[str, set[str]] = {}
    for table in tree.find_all(exp.Table):
        if table.db:
            views.setdefault(table.alias_or_name, set()).add(table.name)
    found: dict[str, dict[str, None]] = {name: {} for names in views.values() for name in names}
    for column in tree.find_all(exp.Column):
        for view in views.get(column.table, ()):
            found[view][column.name] = None
    return {view: tuple(names) for view, names in found.items()}


def _check(node: exp.Expr) -> None:
    rule = RULES.get(type(node))
    if rule is None or not rule(node):
        raise OnlyDuckDB(type(node).__name__)


def _of(node: exp.Expr | None) -> str:
    """The family of an expression's type; empty where it is not known."""
    if isinstance(node, exp.Paren | exp.Alias | exp.Filter):
        return _of(node.this)
    if isinstance(node, exp.Min | exp.Max):
        return _of(node.this)
    if isinstance(node, exp.Count | exp.Null):
        return NUMBER if isinstance(node, exp.Count) else NOTHING
    kind = getattr(node, "type", None)
    return FAMILY.get(kind.this, "") if kind is not None else ""


def _alike(*nodes: exp.Expr | None) -> bool:
    """Whether values of these are of one family, or NULL."""
    families = {_of(node) for node in nodes} - {NOTHING}
    return "" not in families and len(families) == 1


def _comparable(*nodes: exp.Expr | None) -> bool:
    """Whether values of these are compared alike by both engines: numbers of all kinds, and others of one family."""
    return _alike(*nodes) or {_of(node) for node in nodes} - {NOTHING} <= {NUMBER, DECIMAL}


def _compared(node: exp.Expr) -> bool:
    """Both sides alike; a text next to a time or a date becomes one, as DuckDB reads it."""
    for side, other in ((node.this, node.expression), (node.expression, node.this)):
        _as_moment(side, _of(other))
    return _comparable(node.this, node.expression)


def _as_moment(node: exp.Expr, family: str) -> None:
    if family in (TIME, DATE) and isinstance(node, exp.Literal) and node.is_string:
        kind = exp.DataType.build("TIMESTAMPTZ" if family == TIME else "DATE", dialect=FROM)
        cast = exp.Cast(this=node.copy(), to=kind)
        cast.type = kind
        node.replace(cast)


def _between(node: exp.Expr) -> bool:
    for side in ("low", "high"):
        _as_moment(node.args[side], _of(node.this))
    return not node.args.get("symmetric") and _comparable(node.this, node.args["low"], node.args["high"])


def _listed(node: exp.Expr) -> bool:
    if not node.expressions or any(node.args.get(key) for key in ("query", "unnest", "field")):
        return False
    for item in node.expressions:
        _as_moment(item, _of(node.this))
    return _comparable(node.this, *node.expressions)


def _literal(node: exp.Expr) -> bool:
    """Texts with a backslash are read differently."""
    return not (node.is_string and "\\" in node.name)


def _matched(node: exp.Expr) -> bool:
    return _of(node.this) == TEXT and isinstance(node.expression, exp.Literal) and node.expression.is_string


def _cases(node: exp.Expr) -> bool:
    ends = [one.args.get("true") for one in node.args["ifs"]]
    default = node.args.get("default")
    return node.this is None and _alike(*ends, *([default] if default is not None else []))


def _joined(node: exp.Expr) -> bool:
    kinds = (node.text("side").upper(), node.text("kind").upper())
    is_known = kinds in (("", ""), ("", "INNER"), ("LEFT", ""), ("LEFT", "OUTER"))
    return is_known and not node.args.get("method") and node.args.get("on") is not None


def _derived(node: exp.Expr) -> bool:
    """A query in place of a table, not one in place of a value."""
    return isinstance(node.parent, exp.From | exp.Join)


def _cast(node: exp.Expr) -> bool:
    of, to = _of(node.this), _of(node)
    is_moment = isinstance(node.this, exp.Literal) and node.this.is_string and to in (TIME, DATE)
    return is_moment or (of, to) == (TIME, DATE) or (of == NUMBER and node.args["to"].this is T.DOUBLE)


def _part(node: exp.Expr) -> bool:
    return node.name.upper() in UNITS and _of(node.expression) in (
        (TIME,) if node.name.upper() in ("HOUR", "MINUTE") else (TIME, DATE)
    )


def _truncated(node: exp.Expr) -> bool:
    return node.text("unit").upper() in (*UNITS, "WEEK") and _of(node.this) == TIME and not node.args.get("zone")


def _over(*families: str) -> Callable[[exp.Expr], bool]:
    return lambda node: _of(node.this) in families


def _both(*families: str) -> Callable[[exp.Expr], bool]:
    return lambda node: _of(node.this) in families and _of(node.expression) in families


def _anything(_node: exp.Expr) -> bool:
    return True


RULES: Mapping[type, Callable[[exp.Expr], bool]] = {
    **dict.fromkeys(PLAIN, _anything),
    **dict.fromkeys(COMPARISONS, _compared),
    **dict.fromkeys((exp.Add, exp.Sub, exp.Mul), _both(NUMBER)),
    **dict.fromkeys((exp.Neg, exp.Abs, exp.Avg), _over(NUMBER)),
    **dict.fromkeys((exp.And, exp.Or), _both(TRUTH)),
    exp.Not: _over(TRUTH),
    **dict.fromkeys((exp.Year, exp.Quarter, exp.Month, exp.Day), _over(TIME, DATE)),
    **dict.fromkeys((exp.Hour, exp.Minute), _over(TIME)),
    exp.Column: lambda node: bool(_of(node)) or (not node.text("table") and isinstance(node.parent, exp.Ordered)),
    exp.Sum: _over(NUMBER, DECIMAL),
    exp.Between: _between,
    exp.In: _listed,
    exp.Is: lambda node: isinstance(node.expression, exp.Null | exp.Boolean),
    exp.Literal: _literal,
    exp.Like: _matched,
    exp.Case: _cases,
    exp.If: lambda node: isinstance(node.parent, exp.Case),
    exp.Coalesce: lambda node: _alike(node.this, *node.expressions),
    exp.Join: _joined,
    exp.Subquery: _derived,
    exp.Distinct: lambda node: not node.args.get("on"),
    exp.Cast: _cast,
    exp.Extract: _part,
    exp.TimestampTrunc: _truncated,
}
