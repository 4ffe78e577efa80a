"""File columns → bronze columns: by header, position or group name; never by luck."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain

import pyarrow as pa

from jobs.contracts import Contract, Field
from jobs.contracts.names import FILE, LINE, MALFORMED, ROW, TECHNICAL
from jobs.ingest.grid import Chunk, Grid
from jobs.ingest.headers import column_name, header_key, match, suffixed
from jobs.ingest.notes import FileNotes
from jobs.ingest.wordings import wording

NAMES_SHOWN = 30
MOST_COLUMNS = 2000
OTHER_DATASET_SHARE = 0.5
LIKE_DATA = re.compile(r"\d{6}|^\d+(?:\.\d+)?$")


@dataclass
class BronzePlan:
    """The bronze columns of one delivery; grows by the extra columns of each file, in order of appearance."""

    contract: Contract
    extras: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.fields = tuple(f for f in self.contract.fields if not f.is_computed())
        self.taken = set(self.contract.columns())

    def columns(self) -> tuple[str, ...]:
        """All bronze columns: fields, extra columns, then the technical ones."""
        return (*(f.name for f in self.fields), *self.extras.values(), *TECHNICAL)

    def schema(self) -> pa.Schema:
        """Text throughout, but for the row number."""
        return pa.schema([(name, pa.int64() if name == ROW else pa.string()) for name in self.columns()])

    def score(self, header: Sequence[str | None]) -> int:
        """How many fields a header would fill."""
        found = match(header, len(header), self.fields)
        return len(found.places) + len(found.doubtful)

    def add(self, grid: Grid, notes: FileNotes) -> dict[str, int]:
        """Bronze column → position in this file; DeliveryError where the contract refuses the header."""
        if grid.own() > MOST_COLUMNS:
            raise notes.error(wording("too_many_columns", columns=grid.own(), most=MOST_COLUMNS))
        found = self._matched(grid, notes)
        self._check_missing(found, grid, notes)
        _note_renamed(found, grid, self.fields, notes)
        extra = _beyond(grid, set(found.values()))
        names = self._extra_names([(grid.header[i] or "", i + 1) for i in extra])
        self._note_extra(
            [
                (grid.header[i] or wording("column_number", number=i + 1), name)
                for i, name in zip(extra, names, strict=True)
            ],
            notes,
        )
        return {**found, **{name: i for i, name in zip(extra, names, strict=True) if name}}

    def batches(self, grid: Grid, found: Mapping[str, int], file: str) -> Iterator[pa.RecordBatch]:
        """The file's rows as bronze batches."""
        schema = self.schema()
        for chunk in grid.chunks():
            if len(chunk):
                arrays = [_array(chunk, name, found, file) for name in schema.names]
                yield pa.RecordBatch.from_arrays(arrays, schema=schema)

    def _matched(self, grid: Grid, notes: FileNotes) -> dict[str, int]:
        """Where the fields stand; DeliveryError where that cannot be told."""
        found = match(grid.header, grid.own(), self.fields)
        for name, columns in found.doubtful.items():
            title = _called(self.contract.field(name))
            raise notes.error(wording("column_doubtful", number=len(columns), title=title, names="、".join(columns)))
        shared = {header_key(h) for h in grid.header[: grid.own()] if h}
        shadowed = [h for h in grid.header[grid.own() :] if h and header_key(h) in shared]
        if shadowed:
            words = wording("columns_shadowed", names="、".join(shadowed))
            notes.say("column_duplicate", words, columns=shadowed)
        return found.places

    def _check_missing(self, found: Mapping[str, int], grid: Grid, notes: FileNotes) -> None:
        missing = [f for f in self.fields if f.name not in found]
        if not missing:
            return
        refuses_any = self.contract.layout.missing_columns == "refuse"
        wanted = [_called(f) for f in missing if refuses_any or _is_needed(f)]
        if wanted:
            other = len(found) < OTHER_DATASET_SHARE * len(self.fields)
            hint = wording("other_dataset", title=self.contract.title) if other else ""
            have = _shown_header(grid, other)
            raise notes.error(wording("columns_missing", names=_listed(wanted), hint=hint, present=have))
        names = [_called(f) for f in missing]
        notes.say(
            "column_missing", wording("columns_missing_empty", names=_listed(names)), columns=[f.name for f in missing]
        )

    def _note_extra(self, columns: Sequence[tuple[str, str]], notes: FileNotes) -> None:
        """Tell of columns beyond the contract: header, and name in bronze."""
        if not columns:
            return
        rule, headers = self.contract.layout.extra_columns, [header for header, _ in columns]
        if rule == "refuse":
            raise notes.error(wording("columns_refused", names=_listed(headers)))
        renamed = [
            wording("column_kept_as", header=header, name=name)
            for header, name in columns
            if name and _is_renamed(header, name)
        ]
        more = wording("columns_kept_as", names=_listed(renamed)) if renamed else ""
        how = wording("kept_as_text" if rule == "evolve" else "not_kept")
        notes.say("column_extra", wording("columns_extra", names=_listed(headers), how=how, more=more), columns=headers)

    def _extra_names(self, columns: Sequence[tuple[str, int]]) -> list[str]:
        """Bronze names of the extra columns of one file, each its own; empty where they are not kept.

        A header has the name that it had in the files before. A line break is in no header, and so in no other's key.
        """
        if self.contract.layout.extra_columns != "evolve":
            return [""] * len(columns)
        names, times = [], Counter[str]()
        for header, position in columns:
            key = header_key(header) or f"\n{position}"
            times[key] += 1
            key = f"{key}\n{times[key]}"
            if key not in self.extras:
                base = column_name(header, position)
                self.extras[key] = next(name for name in chain([base], suffixed(base)) if name not in self.taken)
                self.taken.add(self.extras[key])
            names.append(self.extras[key])
        return names


def _is_renamed(header: str, name: str) -> bool:
    """Whether somebody who looks for the header would not find the column: its name was taken, or begins with a mark."""
    return header_key(header).startswith("_") or column_name(header, 0) != name


def _note_renamed(found: Mapping[str, int], grid: Grid, fields: Sequence[Field], notes: FileNotes) -> None:
    renamed = {}
    for f in fields:
        if f.name not in found or len(f.source.header) < 2 or f.source.position is not None:
            continue
        used = grid.header[found[f.name]] or ""
        if header_key(used) != header_key(f.source.header[0]):
            renamed[f.name] = used
    if renamed:
        words = "、".join(f"「{used}」" for used in renamed.values())
        notes.say("column_renamed", wording("headers_renamed", headers=words), columns=renamed)


def _array(chunk: Chunk, name: str, found: Mapping[str, int], file: str) -> pa.Array:
    if name == FILE:
        return pa.repeat(pa.scalar(file, pa.string()), len(chunk))
    if name == ROW:
        return chunk.rows
    if name == MALFORMED:
        return chunk.malformed
    if name == LINE and chunk.lines is not None:
        return chunk.lines
    return chunk.cells[found[name]] if name in found else pa.nulls(len(chunk), pa.string())


def _shown_header(grid: Grid, other: bool) -> str:
    """The file's headers; not where they look like data, which may be personal."""
    names = [h for h in grid.header if h]
    if other and any(LIKE_DATA.search(name) for name in names):
        return wording("header_like_data")
    return _listed(names) or wording("header_none")


def _called(f: Field) -> str:
    return (
        wording("column_by_position", position=f.source.position, title=f.title)
        if f.source.position
        else f.headers()[0]
    )


def _listed(names: Sequence[str]) -> str:
    more = wording("list_shortened", number=len(names)) if len(names) > NAMES_SHOWN else ""
    return "、".join(names[:NAMES_SHOWN]) + more


def _beyond(grid: Grid, used: set[int]) -> list[int]:
    """Places of the file's own columns that no field takes."""
    return [place for place in range(grid.own()) if place not in used and grid.header[place] is not None]


def _is_needed(field: Field) -> bool:
    return field.required or field.key_position is not None
