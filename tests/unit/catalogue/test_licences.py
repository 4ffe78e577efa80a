"""Licences held and valid on a day, by type and issuing authority."""

from dataclasses import replace
from datetime import date

import pyarrow as pa
import pytest

from jobs.catalogue import lists
from jobs.catalogue.licences import AUTHORITY, AUTHORITY_CODE, CODE, HELD, IDENTIFIED, SAMPLE, TYPE, VALID, rows
from jobs.contracts import Field
from jobs.contracts.licence_check import licence_mistake
from jobs.contracts.licences import Licences
from tests.unit.catalogue.test_attributes import PLAIN
from tests.unit.serving.portal.portal_city import shipped

DECLARED = Licences(
    type="name", number="no", authority="organ", valid_from="since", valid_to="until", status="state",
    valid_status=("1",), type_codes={"食品经营许可证": "X1"},
)  # fmt: skip
DAY = date(2026, 1, 12)
ENDED, LATER = date(2026, 1, 11), date(2026, 1, 13)


def table(*given: tuple[object, ...]) -> pa.Table:
    names = ("name", "no", "organ", "since", "until", "state")
    types = (*[pa.string()] * 3, pa.date32(), pa.date32(), pa.string())
    columns = zip(*given, strict=True) if given else [()] * len(names)
    return pa.table({n: pa.array(list(c), t) for n, c, t in zip(names, columns, types, strict=True)})


def licence(
    number: str, since: date = ENDED, until: date | None = None, state: str = "1", name: str | None = "食品经营许可证"
) -> tuple[object, ...]:
    return (name, number, "审批局", since, until, state)


def found(*given: tuple[object, ...], declared: Licences = DECLARED) -> list[tuple[str, ...]]:
    shown = (TYPE, CODE, AUTHORITY, HELD, VALID)
    return [tuple(row[name] for name in shown) for row in rows(PLAIN, declared, table(*given), DAY, lists.KEY)]


@pytest.mark.parametrize(
    ("one", "valid"),
    [
        (licence("JY1"), "1"),
        (licence("JY1", until=DAY), "1"),
        (licence("JY1", until=ENDED), "0"),
        (licence("JY1", since=LATER), "0"),
        (licence("JY1", state="2"), "0"),
    ],
)
def test_a_licence_is_valid_from_its_first_to_its_last_day_and_by_its_status(
    one: tuple[object, ...], valid: str
) -> None:
    assert found(one) == [("食品经营许可证", "X1", "审批局", "1", valid)]


def test_a_number_counts_once_and_a_row_without_one_does_not() -> None:
    given = (
        licence("JY1", until=ENDED),
        licence("JY1"),
        licence("JY2"),
        licence(" "),
        licence("JY3", name="道路运输证"),
    )
    assert found(*given) == [("道路运输证", "", "审批局", "1", "1"), ("食品经营许可证", "X1", "审批局", "2", "2")]


def test_without_dates_and_status_all_are_valid() -> None:
    plain = replace_fields(valid_from="", valid_to="", status="")
    assert found(licence("JY1", until=ENDED, state="2"), declared=plain) == [
        ("食品经营许可证", "X1", "审批局", "1", "1")
    ]


def replace_fields(**changes: str) -> Licences:
    return DECLARED.model_copy(update=changes)


def test_identifiers_are_counted_and_give_the_code_of_the_type_and_the_authority_its_own() -> None:
    declared = DECLARED.model_copy(update={"identifier": "id", "authority_code": "code", "type_codes": {}})
    given = table(licence("JY1"), licence("JY2"), licence("JY3", name="道路运输证"))
    ids = ["1.2.156.3005.2.11100000000013338W011.11430000006122244L.20230000403.001.U", None, None]
    coded = given.append_column("id", pa.array(ids, pa.string())).append_column("code", pa.array(["A", "A", None]))
    shown = (TYPE, CODE, AUTHORITY_CODE, HELD, IDENTIFIED)
    assert [tuple(row[name] for name in shown) for row in rows(PLAIN, declared, coded, DAY, lists.KEY)] == [
        ("道路运输证", "", "", "1", "0"),
        ("食品经营许可证", "11100000000013338W011", "A", "2", "1"),
    ]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"number": "x"}, "no field 'x'"),
        ({"authority_code": "b"}, "'b' must have the code uscc"),
        ({"identifier": "a"}, "'a' must have the code licence_id"),
        ({"type_codes": {"某证": "X1"}}, "'X1' of 某证 is not of the form of licence_type"),
        ({"authority_code": "a", "type_codes": {"某证": "11100000000013338W011"}}, ""),
    ],
)
def test_a_wrong_declaration_is_named(changes: dict[str, object], said: str) -> None:
    fields = (Field("a", "甲", "string", code="uscc"), Field("b", "乙", "string"))
    declared = Licences(type="b", number="b", authority="b").model_copy(update=changes)
    contract = replace(shipped().contract("divisions"), fields=fields, licences=declared)
    assert said in licence_mistake(contract) and bool(said) == bool(licence_mistake(contract))


def test_a_sample_is_starred_and_a_type_that_is_not_stated_is_told() -> None:
    (row,) = rows(PLAIN, DECLARED, table(licence("JY13715020001234", name=None)), DAY, lists.KEY)
    assert row[TYPE] == "（未写明）"
    assert "*" in row[SAMPLE] and row[SAMPLE] != "JY13715020001234"
    assert rows(replace(PLAIN), DECLARED, table(), DAY, lists.KEY) == []
