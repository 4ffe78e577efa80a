"""Liaocheng's counties with a few towns and roads; divisions as GB/T 2260 has and had them."""

from dataclasses import dataclass
from random import Random


@dataclass(frozen=True)
class County:
    """A county-level division; the coordinates are near its seat (CGCS2000)."""

    code: str
    name: str
    lon: float
    lat: float
    towns: tuple[str, ...]


COUNTIES = (
    County("371502", "东昌府区", 115.980, 36.450, ("柳园街道", "古楼街道", "新区街道", "堂邑镇", "沙镇镇")),
    County("371503", "茌平区", 116.255, 36.581, ("振兴街道", "信发街道", "乐平铺镇", "博平镇")),
    County("371521", "阳谷县", 115.790, 36.114, ("侨润街道", "狮子楼街道", "张秋镇", "阿城镇")),
    County("371522", "莘县", 115.671, 36.234, ("东鲁街道", "莘亭街道", "张鲁回族镇", "朝城镇")),
    County("371524", "东阿县", 116.248, 36.335, ("铜城街道", "新城街道", "刘集镇", "牛角店镇")),
    County("371525", "冠县", 115.443, 36.484, ("清泉街道", "崇文街道", "贾镇", "桑阿镇")),
    County("371526", "高唐县", 116.231, 36.866, ("鱼邱湖街道", "汇鑫街道", "尹集镇", "梁村镇")),
    County("371581", "临清市", 115.705, 36.838, ("青年路街道", "新华路街道", "康庄镇", "烟店镇")),
)
ROADS = ("东昌路", "柳园路", "建设路", "文化路", "振兴路", "光岳路", "花园路", "利民路", "兴华路", "湖滨路")

DIVISIONS = (
    ("371500", "聊城市", "city", "1998-01-01", None, None),
    ("371501", "市辖区", "placeholder", "1998-01-01", None, None),
    *((c.code, c.name, "county", "1998-01-01", None, None) for c in COUNTIES if c.code != "371503"),
    ("371503", "茌平区", "county", "2019-01-01", None, None),
    ("371523", "茌平县", "county", "1998-01-01", "2018-12-31", "371503"),
    ("372500", "聊城地区", "city", "1980-01-01", "1997-12-31", "371500"),
    ("372501", "聊城市（县级）", "county", "1983-01-01", "1997-12-31", "371502"),
    ("372502", "临清市", "county", "1983-01-01", "1997-12-31", "371581"),
    ("372522", "阳谷县", "county", "1980-01-01", "1997-12-31", "371521"),
    ("372523", "莘县", "county", "1980-01-01", "1997-12-31", "371522"),
    ("372524", "茌平县", "county", "1980-01-01", "1997-12-31", "371523"),
    ("372525", "东阿县", "county", "1980-01-01", "1997-12-31", "371524"),
    ("372526", "冠县", "county", "1980-01-01", "1997-12-31", "371525"),
    ("372527", "高唐县", "county", "1980-01-01", "1997-12-31", "371526"),
)
"""Code, name, level, first day, last day, successor. Years after GB/T 2260's editions; the days are the years' own."""


def township_code(county: County, town: str) -> str:
    """The nine digits of a township; the last three are its place among the county's."""
    return f"{county.code}{county.towns.index(town) + 1:03d}"


def address(rng: Random, county: County) -> str:
    """A made-up street address in the county."""
    return f"聊城市{county.name}{rng.choice(county.towns)}{rng.choice(ROADS)}{rng.randrange(1, 400)}号"
