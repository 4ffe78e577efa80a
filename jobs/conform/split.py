"""Evaluated rows → the columns of silver, quarantine and evidence rows, on the engine; writes are in publish.py."""

from collections.abc import Collection, Sequence

from pyspark.sql import Column
from pyspark.sql import functions as F

from jobs.contracts import Contract, Rule
from jobs.contracts.names import DELIVERY, EXTRA, FAILING, FILE, FIRST_SENT, LINE, MARKS, ROW, SENT, SENT_DATE, SEQ
from jobs.lake.bits import any_held, any_set, is_set, quoted
from jobs.model.delivery import Delivery

MASK = "_mask"


def evaluated_columns(contract: Contract, extras: Sequence[str]) -> list[str]:
    """Names of an evaluated row's data columns: fields, qualifiers of censored fields, prefixed evolved extras."""
    return [*contract.columns(), *(EXTRA + name for name in extras)]


def value_columns(contract: Contract, extras: Sequence[str]) -> list[Column]:
    """The data columns of an evaluated row under their names in silver."""
    return [*map(F.col, contract.columns()), *(F.col(quoted(EXTRA + name)).alias(name) for name in extras)]


def staged_columns(
    contract: Contract, extras: Sequence[str], arrived: Collection[str], rules: Sequence[Rule], delivery: Delivery
) -> dict[str, Column]:
    """The columns of a silver row, by name, over evaluated rows, marked with the warnings that the row breaks; and `FAILING`.

    `arrived` are the delivered fields.
    """
    warnings = [i for i, rule in enumerate(rules) if rule.severity == "warning"]
    marks = F.array_compact(F.array(*(F.when(is_set(i, MASK), F.lit(rules[i].id)) for i in warnings)))
    marked = F.when(any_set(warnings, MASK), marks) if warnings else F.lit(None)
    values = {name: F.col(quoted(name)) for name in contract.columns()}
    values |= {name: F.col(quoted(EXTRA + name)) for name in extras}
    return values | {
        DELIVERY: F.lit(delivery.id),
        SEQ: F.lit(delivery.seq).cast("bigint"),
        FILE: F.col(FILE),
        ROW: F.col(ROW),
        MARKS: marked.cast("array<string>"),
        FIRST_SENT: F.col(SENT_DATE),
        FAILING: failing_list(arrived, rules, contract),
    }


def key_column(contract: Contract) -> Column:
    """The row's key as JSON, as in evidence; null where the dataset has none."""
    if not contract.key():
        return F.lit(None).cast("string")
    return F.to_json(F.struct(*(F.col(name).cast("string").alias(name) for name in contract.key())))


def failing_columns(arrived: Collection[str], rules: Sequence[Rule], contract: Contract) -> dict[str, Column]:
    """What was sent in a row that breaks a rule, null in others; names with the prefix of failing rows.

    `key` and `raw` (JSON), `_line` with the text of a malformed row, and `v_<field>` for each field that a rule names.
    `arrived` are the delivered fields.
    """
    line = _sent(LINE, arrived) if LINE in arrived else F.lit(None).cast("string")
    named = sorted({name for rule in rules for name in rule.fields})
    values = {f"v_{name}": _sent(name, arrived) for name in named}
    raw = F.to_json(F.struct(*(_sent(name, arrived).alias(name) for name in arrived)))
    columns = {"key": key_column(contract), "raw": raw, LINE: line, **values}
    return {FAILING + name: F.when(_is_failing(rules), column) for name, column in columns.items()}


def failing_names(rules: Sequence[Rule]) -> list[str]:
    """Names of the failing rows' columns, in the order of the list `FAILING` of a staged row."""
    named = sorted({name for rule in rules for name in rule.fields})
    return ["key", "raw", LINE, *(f"v_{name}" for name in named)]


def failing_list(arrived: Collection[str], rules: Sequence[Rule], contract: Contract) -> Column:
    """The same as one list, null in rows that break no rule: one column to write for most rows, instead of one a field."""
    columns = failing_columns(arrived, rules, contract)
    texts = F.array(*(columns[FAILING + name] for name in failing_names(rules)))
    return F.when(_is_failing(rules), texts)


def _is_failing(rules: Sequence[Rule]) -> Column:
    return any_held(len(rules), MASK)


def _sent(name: str, arrived: Collection[str]) -> Column:
    """The text of a field as sent; of a computed field, its value as text."""
    if name not in arrived:
        return F.col(name).cast("string")
    return F.col(LINE) if name == LINE else F.col(quoted(SENT + name))
