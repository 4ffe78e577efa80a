"""A strategy of delivered files, each with what must come out of it: rows, and the rows that are left out with a reason."""

import csv
import gzip
import io
import json
import re
import zipfile
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.parquet as pq
import xlsxwriter
from hypothesis import strategies as st

from jobs.ingest.summary_rows import NOTE, TOTAL, UNIT

NAMES = ("站点", "说明文字", "数量", "负责科室", "街道", "批注")
LETTERS = "甲乙丙丁戊王㙍abXYZ019-_.,;|'\"（）é€ \n"
"""What cells are made of: separators, quotes, line breaks, rare characters, blanks."""
FORMATS = ("csv", "excel", "json", "jsonl", "parquet")
DELIMITERS = (",", ";", "\t", "|")
ENCODINGS = ("utf-8", "utf-8-sig", "gb18030", "utf-16")
ODD_ROWS = ("rows_total", "rows_note", "rows_header", "rows_blank")
FORMATS_WITH_ODD_ROWS = ("csv", "excel")
Row = tuple[str | None, ...]


@dataclass(frozen=True)
class Sent:
    """A file's name and bytes, its contract's layout, its header, the rows that are data, and how many others there are."""

    name: str
    content: bytes
    layout: str
    header: tuple[str, ...]
    rows: tuple[Row, ...]
    left_out: dict[str, int]


def _is_data(text: str) -> bool:
    """Whether a cell cannot be taken for a total, a note, a unit or a header."""
    total = TOTAL.replace(r"\p{Han}", "[\u3400-\u9fff]")
    return not any(re.match(pattern, text) for pattern in (total, NOTE, UNIT)) and text.strip() not in NAMES


CELLS = st.text(LETTERS, min_size=1, max_size=8).filter(_is_data).filter(lambda text: text.strip(" \n"))


@st.composite
def sent_files(draw: st.DrawFn) -> Sent:
    """A file of any format, with odd rows where the format has some, as such or compressed."""
    kind = draw(st.sampled_from(FORMATS))
    header = NAMES[: draw(st.integers(3, len(NAMES)))]
    row = st.tuples(CELLS, *(st.none() | CELLS for _ in header[1:]))
    rows = tuple(draw(st.lists(row, min_size=1, max_size=12)))
    odd = draw(st.lists(st.tuples(st.sampled_from(ODD_ROWS), st.integers(0, len(rows))), max_size=3))
    odd = odd if kind in FORMATS_WITH_ODD_ROWS else []
    lines = with_odd_rows(header, rows, odd)
    content, ending, layout = written(draw, kind, header, lines, draw(st.sampled_from(DELIMITERS)))
    name, content = _packed(draw, f"数据.{ending}", content)
    left_out = {found: sum(one == found for one, _ in odd) for found in {one for one, _ in odd}}
    if kind == "excel":
        left_out["rows_blank"] = left_out.get("rows_blank", 0) - _last_blanks(lines)
    counted = {found: number for found, number in left_out.items() if number}
    return Sent(name, content, f"{{format: {kind}{layout}}}", header, rows, counted)


def _last_blanks(lines: list[Row]) -> int:
    """Rows without cells at the end: a workbook does not store them, so there is nothing to leave out."""
    filled = [place for place, line in enumerate(lines) if any(line)]
    return len(lines) - 1 - filled[-1]


def with_odd_rows(header: tuple[str, ...], rows: tuple[Row, ...], odd: list[tuple[str, int]]) -> list[Row]:
    """The rows with others between them that are no data."""
    empty: Row = (None,) * (len(header) - 1)
    said: dict[str, Row] = {
        "rows_total": ("合计", *empty),
        "rows_note": ("注：以上为快报数", *empty),
        "rows_header": header,
        "rows_blank": (None, *empty),
    }
    lines: list[Row] = list(rows)
    for kind, place in sorted(odd, key=lambda one: -one[1]):
        lines.insert(place, said[kind])
    return lines


def written(
    draw: st.DrawFn, kind: str, header: tuple[str, ...], lines: list[Row], delimiter: str
) -> tuple[bytes, str, str]:
    """Bytes, ending of the name, and what the layout says in addition to the format."""
    if kind == "csv":
        encoding = draw(st.sampled_from(ENCODINGS))
        text = io.StringIO()
        quoting = draw(st.sampled_from((csv.QUOTE_MINIMAL, csv.QUOTE_ALL)))
        writer = csv.writer(
            text, delimiter=delimiter, quoting=quoting, lineterminator=draw(st.sampled_from(("\n", "\r\n")))
        )
        writer.writerows([header, *(["" if cell is None else cell for cell in line] for line in lines)])
        declared = encoding.removesuffix("-sig")
        return text.getvalue().encode(encoding), "csv", f', encoding: {declared}, delimiter: "{_escaped(delimiter)}"'
    if kind == "excel":
        return _workbook(header, lines), "xlsx", ""
    records = [dict(zip(header, line, strict=True)) for line in lines]
    if kind == "parquet":
        sink = io.BytesIO()
        pq.write_table(pa.table({n: pa.array([r[n] for r in records], pa.string()) for n in header}), sink)
        return sink.getvalue(), "parquet", ""
    if kind == "json":
        return json.dumps(records, ensure_ascii=False).encode(), "json", ""
    return "".join(json.dumps(r, ensure_ascii=False) + "\n" for r in records).encode(), "jsonl", ""


def _escaped(delimiter: str) -> str:
    return "\\t" if delimiter == "\t" else delimiter


def _workbook(header: tuple[str, ...], lines: list[Row]) -> bytes:
    sink = io.BytesIO()
    with xlsxwriter.Workbook(sink, {"in_memory": True}) as book:
        sheet = book.add_worksheet()
        for number, line in enumerate([header, *lines]):
            for place, cell in enumerate(line):
                if cell is not None:
                    sheet.write_string(number, place, cell)
    return sink.getvalue()


def _packed(draw: st.DrawFn, name: str, content: bytes) -> tuple[str, bytes]:
    wrapping = draw(st.sampled_from(("", "", "gz", "zip")))
    if wrapping == "gz":
        return f"{name}.gz", gzip.compress(content, mtime=0)
    if wrapping == "zip":
        sink = io.BytesIO()
        with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(name, content)
        return "数据.zip", sink.getvalue()
    return name, content
