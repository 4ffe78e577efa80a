"""Bills of water and gas for the month before: what a county's households and firms bought of what it was supplied with."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from decimal import Decimal
from math import floor
from random import Random

from jobs.contracts.place import County, place
from jobs.simulator import identity
from jobs.simulator.balances import Balance, county_flows
from jobs.simulator.curves import hours_since_start
from jobs.simulator.feed import Feed, csv_utf8, same_day_of_month
from jobs.simulator.feed_file import FeedFile
from jobs.simulator.feeds.contents import Tier, contents
from jobs.simulator.feeds.gas_gates import REGULATORS
from jobs.simulator.feeds.water import plant_mean_m3_h
from jobs.simulator.forms import CsvForm, Form
from jobs.simulator.places import address, township_code
from jobs.simulator.planting import Value
from jobs.simulator.rows import Cell, Row
from jobs.simulator.setting import Setting

ACCOUNTS = 400
FIRM_EVERY = 5
"""Of a county's accounts every fifth is a firm's; firms buy what the households leave."""
SOLD = (0.92, 0.90, 0.88)
"""What is sold of the supply, in turn by county; the rest leaks, is not measured, or is not paid for."""
HOUSEHOLD, FIRM = "居民", "非居民"
DIGITS = {HOUSEHOLD: 5, FIRM: 8}
MONTH_H = 730.0
PLANTS = Balance("WP", plant_mean_m3_h, shares=(1.0,), elsewhere=600)


@dataclass(frozen=True)
class Billing:
    """Bills of a utility: its supply by county, the field with the kind of user, and what households use in a month.

    `meters`: the first two digits of its meters and accounts.
    """

    dataset: str
    supply: Balance
    kind_field: str
    household_m3: tuple[int, int]
    meters: str


@dataclass(frozen=True)
class Account:
    """A customer with a meter and a steady use, in m³/h."""

    index: int
    county: County
    kind: str
    rate: float


WATER = Billing("water_bills", PLANTS, "user_kind", (4, 24), meters="38")
GAS = Billing("gas_bills", REGULATORS, "gas_user_kind", (8, 70), meters="39")


def bill_rows(setting: Setting, billing: Billing) -> list[Row]:
    """A bill for each account, for the month before the setting's day; faults are for households, who buy little."""
    until = setting.day.replace(day=1)
    month = (until - timedelta(days=1)).replace(day=1)
    hours = [hours_since_start(datetime.combine(day, time())) for day in (month, until)]
    return [
        _row(setting, billing, account, (hours[0], hours[1]), f"{month:%Y-%m}")
        for account in _accounts(setting, billing)
    ]


def _accounts(setting: Setting, billing: Billing) -> list[Account]:
    flows = county_flows(setting, billing.supply)
    accounts = []
    for number, county in enumerate(place().counties):
        indexes = range(number, setting.count(ACCOUNTS), len(place().counties))
        homes, firms = _households(setting, billing, indexes), indexes[::FIRM_EVERY]
        left = max(0.0, SOLD[number % len(SOLD)] * flows[county.code] - sum(homes.values()))
        weights = {index: 1 + setting.lasting(billing.dataset, "firm", index).random() for index in firms}
        rates = homes | {index: left * weight / sum(weights.values()) for index, weight in weights.items()}
        accounts += [Account(i, county, HOUSEHOLD if i in homes else FIRM, rates[i]) for i in indexes]
    return accounts


def _households(setting: Setting, billing: Billing, indexes: range) -> dict[int, float]:
    """Use of the households, in m³/h."""
    firms = set(indexes[::FIRM_EVERY])
    return {
        index: setting.lasting(billing.dataset, "use", index).randrange(*billing.household_m3) / MONTH_H
        for index in indexes
        if index not in firms
    }


def _row(setting: Setting, billing: Billing, account: Account, hours: tuple[float, float], month: str) -> Row:
    lasting = setting.lasting(billing.dataset, account.index)
    home = address(lasting, account.county)
    town = next(town for town in account.county.towns if town in home)
    digits = DIGITS[account.kind]
    first = lasting.randrange(10 ** (digits - 1), 8 * 10 ** (digits - 1))
    previous, present = (floor(first + account.rate * hour) % 10**digits for hour in hours)
    volume = (present - previous) % 10**digits
    return Row(
        {
            "account_no": f"{billing.meters}{account.index + 1:08d}",
            "billing_month": month,
            "account_name": identity.person_name(lasting),
            "meter_no": f"{billing.meters}{account.index + 1:010d}",
            "division_code": account.county.code,
            "township_code": township_code(account.county, town),
            "address": home,
            billing.kind_field: account.kind,
            "dial_digits": digits,
            "previous_reading_m3": previous,
            "reading_m3": present,
            "billed_volume_m3": volume,
            **_amounts(volume, contents().tariffs[billing.dataset][account.kind]),
            "bill_status": setting.rng(billing.dataset, account.index).choices(("已缴", "未缴", "欠费"), (7, 2, 1))[0],
        },
        spare=account.kind == HOUSEHOLD,
    )


def _amounts(volume: int, tiers: Sequence[Tier]) -> dict[str, Cell]:
    """Volumes and amounts of the three tiers, and their sum."""
    cells: dict[str, Cell] = {}
    start, total = 0, Decimal(0)
    for number in range(1, 4):
        tier = tiers[number - 1] if number <= len(tiers) else None
        end = start if tier is None else volume if tier.up_to_m3 is None else min(volume, tier.up_to_m3)
        amount = (end - start) * (tier.price_cny if tier else Decimal(0))
        cells |= {f"tier{number}_volume_m3": end - start, f"tier{number}_amount_cny": f"{amount:.2f}"}
        start, total = end, total + amount
    return {**cells, "bill_amount_cny": f"{total:.2f}"}


def _fallen(row: Row, rng: Random) -> Cell:
    return int(row.text("previous_reading_m3")) - 150


def _rolled(row: Row, rng: Random) -> dict[str, Cell]:
    top, volume = 10 ** int(row.text("dial_digits")), int(row.text("billed_volume_m3"))
    return {"previous_reading_m3": top - 2, "reading_m3": volume - 2}


def _more(field: str, surplus: Decimal) -> Value:
    def to(row: Row, rng: Random) -> Cell:
        return str(Decimal(row.text(field)) + surplus)

    return to


def _unknown_township(row: Row, rng: Random) -> Cell:
    return row.text("division_code") + "999"


def _other_countys_township(row: Row, rng: Random) -> Cell:
    county = next(c for c in place().counties if c.code != row.cells["division_code"])
    return township_code(county, county.towns[0])


def _in_words(row: Row, rng: Random) -> Cell:
    year, month = row.text("billing_month").split("-")
    return f"{year}年{int(month)}月"


def _grouped(row: Row, rng: Random) -> Cell:
    return f"{int(row.text('reading_m3')):,}"


def _csv_gb18030(setting: Setting, file: FeedFile) -> Form:
    return CsvForm(file.headers, "gb18030")


def _leaking(dataset: str, volume: int) -> Value:
    """A household's bill of so many cubic metres, right in itself."""

    def to(row: Row, rng: Random) -> dict[str, Cell]:
        reading = int(row.text("previous_reading_m3")) + volume
        amounts = _amounts(volume, contents().tariffs[dataset][HOUSEHOLD])
        return {"reading_m3": reading, "billed_volume_m3": volume, **amounts}

    return to


def _values(billing: Billing, leak_m3: int) -> Mapping[str, Value]:
    return {
        "fallen": _fallen,
        "rolled_over": _rolled,
        "more_volume": _more("billed_volume_m3", Decimal(7)),
        "more_in_a_tier": _more("tier1_volume_m3", Decimal(1)),
        "dearer_tier": _more("tier1_amount_cny", Decimal(1)),
        "dearer": _more("bill_amount_cny", Decimal("0.50")),
        "unknown_township": _unknown_township,
        "other_countys_township": _other_countys_township,
        "in_words": _in_words,
        "grouped": _grouped,
        "leaking": _leaking(billing.dataset, leak_m3),
    }


def _bills(billing: Billing) -> Callable[[Setting], list[Row]]:
    return lambda setting: bill_rows(setting, billing)


WATER_FEED = Feed(
    dataset=WATER.dataset, rows=_bills(WATER), form=_csv_gb18030, values=_values(WATER, 180), comes=same_day_of_month
)
GAS_FEED = Feed(dataset=GAS.dataset, rows=_bills(GAS), form=csv_utf8, values=_values(GAS, 500), comes=same_day_of_month)
