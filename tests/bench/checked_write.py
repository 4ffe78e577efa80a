"""Conform of 2 M rows × 15 columns with all evidence, against a plain write and against peers."""

import os
import random
import statistics
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.csv
from deltalake import write_deltalake
from pyspark.sql import DataFrame

from jobs.contracts import Registry
from jobs.contracts import load as load_contracts
from jobs.ingest.land import Manifest, deliver
from jobs.lake.delta_writing import storage_options
from jobs.lake.lake import Lake
from jobs.lake.session import remote_of
from jobs.lake.zones import Zone
from jobs.pipeline.conform import conform
from jobs.pipeline.ingestion import land, load
from tests.bench import peers
from tests.bench.common import Measures, stopwatch

if TYPE_CHECKING:
    import polars

NUMBERS = 8
PEERS = {
    "gx": "GX, SUMMARY, then the write: 20 samples a rule",
    "cuallee": "cuallee, then the write: counts, no rows",
    "pointblank": "pointblank over polars, all extracts, then the write of all rows by delta-rs; one machine, no engine",
    "dataframely": "dataframely over polars, all failing rows, the write of the others by delta-rs; one machine, no engine",
    "plain_polars": "polars reads, delta-rs writes, nothing checked",
}
HEAD = """apiVersion: v3.1.0
kind: DataContract
id: wide
name: 宽表
version: 1.0.0
status: active
team: {name: 测试}
schema:
  - name: wide
    properties:
      - {name: id, logicalType: string, required: true, primaryKey: true}
      - {name: at, logicalType: timestamp, required: true, customProperties: [{property: source, value: {formats: ["yyyy-MM-dd HH:mm:ss"], timezone: UTC}}]}
      - {name: code, logicalType: string, required: true, logicalTypeOptions: {pattern: "^[0-9A-HJ-NPQRTUWXY]{18}$", minLength: 18, maxLength: 18}}
      - {name: phone, logicalType: string, logicalTypeOptions: {pattern: "^1[3-9][0-9]{9}$"}}
      - {name: county, logicalType: string, required: true, enum: [{value: "371502"}, {value: "371503"}, {value: "371521"}, {value: "371581"}]}
      - {name: name, logicalType: string, required: true, logicalTypeOptions: {minLength: 2, maxLength: 40}}
      - {name: count, logicalType: integer, logicalTypeOptions: {minimum: 0, maximum: 100000}}
"""
TAIL = """customProperties:
  - {property: provider, value: bench}
  - {property: layout, value: {encoding: utf-8}}
"""
RULE = "  - {{id: {id}, type: {type}, kwargs: {kwargs}, severity: {severity}, meta: {{dimension: 准确性, message: 不对, remedy: 请核对, basis: 约定}}}}\n"


def write_contract(folder: Path, more: int = 0) -> Registry:
    """A contract of 15 fields and its suite: 38 rules with uniqueness of the key, and so many more."""
    schema, suite = folder / "schemas/sources/bench/wide.yaml", folder / "expectations/sources/bench/wide.yaml"
    fields = "".join(
        f"      - {{name: n{i}, logicalType: number, logicalTypeOptions: {{minimum: 0, maximum: 9.9}}}}\n"
        for i in range(NUMBERS)
    )
    for file in (schema, suite):
        file.parent.mkdir(parents=True, exist_ok=True)
    schema.write_text(HEAD + fields + TAIL, "utf-8")
    rules = [
        RULE.format(
            id=f"above_{i}",
            type="expect_column_pair_values_a_to_be_greater_than_b",
            kwargs=f"{{column_A: n{i}, column_B: n{i + 1}, or_equal: true, ignore_row_if: either_value_is_missing}}",
            severity="info" if i else "warning",
        )
        for i in range(0, 2)
    ]
    rules += [
        RULE.format(
            id=f"low_{i}",
            type="expect_column_values_to_be_between",
            kwargs=f"{{column: n{i}, min_value: 0.01}}",
            severity="warning",
        )
        for i in range(4)
    ]
    rules.append(
        RULE.format(
            id="name_marks",
            type="expect_column_values_to_not_match_regex",
            kwargs='{column: name, regex: "[?\\uFFFD]"}',
            severity="warning",
        )
    )
    rules += [_further(number) for number in range(more)]
    suite.write_text("name: wide\nexpectations:\n" + "".join(rules), "utf-8")
    return load_contracts(folder / "schemas", folder / "expectations")


def _further(number: int) -> str:
    """One more rule, in turn a band of a number and a pattern of a name."""
    if number % 2:
        kwargs = f'{{column: name, regex: "^[^{chr(0x4E00 + number)}]*$"}}'
        type_ = "expect_column_values_to_match_regex"
    else:
        kwargs = f"{{column: n{number % NUMBERS}, max_value: {9.5 + number / 1000}}}"
        type_ = "expect_column_values_to_be_between"
    return RULE.format(id=f"more_{number}", type=type_, kwargs=kwargs, severity="info")


def write_input(file: Path, rows: int, seed: int = 7) -> None:
    """A csv of `rows` × 15 whose values break a physical rule in about 1 row of 1,000."""
    rng = random.Random(seed)
    size = 100_000
    header = ["id", "at", "code", "phone", "county", "name", "count", *(f"n{i}" for i in range(NUMBERS))]
    with file.open("wb") as out:
        for start in range(0, rows, size):
            many = range(start, min(start + size, rows))
            columns = [
                [f"R{i:09d}" for i in many],
                [f"2026-01-{1 + i % 28:02d} {i % 24:02d}:{i % 60:02d}:00" for i in many],
                [f"91371500MA3T{i % 1000000:06d}" for i in many],
                [f"13{rng.randrange(10**9):09d}" for _ in many],
                [rng.choice(("371502", "371503", "371521", "371581")) for _ in many],
                [f"聊城第{i % 5000}号" for i in many],
                [str(rng.randrange(1000)) for _ in many],
            ]
            for place in range(NUMBERS):  # falling from column to column, as the pair rules ask
                low = (NUMBERS - place) + 0.02
                columns.append([f"{low + rng.random() * 0.9:.3f}" if rng.random() > 0.0001 else "99" for _ in many])
            table = pa.table(dict(zip(header, columns, strict=True)))
            pa.csv.write_csv(table, out, pa.csv.WriteOptions(include_header=start == 0, quoting_style="needed"))


def plain_write(lake: Lake, key: str, name: str) -> None:
    """CSV → Delta with types inferred from the same contract, by Spark alone."""
    _csv(lake, key).write.format("delta").mode("overwrite").save(lake.path(Zone.GOLD, name).spark_url)


def _csv(lake: Lake, key: str) -> DataFrame:
    schema = "id string, at timestamp, code string, phone string, county string, name string, count bigint, "
    schema += ", ".join(f"n{i} double" for i in range(NUMBERS))
    return lake.spark.read.csv(f"s3a://{lake.settings.s3_bucket}/{key}", header=True, schema=schema)


def gx_alone(lake: Lake, registry: Registry, key: str) -> None:
    """The rules that GX ships, by GX itself with SUMMARY results, then the write."""
    from great_expectations.execution_engine import SparkDFExecutionEngine
    from great_expectations.validator.validator import Validator

    from jobs.quality.conditions import expectation

    rows = _csv(lake, key)
    ours = ("expect_column_values_to_parse", "expect_column_values_to_be_known")
    rules = [r for r in registry.rules["wide"] if r.type not in ours and r.id != "row_shape"]
    rules = [r for r in rules if not str(r.kwargs.get("column", "")).startswith("_text_")]
    engine = SparkDFExecutionEngine(persist=True)
    engine.load_batch_data("b", rows)
    Validator(execution_engine=engine).graph_validate(
        configurations=[expectation(r).configuration for r in rules],
        runtime_configuration={"result_format": {"result_format": "SUMMARY"}},
    )
    rows.write.format("delta").mode("overwrite").save(lake.path(Zone.GOLD, "by_gx").spark_url)
    lake.spark.catalog.clearCache()


def cuallee_and_write(lake: Lake, key: str) -> None:
    """About the same checks by cuallee (counts only), then the write."""
    from cuallee import Check, CheckLevel

    os.environ["SPARK_REMOTE"] = remote_of(lake.settings)  # it opens a session by itself, for its answer
    rows = _csv(lake, key)
    check = Check(CheckLevel.WARNING, "bench")
    for column in ("id", "at", "code", "county", "name"):
        check.is_complete(column)
    check.is_unique("id").has_pattern("code", "^[0-9A-HJ-NPQRTUWXY]{18}$").has_pattern("phone", "^1[3-9][0-9]{9}$")
    check.is_contained_in("county", ("371502", "371503", "371521", "371581")).is_between("count", (0, 100000))
    for i in range(NUMBERS):
        check.is_between(f"n{i}", (0.0, 9.9)).is_complete(f"n{i}").is_greater_or_equal_than(f"n{i}", 0.01)
    check.validate(rows).collect()
    rows.write.format("delta").mode("overwrite").save(lake.path(Zone.GOLD, "by_cuallee").spark_url)


def measure(lake: Lake, folder: Path, measures: Measures, rows: int = 2_000_000, rounds: int = 3) -> None:
    """All ways over the same rows on the same engine, in turn; a first round warms it; ratios of the others' medians."""
    registry = write_contract(folder)
    file = folder / "wide.csv"
    write_input(file, rows)
    (key,) = deliver(lake.store, [file], "wide", "bench", Manifest())
    (landed,) = land(lake, registry)
    with stopwatch("load (bytes → bronze)") as loading:
        load(lake, registry, landed.delivery.id)
    spent: dict[str, list[float]] = {}
    for number in range(rounds + 1):
        ways = {
            "plain": lambda n=number: plain_write(lake, key, f"plain{n}"),
            "ours": lambda: conform(lake, registry, landed.delivery.id),
            "gx": lambda: gx_alone(lake, registry, key),
            "cuallee": lambda: cuallee_and_write(lake, key),
            "pointblank": lambda: peers.by_pointblank(file, NUMBERS, partial(_write_polars, lake, "by_pointblank")),
            "dataframely": lambda: peers.by_dataframely(file, NUMBERS, partial(_write_polars, lake, "by_dataframely")),
            "plain_polars": lambda: _write_polars(lake, "plain_polars", peers.read(file, NUMBERS)),
        }
        for name, way in ways.items():
            if name == "ours":
                fresh(lake, landed.delivery.id)
            with stopwatch(f"{name}, round {number}") as seconds:
                way()
            if number:
                spent.setdefault(name, []).append(seconds[0])
    plain = statistics.median(spent["plain"])
    times = ", ".join(f"{name} {statistics.median(s):.1f} s" for name, s in spent.items())
    count = len(registry.rules["wide"])
    note = f"{rows:,} rows × 15, {count} rules, all evidence; {times}; load {loading[0]:.1f} s"
    measures.say("checked_write_ratio", statistics.median(spent["ours"]) / plain, "≤ 1.6", note)
    measures.say("load_ratio", loading[0] / plain, "≤ 0.6", "bytes → bronze, once, of the plain write")
    for name, what in PEERS.items():
        measures.say(f"{name}_ratio", statistics.median(spent[name]) / plain, "–", what)


def _write_polars(lake: Lake, name: str, rows: "polars.DataFrame") -> None:
    """Overwrite a table by delta-rs."""
    options = storage_options(lake.settings)
    write_deltalake(lake.path(Zone.GOLD, name).delta_url, rows.to_arrow(), mode="overwrite", storage_options=options)


def fresh(lake: Lake, delivery: str) -> None:
    """Each round writes to new tables, as the plain write does."""
    for zone in (Zone.SILVER, Zone.QUARANTINE, Zone.EVIDENCE):
        for found in list(lake.store.list(f"{zone}/wide/")):
            lake.store.delete(found.key)
    lake.ledger.delete_conform_rows(delivery)
