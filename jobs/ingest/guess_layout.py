"""Layout guessed for a new file: format, delimiter, quotes, encoding, header, sub-headings, footer."""

import json
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from jobs.ingest.delimited import DELIMITERS
from jobs.ingest.encoding import blocks, detect
from jobs.ingest.excel import sheet_sizes, top_rows
from jobs.ingest.kinds import kind_of, looks_like_json
from jobs.ingest.notes import FileNotes
from jobs.ingest.quoting import Dialect, Parser
from jobs.ingest.records import parse
from jobs.ingest.wordings import wording

SAMPLED_ROWS = 500
SAMPLE_BYTES = 2 << 20
MAX_TITLE_ROWS = 15
MAX_HEADER_ROWS = 3
NUMERIC = re.compile(r"^[<>≤≥]?\s*[-+]?[\d.,:/-]+\s*\S{0,4}$|^\d{4}[-/年.]\d")
COUNTED_SECTION = re.compile(r"^.+?[（(]\D*\d+\D*[)）]$")
ANNOTATION = re.compile(
    r"^\s*[（(]?\s*(?:[\u3400-\u9fff]{0,6}(?:单位|部门|日期|时间|期间|机构|编号|文号|[人员])|unit|date|period)\s*[:：]|^\s*\d{4}\s*年",
    re.I,
)
"""A cell above the header that says something about the whole table: 单位：万元, 填报日期：2026-01-05."""
FOOTER = re.compile(
    r"^\s*(合\s*计|总\s*计|小\s*计|注\s*[:：]|备\s*注\s*[:：]|说\s*明|填\s*表|制\s*表|审\s*核|total\b)", re.I
)


@dataclass
class GuessedLayout:
    """The contract's `layout` as far as it differs from the default, and a comment for each guess."""

    values: dict[str, Any] = field(default_factory=dict)
    comments: list[str] = field(default_factory=list)

    def put(self, comment: str, **values: Any) -> None:
        """Add guessed keys with the reason."""
        self.values.update(values)
        self.comments.append(comment)


def guess_layout(path: Path, notes: FileNotes) -> GuessedLayout:
    """The layout of the file; DeliveryError for a file that cannot be read."""
    guessed = GuessedLayout()
    kind = kind_of(path, notes)
    if kind == "excel":
        _excel(path, notes, guessed)
    elif kind == "parquet":
        guessed.put(wording("file_is_parquet"), format="parquet")
    elif looks_like_json(path):
        _json(path, notes, guessed)
    else:
        _text(path, notes, guessed)
    return guessed


def _excel(path: Path, notes: FileNotes, guessed: GuessedLayout) -> None:
    sizes = sheet_sizes(path, notes)
    name = max(sizes, key=lambda n: sizes[n])
    others = wording("sheets_other", names="、".join(n for n in sizes if n != name)) if len(sizes) > 1 else ""
    guessed.put(wording("sheet_taken", name=name, others=others), format="excel", sheet=name)
    _head(top_rows(path, name, SAMPLED_ROWS, notes), guessed)


def _json(path: Path, notes: FileNotes, guessed: GuessedLayout) -> None:
    encoding = detect(path, "auto", notes)
    text = b"".join(blocks(path, encoding)).decode("utf-8", "replace")
    try:
        document = parse(text)
    except json.JSONDecodeError as error:
        if error.msg == "Extra data":
            guessed.put(wording("json_lines"), format="jsonl")
            return
        raise notes.error(wording("json_broken_at", line=error.lineno, column=error.colno)) from error
    if isinstance(document, dict) and not _lists(document, ""):
        guessed.put(wording("json_one_record"), format="jsonl")
        return
    lists = [("", len(document))] if isinstance(document, list) else _lists(document, "")
    records, size = max(lists, key=lambda item: item[1])
    guessed.put(
        wording("records_at", records=records or "根", size=size),
        format="json",
        **({"records": records} if records else {}),
    )


def _lists(value: Any, path: str) -> list[tuple[str, int]]:
    """Dotted path and length of every list of records in a document."""
    if not isinstance(value, dict):
        return []
    if isinstance(value.get("columns"), list) and isinstance(value.get("data"), list):
        return [(path, len(value["data"]))]
    lists: list[tuple[str, int]] = []
    for key, inner in value.items():
        place = f"{path}.{key}" if path else key
        if isinstance(inner, list) and inner and isinstance(inner[0], dict):
            lists.append((place, len(inner)))
        lists.extend(_lists(inner, place))
    return lists


def _text(path: Path, notes: FileNotes, guessed: GuessedLayout) -> None:
    encoding = detect(path, "auto", notes)
    guessed.put(
        wording("encoding_guessed", encoding=encoding.name, confidence=encoding.confidence),
        format="csv",
        encoding=encoding.name,
    )
    sample = b""
    for block in blocks(path, encoding, SAMPLE_BYTES):
        sample = block.replace(b"\0", b"")
        break
    is_whole_file = len(sample) < SAMPLE_BYTES
    delimiter = max(DELIMITERS, key=lambda d: _fit(sample, is_whole_file, Dialect(d, '"', True)))
    quoted, plain = Dialect(delimiter, '"', True), Dialect(delimiter, "", True)
    if delimiter != ",":
        guessed.put(wording("delimiter_guessed", delimiter=delimiter), delimiter=delimiter)
    records = Parser(quoted).parse(sample, is_whole_file, SAMPLED_ROWS)
    if (records.unpaired or records.irregular) and _fit(sample, is_whole_file, plain) >= _fit(
        sample, is_whole_file, quoted
    ):
        guessed.put(wording("quotes_plain", rows=len(records.rows)), quote="")
        records = Parser(plain).parse(sample, is_whole_file, SAMPLED_ROWS)
    _head(records.rows, guessed)


def _fit(sample: bytes, is_whole_file: bool, dialect: Dialect) -> tuple[float, int]:
    """Share of rows with the most common width, and that width; (0, 1) for a single column."""
    rows = [r for r in Parser(dialect).parse(sample, is_whole_file, SAMPLED_ROWS).rows if r]
    widths = Counter(len(r) for r in rows)
    width, rows_of_width = widths.most_common(1)[0] if widths else (1, 0)
    return (rows_of_width / len(rows), width) if width > 1 else (0.0, 1)


def _head(rows: Sequence[Sequence[str]], guessed: GuessedLayout) -> None:
    """Rows above the header, header rows and sub-headings."""
    filled = [sum(1 for cell in row if cell.strip()) for row in rows]
    typical = median((filled[MAX_TITLE_ROWS // 2 :] if len(filled) > 2 * MAX_TITLE_ROWS else filled) or [0])
    skip = _title_rows(rows, filled, typical)
    if skip:
        guessed.put(wording("title_rows", rows=skip), skip_rows=skip)
    levels = _header_levels(rows[skip:], typical)
    if levels != 1:
        reason = f"表头占 {levels} 行，各级以 / 连接" if levels else "首行已是数据，没有表头，按列序取值"
        guessed.put(reason, header_rows=levels)
    _sections(rows[skip + levels :], typical, guessed)


def _title_rows(rows: Sequence[Sequence[str]], filled: Sequence[int], typical: float) -> int:
    """Number of rows above the first full row that have few cells or only notes; 0 where no full row follows."""
    few = [
        cells < max(2, typical / 2) <= typical
        or (0 < cells < typical and all(map(ANNOTATION.match, filter(str.strip, row))))
        for cells, row in zip(filled, rows, strict=True)
    ]
    skip = 0
    while skip < min(MAX_TITLE_ROWS, len(few) - 1) and few[skip]:
        skip += 1
    return 0 if few[skip : skip + 1] == [True] else skip


def _header_levels(rows: Sequence[Sequence[str]], typical: float) -> int:
    if not rows or not _is_wording(rows[0], 0.8):
        return 0
    levels = 1
    while levels < min(MAX_HEADER_ROWS, len(rows) - 1) and _is_level(rows, levels, typical):
        levels += 1
    return levels


def _is_level(rows: Sequence[Sequence[str]], place: int, typical: float) -> bool:
    """Whether the row is a lower header level: words that fill gaps of the row above, with numbers below."""
    upper, lower = rows[place - 1], rows[place]
    filled = [index for index, cell in enumerate(lower) if cell.strip()]
    gaps = [index for index in filled if index >= len(upper) or not upper[index].strip()]
    is_short = bool(gaps) and len(filled) < typical
    return is_short and _has_numbers(rows[place + 1 : place + 4]) and _is_wording(lower, 1.0)


def _has_numbers(rows: Sequence[Sequence[str]]) -> bool:
    return any(NUMERIC.match(cell.strip()) for row in rows for cell in row if cell.strip())


def _is_wording(row: Sequence[str], share: float) -> bool:
    cells = [cell.strip() for cell in row if cell.strip()]
    words = sum(1 for cell in cells if not NUMERIC.match(cell))
    return bool(cells) and words >= share * len(cells)


def _sections(rows: Sequence[Sequence[str]], typical: float, guessed: GuessedLayout) -> None:
    """Recognise sub-headings: rows with only the first cell filled, more than one, each followed by data."""
    if typical < 3:
        return
    heads = _section_heads(rows)
    if len(heads) < 2 or any(FOOTER.match(head) for head in heads):
        return
    counted = all(COUNTED_SECTION.match(head) for head in heads)
    pattern = r"^(?P<section>.+?)[（(]\D*\d+\D*[)）]$" if counted else r"^(?P<section>.+)$"
    guessed.put(wording("sections_between", rows=len(rows), heads=len(heads)), section={"pattern": pattern})


def _section_heads(rows: Sequence[Sequence[str]]) -> list[str]:
    """First cells of rows without other cells, with data below."""
    lone = [place for place, row in enumerate(rows) if _is_lone(row)]
    return [rows[place][0].strip() for place in lone if place + 1 < len(rows) and place + 1 not in lone]


def _is_lone(row: Sequence[str]) -> bool:
    """Whether the first cell is filled and no other."""
    return bool(row) and bool(row[0].strip()) and not any(cell.strip() for cell in row[1:])
