"""File columns → bronze columns: by header, position or group name."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain

import pyarrow as pa

from jobs.contracts import Contract, Field
from jobs.contracts.names import FILE, LINE, MALFORMED, ROW, TECHNICAL
from jobs.ingest.cell_errors import held_back
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
        """All bronze columns: fields, extra columns, then technical columns."""
        return (*(f.name for f in self.fields), *self.extras.values(), *TECHNICAL)

    def schema(self) -> pa.Schema:
        """The bronze schema: text, except the row number."""
        return pa.schema([(name, pa.int64() if name == ROW else pa.string()) for name in self.columns()])

    def score(self, header: Sequence[str | None]) -> int:
        """How many fields a header would fill."""
        matched = match(header, len(header), self.fields)
        return len(matched.places) + len(matched.doubtful)

    def add(self, grid: Grid, notes: FileNotes) -> dict[str, int]:
        """Bronze column → position in this file; DeliveryError where the header breaks the contract."""
        if grid.own() > MOST_COLUMNS:
            raise notes.error(wording("too_many_columns", columns=grid.own(), most=MOST_COLUMNS))
        positions = self._matched(grid, notes)
        self._check_missing(positions, grid, notes)
        _note_renamed(positions, grid, self.fields, notes)
        extra_positions = _extra_positions(grid, set(positions.values()))
        names = self._extra_names([(grid.header[i] or "", i + 1) for i in extra_positions])
        self._note_extra(
            [
                (grid.header[i] or wording("column_number", number=i + 1), name)
                for i, name in zip(extra_positions, names, strict=True)
            ],
            notes,
        )
        return {**positions, **{name: i for i, name in zip(extra_positions, names, strict=True) if name}}

    def batches(self, grid: Grid, positions: Mapping[str, int], notes: FileNotes) -> Iterator[pa.RecordBatch]:
        """The file's rows as bronze batches."""
        schema = self.schema()
        declared = {field.name: positions[field.name] for field in self.fields if field.name in positions}
        for chunk in grid.chunks():
            if len(chunk):
                if chunk.has_errors:
                    chunk = held_back(chunk, self.contract, declared, notes)
                arrays = [_array(chunk, name, positions, notes.file) for name in schema.names]
                yield pa.RecordBatch.from_arrays(arrays, schema=schema)

    def _matched(self, grid: Grid, notes: FileNotes) -> dict[str, int]:
        """Field → position; DeliveryError where a field matches several columns."""
        matched = match(grid.header, grid.own(), self.fields)
        for name, columns in matched.doubtful.items():
            title = _label(self.contract.field(name))
            raise notes.error(wording("column_doubtful", number=len(columns), title=title, names="、".join(columns)))
        shared = {header_key(h) for h in grid.header[: grid.own()] if h}
        shadowed = [h for h in grid.header[grid.own() :] if h and header_key(h) in shared]
        if shadowed:
            words = wording("columns_shadowed", names="、".join(shadowed))
            notes.say("column_duplicate", words, columns=shadowed)
        return matched.places

    def _check_missing(self, positions: Mapping[str, int], grid: Grid, notes: FileNotes) -> None:
        missing = [f for f in self.fields if f.name not in positions]
        if not missing:
            return
        refuses_any = self.contract.layout.missing_columns == "refuse"
        needed = missing if refuses_any else list(filter(_is_needed, missing))
        if needed:
            is_other_dataset = len(positions) < OTHER_DATASET_SHARE * len(self.fields)
            hint = wording("other_dataset", title=self.contract.title) if is_other_dataset else ""
            names, present = _listed(list(map(_label, needed))), _shown_header(grid, is_other_dataset)
            raise notes.error(wording("columns_missing", names=names, hint=hint, present=present))
        names = _listed(list(map(_label, missing)))
        notes.say("column_missing", wording("columns_missing_empty", names=names), columns=[f.name for f in missing])

    def _note_extra(self, columns: Sequence[tuple[str, str]], notes: FileNotes) -> None:
        """Note columns beyond the contract; DeliveryError where the contract refuses them. `columns`: header, name in bronze."""
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
        renaming = wording("columns_kept_as", names=_listed(renamed)) if renamed else ""
        treatment = wording("kept_as_text" if rule == "evolve" else "not_kept")
        notes.say(
            "column_extra",
            wording("columns_extra", names=_listed(headers), how=treatment, more=renaming),
            columns=headers,
        )

    def _extra_names(self, columns: Sequence[tuple[str, int]]) -> list[str]:
        """Distinct bronze names of the extra columns of one file; empty where they are not loaded.

        A header keeps its name across files. The keys contain line breaks, which no header has.
        """
        if self.contract.layout.extra_columns != "evolve":
            return [""] * len(columns)
        names, occurrences = [], Counter[str]()
        for header, position in columns:
            key = header_key(header) or f"\n{position}"
            occurrences[key] += 1
            key = f"{key}\n{occurrences[key]}"
            if key not in self.extras:
                base = column_name(header, position)
                self.extras[key] = next(name for name in chain([base], suffixed(base)) if name not in self.taken)
                self.taken.add(self.extras[key])
            names.append(self.extras[key])
        return names


def _is_renamed(header: str, name: str) -> bool:
    """Whether the column's name differs from its header: the name was in use, or began with `_`."""
    return header_key(header).startswith("_") or column_name(header, 0) != name


def _note_renamed(positions: Mapping[str, int], grid: Grid, fields: Sequence[Field], notes: FileNotes) -> None:
    renamed = {}
    for declared in fields:
        if declared.name not in positions or len(declared.source.header) < 2 or declared.source.position is not None:
            continue
        used = grid.header[positions[declared.name]] or ""
        if header_key(used) != header_key(declared.source.header[0]):
            renamed[declared.name] = used
    if renamed:
        words = "、".join(f"「{used}」" for used in renamed.values())
        notes.say("column_renamed", wording("headers_renamed", headers=words), columns=renamed)


def _array(chunk: Chunk, name: str, positions: Mapping[str, int], file: str) -> pa.Array:
    if name == FILE:
        return pa.repeat(pa.scalar(file, pa.string()), len(chunk))
    if name == ROW:
        return chunk.rows
    if name == MALFORMED:
        return chunk.malformed
    if name == LINE and chunk.lines is not None:
        return chunk.lines
    return chunk.cells[positions[name]] if name in positions else pa.nulls(len(chunk), pa.string())


def _shown_header(grid: Grid, is_other_dataset: bool) -> str:
    """The file's headers, listed; withheld where they look like data, which may be personal."""
    names = [h for h in grid.header if h]
    if is_other_dataset and any(LIKE_DATA.search(name) for name in names):
        return wording("header_like_data")
    return _listed(names) or wording("header_none")


def _label(f: Field) -> str:
    return (
        wording("column_by_position", position=f.source.position, title=f.title)
        if f.source.position
        else f.headers()[0]
    )


def _listed(names: Sequence[str]) -> str:
    more = wording("list_shortened", number=len(names)) if len(names) > NAMES_SHOWN else ""
    return "、".join(names[:NAMES_SHOWN]) + more


def _extra_positions(grid: Grid, used_positions: set[int]) -> list[int]:
    """Positions of the file's own columns that no field uses."""
    return [
        position
        for position in range(grid.own())
        if position not in used_positions and grid.header[position] is not None
    ]


def _is_needed(field: Field) -> bool:
    return field.required or field.key_position is not None
