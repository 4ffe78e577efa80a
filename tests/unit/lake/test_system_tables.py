"""The lake's own tables: as their contracts say on disk, replaced by delivery within a day, and repartitioned where they are old."""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import fields, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from deltalake import write_deltalake

from jobs.conform.quarantine import evidence, quarantined
from jobs.contracts import Rule, load, load_system
from jobs.contracts.names import BRONZE_OWN, DELIVERY, RECEIVED
from jobs.errors import OutdatedTable, UserError
from jobs.lake.row_filter import rows_of
from jobs.lake.system_tables import SystemTable, bronze_table, system_contract, system_table
from jobs.lake.zones import TablePath, Zone
from jobs.model.delivery import Delivery, State
from jobs.model.distribution import DistributionRow
from jobs.model.rule_result import CountyRow, RuleRow
from jobs.model.verdict import Verdict
from jobs.pipeline.failed_rows import failed_rows, write_proofs
from jobs.pipeline.recheck import Recheck, RecheckRequest
from jobs.pipeline.repartition import repartition
from jobs.settings import PROJECT
from tests.unit.lake.local_lake import DATASET, LocalLake, delivery, registry, rule_rows, verdict

CONTRACT = registry().contract(DATASET)
OWN = load_system(PROJECT / "schemas")
CHINESE = re.compile(r"[\u4e00-\u9fff]")
DELTA_TYPES = {"bigint": "long", "array<string>": {"type": "array", "elementType": "string", "containsNull": True}}
"""Spark's type names → Delta's, where they differ."""
EARLIER = SystemTable(
    pa.schema([f for f in system_table("evidence").schema if f.name != RECEIVED]), DELIVERY, (DELIVERY,)
)


@pytest.fixture
def lake(tmp_path: Path) -> LocalLake:
    """Three deliveries: two of one day, one of the next."""
    lake = LocalLake(tmp_path)
    first = delivery(1, CONTRACT, State.LOADED)
    lake.ledger.entries += [
        first,
        delivery(2, CONTRACT, State.LOADED, received_at=first.received_at + timedelta(hours=1)),
        delivery(3, CONTRACT, State.LOADED, received_at=first.received_at + timedelta(days=1)),
    ]
    return lake


def put(lake: LocalLake, of: Delivery, *values: str) -> None:
    """Evidence of a delivery, as conform writes it."""
    table = system_table(Zone.EVIDENCE)
    rows = [{DELIVERY: of.id, RECEIVED: of.received_date(), "rule": "r", "value": value} for value in values]
    batches = pa.Table.from_pylist(rows, schema=table.schema).to_batches()
    lake.delta.replace(lake.path(Zone.EVIDENCE, DATASET), table, batches, of.id, of.received_date())


def put_earlier(lake: LocalLake, of: Delivery, *values: str) -> None:
    """Evidence of an earlier release: partitioned by delivery, without day."""
    rows = [{DELIVERY: of.id, "_file": "甲.csv", "_row": 2, "rule": "r", "value": value} for value in values]
    table = pa.Table.from_pylist(rows, schema=EARLIER.schema)
    write_deltalake(
        lake.delta.url(lake.path(Zone.EVIDENCE, DATASET)), table, mode="append", partition_by=list(EARLIER.partition_by)
    )


def stored(lake: LocalLake, version: int | None = None) -> list[tuple[str, str]]:
    table = lake.delta.open(lake.path(Zone.EVIDENCE, DATASET), version)
    assert table is not None
    return sorted((row[DELIVERY], row["value"]) for row in table.to_pyarrow_table().to_pylist())


@pytest.mark.parametrize("name", OWN)
def test_each_field_of_the_lakes_own_tables_has_a_chinese_title_and_a_grade(name: str) -> None:
    untitled = [f.name for f in OWN[name].fields if not CHINESE.search(f.title) or f.classification not in "L2 L3 L4"]
    assert untitled == []
    assert CHINESE.search(OWN[name].title) and CHINESE.search(OWN[name].purpose)


@pytest.mark.parametrize(
    ("name", "kind"), [("verdicts", Verdict), ("rules", RuleRow), ("counties", CountyRow), ("shapes", DistributionRow)]
)
def test_rows_of_results_have_the_fields_of_their_contract(name: str, kind: Any) -> None:
    assert [f.name for f in fields(kind)] == [f.name for f in OWN[name].fields]


OF_MESSAGES = {("telemetry", "sent_text"), ("telemetry", "sent_bytes")}


def test_columns_that_may_contain_personal_data_have_the_highest_grade() -> None:
    graded = {(c.id, f.name) for c in OWN.values() for f in c.fields if f.classification == "L4"}
    shown = {("evidence", name) for name in ("key", "value", "suggested")}
    texts = {("quarantine", "raw"), ("bronze", "_line"), ("proofs", "key"), ("rules", "gx")}
    assert graded == shown | texts | OF_MESSAGES


def test_the_lakes_own_tables_are_not_datasets_that_are_delivered() -> None:
    datasets = load(PROJECT / "schemas", PROJECT / "expectations")
    assert not set(OWN) & {*datasets.contracts, *datasets.providers()}
    assert [c.id for c in (*datasets.sources(), *datasets.products()) if c.kind == "system"] == []


def test_contracts_of_the_lakes_own_tables_are_read_without_an_engine() -> None:
    engines = "{'pyspark', 'deltalake', 'great_expectations', 'sqlalchemy'}"
    code = (
        "import sys; from jobs.contracts import load_system; from jobs.settings import OWN_SCHEMAS; "
        f"load_system(OWN_SCHEMAS); print(sorted({engines} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=PROJECT)
    assert done.stdout.strip() == "[]"


def _results(lake: LocalLake, of: Delivery) -> None:
    decision = verdict(of)
    rules = rule_rows(decision, registry(), {})
    words = {f.name: getattr(rules[0], f.name) for f in fields(CountyRow) if f.name != "county"}
    lake.results().write(
        decision,
        rules,
        [CountyRow(county="371502", **words)],
        [DistributionRow(of.id, 1, of.dataset, "mean", "f", 0.5)],
    )


def _quarantine_and_evidence(lake: LocalLake, of: Delivery) -> None:
    rule = Rule("r", "t", {}, "critical", "完整性", "空", "补", "依据", ("uscc",), "contract")
    broken = {"_file": "甲.csv", "_row": 2, "key": "{}", "raw": "{}", "_mask0": 1, "v_uscc": "x"}
    batches = pa.Table.from_pylist([broken]).to_batches()
    rows_by_zone = {
        Zone.QUARANTINE: quarantined(batches, [rule], of),
        Zone.EVIDENCE: evidence(batches, [rule], of, lambda _, texts: texts),
    }
    for zone, rows in rows_by_zone.items():
        lake.delta.replace(lake.path(zone, DATASET), system_table(zone), list(rows), of.id, of.received_date())


def _proofs(lake: LocalLake, of: Delivery) -> None:
    request = RecheckRequest("T-1", "r", "v", "earlier", {"{}": 1})
    proof = Recheck(request, None, mended=frozenset({"{}"}))  # type: ignore[arg-type]
    write_proofs(lake, CONTRACT, of, [proof], of.received_at)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("write", "paths"),
    [
        (_results, [(Zone.RESULTS, name) for name in ("verdicts", "rules", "counties", "shapes")]),
        (_quarantine_and_evidence, [(Zone.QUARANTINE, DATASET), (Zone.EVIDENCE, DATASET)]),
        (_proofs, [(Zone.PROOFS, DATASET)]),
    ],
    ids=["results", "quarantine and evidence", "proofs"],
)
def test_a_table_on_disk_has_exactly_the_fields_and_partitions_of_its_contract(
    lake: LocalLake, write: Callable[[LocalLake, Delivery], None], paths: list[tuple[Zone, str]]
) -> None:
    write(lake, lake.ledger.entries[0])
    for zone, name in paths:
        contract = system_contract(name if zone is Zone.RESULTS else zone)
        _matches_contract(lake, lake.path(zone, name), contract.id)


def _matches_contract(lake: LocalLake, path: TablePath, name: str) -> None:
    table, promised = lake.delta.open(path), system_table(name)
    assert table is not None
    on_disk = {f.name: json.loads(f.type.to_json()) for f in table.schema().fields}
    assert on_disk == {f.name: DELTA_TYPES.get(f.spark_type(), f.spark_type()) for f in OWN[name].fields}
    assert tuple(table.metadata().partition_columns) == promised.partition_by
    comments = {f.name: f.metadata.get("comment") for f in table.schema().fields}
    assert comments == {f.name: f.words() for f in OWN[name].fields}


def test_bronze_has_what_was_sent_as_text_then_the_columns_of_its_contract() -> None:
    table = bronze_table(["uscc", "_file", "_row", "_malformed", "_line"])
    assert table.schema.names == ["uscc", *BRONZE_OWN]
    assert table.schema.field("uscc").type == pa.string()


def test_replacing_a_delivery_leaves_others_of_its_day(lake: LocalLake) -> None:
    first, second, third = lake.ledger.entries
    for of, values in ((first, "ab"), (second, "c"), (third, "d")):
        put(lake, of, *values)
    lake.delta.compact(lake.path(Zone.EVIDENCE, DATASET))  # rows of the first two are in one file
    for _ in range(2):
        put(lake, first, "e")
        assert stored(lake) == sorted([(first.id, "e"), (second.id, "c"), (third.id, "d")])
    put(lake, first)
    assert stored(lake) == sorted([(second.id, "c"), (third.id, "d")])


def test_a_delivery_is_read_from_the_files_of_its_day_alone(lake: LocalLake) -> None:
    first, second, third = lake.ledger.entries
    for of in (first, second, third):
        put(lake, of, of.id)
    lake.delta.compact(lake.path(Zone.EVIDENCE, DATASET))
    table = lake.delta.open(lake.path(Zone.EVIDENCE, DATASET))
    assert table is not None
    days = [re.findall(r"_received_date=([\d-]+)", file) for file in rows_of(first).dataset(table).files]
    assert days == [["2026-11-11"]] and first.received_date().isoformat() == "2026-11-11"
    rows = lake.delta.rows(lake.path(Zone.EVIDENCE, DATASET), first)
    assert rows is not None and rows["value"].to_pylist() == [first.id]
    assert failed_rows(lake, CONTRACT, first.id) == {"r": {"row:None:None": 1}}  # type: ignore[arg-type]


def test_the_day_is_that_of_utc(lake: LocalLake) -> None:
    late = replace(lake.ledger.entries[0], received_at=lake.ledger.entries[0].received_at.replace(hour=23))
    assert late.received_date() == late.received_at.date()


def test_a_table_of_an_earlier_release_is_not_written_and_the_message_says_what_to_do(lake: LocalLake) -> None:
    first, second, _ = lake.ledger.entries
    put_earlier(lake, first, "a")
    with pytest.raises(OutdatedTable, match=r"evidence\.enterprise_registration .*`lake upkeep`"):
        put(lake, second, "b")
    assert stored(lake) == [(first.id, "a")]


def test_a_table_of_an_earlier_release_is_readable(lake: LocalLake) -> None:
    first = lake.ledger.entries[0]
    put_earlier(lake, first, "a", "b")
    assert failed_rows(lake, CONTRACT, first.id) == {"r": {"row:甲.csv:2": 2}}  # type: ignore[arg-type]


def test_a_table_of_an_earlier_release_is_repartitioned_once_with_all_its_rows(lake: LocalLake) -> None:
    first, second, third = lake.ledger.entries
    for of, value in ((first, "a"), (second, "b"), (third, "c")):
        put_earlier(lake, of, value)
    before = stored(lake)
    assert repartition(lake, Zone.EVIDENCE, CONTRACT)  # type: ignore[arg-type]
    assert stored(lake) == before == stored(lake, 2)
    table = lake.delta.open(lake.path(Zone.EVIDENCE, DATASET))
    assert table is not None and tuple(table.metadata().partition_columns) == (RECEIVED,)
    assert len(table.file_uris()) == 2
    assert not repartition(lake, Zone.EVIDENCE, CONTRACT)  # type: ignore[arg-type]
    put(lake, first, "d")
    assert stored(lake) == sorted([(first.id, "d"), (second.id, "b"), (third.id, "c")])


def test_rows_written_during_repartitioning_are_retained(lake: LocalLake) -> None:
    first, second, third = lake.ledger.entries
    put_earlier(lake, first, "a")
    calls = []

    def deliveries(*_: object) -> tuple[Delivery, ...]:
        if not calls:
            put_earlier(lake, second, "b")
        calls.append(1)
        return first, second, third

    lake.ledger.deliveries = deliveries  # type: ignore[method-assign, assignment]
    assert repartition(lake, Zone.EVIDENCE, CONTRACT)  # type: ignore[arg-type]
    assert stored(lake) == sorted([(first.id, "a"), (second.id, "b")]) and len(calls) == 2


def test_a_table_with_rows_of_an_unknown_delivery_is_not_rewritten(lake: LocalLake) -> None:
    stranger = replace(lake.ledger.entries[0], id="enterprise_registration-gone")
    put_earlier(lake, stranger, "a")
    with pytest.raises(UserError, match="'enterprise_registration-gone' is not in the ledger"):
        repartition(lake, Zone.EVIDENCE, CONTRACT)  # type: ignore[arg-type]
    assert stored(lake) == [(stranger.id, "a")]


def test_repartitioned_bronze_retains_the_columns_as_sent(lake: LocalLake) -> None:
    first, path = lake.ledger.entries[0], lake.path(Zone.BRONZE, DATASET)
    row = {
        "uscc": "9137",
        "备注2": "x",
        "_file": "甲.csv",
        "_row": 2,
        "_malformed": None,
        "_line": None,
        DELIVERY: first.id,
    }
    types = [(name, pa.int64() if name == "_row" else pa.string()) for name in row]
    write_deltalake(lake.delta.url(path), pa.Table.from_pylist([row], pa.schema(types)), partition_by=[DELIVERY])
    assert repartition(lake, Zone.BRONZE, CONTRACT)  # type: ignore[arg-type]
    rows = lake.delta.rows(path, first)
    assert rows is not None and rows.to_pylist() == [{**row, RECEIVED: first.received_date()}]
