"""A ticket's workbook that a department returns: which ticket it answers, and what was done about each problem."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from python_calamine import CalamineError, CalamineWorkbook, PasswordError

from jobs.contracts.correction import ABOUT, DATA, KEY, NUMBER, PROBLEMS, TICKET, WAY, WORDS
from jobs.ingest.kinds import LocalFile
from jobs.ingest.workbook_probe import fits

ROWS_SEEN = 20
MOST_WORDS = 500


@dataclass(frozen=True)
class CorrectionNote:
    """A department's note on one problem of the workbook: its number, the record's key, the action taken, the explanation."""

    number: str
    key: str
    way: str
    words: str


def answered_ticket(files: Sequence[LocalFile]) -> str:
    """Id of the ticket whose workbook the delivery is; empty for any other delivery."""
    if len(files) != 1 or not files[0].name.lower().endswith(".xlsx"):
        return ""
    try:
        book = CalamineWorkbook.from_path(str(files[0].path))
    except (CalamineError, PasswordError):  # reported when it is read by its contract
        return ""
    if not {ABOUT, DATA} <= set(book.sheet_names):
        return ""
    if not fits(files[0].path, ABOUT):
        return ""
    return _named_ticket(book.get_sheet_by_name(ABOUT).to_python(nrows=ROWS_SEEN))


def _named_ticket(rows: Sequence[Sequence[object]]) -> str:
    for row in rows:
        cells = [str(cell).strip() for cell in row if str(cell).strip()]
        if len(cells) > 1 and cells[0] == TICKET:
            return cells[1]
    return ""


def correction_notes(path: Path) -> Iterator[CorrectionNote]:
    """The notes filled in next to a workbook's problems, in its order; none for a file that is no such workbook."""
    try:
        book = CalamineWorkbook.from_path(str(path))
    except (CalamineError, PasswordError):
        return
    if not {ABOUT, DATA, PROBLEMS} <= set(book.sheet_names) or not fits(path, PROBLEMS):
        return
    head: list[str] = []
    for row in book.get_sheet_by_name(PROBLEMS).iter_rows():
        cells = [str(cell).strip() for cell in row]
        if not head:
            head = cells
            if not {NUMBER, WAY, WORDS} <= set(head):
                return
            continue
        cell_by_column = dict(zip(head, cells, strict=False))
        if cell_by_column.get(WAY) or cell_by_column.get(WORDS):
            yield CorrectionNote(
                cell_by_column[NUMBER],
                cell_by_column.get(KEY, ""),
                cell_by_column.get(WAY, ""),
                cell_by_column.get(WORDS, "")[:MOST_WORDS],
            )
