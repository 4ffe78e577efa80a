"""Scores over many deliveries: sums over rules, and every lost point led back to a rule."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from jobs.model.delivery import Delivery, State
from jobs.model.rule_result import CountyRow, RuleRow
from jobs.reporting.periods import period_scores
from jobs.reporting.score import scores, weights
from tests.unit.lake.local_lake import DATASET, LocalLake, delivery, registry, rule_rows, verdict

FAILED = {1: {"uscc_pattern": 100, "legal_rep_id_no_pattern": 10}, 2: {"uscc_pattern": 300}, 3: {}}


@pytest.fixture
def lake(tmp_path: Path) -> LocalLake:
    """Three deliveries of 1,000 rows; the first two in January, the third in February."""
    lake, cat = LocalLake(tmp_path), registry()
    contract = cat.contract(DATASET)
    for seq, failed in FAILED.items():
        at = datetime(2026, 1 + seq // 3, 10 + seq, tzinfo=UTC)
        one = replace(delivery(seq, contract, State.PARTLY_QUARANTINED), received_at=at)
        lake.ledger.entries.append(one)
        said = verdict(one, failed_rows=sum(failed.values()), good_rows=1000 - sum(failed.values()))
        lake.results().write(said, rule_rows(said, cat, failed))
    return lake


def test_counts_are_added_up_over_deliveries(lake: LocalLake):
    (one,) = period_scores(lake, "dataset")  # type: ignore[arg-type]
    assert (one.group, one.deliveries) == (DATASET, 3)
    (worst, *_) = one.losses
    assert worst.rule.rule == "uscc_pattern"
    assert (worst.rule.unexpected_count, worst.rule.element_count) == (400, 3000)


def test_lost_points_and_score_are_a_hundred_together(lake: LocalLake):
    for by in ("department", "dataset", "month"):
        for one in period_scores(lake, by):  # type: ignore[arg-type]
            assert one.scores.total is not None
            assert sum(loss.points for loss in one.losses) + one.scores.total == pytest.approx(100)


def test_a_period_of_one_delivery_has_the_score_of_its_report(lake: LocalLake):
    january, february = period_scores(lake, "month")  # type: ignore[arg-type]
    third = lake.ledger.entries[2].id
    alone = scores(lake.results().rules([("delivery", "=", third)]), weights())
    assert (january.group, february.group) == ("2026-01", "2026-02")
    assert february.scores.total == alone.total == 100
    assert january.deliveries == 2 and january.scores.total is not None and january.scores.total < 100


def test_what_was_replaced_counts_no_more(lake: LocalLake):
    first, *others = lake.ledger.entries
    lake.ledger.entries = [replace(first, superseded_by=others[0].id), *others]
    (one,) = period_scores(lake, "dataset")  # type: ignore[arg-type]
    assert one.deliveries == 2 and one.losses[0].rule.unexpected_count == 300


def test_since_and_until_choose_by_the_time_of_arrival(lake: LocalLake):
    since = datetime(2026, 2, 1, tzinfo=UTC)
    (one,) = period_scores(lake, "dataset", since)  # type: ignore[arg-type]
    assert one.deliveries == 1 and one.scores.total == 100 and one.losses == ()
    assert period_scores(lake, "dataset", until=datetime(2025, 1, 1, tzinfo=UTC)) == []  # type: ignore[arg-type]


def test_results_are_read_once_and_no_data_is(lake: LocalLake):
    lake.delta.opened.clear()
    period_scores(lake, "dimension")  # type: ignore[arg-type]
    assert lake.delta.opened == ["results.rules"]


def test_by_dimension_each_is_its_own_score(lake: LocalLake):
    found = {one.group: one.scores.total for one in period_scores(lake, "dimension")}  # type: ignore[arg-type]
    assert found["完整性"] == 100 and found["规范性"] is not None and found["规范性"] < 100


def test_counties_have_scores_of_their_own_rows(lake: LocalLake):
    first, _, third = lake.ledger.entries
    rules = lake.results().rules([("delivery", "=", first.id)])
    for one, failed in ((first, {"371502": 30, "371503": 0}), (third, {"371502": 10})):
        said = verdict(one, failed_rows=sum(failed.values()))
        kept = [county_row(one, rule, county, bad) for county, bad in failed.items() for rule in rules]
        lake.results().write(said, rules if one is first else [], kept)
    dongchangfu, chiping = period_scores(lake, "county")  # type: ignore[arg-type]
    assert (dongchangfu.group, dongchangfu.deliveries) == ("371502", 2)
    assert (chiping.group, chiping.deliveries, chiping.scores.total) == ("371503", 1, 100)
    assert dongchangfu.scores.total is not None and dongchangfu.scores.total < 100
    (loss,) = dongchangfu.losses
    assert (loss.rule.rule, loss.rule.unexpected_count, loss.rule.element_count) == ("uscc_pattern", 40, 200)
    assert loss.points + dongchangfu.scores.total == pytest.approx(100)


def county_row(one: Delivery, rule: RuleRow, county: str, bad: int) -> CountyRow:
    """A hundred rows of a county, of which `bad` break one rule."""
    mine = bad if rule.rule == "uscc_pattern" else 0
    same = {name: getattr(rule, name) for name in ("rule", "type", "severity", "dimension", "indicator", "dataset")}
    return CountyRow(
        **same,
        delivery=one.id,
        seq=one.seq,
        provider=one.provider,
        county=county,
        success=not mine,
        element_count=100,
        unexpected_count=mine,
        missing_count=0,
    )
