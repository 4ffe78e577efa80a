"""What a delivery changes against the one that it replaces: rows that are new, gone or changed, and by which fields.

Rows are paired by the contract's key, as sent: blanks at the ends make no difference, any other character does.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from jobs.contracts import Contract
from jobs.contracts.names import FILE, ROW
from jobs.errors import UserError
from jobs.lake.lake import Lake
from jobs.lake.zones import Zone
from jobs.model.delivery import Delivery

MOST_ROWS = 200_000
"""Larger deliveries are not compared: their report would take minutes."""
MOST_PLACES = 10_000

Place = tuple[str, int]
"""File and row number."""
Rows = Mapping[tuple[str | None, ...], tuple[Place, tuple[str | None, ...]]]
"""Key → place of its first row, and its values."""


@dataclass(frozen=True)
class Changes:
    """Counts, and places: of rows gone in the earlier delivery, of others in this one. `by_field`: changed rows by field."""

    before: str
    rows_before: int
    rows: int
    new: tuple[Place, ...] = ()
    gone: tuple[Place, ...] = ()
    changed: tuple[Place, ...] = ()
    by_field: tuple[tuple[str, int], ...] = ()
    changed_fields: tuple[tuple[str, ...], ...] = ()
    """Of each changed row, the fields that differ."""
    is_compared: bool = True

    def is_none(self) -> bool:
        """Whether both have the same rows."""
        return self.is_compared and not (self.new or self.gone or self.changed)


def changes_of(lake: Lake, contract: Contract | None, delivery: Delivery) -> Changes | None:
    """The delivery beside the one that it replaces; None where it replaces none, or its rows have no key of sent fields."""
    before = _replaced(lake, delivery)
    if contract is None or before is None or not _sent_key(contract):
        return None
    counted = _count(before), _count(delivery)
    if 0 in counted or max(counted) > MOST_ROWS:
        return Changes(before.id, *counted, is_compared=False)
    names = [field.name for field in contract.fields if not field.is_computed()]
    return compared(before.id, _sent(lake, contract, before, names), _sent(lake, contract, delivery, names), names)


def _count(delivery: Delivery) -> int:
    return delivery.counted_rows or 0


def _sent(lake: Lake, contract: Contract, delivery: Delivery, names: Sequence[str]) -> Rows:
    table = lake.delta.rows(lake.path(Zone.BRONZE, contract.id), delivery)
    return {} if table is None else keyed(table, contract.key(), names)


def _replaced(lake: Lake, delivery: Delivery) -> Delivery | None:
    """The delivery that this one replaces; None also where its letter names one that never came."""
    if not delivery.supersedes:
        return None
    try:
        return lake.ledger.get(delivery.supersedes)
    except UserError:
        return None


def _sent_key(contract: Contract) -> bool:
    key = contract.key()
    return bool(key) and not any(contract.field(name).is_computed() for name in key)


def compared(before: str, earlier: Rows, later: Rows, names: Sequence[str]) -> Changes:
    """The changes between rows by key. `names`: of the values, in order."""
    differing = list(_changed(earlier, later, names))
    changed, changed_fields = zip(*differing, strict=True) if differing else ((), ())
    by_field = Counter(name for fields in changed_fields for name in fields)
    return Changes(
        before,
        len(earlier),
        len(later),
        tuple(place for key, (place, _) in later.items() if key not in earlier),
        tuple(place for key, (place, _) in earlier.items() if key not in later),
        changed,
        tuple(by_field.most_common()),
        changed_fields,
    )


def _changed(earlier: Rows, later: Rows, names: Sequence[str]) -> Iterator[tuple[Place, tuple[str, ...]]]:
    """Place of each changed row, and the fields that differ."""
    for key, (place, values) in later.items():
        before = earlier[key][1] if key in earlier else values
        if before != values:
            yield place, tuple(name for name, a, b in zip(names, before, values, strict=True) if a != b)


def keyed(table: pa.Table, key: Sequence[str], names: Sequence[str]) -> Rows:
    """The first row of each key. `table`: bronze rows; `names`: of the values."""
    columns = {name: _texts(table, name) for name in names}
    places = zip(table[FILE].to_pylist(), table[ROW].to_pylist(), strict=True)
    keys = zip(*(columns[name] for name in key), strict=True)
    rows: dict[tuple[str | None, ...], tuple[Place, tuple[str | None, ...]]] = {}
    for row_key, place, values in zip(keys, places, zip(*columns.values(), strict=True), strict=True):
        rows.setdefault(row_key, (place, values))
    return rows


def _texts(table: pa.Table, name: str) -> list[str | None]:
    if name not in table.column_names:
        return [None] * table.num_rows
    return [text or None for text in pc.utf8_trim_whitespace(table[name]).to_pylist()]
