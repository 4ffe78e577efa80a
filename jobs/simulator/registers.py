"""Who and what the city has: enterprises, organs, devices. Each is derived from the seed and its number alone."""

from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from random import Random

from jobs.contracts.place import County, place
from jobs.simulator import identity
from jobs.simulator.places import address, township_code
from jobs.simulator.register_words import canaries, words
from jobs.simulator.setting import START, Setting

BASE_ENTERPRISES = 600
NEW_ENTERPRISES = 40
SPARE_EVERY = 7
"""Every seventh enterprise is spare: no permit or penalty refers to it, so a fault in its row breaks no other row."""


@dataclass(frozen=True)
class Enterprise:
    """A registered market entity."""

    uscc: str
    name: str
    kind: str
    industry: str
    scope: str
    rep_name: str
    rep_id: str
    phone: str
    capital_wan: int
    established: date
    county: County
    address: str
    spare: bool


@dataclass(frozen=True)
class Device:
    """A point of measurement; `index` numbers those of its kind from 0."""

    id: str
    kind: str
    name: str
    operator: str
    county: County
    address: str
    lon: float
    lat: float
    interval_s: int
    installed: date
    index: int
    township: str
    dial_digits: int | None
    rated_flow: float | None
    design_pressure_mpa: float | None
    metering_zone: str | None


def enterprise(setting: Setting, index: int) -> Enterprise:
    """The enterprise with that number; the same on every day."""
    rng = setting.lasting("enterprise", index)
    county = rng.choice(place().counties)
    trade, industry, scope = rng.choice(words().trades)
    kind, prefix, ending = rng.choices(words().kinds, (7, 2, 1))[0]
    code = identity.uscc(rng, prefix, county.code)
    word = "".join(rng.choice(identity.SYLLABLES) for _ in range(2))
    is_canary = index % 97 == 5
    rep_id = rng.choice(canaries()) if is_canary else identity.identity_number(rng, county.code)
    return Enterprise(
        uscc=code,
        name=f"{place().short_name}{county.name[:-1]}{word}{code[10:14]}{trade}{ending}",
        kind=kind,
        industry=industry,
        scope=scope,
        rep_name=identity.person_name(rng),
        rep_id=rep_id,
        phone=identity.mobile(rng),
        capital_wan=rng.choice((10, 50, 100, 200, 500, 1000, 5000)),
        established=date(2001, 1, 1) + timedelta(days=rng.randrange(9000)),
        county=county,
        address=address(rng, county),
        spare=index % SPARE_EVERY == SPARE_EVERY - 1,
    )


def closed_enterprise() -> Enterprise:
    """One that closed years ago: decisions on it after that day cannot be right."""
    rng = Random("closed")
    firm, county = words().closed_enterprise, place().counties[0]
    return Enterprise(
        uscc=identity.uscc(rng, "91", county.code),
        name=firm.name,
        kind=firm.kind,
        industry=firm.industry,
        scope=firm.scope,
        rep_name=identity.person_name(rng),
        rep_id=identity.identity_number(rng, county.code),
        phone=identity.mobile(rng),
        capital_wan=100,
        established=date(2010, 5, 6),
        county=county,
        address=address(rng, county),
        spare=False,
    )


def enterprise_count(setting: Setting) -> int:
    """How many enterprises are registered by the end of the day."""
    days = max(0, (setting.day - START).days)
    return setting.count(BASE_ENTERPRISES) + days * setting.count(NEW_ENTERPRISES)


@cache
def organs() -> tuple[tuple[str, str, str], ...]:
    """Name, credit code (made up) and document prefix of each organ; the first issues permits, the others penalties."""
    code = place().division_code
    return tuple((o.name, identity.uscc(Random(f"organ/{o.name}"), "11", code), o.mark) for o in words().organs)


def some_enterprise(setting: Setting, rng: Random) -> Enterprise:
    """A registered enterprise that others may refer to."""
    index = rng.randrange(max(1, setting.count(BASE_ENTERPRISES)))
    return enterprise(setting, index - 1 if index % SPARE_EVERY == SPARE_EVERY - 1 else index)


def devices(setting: Setting, prefix: str) -> list[Device]:
    """All devices of a kind in service."""
    return [device(setting, prefix, index) for index in range(setting.count(words().devices[prefix].count))]


def device(setting: Setting, prefix: str, index: int) -> Device:
    """The device with that number among its kind."""
    rng = setting.lasting("device", prefix, index)
    plate = words().devices[prefix]
    counties = place().counties
    county, number = counties[index % len(counties)], index // len(counties) + 1
    return Device(
        id=f"{prefix}-{county.code}-{index + 1:03d}",
        kind=plate.kind,
        name=plate.name.format(county=county.name, number=number),
        operator=plate.operator,
        county=county,
        address=address(rng, county),
        lon=round(county.lon + rng.uniform(-0.03, 0.03), 6),
        lat=round(county.lat + rng.uniform(-0.03, 0.03), 6),
        interval_s=plate.interval_s,
        installed=date(2015, 1, 1) + timedelta(days=rng.randrange(3600)),
        index=index,
        township=township_code(county, county.towns[index % len(county.towns)]),
        dial_digits=plate.dial_digits,
        rated_flow=plate.rated_flow,
        design_pressure_mpa=plate.design_pressure_mpa,
        metering_zone=plate.metering_zone and plate.metering_zone.format(county=county.code, number=number),
    )
