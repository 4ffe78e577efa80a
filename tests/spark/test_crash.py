"""A process killed in the middle of each step; the step again; the same tables as if nothing had happened."""

import signal
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from jobs.contracts import Registry
from jobs.ingest.land import Manifest, deliver
from jobs.lake.lake import Lake
from jobs.lake.results import Results
from jobs.lake.zones import Zone
from jobs.model.delivery import Delivery, State
from jobs.pipeline import steps, watch
from jobs.settings import Settings
from tests.contract_texts import STATION_FIELDS, STATION_SUITE, contract
from tests.dags.programs import lake_environ, started

HEADER = "站点,时间,温度,回温\n"
FIRST = HEADER + "甲,2026-01-12 08:00:00,20,40\n乙,2026-01-12 08:00:00,50,30\n丙,2026-01-12 08:00:00,999,1\n"
SECOND = (
    HEADER
    + "甲,2026-01-12 08:00:00,21,41\n丁,2026-01-12 08:00:00,55,30\n丁,2026-01-12 08:00:00,55,30\n,2026-01-12 08:00:00,1,1\n"
)
VOLATILE = ("judged_at", "silver_version")
Run = Callable[..., Any]


@pytest.fixture
def settings_here(lake: Lake, write_contracts: Callable[..., Registry], tmp_path: Path) -> Settings:
    write_contracts(
        {
            "schemas/sources/heat/station.yaml": contract("station", STATION_FIELDS),
            "expectations/sources/heat/station.yaml": STATION_SUITE,
        }
    )
    folder = tmp_path / "contracts"
    return lake.settings.model_copy(
        update={"schemas": folder / "schemas", "expectations": folder / "expectations", "home": tmp_path / "home"}
    )


@pytest.fixture
def twin(lake: Lake, settings_here: Settings, tmp_path: Path) -> Iterator[Lake]:
    """Another empty lake with the same contracts, where nothing ever goes wrong."""
    bucket = f"{lake.settings.s3_bucket[:36]}-2"
    url = f"sqlite:///{tmp_path / 'twin.db'}"
    other = Lake(settings_here.model_copy(update={"s3_bucket": bucket, "database_url": url, "home": tmp_path / "twin"}))
    other.store.create()
    other.__dict__["spark"] = lake.spark
    yield other
    other.__dict__.pop("spark")
    other.close()


def put(lake: Lake, folder: Path, text: str, name: str) -> None:
    file = folder / name
    file.write_text(text, "utf-8")
    deliver(lake.store, [file], "station", "heat", Manifest())


def step_by_step(lake: Lake, settings: Settings, *names: str) -> Delivery:
    """What waits in the landing zone, taken through the steps of these names."""
    steps.land(settings)
    (delivery,) = steps.pending(settings, "station")
    for name in names:
        steps.STEPS[name](settings, delivery)
    return lake.ledger.get(delivery)


def killed(settings: Settings, point: str, step: str, *arguments: str) -> None:
    """The step, in a process that does not survive the point."""
    done = started("tests.spark.crashing", point, step, *arguments, environ=lake_environ(settings))
    assert done.returncode == -signal.SIGKILL, (point, done.stderr[-3000:])


def first_way(lake: Lake, settings: Settings) -> None:
    """The dataset's first delivery: killed when its rows stand in silver and nowhere else."""
    delivery = step_by_step(lake, settings, "load")
    killed(settings, "silver", "conform", delivery.id)
    steps.conform(settings, delivery.id)


def second_way(lake: Lake, settings: Settings) -> Delivery:
    """Each step is killed before it is done."""
    killed(settings, "copied", "land")
    assert lake.ledger.deliveries(states=(State.LANDED,)) == ()
    delivery = step_by_step(lake, settings).id
    killed(settings, "writing", "load", delivery)
    killed(settings, "written", "load", delivery)
    assert lake.ledger.get(delivery).state == State.LANDED
    steps.load(settings, delivery)
    killed(settings, "staged", "conform", delivery)
    killed(settings, "published", "conform", delivery)
    assert lake.ledger.get(delivery).state == State.LOADED
    steps.conform(settings, delivery)
    killed(settings, "half_told", "report", delivery)
    steps.report(settings, delivery)
    return lake.ledger.get(delivery)


def content(lake: Lake) -> dict[str, list[str]]:
    """The rows of every table of the dataset, without what depends on the moment."""
    found = {}
    for zone in (Zone.BRONZE, Zone.SILVER, Zone.QUARANTINE, Zone.EVIDENCE):
        rows = lake.tables.read(lake.path(zone, "station")).collect()
        found[str(zone)] = sorted(str(sorted(row.asDict().items())) for row in rows)
    results = Results(lake.delta, lake.settings.s3_bucket)
    for name, kept in (("verdicts", results.verdicts()), ("rules", results.rules())):
        found[name] = [str({k: v for k, v in asdict(one).items() if k not in VOLATILE}) for one in kept]
    found["reports"] = sorted(one.key for one in lake.store.list(f"{Zone.REPORTS}/"))
    found["received"] = sorted(one.key for one in lake.store.list(f"{Zone.RECEIVED}/"))
    return found


def test_a_kill_in_any_step_loses_and_doubles_nothing(
    lake: Lake, twin: Lake, settings_here: Settings, tmp_path: Path
) -> None:
    put(lake, tmp_path, FIRST, "a.csv")
    first_way(lake, settings_here)
    put(twin, tmp_path, FIRST, "a.csv")
    step_by_step(twin, twin.settings, "load", "conform")
    for one in (lake, twin):
        put(one, tmp_path, SECOND, "b.csv")
    calm = step_by_step(twin, twin.settings, "load", "conform", "report")
    rocky = second_way(lake, settings_here)
    assert (rocky.id, rocky.state, rocky.counted_rows) == (calm.id, State.PARTLY_QUARANTINED, 4)
    assert content(lake) == content(twin)
    rows = lake.tables.read(lake.path(Zone.SILVER, "station")).orderBy("station").collect()
    assert [(row.station, row.temp_c) for row in rows] == [("丁", 55), ("乙", 50), ("甲", 21)]


def test_a_delivery_whose_recorder_died_before_saying_so_is_found_by_the_next_watch(
    lake: Lake, settings_here: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(lake, tmp_path, FIRST, "a.csv")
    (landed,) = steps.land(settings_here)
    monkeypatch.setattr(watch, "STALLED_S", 0.0)
    assert steps.watch(settings_here) == [("landing/station", landed.delivery.id)]
    steps.load(settings_here, landed.delivery.id)
    assert steps.watch(settings_here) == [("landing/station", landed.delivery.id)], "loaded, but not evaluated"
    steps.conform(settings_here, landed.delivery.id)
    assert steps.watch(settings_here) == []


def test_a_judged_delivery_whose_event_was_lost_is_told_again_until_its_tickets_are_looked_at(
    lake: Lake, settings_here: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(lake, tmp_path, FIRST, "a.csv")
    one = step_by_step(lake, settings_here, "load", "conform")
    assert one.state is State.PARTLY_QUARANTINED
    assert steps.watch(settings_here) == [], "it may still be on its way"
    monkeypatch.setattr(watch, "LOST_S", 0.0)
    assert steps.watch(settings_here) == [("silver/station", one.id), ("results", one.id)]
    assert steps.reports(settings_here) == [one.id], "what nobody asked for is reported too"
    steps.governed(settings_here, one.id)
    assert steps.watch(settings_here) == []


def test_a_build_killed_before_it_is_recorded_is_made_again(lake: Lake, tmp_path: Path) -> None:
    from tests.dags.test_dag_runs import PRODUCT, fill

    fill(lake, tmp_path)
    killed(lake.settings, "built", "build", PRODUCT)
    assert lake.ledger.build(PRODUCT) is None
    done = steps.build(lake.settings, PRODUCT)
    assert lake.ledger.build(PRODUCT) == done and done.rows == 1
    assert lake.tables.read(lake.path(Zone.GOLD, PRODUCT)).count() == 1
    assert len(Results(lake.delta, lake.settings.s3_bucket).verdicts()) == 1
    assert steps.build(lake.settings, PRODUCT) is None
