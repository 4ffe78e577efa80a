"""Codes of Chinese public data as conditions that are written once and run on Spark and on pandas.

Each condition takes an engine's text functions (`TextFunctions`) and a column of texts without nulls, and returns which
are valid. Patterns and values of an entry in jobs/contracts/code_entries/ are combined here with the check that it
names. Algorithms: GB 32100-2015, GB 11714-1997, GB 11643-1999, ISO 7064, GB 16735-2019, ISO/IEC 7812 (Luhn).
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cache, reduce
from importlib.resources import files
from operator import and_
from typing import Any, Protocol

from jobs.contracts.codes import Code, codes

Texts = Any
"""A Spark column or a pandas series: both know +, *, %, ==, &, | and ~."""
USCC = "0123456789ABCDEFGHJKLMNPQRTUWXY"
DIGITS_AND_LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
USCC_WEIGHTS = tuple(3**i % 31 for i in range(17))
ORGANISATION_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)
RESIDENT_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
RESIDENT_CHECKS = "10X98765432"
VIN = "0123456789.ABCDEFGH..JKLMN.P.R..STUVWXYZ"
VIN_WEIGHTS = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)
LICENCE_ROOT = len("1.2.156.3005.2.")
LONGEST_LICENCE_ID = LICENCE_ROOT + 21 + 1 + 18 + 1 + 32 + 1 + 3 + 1 + 1
DAYS_OF_MONTH = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def _misread() -> str:
    """A regular expression for UTF-8 text misread as GBK: three bytes per character give a known pattern of pairs."""
    leads, rest = range(0xE4, 0xEA), range(0x80, 0xC0)
    first = "".join(bytes((a, b)).decode("gb18030") for a in leads for b in rest)
    second = "".join(bytes((a, b)).decode("gb18030") for a in rest if a > 0x80 for b in leads)
    return f"[{first}][{second}](.[{first}]|.$)"


MISREAD = _misread()


class TextFunctions(Protocol):
    """Text functions that an engine must provide."""

    def matches(self, texts: Texts, pattern: str) -> Texts:
        """Whether the pattern matches anywhere; a plain regular expression, the same in Java and in Python."""

    def piece(self, texts: Texts, start: int, length: int) -> Texts:
        """Characters from `start`, counted from 1."""

    def place(self, texts: Texts, position: int, alphabet: str) -> Texts:
        """Place in the alphabet, from 0, of the character at `position`; -1 where it is not in it, 0 past the end of the text."""

    def number(self, texts: Texts) -> Texts:
        """Texts of digits as whole numbers; 0 where they are not digits."""

    def fold(self, places: Sequence[Texts], start: int, step: Callable[[Texts, Texts], Texts]) -> Texts:
        """The places folded into one value by `step`, from `start`; the expression stays flat for any number."""

    def choose(self, condition: Texts, values: Texts, otherwise: Texts) -> Texts:
        """The values where the condition holds, else the other ones."""

    def among(self, texts: Texts, values: Sequence[Any]) -> Texts:
        """Whether the value is one of those listed."""


Condition = Callable[[TextFunctions, Texts], Texts]


def _weighted(engine: TextFunctions, texts: Texts, weights: Sequence[int], alphabet: str, first: int = 1) -> Texts:
    """Sum of each character's place in the alphabet times its weight."""
    return _sum([engine.place(texts, first + i, alphabet) * weight for i, weight in enumerate(weights)])


def _sum(terms: Sequence[Texts]) -> Texts:
    """The sum as a balanced tree: Spark Connect rejects deeply nested expressions."""
    half = len(terms) // 2
    return terms[0] if half == 0 else _sum(terms[:half]) + _sum(terms[half:])


def uscc(engine: TextFunctions, texts: Texts) -> Texts:
    """Whether the last of 18 characters is the check character."""
    remainder = _weighted(engine, texts, USCC_WEIGHTS, USCC) % 31
    return (31 - remainder) % 31 == engine.place(texts, 18, USCC)


def uscc_inner(engine: TextFunctions, texts: Texts) -> Texts:
    """Whether the organisation code within a valid credit code (9th to 17th character) has its own check character."""
    return ~conditions()["uscc"](engine, texts) | _organisation_check(engine, texts, 9)


def organisation_code(engine: TextFunctions, texts: Texts) -> Texts:
    """Whether it is an organisation code with its check character, with or without the hyphen."""
    plain = engine.matches(texts, r"^[0-9A-Z]{8}[0-9X]$") & _organisation_check(engine, texts, 1)
    remainder = 11 - _weighted(engine, texts, ORGANISATION_WEIGHTS, DIGITS_AND_LETTERS) % 11
    hyphened = remainder % 11 == engine.place(texts, 10, "0123456789X")
    return plain | (engine.matches(texts, r"^[0-9A-Z]{8}-[0-9X]$") & hyphened)


def _organisation_check(engine: TextFunctions, texts: Texts, first: int) -> Texts:
    remainder = 11 - _weighted(engine, texts, ORGANISATION_WEIGHTS, DIGITS_AND_LETTERS, first) % 11
    return remainder % 11 == engine.place(texts, first + 8, "0123456789X")


def registration_no(engine: TextFunctions, texts: Texts) -> Texts:
    """Whether the last of 15 digits is the check digit of ISO 7064 MOD 11,10."""
    digits = [engine.place(texts, position, "0123456789") for position in range(1, 15)]
    carried = engine.fold(digits, 10, lambda carry, digit: ((digit + carry - 1) % 10 + 1) * 2 % 11)
    return (carried + engine.place(texts, 15, "0123456789")) % 10 == 1


def resident_id(engine: TextFunctions, texts: Texts) -> Texts:
    """Whether the last of 18 characters is the check character, and the day of birth exists."""
    remainder = _weighted(engine, texts, RESIDENT_WEIGHTS, "0123456789") % 11
    checked = remainder == engine.place(texts, 18, RESIDENT_CHECKS)
    return checked & is_day(engine, engine.piece(texts, 7, 8))


def resident_id_division(engine: TextFunctions, texts: Texts) -> Texts:
    """Whether the first six digits are, or once were, a division; of any year, as numbers are issued years after birth.

    True for texts that are no resident number: other checks fail those.
    """
    is_number = engine.matches(texts, r"^[0-9]{17}[0-9X]$") & conditions()["resident_id_not_made_up"](engine, texts)
    return ~is_number | engine.matches(texts, _divisions())


@cache
def _divisions() -> str:
    """A regular expression of all counties since 1980, from python-stdnum's table; a prefix tree, for speed."""
    tree: dict[str, dict[str, list[str]]] = {}
    province = ""
    for line in files("stdnum.cn").joinpath("loc.dat").read_text("utf-8").splitlines():
        number = line.split(" county=")[0].strip().split(" province=")[0]
        if not number.isdigit():
            continue
        if not line.startswith(" "):
            province = number
        else:
            tree.setdefault(province, {}).setdefault(number[:2], []).append(number[2:])
    branches = []
    for first, prefectures in sorted(tree.items()):
        inner = "|".join(f"{second}(?:{'|'.join(sorted(set(last)))})" for second, last in sorted(prefectures.items()))
        branches.append(f"{first}(?:{inner})")
    return f"^(?:{'|'.join(branches)})"


def is_day(engine: TextFunctions, texts: Texts) -> Texts:
    """Whether eight digits are a calendar day."""
    year, month = engine.number(engine.piece(texts, 1, 4)), engine.number(engine.piece(texts, 5, 2))
    day = engine.number(engine.piece(texts, 7, 2))
    leap = ((year % 4 == 0) & (year % 100 != 0)) | (year % 400 == 0)
    short = engine.among(month, (4, 6, 9, 11)) & (day == 31)
    february = (month == 2) & ((day > 29) | ((day == 29) & ~leap))
    return (month >= 1) & (month <= 12) & (day >= 1) & (day <= 31) & ~short & ~february


def bank_card(engine: TextFunctions, texts: Texts) -> Texts:
    """Whether it is a card number of 16 to 19 digits whose Luhn sum is a multiple of ten."""
    is_valid: Texts = None
    for length in range(16, 20):
        terms = []
        for position in range(1, length + 1):
            digit = engine.place(texts, position, "0123456789")
            doubled = (length - position) % 2 == 1
            terms.append(engine.place(texts, position, "0516273849") if doubled else digit)
        passes_luhn = engine.matches(texts, f"^[0-9]{{{length}}}$") & (_sum(terms) % 10 == 0)
        is_valid = passes_luhn if is_valid is None else is_valid | passes_luhn
    return is_valid


def vin(engine: TextFunctions, texts: Texts) -> Texts:
    """Whether the character at place 9 of 17 is the check character."""
    terms = [engine.place(texts, i, VIN) % 10 * w for i, w in enumerate(VIN_WEIGHTS, 1) if w]
    return _sum(terms) % 11 == engine.place(texts, 9, "0123456789X")


def licence_id(engine: TextFunctions, texts: Texts) -> Texts:
    """Whether the last character of a licence's identifier is the check character (MOD 37,36) of what follows its root.

    Dots do not count. True for some texts of another structure: the pattern fails those.
    """
    positions = range(LICENCE_ROOT + 1, LONGEST_LICENCE_ID + 1)
    places = [_place_or_none(engine, texts, position) for position in positions]

    def step(carry: Texts, place: Texts) -> Texts:
        return engine.choose(place >= 0, ((place + carry - 1) % 36 + 1) * 2 % 37, carry)

    # The check character is the one that makes the sum before the last doubling 1.
    return engine.fold(places, 36, step) == 2


def _place_or_none(engine: TextFunctions, texts: Texts, position: int) -> Texts:
    """Place among digits and letters; -1 for another character and past the end of the text."""
    is_there = ~(engine.piece(texts, position, 1) == "")
    return engine.choose(is_there, engine.place(texts, position, DIGITS_AND_LETTERS), -1)


def licence_type(engine: TextFunctions, texts: Texts) -> Texts:
    """Whether it begins with a valid credit code; nothing is asked of the digits after it."""
    return conditions()["uscc"](engine, engine.piece(texts, 1, 18))


def not_misread(engine: TextFunctions, texts: Texts) -> Texts:
    """Whether the text is not UTF-8 misread as GBK."""
    return ~engine.matches(texts, MISREAD)


CHECKS: Mapping[str, Condition] = {
    "uscc": uscc,
    "uscc_inner": uscc_inner,
    "organisation_code": organisation_code,
    "registration_no": registration_no,
    "resident_id": resident_id,
    "resident_id_division": resident_id_division,
    "bank_card": bank_card,
    "vin": vin,
    "licence_id": licence_id,
    "licence_type": licence_type,
    "day": is_day,
    "not_misread": not_misread,
}
"""Checks by the names that code entries give under `check`."""


@cache
def conditions() -> Mapping[str, Condition]:
    """Name of a code → its condition; the expectation is `expect_column_values_to_be_<name>`."""
    return {name: _condition(code) for name, code in codes().items()}


def _condition(code: Code) -> Condition:
    pattern, forbidden = "|".join(code.pattern), "|".join(code.forbidden)
    check = CHECKS[code.check] if code.check else None

    def condition(engine: TextFunctions, texts: Texts) -> Texts:
        parts = []
        if pattern:
            parts.append(engine.matches(texts, pattern))
        if forbidden:
            parts.append(~engine.matches(texts, forbidden))
        if code.values:
            parts.append(engine.among(texts, code.values))
        if check:
            parts.append(check(engine, texts))
        return reduce(and_, parts)

    condition.__doc__ = code.about
    return condition
