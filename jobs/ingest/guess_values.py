"""What a column of an unseen file holds: type, formats, units, missing words, codes, personal data."""

import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

SURE = 0.98
DISTINCT_LOOKED_AT = 20_000
MAX_ENUM = 12
MIN_ROWS_FOR_ENUM = 30
MAX_ENUM_CHARS = 24
MAX_UNITS = 3
CODE_DIGITS = 15

MISSING_WORDS = {"NA", "N/A", "#N/A", "NULL", "Null", "null", "None", "NaN", "nan", "\\N", "--", "——", "-;", "#REF!"}
WEAK_WORDS = {"-", "—", "/", "无", "不详", "未知", "空", "暂无", "UNKNOWN", "Unknown", "unknown", "?", "．", "*"}
BOOLEANS = ({"true", "false"}, {"yes", "no"}, {"y", "n"}, {"是", "否"}, {"有", "无"}, {"t", "f"})
PERSONAL_HEADER = re.compile(
    r"身份证|证件号|公民身份|手机|电话|联系方式|姓名|联系人|法定代表人|法人代表|负责人|户主|住址|家庭|银行卡|邮箱|出生|"
    r"phone|mobile|e-?mail|id_?card|passport|customer_?name|first_?name|last_?name|birth",
    re.I,
)
PERSONAL_VALUE = re.compile(r"^(?:[1-9]\d{5}(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:[0-2]\d|3[01])\d{3}[\dXx]|1[3-9]\d{9})$")
CODE_HEADER = re.compile(
    r"编号|编码|代码|号码|识别码|标识码|^号$|单号|code$|(?<![a-z])id$|_id$|zip|postal|number$|\bkey$", re.I
)
TIME_HEADER = re.compile(r"日期|时间|时刻|年月|date|time|_at$|_on$|day$", re.I)
MONEY_HEADER = re.compile(r"金额|费|价|款|\(元\)|（元）|万元|amount|charge|cost|price|usd|cny", re.I)
INTEGER = re.compile(r"^[-+]?(?:0|[1-9]\d*)(?:\.0+)?$")
WHOLE = re.compile(r"^[-+]?(?:0|[1-9]\d*)$")
NUMBER = re.compile(r"^[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?$")
THOUSANDS = re.compile(r"^[-+]?\d{1,3}(?:,\d{3})+(?:\.\d+)?$")
CENSORED = re.compile(r"^[<>≤≥]\s*\d+(?:\.\d+)?$")
UNIT = re.compile(r"^[-+]?\d+(?:\.\d+)?\s*([^\d\s.,+\-:/][^\d\s,]{0,9})$")
MONTH, DAY, HOUR, MINUTE = r"(?:0?[1-9]|1[0-2])", r"(?:0?[1-9]|[12]\d|3[01])", r"(?:[01]?\d|2[0-4])", r"[0-5]\d"
YEAR = r"(?:1[89]|20|21)\d{2}"
FORMATS: Mapping[str, re.Pattern[str]] = {
    spark: re.compile(f"^{pattern}$")
    for spark, pattern in {
        "yyyy-MM-dd HH:mm:ss": rf"{YEAR}-\d\d-\d\d {HOUR}:{MINUTE}:{MINUTE}",
        "yyyy-MM-dd HH:mm:ss.SSS": rf"{YEAR}-\d\d-\d\d {HOUR}:{MINUTE}:{MINUTE}\.\d+",
        "yyyy-MM-dd'T'HH:mm:ss": rf"{YEAR}-\d\d-\d\dT{HOUR}:{MINUTE}:{MINUTE}",
        "yyyy-MM-dd'T'HH:mm:ssXXX": rf"{YEAR}-\d\d-\d\dT{HOUR}:{MINUTE}:{MINUTE}(?:Z|[+-]\d\d:\d\d)",
        "yyyy-MM-dd HH:mm": rf"{YEAR}-\d\d-\d\d {HOUR}:{MINUTE}",
        "yyyy/M/d H:mm:ss": rf"{YEAR}/{MONTH}/{DAY} {HOUR}:{MINUTE}:{MINUTE}",
        "yyyy/M/d H:mm": rf"{YEAR}/{MONTH}/{DAY} {HOUR}:{MINUTE}",
        "yyyy年M月d日 H时m分": rf"{YEAR}年{MONTH}月{DAY}日\s*{HOUR}时[0-5]?\d分",
        "yyyy年M月d日 H:mm:ss": rf"{YEAR}年{MONTH}月{DAY}日 {HOUR}:{MINUTE}:{MINUTE}",
        "M/d/yyyy H:mm:ss": rf"{MONTH}/{DAY}/{YEAR} {HOUR}:{MINUTE}:{MINUTE}",
        "M/d/yyyy H:mm": rf"{MONTH}/{DAY}/{YEAR} {HOUR}:{MINUTE}",
        "d/M/yyyy H:mm": rf"{DAY}/{MONTH}/{YEAR} {HOUR}:{MINUTE}",
        "yyyyMMddHHmmss": rf"{YEAR}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?:[01]\d|2[0-3]){MINUTE}{MINUTE}",
        "yyyy-MM-dd": rf"{YEAR}-\d\d-\d\d",
        "yyyy/M/d": rf"{YEAR}/{MONTH}/{DAY}",
        "yyyy年M月d日": rf"{YEAR}年{MONTH}月{DAY}日",
        "yyyy.M.d": rf"{YEAR}\.{MONTH}\.{DAY}",
        "yyyyMMdd": rf"{YEAR}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])",
        "M/d/yyyy": rf"{MONTH}/{DAY}/{YEAR}",
        "d/M/yyyy": rf"{DAY}/{MONTH}/{YEAR}",
    }.items()
}
ZONE_WORD = re.compile(r"^(\S+T\S+) [A-Za-z_/]+$")
SERIAL_DAYS = (15_000, 80_000)


@dataclass
class Column:
    """A column's values in the rows looked at, with how often each stands there."""

    header: str
    position: int
    rows: int
    counts: Counter[str]

    def filled(self) -> int:
        """Rows with a value."""
        return sum(self.counts.values())


@dataclass
class Guess:
    """The proposed field: ODCS keys, `source` keys, and the reason for each guess."""

    type: str = "string"
    source: dict[str, Any] = field(default_factory=dict)
    unit: str = ""
    physical: str = ""
    personal: bool = False
    enum: tuple[str, ...] = ()
    missing: int = 0
    comments: list[str] = field(default_factory=list)


def guess(column: Column) -> Guess:
    """What the column holds. Comments never show a value of a personal column."""
    found = Guess()
    values = Counter({v.strip(): n for v, n in column.counts.items()})
    padded = sum(n for v, n in column.counts.items() if v != v.strip())
    found.personal = _is_personal(column.header, values)
    if padded:
        found.comments.append(f"{padded} 个值首尾有空格")
    words = [w for w in values if w in MISSING_WORDS]
    rest = _without(values, words)
    if not found.personal:
        _type(column.header, rest, found)
        weak = [w for w in rest if w in WEAK_WORDS]
        if found.type == "string" and weak and rest.keys() - set(weak):
            retry = Guess(personal=False)
            _type(column.header, _without(rest, weak), retry)
            if retry.type != "string":
                retry.comments = found.comments + retry.comments
                found, words, rest = retry, words + weak, _without(rest, weak)
    if words:
        found.source["missing"] = words
        found.comments.append("缺失词：" + "、".join(f"{w}（{values[w]} 次）" for w in words))
    found.missing = column.rows - sum(n for v, n in rest.items() if v)
    if found.type == "string" and not found.personal:
        _enum(rest, found)
    if found.personal:
        found.comments.append("疑似个人信息，定为 L3，不列示任何值")
    return found


def _without(values: Counter[str], words: list[str]) -> Counter[str]:
    return Counter({v: n for v, n in values.items() if v and v not in words})


def _is_personal(header: str, values: Counter[str]) -> bool:
    if PERSONAL_HEADER.search(header):
        return True
    return _share(values, lambda v: bool(PERSONAL_VALUE.match(v))) > 0.5


def _share(values: Mapping[str, int], fits: Callable[[str], bool]) -> float:
    """Share of rows whose value fits, over the first distinct values."""
    looked = list(values.items())[:DISTINCT_LOOKED_AT]
    total = sum(n for _, n in looked)
    return sum(n for v, n in looked if fits(v)) / total if total else 0.0


def _type(header: str, values: Counter[str], found: Guess) -> None:
    if not values:
        found.comments.append("没有任何值")
        return
    lower = {v.lower() for v in values}
    if any(lower <= pair for pair in BOOLEANS) and len(lower) == 2:
        found.type = "boolean"
        return
    if _moment(header, values, found) or _code(header, values, found):
        return
    _number(header, values, found)


def _moment(header: str, values: Counter[str], found: Guess) -> bool:
    named = bool(TIME_HEADER.search(header))
    if _share(values, lambda v: bool(ZONE_WORD.match(v))) >= SURE:
        found.source["extract"] = r"^(\S+)"
        found.comments.append("时间后带有时区名，只取时间部分")
        values = Counter({v.split(" ")[0]: n for v, n in values.items()})
    shares = {spark: _share(values, lambda v, r=regex: bool(r.match(v))) for spark, regex in FORMATS.items()}  # type: ignore[misc]
    if "yyyyMMdd" in shares and not named:
        shares["yyyyMMdd"] = 0.0
    _one_order(shares)
    used = sorted((s for s in shares if shares[s] > 0), key=lambda s: -shares[s])
    serial = _share(values, _is_serial) if named else 0.0
    epoch = _share(values, lambda v: bool(re.match(r"^1\d{9}(?:\d{3})?$", v))) if named else 0.0
    if serial > 0.01:
        used.append("excel_serial")
    if epoch >= SURE:
        used = ["epoch_ms" if len(next(iter(values))) == 13 else "epoch_s"]
    total = max(sum(shares.values()) + serial, epoch)
    if total < SURE:
        found.source.pop("extract", None)
        return False
    whole_days = all("H" not in s for s in used if s != "excel_serial") and "epoch" not in used[0]
    fraction = any("." in v for v in values) if "excel_serial" in used else False
    found.type = "date" if whole_days and not fraction else "timestamp"
    found.source["formats"] = used
    found.comments.append(f"{total:.1%} 的值符合日期格式 {'、'.join(used)}")
    return True


def _one_order(shares: dict[str, float]) -> None:
    """Month or day first: the order that fits more values; both fitting alike means month first."""
    for month_first, day_first in (("M/d/yyyy", "d/M/yyyy"), ("M/d/yyyy H:mm", "d/M/yyyy H:mm")):
        weaker = month_first if shares[day_first] > shares[month_first] else day_first
        shares[weaker] = 0.0


def _is_serial(value: str) -> bool:
    return bool(NUMBER.match(value)) and SERIAL_DAYS[0] <= float(value) <= SERIAL_DAYS[1]


def _code(header: str, values: Counter[str], found: Guess) -> bool:
    """Digits that are no quantity: leading zeros, too long for a number, or a code by name and even length."""
    digits = _share(values, str.isdigit)
    if digits < 0.5:
        return False
    zeros = _share(values, lambda v: len(v) > 1 and v.startswith("0") and v.isdigit())
    lengths = Counter(len(v) for v in values)
    longest = max(lengths)
    even = lengths.most_common(1)[0][1] / len(values) >= 0.9
    if zeros > 0.001 or longest >= CODE_DIGITS or (CODE_HEADER.search(header) and even and longest >= 4):
        found.comments.append(f"数字编码（最长 {longest} 位{'，有前导零' if zeros else ''}），按文本保存")
        return True
    return False


def _number(header: str, values: Counter[str], found: Guess) -> None:
    units: Counter[str] = Counter()
    kinds: Counter[str] = Counter()
    for value, n in list(values.items())[:DISTINCT_LOOKED_AT]:
        kind, unit = _number_kind(value)
        kinds[kind] += n
        units[unit] += n if unit else 0
    total = sum(kinds.values())
    good = total - kinds["other"]
    units = +units
    if good < SURE * total or len(units) > MAX_UNITS:
        return
    found.type = "integer" if kinds["integer"] + kinds["thousands"] >= good and not units else "number"
    found.comments.append(f"{good / total:.1%} 的值是数字")
    if kinds["thousands"]:
        found.source["thousands"] = ","
        found.comments.append(f"{kinds['thousands']} 个值有千分位逗号")
        found.type = "number" if any("." in v for v in values) else found.type
    if kinds["censored"]:
        found.source["censored"] = True
        found.type = "number"
        found.comments.append(f"{kinds['censored']} 个值带 < 或 >（检出限）")
    if units:
        found.source["units"] = dict.fromkeys(units, 1)
        found.unit = units.most_common(1)[0][0]
        found.comments.append(
            "值后带单位：" + "、".join(f"{u}（{n} 次）" for u, n in units.items()) + "；请核对换算系数"
        )
    _range(header, values, found)


def _number_kind(value: str) -> tuple[str, str]:
    if WHOLE.match(value):
        return "integer", ""
    if NUMBER.match(value):
        return "number", ""
    if THOUSANDS.match(value):
        return "thousands", ""
    if CENSORED.match(value):
        return "censored", ""
    unit = UNIT.match(value)
    return ("unit", unit.group(1)) if unit else ("other", "")


def _range(header: str, values: Counter[str], found: Guess) -> None:
    numbers = [float(m.group()) for v in values if (m := re.search(r"[-+]?\d+(?:\.\d+)?", v.replace(",", "")))]
    if not numbers:
        return
    low, high = min(numbers), max(numbers)
    found.comments.append(
        f"数值范围 {low:g} ～ {high:g}；可加 logicalTypeOptions: {{minimum: {low:g}, maximum: {high:g}}}"
    )
    cents = all(len(v.partition(".")[2]) <= 2 for v in values)
    if found.type == "number" and MONEY_HEADER.search(header) and cents and not found.source.get("units"):
        found.physical = "decimal(18,2)"
        found.comments.append("疑似金额，按精确小数保存")


def _enum(values: Counter[str], found: Guess) -> None:
    total = sum(values.values())
    if not (2 <= len(values) <= MAX_ENUM and total >= MIN_ROWS_FOR_ENUM and total >= 5 * len(values)):
        return
    if max(map(len, values)) > MAX_ENUM_CHARS:
        return
    found.enum = tuple(values)
    found.comments.append("取值较少：" + "、".join(f"{v}（{n}）" for v, n in values.most_common()))
