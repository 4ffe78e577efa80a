"""Which columns may identify a row: by what their headers say and what type they have, never by being unique alone."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from jobs.ingest.guess_dates import TIME_HEADER
from jobs.ingest.guess_values import Guess
from jobs.ingest.header_words import CODE_HEADER, SAYS_CODE, SERIAL_HEADER
from jobs.ingest.wordings import wording

MAX_COLUMNS = 3
MAX_CANDIDATES = 10
MIN_ROWS = 5
MAX_KEY_CHARS = 64
NEAR = 0.95
"""Columns that are distinct in so many rows are named as nearly a key."""
NAME_HEADER = re.compile(
    r"名称|名$|户号|账号|站|设备|表具|表码|表计|机组|测点|点位|监测点|泵|小区|楼|区县|县区|乡镇|街道|社区|村|企业|单位|机构|部门|项目|指标|类别|类型|品种|"
    r"name$|station|site|device|meter|sensor|count(?:y|ry)|region|district|city|location|area|zone|node|type$|category|symbol",
    re.I,
)
READING_HEADER = re.compile(
    r"采集|抄表|抄见|监测|观测|测量|检测|采样|上报时间|记录时间|数据时间|read|observ|measur|sampl|record", re.I
)
"""Times at which a thing is read, again and again."""
PERIOD_HEADER = re.compile(r"^(年|月|日|时|年份|年度|月份|季度|账期|小时|year|month|day|hour|quarter|week)$", re.I)
BOOKKEEPING = re.compile(
    r"更新|修改|创建|入库|导出|登记|成立|注册|签发|发证|核准|有效|截止|到期|起始|结束|updat|modif|creat|issued|valid|expir|start|end",
    re.I,
)
"""Times that are facts about a thing, not the time of a reading."""
YEAR = r"^(19|20)\d\d$"
REPEATED = 5
"""A word of a dimension occurs so often, on average."""
SNAPSHOT = 10
"""Where a thing's time has one value in so many rows, all things are read at once, and again later."""
Role = Literal["code", "name", "time", "measure", "other", ""]
ORDER: tuple[Role, ...] = ("code", "time", "name")
"""Roles of a key's columns, likeliest first."""


@dataclass(frozen=True)
class KeyGuess:
    """Positions of the proposed key, and what the reviewer must know about it."""

    key: tuple[int, ...] = ()
    comments: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Codes:
    """Columns as integer codes, each with its number of distinct values."""

    rows: int
    by_position: dict[int, tuple[np.ndarray, int]] = field(default_factory=dict)
    readings: frozenset[int] = frozenset()
    """Columns whose header names the time of a reading."""

    def distinct(self, positions: Sequence[int]) -> int:
        """Distinct combinations of values."""
        return len(self._occurrences(positions))

    def repeated(self, positions: Sequence[int]) -> int:
        """Rows whose combination of values is also another row's."""
        occurrences = self._occurrences(positions)
        return int(occurrences[occurrences > 1].sum())

    def _occurrences(self, positions: Sequence[int]) -> np.ndarray:
        """How many rows have each combination of values."""
        parts = [self.by_position[p] for p in positions]
        combined = parts[0][0]
        for values, distinct in parts[1:]:
            combined = combined * distinct + values
        return np.asarray(np.unique(combined, return_counts=True)[1])

    def most(self, positions: Sequence[int]) -> int:
        """The largest possible number of distinct combinations."""
        return math.prod(self.by_position[p][1] for p in positions)


def guess_key(
    columns: Mapping[int, pa.Array],
    header: Sequence[str | None],
    guesses: Mapping[int, Guess],
    names: Mapping[int, str],
) -> KeyGuess:
    """The shortest unique combination of columns that name a thing or its time; with its time, where it is read again.

    `columns`: the sampled values by position; `names`: the names of their fields, for comments.
    """
    rows = len(next(iter(columns.values()))) if columns else 0
    if rows < MIN_ROWS:
        return KeyGuess()
    roles = {i: _role(columns[i], header[i] or "", guesses[i]) for i in columns}
    order = _candidates(columns, roles, ORDER)
    codes = _Codes(rows, {i: _coded(columns[i]) for i in order}, _readings(order, header))
    varied = [i for i in order if codes.by_position[i][1] > 1]
    if key := _unique(varied, header, codes):
        return _completed(key, order, roles, codes, names)
    near = tuple(_near(varied, codes, names))
    return KeyGuess((), near) if near else _with_dimensions(columns, roles, rows)


def _readings(positions: Sequence[int], header: Sequence[str | None]) -> frozenset[int]:
    """Columns whose header names the time of a reading."""
    return frozenset(i for i in positions if READING_HEADER.search(header[i] or ""))


def _with_dimensions(columns: Mapping[int, pa.Array], roles: Mapping[int, Role], rows: int) -> KeyGuess:
    """A key with columns whose few words occur again and again, such as districts under a header that says nothing."""
    order = _candidates(columns, roles, (*ORDER, "other"))
    codes = _Codes(rows, {i: _coded(columns[i]) for i in order})
    repeated = [i for i in order if 1 < codes.by_position[i][1] <= (rows if roles[i] != "other" else rows // REPEATED)]
    key = _shortest(repeated, codes)
    named = [i for i in key if roles[i] != "other"]
    return KeyGuess(key) if len(named) > 1 or (named and len(key) == 2) else KeyGuess()


def _candidates(columns: Mapping[int, pa.Array], roles: Mapping[int, Role], order: Sequence[Role]) -> list[int]:
    """Columns that may be part of a key, likeliest first."""
    usable = [i for i in columns if roles[i] in order and _is_usable(columns[i])]
    return sorted(usable, key=lambda i: (order.index(roles[i]), i))[:MAX_CANDIDATES]


def _role(values: pa.Array, header: str, proposed: Guess) -> Role:
    """What a column is to a row, by its header, its type, and whether its numbers are years."""
    found = role(header, proposed)
    if found == "measure" and proposed.type == "integer":
        is_year = pc.all(pc.match_substring_regex(values, YEAR)).as_py()
        return "time" if is_year else found
    return found


def role(header: str, proposed: Guess) -> Role:
    """What a column is to a row: a code or name of a thing, its time, a measure, or none of these."""
    if SERIAL_HEADER.match(header):
        return ""
    if PERIOD_HEADER.match(header):
        return "time"
    return (
        _role_of_text(header, proposed.personal) if proposed.type == "string" else _role_of_type(header, proposed.type)
    )


def _role_of_type(header: str, type_: str) -> Role:
    if type_ in ("number", "integer"):
        return "measure"
    return "time" if type_ in ("date", "timestamp") and not BOOKKEEPING.search(header) else ""


def _role_of_text(header: str, is_personal: bool) -> Role:
    if CODE_HEADER.search(header) or SAYS_CODE.search(header):
        return "name" if is_personal else "code"
    if is_personal:
        return ""
    if TIME_HEADER.search(header):
        return "time"
    return "name" if NAME_HEADER.search(header) else "other"


def _is_usable(array: pa.Array) -> bool:
    return array.null_count == 0 and (pc.max(pc.utf8_length(array)).as_py() or 0) <= MAX_KEY_CHARS


def _coded(array: pa.Array) -> tuple[np.ndarray, int]:
    encoded = array.dictionary_encode()
    return encoded.indices.to_numpy().astype(np.int64), len(encoded.dictionary)


def _shortest(order: Sequence[int], codes: _Codes) -> tuple[int, ...]:
    """The shortest unique combination, earlier in `order` first; or none. It is minimal: no part is unique by itself."""
    for size in range(1, MAX_COLUMNS + 1):
        for combination in combinations(order, size):
            if codes.most(combination) >= codes.rows == codes.distinct(combination):
                return combination
    return ()


def _unique(order: Sequence[int], header: Sequence[str | None], codes: _Codes) -> tuple[int, ...]:
    return _shortest(order, codes) or _with_periods(order, header, codes)


def _with_periods(order: Sequence[int], header: Sequence[str | None], codes: _Codes) -> tuple[int, ...]:
    """Columns that together say when, such as year, month, day and hour, with at most two others; no part is needless."""
    periods = [i for i in order if PERIOD_HEADER.match(header[i] or "")]
    if len(periods) < 2:
        return ()
    others = [i for i in order if i not in periods]
    for size in range(MAX_COLUMNS):
        for combination in combinations(others, size):
            key = (*combination, *periods)
            if codes.most(key) >= codes.rows == codes.distinct(key):
                return _without_needless(key, codes)
    return ()


def _without_needless(key: tuple[int, ...], codes: _Codes) -> tuple[int, ...]:
    for position in reversed(key):
        rest = tuple(i for i in key if i != position)
        if codes.most(rest) >= codes.rows == codes.distinct(rest):
            key = rest
    return key


def _completed(
    key: tuple[int, ...], order: Sequence[int], roles: Mapping[int, Role], codes: _Codes, names: Mapping[int, str]
) -> KeyGuess:
    """The key with what one file cannot show: the time of a thing that is read again, the thing whose time this is."""
    times = [i for i in order if roles[i] == "time"]
    if not set(key) & set(times):
        return _with_time(key, times, roles, codes, names)
    things = [i for i in order if roles[i] in ("code", "name")]
    if set(key) & set(things):
        return KeyGuess(key)
    if not things:
        return KeyGuess(key, (wording("key_time_alone"),))
    return KeyGuess((things[0], *key), (wording("key_with_thing", name=names[things[0]]),))


def _with_time(
    key: tuple[int, ...], times: Sequence[int], roles: Mapping[int, Role], codes: _Codes, names: Mapping[int, str]
) -> KeyGuess:
    """The key with the time where all things are measured at once, or where its header says that it is of a reading."""
    is_snapshot = bool(times) and codes.by_position[times[0]][1] * SNAPSHOT <= codes.rows
    is_reading = bool(times) and times[0] in codes.readings
    if not ((is_snapshot or is_reading) and "measure" in roles.values()):
        return KeyGuess(key)
    return KeyGuess((*key, times[0]), (wording("key_with_time", name=names[times[0]]),))


def _near(order: Sequence[int], codes: _Codes, names: Mapping[int, str]) -> list[str]:
    """The first combination that is nearly unique, as a candidate rule with the number of its rows that occur again."""
    for size in (1, 2):
        for combination in combinations(order, size):
            distinct = codes.distinct(combination) if codes.most(combination) >= codes.rows * NEAR else 0
            if codes.rows * NEAR <= distinct < codes.rows:
                fields, repeated = [names[i] for i in combination], codes.repeated(combination)
                shown = "+".join(fields)
                return [
                    wording("key_nearly", names=shown, rows=codes.rows, repeated=repeated),
                    wording("rule_unique", names=shown, rows=repeated, rule=_uniqueness(fields)),
                ]
    return []


def _uniqueness(fields: Sequence[str]) -> str:
    """The rule that no two rows have the same values."""
    if len(fields) == 1:
        return f"expect_column_values_to_be_unique {{column: {fields[0]}}}"
    listed = ", ".join(fields)
    return f"expect_compound_columns_to_be_unique {{column_list: [{listed}], ignore_row_if: any_value_is_missing}}"
