"""How an unseen file looks: format, delimiter, quotes, encoding, header, sub-headings, footer."""

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

ROWS_LOOKED_AT = 500
SAMPLE_BYTES = 2 << 20
MAX_TITLE_ROWS = 15
MAX_HEADER_ROWS = 3
NUMERIC = re.compile(r"^[<>≤≥]?\s*[-+]?[\d.,:/-]+\s*\S{0,4}$|^\d{4}[-/年.]\d")
COUNTED_SECTION = re.compile(r"^.+?[（(]\D*\d+\D*[)）]$")
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
    """The layout of the file; DeliveryError for what can never be read."""
    found = GuessedLayout()
    kind = kind_of(path, notes)
    if kind == "excel":
        _excel(path, notes, found)
    elif kind == "parquet":
        found.put(wording("file_is_parquet"), format="parquet")
    elif looks_like_json(path):
        _json(path, notes, found)
    else:
        _text(path, notes, found)
    return found


def footer_rows(last: Sequence[Sequence[str | None]], typical: float) -> int:
    """How many of the last rows are a footer: totals, notes, signatures."""
    count = 0
    for row in reversed(last):
        filled = [cell for cell in row if cell]
        is_note = len(filled) == 1 and typical >= 3 and bool(re.search(r"[：:（(]|合计|注", filled[0]))
        if not filled or not (FOOTER.match(filled[0]) or is_note):
            break
        count += 1
    return count


def _excel(path: Path, notes: FileNotes, found: GuessedLayout) -> None:
    sizes = sheet_sizes(path, notes)
    name = max(sizes, key=lambda n: sizes[n])
    others = wording("sheets_other", names="、".join(n for n in sizes if n != name)) if len(sizes) > 1 else ""
    found.put(wording("sheet_taken", name=name, others=others), format="excel", sheet=name)
    _head(top_rows(path, name, ROWS_LOOKED_AT, notes), found)


def _json(path: Path, notes: FileNotes, found: GuessedLayout) -> None:
    encoding = detect(path, "auto", notes)
    text = b"".join(blocks(path, encoding)).decode("utf-8", "replace")
    try:
        document = parse(text)
    except json.JSONDecodeError as error:
        if error.msg == "Extra data":
            found.put(wording("json_lines"), format="jsonl")
            return
        raise notes.error(wording("json_broken_at", line=error.lineno, column=error.colno)) from error
    if isinstance(document, dict) and not _lists(document, ""):
        found.put(wording("json_one_record"), format="jsonl")
        return
    lists = [("", len(document))] if isinstance(document, list) else _lists(document, "")
    records, size = max(lists, key=lambda item: item[1])
    found.put(
        wording("records_at", records=records or "根", size=size),
        format="json",
        **({"records": records} if records else {}),
    )


def _lists(value: Any, path: str) -> list[tuple[str, int]]:
    """Dotted path and length of every list of records below."""
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


def _text(path: Path, notes: FileNotes, found: GuessedLayout) -> None:
    encoding = detect(path, "auto", notes)
    found.put(
        wording("encoding_guessed", encoding=encoding.name, confidence=encoding.confidence),
        format="csv",
        encoding=encoding.name,
    )
    sample = b""
    for block in blocks(path, encoding, SAMPLE_BYTES):
        sample = block.replace(b"\0", b"")
        break
    whole = len(sample) < SAMPLE_BYTES
    delimiter = max(DELIMITERS, key=lambda d: _fit(sample, whole, Dialect(d, '"', True)))
    quoted, plain = Dialect(delimiter, '"', True), Dialect(delimiter, "", True)
    if delimiter != ",":
        found.put(wording("delimiter_guessed", delimiter=delimiter), delimiter=delimiter)
    records = Parser(quoted).parse(sample, whole, ROWS_LOOKED_AT)
    if (records.unpaired or records.irregular) and _fit(sample, whole, plain) >= _fit(sample, whole, quoted):
        found.put(wording("quotes_plain", rows=len(records.rows)), quote="")
        records = Parser(plain).parse(sample, whole, ROWS_LOOKED_AT)
    _head(records.rows, found)


def _fit(sample: bytes, whole: bool, dialect: Dialect) -> tuple[float, int]:
    """Share of rows that have the usual width, and that width; nothing for a single column."""
    rows = [r for r in Parser(dialect).parse(sample, whole, ROWS_LOOKED_AT).rows if r]
    widths = Counter(len(r) for r in rows)
    width, rows_of_it = widths.most_common(1)[0] if widths else (1, 0)
    return (rows_of_it / len(rows), width) if width > 1 else (0.0, 1)


def _head(rows: Sequence[Sequence[str]], found: GuessedLayout) -> None:
    """Rows above the header, header rows and sub-headings."""
    filled = [sum(1 for cell in row if cell.strip()) for row in rows]
    typical = median(filled[MAX_TITLE_ROWS // 2 :] or filled or [0])
    skip = _title_rows(filled, typical)
    if skip:
        found.put(wording("title_rows", rows=skip), skip_rows=skip)
    levels = _header_levels(rows[skip:], typical)
    if levels != 1:
        reason = f"表头占 {levels} 行，各级以 / 连接" if levels else "首行已是数据，没有表头，按列序取值"
        found.put(reason, header_rows=levels)
    _sections(rows[skip + levels :], typical, found)


def _title_rows(filled: Sequence[int], typical: float) -> int:
    """Rows with few cells above the first full one; none where no full one follows them."""
    few = [cells < max(2, typical / 2) <= typical for cells in filled]
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
    """Whether the row is a lower level of the header: words that fill gaps of the row above, with numbers below."""
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


def _sections(rows: Sequence[Sequence[str]], typical: float, found: GuessedLayout) -> None:
    """Rows with one filled cell, the first, more than once and with data after each."""
    if typical < 3:
        return
    heads = _section_heads(rows)
    if len(heads) < 2 or any(FOOTER.match(head) for head in heads):
        return
    counted = all(COUNTED_SECTION.match(head) for head in heads)
    pattern = r"^(?P<section>.+?)[（(]\D*\d+\D*[)）]$" if counted else r"^(?P<section>.+)$"
    found.put(wording("sections_between", rows=len(rows), heads=len(heads)), section={"pattern": pattern})


def _section_heads(rows: Sequence[Sequence[str]]) -> list[str]:
    """First cells of rows that have no other, with data below."""
    lone = [place for place, row in enumerate(rows) if _is_lone(row)]
    return [rows[place][0].strip() for place in lone if place + 1 < len(rows) and place + 1 not in lone]


def _is_lone(row: Sequence[str]) -> bool:
    """Whether the first cell is filled and no other."""
    return bool(row) and bool(row[0].strip()) and not any(cell.strip() for cell in row[1:])
