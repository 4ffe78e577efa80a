"""Keys as departments fill them: empty parts, equal rows among conflicting ones. Small and large deliveries alike."""

import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from importlib import import_module
from io import BytesIO
from pathlib import Path

import pytest
from openpyxl import load_workbook

from jobs.contracts import Registry
from jobs.lake.lake import Lake
from jobs.lake.results import Results
from jobs.lake.zones import Zone
from jobs.pipeline import bronze
from jobs.pipeline.conform import conform
from jobs.reporting.delivery.facts import gather
from jobs.reporting.report_store import report_key
from tests.contract_texts import contract
from tests.probes.probe import HERE, Go, rows_of

READINGS = contract(
    "probe",
    """      - {name: line, businessName: 行, logicalType: integer, required: true, primaryKey: true, primaryKeyPosition: 1}
      - {name: meter, businessName: 表号, logicalType: string}
      - {name: period, businessName: 账期, logicalType: string}
      - {name: value, businessName: 读数, logicalType: integer}
""",
)
MODES = {"any_value_is_missing": 2, "all_values_are_missing": 4, "never": 6}
RULE = """  - id: once_{mode}
    type: expect_compound_columns_to_be_unique
    kwargs: {{column_list: [meter, period], ignore_row_if: {mode}}}
    severity: warning
    meta: {{dimension: 一致性, message: 一表一期一数, remedy: 请核对, basis: 抄表规程}}
"""
STATES = contract(
    "probe",
    "      - {name: no, businessName: 编号, logicalType: string, required: true, primaryKey: true, primaryKeyPosition: 1}\n"
    "      - {name: state, businessName: 状态, logicalType: string}\n",
)


@pytest.fixture(params=["small", "large"])
def size(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "large":
        monkeypatch.setattr(bronze, "FEW_ROWS", -1)
    return str(request.param)


@pytest.mark.usefixtures("size")
def test_rows_with_empty_parts_of_a_key_count_as_great_expectations_counts_them(
    lake: Lake, write_contracts: Callable[..., Registry], go: Go
):
    suite = "name: probe\nexpectations:\n" + "".join(RULE.format(mode=mode) for mode in MODES)
    registry = write_contracts(
        {"schemas/sources/heat/probe.yaml": READINGS, "expectations/sources/heat/probe.yaml": suite}
    )
    verdict = go(registry, HERE / "23-compound-null" / "抄见.csv")
    results = Results(lake.delta, lake.settings.s3_bucket).rules([("delivery", "=", verdict.delivery)])
    counted = {row.rule: row.unexpected_count for row in results}
    assert {mode: counted[f"once_{mode}"] for mode in MODES} == MODES


@pytest.mark.usefixtures("size")
def test_equal_rows_of_a_key_with_conflicts_are_copies(
    lake: Lake, write_contracts: Callable[..., Registry], go: Go, tmp_path: Path
):
    registry = write_contracts({"schemas/sources/heat/probe.yaml": STATES})
    file = tmp_path / "d.csv"
    file.write_text("编号,状态\nA,一\nA,一\nA,二\nA,二\nA,二\nB,一\nB,一\nC,一\n", "utf-8")
    verdict = go(registry, file)
    assert (verdict.rows, verdict.good_rows, verdict.failed_rows, verdict.copies) == (4, 2, 2, 4)
    assert sorted(rows_of(lake, Zone.SILVER, "no", "state")) == [("B", "一"), ("C", "一")]
    assert sorted(rows_of(lake, Zone.QUARANTINE, "_row")) == [(2,), (4,)]


PLAIN = contract(
    "probe",
    "      - {name: no, businessName: 编号, logicalType: string}\n"
    "      - {name: state, businessName: 状态, logicalType: string}\n",
    "  - {property: write, value: {mode: append}}\n",
)


def told(lake: Lake, delivery: str) -> list[str]:
    return [finding.kind for finding in lake.ledger.get(delivery).findings]


@pytest.mark.parametrize("again", ["一_crlf.csv", "一_改名.csv"])
def test_rows_without_a_key_that_come_again_in_other_bytes_are_not_doubled(
    lake: Lake, write_contracts: Callable[..., Registry], go: Go, again: str, tmp_path: Path
):
    registry = write_contracts({"schemas/sources/heat/probe.yaml": PLAIN})
    first = go(registry, HERE / "30-same-bytes" / "一.csv")
    file = tmp_path / again
    file.write_bytes((HERE / "30-same-bytes" / "一.csv").read_bytes().replace(b"\n", b"\r\n"))
    second = go(registry, file)
    assert len(rows_of(lake, Zone.SILVER, "no")) == first.good_rows == 3
    assert "rows_repeated" in told(lake, second.delivery)
    assert lake.ledger.get(second.delivery).supersedes == first.delivery


def test_rows_that_come_again_under_a_letter_of_another_day_are_another_batch(
    lake: Lake, write_contracts: Callable[..., Registry], go: Go, tmp_path: Path
):
    registry = write_contracts({"schemas/sources/heat/probe.yaml": PLAIN})
    go(registry, HERE / "30-same-bytes" / "一.csv", sent_on=date(2026, 1, 5))
    file = tmp_path / "二.csv"
    file.write_bytes((HERE / "30-same-bytes" / "一.csv").read_bytes().replace(b"\n", b"\r\n"))
    second = go(registry, file, sent_on=date(2026, 1, 6))
    assert len(rows_of(lake, Zone.SILVER, "no")) == 6 and "rows_repeated" in told(lake, second.delivery)


def test_an_older_letter_that_arrives_after_a_newer_one_is_told(
    lake: Lake, write_contracts: Callable[..., Registry], go: Go
):
    registry = write_contracts({"schemas/sources/heat/probe.yaml": STATES})
    newer = go(registry, HERE / "28-out-of-order" / "新.csv", sent_on=date(2026, 1, 7))
    older = go(registry, HERE / "28-out-of-order" / "旧.csv", sent_on=date(2026, 1, 5))
    assert "letter_older" in told(lake, older.delivery) and "letter_older" not in told(lake, newer.delivery)


@pytest.mark.parametrize("most_merged", [1_000_000, -1], ids=["by the client", "by the engine"])
def test_the_contract_may_go_by_the_date_of_the_letter(
    lake: Lake,
    write_contracts: Callable[..., Registry],
    go: Go,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    most_merged: int,
):
    monkeypatch.setattr(import_module("jobs.conform.publish"), "MOST_MERGED", most_merged)
    by_letter = STATES + "  - {property: write, value: {order: letter}}\n"
    registry = write_contracts({"schemas/sources/heat/probe.yaml": by_letter})
    sent = {
        "新": (7, "A,新\nB,新\n"),
        "旧": (5, "A,旧\nC,旧\n"),
        "中": (6, "A,中\nB,中\nC,中\nD,中\n"),
        "末": (7, "B,末\n"),
    }
    ids = {}
    for name, (day, text) in sent.items():
        file = tmp_path / f"{name}.csv"
        file.write_text("编号,状态\n" + text, "utf-8")
        ids[name] = go(registry, file, sent_on=date(2026, 1, day)).delivery
    assert set(rows_of(lake, Zone.SILVER, "no", "state")) == {("A", "新"), ("B", "末"), ("C", "中"), ("D", "中")}
    assert "letter_older" in told(lake, ids["旧"]) and "letter_older" not in told(lake, ids["末"])
    conform(lake, registry, ids["新"])  # run again: its rows stay, and win over older letters that came later
    assert set(rows_of(lake, Zone.SILVER, "no", "state")) == {("A", "新"), ("B", "末"), ("C", "中"), ("D", "中")}


def test_rows_that_another_layout_read_are_read_again(
    lake: Lake, write_contracts: Callable[..., Registry], go: Go, tmp_path: Path
):
    file = tmp_path / "d.csv"
    file.write_text("编号,状态\nA,一\nB,二\n", "utf-8")
    first = go(write_contracts({"schemas/sources/heat/probe.yaml": STATES}), file)
    renamed = STATES.replace("name: no,", "name: station_no,")
    again = conform(lake, write_contracts({"schemas/sources/heat/probe.yaml": renamed}), first.delivery)
    assert (again.good_rows, again.failed_rows) == (2, 0)
    assert {no for (no,) in rows_of(lake, Zone.SILVER, "station_no")} == {"A", "B"}


def test_a_correction_tells_what_it_changes(
    lake: Lake, write_contracts: Callable[..., Registry], go: Go, tmp_path: Path
):
    registry = write_contracts({"schemas/sources/heat/probe.yaml": STATES})
    texts = ("编号,状态\nA,一\nB,一\nC,一\n", "编号,状态\nB,二\nC,一\nD,一\n")
    first, second = (tmp_path / f"{n}.csv" for n in (1, 2))
    for file, text in zip((first, second), texts, strict=True):
        file.write_text(text, "utf-8")
    before = go(registry, first)
    after = go(registry, second, supersedes=before.delivery)
    facts = gather(lake, registry, after.delivery, datetime.now(UTC))
    assert facts.changes is not None and dict(facts.changes.by_field) == {"state": 1}
    assert [len(getattr(facts.changes, name)) for name in ("new", "gone", "changed")] == [1, 1, 1]
    document = json.loads(lake.store.get_bytes(report_key(facts.delivery, "json")))
    assert (document["changes"]["before"], document["changes"]["gone_rows"]) == (before.delivery, 1)
    assert "不再报送的行" in lake.store.get_bytes(report_key(facts.delivery, "html")).decode()
    book = load_workbook(BytesIO(lake.store.get_bytes(report_key(facts.delivery, "xlsx"))), read_only=True)
    rows = list(book["与原批次的差别"].iter_rows(min_row=2, values_only=True))
    gone = f"不再报送的行（位置在原批次 {before.delivery} 中）"
    assert rows == [("新增的行", "2.csv", 4, ""), ("改动的行", "2.csv", 2, "状态"), (gone, "1.csv", 2, "")]
