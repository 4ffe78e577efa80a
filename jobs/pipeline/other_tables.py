"""Curated rows of other datasets for a small delivery: read by the client, only the columns that the plan names."""

from collections.abc import Mapping, Sequence
from functools import partial

import pyarrow as pa

from jobs.lake.bits import quoted
from jobs.lake.lake import Lake
from jobs.lake.named_rows import NamedRows
from jobs.lake.prepared_plans import in_engine
from jobs.lake.zones import TablePath, Zone
from jobs.pipeline.held_back import held_back_values
from jobs.pipeline.versions import Versions
from jobs.quality.plan import Plan
from jobs.quality.references import OtherTables

# A larger table is read by the engine itself: handing it over would cost more than the engine's reading of its log.
MOST_ROWS = 200_000


def other_tables(lake: Lake, plan: Plan, versions: Versions) -> OtherTables:
    """How the plan of a small delivery reads other datasets, at the versions."""
    names = _columns(plan)

    def rows(dataset: str) -> NamedRows:
        return in_columns(lake, lake.path(Zone.SILVER, dataset), versions, names[dataset])

    def values(dataset: str, field: str) -> pa.ChunkedArray:
        return _read(lake, versions, dataset, (field,))[field]

    return OtherTables(rows, values, partial(held_back_values, lake, versions))


def all_other_tables(lake: Lake, versions: Versions) -> OtherTables:
    """How the plan of a large delivery reads other datasets: by the engine, at the versions."""

    def values(dataset: str, field: str) -> pa.ChunkedArray:
        return _read(lake, versions, dataset, (field,))[field]

    return OtherTables(partial(curated, lake, versions), values, partial(held_back_values, lake, versions))


def in_columns(lake: Lake, path: TablePath, versions: Versions, names: Sequence[str]) -> NamedRows:
    """Those of the columns that the table has, at the version to be read; handed to the engine where the table is small."""
    if lake.delta.count(path) <= MOST_ROWS:
        table = lake.delta.columns(path, versions(path), names)
        return NamedRows(in_engine(lake.spark, table), tuple(table.column_names))
    rows = _by_engine(lake, path, versions)
    present = tuple(name for name in names if name in rows.columns)
    return NamedRows(rows.frame.select(*map(quoted, present)), present)


def curated(lake: Lake, versions: Versions, dataset: str) -> NamedRows:
    """Rows of another dataset, at the version to be read."""
    return _by_engine(lake, lake.path(Zone.SILVER, dataset), versions)


def _by_engine(lake: Lake, path: TablePath, versions: Versions) -> NamedRows:
    table = lake.delta.open(path, versions(path))
    names = () if table is None else (field.name for field in table.schema().fields)
    return NamedRows(lake.tables.read(path, versions(path)), tuple(names))


def _columns(plan: Plan) -> Mapping[str, tuple[str, ...]]:
    """Dataset → the fields that lookups name, and those by which they find their row."""
    fields: dict[str, set[str]] = {}
    for lookup in plan.lookups:
        fields.setdefault(lookup.dataset, set()).update(lookup.fields, (key for key, _ in lookup.on))
    return {dataset: tuple(sorted(names)) for dataset, names in fields.items()}


def _read(lake: Lake, versions: Versions, dataset: str, names: tuple[str, ...]) -> pa.Table:
    path = lake.path(Zone.SILVER, dataset)
    return lake.delta.columns(path, versions(path), names)
