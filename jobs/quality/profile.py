"""What a curated table holds, field by field, and the rules that this suggests. Two queries, whatever the number of fields."""

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
"""Fields with so many values at most are shown value by value."""
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
    """Profiles of the contract's fields, in its order. Values of personal fields are not looked at one by one."""
    fields = [f for f in contract.fields if f.name in rows.columns]
    asked = [column.alias(f"{index}_{name}") for index, f in enumerate(fields) for name, column in _asked(f).items()]
    found = rows.agg(F.count(F.lit(1)).alias("rows"), *asked).collect()[0].asDict()
    told = [f.name for i, f in enumerate(fields) if _may_be_told(f) and found[f"{i}_distinct"] <= FEW]
    tops = _tops(rows, told)
    return tuple(_profile_of(f, index, found, tops.get(f.name, [])) for index, f in enumerate(fields))


def _may_be_told(field: Field) -> bool:
    """Whether single values may be shown: words that are nobody's own."""
    return field.type == "string" and not field.is_personal()


def _profile_of(field: Field, index: int, found: Mapping[str, Any], top: Sequence[tuple[str, int]]) -> FieldProfile:
    return FieldProfile(
        field=field,
        rows=int(found["rows"]),
        filled=int(found[f"{index}_filled"]),
        distinct=int(found[f"{index}_distinct"]),
        low=_said(found[f"{index}_low"]),
        high=_said(found[f"{index}_high"]),
        quantiles=tuple(float(v) for v in found.get(f"{index}_quantiles") or ()),
        top=tuple(top),
    )


def _asked(field: Field) -> dict[str, Column]:
    value = F.col(quoted(field.name))
    measured = F.length(value) if field.type == "string" else value
    asked = {
        "filled": F.count(value),
        "distinct": F.approx_count_distinct(value, 0.02),
        "low": F.min(measured).cast("string"),
        "high": F.max(measured).cast("string"),
    }
    if field.type in NUMBERS:
        asked["quantiles"] = F.percentile_approx(value.cast("double"), list(SHARES), 10_000)
    return asked


def _tops(rows: DataFrame, names: Sequence[str]) -> Mapping[str, list[tuple[str, int]]]:
    if not names:
        return {}
    pairs = F.array(*(F.struct(F.lit(n).alias("name"), F.col(quoted(n)).alias("value")) for n in names))
    counted = rows.select(F.explode(pairs).alias("p")).where("p.value IS NOT NULL").groupBy("p.name", "p.value").count()
    found: dict[str, list[tuple[str, int]]] = {}
    for row in sorted(counted.collect(), key=lambda r: (-r["count"], r["value"])):
        found.setdefault(row["name"], []).append((row["value"], int(row["count"])))
    return found


def _said(value: Any) -> str:
    return "" if value is None else str(value)


def proposed(profiles: Sequence[FieldProfile], rules: Sequence[Rule]) -> list[dict[str, Any]]:
    """Suite entries that hold on what was seen and that no rule says yet; each to be looked at by a person."""
    taken = {(rule.type, rule.kwargs.get("column")) for rule in rules}
    found = []
    for one in profiles:
        if one.rows < ENOUGH_ROWS:
            continue
        for entry in (_never_empty(one), _in_codes(one), _in_range(one)):
            if entry is not None and (entry["type"], one.field.name) not in taken:
                found.append(entry)
    return found


def _entry(one: FieldProfile, ending: str, type_: str, kwargs: Mapping[str, Any]) -> dict[str, Any]:
    basis = wordings().proposed_basis.format(rows=one.rows)
    meta = {**wordings().proposed[ending].of(one.field.title), "basis": basis}
    kwargs = {"column": one.field.name, **kwargs}
    return {"id": f"{one.field.name}_{ending}", "type": type_, "kwargs": kwargs, "severity": "warning", "meta": meta}


def _never_empty(one: FieldProfile) -> dict[str, Any] | None:
    if one.filled < one.rows or one.field.required:
        return None
    return _entry(one, "usually_given", "expect_column_values_to_not_be_null", {})


def _in_codes(one: FieldProfile) -> dict[str, Any] | None:
    if one.field.enum or not 2 <= len(one.top) <= CODED or one.filled < ENOUGH_ROWS:
        return None
    values = sorted(value for value, _ in one.top)
    return _entry(one, "usual_values", "expect_column_values_to_be_in_set", {"value_set": values})


def _in_range(one: FieldProfile) -> dict[str, Any] | None:
    if len(one.quantiles) != len(SHARES) or one.distinct < CODED or one.field.minimum is not None:
        return None
    low, high = one.quantiles[0], one.quantiles[-1]
    margin = (high - low) / 10
    kwargs = {"min_value": round(low - margin, 6), "max_value": round(high + margin, 6)}
    return _entry(one, "usual_range", "expect_column_values_to_be_between", kwargs)
