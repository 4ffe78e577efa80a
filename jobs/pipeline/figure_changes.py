"""Figures of a product that were shown and are different now: what was shown, since when it is different."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc
from deltalake import DeltaTable

from jobs.contracts import Contract
from jobs.lake.lake import Lake
from jobs.lake.ledger import Build
from jobs.lake.system_tables import system_table
from jobs.lake.zones import Zone
from jobs.pipeline.product_days import EVERY_DAY, MONTH, Days, period_field, refresh_of

TABLE = "figure_changes"
MOST_ROWS = 2_000_000
MOST_CHANGES = 100_000
NULL = "\0"
MANY = "*"
"""Stands for a key or field where the two versions of the table have to be compared."""


@dataclass(frozen=True)
class Shown:
    """Rows that readers saw before a build, and the build that made them."""

    rows: pa.Table | None
    """None where they are too many to compare."""
    build: Build


def shown_before(lake: Lake, contract: Contract, last: Build | None, days: Days) -> Shown | None:
    """The rows of the days as they were shown, of periods that were over by then; None where nothing was shown.

    A figure of a period that was not over was not final: its growth is no correction. Nor is another state of a register,
    which has no periods.
    """
    field = period_field(contract)
    if field not in contract.key() and not refresh_of(contract):
        return None
    path = lake.path(Zone.GOLD, contract.id)
    table = None if last is None or last.table_version < 0 else lake.delta.open(path, last.table_version)
    if table is None or last is None:
        return None
    if table.count() > MOST_ROWS:
        return Shown(None, last)
    rows = _of_days(table, days, field)
    return Shown(rows.filter(_is_over(contract, rows, last.built_at, ZoneInfo(lake.settings.timezone))), last)


def _is_over(contract: Contract, rows: pa.Table, by: datetime, zone: ZoneInfo) -> pa.ChunkedArray | pa.Array:
    """Whether the period of each row was over at a moment."""
    refresh, field, today = refresh_of(contract), period_field(contract), by.astimezone(zone).date()
    if refresh is not None and refresh.over_at:
        return pc.less_equal(rows[refresh.over_at], pa.scalar(by.astimezone(UTC), rows[refresh.over_at].type))
    return pc.less(rows[field], pa.scalar(today.replace(day=1) if field == MONTH else today, pa.date32()))


def record(lake: Lake, contract: Contract, shown: Shown, build: Build, build_id: str) -> int:
    """Store what differs from the rows shown before, in place of an earlier attempt's record; how many figures."""
    found = _found(lake, contract, shown, build)
    if not found:
        return 0
    common = {
        "build": build_id,
        "product": contract.id,
        "version_before": shown.build.table_version,
        "version_after": build.table_version,
        "shown_since": shown.build.built_at,
        "changed_at": build.built_at,
    }
    table = system_table(TABLE)
    rows = pa.Table.from_pylist([common | one for one in found], schema=table.schema)
    lake.delta.replace(lake.path(Zone.RESULTS, TABLE), table, rows.to_batches(), build_id)
    return len(found)


def _found(lake: Lake, contract: Contract, shown: Shown, build: Build) -> list[dict[str, str | None]]:
    if shown.rows is None:
        return [{"key": MANY, "field": MANY, "before": None, "after": None}]
    if not shown.rows.num_rows:
        return []
    table = lake.delta.open(lake.path(Zone.GOLD, contract.id), build.table_version)
    if table is None:
        raise LookupError(f"{contract.id}: no version {build.table_version}")
    field = period_field(contract)
    days = pc.min_max(shown.rows[field]) if field in shown.rows.column_names else None
    now = _of_days(table, Days(days["min"].as_py(), days["max"].as_py()) if days is not None else EVERY_DAY, field)
    found = changes(shown.rows, now, contract.key(), _figures(contract))
    many = [
        {"key": MANY, "field": name, "before": None, "after": None} for name in sorted({str(c["field"]) for c in found})
    ]
    return many if len(found) > MOST_CHANGES else found


def _of_days(table: DeltaTable, days: Days, field: str) -> pa.Table:
    """The rows of the days; all where the days are all."""
    if days == EVERY_DAY:
        return table.to_pyarrow_table()
    return table.to_pyarrow_table(filters=[(field, ">=", days.first), (field, "<=", days.last)])


def _figures(contract: Contract) -> list[str]:
    return [field.name for field in contract.fields if field.name not in contract.key()]


def changes(
    before: pa.Table, after: pa.Table, key: Sequence[str], figures: Sequence[str]
) -> list[dict[str, str | None]]:
    """One entry for each figure of a row that was shown and has another value now; `*` as field where the row is gone."""
    shared = [name for name in (*key, *figures) if name in before.column_names]
    old = _texts(before, shared).join(_texts(after, shared), keys=shared, join_type="left anti")
    new = _texts(after, shared).join(old.select(list(key)), keys=list(key), join_type="left semi")
    now = {_key(row, key): row for row in new.to_pylist()}
    found: list[dict[str, str | None]] = []
    for row in old.to_pylist():
        name = _key(row, key)
        if name not in now:
            found.append({"key": name, "field": MANY, "before": None, "after": None})
            continue
        differing = (f for f in shared if f not in key and row[f] != now[name][f])
        found += [{"key": name, "field": f, "before": _said(row[f]), "after": _said(now[name][f])} for f in differing]
    return sorted(found, key=lambda change: (str(change["key"]), str(change["field"])))


def _texts(rows: pa.Table, columns: Sequence[str]) -> pa.Table:
    """The columns as text; a join finds no two nulls equal, so that they are a text too."""
    return pa.table({name: pc.fill_null(rows[name].cast(pa.string()), NULL) for name in columns})


def _key(row: dict[str, Any], key: Sequence[str]) -> str:
    return json.dumps({name: _said(row[name]) for name in key}, ensure_ascii=False)


def _said(text: str) -> str | None:
    return None if text == NULL else text
