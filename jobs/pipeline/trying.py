"""A delivery's bronze rows → judged rows, nothing written: what conform, verify and recheck have in common."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from jobs import quality
from jobs.conform import Repair, typed, value_columns
from jobs.contracts import MALFORMED, Contract, Rule
from jobs.lake.bits import is_set
from jobs.lake.delivery import Delivery
from jobs.lake.lake import Lake
from jobs.lake.zones import TablePath, Zone

if TYPE_CHECKING:
    from jobs.quality.run import Judged

SENT_DATE = "_sent_date"
"""Column that rules may name: the day, here, on which the delivery was handed over."""
KEPT = ("_file", "_row", MALFORMED)
Versions = Callable[[TablePath], int | None]
"""The version of a table that is to be read; None where there is none."""


@dataclass(frozen=True)
class Tried:
    """A delivery's rows judged by its rules; release() of `judged` gives the engine's memory back."""

    judged: "Judged"
    repairs: tuple[Repair, ...]
    extras: tuple[str, ...]

    def repair_counts(self) -> tuple[quality.RepairCount, ...]:
        """How often each declared change happened."""
        return quality.repair_counts([(r.field, r.kind) for r in self.repairs], self.judged.counted)


def newest(lake: Lake) -> Versions:
    """Tables as they are now."""
    return lake.arrow.version


def as_of(lake: Lake, moment: datetime) -> Versions:
    """Tables as they were at a moment."""
    return partial(lake.arrow.version_at, moment=moment)


def testable(lake: Lake, rules: tuple[Rule, ...], versions: Versions) -> tuple[Rule, ...]:
    """The rules that can run: one that looks at a dataset that never came cannot be tested."""
    named = {rule.id: quality.other_datasets(rule) for rule in rules}
    came = {name for name in set().union(*named.values()) if versions(lake.path(Zone.SILVER, name)) is not None}
    return tuple(rule for rule in rules if named[rule.id] <= came)


def tried(lake: Lake, contract: Contract, delivery: Delivery, rules: tuple[Rule, ...], versions: Versions) -> Tried:
    """The delivery's rows, judged in one pass."""
    from jobs.quality.run import run  # Great Expectations takes seconds to import

    lake.tables.interpret(delivery.counted_rows or 0)
    rows, repairs, extras = typed_rows(lake, contract, delivery)
    keep = [*KEPT, *_bit_names(rows), *value_columns(contract, extras)]
    plan = quality.plan(_placeable(lake, contract, versions), rules)
    judged = run(rows, plan, partial(curated, lake, versions), keep, _repair_counts(repairs))
    return Tried(judged, repairs, extras)


def _placeable(lake: Lake, contract: Contract, versions: Versions) -> Contract:
    """The contract, without its county where the dataset that tells it never came."""
    county = contract.county
    is_known = not county or not county.dataset or versions(lake.path(Zone.SILVER, county.dataset)) is not None
    return contract if is_known else replace(contract, county=None)


def typed_rows(
    lake: Lake, contract: Contract, delivery: Delivery
) -> tuple[DataFrame, tuple[Repair, ...], tuple[str, ...]]:
    """The delivery's rows with types, the repairs that they needed, and the names of evolved extra columns."""
    bronze, extras = _bronze(lake, contract, delivery)
    rows, repairs = typed(bronze, contract, extras)
    rows = rows.withColumn(SENT_DATE, F.lit(delivery.sent_date(ZoneInfo(lake.settings.timezone))))
    return rows, repairs, extras


def _bronze(lake: Lake, contract: Contract, delivery: Delivery) -> tuple[DataFrame, tuple[str, ...]]:
    """The delivery's bronze rows with every field of the contract, and the names of evolved extra columns."""
    rows = lake.tables.read(lake.path(Zone.BRONZE, contract.id)).filter(F.col("_delivery") == delivery.id)
    fields = {f.name for f in contract.fields}
    for name in sorted(f.name for f in contract.fields if not f.is_computed() and f.name not in rows.columns):
        rows = rows.withColumn(name, F.lit(None).cast("string"))
    system = (*KEPT, "_delivery")
    extras = tuple(c for c in rows.columns if c not in fields and c not in system)
    return rows, extras if contract.layout.extra_columns == "evolve" else ()


def curated(lake: Lake, versions: Versions, dataset: str) -> DataFrame:
    """Rows of another dataset, as the versions say."""
    path = lake.path(Zone.SILVER, dataset)
    return lake.tables.read(path, versions(path))


def _bit_names(rows: DataFrame) -> list[str]:
    return [name for name in rows.columns if name.startswith(("_fix", "_clock"))]


def _repair_counts(repairs: tuple[Repair, ...]) -> dict[str, Column]:
    early = [r for r in repairs if not r.kind.startswith("clock_")]
    found = {}
    for index in range(len(repairs)):
        prefix, place = ("_fix", index) if index < len(early) else ("_clock", index - len(early))
        found[f"fix{index}"] = is_set(place, prefix)
    return found
