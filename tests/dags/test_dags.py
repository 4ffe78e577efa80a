"""The DAG files as Airflow parses them, with one dataset more than those that ship."""

from pathlib import Path
from typing import Any

import pytest

from jobs.contracts import Registry, assets, load
from jobs.pipeline import steps
from tests.dags import made_up
from tests.dags.programs import airflow_environ, answer

SPARK_TASKS = {"load_and_conform", "build", "upkeep", "report_and_govern", "read_once"}
OTHERS = {"results_to_departments", "lake_upkeep", "bulletins", "bounded_streams"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("parsed")


@pytest.fixture(scope="module")
def parsed(folder: Path) -> dict[str, Any]:
    """Facts of the DAGs, as a separate process parses them."""
    return answer("tests.dags.parsing", environ=airflow_environ(folder / "airflow") | made_up.write(folder))


@pytest.fixture(scope="module")
def registry(folder: Path, parsed: dict[str, Any]) -> Registry:
    return load(folder / "schemas", folder / "expectations")


def test_no_file_fails_to_import(parsed: dict[str, Any]) -> None:
    assert parsed["errors"] == {}


def test_each_contract_is_one_dag_and_there_are_no_others(parsed: dict[str, Any], registry: Registry) -> None:
    assert set(parsed["dags"]) == {c.id for c in (*registry.sources(), *registry.products())} | OTHERS
    assert {parsed["dags"][c.id]["file"] for c in registry.sources()} == {"source_to_silver.py"}
    assert {parsed["dags"][c.id]["file"] for c in registry.products()} == {"silver_to_gold.py"}


def test_a_new_contract_is_a_dag_without_any_other_edit(parsed: dict[str, Any]) -> None:
    dag = parsed["dags"][made_up.ID]
    assert dag["owner"] == made_up.PROVIDER
    assert "城区路灯及其功率" in dag["doc"] and "路灯数据专员" in dag["doc"]


def test_every_dag_has_an_owner_a_note_on_failure_retries_and_one_run_at_a_time(parsed: dict[str, Any]) -> None:
    for name, dag in parsed["dags"].items():
        assert dag["owner"] not in ("", "airflow"), name
        assert "If it fails:" in dag["doc"], name
        assert dag["max_active_runs"] == 1, name
        assert all(task["retries"] >= 1 for task in dag["tasks"].values()), name


def test_only_tasks_that_use_the_engine_are_in_its_pool(parsed: dict[str, Any]) -> None:
    pools = {task: facts["pool"] for dag in parsed["dags"].values() for task, facts in dag["tasks"].items()}
    assert {task for task, pool in pools.items() if pool == "spark"} == SPARK_TASKS


def test_outlets_of_a_task_are_written_by_its_step(parsed: dict[str, Any], registry: Registry) -> None:
    outlets = {
        (dag, task): facts["outlets"] for dag, all_ in parsed["dags"].items() for task, facts in all_["tasks"].items()
    }
    for contract in registry.sources():
        declared = [assets.uri(asset, contract.id).rstrip("/") for asset in steps.load_and_conform.writes]
        emitted = [uri.rstrip("/") for uri in outlets[contract.id, "load_and_conform"]]
        assert len(emitted) == 2 and set(emitted) <= set(declared)
    for contract in registry.products():
        declared = [assets.uri(asset, contract.id) for asset in steps.build.writes]
        assert set(outlets[contract.id, "build"]) <= set(declared) and outlets[contract.id, "build"]


def test_a_delivery_is_one_task_and_its_results_are_one_more(parsed: dict[str, Any], registry: Registry) -> None:
    assert all(list(parsed["dags"][c.id]["tasks"]) == ["load_and_conform"] for c in registry.sources())
    assert list(parsed["dags"]["results_to_departments"]["tasks"]) == ["report_and_govern"]


def test_reports_come_before_deliveries_and_deliveries_before_products(parsed: dict[str, Any]) -> None:
    weights = {task: facts["weight"] for dag in parsed["dags"].values() for task, facts in dag["tasks"].items()}
    assert weights["report_and_govern"] > weights["load_and_conform"] > weights["build"]


def test_every_asset_that_starts_a_dag_is_watched_and_has_the_same_watcher_wherever_it_is_named(
    parsed: dict[str, Any], registry: Registry
) -> None:
    scheduled = {uri for dag in parsed["dags"].values() for uri in dag["watched"]["schedule"]}
    sources, inputs = registry.sources(), {name for c in registry.products() for name in c.product.inputs}
    uris = [assets.uri(assets.LANDING, c.id) for c in sources] + [assets.uri(assets.SILVER, name) for name in inputs]
    assert scheduled == {*uris, f"{assets.uri(assets.RESULTS)}/"}
    for dag in parsed["dags"].values():
        for place in dag["watched"].values():
            assert place == {uri: [["lake_watch.LakeWatch", uri.split("://")[1].rstrip("/")]] for uri in place}


def test_the_process_of_a_task_makes_its_own_dag_alone(folder: Path, parsed: dict[str, Any]) -> None:
    context = {"_AIRFLOW_PARSING_CONTEXT_DAG_ID": made_up.ID}
    environ = airflow_environ(folder / "airflow") | made_up.environ(folder) | context
    alone = answer("tests.dags.parsing", environ=environ)
    assert set(alone["dags"]) == {made_up.ID} | OTHERS


def test_parsing_loads_no_heavy_library(parsed: dict[str, Any]) -> None:
    assert parsed["heavy"] == []
