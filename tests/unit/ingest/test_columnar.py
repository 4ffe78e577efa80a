"""Timestamps and numbers of Parquet are read exactly, and its types determine a proposal."""

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from jobs.contracts import Field, Source
from jobs.ingest.notation import has_offset
from tests.unit.ingest.test_delimited import contract, kinds, values
from tests.unit.ingest.test_excel import read_file
from tests.unit.ingest.test_proposal import Propose

PROBES = Path(__file__).parents[2] / "probes" / "16-parquet"
AT = Field("at", "at", "timestamp")


def stamped(path: Path, *moments: datetime | None, kind: pa.DataType = pa.timestamp("us"), old: bool = False) -> Path:
    pq.write_table(pa.table({"at": pa.array(moments, kind)}), path, use_deprecated_int96_timestamps=old)
    return path


def test_int96_timestamps_are_exact_instants() -> None:
    of = contract(
        "no", Field("at_utc", "at_utc", "timestamp"), Field("valid_to", "valid_to", "timestamp"), format="parquet"
    )
    rows, _ = read_file(PROBES / "int96.parquet", of)
    assert values(rows, "at_utc")[0] == ("2026-01-05T08:00:00Z",)
    assert [row["valid_to"] for row in rows] == [
        *("9999-12-31T00:00:00Z", "2027-01-01T00:00:00Z", None, "1600-01-01T00:00:00Z", "2026-12-31T00:00:00Z")
    ]


def test_int96_timestamps_keep_their_nanoseconds(tmp_path: Path) -> None:
    table = pa.table({"at": pa.array([1_767_600_000_123_456_789], pa.timestamp("ns"))})
    pq.write_table(table, tmp_path / "d.parquet", use_deprecated_int96_timestamps=True)
    rows, _ = read_file(tmp_path / "d.parquet", contract(AT, format="parquet"))
    assert values(rows, "at") == [("2026-01-05T08:00:00.123456789Z",)]


@pytest.mark.parametrize("old", [True, False])
def test_an_instant_is_written_in_the_fields_time_zone_where_its_formats_have_no_offset(
    tmp_path: Path, old: bool
) -> None:
    kind = pa.timestamp("us") if old else pa.timestamp("us", "UTC")
    path = stamped(tmp_path / "d.parquet", datetime(2026, 1, 5, 16, tzinfo=None if old else UTC), kind=kind, old=old)
    local = Field("at", "at", "timestamp", source=Source(formats=("yyyy-MM-dd HH:mm:ss",)))
    assert values(read_file(path, contract(local, format="parquet"))[0], "at") == [("2026-01-06 00:00:00",)]
    day = Field("at", "at", "date")
    assert values(read_file(path, contract(day, format="parquet"))[0], "at") == [("2026-01-06",)]
    assert values(read_file(path, contract(AT, format="parquet"))[0], "at") == [("2026-01-05T16:00:00Z",)]


def test_wall_clock_times_stay_as_they_are(tmp_path: Path) -> None:
    path = stamped(tmp_path / "d.parquet", datetime(9999, 12, 31), datetime(2026, 1, 5, 8, 0, 0, 500_000), None)
    rows, _ = read_file(path, contract(AT, format="parquet"))
    assert values(rows, "at") == [("9999-12-31 00:00:00",), ("2026-01-05 08:00:00.500000",), (None,)]


def test_int96_timestamps_within_lists_are_exact_too(tmp_path: Path) -> None:
    table = pa.table({"at": pa.array([[datetime(9999, 12, 31)]], pa.list_(pa.timestamp("us"))), "b": [["x"]]})
    pq.write_table(table, tmp_path / "d.parquet", use_deprecated_int96_timestamps=True)
    rows, _ = read_file(tmp_path / "d.parquet", contract("at", "b", format="parquet"))
    assert values(rows, "at", "b") == [('["9999-12-31 00:00:00"]', '["x"]')]


def test_numbers_are_written_with_the_decimal_separator_of_their_field(tmp_path: Path) -> None:
    table = pa.table({"f": [1.234, None], "d": [Decimal("1234.50"), None], "t": ["1.234", None]})
    pq.write_table(table, tmp_path / "d.parquet")
    comma = Source(thousands=".", decimal=",")
    fields = (
        Field("f", "f", "number", source=comma),
        Field("d", "d", "number", source=comma),
        Field("t", "t", "string"),
    )
    rows, _ = read_file(tmp_path / "d.parquet", contract(*fields, format="parquet"))
    assert values(rows, "f", "d", "t")[0] == ("1,234", "1234,50", "1.234")


def test_bytes_are_decoded_value_by_value(tmp_path: Path) -> None:
    pq.write_table(pa.table({"b": ["汉".encode(), b"\xff", None]}), tmp_path / "d.parquet")
    rows, reading = read_file(tmp_path / "d.parquet", contract("b", format="parquet"))
    assert values(rows, "b") == [("汉",), ("ff",), (None,)] and "binary_as_hex" in kinds(reading)


@pytest.mark.parametrize(
    ("pattern", "answer"),
    [("yyyy-MM-dd'T'HH:mm:ssXXX", True), ("yyyy-MM-dd HH:mm:ss", False), ("yyyy'X'", False), ("yyyy-MM-ddZ", True)],
)
def test_offsets_are_known_from_patterns(pattern: str, answer: bool) -> None:
    assert has_offset(pattern) is answer


def test_types_of_the_file_determine_the_proposal(
    proposed: Propose,
) -> None:
    _, of, _, rows = proposed(PROBES / "读数.parquet")
    assert {f.name: (f.type, f.physical_type) for f in of.fields} == {
        "no": ("string", ""),
        "at_ns": ("timestamp", ""),
        "at_utc": ("timestamp", ""),
        "valid_to": ("timestamp", ""),
        "amount": ("number", "decimal(20,4)"),
        "big": ("integer", "decimal(20,0)"),
        "value": ("number", ""),
        "day": ("date", ""),
        "flag": ("boolean", ""),
    }
    assert len(rows) == 5 and of.field("at_utc").source.formats == ("yyyy-MM-dd'T'HH:mm:ssXXX",)


def test_texts_of_a_typed_file_are_no_numbers(
    proposed: Propose,
    tmp_path: Path,
) -> None:
    table = pa.table(
        {"kind": ["12", "13"] * 5, "level": [1.0, 2.0] * 5, "on": [date(2026, 1, 5)] * 10, "said": ["2026-01-05"] * 10}
    )
    pq.write_table(table, tmp_path / "d.parquet")
    _, of, _, _ = proposed(tmp_path / "d.parquet")
    assert [f.type for f in of.fields] == ["string", "number", "date", "date"]
