"""What a user of one machine would pick today: the checks of `checked_write` by pointblank and by dataframely, over polars.

Both read the file from the local disk and write to the lake's object store by delta-rs; both keep every failing row.
"""

from collections.abc import Callable, Mapping
from pathlib import Path

import dataframely as dy
import pointblank as pb
import polars as pl

CODE, PHONE, MARKS = "^[0-9A-HJ-NPQRTUWXY]{18}$", "^1[3-9][0-9]{9}$", "[?\ufffd]"
COUNTIES = ("371502", "371503", "371521", "371581")
REQUIRED = ("id", "at", "code", "county", "name")
Write = Callable[[pl.DataFrame], object]


def read(file: Path, numbers: int) -> pl.DataFrame:
    """The file with the types of the contract; a text that is no value of its type is null."""
    types: dict[str, type[pl.DataType]] = dict.fromkeys(("id", "code", "phone", "county", "name"), pl.String)
    types |= {"at": pl.String, "count": pl.Int64, **{f"n{i}": pl.Float64 for i in range(numbers)}}
    rows = pl.read_csv(file, schema_overrides=types, ignore_errors=True)
    return rows.with_columns(pl.col("at").str.to_datetime("%Y-%m-%d %H:%M:%S", time_zone="UTC", strict=False))


def by_pointblank(file: Path, numbers: int, write: Write) -> Mapping[int, pl.DataFrame]:
    """Rows that fail, by step; all rows are written."""
    rows = read(file, numbers)
    checks = pb.Validate(rows).rows_distinct(columns_subset="id").col_vals_not_null(columns=list(REQUIRED))
    checks = checks.col_vals_regex("code", CODE, na_pass=True).col_vals_regex("phone", PHONE, na_pass=True)
    checks = checks.col_vals_in_set("county", list(COUNTIES)).col_vals_between("count", 0, 100_000, na_pass=True)
    checks = checks.col_vals_expr(pl.col("name").str.len_chars().is_between(2, 40))
    checks = checks.col_vals_expr(pl.col("code").str.len_chars() == 18)
    checks = checks.col_vals_regex("name", MARKS, na_pass=True, inverse=True)
    for i in range(numbers):
        checks = checks.col_vals_between(f"n{i}", 0, 9.9, na_pass=True)
    for i in range(4):
        checks = checks.col_vals_ge(f"n{i}", 0.01, na_pass=True)
    for i in range(2):
        checks = checks.col_vals_ge(f"n{i}", pb.col(f"n{i + 1}"), na_pass=True)
    done = checks.interrogate(extract_limit=rows.height)
    write(rows)
    failing: Mapping[int, pl.DataFrame] = done.get_data_extracts()
    return failing


def by_dataframely(file: Path, numbers: int, write: Write) -> pl.DataFrame:
    """Rows that fail, with a column for each rule; the others are written."""
    good, failing = schema(numbers).filter(read(file, numbers))
    write(good)
    return failing.details()


def schema(numbers: int) -> type[dy.Schema]:
    """The contract as dataframely has it; rules that only warn cannot be told from those that hold a row back."""
    columns: dict[str, object] = {
        "id": dy.String(primary_key=True),
        "at": dy.Datetime(nullable=False, time_zone="UTC"),
        "code": dy.String(nullable=False, regex=CODE, min_length=18, max_length=18),
        "phone": dy.String(nullable=True, regex=PHONE),
        "county": dy.String(nullable=False, check=lambda column: column.is_in(list(COUNTIES))),
        "name": dy.String(nullable=False, min_length=2, max_length=40, check=lambda n: ~n.str.contains(MARKS)),
        "count": dy.Int64(nullable=True, min=0, max=100_000),
    }
    for i in range(numbers):
        columns[f"n{i}"] = dy.Float64(nullable=True, min=0.01 if i < 4 else 0, max=9.9)
    for i in range(2):
        columns[f"above_{i}"] = _not_below(f"n{i}", f"n{i + 1}")
    return type("Wide", (dy.Schema,), columns)


def _not_below(upper: str, lower: str) -> object:
    return dy.rule()(lambda cls: pl.col(upper) >= pl.col(lower))
