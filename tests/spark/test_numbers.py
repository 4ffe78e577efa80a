"""A text is a number exactly, or none: marks stand in their places, and what is not finite is no number."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from pyspark.sql import SparkSession

from jobs.conform import typed
from jobs.contracts import Field, Source
from jobs.lake.lake import Lake
from jobs.lake.named_rows import NamedRows
from tests.unit.ingest.test_delimited import contract
from tests.unit.ingest.test_excel import read_file

BARE: dict[str, Any] = {}
COMMAS, COMMA = {"thousands": ","}, {"decimal": ","}
GERMAN, SWISS, BLANKS = {"thousands": ".", "decimal": ","}, {"thousands": "'"}, {"thousands": " ", "decimal": ","}
UNITS, CENSORED = {"units": {"℃": 1, "千米": 1000}}, {"censored": True}
MONEY = "decimal(18,2)"

CASES: tuple[tuple[str, dict[str, Any], str, Any], ...] = (
    *((text, BARE, "", value) for text, value in (("1.5", 1.5), ("-0.0", 0.0), ("1e3", 1000.0), (".5", 0.5), ("5.", 5.0), ("+7", 7.0))),
    *((text, BARE, "", value) for text, value in (("１２.５", 12.5), ("１e２", 100.0), (" 3 ", 3.0), ("1.7976931348623157e308", 1.7976931348623157e308))),
    *((text, BARE, "", None) for text in ("NaN", "nan", "Infinity", "-inf", "inf", "1e400", "-1e400", "1e-400", "0.1e-999")),
    *((text, BARE, "", None) for text in ("0x10", "0x1p3", "0X1P3", "1_000", "1 234", "1.5d", "1.5f", "--3", "1,234", "12,5", "١٢", "\x0112", "1e", "e5", ".", "+", "1.2.3")),
    *((text, BARE, "", 0.0) for text in ("0e-999", "0", "-0", "0.000e5")),
    *((text, COMMAS, "", value) for text, value in (("1,234", 1234.0), ("-12,345,678.5", -12345678.5), ("1234.5", 1234.5), ("１，２３４", 1234.0), ("1,234e2", 123400.0))),
    *((text, COMMAS, "", None) for text in ("12,5", "0,125", "1,2345", "1234,567", "12,34,567", "1,,234", ",234", "1,234,", "00,123")),
    *((text, COMMA, "", value) for text, value in (("12,5", 12.5), ("-0,5", -0.5), ("100", 100.0), (",5", 0.5), ("1,5e3", 1500.0))),
    *((text, COMMA, "", None) for text in ("12.5", "1.234,5", "1,2,3", "1 234,5", "NaN", "1e400", "1,0e400")),
    *((text, GERMAN, "", value) for text, value in (("1.234,56", 1234.56), ("1.250", 1250.0), ("12.345.678,90", 12345678.9), ("980,00", 980.0), ("0,5", 0.5))),
    *((text, GERMAN, "", None) for text in ("1.25", "12.5", "1.2345,6", "0.125")),
    *((text, SWISS, "", 1234.5) for text in ("1'234.5", "1’234.5", "1234.5")),
    *((text, BLANKS, "", 1234.5) for text in ("1 234,5", "1\u00a0234,5", "1\u202f234,5", "1\u3000234,5", "1234,5")),
    *((text, BLANKS, "", None) for text in ("12 34", "1 2", "1 234.5")),
    *((text, UNITS, "", value) for text, value in (("12.5℃", 12.5), ("3千米", 3000.0), ("1e400℃", None), ("1e306千米", None), ("NaN℃", None))),
    *((text, {**UNITS, **GERMAN}, "", value) for text, value in (("1.234,5℃", 1234.5), ("12.5℃", None))),
    *((text, {**CENSORED, **COMMA}, "", value) for text, value in (("<0,5", 0.5), ("<0.5", None), ("<inf", None))),
    *((text, BARE, MONEY, value) for text, value in (("12.5", "12.50"), ("12.50", "12.50"), ("1e2", "100.00"), ("NaN", None), ("1e400", None))),
    *((text, GERMAN, MONEY, value) for text, value in (("1.234,56", "1234.56"), ("1.25", None))),
    ("1.005", BARE, MONEY, "1.01"),
)  # fmt: skip
WHOLE: tuple[tuple[str, dict[str, Any], Any], ...] = (
    *((text, BARE, value) for text, value in (("12", 12), ("12.0", 12), ("12.5", None), ("1e3", None), ("NaN", None), ("0x10", None), ("9223372036854775808", None))),
    *((text, COMMAS, value) for text, value in (("1,234", 1234), ("12,5", None), ("1,234.00", 1234))),
    *((text, GERMAN, value) for text, value in (("1.234", 1234), ("1.25", None), ("12,0", 12))),
    *((text, {"units": {"万": 10000}}, value) for text, value in (("3万", 30000), ("3", 3))),
)  # fmt: skip


def made(spark: SparkSession, fields: list[Field], texts: list[str]) -> tuple[Any, dict[tuple[str, str], bool]]:
    """The typed row of these texts, and which repairs happened."""
    names = ", ".join(f"{f.name} string" for f in fields)
    system = "_delivery string, _file string, _row bigint, _malformed string, _line string"
    bronze = spark.createDataFrame([("d", "f", 1, None, None, *texts)], f"{system}, {names}")
    cast = typed(NamedRows.of(bronze), contract(*fields))
    rows, repairs = cast.rows.frame, cast.repairs
    row = rows.collect()[0].asDict()
    bits = [(row[f"_fix{i // 62}"] >> i % 62) & 1 == 1 for i in range(len(repairs))]
    return row, {(r.field, r.kind): bit for r, bit in zip(repairs, bits, strict=True)}


def test_texts_are_numbers_exactly_or_none(spark: SparkSession):
    fields = [
        Field(f"c{i}", f"c{i}", "number", physical_type=p, source=Source(**s)) for i, (_, s, p, _) in enumerate(CASES)
    ]
    row, repairs = made(spark, fields, [text for text, *_ in CASES])
    found = [(text, source, kind, row[f"c{i}"]) for i, (text, source, kind, _) in enumerate(CASES)]
    right = [(text, source, kind, Decimal(v) if kind and v else v) for text, source, kind, v in CASES]
    assert [(a, b) for a, b in zip(found, right, strict=True) if a != b] == []
    grouped = {text for i, (text, source, _, _) in enumerate(CASES) if repairs.get((f"c{i}", "thousands"))}
    assert {"1,234", "1.250", "1’234.5"} <= grouped and not grouped & {"12,5", "0,125", "1234.5", "12 34"}
    rounded = [text for i, (text, *_) in enumerate(CASES) if repairs.get((f"c{i}", "rounded"))]
    assert rounded == ["1.005"]


def test_texts_are_whole_numbers_or_none(spark: SparkSession):
    fields = [Field(f"c{i}", f"c{i}", "integer", source=Source(**source)) for i, (_, source, _) in enumerate(WHOLE)]
    row, _ = made(spark, fields, [text for text, *_ in WHOLE])
    assert [(text, row[f"c{i}"]) for i, (text, *_) in enumerate(WHOLE)] == [(text, value) for text, _, value in WHOLE]


@pytest.mark.parametrize("text", ["0x1p15", "NaN", "Infinity"])
def test_serial_dates_are_digits(spark: SparkSession, text: str):
    field = Field("c", "c", "date", source=Source(formats=("excel_serial",)))
    assert made(spark, [field], [text])[0]["c"] is None


def test_times_in_a_file_that_spark_wrote_come_out_to_the_hour(lake: Lake, tmp_path: Path):
    """Spark's default keeps a timestamp in 96 bits, as a point in time, and a wall-clock time in 64."""
    words = "TIMESTAMP '2026-01-05 08:00:00+08:00' at, TIMESTAMP '9999-12-30 00:00:00Z' until, TIMESTAMP_NTZ '2026-01-05 08:00:00' wall"
    target = f"s3a://{lake.settings.s3_bucket}/sent"
    kind = "spark.sql.parquet.outputTimestampType"
    ours = lake.spark.conf.get(kind)
    lake.spark.conf.set(kind, "INT96")
    try:
        lake.spark.sql(f"SELECT {words}").coalesce(1).write.parquet(target)
    finally:
        lake.spark.conf.set(kind, ours)
    (key,) = [one.key for one in lake.store.list("sent/") if one.key.endswith(".parquet")]
    lake.store.get_file(key, tmp_path / "d.parquet")
    assert pq.ParquetFile(tmp_path / "d.parquet").schema.column(0).physical_type == "INT96"
    names = ("at", "until", "wall")
    fields = [Field(name, name, "timestamp") for name in names]
    (row,), _ = read_file(tmp_path / "d.parquet", contract(*fields, format="parquet"))
    typed_row, _ = made(lake.spark, fields, [str(row[name]) for name in names])
    assert [typed_row[name].isoformat() for name in names] == [
        *("2026-01-05T00:00:00", "9999-12-30T00:00:00", "2026-01-05T00:00:00")
    ]
