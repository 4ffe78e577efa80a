"""Hotline orders: orders of the day, and earlier ones closed on it, as one JSON document."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from jobs.contracts.place import place
from jobs.simulator import identity
from jobs.simulator.feed import Feed, Whole
from jobs.simulator.feeds.contents import contents
from jobs.simulator.forms import JsonForm
from jobs.simulator.places import address
from jobs.simulator.planting import when
from jobs.simulator.register_words import canaries
from jobs.simulator.rows import Cell, Row
from jobs.simulator.setting import Setting

ORDERS_A_DAY = 300
LOOK_BACK_DAYS = 3
CLOCK = "%Y-%m-%d %H:%M:%S"


@dataclass(frozen=True)
class _Order:
    cells: dict[str, Cell]
    dispatched: datetime
    closed: datetime


def _order(setting: Setting, number: int) -> _Order:
    rng = setting.rng("order", number)
    major, minor, text, unit = rng.choice(contents().topics)
    county = rng.choice(place().counties)
    dispatched = setting.midnight() + timedelta(seconds=rng.randrange(7 * 3600, 22 * 3600))
    closed = dispatched + timedelta(hours=rng.uniform(3, 66))
    location = address(rng, county)
    cells: dict[str, Cell] = {
        "order_no": f"LC{setting.day:%Y%m%d}{number + 1:06d}",
        "order_source": rng.choice(("电话", "电话", "微信", "网站", "APP")),
        "order_title": f"{county.name}{minor}",
        "order_content": f"来电反映{location}{text}，请核实处理。",
        "category_major": major,
        "category_minor": minor,
        "division_code": county.code,
        "address": location,
        "caller_name": identity.person_name(rng),
        "caller_phone": identity.mobile(rng),
        "handling_unit": f"{county.name}{unit}",
        "dispatched_at": dispatched.strftime(CLOCK),
        "promised_at": (dispatched + timedelta(days=3)).strftime(CLOCK),
    }
    return _Order(cells, dispatched, closed.replace(microsecond=0))


def _rows(setting: Setting) -> list[Row]:
    end = setting.midnight() + timedelta(days=1)
    rows: list[Row] = []
    for back in range(LOOK_BACK_DAYS, -1, -1):
        that_day = setting.on(setting.day - timedelta(days=back))
        for number in range(setting.count(ORDERS_A_DAY)):
            order = _order(that_day, number)
            if back == 0 or setting.midnight() <= order.closed < end:
                rows.append(_row(order, end))
    return rows


def _row(order: _Order, end: datetime) -> Row:
    if order.closed >= end:
        return Row(
            {**order.cells, "closed_at": None, "order_status": "办理中", "order_result": None, "satisfaction": None}
        )
    satisfaction = "满意" if order.closed.minute % 10 else "不满意"
    closed = order.closed.strftime(CLOCK)
    closing: dict[str, Cell] = {"closed_at": closed, "order_status": "已办结", "order_result": "已现场处理并答复"}
    return Row({**order.cells, **closing, "satisfaction": satisfaction})


_closed = when("order_status", "已办结")


def _closed_heat(row: Row) -> bool:
    return _closed(row) and row.cells["category_major"] == "供热"


def _closed_other(row: Row) -> bool:
    return _closed(row) and row.cells["category_major"] != "供热"


@dataclass(frozen=True)
class Later:
    """The time that many days after the dispatch."""

    days: float

    def __call__(self, row: Row, rng: Random) -> Cell:
        """The time as text."""
        return (datetime.strptime(row.text("dispatched_at"), CLOCK) + timedelta(days=self.days)).strftime(CLOCK)


def _in_words(row: Row, rng: Random) -> Cell:
    moment = datetime.strptime(row.text("dispatched_at"), CLOCK)
    return f"{moment.year}年{moment.month}月{moment.day}日 {moment:%H:%M}"


def _milliseconds(row: Row, rng: Random) -> Cell:
    return int((datetime.strptime(row.text("dispatched_at"), CLOCK) - datetime(1970, 1, 1, 8)).total_seconds()) * 1000


def _with_identity(row: Row, rng: Random) -> Cell:
    return f"{row.text('order_content')}本人身份证号{rng.choice(canaries())}。"


def _with_phone(row: Row, rng: Random) -> Cell:
    return f"{row.text('order_content')}联系电话{identity.mobile(rng)}。"


FEED = Feed(
    dataset="hotline_orders",
    rows=_rows,
    form=lambda setting, file: JsonForm(file.headers),
    whole=lambda setting: (Whole("declared_rows", "", "declared_rows"),) if setting.number() % 7 == 2 else (),
    declared_surplus=lambda setting: 3 if setting.number() % 7 == 2 else 0,
    values={
        "day_before_dispatch": Later(-1),
        "soon_after_dispatch": Later(0.1),
        "four_days_after_dispatch": Later(4),
        "in_words": _in_words,
        "milliseconds": _milliseconds,
        "with_identity": _with_identity,
        "with_phone": _with_phone,
    },
    where={"closed_heat": _closed_heat, "closed_other": _closed_other},
)
