"""A cell of an extract → its value in the form, or why it cannot be read."""

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from jobs.catalogue.list_tables import ListCell
from jobs.catalogue.province.form import Column
from jobs.catalogue.search import normal

ERROR = re.compile(r"#(N/A|REF!|DIV/0!|VALUE!|NAME\?|NUM!|NULL!)|=.+")
"""What a spreadsheet shows for a formula that fails, and a formula that was never calculated."""
DAY = re.compile(r"(\d{4})[-/.年]?(\d{1,2})[-/.月]?(\d{1,2})日?(?:[ T]\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?)?")
FIRST_DAY = date(1899, 12, 30)
SERIALS = range(20_000, 80_000)
"""Days that a spreadsheet keeps as numbers: from 1954 to 2119."""


@dataclass(frozen=True)
class Value:
    """A text in the form's own words, and what is wrong with it, in Chinese. Not readable: nothing to compare."""

    text: str
    reason: str = ""
    is_readable: bool = True


def value(column: Column, cell: ListCell) -> Value:
    """The cell's value."""
    if ERROR.fullmatch(cell.text):
        return Value("", "公式没有结果", is_readable=False)
    return _READERS[column.kind](column, cell)


def plain_code(text: str) -> str:
    """A code as compared: half-width capitals without blanks."""
    return "".join(unicodedata.normalize("NFKC", text).split()).upper()


def _code(_: Column, cell: ListCell) -> Value:
    if not cell.is_exact:
        return Value("", "代码按数值保存，末位已失真；请按文本格式导出", is_readable=False)
    return Value(plain_code(cell.text))


def _words(column: Column, cell: ListCell) -> Value:
    word = column.known_words.get(normal(cell.text))
    if word is None and column.closed:
        return Value(cell.text, f"不认识的值；可以是：{'、'.join(dict.fromkeys(column.known_words.values()))}")
    return Value(word or cell.text)


def _day(_: Column, cell: ListCell) -> Value:
    text = unicodedata.normalize("NFKC", cell.text)
    if cell.is_number and text.isdecimal() and int(text) in SERIALS:
        return Value((FIRST_DAY + timedelta(days=int(text))).isoformat())
    found = DAY.fullmatch(text)
    try:
        return Value(date(*map(int, found.groups())).isoformat()) if found else Value(cell.text, "不是日期")
    except ValueError:
        return Value(cell.text, "没有这一天")


def _text(_: Column, cell: ListCell) -> Value:
    return Value(cell.text)


_READERS: Mapping[str, Callable[[Column, ListCell], Value]] = {
    "code": _code,
    "words": _words,
    "date": _day,
    "text": _text,
}
