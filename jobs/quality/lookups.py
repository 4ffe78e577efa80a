"""Lookup joins: rows of other datasets as a struct column each, so that any rule's condition may name their fields."""

from collections.abc import Callable, Sequence

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from jobs.contracts import TOLD, Lookup, Rule
from jobs.lake.bits import balanced, is_set, quoted
from jobs.lake.named_rows import NamedRows


def with_lookups(rows: DataFrame, lookups: Sequence[Lookup], read: Callable[[str], NamedRows]) -> DataFrame:
    """The rows with a struct column for each lookup, null where no row matches."""
    for lookup in lookups:
        keys = [key for key, _ in lookup.on]
        other = read(lookup.dataset)
        values = [_field(other, name).alias(name) for name in lookup.fields]
        lookup_rows = other.frame.dropDuplicates(keys).select(
            *(F.col(key).alias(f"_on_{key}") for key in keys), F.struct(*values).alias(lookup.alias)
        )
        key_matches = [F.expr(expression) == F.col(f"_on_{key}") for key, expression in lookup.on]
        joined = rows.join(lookup_rows, balanced(Column.__and__, key_matches), "left")
        rows = joined.drop(*(f"_on_{key}" for key in keys))
    return rows


def observed_values(rules: Sequence[Rule], prefix: str) -> dict[str, Column]:
    """The referenced value as text, for each rule that has a reference, where its bit is set; by column name."""
    referring = [(index, rule) for index, rule in enumerate(rules) if rule.reference]
    return {TOLD + r.id: F.when(is_set(i, prefix), F.expr(r.reference).cast("string")) for i, r in referring}


def _field(other: NamedRows, name: str) -> Column:
    return F.col(quoted(name)) if name in other.columns else F.lit(None)
