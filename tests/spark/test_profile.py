"""A profile says what is there, shows no person, and proposes rules that load and hold on what was seen."""

import random
import subprocess
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from jobs.contracts import Registry, load
from jobs.errors import UserError
from jobs.ingest.land import Manifest, deliver
from jobs.lake.lake import Lake
from jobs.lake.zones import Zone
from jobs.pipeline.conform import conform
from jobs.pipeline.ingestion import land
from jobs.pipeline.ingestion import load as load_rows
from jobs.pipeline.profile import profile
from jobs.quality.profile import profile as profiled
from jobs.settings import Settings
from tests.contract_texts import contract
from tests.spark.status import jobs_since, mark

FIELDS = """
      - {name: meter, businessName: 表号, logicalType: string, required: true, primaryKey: true}
      - {name: kind, businessName: 类别, logicalType: string}
      - {name: person, businessName: 户主, logicalType: string, classification: L3}
      - {name: usage, businessName: 用量, logicalType: number}
      - {name: note, businessName: 备注, logicalType: string}
"""
ROWS = 400
KINDS = ("居民", "商业", "工业")


@pytest.fixture
def registry(write_contracts: Callable[..., Registry]) -> Registry:
    return write_contracts({"schemas/sources/heat/meter.yaml": contract("meter", FIELDS)})


@pytest.fixture
def filled(lake: Lake, registry: Registry, tmp_path: Path) -> Lake:
    lines = [f"M{n:04d},{KINDS[n % 3]},王{n % 2},{n / 10},{'' if n % 4 else '复查'}" for n in range(ROWS)]
    send(lake, registry, tmp_path / "a.csv", lines)
    return lake


def send(lake: Lake, registry: Registry, file: Path, lines: list[str]) -> int:
    """Rows that bear a warning."""
    file.write_text("表号,类别,户主,用量,备注\n" + "".join(f"{line}\n" for line in lines), "utf-8")
    deliver(lake.store, [file], "meter", "heat", Manifest())
    (landed,) = land(lake, registry)
    load_rows(lake, registry, landed.delivery.id)
    return conform(lake, registry, landed.delivery.id).warned_rows


def test_numbers_are_those_of_the_rows_in_two_queries(filled: Lake, registry: Registry, settings: Settings):
    rows = filled.tables.read(filled.path(Zone.SILVER, "meter"))
    rows.limit(1).collect()  # Delta reads the log with the first query
    before = mark(settings, filled.spark)
    found = {one.field.name: one for one in profiled(rows, registry.contract("meter"))}
    assert jobs_since(settings, before) == 2, "two queries"
    assert {name: (p.rows, p.filled) for name, p in found.items()} == {
        **dict.fromkeys(("meter", "kind", "person", "usage"), (ROWS, ROWS)),
        "note": (ROWS, ROWS // 4),
    }
    assert (found["usage"].low, found["usage"].high, found["usage"].quantiles[2]) == ("0.0", "39.9", 19.9)
    assert dict(found["kind"].top) == {"居民": 134, "商业": 133, "工业": 133}
    assert (found["meter"].low, found["meter"].high, found["meter"].top) == ("5", "5", ())
    assert found["person"].top == (), "persons are not looked at one by one"


def test_proposed_rules_load_and_hold(filled: Lake, registry: Registry, tmp_path: Path):
    home = tmp_path / "contracts"
    filled.settings = filled.settings.model_copy(
        update={"schemas": home / "schemas", "expectations": home / "expectations"}
    )
    done = profile(filled, registry, "meter")
    page = filled.store.get_bytes(done.page).decode()
    assert "王1" not in page and "居民 33.50%" in page and "kind_usual_values" in page
    (tmp_path / "proposed.diff").write_text(done.diff, "utf-8")
    subprocess.run(["git", "apply", "../proposed.diff"], cwd=home, check=True, capture_output=True)
    more = load(home / "schemas", home / "expectations")
    new = {rule.id for rule in more.rules["meter"]} - {rule.id for rule in registry.rules["meter"]}
    assert new == {
        "kind_usually_given",
        "kind_usual_values",
        "person_usually_given",
        "usage_usually_given",
        "usage_usual_range",
    }
    fitting = [f"N{n:04d},{KINDS[n % 3]},李,{n / 10},无" for n in range(50)]
    assert send(filled, more, tmp_path / "b.csv", fitting) == 0
    assert (
        send(filled, more, tmp_path / "c.csv", [*fitting[:10], "X1,农业,李,1,", "X2,居民,李,99,", "X3,居民,,1,"]) == 3
    )
    added = [line for line in profile(filled, more, "meter").diff.splitlines() if line.startswith("+  - id:")]
    assert not [line for line in added if line.removeprefix("+  - id: ") in new], "what is a rule is not proposed again"


def test_a_table_that_is_not_there_is_said(lake: Lake, registry: Registry):
    with pytest.raises(UserError, match=r"no table silver\.meter yet"):
        profile(lake, registry, "meter")


READINGS = """
      - {name: site, businessName: 站点, logicalType: string, required: true, primaryKey: true, primaryKeyPosition: 1}
      - {name: at, businessName: 采集时间, logicalType: timestamp, required: true, primaryKey: true, primaryKeyPosition: 2}
      - {name: level, businessName: 液位, logicalType: number}
"""
FAULT = 61
"""Minute of a spike in the history itself."""


def test_limits_of_series_rules_come_from_history_and_find_the_fault_in_it(
    lake: Lake, write_contracts: Callable[..., Registry], tmp_path: Path
):
    schema = contract("readings", READINGS)
    registry = write_contracts({"schemas/sources/heat/readings.yaml": schema})
    start, rng = datetime(2026, 1, 12), random.Random(3)
    lines = ["站点,采集时间,液位"]
    for site in ("甲", "乙"):
        level = 50.0
        for minute in range(300):
            level += rng.choice((-0.5, 0.0, 0.5))
            sent = level + (400 if minute == FAULT else 0)
            lines.append(f"{site},{start + timedelta(minutes=minute):%Y-%m-%d %H:%M:%S},{sent:.1f}")
    file = tmp_path / "a.csv"
    file.write_text("\n".join(lines) + "\n", "utf-8")
    deliver(lake.store, [file], "readings", "heat", Manifest())
    (landed,) = land(lake, registry)
    conform(lake, registry, landed.delivery.id)
    root = registry.contract("readings").file.parents[3]
    folders = {"schemas": root / "schemas", "expectations": root / "expectations"}
    lake.settings = lake.settings.model_copy(update=folders)
    assert "not_spike" not in profile(lake, registry, "readings").diff
    diff = profile(lake, registry, "readings", with_series=True).diff
    added = [line[1:] for line in diff.splitlines() if line.startswith("+") and not line.startswith("+++")]
    suite = "\n".join(added) + "\n"
    texts = {"schemas/sources/heat/readings.yaml": schema, "expectations/sources/heat/readings.yaml": suite}
    proposed = write_contracts(texts)
    rules = {rule.id: dict(rule.kwargs) for rule in proposed.rules["readings"] if rule.origin == "suite"}
    assert rules["at_usual_interval"]["interval_s"] == 60 and rules["level_usual_presence"]["longest_s"] == 720
    assert rules["level_usual_step"]["limit"] == 2.5, "five times the large steps, not the fault"
    verdict = conform(lake, proposed, landed.delivery.id)
    assert verdict.warned_rows == 2, "the two faults of the history, and nothing else"
