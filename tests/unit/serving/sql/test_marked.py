"""`marked.<dataset>`: the open tickets of each row, for those who may see them."""

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from jobs.errors import UserError
from jobs.lake.database import Database
from jobs.lake.results import TICKETS
from jobs.lake.system_tables import system_table
from jobs.lake.zones import Zone
from jobs.serving.sql.service import SqlService
from jobs.serving.sql.snapshot import Snapshots
from tests.unit.lake.local_lake import DATASET, LocalLake
from tests.unit.serving.sql.city import ANALYST, OWNER, SECRETS, STRANGER, asked_lake

MARKED = f"marked.{DATASET}"
SILVER = pa.table(
    {
        "uscc": ["a", "b", "c"],
        "established_on": [None, None, None],
        "seen_at": [datetime.fromisoformat(f"2026-01-12T0{hour}:00:00+08:00") for hour in (6, 7, 8)],
        "_delivery": ["d-1", "d-1", "d-2"],
        "_file": ["x.csv", "x.csv", "x.csv"],
        "_row": pa.array([2, 3, 2], pa.int64()),
        "_marks": [["capital_range"], None, None],
    },
    schema=pa.schema(
        [
            ("uscc", pa.string()),
            ("established_on", pa.date32()),
            ("seen_at", pa.timestamp("us", "UTC")),
            ("_delivery", pa.string()),
            ("_file", pa.string()),
            ("_row", pa.int64()),
            ("_marks", pa.list_(pa.string())),
        ]
    ),
)


class Town:
    """A lake whose evidence and tickets a test writes."""

    def __init__(self, root: Path, state: Database) -> None:
        self.lake, self.registry = LocalLake(root), asked_lake(root / "contracts")[1]
        self.lake.delta.put(self.lake.path(Zone.SILVER, DATASET), SILVER)
        self.service = SqlService(self.lake, state, lambda: self.registry)  # type: ignore[arg-type]
        self.service._snapshots = self.service._marked._snapshots = Snapshots(self.lake.delta, fresh_s=0)

    def broken(self, delivery: str, row: int, rule: str) -> None:
        schema = system_table(Zone.EVIDENCE).schema
        found = {"_delivery": delivery, "_file": "x.csv", "_row": row, "rule": rule}
        self.lake.delta.put(self.lake.path(Zone.EVIDENCE, DATASET), pa.Table.from_pylist([found], schema=schema))

    def tickets(self, *rows: dict[str, Any]) -> None:
        """All open tickets, in place of those before."""
        table = system_table(TICKETS)
        batches = pa.Table.from_pylist([{"dataset": DATASET, **row} for row in rows], schema=table.schema).to_batches()
        self.lake.delta.replace(self.lake.path(Zone.RESULTS, TICKETS), table, batches, DATASET)

    def ask(self, sql: str = f"SELECT uscc, tickets FROM {MARKED} ORDER BY uscc", who: Any = OWNER) -> Any:
        return self.service.ask(who, sql, "test").table

    def marks(self) -> dict[str, list[str] | None]:
        return {row["uscc"]: row["tickets"] for row in self.ask().to_pylist()}


@pytest.fixture
def town(tmp_path: Path, state: Database) -> Iterator[Town]:
    made = Town(tmp_path, state)
    yield made
    made.service.close()


def hashed(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


def test_without_tickets_there_is_null(town: Town) -> None:
    assert town.marks() == {"a": None, "b": None, "c": None}


def test_rows_of_an_issue_are_those_of_its_evidence(town: Town) -> None:
    town.broken("d-1", 2, "one")
    town.broken("d-1", 2, "two")
    town.broken("d-2", 2, "one")
    town.broken("d-1", 3, "other")
    town.tickets(
        {"ticket": "T-1", "rule": "one", "delivery": "d-1"},
        {"ticket": "T-1", "rule": "one", "delivery": "d-2"},
        {"ticket": "T-2", "rule": "two", "delivery": "d-1"},
    )
    assert town.marks() == {"a": ["T-1", "T-2"], "b": None, "c": ["T-1"]}


def test_a_request_names_its_record_by_the_key_or_its_first_fields(town: Town) -> None:
    town.broken("d-1", 2, "one")
    town.tickets(
        {"ticket": "T-1", "rule": "one", "delivery": "d-1"},
        {"ticket": "T-2", "rule": "", "record": hashed("a,2026-01-12 06:00:00"), "key_fields": "uscc,seen_at"},
        {"ticket": "T-3", "rule": "", "record": hashed("b"), "key_fields": "uscc"},
        {"ticket": "T-4", "rule": "", "record": hashed("b"), "key_fields": "gone"},
    )
    assert town.marks() == {"a": ["T-1", "T-2"], "b": ["T-3"], "c": None}


def test_it_follows_the_tickets(town: Town) -> None:
    town.broken("d-1", 2, "one")
    for number in range(6):
        town.tickets({"ticket": f"T-{number}", "rule": "one", "delivery": "d-1"})
        assert town.marks()["a"] == [f"T-{number}"]
    town.tickets()
    assert town.marks() == {"a": None, "b": None, "c": None}


def test_tickets_of_another_dataset_are_not_of_this_one(town: Town) -> None:
    town.broken("d-1", 2, "one")
    town.tickets({"ticket": "T-1", "rule": "one", "delivery": "d-1"} | {"dataset": "air_quality_hourly"})
    assert town.marks()["a"] is None


def test_an_earlier_version_has_the_tickets_of_today(town: Town) -> None:
    town.broken("d-1", 2, "one")
    town.tickets({"ticket": "T-1", "rule": "one", "delivery": "d-1"})
    later = SILVER.slice(0, 1).set_column(0, "uscc", pa.array(["z"]))
    town.lake.delta.put(town.lake.path(Zone.SILVER, DATASET), later)
    assert town.marks() == {"a": ["T-1"], "b": None, "c": None, "z": ["T-1"]}
    before = town.ask(f"SELECT uscc, tickets FROM {MARKED} AT (VERSION => 0) ORDER BY uscc").to_pylist()
    assert [row["tickets"] for row in before] == [["T-1"], None, None]


def test_the_column_has_another_name_where_the_data_has_one_of_that_name(tmp_path: Path, state: Database) -> None:
    town = Town(tmp_path, state)
    own = pa.table({"tickets": ["王小明"], "_delivery": ["d-9"], "_file": ["x.csv"], "_row": [9]})
    town.lake.delta.put(town.lake.path(Zone.SILVER, "air_quality_hourly"), own)
    found = town.ask("SELECT * FROM marked.air_quality_hourly", ANALYST)
    assert "_tickets" in found.column_names and "tickets" not in found.column_names, "beyond the contract: hidden"


def test_who_may_not_see_the_data_or_only_by_a_grant_has_no_such_table(town: Town) -> None:
    with pytest.raises(UserError, match="no table"):
        town.ask(who=STRANGER)


def test_masks_are_those_of_silver(town: Town) -> None:
    lake, _ = asked_lake(town.lake.delta.root.parent / "persons")
    town.service = SqlService(lake, town.service.log._database, lambda: town.registry)  # type: ignore[arg-type]
    shown = str(town.ask(f"SELECT * FROM {MARKED}", ANALYST).to_pylist())
    assert not [word for word in SECRETS if word in shown]


def test_it_is_described_and_listed_with_its_title(town: Town) -> None:
    described = {row["column"]: row for row in town.ask(f"DESCRIBE {MARKED}").to_pylist()}
    assert described["tickets"]["type"] == "VARCHAR[]" and described["tickets"]["comment"].startswith("未关闭工单")
    assert ("marked", DATASET) in [(row["schema"], row["table"]) for row in town.ask("SHOW TABLES").to_pylist()]
    (plan,) = town.ask(f"EXPLAIN SELECT * FROM {MARKED}").to_pylist()
    assert plan["rows"] == 3


def test_the_grade_counts_the_column(town: Town) -> None:
    answer = town.service.ask(OWNER, f"SELECT tickets FROM {MARKED}", "test")
    assert answer.grade.name == "L2"
    assert replace(answer.grade, name="") == replace(town.service.ask(OWNER, "SELECT 1", "test").grade, name="")


def test_its_columns_are_listed_without_a_look_at_evidence(town: Town) -> None:
    town.broken("d-1", 2, "one")
    town.tickets({"ticket": "T-1", "rule": "one", "delivery": "d-1"})
    town.lake.delta.opened.clear()
    (marked,) = [table for table in town.service.tables(OWNER) if str(table.name) == MARKED]
    assert "tickets" in [column.name for column in town.service.columns(marked)]
    assert not [name for name in town.lake.delta.opened if name.startswith("evidence")]
    assert town.marks()["a"] == ["T-1"]
