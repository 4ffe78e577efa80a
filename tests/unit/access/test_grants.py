"""Grants: whom they open what, until when, and that they never take anything from anybody."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from jobs.access.grants import (
    SHANGHAI,
    Grant,
    GrantState,
    InvalidGrant,
    Scope,
    end_of_day,
    mistakes,
    reading,
    rows_of_department,
)
from jobs.access.policy import Mask
from jobs.access.roles import outsider_view, owner_view
from jobs.contracts import Contract, Registry
from jobs.model.actor import Actor
from tests.unit.serving.portal.portal_city import shipped

NOW = datetime(2026, 1, 12, 8, tzinfo=UTC)
READER = Actor("reporter", "civil_affairs", "王（wang）")


@pytest.fixture(scope="module")
def cat() -> Registry:
    return shipped()


@pytest.fixture(scope="module")
def dataset(cat: Registry) -> Contract:
    return cat.contract("enterprise_registration")


def grant(**scope: object) -> Grant:
    given = {"dataset": "enterprise_registration", "department": "civil_affairs", "view": "granted", **scope}
    return Grant(1, Scope(**given), "钱审核", NOW)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("scope", "actor", "is_for"),
    [
        ({}, READER, True),
        ({}, replace(READER, department="hotline_12345"), False),
        ({"account": "wang"}, READER, True),
        ({"account": "wan"}, READER, False),
        ({"account": "wang"}, replace(READER, name="wang"), True),
        ({"account": "wang"}, replace(READER, name="王（wang）（li）"), False),
    ],
)
def test_a_grant_is_for_its_department_or_one_account_of_it(
    scope: dict[str, object], actor: Actor, is_for: bool
) -> None:
    assert grant(**scope).is_for(actor) is is_for


def test_a_grant_counts_until_it_expires_or_is_ended() -> None:
    until = grant(expires_at=NOW + timedelta(days=1))
    assert until.is_valid(NOW) and not until.is_valid(NOW + timedelta(days=1))
    assert not replace(until, ended_at=NOW).is_valid(NOW) and grant().is_valid(NOW + timedelta(days=9999))
    assert grant(purpose="核查", expires_at=NOW).notice() == "依授权 1，用途：核查，有效至 2026-01-12 16:00"


def test_the_state_says_why_a_grant_opens_nothing_any_more() -> None:
    day, until = timedelta(days=1), grant(expires_at=NOW + timedelta(days=1))
    assert until.state(NOW) == GrantState.VALID and until.state(NOW + day) == GrantState.EXPIRED
    assert replace(until, ended_at=NOW).state(NOW + day) == GrantState.ENDED
    assert replace(until, ended_at=NOW + 2 * day).state(NOW + 3 * day) == GrantState.EXPIRED
    assert replace(grant(), ended_at=NOW).state(NOW) == GrantState.ENDED


def test_a_day_counts_to_its_end_and_is_shown_as_the_last_one() -> None:
    until = end_of_day("2026-03-31", SHANGHAI)
    assert until == datetime(2026, 3, 31, 16, tzinfo=UTC) and end_of_day("", SHANGHAI) is None
    assert grant(expires_at=until).last_day() == date(2026, 3, 31) and grant().last_day() is None
    for text in ("31.12.2026", "2026-02-30", "9999-12-31"):
        with pytest.raises(InvalidGrant) as error:
            end_of_day(text, SHANGHAI)
        assert set(error.value.mistakes) == {"until"}


def test_all_mistakes_of_a_grant_are_named_together() -> None:
    scope = Scope("divisions", "civil_affairs", "all", "x" * 61, "长" * 501, "据" * 501, NOW)
    assert set(mistakes(scope, NOW)) == {"view", "account", "purpose", "basis", "until"}
    assert mistakes(Scope("divisions", "civil_affairs", "granted", "x" * 60, "长" * 500, "据" * 500), NOW) == {}


def test_without_a_grant_a_department_reads_its_own_data_and_products(cat: Registry, dataset: Contract) -> None:
    assert reading(READER, dataset, ()) is None
    own = reading(replace(READER, department=dataset.provider), dataset, ())
    assert own is not None and own.view == owner_view()
    for product in cat.products():
        how = reading(READER, product, ())
        assert how is not None and how.view == outsider_view()


def test_a_grant_opens_and_the_widest_counts(dataset: Contract) -> None:
    how = reading(READER, dataset, (grant(view="outsider"), grant()))
    assert how is not None and how.grant == grant() and how.view["L3"] is Mask.AS_SENT and how.view["L4"] is Mask.HIDDEN


def test_a_grant_that_opens_less_than_the_role_changes_nothing(dataset: Contract) -> None:
    owner = replace(READER, department=dataset.provider)
    how = reading(owner, dataset, (grant(department=dataset.provider, view="outsider"),))
    assert how is not None and (how.view, how.grant) == (owner_view(), None)


def test_a_product_may_keep_departments_apart(cat: Registry) -> None:
    product = cat.products()[0]
    assert product.product is not None and not rows_of_department(READER, product)
    apart = replace(product, product=product.product.model_copy(update={"department_field": "day"}))
    assert rows_of_department(READER, apart)
    assert not rows_of_department(Actor("analyst", "bureau", "周"), apart)
