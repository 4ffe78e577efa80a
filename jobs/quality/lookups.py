"""Rows of other datasets beside the rows judged: a struct column for each, so that any rule's words may name it."""

from collections.abc import Callable, Sequence

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from jobs.contracts import TOLD, Lookup, Rule
from jobs.lake.bits import balanced, quoted


def with_lookups(rows: DataFrame, lookups: Sequence[Lookup], read: Callable[[str], DataFrame]) -> DataFrame:
    """The rows with a struct column for each lookup, null where it finds none."""
    names = rows.columns if lookups else []
    for one in lookups:
        keys = [key for key, _ in one.on]
        other = read(one.dataset).dropDuplicates(keys)
        values = [_field(other, name).alias(name) for name in one.fields]
        found = other.select(*(F.col(key).alias(f"_on_{key}") for key in keys), F.struct(*values).alias(one.alias))
        same = [F.expr(expression) == F.col(f"_on_{key}") for key, expression in one.on]
        joined = rows.join(found, balanced(Column.__and__, same), "left")
        names = [*names, one.alias]
        rows = joined.select(*(quoted(name) for name in names))
    return rows


def observed_values(rules: Sequence[Rule], unexpected: Sequence[Column]) -> list[Column]:
    """For each rule that refers to the other side's value: that value as text, where the row breaks the rule."""
    pairs = [(rule, breaks) for rule, breaks in zip(rules, unexpected, strict=True) if rule.reference]
    return [F.when(breaks, F.expr(rule.reference).cast("string")).alias(TOLD + rule.id) for rule, breaks in pairs]


def _field(other: DataFrame, name: str) -> Column:
    return F.col(quoted(name)) if name in other.columns else F.lit(None)
