"""Who and what the city has: enterprises, organs, devices. Each made on its own from the seed and its number."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

from jobs.simulator import identity
from jobs.simulator.places import COUNTIES, County, address, township_code
from jobs.simulator.setting import START, Setting

BASE_ENTERPRISES = 600
NEW_ENTERPRISES = 40
SPARE_EVERY = 7
"""Each seventh enterprise is spare: no permit or penalty names it, so faults in its row have no echo elsewhere."""

TRADES = (
    ("商贸", "F5299", "日用百货、五金交电销售"),
    ("餐饮管理", "H6210", "餐饮服务"),
    ("轴承制造", "C3451", "轴承、机械零部件加工销售"),
    ("阿胶制品", "C2740", "阿胶及中药饮片生产销售"),
    ("物流", "G5430", "道路普通货物运输"),
    ("建筑工程", "E4710", "房屋建筑工程施工"),
    ("农业科技", "A0141", "蔬菜种植、农产品销售"),
    ("信息技术", "I6510", "软件开发、信息系统集成"),
)
KINDS = (("有限责任公司", "91", "有限公司"), ("个体工商户", "92", "经营部"), ("农民专业合作社", "93", "专业合作社"))
ORGANS = tuple(
    (name, identity.uscc(Random(f"organ/{name}"), "11", "371500"), mark)
    for name, mark in (
        ("聊城市行政审批服务局", "聊行审"),
        ("聊城市市场监督管理局", "聊市监"),
        ("聊城市生态环境局", "聊环"),
        ("聊城市应急管理局", "聊应急"),
        ("聊城市城市管理局", "聊城管"),
    )
)
"""Name, credit code (made up), mark of its documents."""

OPERATORS = {"WP": "聊城市供水单位", "HS": "聊城市供热单位", "GR": "聊城市燃气单位", "AQ": "聊城市生态环境局"}
PLATES: Mapping[str, tuple[int | None, float | None, float | None]] = {
    "WP": (9, 3600, 1.0),
    "HS": (8, 200, 1.6),
    "GR": (8, 400, 0.4),
    "AQ": (None, None, None),
}
"""Prefix → digits of the dial, rated flow (m³/h, heat t/h), design pressure (MPa)."""
DEVICES: Mapping[str, tuple[str, str, int, int]] = {
    "WP": ("water_plant", "水厂", 300, 5),
    "HS": ("heat_station", "换热站", 300, 10),
    "GR": ("gas_regulator", "调压箱", 900, 15),
    "AQ": ("air_station", "空气站", 3600, 10),
}
"""Prefix → type, word in names, interval in seconds, how many at scale 1."""


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


def enterprise(setting: Setting, index: int) -> Enterprise:
    """The enterprise of that number; the same on every day."""
    rng = setting.lasting("enterprise", index)
    county = rng.choice(COUNTIES)
    trade, industry, scope = rng.choice(TRADES)
    kind, prefix, ending = rng.choices(KINDS, (7, 2, 1))[0]
    code = identity.uscc(rng, prefix, county.code)
    word = "".join(rng.choice(identity.SYLLABLES) for _ in range(2))
    is_canary = index % 97 == 5
    rep_id = rng.choice(identity.CANARIES) if is_canary else identity.identity_number(rng, county.code)
    return Enterprise(
        uscc=code,
        name=f"聊城{county.name[:-1]}{word}{code[10:14]}{trade}{ending}",
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
    return Enterprise(
        uscc=identity.uscc(rng, "91", "371502"),
        name="聊城东昌府已注销商贸有限公司",
        kind="有限责任公司",
        industry="F5299",
        scope="日用百货、五金交电销售",
        rep_name=identity.person_name(rng),
        rep_id=identity.identity_number(rng, "371502"),
        phone=identity.mobile(rng),
        capital_wan=100,
        established=date(2010, 5, 6),
        county=COUNTIES[0],
        address=address(rng, COUNTIES[0]),
        spare=False,
    )


def enterprise_count(setting: Setting) -> int:
    """How many enterprises are registered by the end of the day."""
    days = max(0, (setting.day - START).days)
    return setting.count(BASE_ENTERPRISES) + days * setting.count(NEW_ENTERPRISES)


def some_enterprise(setting: Setting, rng: Random) -> Enterprise:
    """A registered enterprise that others may refer to."""
    index = rng.randrange(max(1, setting.count(BASE_ENTERPRISES)))
    return enterprise(setting, index - 1 if index % SPARE_EVERY == SPARE_EVERY - 1 else index)


def devices(setting: Setting, prefix: str) -> list[Device]:
    """All devices of a kind in service."""
    return [device(setting, prefix, index) for index in range(setting.count(DEVICES[prefix][3]))]


def device(setting: Setting, prefix: str, index: int) -> Device:
    """The device of that number among its kind."""
    rng = setting.lasting("device", prefix, index)
    kind, word, interval, _ = DEVICES[prefix]
    county = COUNTIES[index % len(COUNTIES)]
    digits, flow, pressure = PLATES[prefix]
    return Device(
        id=f"{prefix}-{county.code}-{index + 1:03d}",
        kind=kind,
        name=f"{county.name}第{index // len(COUNTIES) + 1}{word}",
        operator=OPERATORS[prefix],
        county=county,
        address=address(rng, county),
        lon=round(county.lon + rng.uniform(-0.03, 0.03), 6),
        lat=round(county.lat + rng.uniform(-0.03, 0.03), 6),
        interval_s=interval,
        installed=date(2015, 1, 1) + timedelta(days=rng.randrange(3600)),
        index=index,
        township=township_code(county, county.towns[index % len(county.towns)]),
        dial_digits=digits,
        rated_flow=flow,
        design_pressure_mpa=pressure,
    )
