"""The workbook sheet in which rows are corrected: as sent, with headers and keys locked and codes to choose from."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from jobs.contracts import Contract, Field
from jobs.contracts.correction import DATA
from jobs.reporting.delivery.workbook import LAST_ROW, Formats, print_setup, write_text

CODES = "代码表"
LONGEST_PROMPT = 255
HEADER_ROWS = 2


@dataclass(frozen=True)
class SentRows:
    """Rows as sent: names of bronze columns, and the rows; for the owning department."""

    columns: Sequence[str]
    rows: Iterable[Mapping[str, str | None]]


def write_data(book: Any, formats: Formats, wrong: Sequence[str], contract: Contract, sent: SentRows) -> None:
    """Write the sheet of rows, the ticket's fields marked, and a sheet of codes after it where fields have some."""
    sheet = book.add_worksheet(DATA)
    known = {f.name: f for f in contract.fields}
    titles = [known[name].title if name in known else name for name in sent.columns]
    _write_headers(sheet, formats, (titles, sent.columns))
    keys = set(contract.key()) - set(wrong)
    forms = [_form(formats, name, wrong, keys) for name in sent.columns]
    last = _write_rows(sheet, sent, forms, formats.wrong)
    sheet.freeze_panes(HEADER_ROWS, 0)
    print_setup(sheet, is_wide=True)
    coded = [(column, known[name]) for column, name in enumerate(sent.columns) if name in known and _codes(known[name])]
    if coded and last >= HEADER_ROWS:
        _choices(book, formats, sheet, coded, min(last, LAST_ROW - 1))
    protect(sheet)


def _write_headers(sheet: Any, formats: Formats, heads: Sequence[Sequence[str]]) -> None:
    """Row by row: in constant-memory mode, earlier rows cannot be written any more."""
    sheet.set_column(0, len(heads[0]) - 1, 24)
    for place, cells in enumerate(heads):
        for column, text in enumerate(cells):
            write_text(sheet, place, column, text, formats.head)


def _write_rows(sheet: Any, sent: SentRows, forms: Sequence[Any], to_fill_in: Any) -> int:
    """Write the rows; the place of the last one. In a row that has no cells, such as a message that is no JSON, all are to be filled in."""
    last = HEADER_ROWS - 1
    for last, row in enumerate(sent.rows, HEADER_ROWS):
        is_empty = not any(row[name] for name in sent.columns)
        for column, name in enumerate(sent.columns):
            write_text(sheet, last, column, row[name] or "", to_fill_in if is_empty else forms[column])
    return last


def protect(sheet: Any) -> None:
    """Lock all cells but those to fill in; without a password, against accidents only."""
    allowed = ("format_columns", "format_rows", "sort", "autofilter", "select_locked_cells", "select_unlocked_cells")
    sheet.protect("", dict.fromkeys(allowed, True))


def _form(formats: Formats, name: str, wrong: Sequence[str], keys: set[str]) -> Any:
    if name in keys:
        return formats.text
    return formats.wrong if name in wrong else formats.open


def _codes(field: Field) -> dict[str, str]:
    """Values that the field accepts, with their meaning."""
    standard = dict(field.enum)
    return (
        standard | {sent: standard.get(meant, meant) for sent, meant in field.source.mapping.items()}
        if standard
        else {}
    )


def _choices(book: Any, formats: Formats, sheet: Any, coded: Sequence[tuple[int, Field]], last: int) -> None:
    """A list to choose from for each column of codes; the codes are on a sheet of their own."""
    codes = book.add_worksheet(CODES)
    tables = [(field, list(_codes(field).items())) for _, field in coded]
    _write_codes(codes, formats, tables)
    for number, ((column, field), (_, pairs)) in enumerate(zip(coded, tables, strict=True)):
        letter = _letter(2 * number)
        source = f"='{CODES}'!${letter}$2:${letter}${len(pairs) + 1}"
        meanings = "；".join(f"{code} {meaning}" for code, meaning in pairs)
        prompt = {"input_title": field.title[:32], "input_message": meanings[:LONGEST_PROMPT]}
        refusal = {"error_title": field.title[:32], "error_message": f"请从列表中选择，列表见“{CODES}”"}
        sheet.data_validation(
            HEADER_ROWS, column, last, column, {"validate": "list", "source": source, **prompt, **refusal}
        )
    protect(codes)


def _write_codes(sheet: Any, formats: Formats, tables: Sequence[tuple[Field, list[tuple[str, str]]]]) -> None:
    """Codes and their meanings side by side, two columns a field; row by row, as the book is written."""
    columns = [[(field.title, "含义"), *pairs] for field, pairs in tables]
    for place, cells in enumerate(zip_longest(*columns, fillvalue=())):
        for number, pair in enumerate(cells):
            for offset, text in enumerate(pair):
                write_text(sheet, place, 2 * number + offset, text, formats.text if place else formats.head)


def _letter(column: int) -> str:
    """A column as a spreadsheet names it."""
    name = ""
    while column >= 0:
        name, column = chr(ord("A") + column % 26) + name, column // 26 - 1
    return name
