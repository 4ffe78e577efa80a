"""A delivery in, the four tables out: small files, real engine, real store."""

from collections.abc import Callable
from pathlib import Path

import pytest

from jobs.contracts import Registry
from jobs.ingest.land import Manifest, deliver
from jobs.lake.delta_writing import RETENTION
from jobs.lake.lake import Lake
from jobs.lake.results import Results
from jobs.lake.system_tables import system_contract
from jobs.lake.zones import Zone
from jobs.model.delivery import State
from jobs.model.verdict import Verdict
from jobs.pipeline.conform import conform
from jobs.pipeline.ingestion import land, load, pending
from tests.contract_texts import STATION_FIELDS, STATION_SUITE, contract

HEADER = "站点,时间,温度,回温\n"


@pytest.fixture
def registry(write_contracts: Callable[..., Registry]) -> Registry:
    return write_contracts(
        {
            "schemas/sources/heat/station.yaml": contract("station", STATION_FIELDS),
            "expectations/sources/heat/station.yaml": STATION_SUITE,
        }
    )


@pytest.fixture
def push(lake: Lake, registry: Registry, tmp_path: Path) -> Callable[..., Verdict]:
    """Delivers a csv text and takes it through land, load, conform."""

    def go(text: str, name: str = "a.csv", **manifest: object) -> Verdict:
        file = tmp_path / name
        file.write_text(HEADER + text, "utf-8")
        deliver(lake.store, [file], "station", "heat", Manifest(**manifest))
        (landed,) = land(lake, registry)
        load(lake, registry, landed.delivery.id)
        return conform(lake, registry, landed.delivery.id)

    return go


def silver(lake: Lake) -> list[tuple[object, ...]]:
    rows = lake.tables.read(lake.path(Zone.SILVER, "station")).orderBy("station", "read_at").collect()
    return [(r.station, r.read_at.isoformat(), r.temp_c, r.return_c, r._row, r._marks) for r in rows]


def held(lake: Lake, zone: Zone, *columns: str) -> list[tuple[object, ...]]:
    rows = lake.tables.read(lake.path(zone, "station")).select(*columns).collect()
    return sorted(tuple(row) for row in rows)


def test_tables_have_exactly_the_columns_of_the_contract_and_those_of_their_zone(lake, registry, push):
    push("甲,2026-01-01 08:00:00,999,40\n乙,2026-01-01 08:00:00,60,40\n")
    fields = [f.name for f in registry.contract("station").fields]
    for zone in (Zone.BRONZE, Zone.SILVER, Zone.QUARANTINE, Zone.EVIDENCE):
        table = lake.delta.open(lake.path(zone, "station"))
        own = [f.name for f in system_contract(zone).fields]
        expected = [*fields, *own] if zone in (Zone.BRONZE, Zone.SILVER) else own
        assert [f.name for f in table.schema().fields] == expected
        assert table.metadata().partition_columns == ([] if zone is Zone.SILVER else ["_received_date"])


def test_deliveries_of_one_day_are_told_apart_after_their_files_were_joined(lake, registry, push):
    first = push("甲,2026-01-01 08:00:00,999,40\n")
    push("乙,2026-01-01 08:00:00,998,40\n丙,2026-01-01 08:00:00,60,40\n", "b.csv")
    for zone in (Zone.BRONZE, Zone.QUARANTINE, Zone.EVIDENCE):
        lake.delta.compact(lake.path(zone, "station"))
    before = held(lake, Zone.EVIDENCE, "_delivery", "rule", "value"), silver(lake)
    load(lake, registry, first.delivery)
    assert conform(lake, registry, first.delivery).failed_rows == 1
    assert before == (held(lake, Zone.EVIDENCE, "_delivery", "rule", "value"), silver(lake))
    assert len(held(lake, Zone.BRONZE, "_delivery")) == 3


def test_row_outside_the_physical_band_goes_to_quarantine_with_its_reason_and_its_row_number(lake, push):
    verdict = push("甲,2026-01-01 08:00:00,65.5℃,40\n乙,2026-01-01 08:00:00,999,40\n")
    assert (verdict.state, verdict.good_rows, verdict.failed_rows) == (State.PARTLY_QUARANTINED, 1, 1)
    assert silver(lake) == [("甲", "2026-01-01T00:00:00", 65.5, 40.0, 2, None)]
    (row,) = held(lake, Zone.QUARANTINE, "_row", "raw", "reasons")
    assert (row[0], row[2]) == (3, ["temp_c_range"])
    assert '"temp_c":"999"' in row[1]


def test_warning_passes_with_a_mark_and_info_only_alarms(lake, push):
    push("甲,2026-01-01 08:00:00,20,40\n")
    assert silver(lake)[0][-1] == ["supply_above_return"]
    found = held(lake, Zone.EVIDENCE, "rule", "severity", "value")
    assert found == [("supply_above_return", "warning", "20 | 40"), ("temp_operating", "info", "20")]


def test_the_later_delivery_wins_by_primary_key(lake, push):
    push("甲,2026-01-01 08:00:00,60,40\n乙,2026-01-01 08:00:00,50,30\n")
    push("甲,2026-01-01 08:00:00,61,41\n", name="b.csv")
    assert [(row[0], row[2]) for row in silver(lake)] == [("乙", 50.0), ("甲", 61.0)]


def test_rows_of_a_superseded_delivery_leave_silver(lake, push):
    first = push("甲,2026-01-01 08:00:00,60,40\n乙,2026-01-01 08:00:00,50,30\n")
    push("甲,2026-01-01 08:00:00,62,40\n", name="b.csv", supersedes=first.delivery)
    assert [(row[0], row[2]) for row in silver(lake)] == [("甲", 62.0)]
    assert lake.ledger.get(first.delivery).superseded_by is not None


def test_equal_copies_are_dropped_and_counted_but_a_conflict_of_keys_is_held(lake, push):
    verdict = push(
        "甲,2026-01-01 08:00:00,60,40\n甲,2026-01-01 08:00:00,60,40\n"
        "乙,2026-01-01 08:00:00,50,30\n乙,2026-01-01 08:00:00,51,30\n"
    )
    assert (verdict.copies, verdict.rows, verdict.failed_rows) == (1, 3, 2)
    assert [row[0] for row in silver(lake)] == ["甲"]
    assert {tuple(r[0]) for r in held(lake, Zone.QUARANTINE, "reasons")} == {("primary_key",)}


def test_conform_twice_leaves_the_same_tables(lake, registry, push):
    verdict = push("甲,2026-01-01 08:00:00,20,40\n乙,2026-01-01 08:00:00,999,40\n")
    before = silver(lake), held(lake, Zone.QUARANTINE, "_row"), held(lake, Zone.EVIDENCE, "_row", "rule")
    conform(lake, registry, verdict.delivery)
    assert before == (silver(lake), held(lake, Zone.QUARANTINE, "_row"), held(lake, Zone.EVIDENCE, "_row", "rule"))
    results = Results(lake.delta, lake.settings.s3_bucket)
    assert len(results.verdicts()) == 1
    names = [rule.rule for rule in results.rules()]
    assert len(set(names)) == len(names)
    assert {name for name in names if not name.startswith("delivery_")} == {r.id for r in registry.rules["station"]}


def test_a_delivery_without_one_good_row_is_refused_whole(lake, push):
    verdict = push("甲,昨天,60,40\n乙,,50,30\n")
    assert (verdict.state, verdict.good_rows) == (State.REFUSED, 0)
    assert "整批拒收" in verdict.reason
    assert silver(lake) == [] if lake.tables.exists(lake.path(Zone.SILVER, "station")) else True


def test_repairs_that_the_contract_declares_are_counted(lake, push):
    verdict = push(" 甲 ,2026/1/1 8:00,６０℃,40\n")
    assert {(r.field, r.kind) for r in verdict.repairs} >= {("station", "trim"), ("temp_c", "full_width")}
    assert silver(lake)[0][:3] == ("甲", "2026-01-01T00:00:00", 60.0)


CODED = """
      - {name: station, businessName: 站点, logicalType: string, primaryKey: true, primaryKeyPosition: 1}
      - {name: phone, businessName: 电话, logicalType: string, customProperties: [{property: code, value: mobile}]}
"""
WRITINGS = "甲,13800138000\n乙,１3800138000\n丙,13800138000 \n丁,　\n"


@pytest.mark.parametrize(
    ("source", "passed", "failed", "repairs"),
    [
        ("", "甲丁", {"phone_mobile": 2, "phone_trimmed": 1, "phone_half_width": 1}, {}),
        ("trim: true", "甲丙丁", {"phone_mobile": 1, "phone_half_width": 1}, {"trim": 2}),
        ("full_width: true", "甲乙丁", {"phone_mobile": 1, "phone_trimmed": 1}, {"full_width": 2}),
        ("trim: true, full_width: true", "甲乙丙丁", {"phone_mobile": 0}, {"trim": 2, "full_width": 1}),
    ],
)
def test_a_code_is_judged_as_sent_but_for_what_the_contract_declares(
    lake: Lake, judge_phones: Callable[[str], Verdict], source: str, passed: str, failed, repairs
):
    verdict = judge_phones(source)
    rows = lake.tables.read(lake.path(Zone.SILVER, "station")).collect()
    assert {row.station: row.phone for row in rows} == {s: None if s == "丁" else "13800138000" for s in passed}
    results = Results(lake.delta, lake.settings.s3_bucket).rules()
    assert {r.rule: r.unexpected_count for r in results if r.rule.startswith("phone")} == failed
    assert {r.kind: r.rows for r in verdict.repairs if r.field == "phone"} == repairs


@pytest.fixture
def judge_phones(lake: Lake, write_contracts: Callable[..., Registry], tmp_path: Path) -> Callable[[str], Verdict]:
    """Judges the telephone numbers under a contract whose field declares the keys of `source`."""

    def go(source: str) -> Verdict:
        fields = CODED.replace("mobile}", f"mobile}}, {{property: source, value: {{header: 电话, {source}}}}}")
        registry = write_contracts({"schemas/sources/heat/station.yaml": contract("station", fields)})
        (tmp_path / "a.csv").write_text("站点,电话\n" + WRITINGS, "utf-8")
        deliver(lake.store, [tmp_path / "a.csv"], "station", "heat", Manifest())
        (landed,) = land(lake, registry)
        load(lake, registry, landed.delivery.id)
        return conform(lake, registry, landed.delivery.id)

    return go


def test_the_same_bytes_again_are_recorded_and_not_processed_twice(lake, registry, push, tmp_path):
    verdict = push("甲,2026-01-01 08:00:00,60,40\n")
    again = tmp_path / "again.csv"
    again.write_text(HEADER + "甲,2026-01-01 08:00:00,60,40\n", "utf-8")
    deliver(lake.store, [again], "station", "heat", Manifest())
    (seen,) = land(lake, registry)
    assert (seen.is_new, seen.delivery.id) == (False, verdict.delivery)
    assert lake.ledger.repeats(verdict.delivery) > 0
    assert pending(lake, registry, "station") == []


def test_a_refused_correction_replaces_nothing(lake, registry, push):
    first = push("甲,2026-01-01 08:00:00,60,40\n")
    refused = push("甲,昨天,60,40\n", name="b.csv", supersedes=first.delivery)
    conform(lake, registry, refused.delivery)
    assert refused.state is State.REFUSED
    assert lake.ledger.get(first.delivery).superseded_by is None
    assert [(row[0], row[2]) for row in silver(lake)] == [("甲", 60.0)]


def test_every_table_keeps_the_versions_that_a_report_may_cite(lake, push):
    push("甲,2026-01-01 08:00:00,65.5,40\n乙,2026-01-01 08:00:00,999,40\n")
    for zone in (Zone.BRONZE, Zone.SILVER, Zone.QUARANTINE, Zone.EVIDENCE):
        table = lake.delta.open(lake.path(zone, "station"))
        assert table is not None and RETENTION.items() <= table.metadata().configuration.items(), zone
