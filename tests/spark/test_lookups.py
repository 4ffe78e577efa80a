"""Rules that look at a row of another dataset: its parameters, which side is right, and the verdict as it was then."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from jobs.contracts import Registry
from jobs.ingest.land import Manifest, deliver
from jobs.lake.lake import Lake
from jobs.lake.results import Results
from jobs.lake.zones import Zone
from jobs.pipeline.conform import conform
from jobs.pipeline.ingestion import land, load
from jobs.pipeline.verification import verify
from jobs.reporting import write_report
from tests.contract_texts import STATION_FIELDS, contract

PLATE_FIELDS = """
      - {name: station, businessName: 站点, logicalType: string, required: true, primaryKey: true, primaryKeyPosition: 1}
      - {name: most_c, businessName: 最高温度, logicalType: number}
      - {name: digits, businessName: 位数, logicalType: integer}
      - {name: since, businessName: 启用, logicalType: date, customProperties: [{property: source, value: {formats: [yyyy-MM-dd]}}]}
"""
SUITE = """name: station
meta:
  lookups:
    plate: {dataset: plates, "on": {station: station}}
expectations:
  - id: below_plate
    type: expect_column_values_to_satisfy
    kwargs: {column: temp_c, condition: temp_c <= plate.most_c, row_condition: plate.most_c IS NOT NULL, condition_parser: spark}
    severity: critical
    meta: {dimension: 准确性, message: 温度超过铭牌值, remedy: 请核对, basis: 铭牌, authority: other, reference: plate.most_c}
  - id: return_counts_up
    type: expect_column_values_to_not_fall
    kwargs: {column: return_c, series: [station], at: read_at, digits: plate.digits, max_step: 5}
    severity: warning
    meta: {dimension: 时效性, message: 读数变小, remedy: 请核对, basis: 计数器}
  - id: sent_after_start
    type: expect_column_values_to_satisfy
    kwargs: {column: station, condition: plate.since <= _sent_date, row_condition: plate.since IS NOT NULL, condition_parser: spark}
    severity: warning
    meta: {dimension: 时效性, message: 启用之前就有读数, remedy: 请核对, basis: 铭牌, authority: unknown}
"""


@pytest.fixture
def registry(write_contracts: Callable[..., Registry]) -> Registry:
    return write_contracts(
        {
            "schemas/sources/heat/station.yaml": contract("station", STATION_FIELDS),
            "schemas/sources/heat/plates.yaml": contract(
                "plates", PLATE_FIELDS, "  - {property: write, value: {mode: merge}}\n"
            ),
            "expectations/sources/heat/station.yaml": SUITE,
        }
    )


@pytest.fixture
def taken(lake: Lake, registry: Registry, tmp_path: Path) -> Callable[..., str]:
    def take(dataset: str, text: str, sent_on: date | None = None) -> str:
        file = tmp_path / f"{dataset}-{len(lake.ledger.deliveries())}.csv"
        file.write_text(text, "utf-8")
        deliver(lake.store, [file], dataset, "heat", Manifest(sent_on=sent_on))
        (landed,) = land(lake, registry)
        load(lake, registry, landed.delivery.id)
        conform(lake, registry, landed.delivery.id)
        return landed.delivery.id

    return take


def found(lake: Lake, delivery: str) -> dict[tuple[str, int], str | None]:
    """(rule, row) → what was told as meant."""
    rows = lake.delta.rows(lake.path(Zone.EVIDENCE, "station"), lake.ledger.get(delivery))
    if rows is None:
        return {}
    return {(r["rule"], r["_row"]): r["suggested"] for r in rows.to_pylist()}


PLATES = "站点,最高温度,位数,启用\n甲,100,3,2020-01-01\n乙,,4,2030-01-01\n"
READINGS = (
    "站点,时间,温度,回温\n"
    "甲,2026-01-01 08:00:00,120,998\n"
    "甲,2026-01-01 08:05:00,90,1\n"
    "乙,2026-01-01 08:00:00,140,998\n"
    "乙,2026-01-01 08:05:00,90,1\n"
    "丙,2026-01-01 08:00:00,140,1\n"
)


def test_each_device_is_judged_by_its_own_plate(lake: Lake, taken: Callable[..., str]) -> None:
    taken("plates", PLATES)
    told = found(lake, taken("station", READINGS, date(2026, 1, 2)))
    assert told == {
        ("below_plate", 2): "100.0",  # 甲 has a plate of 100; 乙's says nothing; 丙 has none
        ("return_counts_up", 5): None,  # 甲's dial of three digits rolled over, 乙's of four did not
        ("sent_after_start", 4): None,
        ("sent_after_start", 5): None,
    }


def test_rule_waits_for_the_other_dataset(lake: Lake, taken: Callable[..., str]) -> None:
    delivery = taken("station", READINGS)
    rules = {r.rule for r in Results(lake.delta, lake.settings.s3_bucket).rules([("delivery", "=", delivery)])}
    assert not rules & {"below_plate", "return_counts_up", "sent_after_start"}
    assert "temp_c_range" in rules


def test_report_says_which_side_is_right(registry: Registry) -> None:
    words = {rule.id: rule.message for rule in registry.rules["station"]}
    assert words["below_plate"] == "温度超过铭牌值（以「换热站读数」为准）"
    assert words["sent_after_start"].endswith("无法判定哪一方正确，请双方核对）")


def test_report_is_proved_with_the_other_dataset_as_it_was(
    lake: Lake, registry: Registry, taken: Callable[..., str]
) -> None:
    taken("plates", PLATES)
    delivery = taken("station", READINGS)
    write_report(lake, registry, delivery, datetime.now(UTC))
    taken("plates", PLATES.replace("100,3", "130,5"))
    proved = verify(lake, registry, delivery)
    assert proved.unjudged == "" and proved.differing() == []


COUNTIES = "站点,最高温度,位数,启用,县\n甲,,,,371502\n乙,,,,371503\n"


def test_counts_are_kept_by_county(lake: Lake, write_contracts: Callable[..., Registry], tmp_path: Path) -> None:
    by = '  - {property: county, value: {field: county, dataset: plates, "on": {station: station}}}\n'
    fields = PLATE_FIELDS + "      - {name: county, businessName: 县, logicalType: string}\n"
    registry = write_contracts(
        {
            "schemas/sources/heat/station.yaml": contract("station", STATION_FIELDS, by),
            "schemas/sources/heat/plates.yaml": contract("plates", fields),
        }
    )
    readings = READINGS.replace("丙,2026-01-01 08:00:00,140", "乙,2026-01-01 09:00:00,999")
    for dataset, text in (("plates", COUNTIES), ("station", readings)):
        file = tmp_path / f"{dataset}.csv"
        file.write_text(text, "utf-8")
        deliver(lake.store, [file], dataset, "heat", Manifest())
        (landed,) = land(lake, registry)
        load(lake, registry, landed.delivery.id)
        conform(lake, registry, landed.delivery.id)
    counts = Results(lake.delta, lake.settings.s3_bucket).counties().to_pylist()
    range_of = {c["county"]: (c["element_count"], c["unexpected_count"]) for c in counts if c["rule"] == "temp_c_range"}
    assert range_of == {"371502": (2, 0), "371503": (3, 1)}


def test_letter_dated_after_its_arrival_counts_from_its_arrival(lake: Lake, taken: Callable[..., str]) -> None:
    taken("plates", PLATES)
    told = found(lake, taken("station", READINGS, date(2031, 1, 1)))
    assert ("sent_after_start", 4) in told
