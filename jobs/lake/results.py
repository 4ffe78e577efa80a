"""Results of deliveries as Delta tables: one row per delivery in `results.verdicts`, one per rule in `results.rules`."""

import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from typing import Any

import pyarrow as pa

from jobs.lake.delta_tables import DeltaTables
from jobs.lake.system_tables import system_table
from jobs.lake.zones import TablePath, Zone
from jobs.model.delivery import State
from jobs.model.distribution import DistributionRow
from jobs.model.rule_result import CountyRow, RuleRow
from jobs.model.verdict import RepairCount, Verdict

COUNTED = (
    *("delivery", "dataset", "provider", "rule", "type", "severity", "dimension", "indicator"),
    *("success", "element_count", "unexpected_count", "missing_count"),
)
VERDICTS = "verdicts"
RULES = "rules"
COUNTIES = "counties"
TICKETS = "tickets"
SHAPES = "shapes"


class Results:
    """Writes and reads results; idempotent by delivery."""

    def __init__(self, delta: DeltaTables, bucket: str) -> None:
        self._arrow = delta
        self._verdicts = TablePath(Zone.RESULTS, VERDICTS, bucket)
        self._rules = TablePath(Zone.RESULTS, RULES, bucket)
        self._shapes = TablePath(Zone.RESULTS, SHAPES, bucket)
        self._counties = TablePath(Zone.RESULTS, COUNTIES, bucket)

    def write(
        self,
        verdict: Verdict,
        rules: Sequence[RuleRow],
        counties: Sequence[CountyRow] = (),
        shapes: Sequence[DistributionRow] = (),
    ) -> None:
        """Store a delivery's results in place of its earlier ones."""
        row = {**asdict(verdict), "repairs": json.dumps([asdict(r) for r in verdict.repairs], ensure_ascii=False)}
        parts: dict[TablePath, Sequence[RuleRow | CountyRow | DistributionRow]] = {self._rules: rules}
        parts |= {self._counties: counties} if counties else {}
        parts |= {self._shapes: shapes} if shapes else {}
        with ThreadPoolExecutor(len(parts)) as pool:
            for part in [pool.submit(self._replace_rows, path, rows, verdict.delivery) for path, rows in parts.items()]:
                part.result()
        # Last: a delivery with a verdict has all its results.
        self._replace(self._verdicts, [row], verdict.delivery)

    def verdict(self, delivery: str) -> Verdict | None:
        """The verdict of one delivery; None before it is evaluated."""
        verdicts = self.verdicts([("delivery", "=", delivery)])
        return verdicts[0] if verdicts else None

    def verdicts(self, filters: list[tuple[str, str, Any]] | None = None, version: int | None = None) -> list[Verdict]:
        """Verdicts in order of arrival, now or at a version."""
        rows = self._read(self._verdicts, filters, version)
        return sorted((_verdict(row) for row in rows), key=lambda v: v.seq)

    def rules(self, filters: list[tuple[str, str, Any]] | None = None, version: int | None = None) -> list[RuleRow]:
        """Rule results, by delivery and in the order of the plan, now or at a version."""
        rows = [RuleRow(**row) for row in self._read(self._rules, filters, version)]
        return sorted(rows, key=lambda r: r.seq)

    def counts(self, filters: list[tuple[str, str, Any]] | None = None, version: int | None = None) -> pa.Table:
        """Rule results as columns, without messages and Great Expectations' own results."""
        table = self._arrow.open(self._rules, version)
        schema = pa.schema([field for field in system_table(RULES).schema if field.name in COUNTED])
        return (
            schema.empty_table()
            if table is None
            else table.to_pyarrow_table(columns=list(schema.names), filters=filters)
        )

    def shapes(self, dataset: str, version: int | None = None) -> list[DistributionRow]:
        """Value distributions of a dataset's deliveries, now or at a version."""
        return [DistributionRow(**row) for row in self._read(self._shapes, [("dataset", "=", dataset)], version)]

    def counties(self) -> pa.Table:
        """Counts by county of all deliveries, as columns."""
        table = self._arrow.open(self._counties)
        return system_table(COUNTIES).schema.empty_table() if table is None else table.to_pyarrow_table()

    def _replace_rows(
        self, path: TablePath, rows: Sequence[RuleRow | CountyRow | DistributionRow], delivery: str
    ) -> None:
        self._replace(path, [asdict(row) for row in rows], delivery)

    def _replace(self, path: TablePath, rows: list[dict[str, Any]], delivery: str) -> None:
        table = system_table(path.name)
        self._arrow.replace(path, table, pa.Table.from_pylist(rows, schema=table.schema).to_batches(), delivery)

    def _read(
        self, path: TablePath, filters: list[tuple[str, str, Any]] | None, version: int | None
    ) -> list[dict[str, Any]]:
        table = self._arrow.open(path, version)
        if table is None:
            return []
        rows: list[dict[str, Any]] = table.to_pyarrow_table(filters=filters).to_pylist()
        return rows


def _verdict(row: dict[str, Any]) -> Verdict:
    repairs = tuple(RepairCount(**r) for r in json.loads(row["repairs"]))
    return Verdict(**{**row, "repairs": repairs, "state": State(row["state"])})
