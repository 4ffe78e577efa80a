"""Seconds of a small delivery from bronze to published, beside Great Expectations on pandas over as many rows and rules."""

import statistics
import time
from datetime import date, timedelta
from pathlib import Path

from jobs import contracts
from jobs.contracts import Contract, Registry, Rule
from jobs.ingest.land import Manifest, deliver
from jobs.lake.lake import Lake
from jobs.pipeline.conform import conform
from jobs.pipeline.ingestion import land, load
from jobs.simulator.city import send
from tests.bench.common import Measures, stopwatch

DATASET, BEFORE = "enterprise_registration", ("divisions",)
ROUNDS = 7


def measure(lake: Lake, folder: Path, measures: Measures) -> None:
    """A first round warms the engine and makes the tables; the medians of the others count, and their ratio."""
    registry = contracts.load(lake.settings.schemas, lake.settings.expectations)
    contract = registry.contract(DATASET)
    ours, pandas_gx, rows = [], [], 0
    for number in range(ROUNDS):
        day = date(2026, 1, 12) + timedelta(days=number)
        for feed in send(day, 7, folder, 1.0, only=[*BEFORE, DATASET]):
            deliver(lake.store, [feed.path], feed.dataset, feed.provider, Manifest(rows=feed.declared_rows))
            (landed,) = land(lake, registry)
            load(lake, registry, landed.delivery.id)
            start = time.perf_counter()
            verdict = conform(lake, registry, landed.delivery.id)
            if feed.dataset == DATASET:
                ours.append(time.perf_counter() - start)
                rows = verdict.rows
        with stopwatch("GX on pandas") as spent:
            failing_by_gx(lake, contract, registry, DATASET)
        pandas_gx += spent
    rules = len(registry.rules[DATASET])
    note = f"{rows} rows, {rules} rules; rounds {', '.join(f'{s:.2f}' for s in ours)} s"
    measures.say("small_delivery_s", statistics.median(ours[1:]), "≤ 1.5", note)
    measures.say(
        "small_delivery_of_gx_pandas", statistics.median(ours[1:]) / statistics.median(pandas_gx[1:]), "≤ 1", ""
    )


def failing_by_gx(lake: Lake, contract: Contract, registry: Registry, dataset: str) -> None:
    """The rules that GX ships, on pandas, with every failing row in the result."""
    from great_expectations.execution_engine import PandasExecutionEngine
    from great_expectations.validator.validator import Validator

    from jobs.lake.zones import Zone
    from jobs.quality.conditions import expectation

    table = lake.delta.open(lake.path(Zone.SILVER, dataset))
    assert table is not None
    latest = table.to_pyarrow_table().to_pandas()
    latest = latest[latest["_seq"] == latest["_seq"].max()]
    engine = PandasExecutionEngine()
    engine.load_batch_data("b", latest)
    rules = [rule for rule in registry.rules[dataset] if _is_shipped(rule, contract)]
    Validator(execution_engine=engine).graph_validate(
        configurations=[expectation(rule).configuration for rule in rules],
        runtime_configuration={
            "result_format": {"result_format": "COMPLETE", "unexpected_index_column_names": ["_row"]}
        },
    )


def _is_shipped(rule: Rule, contract: Contract) -> bool:
    """Whether GX has the expectation itself and the curated rows have its columns."""
    ours = ("parse", "be_known", "satisfy", "stuck", "spike", "fall", "follow_in_time", "match_rate", "depart", "drift")
    named = rule.kwargs.get("column", contract.fields[0].name)
    return not rule.type.endswith(ours) and str(named) in contract.columns() and "row_condition" not in rule.kwargs
