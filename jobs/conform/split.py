"""Evaluated rows → silver, quarantine and evidence rows; pure, writes are in publish.py."""

from collections.abc import Sequence

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from jobs.contracts import TOLD, Contract, Rule
from jobs.contracts.names import EXTRA, FILE, FIRST_SENT, LINE, ROW, SENT_DATE
from jobs.lake.bits import any_set, is_set, quoted
from jobs.model.delivery import Delivery

MASK = "_mask"


def evaluated_columns(contract: Contract, extras: Sequence[str]) -> list[str]:
    """Names of an evaluated row's data columns: fields, qualifiers of censored fields, prefixed evolved extras."""
    return [*contract.columns(), *(EXTRA + name for name in extras)]


def value_columns(contract: Contract, extras: Sequence[str]) -> list[Column]:
    """The data columns of an evaluated row under their names in silver."""
    return [*map(F.col, contract.columns()), *(F.col(quoted(EXTRA + name)).alias(name) for name in extras)]


def silver_rows(evaluated: DataFrame, rules: Sequence[Rule], values: Sequence[Column], delivery: Delivery) -> DataFrame:
    """Rows that pass all critical rules, marked with the warnings that they fail."""
    warnings = [i for i, rule in enumerate(rules) if rule.severity == "warning"]
    marks = F.array_compact(F.array(*(F.when(is_set(i, MASK), F.lit(rules[i].id)) for i in warnings)))
    marked = F.when(any_set(warnings, MASK), marks) if warnings else F.lit(None)
    good = evaluated.filter(~any_set(_critical(rules), MASK))
    return good.select(
        *values,
        F.lit(delivery.id).alias("_delivery"),
        F.lit(delivery.seq).cast("bigint").alias("_seq"),
        "_file",
        "_row",
        marked.cast("array<string>").alias("_marks"),
        F.col(SENT_DATE).alias(FIRST_SENT),
    )


def key_column(contract: Contract) -> Column:
    """The row's key as JSON, as in evidence; null where the dataset has none."""
    if not contract.key():
        return F.lit(None).cast("string")
    return F.to_json(F.struct(*(F.col(name).cast("string").alias(name) for name in contract.key())))


def broken_rows(evaluated: DataFrame, rules: Sequence[Rule], contract: Contract) -> DataFrame:
    """Rows that fail any rule, as sent, with their masks: the input of quarantine and evidence.

    Columns: `_file`, `_row`, those of `sent_columns`, `_mask…`, and `_told_<rule>` for each rule with a lookup value.
    """
    passed = [name for name in evaluated.columns if name.startswith((MASK, TOLD))]
    broken = evaluated.filter(any_set(range(len(rules)), MASK))
    sent = [column.alias(name) for name, column in sent_columns(evaluated, rules, contract).items()]
    return broken.select(FILE, ROW, *sent, *passed)


def sent_columns(evaluated: DataFrame, rules: Sequence[Rule], contract: Contract) -> dict[str, Column]:
    """What was sent in a row, by name: `key` and `raw` (JSON), `_line` with the text of a malformed row, and `v_<field>` for each
    field that a rule names.
    """
    arrived = set(evaluated.schema["_raw"].dataType.fieldNames())
    line = F.col("_raw").getField(LINE) if LINE in arrived else F.lit(None).cast("string")
    named = sorted({name for rule in rules for name in rule.fields})
    values = {f"v_{name}": _sent(name, arrived) for name in named}
    return {"key": key_column(contract), "raw": F.to_json("_raw"), LINE: line, **values}


def _critical(rules: Sequence[Rule]) -> list[int]:
    return [i for i, rule in enumerate(rules) if rule.severity == "critical"]


def _sent(name: str, arrived: set[str]) -> Column:
    """The text of a field as sent; of a computed field, its value as text."""
    return F.col("_raw").getField(name) if name in arrived else F.col(name).cast("string")
