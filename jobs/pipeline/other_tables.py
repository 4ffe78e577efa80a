"""Curated rows of other datasets for a small delivery: read by the client, only the columns that the plan names."""

from collections.abc import Mapping

import pyarrow as pa
from pyspark.sql import DataFrame

from jobs.lake.lake import Lake
from jobs.lake.spark_tables import in_engine
from jobs.lake.zones import Zone
from jobs.pipeline.versions import Versions
from jobs.quality.one_query import OtherTables
from jobs.quality.plan import Plan

# A larger table is read by the engine itself: handing it over would cost more than the engine's reading of its log.
MOST_ROWS = 200_000


def other_tables(lake: Lake, plan: Plan, versions: Versions) -> OtherTables:
    """How the plan reads other datasets, at the versions."""
    names = _columns(plan)

    def rows(dataset: str) -> DataFrame:
        path = lake.path(Zone.SILVER, dataset)
        if lake.delta.count(path) > MOST_ROWS:
            return lake.tables.read(path, versions(path))
        return in_engine(lake.spark, _read(lake, versions, dataset, names[dataset]))

    def values(dataset: str, field: str) -> pa.ChunkedArray:
        return _read(lake, versions, dataset, (field,))[field]

    return OtherTables(rows, values)


def _columns(plan: Plan) -> Mapping[str, tuple[str, ...]]:
    """Dataset → the fields that lookups name, and those by which they find their row."""
    fields: dict[str, set[str]] = {}
    for lookup in plan.lookups:
        fields.setdefault(lookup.dataset, set()).update(lookup.fields, (key for key, _ in lookup.on))
    return {dataset: tuple(sorted(names)) for dataset, names in fields.items()}


def _read(lake: Lake, versions: Versions, dataset: str, names: tuple[str, ...]) -> pa.Table:
    path = lake.path(Zone.SILVER, dataset)
    return lake.delta.columns(path, versions(path), names)
