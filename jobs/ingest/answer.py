"""Is a delivered workbook the pack of a ticket, filled in? Its first sheet names the ticket."""

from collections.abc import Sequence

from python_calamine import CalamineError, CalamineWorkbook, PasswordError

from jobs.contracts.correction import ABOUT, DATA, TICKET
from jobs.ingest.kinds import LocalFile
from jobs.ingest.workbook_probe import fits

ROWS_SEEN = 20


def answered(files: Sequence[LocalFile]) -> str:
    """Id of the ticket that the delivery answers by being its pack; empty for any other delivery."""
    if len(files) != 1 or not files[0].name.lower().endswith(".xlsx"):
        return ""
    try:
        book = CalamineWorkbook.from_path(str(files[0].path))
    except (CalamineError, PasswordError):  # told by whoever reads it as the contract says
        return ""
    if not {ABOUT, DATA} <= set(book.sheet_names):
        return ""
    if not fits(files[0].path, ABOUT):
        return ""
    for row in book.get_sheet_by_name(ABOUT).to_python(nrows=ROWS_SEEN):
        cells = [str(cell).strip() for cell in row if str(cell).strip()]
        if len(cells) > 1 and cells[0] == TICKET:
            return cells[1]
    return ""
