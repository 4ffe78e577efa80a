"""A delivery that is declared to be full removes from silver the rows that it lacks, and records each."""

from collections.abc import Callable
from pathlib import Path

import pytest

from jobs.contracts import Registry
from jobs.errors import ContractError
from jobs.lake.lake import Lake
from jobs.lake.results import Results
from jobs.lake.zones import Zone
from jobs.model.delivery import State
from jobs.model.verdict import Verdict
from jobs.pipeline import bronze
from jobs.pipeline.conform import conform
from jobs.pipeline.verification import verify
from tests.contract_texts import contract
from tests.spark.test_proof import push

FIELDS = """
      - {name: station, logicalType: string, required: true, primaryKey: true}
      - {name: homes, logicalType: integer, required: true}
"""
FIRST = "station,homes\n甲,12\n乙,30\n丙,7\n丁,9\n"


@pytest.fixture(params=[50_000, -1], ids=["small", "large"])
def _both_ways(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bronze, "FEW_ROWS", request.param)


WRITE = "  - {property: write, value: {mode: merge, full: true}}\n"
STRICT = "  - {property: acceptance, value: {max_failed_rows_pct: 10}}\n"


@pytest.fixture
def registry(write_contracts: Callable[..., Registry]) -> Registry:
    return write_contracts({"schemas/sources/heat/station.yaml": contract("station", FIELDS, WRITE)})


def silver(lake: Lake) -> dict[str, int]:
    table = lake.delta.open(lake.path(Zone.SILVER, "station"))
    assert table is not None
    rows = table.to_pyarrow_table(columns=["station", "homes"])
    return dict(zip(rows["station"].to_pylist(), rows["homes"].to_pylist(), strict=True))


def recorded(lake: Lake, delivery: str) -> list[tuple[str, str, int, str]]:
    """Key, earlier delivery, row there and severity of each removed row."""
    table = lake.delta.open(lake.path(Zone.EVIDENCE, "station"))
    filters = [("_delivery", "=", delivery), ("rule", "=", "delivery_removed_rows")]
    rows = [] if table is None else table.to_pyarrow_table(filters=filters).to_pylist()
    return sorted((row["key"], row["value"], row["_row"], row["severity"]) for row in rows)


def verdict(lake: Lake, delivery: str) -> Verdict:
    found = Results(lake.delta, lake.settings.s3_bucket).verdict(delivery)
    assert found is not None
    return found


@pytest.mark.usefixtures("_both_ways")
def test_rows_that_a_full_delivery_lacks_leave_with_a_record(lake: Lake, registry: Registry, tmp_path: Path) -> None:
    first = push(lake, registry, tmp_path / "a.csv", FIRST)
    # 丙 is held back, so that it is not gone: its last good row stays
    second = push(lake, registry, tmp_path / "b.csv", "station,homes\n甲,12\n丙,很多\n戊,3\n丁,9\n")
    assert silver(lake) == {"甲": 12, "丙": 7, "丁": 9, "戊": 3}
    assert recorded(lake, second) == [('{"station": "乙"}', first, 3, "info")]
    assert verdict(lake, second).state is State.PARTLY_QUARANTINED
    assert [verify(lake, registry, one).differing() for one in (first, second)] == [[], []]

    conform(lake, registry, second)  # as a task that is run again
    assert silver(lake) == {"甲": 12, "丙": 7, "丁": 9, "戊": 3}
    assert recorded(lake, second) == [('{"station": "乙"}', first, 3, "info")]


@pytest.mark.usefixtures("_both_ways")
def test_removed_rows_come_back_where_a_second_attempt_is_refused(
    lake: Lake, registry: Registry, write_contracts: Callable[..., Registry], tmp_path: Path
) -> None:
    push(lake, registry, tmp_path / "a.csv", FIRST)
    second = push(lake, registry, tmp_path / "b.csv", "station,homes\n甲,13\n丙,很多\n戊,3\n丁,9\n")
    assert silver(lake) == {"甲": 13, "丙": 7, "丁": 9, "戊": 3} and len(recorded(lake, second)) == 1

    strict = write_contracts({"schemas/sources/heat/station.yaml": contract("station", FIELDS, WRITE + STRICT)})
    for _ in range(2):
        conform(lake, strict, second)
        assert verdict(lake, second).state is State.REFUSED
        assert silver(lake) == {"甲": 12, "乙": 30, "丙": 7, "丁": 9} and recorded(lake, second) == []


def test_rows_that_a_later_full_delivery_lacks_too_stay_away(
    lake: Lake, registry: Registry, write_contracts: Callable[..., Registry], tmp_path: Path
) -> None:
    push(lake, registry, tmp_path / "a.csv", FIRST)
    second = push(lake, registry, tmp_path / "b.csv", "station,homes\n甲,13\n丙,很多\n戊,3\n丁,9\n")
    push(lake, registry, tmp_path / "c.csv", "station,homes\n甲,14\n丙,8\n戊,4\n丁,9\n")
    strict = write_contracts({"schemas/sources/heat/station.yaml": contract("station", FIELDS, WRITE + STRICT)})
    conform(lake, strict, second)
    assert silver(lake) == {"甲": 14, "丙": 8, "丁": 9, "戊": 4}


def test_nothing_leaves_where_a_key_cannot_be_read(lake: Lake, registry: Registry, tmp_path: Path) -> None:
    push(lake, registry, tmp_path / "a.csv", FIRST)
    second = push(lake, registry, tmp_path / "b.csv", "station,homes\n甲,12\n丙,7\n丁,9\n,30\n")
    assert silver(lake) == {"甲": 12, "乙": 30, "丙": 7, "丁": 9} and recorded(lake, second) == []


def test_a_full_delivery_that_lacks_most_rows_is_refused(lake: Lake, registry: Registry, tmp_path: Path) -> None:
    push(lake, registry, tmp_path / "a.csv", FIRST)
    second = push(lake, registry, tmp_path / "b.csv", "station,homes\n甲,13\n")
    assert silver(lake) == {"甲": 12, "乙": 30, "丙": 7, "丁": 9} and recorded(lake, second) == []
    assert verdict(lake, second).state is State.REFUSED
    assert "缺少已入库的 3 行（75.0%）" in verdict(lake, second).reason
    assert verify(lake, registry, second).differing() == []


def test_all_rows_of_an_earlier_delivery_may_leave(lake: Lake, registry: Registry, tmp_path: Path) -> None:
    push(lake, registry, tmp_path / "a.csv", "station,homes\n甲,12\n")
    push(lake, registry, tmp_path / "b.csv", "station,homes\n甲,12\n乙,3\n丙,4\n")
    third = push(lake, registry, tmp_path / "c.csv", "station,homes\n乙,3\n丙,4\n丁,5\n戊,6\n")
    assert silver(lake) == {"乙": 3, "丙": 4, "丁": 5, "戊": 6} and len(recorded(lake, third)) == 1


@pytest.mark.parametrize(
    ("fields", "write", "message"),
    [
        (FIELDS, "{mode: append, full: true}", "only with mode: merge"),
        (FIELDS.replace(", primaryKey: true", ""), "{full: true}", "needs a primary key"),
    ],
)
def test_rows_are_gone_by_their_key_alone(
    write_contracts: Callable[..., Registry], fields: str, write: str, message: str
) -> None:
    declared = contract("station", fields, f"  - {{property: write, value: {write}}}")
    with pytest.raises(ContractError, match=message):
        write_contracts({"schemas/sources/heat/station.yaml": declared})
