"""`marked.<dataset>`: silver with a column of the open tickets, requests and objections of each row.

The rows that have some are few: they are read from evidence and `results.tickets` here, so that no query has evidence to read.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from functools import cached_property, partial

import pyarrow as pa
import pyarrow.compute as pc
from deltalake import DeltaTable

from jobs.lake.delta_tables import DeltaTables
from jobs.lake.lake import Lake
from jobs.lake.results import TICKETS
from jobs.lake.ticket_keys import key_fields
from jobs.lake.zones import TablePath, Zone
from jobs.serving.sql.masks import quoted
from jobs.serving.sql.readable import TICKET_COLUMNS, text_literal
from jobs.serving.sql.snapshot import Snapshot, Snapshots

PLACE = ("_delivery", "_file", "_row")
FOUND = pa.schema(
    [
        ("_delivery", pa.string()),
        ("_file", pa.string()),
        ("_row", pa.int64()),
        ("key_fields", pa.string()),
        ("record", pa.string()),
        ("tickets", pa.list_(pa.string())),
    ]
)
"""Rows by their place, those of issues; records by the hash of some fields of their key, those of requests and objections."""


@dataclass(frozen=True)
class TicketRows:
    """What has open tickets in a dataset: one table of the schema FOUND, and the fields that name records.

    `label`: of the versions that it was read from.
    """

    label: str
    found: pa.Table
    keys: Sequence[Sequence[str]]


@dataclass(frozen=True)
class MarkedSnapshot(Snapshot):
    """A version of silver with the column `column` of tickets behind its own columns.

    `read`: what has tickets now, asked for by a query alone, and then once.
    """

    silver: Snapshot
    column: str
    read: Callable[[], TicketRows]

    @cached_property
    def rows_with_tickets(self) -> TicketRows:
        return self.read()

    @cached_property
    def label(self) -> str:
        """Of the version: silver's, and those of what is joined."""
        return f"{self.version}.{self.rows_with_tickets.label}"

    def joined(self, rows: str, found: str) -> str:
        """SQL of silver's rows with their tickets; `found` is the table of what has some."""
        sides, under = [], []
        for number, condition in enumerate(self._conditions()):
            sides.append(f"LEFT JOIN {found} u{number} ON {condition.format(u=f'u{number}')}")
            under.append(f"coalesce(u{number}.tickets, [])")
        every = f"list_sort(list_distinct(flatten([{', '.join(under)}])))" if under else "[]"
        none = "CAST([] AS VARCHAR[])"
        return f"(SELECT s.*, nullif(CAST({every} AS VARCHAR[]), {none}) AS {quoted(self.column)} FROM {rows} s {' '.join(sides)})"

    def _conditions(self) -> list[str]:
        """How a row of silver is found in the table of what has tickets."""
        known, conditions = self.silver.columns, []
        if set(PLACE) <= known.keys():
            conditions.append(" AND ".join(f"{{u}}.{name} = s.{name}" for name in PLACE))
        for key in self.rows_with_tickets.keys:
            if set(key) <= known.keys() and all(re.fullmatch(r"\w+", name) for name in key):
                texts = ", ".join(_as_people_write(name, known[name]) for name in key)
                named = f"{{u}}.key_fields = {text_literal(','.join(key))}"
                conditions.append(f"{named} AND {{u}}.record = sha256(concat_ws(',', {texts}))")
        return conditions


class MarkedSnapshots:
    """Versions of silver with their tickets; what was read last of a dataset is kept."""

    def __init__(self, lake: Lake, snapshots: Snapshots) -> None:
        self._lake, self._snapshots = lake, snapshots
        self._known: dict[str, TicketRows] = {}

    def of(self, dataset: str, silver: Snapshot) -> MarkedSnapshot:
        """The version of silver with the tickets that are open now."""
        column = next(name for name in TICKET_COLUMNS if name not in silver.columns)
        own = {name: getattr(silver, name) for name in (field.name for field in fields(Snapshot))}
        own |= {"columns": {**silver.columns, column: "VARCHAR[]"}}
        return MarkedSnapshot(**own, silver=silver, column=column, read=partial(self._rows, dataset))

    def _rows(self, dataset: str) -> TicketRows:
        tickets = self._lake.path(Zone.RESULTS, TICKETS)
        evidence = self._lake.path(Zone.EVIDENCE, dataset)
        newest = [self._snapshots.newest(path) for path in (tickets, evidence)]
        label = ".".join("" if one is None else str(one.version) for one in newest)
        known = self._known.get(dataset)
        if known is None or known.label != label:
            known = _read(self._lake.delta, dataset, tickets, evidence, label)
            self._known[dataset] = known
        return known


def _as_people_write(name: str, kind: str) -> str:
    """SQL for the text of a value; moments in the time zone of the database, which is the lake's."""
    column = f"s.{quoted(name)}"
    return f"strftime({column}, '%Y-%m-%d %H:%M:%S')" if kind == "TIMESTAMPTZ" else f"CAST({column} AS VARCHAR)"


def _read(delta: DeltaTables, dataset: str, tickets: TablePath, evidence: TablePath, label: str) -> TicketRows:
    table = delta.open(tickets)
    if table is None:
        return TicketRows(label, FOUND.empty_table(), ())
    keys = key_fields(delta, tickets, dataset)
    names = ["ticket", "delivery", "rule", *(("key_fields", "record") if keys else ())]
    opened = table.to_pyarrow_table(columns=names, filters=[("dataset", "=", dataset)])
    found = [_failing(delta.open(evidence), opened)]
    if keys:
        found.append(_grouped(opened.filter(pc.is_valid(opened["record"])), ("key_fields", "record")))
    return TicketRows(label, pa.concat_tables(found), keys)


def _failing(evidence: DeltaTable | None, opened: pa.Table) -> pa.Table:
    """The rows of issues, by the deliveries and rules of their tickets."""
    issues = opened.select(["ticket", "delivery", "rule"]).filter(pc.is_valid(opened["delivery"]))
    deliveries = pc.unique(issues["delivery"]).to_pylist()
    if evidence is None or not deliveries:
        return FOUND.empty_table()
    rows = evidence.to_pyarrow_table(columns=[*PLACE, "rule"], filters=[("_delivery", "in", deliveries)])
    return _grouped(rows.join(issues, ["_delivery", "rule"], ["delivery", "rule"], "inner"), PLACE)


def _grouped(rows: pa.Table, by: Sequence[str]) -> pa.Table:
    """One row for each place or record, with its tickets, in the columns of FOUND."""
    under = rows.group_by(list(by)).aggregate([("ticket", "distinct")]).rename_columns([*by, "tickets"])
    known = set(under.column_names)
    columns = [under[f.name] if f.name in known else pa.nulls(under.num_rows, f.type) for f in FOUND]
    return pa.table(columns, names=FOUND.names).cast(FOUND)
