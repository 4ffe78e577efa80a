"""Profile of a curated table by field, and the rules that it suggests. Two queries for any number of fields."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from jobs.contracts import Contract, Field, Rule
from jobs.lake.bits import quoted
from jobs.quality.wordings import wordings

SHARES = (0.001, 0.25, 0.5, 0.75, 0.999)
FEW = 30
"""Fields with at most this many values are shown value by value."""
CODED = 12
ENOUGH_ROWS = 100
NUMBERS = ("integer", "number")


@dataclass(frozen=True)
class FieldProfile:
    """One field: rows with a value, about how many values, least and greatest, quantiles (SHARES), commonest values.

    Of a text, least and greatest are of its length.
    """

    field: Field
    rows: int
    filled: int
    distinct: int
    low: str
    high: str
    quantiles: tuple[float, ...] = ()
    top: tuple[tuple[str, int], ...] = ()

    def empty_share(self) -> float:
        """Share of rows without a value."""
        return 1 - self.filled / self.rows if self.rows else 0.0


def profile(rows: DataFrame, contract: Contract) -> tuple[FieldProfile, ...]:
    """Profiles of the contract's fields, in its order. Single values of personal fields are not listed."""
    fields = [f for f in contract.fields if f.name in rows.columns]
    aggregates = [
        column.alias(f"{index}_{name}") for index, f in enumerate(fields) for name, column in _aggregates(f).items()
    ]
    totals = rows.agg(F.count(F.lit(1)).alias("rows"), *aggregates).collect()[0].asDict()
    listed = [f.name for i, f in enumerate(fields) if _may_list_values(f) and totals[f"{i}_distinct"] <= FEW]
    tops = _tops(rows, listed)
    return tuple(_profile_of(f, index, totals, tops.get(f.name, [])) for index, f in enumerate(fields))


def _may_list_values(field: Field) -> bool:
    """Whether single values may be shown: texts that are not personal."""
    return field.type == "string" and not field.is_personal()


def _profile_of(field: Field, index: int, totals: Mapping[str, Any], top: Sequence[tuple[str, int]]) -> FieldProfile:
    return FieldProfile(
        field=field,
        rows=int(totals["rows"]),
        filled=int(totals[f"{index}_filled"]),
        distinct=int(totals[f"{index}_distinct"]),
        low=_as_text(totals[f"{index}_low"]),
        high=_as_text(totals[f"{index}_high"]),
        quantiles=tuple(float(v) for v in totals.get(f"{index}_quantiles") or ()),
        top=tuple(top),
    )


def _aggregates(field: Field) -> dict[str, Column]:
    value = F.col(quoted(field.name))
    measured = F.length(value) if field.type == "string" else value
    aggregates = {
        "filled": F.count(value),
        "distinct": F.approx_count_distinct(value, 0.02),
        "low": F.min(measured).cast("string"),
        "high": F.max(measured).cast("string"),
    }
    if field.type in NUMBERS:
        aggregates["quantiles"] = F.percentile_approx(value.cast("double"), list(SHARES), 10_000)
    return aggregates


def _tops(rows: DataFrame, names: Sequence[str]) -> Mapping[str, list[tuple[str, int]]]:
    if not names:
        return {}
    pairs = F.array(*(F.struct(F.lit(n).alias("name"), F.col(quoted(n)).alias("value")) for n in names))
    counted = rows.select(F.explode(pairs).alias("p")).where("p.value IS NOT NULL").groupBy("p.name", "p.value").count()
    top_values: dict[str, list[tuple[str, int]]] = {}
    for row in sorted(counted.collect(), key=lambda r: (-r["count"], r["value"])):
        top_values.setdefault(row["name"], []).append((row["value"], int(row["count"])))
    return top_values


def _as_text(value: Any) -> str:
    return "" if value is None else str(value)


def proposed(profiles: Sequence[FieldProfile], rules: Sequence[Rule]) -> list[dict[str, Any]]:
    """Suite entries that hold on the profiled rows and that no rule covers yet; each needs a person's review."""
    covered = {(rule.type, rule.kwargs.get("column")) for rule in rules}
    entries = []
    for profiled in profiles:
        if profiled.rows < ENOUGH_ROWS:
            continue
        for entry in (_never_empty(profiled), _in_codes(profiled), _in_range(profiled)):
            if entry is not None and (entry["type"], profiled.field.name) not in covered:
                entries.append(entry)
    return entries


def _entry(profiled: FieldProfile, ending: str, type_: str, kwargs: Mapping[str, Any]) -> dict[str, Any]:
    basis = wordings().proposed_basis.format(rows=profiled.rows)
    meta = {**wordings().proposed[ending].of(profiled.field.title), "basis": basis}
    kwargs = {"column": profiled.field.name, **kwargs}
    return {
        "id": f"{profiled.field.name}_{ending}",
        "type": type_,
        "kwargs": kwargs,
        "severity": "warning",
        "meta": meta,
    }


def _never_empty(profiled: FieldProfile) -> dict[str, Any] | None:
    if profiled.filled < profiled.rows or profiled.field.required:
        return None
    return _entry(profiled, "usually_given", "expect_column_values_to_not_be_null", {})


def _in_codes(profiled: FieldProfile) -> dict[str, Any] | None:
    if profiled.field.enum or not 2 <= len(profiled.top) <= CODED or profiled.filled < ENOUGH_ROWS:
        return None
    values = sorted(value for value, _ in profiled.top)
    return _entry(profiled, "usual_values", "expect_column_values_to_be_in_set", {"value_set": values})


def _in_range(profiled: FieldProfile) -> dict[str, Any] | None:
    if len(profiled.quantiles) != len(SHARES) or profiled.distinct < CODED or profiled.field.minimum is not None:
        return None
    low, high = profiled.quantiles[0], profiled.quantiles[-1]
    margin = (high - low) / 10
    kwargs = {"min_value": round(low - margin, 6), "max_value": round(high + margin, 6)}
    return _entry(profiled, "usual_range", "expect_column_values_to_be_between", kwargs)
