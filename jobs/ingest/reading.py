"""Delivered files → bronze rows: all text, as sent, with file and row number.

A missing cell and an empty one are both null; a cell of white space stays as sent, and the contract decides about it.
"""

import logging
import re
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from jobs.contracts import Contract, Layout
from jobs.contracts.names import MALFORMED, ROW
from jobs.errors import DeliveryError
from jobs.ingest.archive import Opener, matches
from jobs.ingest.cell_errors import AS_SENT
from jobs.ingest.columnar import open_parquet
from jobs.ingest.columns import OTHER_DATASET_SHARE, BronzePlan
from jobs.ingest.delimited import open_delimited
from jobs.ingest.excel import open_excel
from jobs.ingest.grid import Grid
from jobs.ingest.header_encoding import encoding_by_headers
from jobs.ingest.json_lines import open_jsonl
from jobs.ingest.kinds import LocalFile, kind_of, looks_like_json
from jobs.ingest.notation import notations
from jobs.ingest.notes import FileNotes, Notes
from jobs.ingest.records import FAULTS, open_json
from jobs.ingest.rows_digest import RowsDigest
from jobs.ingest.title_rows import title_rows
from jobs.ingest.wordings import wording
from jobs.ingest.zone_check import ZoneCheck
from jobs.model.delivery import Finding

__all__ = ["LocalFile", "Reading", "read"]

logger = logging.getLogger(__name__)

TEXTS = ("csv", "json", "jsonl")
FORMAT_WORDS = {"csv": "文本（csv）", "excel": "Excel", "json": "JSON", "jsonl": "JSON Lines", "parquet": "Parquet"}


@dataclass
class Reading:
    """Bronze rows of a delivery. `findings`, `counted_rows` and `digest` are complete once `batches` is exhausted."""

    columns: tuple[str, ...]
    schema: pa.Schema
    batches: Iterator[pa.RecordBatch]
    notes: Notes = field(default_factory=Notes, repr=False)
    counted_rows: int = 0
    digest: str = ""
    """Digest of all rows; equal for equal rows in files of other bytes."""

    @property
    def findings(self) -> list[Finding]:
        """Findings about the files, for the sender."""
        return self.notes.findings()


def read(files: Sequence[LocalFile], contract: Contract, scratch: Path) -> Reading:
    """All rows of the delivered files, one file after another; DeliveryError, in Chinese, for what cannot be read.

    Headers are checked before this returns; rows are read as `batches` is consumed, with flat memory.
    """
    notes = Notes()
    folder = Path(tempfile.mkdtemp(prefix="reading-", dir=scratch))
    try:
        plan = BronzePlan(contract)
        parts = _parts(files, contract.layout, folder, notes)
        grids = [(part, _open(part, plan, FileNotes(part.name, notes))) for part in parts]
        positioned = [(part, grid, plan.add(grid, FileNotes(part.name, notes))) for part, grid in grids]
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    reading = Reading(plan.columns(), plan.schema(), iter(()), notes)
    reading.batches = _batches(reading, plan, positioned, folder)
    return reading


def _batches(
    reading: Reading, plan: BronzePlan, positioned: Sequence[tuple[LocalFile, Grid, dict[str, int]]], folder: Path
) -> Iterator[pa.RecordBatch]:
    digest, zones = RowsDigest(reading.columns), ZoneCheck(plan.contract)
    try:
        for part, grid, positions in positioned:
            notes = FileNotes(part.name, reading.notes)
            for batch in plan.batches(grid, positions, notes):
                reading.counted_rows += len(batch)
                _note_malformed(batch, notes)
                digest.add(batch)
                zones.add(batch)
                yield batch
        reading.digest = digest.hex()
        zones.note(FileNotes(positioned[-1][0].name, reading.notes))
        logger.info("dataset %s: read %s rows of %s files", plan.contract.id, reading.counted_rows, len(positioned))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _note_malformed(batch: pa.RecordBatch, notes: FileNotes) -> None:
    faults = batch[MALFORMED]
    if faults.null_count == len(faults):
        return
    faults = pc.if_else(pc.starts_with(faults, AS_SENT), None, faults)
    is_json = any(fault in FAULTS for fault in faults.drop_null().unique().to_pylist())
    defect = "不是有效的 JSON 记录" if is_json else "的列数或引号与表头不符"
    rows = batch[ROW].filter(faults.is_valid())
    notes.count("rows_malformed", wording("rows_malformed", what=defect), rows.to_pylist())


def _parts(files: Sequence[LocalFile], layout: Layout, folder: Path, notes: Notes) -> list[LocalFile]:
    """The data files to read: of a folder or archive only those that match the contract's glob."""
    opener = Opener(layout, folder, notes)
    parts: list[LocalFile] = []
    for file in files:
        if len(files) > 1 and not _is_selected(file, layout):
            message = wording("file_skipped", name=file.name, files=layout.files)
            FileNotes(file.name, notes).say("member_ignored", message, member=file.name)
            continue
        parts.extend(opener.open(file))
    if not parts:
        names = "、".join(file.name for file in files) or "无"
        raise DeliveryError(wording("no_files", files=layout.files, names=names))
    return parts


def _is_selected(file: LocalFile, layout: Layout) -> bool:
    return file.name.lower().endswith((".zip", ".gz")) or matches(file.name, layout.files)


def _open(part: LocalFile, plan: BronzePlan, notes: FileNotes) -> Grid:
    """The grid; where its header is not the contract's, in the encoding, or below the title rows, where it is."""
    layout, before = plan.contract.layout, notes.notes.copy()
    format_ = _format(part, layout, notes)

    def again() -> Grid:
        notes.notes.restore(before)
        _format(part, layout, notes)
        return _grid(part, format_, layout, plan, notes)

    grid = _grid(part, format_, layout, plan, notes)
    enough = OTHER_DATASET_SHARE * len(plan.fields)
    if format_ in TEXTS and plan.score(grid.header) < enough:
        headers = [header for field in plan.fields for header in field.accepted_headers()]
        if encoding := encoding_by_headers(part.path, layout, headers):
            layout = layout.model_copy(update={"encoding": encoding})
            grid = again()
            message = wording("encoding_by_headers", encoding=encoding)
            notes.say("encoding_detected", message, encoding=encoding, confidence=1.0)
            before = notes.notes.copy()
    if format_ in ("csv", "excel") and layout.header_rows and plan.score(grid.header) < enough:
        rows = title_rows(part.path, layout.model_copy(update={"format": format_}), plan.score, enough)
        if rows:
            layout = layout.model_copy(update={"skip_rows": layout.skip_rows + rows})
            grid = again()
            notes.say("title_rows", wording("title_rows_skipped", rows=rows), rows=rows)
    return grid.with_constants(_groups(part.name, layout, notes))


def _grid(part: LocalFile, format_: str, layout: Layout, plan: BronzePlan, notes: FileNotes) -> Grid:
    field_notations = notations(plan.fields, layout)
    if format_ == "excel":
        return open_excel(part.path, layout, notes, field_notations)
    if format_ == "parquet":
        return open_parquet(part.path, layout, notes, field_notations)
    if format_ == "json":
        return open_json(part.path, layout, notes, field_notations)
    if format_ == "jsonl":
        return open_jsonl(part.path, layout, notes, field_notations)
    return open_delimited(part.path, layout, notes, plan.score)


def _format(part: LocalFile, layout: Layout, notes: FileNotes) -> str:
    """The format to read with: by content, not by contract or file name."""
    kind = kind_of(part.path, notes)
    if kind in ("excel", "parquet"):
        actual: str = kind
    elif layout.format in TEXTS:
        actual = layout.format
    else:
        actual = "json" if looks_like_json(part.path) else "csv"
    if actual != layout.format:
        message = wording("format_differs", declared=FORMAT_WORDS[layout.format], actual=FORMAT_WORDS[actual])
        notes.say("format_differs", message, declared=layout.format, format=actual)
    return actual


def _groups(name: str, layout: Layout, notes: FileNotes) -> dict[str, str]:
    if layout.file_name is None:
        return {}
    base = name.rsplit("/", 1)[-1]
    # The path in an archive counts too: 2026-01/东区.csv says the month by its folder.
    match = re.search(layout.file_name, base) or re.search(layout.file_name, name)
    if match is None:
        notes.say(
            "file_name_unmatched", wording("file_name_differs", pattern=layout.file_name), pattern=layout.file_name
        )
        return {}
    return {key: value or "" for key, value in match.groupdict().items()}
