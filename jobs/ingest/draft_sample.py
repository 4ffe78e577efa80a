"""The rows of a file, or of several of one dataset, from which a contract is drafted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow as pa

from jobs.contracts import Layout
from jobs.errors import DeliveryError
from jobs.ingest.columnar import open_parquet
from jobs.ingest.delimited import open_delimited
from jobs.ingest.excel import open_excel
from jobs.ingest.grid import Grid, Typed
from jobs.ingest.guess_layout import GuessedLayout, guess_layout
from jobs.ingest.json_lines import open_jsonl
from jobs.ingest.kinds import LocalFile
from jobs.ingest.notation import Notations
from jobs.ingest.notes import FileNotes, Notes
from jobs.ingest.records import open_json
from jobs.ingest.wordings import wording

SAMPLED_ROWS = 100_000
LEAST_ROWS_OF_A_FILE = 1000
REVIEWER_FINDINGS = (
    "column_duplicate",
    "formulas_without_values",
    "rows_total",
    "rows_note",
    "rows_header",
    "rows_units",
    "sheets_hidden",
    "rows_hidden",
    "date_system_1904",
)
"""Findings that the reviewer of a proposal has to know."""


@dataclass(frozen=True)
class Profile:
    """The sampled rows, by column."""

    header: tuple[str | None, ...]
    own: int
    columns: dict[int, pa.Array]
    rows: int
    more: bool
    types: Mapping[int, Typed]

    def with_rows(self, other: "Profile") -> "Profile":
        """With the rows of another file of the same header."""
        columns = {i: pa.concat_arrays([column, other.columns[i]]) for i, column in self.columns.items()}
        return replace(self, columns=columns, rows=self.rows + other.rows, more=self.more or other.more)


def data_files(parts: Sequence[LocalFile]) -> list[LocalFile]:
    """The files of one ending: of those whose first file has columns, the largest; a note that accompanies the data has none."""
    by_ending: dict[str, list[LocalFile]] = {}
    for part in parts:
        by_ending.setdefault(Path(part.name).suffix.lower(), []).append(part)
    if len(by_ending) == 1:
        return list(parts)
    return max(
        by_ending.values(), key=lambda files: (_has_columns(files[0]), sum(f.path.stat().st_size for f in files))
    )


def _has_columns(part: LocalFile) -> bool:
    try:
        layout = guess_layout(part.path, FileNotes(part.name, Notes()))
        return _sampled(_grid(part, layout, Notes()), 1).own > 1
    except DeliveryError:
        return False


def sampled(parts: Sequence[LocalFile], layout: GuessedLayout) -> Profile:
    """The rows of the first file, with those of all others that have the same header: one file may hide what others show."""
    notes = Notes()
    most = max(SAMPLED_ROWS // len(parts), LEAST_ROWS_OF_A_FILE)
    profile = _sampled(_grid(parts[0], layout, notes), most)
    unlike: list[str] = []
    for part in parts[1:]:
        try:
            other = _sampled(_grid(part, layout, Notes()), most)
        except DeliveryError:
            unlike.append(part.name)
            continue
        if other.header == profile.header:
            profile = profile.with_rows(other)
        else:
            unlike.append(part.name)
    if unlike:
        layout.comments.append(wording("files_unlike", number=len(unlike), names="、".join(unlike[:5])))
    layout.comments += [finding.message for finding in notes.findings() if finding.kind in REVIEWER_FINDINGS]
    return profile


def _grid(part: LocalFile, layout: GuessedLayout, notes: Notes) -> Grid:
    declared, file_notes = Layout.model_validate(layout.values), FileNotes(part.name, notes)
    match declared.format:
        case "excel":
            return open_excel(part.path, declared, file_notes, Notations({}))
        case "parquet":
            return open_parquet(part.path, declared, file_notes, Notations({}))
        case "json":
            return open_json(part.path, declared, file_notes, Notations({}))
        case "jsonl":
            return open_jsonl(part.path, declared, file_notes, Notations({}))
        case _:
            return open_delimited(part.path, declared, file_notes, lambda header: len(header))


def _sampled(grid: Grid, most: int) -> Profile:
    pieces: dict[int, list[pa.Array]] = {i: [] for i, name in enumerate(grid.header) if name is not None}
    rows, has_more = 0, False
    for chunk in grid.chunks():
        if rows >= most:
            has_more = True
            break
        rows += len(chunk)
        for i, arrays in pieces.items():
            arrays.append(chunk.cells[i])
    joined = {i: pa.concat_arrays(arrays) if arrays else pa.array([], pa.string()) for i, arrays in pieces.items()}
    return Profile(grid.header, grid.own(), joined, rows, has_more, grid.types)
