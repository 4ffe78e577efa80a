"""A delivery withdrawn uncovers what stood beneath it: exactly, however often a step runs, and only what still stands."""

from collections.abc import Callable
from pathlib import Path

import pytest

from jobs.contracts import Registry
from jobs.ingest.land import Manifest, deliver
from jobs.lake.lake import Lake
from jobs.lake.zones import Zone
from jobs.model.delivery import State
from jobs.model.verdict import Verdict
from jobs.pipeline.conform import conform
from jobs.pipeline.ingestion import land, load
from tests.contract_texts import contract

FIELDS = """
      - {name: no, businessName: 编号, logicalType: string, required: true, primaryKey: true, primaryKeyPosition: 1}
      - {name: state, businessName: 状态, logicalType: string, enum: [{value: 有效}, {value: 注销}, {value: 停用}]}
      - {name: level, businessName: 读数, logicalType: number}
"""
SUITE = """name: lamp
expectations:
  - id: level_low
    type: expect_column_values_to_be_between
    kwargs: {column: level, max_value: 10}
    severity: warning
    meta: {dimension: 准确性, message: 读数偏高, remedy: 请核对, basis: 约定}
  - id: not_stopped
    type: expect_column_values_to_not_be_in_set
    kwargs: {column: state, value_set: [停用]}
    severity: warning
    meta: {dimension: 准确性, message: 已停用, remedy: 请核对, basis: 约定}
"""
PLACE = "schemas/sources/heat/lamp.yaml"
Push = Callable[..., Verdict]


@pytest.fixture
def write(write_contracts: Callable[..., Registry]) -> Callable[..., Registry]:
    def go(mode: str = "merge", fields: str = FIELDS, more: str = "") -> Registry:
        properties = f"  - {{property: write, value: {{mode: {mode}}}}}\n{more}"
        return write_contracts(
            {PLACE: contract("lamp", fields, properties), "expectations/sources/heat/lamp.yaml": SUITE}
        )

    return go


@pytest.fixture
def push(lake: Lake, tmp_path: Path) -> Push:
    """Delivers rows, taken through land and conform unless `judge` is false."""
    sent: list[str] = []

    def go(registry: Registry, rows: str, judge: bool = True, **manifest: object) -> Verdict | str:
        file = tmp_path / f"{len(sent)}.csv"
        sent.append(rows)
        file.write_text("编号,状态,读数\n" + "".join(f"{row}\n" for row in rows.split()), "utf-8")
        deliver(lake.store, [file], "lamp", "heat", Manifest(**manifest))
        (landed,) = land(lake, registry)
        return conform(lake, registry, landed.delivery.id) if judge else landed.delivery.id

    return go


def silver(lake: Lake) -> dict[str, tuple[object, ...]]:
    rows = lake.tables.read(lake.path(Zone.SILVER, "lamp")).collect()
    found = {r.no: (r.state, r.level, r._delivery, r._seq, r._file, r._row, r._marks) for r in rows}
    assert len(found) == len(rows)
    return found


def states(lake: Lake) -> dict[str, object]:
    return {no: row[0] for no, row in sorted(silver(lake).items())}


ALL = "L1,有效,1 L2,有效,20 L3,有效,3 L4,停用,20 L5,有效,bad L6,有效,6 L6,有效,6"


def test_what_a_replaced_delivery_had_overwritten_comes_back_as_it_was_judged(
    lake: Lake, write: Callable[..., Registry], push: Push
):
    registry = write()
    first = push(registry, ALL)
    before = silver(lake)
    assert (first.copies, first.failed_rows) == (1, 1)
    second = push(registry, "L2,注销,1 L3,注销,1 L4,注销,1 L5,注销,1 L6,注销,1 L7,有效,1")
    third = push(registry, "L2,停用,30", supersedes=second.delivery)
    assert states(lake) == {"L1": "有效", "L2": "停用", "L3": "有效", "L4": "停用", "L6": "有效"}
    after = silver(lake)
    assert {no: after[no] for no in ("L1", "L3", "L4", "L6")} == {no: before[no] for no in ("L1", "L3", "L4", "L6")}
    assert after["L4"][-1] == ["level_low", "not_stopped"] and after["L3"][-1] is None
    conform(lake, registry, third.delivery)
    assert silver(lake) == after
    conform(lake, registry, second.delivery)
    assert silver(lake) == after, "what was replaced does not come back by being judged again"
    conform(lake, registry, first.delivery)
    assert silver(lake) == after


def test_a_crash_between_the_write_and_the_ledger_changes_nothing(
    lake: Lake, write: Callable[..., Registry], push: Push, monkeypatch: pytest.MonkeyPatch
):
    registry = write()
    push(registry, ALL)
    second = push(registry, "L2,注销,1 L3,注销,1")
    third = push(registry, "L2,停用,1", judge=False, supersedes=second.delivery)

    def dies(*_: object) -> None:
        raise RuntimeError

    with monkeypatch.context() as patched:
        patched.setattr(type(lake.ledger), "supersede", dies)
        with pytest.raises(RuntimeError):
            conform(lake, registry, third)
    once = silver(lake)
    assert lake.ledger.get(second.delivery).superseded_by is None
    conform(lake, registry, third)
    assert silver(lake) == once and states(lake)["L3"] == "有效"
    assert lake.ledger.get(second.delivery).superseded_by == third


def test_chains_uncover_what_no_correction_replaced(lake: Lake, write: Callable[..., Registry], push: Push):
    registry = write()
    push(registry, "L1,有效,1 L2,有效,1 L3,有效,1 L4,有效,1")
    one = push(registry, "L2,注销,1 L3,注销,1 L4,注销,1")
    two = push(registry, "L2,停用,2 L3,停用,2", supersedes=one.delivery)
    assert states(lake) == {"L1": "有效", "L2": "停用", "L3": "停用", "L4": "有效"}
    refused = push(registry, "L2,错,2", supersedes=two.delivery)
    assert refused.state is State.REFUSED
    assert states(lake) == {"L1": "有效", "L2": "停用", "L3": "停用", "L4": "有效"}, (
        "a refused correction replaces nothing"
    )
    push(registry, "L2,注销,3", supersedes=refused.delivery)
    assert states(lake) == {"L1": "有效", "L2": "注销", "L3": "有效", "L4": "有效"}
    assert [d.superseded_by is None for d in lake.ledger.deliveries("lamp")] == [True, False, False, False, True]


def test_the_last_of_several_that_stand_comes_forward(lake: Lake, write: Callable[..., Registry], push: Push):
    registry = write()
    push(registry, "L1,有效,1 L2,有效,1")
    push(registry, "L1,停用,2")
    third = push(registry, "L1,注销,3 L2,注销,3 L9,有效,3")
    push(registry, "L2,停用,4")
    push(registry, "L8,有效,5", supersedes=third.delivery)
    assert states(lake) == {"L1": "停用", "L2": "停用", "L8": "有效"}


def test_where_the_first_row_stays_the_next_one_comes_forward(lake: Lake, write: Callable[..., Registry], push: Push):
    registry = write("append")
    first = push(registry, "L1,有效,1 L2,有效,1")
    push(registry, "L1,停用,2 L2,停用,2")
    push(registry, "L1,注销,3")
    assert states(lake) == {"L1": "有效", "L2": "有效"}
    push(registry, "L2,注销,4", supersedes=first.delivery)
    assert states(lake) == {"L1": "停用", "L2": "注销"}


def test_a_row_that_is_held_back_when_judged_again_uncovers_the_one_beneath(
    lake: Lake, write: Callable[..., Registry], push: Push
):
    registry = write()
    push(registry, "L1,有效,1 L2,有效,2")
    second = push(registry, "L1,注销,1 L2,停用,20")
    strict = write(
        fields=FIELDS.replace("logicalType: number", "logicalType: number, logicalTypeOptions: {maximum: 10}")
    )
    conform(lake, strict, second.delivery)
    assert states(lake) == {"L1": "注销", "L2": "有效"}


def test_a_correction_that_is_refused_when_judged_again_gives_all_back(
    lake: Lake, write: Callable[..., Registry], push: Push
):
    registry = write()
    push(registry, "L1,有效,1 L2,有效,2")
    one = push(registry, "L1,停用,1 L3,有效,3")
    two = push(registry, "L3,停用,4", supersedes=one.delivery)
    before = {"L1": "停用", "L2": "有效", "L3": "停用"}
    three = push(registry, "L2,注销,20", supersedes=two.delivery)
    assert states(lake) == {"L1": "有效", "L2": "注销"}
    strict = write(
        fields=FIELDS.replace("logicalType: number", "logicalType: number, logicalTypeOptions: {maximum: 10}")
    )
    for _ in range(2):
        assert conform(lake, strict, three.delivery).state is State.REFUSED
        assert states(lake) == {"L1": "有效", "L2": "有效", "L3": "停用"}
        assert [d.superseded_by for d in lake.ledger.deliveries("lamp")] == [None, two.delivery, None, None]
    assert before["L3"] == states(lake)["L3"]


def test_rows_without_a_key_come_back_whole_when_their_correction_is_refused(
    lake: Lake, write: Callable[..., Registry], push: Push
):
    fields = FIELDS.replace(", required: true, primaryKey: true, primaryKeyPosition: 1", "")
    registry = write("append", fields)
    first = push(registry, "L1,有效,1 L1,有效,1 L2,停用,20 L3,错,1")
    before = silver(lake)
    second = push(registry, "L9,有效,20", supersedes=first.delivery)
    assert list(silver(lake)) == ["L9"]
    strict = write(
        "append", fields.replace("logicalType: number", "logicalType: number, logicalTypeOptions: {maximum: 10}")
    )
    for _ in range(2):
        assert conform(lake, strict, second.delivery).state is State.REFUSED
        assert silver(lake) == before


def test_what_is_judged_after_its_correction_stays_out(lake: Lake, write: Callable[..., Registry], push: Push):
    registry = write()
    push(registry, "L1,有效,1")
    late = push(registry, "L1,注销,1 L2,注销,1", judge=False)
    push(registry, "L2,停用,1", supersedes=late)
    assert conform(lake, registry, late).state is State.ACCEPTED
    assert states(lake) == {"L1": "有效", "L2": "停用"}


def test_what_is_not_loaded_yet_is_loaded_before_it_is_judged(lake: Lake, write: Callable[..., Registry], push: Push):
    registry = write()
    landed = push(registry, "L1,有效,1", judge=False)
    assert lake.ledger.get(landed).state is State.LANDED
    assert conform(lake, registry, landed).state is State.ACCEPTED


def test_what_cannot_be_read_is_judged_with_its_reason(lake: Lake, write: Callable[..., Registry], tmp_path: Path):
    registry = write()
    (tmp_path / "x.csv").write_text("别的,列\n1,2\n", "utf-8")
    deliver(lake.store, [tmp_path / "x.csv"], "lamp", "heat", Manifest())
    (landed,) = land(lake, registry)
    verdict = conform(lake, registry, landed.delivery.id)
    assert verdict.state is State.UNREADABLE and "缺少列" in verdict.reason
    again = load(lake, registry, landed.delivery.id)
    assert again.reason == verdict.reason
