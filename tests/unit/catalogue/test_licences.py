"""Licences held and valid on a day, by type and issuing authority."""

from dataclasses import replace
from datetime import date

import pyarrow as pa
import pytest

from jobs.catalogue import lists
from jobs.catalogue.licences import AUTHORITY, CODE, HELD, SAMPLE, TYPE, VALID, rows
from jobs.contracts.licences import Licences
from tests.unit.catalogue.test_attributes import PLAIN

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


def test_a_sample_is_starred_and_a_type_that_is_not_stated_is_told() -> None:
    (row,) = rows(PLAIN, DECLARED, table(licence("JY13715020001234", name=None)), DAY, lists.KEY)
    assert row[TYPE] == "（未写明）"
    assert "*" in row[SAMPLE] and row[SAMPLE] != "JY13715020001234"
    assert rows(replace(PLAIN), DECLARED, table(), DAY, lists.KEY) == []
