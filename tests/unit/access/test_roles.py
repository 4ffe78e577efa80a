"""Only the department whose data it is reads sensitive values; nobody reads more for an unknown role or grade."""

from pathlib import Path

import pytest

from jobs.access.masking import HIDDEN, Masking
from jobs.access.policy import Mask, Right, access_policy
from jobs.access.rights import check_right, may_deliver, may_know, reads_request
from jobs.access.roles import (
    acts_for_department,
    department_roles,
    owner_view,
    reads_as_sent,
    role_labels,
    view_of,
    view_words,
)
from jobs.contracts import Contract, Field
from jobs.errors import NotAllowed
from jobs.model.actor import SYSTEM, Actor

OWNER, ANOTHER, BUREAU = "gas_company", "water_company", "bureau"
ROLES = tuple(role_labels())
CITY_ROLES = tuple(name for name in ROLES if name not in department_roles())
PHONE = "13806351234"


def shown(value: str, grade: str, actor: Actor) -> str:
    field = Field("f", "字段", "string", classification=grade)
    contract = Contract("d", "d", "1", "source", OWNER, "部门", "", (field,), Path("d.yaml"))
    return Masking(contract, view_of(actor, OWNER)).value(value, ("f",))


@pytest.mark.parametrize("role", department_roles())
def test_the_department_whose_data_it_is_reads_every_grade_as_sent(role: str) -> None:
    actor = Actor(role, OWNER, "")
    assert reads_as_sent(actor, OWNER) and may_deliver(actor, OWNER)
    assert [shown(PHONE, grade, actor) for grade in access_policy().grades] == [PHONE] * 4


@pytest.mark.parametrize("actor", [*(Actor(r, ANOTHER, "") for r in department_roles()), *(Actor(r, OWNER, "") for r in CITY_ROLES)])  # fmt: skip
def test_everybody_else_sees_masks_even_with_the_departments_name(actor: Actor) -> None:
    assert not reads_as_sent(actor, OWNER) and not may_deliver(actor, OWNER)
    assert [shown(PHONE, grade, actor) for grade in access_policy().grades] == ["138****1234"] * 3 + [HIDDEN]
    assert shown("东昌府区", "L2", actor) == "东昌府区" and shown("东昌府区", "L3", actor) == "东***"


def test_an_unknown_grade_is_hidden() -> None:
    assert shown(PHONE, "C1", Actor("analyst", BUREAU, "")) == HIDDEN
    assert set(owner_view().values()) == {Mask.AS_SENT}


def test_a_role_that_does_not_exist_sees_nothing() -> None:
    nobody = Actor("boss", BUREAU, "")
    for question in (acts_for_department, lambda a: may_know(a, OWNER), lambda a: view_of(a, OWNER)):
        with pytest.raises(NotAllowed, match="没有角色「boss」"):
            question(nobody)
    with pytest.raises(NotAllowed, match="「boss」不能查看全市总览；须由质量专员、督办领导、"):
        check_right(nobody, Right.OVERSEE, "查看全市总览")


def test_a_department_sees_its_own_deliveries_only() -> None:
    known = {role: may_know(Actor(role, ANOTHER, ""), OWNER) for role in ROLES}
    assert known == {role: role in CITY_ROLES for role in ROLES}


def test_the_record_of_a_request_is_visible_to_both_parties_and_mediators() -> None:
    owner, requester = Actor("reporter", OWNER, ""), Actor("approver", ANOTHER, "")
    third = Actor("reporter", "transport", "")
    assert [reads_request(actor, OWNER, ANOTHER) for actor in (owner, requester, third, SYSTEM)] == [
        True,
        True,
        False,
        True,
    ]
    readers = [role for role in CITY_ROLES if reads_request(Actor(role, BUREAU, ""), OWNER, ANOTHER)]
    assert readers == ["quality_officer", "machine"]


def test_a_view_in_words_says_what_each_grade_shows() -> None:
    assert view_words("granted") == "L1 公开、L2 内部、L3 敏感：原值；L4 高度敏感：不可见"
    assert view_words("outsider") == "L1 公开、L2 内部：个人号码打码；L3 敏感：只显示首尾；L4 高度敏感：不可见"
    assert view_words("removed") == "removed"
