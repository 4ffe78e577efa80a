"""Registers: what an item needs, its certificate, its review, and what keeps it from counting."""

import hashlib
import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import mlcroissant
import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake

from jobs.catalogue.counting import DatasetState, Reviewed, counted, progress
from jobs.catalogue.registers import RegisterItem, Selection, registers
from jobs.catalogue.training_rows import certificate, condition_columns, json_lines
from jobs.collaboration import Tickets
from jobs.contracts import Registry
from jobs.errors import PolicyRefusal, UserError
from jobs.lake.zones import TablePath, Zone
from jobs.model.actor import Actor
from jobs.pipeline.document_checks import document_checks
from jobs.pipeline.registers import CityRegisters, registered_versions
from jobs.pipeline.storage_use import measure_storage, newest_storage
from tests.unit.collaboration.samples import APPROVER, LEADER, OFFICER, REPORTER, ZONE, at
from tests.unit.serving.portal.portal_city import City, city, shipped

NOW = at("2026-01-12")
SCENE = {
    "register_name": "scene",
    "title": "渣土运输监管",
    "datasets": ("divisions",),
    "status": "in_use",
    "facts": {"purpose": "发现未加盖车辆", "user_unit": "城市管理局", "field": "城市管理", "effect": "每周发现 30 起"},
}
CHECKED = ("submit", "endorse", "publish")
STATE = DatasetState("行政区划", False, True, True, False, NOW, 96.0)


@pytest.fixture
def town(made_url: str, tmp_path: Path) -> Iterator[City]:
    made = city(tmp_path, made_url)
    yield made
    made.portal.tickets.database.close()
    made.portal.lake.ledger.close()
    made.portal.lake.streams.close()


def registers_of(town: City) -> CityRegisters:
    return CityRegisters(town.portal.lake, shipped(), town.portal.tickets)


def published(town: City, ticket: str) -> None:
    for event, actor in (("submit", REPORTER), ("endorse", APPROVER), ("publish", OFFICER)):
        seen = town.portal.tickets.ticket(ticket, actor, NOW).version
        facts = {"endorse": {"approver": "李四"}, "publish": {"confirmation": "同意"}}.get(event, {})
        town.portal.tickets.move(ticket, event, actor, seen, NOW, facts=facts)


def mounted(town: City) -> TablePath:
    """Three divisions in the curated table."""
    path = town.portal.lake.path(Zone.SILVER, "divisions")
    names = [field.name for field in shipped().contract("divisions").fields]
    columns = {name: pa.array(["371502", "371502", "371521"]) for name in names}
    town.portal.lake.delta.put(path, pa.table(columns))  # type: ignore[attr-defined]
    return path


def test_an_item_is_drafted_reviewed_and_changed(town: City) -> None:
    city_registers = registers_of(town)
    ticket = city_registers.propose(SCENE, (REPORTER, NOW))
    published(town, ticket)
    record = city_registers.item("CJ-0001", NOW)
    assert (record.state(), record.current().provider, len(record.versions)) == ("已发布", "civil_affairs", 1)
    second = city_registers.propose({**SCENE, "id": "CJ-0001", "status": "retired"}, (REPORTER, NOW))
    assert city_registers.item("CJ-0001", NOW).state() == "变更中（草稿）"
    published(town, second)
    assert [v.version for v in city_registers.item("CJ-0001", NOW).versions] == [1, 2]
    assert city_registers.propose({**SCENE, "title": "另一场景"}, (REPORTER, NOW)) != second
    assert [r.current().id for r in city_registers.items(NOW)] == ["CJ-0001", "CJ-0002"]


def test_the_bureau_registers_its_own_and_its_leader_endorses(town: City) -> None:
    ticket = registers_of(town).propose(SCENE, (OFFICER, NOW))
    tickets = town.portal.tickets
    for event, actor, facts in (
        ("submit", OFFICER, {}),
        ("endorse", LEADER, {"approver": "孙八"}),
        ("publish", OFFICER, {"confirmation": "同意"}),
    ):
        tickets.move(ticket, event, actor, tickets.ticket(ticket, actor, NOW).version, NOW, facts=facts)
    assert registers_of(town).item("CJ-0001", NOW).state() == "已发布"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"title": " "}, "须写明名称"),
        ({"datasets": ("nowhere",)}, "没有数据集 nowhere"),
        ({"facts": {**SCENE["facts"], "freshness_h": "每天"}}, "须是数"),  # type: ignore[dict-item]
        ({"facts": {**SCENE["facts"], "licence": "x"}}, "没有「licence」这一项"),  # type: ignore[dict-item]
        ({"register_name": "planet"}, "没有登记册 planet"),
        ({"status": "gone"}, "status"),
    ],
)
def test_what_is_unknown_or_wrong_is_said_and_nothing_saved(town: City, change: dict[str, object], said: str) -> None:
    with pytest.raises(UserError) as error:
        registers_of(town).propose({**SCENE, **change}, (REPORTER, NOW))
    assert said in str(error.value)
    assert registers_of(town).items(NOW) == ()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"facts": {"purpose": "x"}}, "须写明使用单位、应用领域"),
        ({"datasets": ()}, "须写明所用的数据集"),
        ({"register_name": "training_set", "facts": {}}, "须写明用途、使用许可；须写明取自哪张表的哪些行"),
    ],
)
def test_an_incomplete_draft_is_saved_but_goes_no_further(town: City, change: dict[str, object], said: str) -> None:
    city_registers, tickets = registers_of(town), town.portal.tickets
    ticket = city_registers.propose({**SCENE, **change}, (REPORTER, NOW))
    assert "；".join(city_registers.shortcomings(tickets.ticket(ticket, REPORTER, NOW))) == said
    with pytest.raises(PolicyRefusal, match="还不能「提交」") as error:
        published(town, ticket)
    assert said in str(error.value) and tickets.ticket(ticket, REPORTER, NOW).state == "draft"


def test_a_completed_draft_is_published_and_every_step_is_checked(town: City) -> None:
    city_registers, tickets = registers_of(town), town.portal.tickets
    ticket = city_registers.propose({**SCENE, "facts": {}}, (REPORTER, NOW))
    assert city_registers.propose({**SCENE, "id": "CJ-0001"}, (REPORTER, NOW)) == ticket
    assert city_registers.shortcomings(tickets.ticket(ticket, REPORTER, NOW)) == []
    gone = Tickets(tickets.database, shipped().providers, ZONE, document_checks(lambda: Registry({}, {})))
    with pytest.raises(PolicyRefusal, match="没有数据集 divisions"):
        gone.move(ticket, "submit", REPORTER, tickets.ticket(ticket, REPORTER, NOW).version, NOW)
    published(town, ticket)
    assert city_registers.item("CJ-0001", NOW).state() == "已发布"
    steps = [one for one in tickets.state_machine().steps if "register_item" in one.kinds and one.event in CHECKED]
    assert len(steps) == 3 and {one.check for one in steps} == {"register_item_complete"}


def test_a_training_set_is_certified_and_found_again(town: City) -> None:
    mounted(town)
    city_registers = registers_of(town)
    rows = city_registers.selection("divisions:newest:division_code,division_name", "division_code = '371502'")
    stated = {
        "register_name": "training_set",
        "title": "区划训练集",
        "datasets": ("divisions",),
        "facts": {"purpose": "地名识别", "licence": "政务内部使用"},
        "selection": rows,
    }
    ticket = city_registers.propose(stated, (REPORTER, NOW))
    published(town, ticket)
    record = city_registers.item("XL-0001", NOW)
    made = record.current().certificate
    assert made is not None and (made.rows, made.grade, made.complete["division_code"]) == (2, "L1", 1.0)
    lines = b"".join(city_registers.rows(record.current()))
    assert hashlib.sha256(lines).hexdigest() == made.digest == city_registers.recomputed(record.current(), NOW).digest
    assert registered_versions(town.portal.tickets) == {"divisions": (rows.version,)}
    dataset = mlcroissant.Dataset(json.loads(city_registers.card(record)))
    assert dataset.metadata.name == "XL-0001" and not dataset.metadata.ctx.issues.errors
    with pytest.raises(UserError, match="没有第"):
        city_registers.selection("divisions:99:division_code", "")


def test_a_change_of_the_rows_is_found(tmp_path: Path) -> None:
    contract = shipped().contract("divisions")
    names = tuple(field.name for field in contract.fields)
    tables = []
    for number, values in enumerate((["b", "a"], ["a", "b"], ["a", "c"])):
        write_deltalake(tmp_path / str(number), pa.table(dict.fromkeys(names, pa.array(values))))
        tables.append(DeltaTable(tmp_path / str(number), version=0))
    selection = Selection(dataset="divisions", version=0, columns=names)
    digests = [certificate(table, selection, contract, NOW).digest for table in tables]
    assert digests[0] == digests[1] != digests[2]
    assert b"".join(json_lines(tables[0], selection, contract)).count(b"\n") == 2


@pytest.mark.parametrize(
    "condition",
    [
        *(
            "a = (SELECT 1)",
            "read_csv('x') IS NULL",
            "t.a = 1",
            "a = 1 GROUP BY a",
            "a = 1; DROP TABLE t",
            "a = 1 LIMIT 3",
        ),
        *("a = ", "random() < 0.5", "a ~ 'x'", "EXISTS (SELECT 1)"),
    ],
)
def test_a_condition_compares_columns_with_values_only(condition: str) -> None:
    with pytest.raises(UserError):
        condition_columns(condition)


def test_a_condition_over_personal_values_is_refused(town: City) -> None:
    contract = next(c for c in shipped().sources() if any(f.classification >= "L3" for f in c.fields))
    field = next(f for f in contract.fields if f.classification >= "L3")
    path = town.portal.lake.path(Zone.SILVER, contract.id)
    town.portal.lake.delta.put(path, pa.table({f.name: pa.array(["x"]) for f in contract.fields}))  # type: ignore[attr-defined]
    city_registers = registers_of(town)
    stated = {
        **{"register_name": "training_set", "title": "x", "datasets": (contract.id,), "facts": {"purpose": "x", "licence": "x"}},
        "selection": city_registers.selection(f"{contract.id}:newest:{field.name}", f"{field.name} = 'x'"),
    }  # fmt: skip
    actor = Actor("reporter", contract.provider, "张三")
    with pytest.raises(UserError, match="筛选条件不能使用 L"):
        city_registers.propose(stated, (actor, NOW))
    stated["selection"] = city_registers.selection(f"{contract.id}:newest:{field.name}", "")
    with pytest.raises(UserError, match="个人信息处理的依据"):
        city_registers.propose(stated, (actor, NOW))
    facts = {"purpose": "x", "licence": "x"}
    city_registers.propose({**stated, "facts": {**facts, "consent_basis": "已取得同意"}}, (actor, NOW))
    ticket = city_registers.propose({**stated, "id": "XL-0001", "facts": facts}, (actor, NOW))
    (lacking,) = city_registers.shortcomings(town.portal.tickets.ticket(ticket, actor, NOW))
    assert "个人信息处理的依据" in lacking, "the basis was taken out again, the rows and their certificate stayed"


def reasons(item: RegisterItem, state: DatasetState | None = STATE, when: datetime | None = NOW) -> str:
    states = {"divisions": state} if state else {}
    return "；".join(counted([Reviewed(item, when)], states, NOW)[0].reasons)


def test_what_counts_and_why_not() -> None:
    scene = RegisterItem.model_validate({**SCENE, "id": "CJ-0001", "provider": "x"})

    def changed(**change: object) -> DatasetState:
        return DatasetState(**{**STATE.__dict__, **change})  # type: ignore[arg-type]

    assert reasons(scene) == ""
    assert "还没有审核发布" in reasons(scene, when=None)
    assert "在建" in reasons(scene.model_copy(update={"status": "planned"}))
    assert "目录没有发布" in reasons(scene, changed(is_catalogued=False))
    assert "没有数据" in reasons(scene, changed(is_mounted=False))
    assert "没有按时更新" in reasons(scene, changed(is_late=True))
    assert "低于 80 分" in reasons(scene, changed(score=79.9))
    assert "还没有得分" in reasons(scene, changed(score=None))
    assert "重新提交审核" in reasons(scene, when=NOW - timedelta(days=366))
    assert "没有写明成效" in reasons(scene.model_copy(update={"facts": {"purpose": "x"}}))
    assert reasons(scene, None).count("divisions") == 4, "a dataset that no longer exists"
    strict = scene.model_copy(update={"facts": {**scene.facts, "freshness_h": "2", "least_score": "97"}})
    assert "低于 97 分" in reasons(strict)
    assert "没有按时更新" in reasons(strict, changed(newest_at=NOW - timedelta(hours=3)))


def test_a_model_counts_with_the_sets_that_it_was_trained_on() -> None:
    common = {"provider": "x", "datasets": ("divisions",), "status": "in_use"}
    made = {"rows": 3, "digest": "x", "grade": "L1", "at": "2026-01-12"}
    training = RegisterItem.model_validate(
        {**common, "register_name": "training_set", "id": "XL-0001", "title": "a", "certificate": made}
    )
    facts = {"trained_on": "XL-0001", "effect": "x"}
    model = RegisterItem.model_validate(
        {**common, "register_name": "model", "id": "MX-0001", "title": "b", "facts": facts}
    )
    states = {"divisions": STATE}
    both = counted([Reviewed(model, NOW), Reviewed(training, NOW)], states, NOW)
    assert [one.reasons for one in both] == [(), ()]
    assert {(p.target.title, p.counted) for p in progress(both)} >= {("数据训练集与应用模型", 2), ("城市大脑场景", 0)}
    without = counted([Reviewed(model, NOW), Reviewed(training, None)], states, NOW)
    assert without[0].reasons == ("训练所用的XL-0001没有计入",)


def test_the_policy_names_what_exists() -> None:
    policy = registers()
    for register in policy.registers.values():
        assert set(register.facts()) <= set(policy.facts)
        assert set(register.counts) <= set(policy.checks)
    assert all(set(target.registers) <= set(policy.registers) for target in policy.plan)
    assert len({register.prefix for register in policy.registers.values()}) == len(policy.registers)


def test_storage_is_measured_by_day(town: City) -> None:
    path = mounted(town)
    assert newest_storage(town.portal.lake) == ("", {})
    town.store.put_bytes(f"{path.key}/part.parquet", b"x" * 100)
    town.store.put_bytes(f"{Zone.QUARANTINE}/divisions/part.parquet", b"x" * 10)
    town.store.put_bytes(f"{Zone.SILVER}/somebody_else/part.parquet", b"x" * 10)
    assert measure_storage(town.portal.lake, shipped()) == {"divisions": 110}
    day, sizes = newest_storage(town.portal.lake)
    assert sizes == {"divisions": 110} and abs(date.fromisoformat(day) - datetime.now(UTC).date()) <= timedelta(days=1)
