"""Numbers that anyone can recompute, and corrections that are proven on the keys that failed."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from jobs.contracts import Registry, Rule
from jobs.errors import UserError
from jobs.ingest.land import Manifest, deliver
from jobs.lake.lake import Lake
from jobs.pipeline.conform import conform
from jobs.pipeline.ingestion import land, load
from jobs.pipeline.recheck import Recheck
from jobs.pipeline.recheck_delivery import recheck
from jobs.pipeline.verification import verify
from jobs.reporting import write_report
from tests.contract_texts import STATION_FIELDS, STATION_SUITE, contract

READING_FIELDS = """
      - {name: reading, logicalType: string, required: true, primaryKey: true}
      - {name: station, logicalType: string, required: true, relationships: [{type: foreignKey, to: known.station}]}
"""
KNOWN_FIELDS = """
      - {name: station, logicalType: string, required: true, primaryKey: true}
"""


@pytest.fixture
def registry(write_contracts: Callable[..., Registry]) -> Registry:
    return write_contracts(
        {
            "schemas/sources/heat/station.yaml": contract("station", STATION_FIELDS),
            "expectations/sources/heat/station.yaml": STATION_SUITE,
        }
    )


def push(lake: Lake, registry: Registry, file: Path, text: str, dataset: str = "station", **manifest: Any) -> str:
    """A csv taken the whole way with its report; the delivery's id."""
    file.write_text(text, "utf-8")
    deliver(lake.store, [file], dataset, "heat", Manifest(**manifest))
    (landed,) = land(lake, registry)
    load(lake, registry, landed.delivery.id)
    conform(lake, registry, landed.delivery.id)
    write_report(lake, registry, landed.delivery.id, datetime.now(UTC))
    return landed.delivery.id


def rows(*lines: str) -> str:
    return "站点,时间,温度,回温\n" + "".join(f"{line}\n" for line in lines)


def sets(found: list[Recheck]) -> dict[str, tuple[int, int, int, int, int]]:
    proofs = {one.request.rule: one.proof for one in found}
    return {rule: (p.mended, p.remaining, p.absent, p.newly_broken, p.keyless) for rule, p in proofs.items()}


FIRST = rows(
    "甲,2026-01-01 08:00:00,999,40",
    "乙,2026-01-01 08:00:00,-5,40",
    "丙,2026-01-01 08:00:00,998,40",
    "丁,2026-01-01 08:00:00,60,40",
    ",2026-01-01 08:00:00,60,40",
)


def test_every_number_of_a_report_is_found_again_after_later_deliveries(lake: Lake, registry: Registry, tmp_path):
    first = push(lake, registry, tmp_path / "a.csv", FIRST)
    push(lake, registry, tmp_path / "b.csv", rows("甲,2026-01-01 08:00:00,61,40", "戊,2026-01-01 09:00:00,999,40"))
    found = verify(lake, registry, first)
    assert found.differing() == [] and found.unjudged == ""
    sources = {check.number: set() for check in found.checks}
    for check in found.checks:
        sources[check.number].add(check.source.split(" version")[0])
    assert sources["figures.failed_rows"] == {"results.verdicts", "bronze, evaluated again"}
    assert sources["rules.temp_c_range.evidence"] == {"evidence.station"}
    assert sources["scores.total"] == {"results.rules", "bronze, evaluated again"}


def numbers(document: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Places of the numbers that a report claims: not its versions, weights and words."""
    if isinstance(document, dict):
        skipped = ("sources", "weights", "weight", "table_version", "first_rows", "findings", "tested")
        return [p for k, v in document.items() if k not in skipped for p in numbers(v, (*path, k))]
    if isinstance(document, list):
        return [p for i, v in enumerate(document) for p in numbers(v, (*path, i))]
    is_rules_count = len(path) > 1 and path[-1] == "rules"
    is_number = isinstance(document, int | float) and not isinstance(document, bool) and not is_rules_count
    return [path] if is_number else []


def test_any_number_changed_by_hand_is_named(lake: Lake, registry: Registry, tmp_path: Path):
    first = push(lake, registry, tmp_path / "a.csv", FIRST)
    (kept,) = (lake.settings.home / "reports").rglob(f"{first}.json")
    document = json.loads(kept.read_text("utf-8"))
    claimed = numbers(document)
    assert len(claimed) > 40
    for place in claimed:
        *way, last = place
        spot = document
        for step in way:
            spot = spot[step]
        spot[last] += 1
    forged = tmp_path / "forged.json"
    forged.write_text(json.dumps(document), "utf-8")
    found = verify(lake, registry, str(forged))
    changed = {check.number for check in found.differing()}
    honest = verify(lake, registry, first)
    claims = {
        c.number for c in honest.checks if isinstance(c.reported, int | float) and not isinstance(c.reported, bool)
    }
    assert claims - changed == set()
    assert {"figures.rows", "rules.temp_c_range.pass_rate", "scores.准确性", "scores.total"} <= changed


def test_a_reference_is_judged_again_as_the_other_table_was(lake: Lake, write_contracts, tmp_path: Path):
    both = write_contracts(
        {
            "schemas/sources/heat/known.yaml": contract("known", KNOWN_FIELDS),
            "schemas/sources/heat/reading.yaml": contract("reading", READING_FIELDS),
        }
    )
    push(lake, both, tmp_path / "k.csv", "station\n甲\n", "known")
    first = push(lake, both, tmp_path / "r.csv", "reading,station\n1,甲\n2,乙\n", "reading")
    push(lake, both, tmp_path / "l.csv", "station\n乙\n", "known")
    found = verify(lake, both, first)
    assert found.differing() == [] and found.unjudged == ""
    assert any(c.number == "rules.station_reference.unexpected_count" and c.recomputed == 1 for c in found.checks)


def test_changed_rules_are_said_and_only_the_tables_are_compared(lake: Lake, registry: Registry, tmp_path: Path):
    first = push(lake, registry, tmp_path / "a.csv", FIRST)
    changed = {**registry.rules, "station": tuple(r for r in registry.rules["station"] if r.id != "temp_operating")}
    found = verify(lake, replace(registry, rules=changed), first)
    assert found.unjudged.startswith("the rules have changed") and found.differing() == []
    assert {c.source.split(" ")[0] for c in found.checks} >= {"results.verdicts", "results.rules", "ledger.deliveries"}


def test_a_file_that_is_no_report_is_refused_with_the_remedy(lake: Lake, registry: Registry, tmp_path: Path):
    (tmp_path / "a.json").write_text('{"format": "other"}', "utf-8")
    with pytest.raises(UserError, match="not a delivery report"):
        verify(lake, registry, str(tmp_path / "a.json"))
    with pytest.raises(UserError, match="JSON file next to its page"):
        verify(lake, registry, str(tmp_path / "b.html"))


def test_keys_are_sorted_by_what_became_of_them(lake: Lake, registry: Registry, tmp_path: Path):
    first = push(lake, registry, tmp_path / "a.csv", FIRST)
    text = rows(
        "甲,2026-01-01 08:00:00,61,40",  # mended
        "乙,2026-01-01 08:00:00,-6,40",  # still outside; and below its return, as before
        "丁,2026-01-01 08:00:00,999,40",  # was right: not among the keys that failed
        "甲,2026-01-01 09:00:00,999,40",
    )
    second = push(lake, registry, tmp_path / "b.csv", text, supersedes=first)
    before = lake.ledger.get(second)
    found = sets(recheck(lake, registry, first))
    assert found["temp_c_range"] == (1, 1, 1, 0, 0), "甲 mended, 乙 remains, 丙 did not come"
    assert found["supply_above_return"] == (0, 1, 0, 0, 0)
    assert found["station_required"] == (0, 0, 0, 0, 1), "its key had no station, so that row cannot be followed"
    assert lake.ledger.get(second) == before


def test_a_mended_key_that_breaks_another_rule_is_new_damage(lake: Lake, registry: Registry, tmp_path: Path):
    first = push(
        lake, registry, tmp_path / "a.csv", rows("甲,2026-01-01 08:00:00,999,40", "乙,2026-01-01 08:00:00,60,40")
    )
    text = rows("甲,2026-01-01 08:00:00,60,70", "乙,2026-01-01 08:00:00,60,90")
    second = push(lake, registry, tmp_path / "b.csv", text)
    found = sets(recheck(lake, registry, first, second))
    assert found == {"temp_c_range": (1, 0, 0, 1, 0)}, "甲 is mended and damaged; 乙 did not fail before: not followed"


def test_doubled_keys_are_looked_for_in_the_whole_redelivery(lake: Lake, registry: Registry, tmp_path: Path):
    first = push(
        lake, registry, tmp_path / "a.csv", rows("甲,2026-01-01 08:00:00,60,40", "甲,2026-01-01 08:00:00,61,40")
    )
    again = rows("甲,2026-01-01 08:00:00,60,40", "乙,2026-01-01 08:00:00,60,40", "甲,2026-01-01 08:00:00,62,40")
    second = push(lake, registry, tmp_path / "b.csv", again)
    assert sets(recheck(lake, registry, first, second))["primary_key"] == (0, 1, 0, 0, 0)
    third = push(
        lake, registry, tmp_path / "c.csv", rows("甲,2026-01-01 08:00:00,60,40", "乙,2026-01-01 08:00:00,60,41")
    )
    (one,) = [p for p in recheck(lake, registry, first, third) if p.request.rule == "primary_key"]
    assert sets([one])["primary_key"] == (1, 0, 0, 0, 0) and one.proof.unproven() == 0


def test_a_rule_that_no_longer_runs_proves_nothing(lake: Lake, registry: Registry, tmp_path: Path):
    first = push(
        lake, registry, tmp_path / "a.csv", rows("甲,2026-01-01 08:00:00,999,40", "乙,2026-01-01 08:00:00,60,40")
    )
    second = push(lake, registry, tmp_path / "b.csv", rows("甲,2026-01-01 08:00:00,60,40"))
    fewer: tuple[Rule, ...] = tuple(r for r in registry.rules["station"] if r.id != "temp_c_range")
    (one,) = [
        p
        for p in recheck(lake, replace(registry, rules={**registry.rules, "station": fewer}), first, second)
        if p.request.rule == "temp_c_range"
    ]
    assert one.proof.remaining == 1 and one.proof.unproven()


def test_what_cannot_be_rechecked_is_said(lake: Lake, registry: Registry, tmp_path: Path):
    first = push(
        lake, registry, tmp_path / "a.csv", rows("甲,2026-01-01 08:00:00,999,40", "乙,2026-01-01 08:00:00,6,4")
    )
    with pytest.raises(UserError, match="--against"):
        recheck(lake, registry, first)
