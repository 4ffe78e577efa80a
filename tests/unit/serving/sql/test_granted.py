"""Grants as they are given, used and ended: rights, the chain, and every way on which an ended one opens nothing."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest

from jobs.access.grants import Scope
from jobs.contracts import Registry
from jobs.errors import InvalidTransition, LakeError, NotAllowed, Unknown, UserError
from jobs.lake.database import Database
from jobs.lake.zones import Zone
from jobs.serving.access_log import AccessLog
from jobs.serving.accounts import Accounts, Person
from jobs.serving.grant_service import GrantService
from jobs.serving.sql.export import download
from jobs.serving.sql.service import SqlService
from tests.unit.lake.local_lake import LocalLake
from tests.unit.serving.portal.portal_city import shipped
from tests.unit.serving.sql.city import ANALYST, IDENTITIES, OWNER, PERSONS, STRANGER, TABLE, asked_lake

FIRST = datetime(2026, 1, 12, tzinfo=UTC)
DATASET = TABLE.partition(".")[2]


class Clock:
    """A clock that the test moves."""

    at = FIRST

    def __call__(self) -> datetime:
        return self.at


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def cat(tmp_path: Path) -> Registry:
    return asked_lake(tmp_path)[1]


@pytest.fixture
def service(cat: Registry, state: Database, clock: Clock, tmp_path: Path) -> Iterator[SqlService]:
    made = SqlService(asked_lake(tmp_path / "lake")[0], state, lambda: cat, clock)  # type: ignore[arg-type]
    yield made
    made.close()


@pytest.fixture
def grants(cat: Registry, state: Database, clock: Clock) -> GrantService:
    return GrantService(state, cat, clock)


def scope(**changes: object) -> Scope:
    given = {"dataset": DATASET, "department": STRANGER.department, "view": "granted", "purpose": "联合执法", **changes}
    return Scope(**{"expires_at": FIRST + timedelta(days=1), **given})  # type: ignore[arg-type]


def test_a_grant_opens_the_dataset_with_its_purpose_in_answer_and_chain(
    service: SqlService, grants: GrantService, state: Database
) -> None:
    with pytest.raises(Unknown):
        service.ask(STRANGER, f"FROM {TABLE}", "test")
    given = grants.give(OWNER, scope())
    answer = service.ask(STRANGER, f"SELECT legal_rep_name, legal_rep_id_no FROM {TABLE} ORDER BY uscc DESC", "wire")
    assert answer.table["legal_rep_name"].to_pylist() == list(PERSONS)
    assert answer.table["legal_rep_id_no"].to_pylist() == list(IDENTITIES)
    assert answer.grade.notice().endswith("；依授权 1，用途：联合执法，有效至 2026-01-13 08:00")
    download(service, STRANGER, answer, "csv")
    rows, total = AccessLog(state).rows(1, 10)
    assert total == 3 and AccessLog(state).verified().broken is None
    assert [row.access.action for row in rows] == ["download", "sql", "grant"]
    assert all(given.notice() in row.access.reason for row in rows)
    with pytest.raises(Unknown):
        service.ask(STRANGER, f"FROM quarantine.{DATASET}", "test")


def test_a_grant_that_has_expired_or_ended_opens_nothing(
    service: SqlService, grants: GrantService, clock: Clock
) -> None:
    grants.give(OWNER, scope())
    assert service.ask(STRANGER, f"FROM {TABLE}", "test").table.num_rows == 2
    clock.at = FIRST + timedelta(days=1)
    for sql in (f"FROM {TABLE}", f"DESCRIBE {TABLE}", f"EXPLAIN FROM {TABLE}"):
        with pytest.raises(Unknown):
            service.ask(STRANGER, sql, "test")
    assert TABLE not in {str(table.name) for table in service.tables(STRANGER)}
    ended = grants.give(OWNER, scope(expires_at=None))
    assert service.ask(STRANGER, f"FROM {TABLE}", "test").table.num_rows == 2
    grants.end(OWNER, ended.id)
    with pytest.raises(Unknown):
        service.ask(STRANGER, f"FROM {TABLE}", "test")


def test_a_grant_for_one_person_of_the_bureau_opens_nothing_to_colleagues(
    service: SqlService, grants: GrantService, state: Database
) -> None:
    Accounts(state).add(Person("zhou", ANALYST.role, "bureau", "周分析"), FIRST)
    analyst = replace(ANALYST, name="周分析（zhou）")
    grants.give(OWNER, scope(department="bureau", account="zhou"))
    sql = f"SELECT legal_rep_name FROM {TABLE} ORDER BY uscc DESC"
    assert service.ask(analyst, sql, "test").table["legal_rep_name"].to_pylist() == list(PERSONS)
    colleague = service.ask(replace(ANALYST, name="别人"), sql, "test")
    assert colleague.table["legal_rep_name"].to_pylist() == ["王**", "张**"] and "授权" not in colleague.grade.notice()


def test_only_the_owner_gives_and_ends_grants(grants: GrantService) -> None:
    for actor in (STRANGER, ANALYST, replace(OWNER, role="reporter"), replace(OWNER, department="hotline_12345")):
        with pytest.raises(NotAllowed):
            grants.give(actor, scope())
    for wrong in (
        {"dataset": "nothing"},
        {"view": "nothing"},
        {"department": OWNER.department},
        {"department": ""},
        {"department": "nobody"},
        {"account": "x" * 61},
        {"account": "nobody"},
        {"expires_at": FIRST},
        {"purpose": "长" * 501},
    ):
        with pytest.raises(UserError):
            grants.give(OWNER, scope(**wrong))
    given = grants.give(OWNER, scope())
    for actor, id_ in ((STRANGER, given.id), (OWNER, 99)):
        with pytest.raises(LakeError):
            grants.end(actor, id_)
    ended = grants.end(OWNER, given.id)
    with pytest.raises(InvalidTransition):
        grants.end(OWNER, given.id)
    assert ended.ended_at == FIRST


def test_departments_read_products_and_only_their_rows_where_these_are_kept_apart(
    state: Database, tmp_path: Path
) -> None:
    lake, cat = LocalLake(tmp_path), shipped()
    whole = cat.contract("air_quality_day")
    assert whole.product is not None
    apart = replace(whole, product=whole.product.model_copy(update={"department_field": "division_code"}))
    title = next(c.department for c in cat.sources() if c.provider == STRANGER.department)
    rows = pa.table({"division_code": [STRANGER.department, title, "other", None], "aqi_day": [1, 2, 3, 4]})
    lake.delta.put(lake.path(Zone.GOLD, whole.id), rows)
    for contract, seen in ((whole, [1, 2, 3, 4]), (apart, [1, 2])):
        changed = Registry({**cat.contracts, whole.id: contract}, cat.rules)
        service = SqlService(lake, state, lambda changed=changed: changed)  # type: ignore[arg-type,misc]
        sql = f"SELECT aqi_day FROM gold.{whole.id} ORDER BY 1"
        assert service.ask(STRANGER, sql, "test").table["aqi_day"].to_pylist() == seen
        assert service.ask(ANALYST, sql, "test").table["aqi_day"].to_pylist() == [1, 2, 3, 4]
        service.close()
