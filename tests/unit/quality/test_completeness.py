"""Expected readings are those of the agreed intervals; a blank row is no reading, and one wrong time costs little."""

from datetime import UTC, datetime, timedelta
from random import Random

import pyarrow as pa
import pytest

from jobs.contracts import load
from jobs.model.rule_result import Readings
from jobs.quality.completeness import ReadingCounter, reading_counters
from jobs.settings import PROJECT

START = datetime(2026, 1, 5, tzinfo=UTC)
SCHEMA = pa.schema(
    [("point", pa.string()), ("at", pa.timestamp("us", tz="UTC")), ("a", pa.float64()), ("b", pa.int64())]
)
Row = tuple[str, datetime | None, float | None, int | None]


def readings(rows: list[Row], parts: int = 1, interval_s: float | None = 300) -> Readings:
    counter = ReadingCounter(("point",), "at", interval_s, ("a", "b"))
    for start in range(parts):
        columns = list(zip(*rows[start::parts], strict=True)) or [(), (), (), ()]
        counter.add(
            pa.RecordBatch.from_arrays(
                [pa.array(c, f.type) for c, f in zip(columns, SCHEMA, strict=True)], schema=SCHEMA
            )
        )
    return counter.readings()


def row(point: str, minutes: float, a: float | None = 1.0, b: int | None = None) -> Row:
    return point, START + timedelta(minutes=minutes), a, b


def test_gaps_blanks_and_repeats() -> None:
    rows = [row("甲", 5 * n) for n in range(10) if n not in (3, 4)]  # 2 missing
    rows += [row("甲", 0), row("乙", 0), row("乙", 5, None), row("乙", 10, None, 7)]  # 1 repeat, 1 blank
    assert readings(rows) == Readings(13, 10)


def test_times_that_are_somewhat_early_or_late_are_readings_of_their_interval() -> None:
    random = Random(5)
    rows = [row("甲", 5 * n + random.uniform(-1.2, 1.2)) for n in range(1, 200)]
    assert readings(rows).received == 199


def test_one_wrong_year_is_no_century_of_missing_readings() -> None:
    rows = [row("甲", 5 * n) for n in range(100)] + [("甲", datetime(1970, 1, 1, tzinfo=UTC), 1.0, None)]
    assert readings(rows) == Readings(202, 101)


def test_rows_without_a_time_and_no_rows() -> None:
    assert readings([("甲", None, 1.0, None), row("甲", 0)]) == Readings(1, 1)
    assert readings([]) == Readings(0, 0)


@pytest.mark.parametrize("parts", [2, 3, 7])
def test_batches_make_no_difference(parts: int) -> None:
    random = Random(parts)
    rows = [row(random.choice("甲乙丙"), 5 * random.randrange(60), random.choice((None, 2.0))) for _ in range(150)]
    assert readings(rows, parts) == readings(rows)


def test_a_point_may_have_an_interval_of_its_own() -> None:
    rows = [row("甲", n) for n in range(60) if n not in (7, 8, 9)] + [row("乙", 15 * n) for n in range(8) if n != 5]
    assert readings([*rows, row("丙", 3)], interval_s=None) == Readings(69, 65)


def test_the_interval_of_a_rule_is_a_number_or_comes_from_a_lookup() -> None:
    shipped = load(PROJECT / "schemas", PROJECT / "expectations")
    found = {c.id: reading_counters(c, shipped.rules[c.id]) for c in shipped.sources()}
    assert {id_ for id_, counters in found.items() if counters} >= {"gas_regulator_readings", "heat_station_minutes"}
    assert {counter.interval_s for counters in found.values() for counter in counters} >= {None}
