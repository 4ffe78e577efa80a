"""Codes of public data: the handbook's vectors, other people's code as judge, and the same words on both sides."""

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum import luhn
from stdnum.cn import ric
from stdnum.cn import uscc as their_uscc
from stdnum.exceptions import ValidationError

from jobs.contracts import Rule
from jobs.contracts.codes import CODES, FOLLOWING, known_codes
from jobs.quality.codes import CONDITIONS, RESIDENT_CHECKS, RESIDENT_WEIGHTS, USCC, USCC_WEIGHTS
from jobs.quality.engines import PandasText
from jobs.quality.suggest import suggested
from tests.code_vectors import BAD, GOOD


def says(name: str, *values: str) -> list[bool]:
    """What the condition says of each value, on pandas."""
    return CONDITIONS[name](PandasText(), pd.Series(list(values), dtype=object)).tolist()


def test_every_code_has_a_condition_words_for_people_and_vectors() -> None:
    assert set(CONDITIONS) == set(CODES) == set(GOOD) == set(BAD)
    assert {name for names in FOLLOWING.values() for name in names} <= set(CODES)
    assert set(FOLLOWING) <= set(known_codes())


@pytest.mark.parametrize("name", sorted(CONDITIONS))
def test_vectors(name: str) -> None:
    assert dict(zip(GOOD[name], says(name, *GOOD[name]), strict=True)) == dict.fromkeys(GOOD[name], True)
    assert dict(zip(BAD[name], says(name, *BAD[name]), strict=True)) == dict.fromkeys(BAD[name], False)


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


@given(st.from_regex(r"[0-9]{16,19}", fullmatch=True))
def test_bank_card_as_stdnum_says(number: str) -> None:
    assert says("bank_card", number) == [luhn.is_valid(number)]


@given(st.integers(0, 16), st.sampled_from(USCC))
def test_uscc_finds_each_wrong_character(place: int, other: str) -> None:
    good = GOOD["uscc"][4]
    wrong = good[:place] + other + good[place + 1 :]
    assert says("uscc", wrong) == [wrong == good]
    assert len(USCC_WEIGHTS) == 17


def test_resident_id_finds_each_wrong_digit_and_each_swap() -> None:
    good = GOOD["resident_id"][0]
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
def test_what_may_have_been_meant_is_right_or_not_said(name: str, sent: str, meant: str | None) -> None:
    rule = Rule("r", f"expect_column_values_to_be_{name}", {}, "critical", "规范性", "", "", "", ("f",), "contract")
    assert suggested(rule, pa.array([sent, None])).to_pylist() == [meant, None]
