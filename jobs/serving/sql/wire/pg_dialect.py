"""PostgreSQL's questions about its catalogue in the engine's SQL."""

import sqlglot
from sqlglot import exp

from jobs.errors import UserError

SCHEMA = "pg"
"""The engine keeps the name pg_catalog for its own tables."""
NAMED = {"pg_catalog": "", "information_schema": "info_"}
"""Schemas of the catalogue, and how the names of their tables begin in SCHEMA."""
NAMES_OF = {"regclass": "pg_lake_name_of", "regnamespace": "pg_lake_schema_of", "regtype": "format_type"}
OIDS_OF = {"regclass": "pg_lake_oid_of", "regtype": "pg_lake_type_of", "regnamespace": "pg_lake_oid_of"}
RENAMED = {
    **dict.fromkeys(("name", "char", "text", "regproc", "regprocedure", "aclitem", "cstring"), "VARCHAR"),
    **dict.fromkeys(("oid", "xid", "int8", "regoper"), "BIGINT"),
    **{"int2": "SMALLINT", "int4": "INTEGER", "oidvector": "BIGINT[]", "int2vector": "INTEGER[]"},
    **{"text[]": "VARCHAR[]", "name[]": "VARCHAR[]", "char[]": "VARCHAR[]", "oid[]": "BIGINT[]", "int2[]": "INTEGER[]"},
}
IN_FROM = (
    "generate_series",
    "exploding_generate_series",
    "unnest",
    "explode",
    "pg_get_keywords",
    "pg_timezone_names",
    "_pg_expandarray",
)
"""Functions that may be in place of a table."""
VALUES = {
    exp.CurrentSchema: "pg_lake_schema",
    exp.CurrentUser: "pg_lake_user",
    exp.SessionUser: "pg_lake_user",
    exp.CurrentVersion: "version",
}
ENGINE_NAMES = {"json_build_object": "json_object"}
BY_NAME = {"current_schemas": "pg_lake_schemas", "current_role": "pg_lake_user", "user": "pg_lake_user"}


def parsed(sql: str) -> exp.Expr | None:
    """The statement; None where it cannot be read."""
    try:
        return sqlglot.parse_one(sql, dialect="postgres")
    except (sqlglot.errors.SqlglotError, RecursionError):
        return None


def translated(tree: exp.Expr) -> str:
    """The question as the engine reads it; UserError where it cannot be said in its SQL."""
    for table in tree.find_all(exp.Table):
        _move(table)
    # Leaves first: what is within a cast or a call is changed before it is.
    for node in reversed(list(tree.walk())):
        changed = _changed(node)
        if changed is not node:
            if node is tree:
                tree = changed
            else:
                node.replace(changed)
    try:
        return tree.sql(dialect="duckdb", comments=False)
    except (sqlglot.errors.SqlglotError, ValueError) as error:
        raise UserError("the question about tables is not understood / 无法理解这条关于表的查询") from error


def _move(table: exp.Table) -> None:
    """A table of the catalogue to the schema that has it; `x` in `FROM unnest(list) x` names the column too."""
    if isinstance(table.this, exp.Func):
        name = (table.this.name if isinstance(table.this, exp.Anonymous) else table.this.sql_name()).lower()
        if name not in IN_FROM:
            raise UserError(f"{name}() is not accepted as a table / 不能把 {name}() 用作表")
        table.set("db", None)
        alias = table.args.get("alias")
        if alias is not None and not alias.columns:
            alias.set("columns", [exp.to_identifier(alias.name)])
        return
    schema, name = table.db.lower(), table.name.lower()
    if schema in NAMED or name.startswith("pg_"):
        if not table.alias:
            table.set("alias", exp.TableAlias(this=exp.to_identifier(table.name)))
        table.set("this", exp.to_identifier(NAMED.get(schema, "") + name))
        table.set("db", exp.to_identifier(SCHEMA))
        table.set("catalog", None)


def _changed(node: exp.Expr) -> exp.Expr:
    if isinstance(node, exp.Operator):
        return _operator(node)
    if isinstance(node, exp.Cast):
        return _cast(node)
    if isinstance(node, exp.Column) and node.db.lower() in NAMED:
        return exp.column(node.this, table=node.args["table"])
    if isinstance(node, exp.Func) and not isinstance(node, exp.Collate):
        return _call(node)
    return _bare(node)


def _bare(node: exp.Expr) -> exp.Expr:
    """The expression without its collation, or without the schema of its function."""
    inner = node.this if isinstance(node, exp.Collate) else None
    if isinstance(node, exp.Dot) and isinstance(node.expression, exp.Func):
        inner = node.expression
    return inner if isinstance(inner, exp.Expr) else node


def _call(node: exp.Func) -> exp.Expr:
    for kind, name in VALUES.items():
        if isinstance(node, kind):
            return exp.Anonymous(this=name)
    if isinstance(node, exp.Anonymous) and node.name.lower() in ENGINE_NAMES:
        return exp.Anonymous(this=ENGINE_NAMES[node.name.lower()], expressions=node.expressions)
    if isinstance(node, exp.Anonymous) and node.name.lower() in BY_NAME:
        return exp.Anonymous(this=BY_NAME[node.name.lower()])
    return node


def _operator(node: exp.Operator) -> exp.Expr:
    sign = str(node.args["operator"]).rpartition(".")[2].strip()
    both = {"this": node.this, "expression": node.expression}
    if sign in ("~", "!~", "~*"):
        found = exp.RegexpILike(**both) if sign == "~*" else exp.RegexpLike(**both)
        return exp.Not(this=found) if sign == "!~" else found
    if sign in ("=", "<>"):
        return exp.EQ(**both) if sign == "=" else exp.NEQ(**both)
    raise UserError("the question about tables is not understood / 无法理解这条关于表的查询")


def _cast(node: exp.Cast) -> exp.Expr:
    kind = node.to.sql(dialect="postgres").lower().replace('"', "").removeprefix("pg_catalog.")
    named = _named_object(node.this, kind)
    if named is not None:
        return named
    if kind == "text[]" and isinstance(node.this, exp.Literal):
        words = node.this.name.strip("{}").split(",")
        return exp.Array(expressions=[exp.Literal.string(word) for word in words if word])
    if kind in RENAMED:
        return exp.Cast(this=node.this, to=exp.DataType.build(RENAMED[kind], dialect="duckdb"))
    return node


def _named_object(inner: exp.Expr, kind: str) -> exp.Expr | None:
    """A cast between the name of an object and its oid; None for another one."""
    if kind in OIDS_OF and isinstance(inner, exp.Literal | exp.Parameter | exp.Placeholder):
        return exp.Anonymous(this=OIDS_OF[kind], expressions=[inner])
    if kind in NAMES_OF:
        more = [exp.Null()] if kind == "regtype" else []
        return exp.Anonymous(this=NAMES_OF[kind], expressions=[inner, *more])
    if kind in ("oid", "int8", "int4") and isinstance(inner, exp.Anonymous) and inner.name in OIDS_OF.values():
        return inner
    if kind.startswith("reg") and isinstance(inner, exp.Literal):
        return exp.Literal.string(inner.name.removeprefix("pg_catalog."))
    return None
