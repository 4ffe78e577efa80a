"""Water meters: one book of accounts a day, in a workbook with numbers stored as text."""

from datetime import date
from random import Random

from jobs.contracts.place import place
from jobs.simulator import identity
from jobs.simulator.feed import Feed
from jobs.simulator.forms import ExcelForm
from jobs.simulator.places import address
from jobs.simulator.planting import breaks, change, copied, repairs, warns, when
from jobs.simulator.rows import Cell, Row
from jobs.simulator.setting import START, Setting

METERS_A_DAY = 600
BOOKS = 28
"""Each book is read once in four weeks."""
HEADERS = {
    "meter_no": "表号",
    "account_no": "户号",
    "account_name": "户名",
    "contact_phone": "联系电话",
    "division_code": "行政区划代码",
    "address": "地址",
    "user_kind": "用水类别",
    "read_type": "抄表方式",
    "reading_date": "抄表日期",
    "previous_reading_m3": "上次读数",
    "reading_m3": "本次读数",
    "usage_m3": "用水量",
}


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


def _form(setting: Setting) -> ExcelForm:
    return ExcelForm(
        HEADERS, "抄表记录", (f"聊城市供水单位抄表记录 {setting.day:%Y-%m-%d}",), ("合计：{rows} 户  制表人：营业专员",)
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


def _glued(row: Row, rng: Random) -> Cell:
    return row.text("usage_m3") + "吨"


def _grouped(row: Row, rng: Random) -> Cell:
    return f"{int(row.text('reading_m3')):,}"


def _wide(row: Row, rng: Random) -> Cell:
    return row.text("usage_m3").translate(str.maketrans("0123456789", "０１２３４５６７８９"))


FEED = Feed(
    dataset="water_meter_readings",
    provider="liaocheng_water",
    sender="聊城市供水单位营业所",
    stem="抄表记录_%Y%m%d.xlsx",
    key=("meter_no", "reading_date"),
    rows=_rows,
    form=_form,
    plans=(
        breaks("missing_required", "account_no", change(None), "account_no_required", times=2),
        breaks("excel_damage", "meter_no", change("3.71E+11"), "meter_no_pattern"),
        breaks("bad_pattern", "contact_phone", change("6350635"), "contact_phone_phone"),
        breaks("bad_enum", "user_kind", change("商业"), "user_kind_enum"),
        repairs("synonym", "user_kind", change("居民用水", when("user_kind", "居民")), "mapping"),
        repairs("synonym", "read_type", change("估"), "mapping"),
        breaks("orphan_reference", "division_code", change("371599"), "division_code_reference"),
        breaks("bad_pattern", "reading_m3", change("看不清"), "reading_m3_type"),
        breaks("out_of_band", "usage_m3", change("-8"), "usage_m3_range", "usage_equals_difference"),
        breaks(
            "cumulative_fall", "reading_m3", change(_fallen), "reading_not_falling", "usage_equals_difference", times=2
        ),
        breaks("category_mismatch", "usage_m3", change("66"), "usage_equals_difference"),
        warns(
            "operating_exceedance", "usage_m3", change(_leaking, when("user_kind", "居民")), "household_usage_plausible"
        ),
        warns("garbled", "account_name", change("安?"), "account_name_without_lost_characters"),
        repairs("date_format", "reading_date", change(_excel_date), "date_format", times=3),
        repairs("date_format", "reading_date", change(_in_words), "date_format", times=2),
        repairs("date_format", "reading_date", change(_compact), "date_format"),
        repairs("unit_glued", "usage_m3", change(_glued), "unit", times=2),
        repairs("thousands", "reading_m3", change(_grouped), "thousands", times=2),
        repairs("full_width", "usage_m3", change(_wide), "full_width", times=2),
        repairs("duplicate_row", "meter_no", copied(), "duplicates"),
        breaks("key_conflict", "read_type", copied("自报"), "primary_key"),
    ),
)
