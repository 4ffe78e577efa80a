"""A bulletin of a made-up January, each number against one calculated by hand."""

from collections import Counter
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from jobs.collaboration import snapshots
from jobs.lake.results import VERDICTS, Results
from jobs.lake.system_tables import system_table
from jobs.lake.zones import Zone
from jobs.model.delivery import State
from tests.unit.lake.local_lake import DATASET, NOW, LocalLake, delivery, verdict
from tests.unit.reporting.bulletin.january import (
    AIR,
    ECOLOGY,
    HEAT,
    MARKET,
    figures_of,
    issue,
    january,
    mended,
    numbered_id,
    tell,
    tickets_of,
    written,
)


@pytest.fixture(scope="module")
def bulletin(tmp_path_factory: pytest.TempPathFactory, made_sqlite: Path) -> tuple[dict[str, Any], dict[str, str]]:
    """The document, and the tickets by name."""
    lake, cat = january(tmp_path_factory.mktemp("january"), made_sqlite)
    ids = tell(lake)
    return written(lake, cat), ids


def values(bulletin: tuple[dict[str, Any], dict[str, str]], provider: str = "") -> dict[str, tuple[Any, Any]]:
    return {name: (one["value"], one["before"]) for name, one in figures_of(bulletin[0], provider).items()}


def test_replaced_deliveries_are_not_counted(bulletin: Any) -> None:
    found, market = values(bulletin), values(bulletin, MARKET)
    assert found["deliveries"] == (4, 1) and market["deliveries"] == (3, 1)
    assert figures_of(bulletin[0], MARKET)["deliveries"]["whole"] == [numbered_id(2), numbered_id(5), numbered_id(6)]
    assert found["rows"] == (4000, 1000) and found["failed_rows"] == (260, 100)
    assert found["good_share"] == (3740 / 4000, 900 / 1000) and found["failed_per_10k"] == (650, 1000)
    assert market["good_share"] == (2940 / 3000, 0.9)


def test_deliveries_were_due_a_week_and_a_day_after_the_previous_one(bulletin: Any) -> None:
    punctual = figures_of(bulletin[0], MARKET)["punctual"]
    due = [f"{DATASET}@2026-01-{day}T01:00:00Z" for day in ("06", "13", "20", "30")]
    assert (punctual["part"], punctual["whole"], punctual["value"]) == (due[:2], due, 0.5)
    assert values(bulletin, ECOLOGY)["punctual"] == (None, None)  # nothing is agreed, so nothing was due


def test_scores_exclude_rules_of_upheld_disputes(bulletin: Any) -> None:
    document, ids = bulletin
    rule = {"delivery": numbered_id(2), "rule": "uscc_pattern", "ticket": ids["disputed"]}
    assert document["exempt"] == [rule]
    pattern = 1 - 10 / 2000  # of 3,000 rows those of the delivery under dispute do not count, of the rest 10 failed
    conformity = 100 * (1 + (pattern + 4) / 5) / 2
    assert values(bulletin, MARKET)["score.规范性"][0] == pytest.approx(conformity)
    assert values(bulletin, MARKET)["score"][0] == pytest.approx((conformity + 100 + 100) / 3)
    assert values(bulletin, ECOLOGY)["score"][0] == pytest.approx((100 + 80) / 2)
    assert values(bulletin)["score"][0] == pytest.approx((100 * (1 + (pattern + 6) / 7) / 2 + 100 + 95) / 3)
    assert values(bulletin)["score.一致性"] == (None, None)


def test_stock_reconciles_for_all_and_for_each_department(bulletin: Any) -> None:
    document, ids = bulletin
    for name in ("", MARKET, ECOLOGY, HEAT):
        found = values(bulletin, name)
        for side in (0, 1):
            opening, new, closed, closing = (found[key][side] for key in ("opening", "new", "closed", "closing"))
            assert opening + new - closed == closing, name
    stock = {key: figures_of(document)[key]["whole"] for key in ("opening", "new", "closed", "closing")}
    assert stock["opening"] == [ids["old"]]
    assert sorted(stock["new"]) == [ids["back"], ids["mended"], ids["disputed"], ids["air"]]
    assert sorted(stock["closed"]) == [ids["mended"], ids["disputed"]]
    assert sorted(stock["closing"]) == [ids["old"], ids["back"], ids["air"]]


def test_loop_metrics_lead_to_their_tickets(bulletin: Any) -> None:
    document, ids = bulletin
    found = figures_of(document)
    due = sorted((ids["old"], ids["mended"], ids["air"]))
    assert (found["mended_in_time"]["part"], sorted(found["mended_in_time"]["whole"])) == ([ids["mended"]], due)
    assert found["mended"]["value"] == found["mended_in_time"]["value"] == 1 / 3
    assert (found["first_pass"]["value"], found["false_alarms"]["part"]) == (1, [ids["disputed"]])
    assert (found["corrections_in_time"]["value"], found["corrections_in_time"]["whole"]) == (0, [ids["asked"]])
    assert (found["mean_days"]["value"], found["mean_days"]["before"]) == (7, 2)
    assert sorted(found["overdue"]["whole"]) == [ids["old"], ids["air"]] and found["again"]["whole"] == [ids["back"]]
    named = {
        one
        for figure in document["figures"]
        if figure["source"].startswith("table ticket_event")
        for one in figure["whole"]
    }
    assert named <= {one["id"] for one in document["tickets"]}


def test_a_figure_without_ids_names_one_that_has_them(bulletin: Any) -> None:
    for figure in bulletin[0]["figures"]:
        assert not figure["like"] or figures_of(bulletin[0])[figure["like"]]["whole"]
        assert figure["source"]


def test_ratio_with_zero_denominator_is_none(bulletin: Any) -> None:
    heat = values(bulletin, HEAT)
    assert heat["deliveries"] == (0, 0) and heat["closing"] == (0, 0)
    for name in ("good_share", "punctual", "score", "mended", "mended_in_time", "first_pass", "mean_days"):
        assert heat[name] == (None, None)
    (place,) = (d for d in bulletin[0]["departments"] if d["provider"] == HEAT)
    assert (place["place"], place["index"], place["note"]) == (None, None, "本期未报送")


def test_departments_are_ranked_with_their_change(bulletin: Any) -> None:
    places = {d["provider"]: (d["place"], d["place_before"], d["change"]) for d in bulletin[0]["departments"]}
    assert places[MARKET] == (1, 1, 0) and places[ECOLOGY] == (2, None, None)
    (market,) = (d for d in bulletin[0]["departments"] if d["provider"] == MARKET)
    score = values(bulletin, MARKET)["score"][0]
    assert market["index"] == pytest.approx((60 * score + 20 * 50 + 20 * 50) / 100)


def test_demands_name_department_and_due_day(bulletin: Any) -> None:
    document, ids = bulletin
    asked = {tuple(one["tickets"]): one["who"] for one in document["demands"]}
    assert asked[ids["old"],] == "聊城市市场监督管理局" and asked[ids["air"],] == "聊城市生态环境局"
    assert any(one["tickets"] == [ids["back"]] and "重复发生" in one["what"] for one in document["demands"])


def with_a_past(root: Path, made_sqlite: Path, count: int) -> tuple[LocalLake, Any]:
    """January after a long past of evaluated deliveries and corrected tickets, 20 times fewer."""
    lake, cat = january(root, made_sqlite)
    early = [
        delivery(1000 + n, cat.contract(AIR), State.ACCEPTED, received_at=NOW.replace(year=2024)) for n in range(count)
    ]
    lake.ledger.entries[:0] = early
    rows = [{**asdict(verdict(one)), "repairs": "[]"} for one in early]
    lake.delta.put(lake.path(Zone.RESULTS, VERDICTS), pa.Table.from_pylist(rows, schema=system_table(VERDICTS).schema))
    tickets = tickets_of(lake)
    for number in range(count // 20):
        mended(tickets, issue(tickets, 3, f"past_{number}", "2025-03-03"), "2025-03-05")
    tickets.database.close()
    tell(lake)
    return lake, cat


def counted(monkeypatch: pytest.MonkeyPatch, place: Any, name: str, size: Callable[[Any], int]) -> list[int]:
    """Sizes of what a function gives back from now on."""
    first, sizes = getattr(place, name), []

    def counting(*arguments: Any, **named: Any) -> Any:
        found = first(*arguments, **named)
        sizes.append(size(found))
        return found

    monkeypatch.setattr(place, name, counting)
    return sizes


@pytest.mark.parametrize("count", [1, 100, 1000])
def test_the_past_is_not_read(tmp_path: Path, made_sqlite: Path, monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    lake, cat = with_a_past(tmp_path, made_sqlite, count)
    verdicts = counted(monkeypatch, Results, "verdicts", len)
    counts = counted(monkeypatch, Results, "counts", len)
    events = counted(monkeypatch, snapshots, "event_of", lambda _: 1)
    lake.delta.opened.clear()
    document = written(lake, cat)
    opened = Counter(lake.delta.opened)
    assert opened["results.verdicts"] == opened["results.rules"] == 2  # which version is newest, and its rows
    assert {name for name in opened if name.startswith("results.")} == {"results.verdicts", "results.rules"}
    assert sum(number for name, number in opened.items() if name.startswith("evidence.")) == 4  # samples of three cases
    assert (verdicts, counts, len(events)) == ([6], [54], 16)
    assert figures_of(document)["deliveries"]["value"] == 4
