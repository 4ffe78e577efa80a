"""Water meters: one book of accounts a day, in a workbook with numbers stored as text."""

from datetime import date
from random import Random

from jobs.contracts.place import place
from jobs.simulator import identity
from jobs.simulator.feed import Feed, workbook
from jobs.simulator.places import address
from jobs.simulator.rows import Cell, Row
from jobs.simulator.setting import START, Setting

METERS_A_DAY = 600
BOOKS = 28
"""Each book is read once in four weeks."""


def _rows(setting: Setting) -> list[Row]:
    days = (setting.day - START).days
    book, round_ = days % BOOKS, days // BOOKS
    return [_row(setting, book, round_, number) for number in range(setting.count(METERS_A_DAY))]


def _row(setting: Setting, book: int, round_: int, number: int) -> Row:
    lasting = setting.lasting("meter", book, number)
    county = lasting.choice(place().counties)
    usage = lasting.randrange(5, 25)
    previous = 200 + lasting.randrange(3000) + usage * (round_ + 100)
    return Row(
        {
            "meter_no": f"37{book + 10:02d}{number + 1:08d}",
            "account_no": f"{book + 10:02d}{number + 1:08d}",
            "account_name": identity.person_name(lasting),
            "contact_phone": identity.mobile(lasting),
            "division_code": county.code,
            "address": address(lasting, county),
            "user_kind": lasting.choices(("居民", "非居民", "特种"), (8, 2, 1))[0],
            "read_type": lasting.choice(("实抄", "远传", "远传", "估抄")),
            "reading_date": setting.day.isoformat(),
            "previous_reading_m3": str(previous),
            "reading_m3": str(previous + usage),
            "usage_m3": usage if number % 3 == 0 else str(usage),
        }
    )


def _excel_date(row: Row, rng: Random) -> Cell:
    return (date.fromisoformat(row.text("reading_date")) - date(1899, 12, 30)).days


def _in_words(row: Row, rng: Random) -> Cell:
    read = date.fromisoformat(row.text("reading_date"))
    return f"{read.year}年{read.month}月{read.day}日"


def _compact(row: Row, rng: Random) -> Cell:
    return row.text("reading_date").replace("-", "")


def _fallen(row: Row, rng: Random) -> dict[str, Cell]:
    reading = int(row.text("previous_reading_m3")) - 150
    return {"reading_m3": str(reading)}


def _leaking(row: Row, rng: Random) -> dict[str, Cell]:
    return {"reading_m3": str(int(row.text("previous_reading_m3")) + 180), "usage_m3": "180"}


def _grouped(row: Row, rng: Random) -> Cell:
    return f"{int(row.text('reading_m3')):,}"


FEED = Feed(
    dataset="water_meter_readings",
    rows=_rows,
    form=workbook,
    values={
        "excel_date": _excel_date,
        "in_words": _in_words,
        "compact": _compact,
        "fallen": _fallen,
        "leaking": _leaking,
        "grouped": _grouped,
    },
)
