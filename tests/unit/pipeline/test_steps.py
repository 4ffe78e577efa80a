"""The registry of steps agrees with the functions that do the work, and with the assets that there are."""

import ast
import inspect
import subprocess
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from jobs.contracts import Registry, assets
from jobs.errors import ServiceUnavailable
from jobs.lake.lake import Lake
from jobs.lake.zones import Zone
from jobs.pipeline.step import Step, step
from jobs.pipeline.steps import STEPS
from jobs.settings import Settings

ASSETS = {value for name, value in vars(assets).items() if name.isupper() and name != "SCHEME"}
each = pytest.mark.parametrize("declared", STEPS.values(), ids=STEPS)


def work_of(declared: Step[..., Any]) -> Callable[..., Any]:
    """The function of the pipeline's modules that the step ends with."""
    (body,) = ast.parse(inspect.getsource(declared.work)).body
    (imported,) = (node for node in ast.walk(body) if isinstance(node, ast.ImportFrom))
    (call,) = (node.value for node in ast.walk(body) if isinstance(node, ast.Return))
    assert isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute)
    return getattr(import_module(f"{imported.module}.{imported.names[0].name}"), call.func.attr)


@each
def test_step_takes_what_the_function_of_its_name_takes(declared: Step[..., Any]) -> None:
    work = work_of(declared)
    taken, offered = (list(inspect.signature(f).parameters.values()) for f in (work, declared.work))
    assert work.__name__ == declared.name
    assert [p.kind for p in offered] == [p.kind for p in taken[: len(offered)]]
    assert [p.default for p in offered] == [p.default for p in taken[: len(offered)]]
    assert all(p.default is not inspect.Parameter.empty for p in taken[len(offered) :])


@each
def test_step_says_in_one_line_what_it_does_and_which_assets_it_touches(declared: Step[..., Any]) -> None:
    assert declared.description.endswith(".")
    assert {*declared.reads, *declared.writes} <= ASSETS


def test_every_asset_is_a_zone() -> None:
    assert {asset.partition("/")[0] for asset in ASSETS} == set(Zone)


def test_registry_loads_no_engine() -> None:
    engines = ("pyspark", "great_expectations", "deltalake", "pandas")
    program = f"import sys, jobs.pipeline.steps; print([name for name in {engines} if name in sys.modules])"
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    (tmp_path / "schemas").mkdir()
    return Settings(home=tmp_path, schemas=tmp_path / "schemas", expectations=tmp_path, wait_s=30)


@pytest.mark.parametrize(("is_retried", "attempts"), [(True, 2), (False, 1)])
def test_only_a_step_that_says_so_is_retried_while_a_service_is_unavailable(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, is_retried: bool, attempts: int
) -> None:
    monkeypatch.setattr("jobs.lake.session.PAUSE_S", 0)
    seen: list[str] = []

    @step(is_retried=is_retried)
    def flaky(lake: Lake, registry: Registry, name: str) -> str:
        seen.append(name)
        if len(seen) == 1:
            raise ServiceUnavailable("not yet")
        return name

    if is_retried:
        assert flaky(settings, "station") == "station"
    else:
        with pytest.raises(ServiceUnavailable):
            flaky(settings, "station")
    assert len(seen) == attempts
