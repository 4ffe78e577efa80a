"""JSON, JSON lines and Parquet become text without change of a digit."""

from datetime import datetime
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from jobs.contracts import Field, Source
from jobs.errors import DeliveryError
from tests.unit.ingest.test_delimited import contract, kinds, values
from tests.unit.ingest.test_excel import read_file


def test_nested_keys_are_dotted_and_numbers_keep_their_digits(tmp_path: Path) -> None:
    (tmp_path / "d.json").write_text(
        '{"features": [{"p": {"aqi": 1.10, "n": 1e-05, "ok": true, "none": null}, "g": [116.30, {"k": "汉"}]},'
        ' {"p": {"aqi": ""}}]}'
    )
    headers = {"aqi": "p.aqi", "n": "p.n", "ok": "p.ok", "none": "p.none", "g": "g"}
    fields = [Field(n, n, "string", source=Source(header=(h,))) for n, h in headers.items()]
    rows, _ = read_file(tmp_path / "d.json", contract(*fields, format="json", records="features"))
    assert values(rows, *headers, "_row") == [("1.10", "1e-05", "true", None, '[116.30, {"k": "汉"}]', 1)]


def test_columns_and_data(tmp_path: Path) -> None:
    (tmp_path / "d.json").write_text('{"r": {"columns": ["a", "b"], "data": [[1, "x"], [2]]}}')
    rows, _ = read_file(tmp_path / "d.json", contract("a", "b", format="json", records="r"))
    assert values(rows, "a", "b", "_malformed") == [("1", "x", None), ("2", None, "应有 2 列，实有 1 列")]


def test_wrong_path_and_bad_json_say_where(tmp_path: Path) -> None:
    (tmp_path / "d.json").write_text('{"list": [{"a": 1}]}')
    with pytest.raises(DeliveryError, match="现有：list"):
        read_file(tmp_path / "d.json", contract("a", format="json", records="data"))
    with pytest.raises(DeliveryError, match="可能在：list"):
        read_file(tmp_path / "d.json", contract("a", format="json"))
    (tmp_path / "d.json").write_text('[{"a": 1},\n {"a": }]')
    with pytest.raises(DeliveryError, match="第 2 行第 8 个字符"):
        read_file(tmp_path / "d.json", contract("a", format="json"))
    (tmp_path / "d.json").write_text('{"a": 1}\n{"a": 2}\n')
    with pytest.raises(DeliveryError, match="jsonl"):
        read_file(tmp_path / "d.json", contract("a", format="json"))


def test_broken_line_of_jsonl_is_a_malformed_row(tmp_path: Path) -> None:
    (tmp_path / "d.jsonl").write_text('{"a": 1}\n\n{"a": \n[1]\n{"a": "汉", "x": 2}', "gb18030")
    rows, reading = read_file(tmp_path / "d.jsonl", contract("a", format="jsonl"))
    assert values(rows, "a", "_row", "_malformed") == [
        ("1", 1, None),
        (None, 3, "该行不是有效的 JSON"),
        (None, 4, "该记录不是对象（应为 {…}）"),
        ("汉", 5, None),
    ]
    assert {"column_extra", "rows_malformed", "encoding_detected"} <= kinds(reading)


def test_lone_surrogate_does_not_stop_the_reading(tmp_path: Path) -> None:
    (tmp_path / "d.json").write_text('[{"a": "x\\ud800y"}]')
    rows, _ = read_file(tmp_path / "d.json", contract("a", format="json"))
    assert values(rows, "a") == [("x\ufffdy",)]


def test_parquet_is_cast_to_text(tmp_path: Path) -> None:
    table = pa.table(
        {
            "n": [1, None],
            "f": [0.1, 2.0],
            "d": [Decimal("1.10"), None],
            "t": [datetime(2024, 1, 1, 5), None],
            "s": pa.array(["x", ""]).dictionary_encode(),
            "l": [[1, 2], None],
            "b": [b"\xff", None],
        }
    )
    pq.write_table(table, tmp_path / "d.parquet")
    names = table.column_names
    rows, _ = read_file(tmp_path / "d.parquet", contract(*names, format="parquet"))
    assert values(rows, *names, "_row") == [
        ("1", "0.1", "1.10", "2024-01-01 05:00:00.000000", "x", "[1, 2]", "ff", 1),
        (None, "2", None, None, None, None, None, 2),
    ]


def test_damaged_parquet_is_refused(tmp_path: Path) -> None:
    (tmp_path / "d.parquet").write_bytes(b"PAR1" + b"x" * 50)
    with pytest.raises(DeliveryError, match="Parquet"):
        read_file(tmp_path / "d.parquet", contract("a", format="parquet"))
