"""A small delivery is evaluated in one engine query, and its outcome is that of the pass that large deliveries take."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyspark.sql.connect.client import SparkConnectClient

from jobs.conform.arrow_rows import broken_rows
from jobs.contracts import MALFORMED, Registry, load
from jobs.contracts.names import DELIVERY, EXTRA, FAILING, FIRST_SENT, LINE, MARKS, SENT_DATE, SEQ
from jobs.ingest.land import Manifest, deliver
from jobs.lake.lake import Lake
from jobs.model.delivery import Delivery, State
from jobs.pipeline import bronze
from jobs.pipeline.conform import conform
from jobs.pipeline.evaluation import Evaluation, evaluate_delivery, runnable_rules
from jobs.pipeline.ingestion import land
from jobs.pipeline.ingestion import load as load_delivery
from jobs.pipeline.versions import latest_versions
from jobs.settings import PROJECT
from jobs.simulator.city import send
from tests.contract_texts import STATION_FIELDS, STATION_SUITE, contract

EVOLVE = "  - {property: layout, value: {format: csv, extra_columns: evolve}}\n"
OF_ONE_WAY = (MALFORMED, LINE, SENT_DATE, DELIVERY, SEQ, MARKS, FIRST_SENT)


@contextmanager
def as_if_large(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with monkeypatch.context() as patch:
        patch.setattr(bronze, "FEW_ROWS", -1)
        yield


@contextmanager
def requests(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The requests that send a plan to the engine."""
    sent: list[str] = []
    with monkeypatch.context() as patch:
        for name in ("_execute", "_execute_and_fetch", "_analyze"):
            patch.setattr(SparkConnectClient, name, _noted(name, getattr(SparkConnectClient, name), sent))
        yield sent


def _noted(name: str, send: Callable[..., Any], sent: list[str]) -> Callable[..., Any]:
    def noting(*arguments: Any, **named: Any) -> Any:
        sent.append(name)
        return send(*arguments, **named)

    return noting


def outcome(lake: Lake, registry: Registry, delivery: Delivery) -> dict[str, Any]:
    """What an evaluation says, comparable: counts, results, counties, distribution and rows."""
    versions = latest_versions(lake)
    rules = runnable_rules(lake, registry.rules[delivery.dataset], versions)
    evaluation = evaluate_delivery(lake, registry.contract(delivery.dataset), delivery, rules, versions)
    try:
        return _comparable(evaluation)
    finally:
        evaluation.outcome.release()


def _comparable(evaluation: Evaluation) -> dict[str, Any]:
    evaluated = evaluation.outcome
    stage = evaluated.stage
    table = evaluated.table if stage is None else pa.Table.from_batches(stage.batches(stage.columns()))
    return {
        "counted": dict(evaluated.counted),
        "results": [
            (r.rule.id, r.success, r.element_count, r.unexpected_count, r.missing_count) for r in evaluated.results
        ],
        "gx": [r.gx for r in evaluated.results],
        "counties": {name: [r.unexpected_count for r in results] for name, results in evaluated.counties.items()},
        "distribution": {name: pytest.approx(number) for name, number in evaluated.shape.items()},
        "repairs": evaluation.repair_counts(),
        "readings": evaluated.readings,
        "rows": _rows(table),
        "broken": sorted(
            (row for batch in broken_rows(table.to_batches(), evaluated.rules) for row in batch.to_pylist()),
            key=lambda row: (row["_file"], row["_row"]),
        ),
    }


def _rows(table: pa.Table) -> list[dict[str, Any]]:
    """All rows in their order in the file, with what both ways carry; names without the prefix of extra columns."""
    table = table.rename_columns([name.removeprefix(EXTRA) for name in table.column_names])
    names = [name for name in table.column_names if name not in OF_ONE_WAY and not name.startswith(FAILING)]
    assert any(name.startswith("_mask") for name in names)
    rows = table.select(sorted(names)).to_pylist()
    return sorted(rows, key=lambda row: (row["_file"], row["_row"]))


def test_shipped_datasets_have_one_outcome_both_ways(
    lake: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry = load(PROJECT / "schemas", PROJECT / "expectations")
    compared = set()
    for feed in send(date(2026, 1, 12), 11, tmp_path, scale=0.3):
        manifest = Manifest(rows=feed.declared_rows, sent_on=date.fromisoformat(feed.sidecar["sent_on"]))
        deliver(lake.store, [feed.path], feed.dataset, feed.provider, manifest)
        for landed in land(lake, registry):
            delivery = load_delivery(lake, registry, landed.delivery.id)
            if delivery.state is not State.UNREADABLE:
                with as_if_large(monkeypatch):
                    large = outcome(lake, registry, delivery)
                assert outcome(lake, registry, delivery) == large, delivery.dataset
                compared.add(delivery.dataset)
            conform(lake, registry, delivery.id)
    assert compared == {contract.id for contract in registry.sources()}


def test_a_small_delivery_is_one_request_to_the_engine(
    lake: Lake, monkeypatch: pytest.MonkeyPatch, write_contracts: Callable[..., Registry], tmp_path: Path
) -> None:
    registry = write_contracts(
        {
            "schemas/sources/heat/station.yaml": contract("station", STATION_FIELDS),
            "expectations/sources/heat/station.yaml": STATION_SUITE,
        }
    )
    for day in (1, 2):
        lines = [f"站{i},2026-01-0{day} 08:00:00,{20 + i % 150},{i % 60}" for i in range(300)]
        file = tmp_path / f"{day}.csv"
        file.write_text("站点,时间,温度,回温\n" + "\n".join(lines), "utf-8")
        deliver(lake.store, [file], "station", "heat", Manifest())
        (landed,) = land(lake, registry)
        delivery = load_delivery(lake, registry, landed.delivery.id)
        if day == 1:  # the engine creates the table
            conform(lake, registry, delivery.id)
            continue
        with requests(monkeypatch) as sent:
            assert conform(lake, registry, delivery.id).failed_rows > 0
        assert sent == ["_execute_and_fetch"], "one query, and no plan analysed beside it"


def test_columns_beyond_the_contract_count_for_how_the_engine_works(
    lake: Lake, monkeypatch: pytest.MonkeyPatch, write_contracts: Callable[..., Registry], tmp_path: Path
) -> None:
    registry = write_contracts(
        {
            "schemas/sources/heat/station.yaml": contract("station", STATION_FIELDS, EVOLVE),
            "expectations/sources/heat/station.yaml": STATION_SUITE,
        }
    )
    file, beyond = tmp_path / "1.csv", [f"列{n}" for n in range(400)]
    row = ["站", "2026-01-01 08:00:00", "20", "10", *map(str, range(400))]
    file.write_text(f"{','.join(['站点', '时间', '温度', '回温', *beyond])}\n{','.join(row)}\n", "utf-8")
    deliver(lake.store, [file], "station", "heat", Manifest())
    (landed,) = land(lake, registry)
    delivery = load_delivery(lake, registry, landed.delivery.id)
    widths = []
    monkeypatch.setattr(lake.tables, "interpret", lambda rows, columns: widths.append(columns))
    assert outcome(lake, registry, delivery)["counted"]["rows"] == 1
    assert widths == [4 + 400]
