"""A file of a new dataset → a contract for review, with the reason for every guess as a comment."""

import re
import shutil
import tempfile
from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import yaml

from jobs.contracts import Layout
from jobs.ingest.archive import Opener
from jobs.ingest.columnar import open_parquet
from jobs.ingest.delimited import open_delimited
from jobs.ingest.excel import open_excel
from jobs.ingest.grid import Grid, Typed
from jobs.ingest.guess_dates import TIME_HEADER
from jobs.ingest.guess_key import candidate_key
from jobs.ingest.guess_layout import GuessedLayout, footer_rows, guess_layout
from jobs.ingest.guess_numbers import decimal_mark
from jobs.ingest.guess_values import CODE_HEADER, Column, Guess, guess
from jobs.ingest.kinds import LocalFile
from jobs.ingest.notation import Notations
from jobs.ingest.notes import FileNotes, Notes
from jobs.ingest.records import open_json, open_jsonl
from jobs.ingest.wordings import wording

SAMPLED_ROWS = 100_000
LAST_ROWS = 8
MAX_KEY_CHARS = 64
SERIAL_HEADER = re.compile(r"^(序号|行号|no\.?|#|row|index)$", re.I)
REVIEWER_FINDINGS = ("column_duplicate", "formulas_without_values")
"""Findings that the reviewer of a proposal has to know."""
RESERVED = re.compile(r"^[a-z][a-z0-9_]*$")


@dataclass(frozen=True)
class _Profile:
    """The sampled rows, by column."""

    header: tuple[str | None, ...]
    own: int
    columns: dict[int, pa.Array]
    rows: int
    more: bool
    last: list[list[str | None]]
    types: Mapping[int, Typed]


def propose(file: LocalFile, dataset: str, provider: str, scratch: Path) -> str:
    """A contract in YAML that loads and reads this file; DeliveryError for an unreadable file."""
    notes = Notes()
    folder = Path(tempfile.mkdtemp(prefix="proposal-", dir=scratch))
    try:
        parts = list(Opener(Layout(), folder, notes).open(file))
        if not parts:
            raise FileNotes(file.name, notes).error(wording("archive_empty"))
        part = parts[0]
        layout = guess_layout(part.path, FileNotes(part.name, notes))
        if part.name != file.name:
            suffix = part.path.suffix or Path(part.name).suffix
            layout.put(wording("archive_first_file", files=len(parts)), files=f"*{suffix}")
        profile = _profile(part, layout)
        if profile.own < 2:
            layout.comments.append(wording("one_column"))
        return _document(dataset, provider, file.name, layout, profile)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _profile(part: LocalFile, layout: GuessedLayout) -> _Profile:
    notes = Notes()
    profile = _sampled(_grid(part, layout, notes))
    typical = _typical(profile)
    footer = footer_rows(profile.last, typical)
    if footer and not profile.more:
        layout.put(wording("footer_rows", rows=footer), footer_rows=footer)
        notes = Notes()
        profile = _sampled(_grid(part, layout, notes))
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


def _sampled(grid: Grid) -> _Profile:
    pieces: dict[int, list[pa.Array]] = {i: [] for i, name in enumerate(grid.header) if name is not None}
    last: deque[list[str | None]] = deque(maxlen=LAST_ROWS)
    rows, has_more = 0, False
    for chunk in grid.chunks():
        if rows >= SAMPLED_ROWS:
            has_more = True
            break
        rows += len(chunk)
        for i, arrays in pieces.items():
            arrays.append(chunk.cells[i])
        tail = chunk.slice(max(len(chunk) - LAST_ROWS, 0), LAST_ROWS)
        last.extend([list(row) for row in zip(*(c.to_pylist() for c in tail.cells), strict=True)])
    joined = {i: pa.concat_arrays(arrays) if arrays else pa.array([], pa.string()) for i, arrays in pieces.items()}
    return _Profile(grid.header, grid.own(), joined, rows, has_more, list(last), grid.types)


def _typical(profile: _Profile) -> float:
    filled = sum(len(a) - a.null_count for a in profile.columns.values())
    return filled / profile.rows if profile.rows else 0.0


def _document(dataset: str, provider: str, file: str, layout: GuessedLayout, profile: _Profile) -> str:
    counts = {i: _counts(array) for i, array in profile.columns.items()}
    decimal = decimal_mark(value_counts for i, value_counts in counts.items() if i not in profile.types)
    guesses = {i: _guess(i, profile, value_counts, decimal) for i, value_counts in counts.items()}
    names = _names(profile)
    key = candidate_key(profile.columns, _key_order(profile, guesses))
    sampled = f"前 {profile.rows} 行" if profile.more else f"全部 {profile.rows} 行"
    lines = [
        f"# 由 {file} 的{sampled}推断，请逐项核对后再启用。",
        "apiVersion: v3.1.0",
        "kind: DataContract",
        f"id: {dataset}",
        f"name: {_flow(dataset)}  # 建议: 改为中文名称",
        "version: 0.1.0",
        "status: draft",
        "description: {purpose: 待填写}",
        "team: {name: 待填写}  # 建议: 填写负责部门",
        "schema:",
        f"  - name: {dataset}",
        *_key_comment(key, names, profile),
        "    properties:",
    ]
    for i in profile.columns:
        lines += _field(i, names[i], key, guesses[i], profile)
    lines += ["customProperties:", f"  - {{property: provider, value: {provider}}}"]
    lines += [f"  # 建议: {comment}" for comment in layout.comments]
    values = {**layout.values, "extra_columns": "evolve"}
    lines.append(f"  - {_flow({'property': 'layout', 'value': values})}")
    mode = "merge" if key else "append"
    lines.append(f"  - {{property: write, value: {{mode: {mode}}}}}")
    return "\n".join(lines) + "\n"


def _counts(array: pa.Array) -> Counter[str]:
    counted = array.drop_null().value_counts()
    return Counter(dict(zip(counted.field(0).to_pylist(), counted.field(1).to_pylist(), strict=True)))


def _guess(position: int, profile: _Profile, counts: Counter[str], decimal: str) -> Guess:
    header, typed = profile.header[position] or "", profile.types.get(position)
    return guess(Column(header, position + 1, profile.rows, counts, typed, decimal))


def _key_order(profile: _Profile, guesses: dict[int, Guess]) -> list[int]:
    """Columns that may be part of a key: codes first, then times, then words and counts; a serial number last."""

    def rank(i: int) -> int:
        header = profile.header[i] or ""
        if SERIAL_HEADER.match(header):
            return 3
        return 0 if CODE_HEADER.search(header) else 1 if TIME_HEADER.search(header) else 2

    def is_short(i: int) -> bool:
        return (pc.max(pc.utf8_length(profile.columns[i])).as_py() or 0) <= MAX_KEY_CHARS

    kinds = ("number", "boolean")
    usable = [i for i, g in guesses.items() if g.type not in kinds and not g.missing and is_short(i)]
    return sorted(usable, key=lambda i: (rank(i), i))


def _key_comment(key: Sequence[int], names: dict[int, str], profile: _Profile) -> Iterator[str]:
    if key:
        scope = f"在前 {profile.rows} 行中" if profile.more else f"在全部 {profile.rows} 行中"
        yield wording("key_proposed", names="+".join(names[i] for i in key), scope=scope)
        if len(key) == 1 and SERIAL_HEADER.match(profile.header[key[0]] or ""):
            yield wording("key_serial")
    else:
        yield wording("key_missing")


def _names(profile: _Profile) -> dict[int, str]:
    """Field names: an ASCII header in snake case, `field_<n>` for any other."""
    names: dict[int, str] = {}
    for i in profile.columns:
        base = snake_case(profile.header[i] or "")
        if not RESERVED.match(base):
            base = f"field_{i + 1}"
        name, number = base, 1
        while name in names.values():
            number += 1
            name = f"{base}_{number}"
        names[i] = name
    return names


def snake_case(header: str) -> str:
    """The header in snake case; empty where it is not ASCII throughout."""
    if not header.isascii():
        return ""
    spaced = re.sub(r"(?<=[a-z]{2})(?=[A-Z][a-z])", "_", header.strip())
    return re.sub(r"[^a-z0-9]+", "_", spaced.lower()).strip("_")


def _field(i: int, name: str, key: Sequence[int], proposed: Guess, profile: _Profile) -> Iterator[str]:
    header = profile.header[i]
    for comment in proposed.comments:
        yield f"      # 建议: {' '.join(comment.split())}"
    if proposed.missing and profile.rows:
        yield wording("empty_cells", rows=proposed.missing, share=proposed.missing / profile.rows)
    yield f"      - name: {_flow(name)}"
    yield f"        businessName: {_flow(header or f'第 {i + 1} 列')}"
    yield f"        logicalType: {proposed.type}"
    yield from _options(proposed, is_key=i in key, is_required=not proposed.missing and profile.rows > 0)
    if i in key:
        yield f"        primaryKeyPosition: {list(key).index(i) + 1}"
    source = {**({"header": header} if header else {"position": i + 1}), **proposed.source}
    yield "        customProperties:"
    if proposed.unit:
        yield f"          - {_flow({'property': 'unit', 'value': proposed.unit})}"
    yield f"          - {_flow({'property': 'source', 'value': source})}"


def _options(proposed: Guess, is_key: bool, is_required: bool) -> Iterator[str]:
    if proposed.physical:
        yield f"        physicalType: {proposed.physical}"
    if proposed.personal:
        yield "        classification: L3"
    if proposed.enum:
        yield f"        enum: {_flow([{'value': v, 'label': v} for v in proposed.enum])}"
    if is_key or is_required:
        yield "        required: true"
    if is_key:
        yield "        primaryKey: true"


def _flow(value: Any) -> str:
    text = yaml.safe_dump(value, default_flow_style=True, allow_unicode=True, width=100_000, sort_keys=False).strip()
    return text.removesuffix("\n...")
