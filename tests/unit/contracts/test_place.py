"""Facts of the city are consistent, and texts take their examples from them."""

from jobs.cli.contract_reference import TABLES
from jobs.contracts.codes import codes
from jobs.contracts.place import place


def test_counties_are_the_current_divisions() -> None:
    today = {d.code: d.name for d in place().divisions if d.level == "county" and d.last_day is None}
    assert {c.code: c.name for c in place().counties} == today
    assert all(code.startswith(place().division_code[:4]) for code in today)


def test_a_former_division_names_an_existing_successor() -> None:
    known = {d.code for d in place().divisions}
    ended = [d for d in place().divisions if d.last_day is not None]
    assert ended and all(d.successor in known and d.first_day < (d.last_day or "") for d in ended)
    assert all(d.successor is None for d in place().divisions if d.last_day is None)


def test_texts_of_codes_use_the_citys_examples() -> None:
    assert place().postcode in codes()["postcode"].remedy
    assert f"{place().dialling_code}-" in codes()["phone"].remedy
    assert "{place." not in "".join(code.message + code.remedy + code.standard for code in codes().values())
    assert "{place." not in TABLES["codes"]()
    assert place().filled_in("{place.name}{title}") == "聊城市{title}"
