"""Codes of public data: the handbook's vectors, python-stdnum as the reference, and the same results on both engines."""

from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum import luhn
from stdnum.cn import ric
from stdnum.cn import uscc as their_uscc
from stdnum.exceptions import ValidationError
from stdnum.iso7064 import mod_37_36

from jobs.contracts import Rule
from jobs.contracts.codes import Code, CodeGroup, codes, conditions_of, known_codes
from jobs.contracts.data_file import read_data
from jobs.errors import ContractError
from jobs.quality.codes import (
    CHECKS,
    DIGITS_AND_LETTERS,
    RESIDENT_CHECKS,
    RESIDENT_WEIGHTS,
    USCC,
    USCC_WEIGHTS,
    conditions,
)
from jobs.quality.engines import PandasText
from jobs.quality.suggest import CANDIDATES, suggested


def says(name: str, *values: str) -> list[bool]:
    """Whether each value is valid, on pandas."""
    return conditions()[name](PandasText(), pd.Series(list(values), dtype=object)).tolist()


def test_what_entries_name_exists() -> None:
    assert {code.check for code in codes().values() if code.check} == set(CHECKS)
    assert {way for code in codes().values() for way in code.candidates} == set(CANDIDATES)
    assert {name for known in known_codes() for name in conditions_of(known)} <= set(codes())
    assert conditions_of("uscc") == ("uscc", "uscc_inner")
    assert conditions_of("") == ()
    assert conditions_of("name") == ("readable", "without_lost_characters", "whole_name")


@pytest.mark.parametrize("name", sorted(codes()))
def test_examples(name: str) -> None:
    right, wrong = codes()[name].right, codes()[name].wrong
    assert dict(zip(right, says(name, *right), strict=True)) == dict.fromkeys(right, True)
    assert dict(zip(wrong, says(name, *wrong), strict=True)) == dict.fromkeys(wrong, False)


@given(st.text("ABCDEFGHIJKLMNOPQRSTU", min_size=1, max_size=1), st.integers(0, 99))
def test_industry_division_belongs_to_its_section(section: str, division: int) -> None:
    sections = (*"ABCDEFGHIJKLMNOPQRST",)
    last = (5, 12, 43, 46, 50, 52, 60, 62, 65, 69, 70, 72, 75, 79, 82, 83, 85, 90, 96, 97)
    belongs = (
        division > 0 and next((s for s, end in zip(sections, last, strict=True) if division <= end), "") == section
    )
    assert says("industry", f"{section}{division:02d}") == [belongs]


def test_an_entry_without_a_condition_or_with_an_unknown_key_is_rejected(tmp_path: Path) -> None:
    entry = "{title: 某代码, about: some, standard: 某标准, message: 不对, remedy: 请改, right: [a], wrong: [b]"
    entry += ", dimension: 规范性"
    for rest, mistake in (("}", "needs one of pattern"), (", patern: [a]}", "unknown key")):
        (tmp_path / "codes.yaml").write_text(f"made_up: {entry}{rest}\n", "utf-8")
        with pytest.raises(ContractError, match=mistake):
            read_data(tmp_path / "codes.yaml", dict[str, Code])


@given(st.from_regex(r"[0-9A-Z]{1,32}", fullmatch=True), st.integers(0, 999), st.sampled_from(DIGITS_AND_LETTERS))
def test_licence_id_as_stdnum_says(serial: str, version: int, last: str) -> None:
    parts = ["11100000000013338W011", "11430000006122244L", serial, f"{version:03d}"]
    right = mod_37_36.calc_check_digit("".join(parts))
    numbers = [".".join(("1.2.156.3005.2", *parts, check)) for check in (last, right)]
    assert says("licence_id", *numbers) == [last == right, True]


@given(st.text(USCC, min_size=17, max_size=17), st.sampled_from(USCC))
def test_uscc_as_stdnum_says(body: str, last: str) -> None:
    number = "91" + "371500" + body[8:] + last
    right = their_uscc.calc_check_digit(number[:17])
    assert says("uscc", number, number[:17] + right) == [last == right, True]


@given(st.dates().filter(lambda d: d.year >= 1900), st.integers(0, 999), st.sampled_from(RESIDENT_CHECKS))
def test_resident_id_as_stdnum_says(born, serial: int, last: str) -> None:
    number = f"371502{born:%Y%m%d}{serial:03d}{last}"
    try:
        ric.validate(number)
        theirs = True
    except ValidationError:
        theirs = False
    assume_year = 1997 <= born.year <= 2099
    ours = says("resident_id", number)[0]
    assert ours == theirs or not assume_year  # stdnum also asks that the division stood in the year of birth


def test_a_misspelt_key_is_named_in_a_file_of_entries(tmp_path: Path) -> None:
    (tmp_path / "codes.yaml").write_text("made_up:\n  title: 某代码\n  about: some\n  off: [a, b]\n", "utf-8")
    with pytest.raises(ContractError, match=r"codes\.yaml:\d+: made_up"):
        read_data(tmp_path / "codes.yaml", dict[str, Code | CodeGroup])


@given(st.from_regex(r"[0-9]{16,19}", fullmatch=True))
def test_bank_card_as_stdnum_says(number: str) -> None:
    assert says("bank_card", number) == [luhn.is_valid(number)]


@given(st.integers(0, 16), st.sampled_from(USCC))
def test_uscc_finds_each_wrong_character(place: int, other: str) -> None:
    good = codes()["uscc"].right[4]
    wrong = good[:place] + other + good[place + 1 :]
    assert says("uscc", wrong) == [wrong == good]
    assert len(USCC_WEIGHTS) == 17


def test_resident_id_finds_each_wrong_digit_and_each_swap() -> None:
    good = codes()["resident_id"].right[0]
    wrong = {good[:i] + str(d) + good[i + 1 :] for i in range(17) for d in range(10)} - {good}
    wrong |= {good[:i] + good[i + 1] + good[i] + good[i + 2 :] for i in range(16)} - {good}
    assert not any(says("resident_id", *sorted(wrong)))
    assert len(RESIDENT_WEIGHTS) == 17


@pytest.mark.parametrize(
    ("name", "sent", "meant"),
    [
        ("uscc", "９１371500ma3tect1OB", "91371500MA3TECT10B"),
        ("uscc", "'91371500MA3TECT10B ", "91371500MA3TECT10B"),
        ("uscc", "91371500MA3TECT100", None),
        ("resident_id", "110105491231002", "11010519491231002X"),
        ("resident_id", "372501900307001", "372501199003070013"),
        ("resident_id", "11010519491231002x", "11010519491231002X"),
        ("resident_id", "371502200003070015", None),
        ("phone", "+86 138-0013-8000", "13800138000"),
        ("gender", "男", "1"),
        ("vin", "1m8gdm9axkp042788", "1M8GDM9AXKP042788"),
    ],
)
def test_suggested_value_is_valid_or_absent(name: str, sent: str, meant: str | None) -> None:
    rule = Rule("r", f"expect_column_values_to_be_{name}", {}, "critical", "规范性", "", "", "", ("f",), "contract")
    assert suggested(rule, pa.array([sent, None])).to_pylist() == [meant, None]
