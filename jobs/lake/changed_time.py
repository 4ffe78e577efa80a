"""The span of time in which a table has other rows than at an earlier version; from its log alone, no row is read."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import reduce
from typing import Any
from urllib.parse import unquote

import pyarrow as pa
from deltalake import DeltaTable

from jobs.lake.delta_tables import DeltaTables
from jobs.lake.store import Store
from jobs.lake.zones import TablePath

MOST_COMMITS = 500
"""Beyond so many commits the log is not read, and anything may have changed."""


@dataclass(frozen=True)
class Span:
    """Moments from the first to the last, both included."""

    first: datetime
    last: datetime

    def and_with(self, other: "Span") -> "Span":
        """The span that has both."""
        return Span(min(self.first, other.first), max(self.last, other.last))


class UnknownChange(Exception):
    """The log does not say in which time rows have changed: it was cleaned, or a file has no statistics."""


def changed_time(
    delta: DeltaTables, store: Store, path: TablePath, column: str, versions: tuple[int, int]
) -> Span | None:
    """The span of `column` in the files that were added or removed after the first version; None where there are none.

    Compaction changes no row and does not count. UnknownChange where the log does not say.
    """
    since, until = versions
    if until - since > MOST_COMMITS or until < since:
        raise UnknownChange(f"{path}: versions {since} to {until}")
    actions = list(_actions(store, path, range(since + 1, until + 1)))
    changed = {unquote(entry["path"]) for _, entry in actions if entry.get("dataChange", True)}
    spans = _spans_of_added(actions, column)
    if changed - set(spans):
        spans = _spans(delta.open(path, since), column) | spans
    found = [_known(spans.get(file), file) for file in sorted(changed)]
    return reduce(Span.and_with, found) if found else None


def _known(span: Span | None, file: str) -> Span:
    if span is None:
        raise UnknownChange(f"no statistics of {file}")
    return span


def _spans_of_added(actions: list[tuple[str, dict[str, Any]]], column: str) -> dict[str, Span | None]:
    return {unquote(entry["path"]): _span(entry.get("stats"), column) for kind, entry in actions if kind == "add"}


def _actions(store: Store, path: TablePath, versions: range) -> Iterator[tuple[str, dict[str, Any]]]:
    """Files added and removed by commits, in order."""
    for version in versions:
        key = f"{path.key}/_delta_log/{version:020}.json"
        if store.head(key) is None:
            raise UnknownChange(f"{path}: the log no longer has version {version}")
        for line in store.get_bytes(key).splitlines():
            entry = json.loads(line)
            for kind in ("add", "remove"):
                if kind in entry:
                    yield kind, entry[kind]


def _span(stats: str | None, column: str) -> Span | None:
    """What the statistics of a file say of the column; None where they say nothing, or some of its values are null."""
    said = json.loads(stats) if stats else {}
    first, last = said.get("minValues", {}).get(column), said.get("maxValues", {}).get(column)
    if first is None or last is None or said.get("nullCount", {}).get(column):
        return None
    return Span(_moment(first), _moment(last))


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _spans(table: DeltaTable | None, column: str) -> dict[str, Span | None]:
    """The span of each file of a version."""
    if table is None:
        return {}
    spans: dict[str, Span | None] = {}
    for row in pa.table(table.get_add_actions(flatten=True)).to_pylist():
        first, last = row.get(f"min.{column}"), row.get(f"max.{column}")
        is_known = first is not None and last is not None and not row.get(f"null_count.{column}")
        spans[unquote(row["path"])] = Span(first.astimezone(UTC), last.astimezone(UTC)) if is_known else None
    return spans
