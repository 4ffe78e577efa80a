"""Fused verdicts equal what Great Expectations says alone: success, counts and failing rows, on generated data."""

import random
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from jobs import quality
from jobs.conform.cast import typed
from jobs.contracts import Registry
from jobs.lake.bits import is_set
from jobs.lake.lake import Lake
from jobs.lake.named_rows import NamedRows
from jobs.lake.zones import Zone
from tests.contract_texts import contract

FIELDS = """
      - {name: id, businessName: 编号, logicalType: string, required: true, primaryKey: true, primaryKeyPosition: 1, logicalTypeOptions: {pattern: "^[A-Z]\\\\d+$"}}
      - {name: kind, businessName: 类别, logicalType: string, unique: false, enum: [{value: 水, label: 水}, {value: 气, label: 气}]}
      - {name: a, businessName: 甲, logicalType: number, logicalTypeOptions: {minimum: 0, maximum: 10}}
      - {name: b, businessName: 乙, logicalType: number, required: true}
      - {name: n, businessName: 数, logicalType: integer}
      - {name: at, businessName: 时间, logicalType: timestamp}
      - {name: code, businessName: 代码, logicalType: string, unique: true, logicalTypeOptions: {minLength: 2, maxLength: 4}}
"""
SUITE = """name: t
expectations:
  - {id: a_above_b, type: expect_column_pair_values_a_to_be_greater_than_b, kwargs: {column_A: a, column_B: b, or_equal: true, ignore_row_if: either_value_is_missing}, severity: warning, meta: &m {dimension: 一致性, message: 不对, remedy: 请核对, basis: 约定}}
  - {id: a_equals_b, type: expect_column_pair_values_to_be_equal, kwargs: {column_A: a, column_B: b, ignore_row_if: both_values_are_missing}, severity: info, meta: *m}
  - {id: kind_not, type: expect_column_values_to_not_be_in_set, kwargs: {column: kind, value_set: [气]}, severity: warning, meta: *m}
  - {id: code_like, type: expect_column_values_to_not_match_regex, kwargs: {column: code, regex: "[坏x]"}, severity: warning, meta: *m}
  - {id: water_low, type: expect_column_values_to_be_between, kwargs: {column: a, max_value: 5, row_condition: "kind = '水'", condition_parser: spark}, severity: warning, meta: *m}
  - {id: mostly_b, type: expect_column_values_to_be_between, kwargs: {column: b, min_value: 1, mostly: 0.5}, severity: info, meta: *m}
  - {id: sum_ten, type: expect_multicolumn_sum_to_equal, kwargs: {column_list: [a, b], sum_total: 10, ignore_row_if: any_value_is_missing}, severity: info, meta: *m}
  - {id: volume, type: expect_table_row_count_to_be_between, kwargs: {min_value: 1, max_value: 100000}, severity: info, meta: *m}
  - {id: a_mean, type: expect_column_mean_to_be_between, kwargs: {column: a, min_value: 0, max_value: 9}, severity: info, meta: *m}
"""
WORDS = [
    None,
    "",
    " ",
    "水",
    "气",
    "坏",
    "x",
    "A1",
    "B22",
    "Ｃ３",
    "1e3",
    "NaN",
    "-0.0",
    "5",
    "10",
    "11",
    "3.5",
    "1d",
    "2026-01-01 00:00:00",
]


@pytest.fixture
def registry(write_contracts: Callable[..., Registry]) -> Registry:
    properties = "  - {property: write, value: {duplicates: fail}}\n"
    return write_contracts(
        {
            "schemas/sources/heat/t.yaml": contract("t", FIELDS, properties),
            "expectations/sources/heat/t.yaml": SUITE,
        }
    )


def bronze(spark: SparkSession, seed: int, rows: int, bad: float) -> DataFrame:
    """Text rows of which a share `bad` is drawn from awkward words."""
    rng = random.Random(seed)

    def cell(good: str) -> str | None:
        return rng.choice(WORDS) if rng.random() < bad else good

    data = [
        (
            "d",
            "f",
            i,
            None,
            cell(f"A{i}"),
            cell(rng.choice("水气")),
            cell(f"{rng.uniform(5, 10):.2f}"),
            cell(f"{rng.uniform(0, 5):.2f}"),
            cell(str(i)),
            cell("2026-01-01 08:00:00"),
            cell(f"C{i % 999:02d}"[:4]),
        )
        for i in range(rows)
    ]
    schema = "_delivery string, _file string, _row bigint, _malformed string, id string, kind string, a string, b string, n string, at string, code string"
    return spark.createDataFrame(data, schema)


def by_gx_alone(rows: DataFrame, registry: Registry) -> dict[str, dict[str, Any]]:
    """Every rule through Great Expectations' own validator, with the failing rows' numbers."""
    from great_expectations.execution_engine import SparkDFExecutionEngine
    from great_expectations.validator.validator import Validator

    from jobs.quality.conditions import expectation

    engine = SparkDFExecutionEngine(persist=False)
    engine.load_batch_data("b", rows)
    configurations = [expectation(rule).configuration for rule in registry.rules["t"]]
    answers = Validator(execution_engine=engine).graph_validate(
        configurations=configurations,
        runtime_configuration={
            "result_format": {"result_format": "COMPLETE", "unexpected_index_column_names": ["_row"]}
        },
    )
    return {rule.id: answer.to_json_dict() for rule, answer in zip(registry.rules["t"], answers, strict=True)}


@pytest.mark.parametrize(("seed", "rows", "bad"), [(1, 400, 0.3), (2, 60, 1.0), (3, 200, 0.0), (4, 0, 0.0)])
def test_fused_results_equal_those_of_great_expectations(
    lake: Lake, registry: Registry, seed: int, rows: int, bad: float
):
    from jobs.quality.evaluation import evaluate
    from jobs.quality.references import OtherTables
    from jobs.quality.wanted import Wanted

    table = typed(NamedRows.of(bronze(lake.spark, seed, rows, bad)), registry.contract("t")).rows
    plan = quality.plan(registry.contract("t"), registry.rules["t"])
    stage = lake.stage(lake.path(Zone.SILVER, "t"))
    judged = evaluate(
        table,
        plan,
        OtherTables(lambda _: table, lambda *_: table, lambda *_: pa.array([])),
        Wanted(["_row", "a", "b"]),
        stage,
    )
    alone = by_gx_alone(table.frame, registry)
    for result in judged.results:
        gx, numbers = alone[result.rule.id], alone[result.rule.id]["result"]
        assert not gx["exception_info"].get("raised_exception"), gx
        assert result.success == gx["success"], result.rule.id
        assert result.unexpected_count == (numbers.get("unexpected_count") or 0), result.rule.id
        assert result.element_count == (numbers.get("element_count") or 0), result.rule.id
        assert result.missing_count == (numbers.get("missing_count") or 0), result.rule.id
    for index, rule in enumerate(judged.rules):
        ours = {r._row for r in stage.all_rows().filter(is_set(index, "_mask")).select(F.col("_row")).collect()}
        theirs = {int(i["_row"]) for i in alone[rule.id]["result"].get("unexpected_index_list") or []}
        assert ours == theirs, rule.id
    judged.release()
