"""Rows above the header that the contract does not name, such as a title or who filled in the table: found by the row below them."""

from collections.abc import Callable, Sequence
from pathlib import Path

from jobs.contracts import Layout
from jobs.ingest.delimited import DELIMITERS, Score
from jobs.ingest.encoding import blocks, detect
from jobs.ingest.excel import top_rows
from jobs.ingest.headers import joined_header
from jobs.ingest.notes import FileNotes, Notes
from jobs.ingest.quoting import Dialect, Parser

MOST_TITLE_ROWS = 15
SAMPLE_BYTES = 1 << 20
Rows = Sequence[Sequence[str]]


def title_rows(path: Path, layout: Layout, score: Score, enough: float) -> int:
    """How many rows more than the layout says lie above the row that names at least `enough` of the contract's columns; 0 for none."""
    count = layout.skip_rows + MOST_TITLE_ROWS + layout.header_rows
    found = [_below_titles(rows, layout, score, enough) for rows in _READERS[layout.format](path, layout, count)]
    return next(filter(None, found), 0)


def _below_titles(rows: Rows, layout: Layout, score: Score, enough: float) -> int:
    def known(skipped: int) -> int:
        levels = rows[skipped : skipped + layout.header_rows]
        return score(joined_header(levels, max(map(len, levels), default=0), fill=True))

    places = range(layout.skip_rows + 1, len(rows) - layout.header_rows + 1)
    best = max(places, key=known, default=layout.skip_rows)
    return best - layout.skip_rows if known(best) >= max(enough, 1) else 0


def _of_text(path: Path, layout: Layout, count: int) -> list[Rows]:
    """The first rows of a text by each delimiter, the declared one first."""
    encoding = detect(path, layout.encoding, FileNotes(path.name, Notes()))
    sample = next(blocks(path, encoding, SAMPLE_BYTES), b"").replace(b"\0", b"")
    delimiters = dict.fromkeys((layout.delimiter, *DELIMITERS))
    dialects = (Dialect(delimiter, layout.quote, layout.multiline) for delimiter in delimiters)
    return [Parser(dialect).parse(sample, last=True, limit=count).rows for dialect in dialects]


def _of_sheet(path: Path, layout: Layout, count: int) -> list[Rows]:
    return [top_rows(path, layout.sheet, count, FileNotes(path.name, Notes()))]


_READERS: dict[str, Callable[[Path, Layout, int], list[Rows]]] = {"csv": _of_text, "excel": _of_sheet}
