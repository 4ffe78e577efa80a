"""The rows of a training set: a condition over a table's columns, and a certificate that anyone can compute again."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

import duckdb
import pyarrow as pa
import sqlglot
from deltalake import DeltaTable, QueryBuilder
from sqlglot import exp

from jobs.catalogue.registers import Certificate, Selection
from jobs.contracts import Contract
from jobs.contracts.grades import is_sensitive
from jobs.errors import UserError

DIALECT = "duckdb"
ALLOWED = (
    exp.And, exp.Or, exp.Not, exp.Paren, exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.In, exp.Between, exp.Is,
    exp.Null, exp.Like, exp.Literal, exp.Boolean, exp.Neg, exp.Column, exp.Identifier, exp.Cast, exp.DataType, exp.Tuple,
)  # fmt: skip
ROWS_A_TIME = 50_000


def checked_selection(selection: Selection, contract: Contract) -> None:
    """UserError where a column is unknown, the condition is none, or it asks for values that are personal."""
    known = {field.name: field for field in contract.fields}
    unknown = [name for name in selection.columns if name not in known]
    if unknown or not selection.columns:
        said = f"没有字段 {'、'.join(unknown)}" if unknown else "须选择至少一个字段"
        raise UserError(f"{contract.title}：{said}；可以是：{'、'.join(known)}")
    for name in condition_columns(selection.condition):
        if name not in known:
            raise UserError(f"筛选条件中的 {name} 不是 {contract.title} 的字段；可以是：{'、'.join(known)}")
        if is_sensitive(known[name].classification):
            # How many rows fulfil a condition would say what a person's value is.
            raise UserError(f"筛选条件不能使用 {known[name].classification} 字段 {known[name].title}；请改用其他字段")


def condition_columns(condition: str) -> tuple[str, ...]:
    """Columns that a condition names; UserError where it is no comparison of columns with values."""
    tree = _condition(condition)
    if tree is None:
        return ()
    for node in tree.walk():
        if not isinstance(node, ALLOWED) or (isinstance(node, exp.Column) and node.table):
            raise UserError(
                f"筛选条件不能使用「{node.sql(dialect=DIALECT)[:60]}」；可以用 =、<>、<、>、IN、BETWEEN、IS NULL、LIKE、AND、OR、NOT"
            )
    return tuple(dict.fromkeys(column.name for column in tree.find_all(exp.Column)))


def grade(selection: Selection, contract: Contract) -> str:
    """The highest grade of the columns taken."""
    return max(contract.field(name).classification for name in selection.columns)


def certificate(table: DeltaTable, selection: Selection, contract: Contract, at: datetime) -> Certificate:
    """What the table's rows are; `table` is open at the selection's version. Without a score.

    UserError where a column is not in that version.
    """
    digest = hashlib.sha256()
    with _taken(table, selection, contract) as engine:
        counts = ", ".join(f"count({_quoted(name)})" for name in selection.columns)
        rows, *filled = engine.execute(f"SELECT count(*), {counts} FROM taken").fetchall()[0]
        for line in _lines(engine):
            digest.update(line)
    return Certificate(
        rows=rows,
        digest=digest.hexdigest(),
        grade=grade(selection, contract),
        complete={
            name: round(count / rows, 6) if rows else 0.0 for name, count in zip(selection.columns, filled, strict=True)
        },
        at=at.isoformat(),
    )


def json_lines(table: DeltaTable, selection: Selection, contract: Contract) -> Iterator[bytes]:
    """The rows as JSON lines, in order of their text: what the digest of the certificate is of."""
    with _taken(table, selection, contract) as engine:
        yield from _lines(engine)


@contextmanager
def _taken(table: DeltaTable, selection: Selection, contract: Contract) -> Iterator[duckdb.DuckDBPyConnection]:
    """A database with the rows in its table `taken`."""
    checked_selection(selection, contract)
    with duckdb.connect(":memory:", config={"autoload_known_extensions": "false"}) as engine:
        engine.execute("SET enable_external_access = false; SET TimeZone = 'UTC'")
        engine.register("chosen", _read(table, selection))
        condition = _condition(selection.condition)
        where = f" WHERE {condition.sql(dialect=DIALECT, comments=False)}" if condition is not None else ""
        listed = ", ".join(map(_quoted, selection.columns))
        try:
            engine.execute(f"CREATE TABLE taken AS SELECT {listed} FROM chosen{where}")
        except duckdb.Error as error:
            said = str(error).split("\n")[0][:200]
            raise UserError(f"筛选条件「{selection.condition[:100]}」不能用于 {contract.title}：{said}") from error
        yield engine


def _lines(engine: duckdb.DuckDBPyConnection) -> Iterator[bytes]:
    answer = engine.execute("SELECT CAST(to_json(t) AS VARCHAR) AS line FROM taken AS t ORDER BY line")
    for batch in answer.to_arrow_reader(ROWS_A_TIME):
        for line in batch.column(0).to_pylist():
            yield line.encode() + b"\n"


def _read(table: DeltaTable, selection: Selection) -> pa.Table:
    """The columns that are taken or compared."""
    names = tuple(dict.fromkeys((*selection.columns, *condition_columns(selection.condition))))
    there = {field.name for field in table.schema().fields}
    if lacking := [name for name in names if name not in there]:
        raise UserError(f"版本 {selection.version} 的表里没有字段 {'、'.join(lacking)}；请换一个版本")
    listed = ", ".join(map(_quoted, names))
    return pa.table(QueryBuilder().register("t", table).execute(f"SELECT {listed} FROM t").read_all())


def _condition(text: str) -> exp.Expr | None:
    """The condition as parsed; None where it is empty."""
    if not text.strip():
        return None
    try:
        tree = sqlglot.parse_one(f"SELECT 1 FROM t WHERE {text}", dialect=DIALECT)
    except sqlglot.errors.SqlglotError as error:
        raise UserError(f"筛选条件「{text[:100]}」无法解析；写作 字段 = '值'，可以用 AND、OR、NOT 连接") from error
    others = [name for name, value in tree.args.items() if value and name not in ("expressions", "from_", "where")]
    where = tree.args.get("where")
    if others or where is None:
        raise UserError(f"筛选条件「{text[:100]}」只能是一个条件，不能带有 {'、'.join(others) or '其他语句'}")
    found: exp.Expr = where.this
    return found


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
