"""Codes of Chinese public data as conditions that are written once and run on Spark and on pandas.

Each condition takes the words of an engine (`Words`) and a column of texts without nulls, and says which are right.
Algorithms: GB 32100-2015, GB 11714-1997, GB 11643-1999, ISO 7064, GB 16735-2019, ISO/IEC 7812 (Luhn).
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any, Protocol

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
DAYS_OF_MONTH = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
PROVINCES = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼"
INDUSTRY = {  # GB/T 4754-2017: section → first and last division
    **{"A": (1, 5), "B": (6, 12), "C": (13, 43), "D": (44, 46), "E": (47, 50), "F": (51, 52), "G": (53, 60)},
    **{"H": (61, 62), "I": (63, 65), "J": (66, 69), "K": (70, 70), "L": (71, 72), "M": (73, 75), "N": (76, 79)},
    **{"O": (80, 82), "P": (83, 83), "Q": (84, 85), "R": (86, 90), "S": (91, 96), "T": (97, 97)},
}


def _misread() -> str:
    """A regular expression for UTF-8 text that was read as GBK: three bytes a character make pairs of a known shape."""
    leads, rest = range(0xE4, 0xEA), range(0x80, 0xC0)
    first = "".join(bytes((a, b)).decode("gb18030") for a in leads for b in rest)
    second = "".join(bytes((a, b)).decode("gb18030") for a in rest if a > 0x80 for b in leads)
    return f"[{first}][{second}](.[{first}]|.$)"


MISREAD = _misread()


class TextFunctions(Protocol):
    """What an engine must be able to say about texts."""

    def matches(self, texts: Texts, pattern: str) -> Texts:
        """Whether the pattern is found; a plain regular expression, same in Java and in Python."""

    def piece(self, texts: Texts, start: int, length: int) -> Texts:
        """Characters from `start`, counted from 1."""

    def place(self, texts: Texts, position: int, alphabet: str) -> Texts:
        """Place in the alphabet, from 0, of the character at `position`; -1 where it is not in it."""

    def number(self, texts: Texts) -> Texts:
        """Texts of digits as whole numbers; 0 where they are not digits."""

    def fold(self, places: Sequence[Texts], start: int, step: Callable[[Texts, Texts], Texts]) -> Texts:
        """What is left when each place in turn is taken into what was carried; depth does not grow with the number."""

    def among(self, texts: Texts, values: Sequence[Any]) -> Texts:
        """Whether the value is one of those listed."""


Condition = Callable[[TextFunctions, Texts], Texts]


def _weighted(words: TextFunctions, texts: Texts, weights: Sequence[int], alphabet: str, first: int = 1) -> Texts:
    """Sum of each character's place in the alphabet times its weight."""
    return _sum([words.place(texts, first + i, alphabet) * weight for i, weight in enumerate(weights)])


def _sum(terms: Sequence[Texts]) -> Texts:
    """The sum as a balanced tree: the engine's protocol refuses deep nesting."""
    half = len(terms) // 2
    return terms[0] if half == 0 else _sum(terms[:half]) + _sum(terms[half:])


def uscc(words: TextFunctions, texts: Texts) -> Texts:
    """Unified social credit code: 18 characters whose last is the check character."""
    rest = _weighted(words, texts, USCC_WEIGHTS, USCC) % 31
    right = (31 - rest) % 31 == words.place(texts, 18, USCC)
    return words.matches(texts, r"^[159ANY][1239][0-9]{6}[0-9A-HJ-NPQRTUWXY]{10}$") & right


def uscc_inner(words: TextFunctions, texts: Texts) -> Texts:
    """The organisation code within a right credit code (9th to 17th character) has its own check character."""
    return ~uscc(words, texts) | _organisation_check(words, texts, 9)


def organisation_code(words: TextFunctions, texts: Texts) -> Texts:
    """Organisation code, with or without its hyphen."""
    plain = words.matches(texts, r"^[0-9A-Z]{8}[0-9X]$") & _organisation_check(words, texts, 1)
    rest = 11 - _weighted(words, texts, ORGANISATION_WEIGHTS, DIGITS_AND_LETTERS) % 11
    hyphened = rest % 11 == words.place(texts, 10, "0123456789X")
    return plain | (words.matches(texts, r"^[0-9A-Z]{8}-[0-9X]$") & hyphened)


def _organisation_check(words: TextFunctions, texts: Texts, first: int) -> Texts:
    rest = 11 - _weighted(words, texts, ORGANISATION_WEIGHTS, DIGITS_AND_LETTERS, first) % 11
    return rest % 11 == words.place(texts, first + 8, "0123456789X")


def registration_no(words: TextFunctions, texts: Texts) -> Texts:
    """Business registration number of 15 digits, ISO 7064 MOD 11,10."""
    digits = [words.place(texts, position, "0123456789") for position in range(1, 15)]
    carried = words.fold(digits, 10, lambda carry, digit: ((digit + carry - 1) % 10 + 1) * 2 % 11)
    return words.matches(texts, r"^[0-9]{15}$") & ((carried + words.place(texts, 15, "0123456789")) % 10 == 1)


def resident_id(words: TextFunctions, texts: Texts) -> Texts:
    """Resident identity number of 18 characters: check character, and a day that exists."""
    rest = _weighted(words, texts, RESIDENT_WEIGHTS, "0123456789") % 11
    checked = rest == words.place(texts, 18, RESIDENT_CHECKS)
    shaped = words.matches(texts, r"^[1-9][0-9]{5}(18|19|20)[0-9]{9}[0-9X]$")
    return shaped & checked & is_day(words, words.piece(texts, 7, 8))


def resident_id_not_made_up(words: TextFunctions, texts: Texts) -> Texts:
    """Not a number that people type to get past a form: one digit repeated, or a run."""
    return ~words.matches(texts, r"^([0-9])\1{5}[0-9]|12345678901234|^123456|(0{9}|1{9}|9{9})")


def resident_id_division(words: TextFunctions, texts: Texts) -> Texts:
    """First six digits that are, or once were, a division: numbers are issued years after birth, so any year's will do.

    Only of what looks like a number; of anything else there is nothing more to say.
    """
    is_number = words.matches(texts, r"^[0-9]{17}[0-9X]$") & resident_id_not_made_up(words, texts)
    return ~is_number | words.matches(texts, _divisions())


@cache
def _divisions() -> str:
    """A regular expression of all counties since 1980, from python-stdnum's table; a tree, so that it is quick."""
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


def is_day(words: TextFunctions, texts: Texts) -> Texts:
    """Whether eight digits are a day of the calendar."""
    year, month = words.number(words.piece(texts, 1, 4)), words.number(words.piece(texts, 5, 2))
    day = words.number(words.piece(texts, 7, 2))
    leap = ((year % 4 == 0) & (year % 100 != 0)) | (year % 400 == 0)
    short = words.among(month, (4, 6, 9, 11)) & (day == 31)
    february = (month == 2) & ((day > 29) | ((day == 29) & ~leap))
    return (month >= 1) & (month <= 12) & (day >= 1) & (day <= 31) & ~short & ~february


def day(words: TextFunctions, texts: Texts) -> Texts:
    """A day of the calendar in the basic form of GB/T 7408: YYYYMMDD."""
    return words.matches(texts, "^[0-9]{8}$") & is_day(words, texts)


def not_excel_damaged(words: TextFunctions, texts: Texts) -> Texts:
    """Long numbers that went through a number cell end in 000 or are written with an exponent."""
    return ~words.matches(texts, r"^[0-9]{15}0{3}$|^[0-9](\.[0-9]+)?[Ee]\+?[0-9]+$")


def mobile(words: TextFunctions, texts: Texts) -> Texts:
    """Mobile number of the mainland."""
    return words.matches(texts, r"^1[3-9][0-9]{9}$")


def phone(words: TextFunctions, texts: Texts) -> Texts:
    """Mobile, land line with area code, 400/800 number, or short number of a service."""
    return words.matches(
        texts,
        r"^1[3-9][0-9]{9}$|^0[1-9][0-9]{1,2}-?[2-9][0-9]{6,7}(-[0-9]{1,5})?$|^[48]00-?[0-9]{3}-?[0-9]{4}$"
        r"|^1[0-9]{2,4}$|^9[56][0-9]{3,4}$",
    )


def postcode(words: TextFunctions, texts: Texts) -> Texts:
    """Six digits that begin with a postal region in use."""
    return words.matches(texts, r"^(0[1-7]|1[0-356]|2[0-7]|3[0-6]|4[0-7]|5[1-7]|6[1-7]|7[1-5]|8[1-5]|99)[0-9]{4}$")


def gender(words: TextFunctions, texts: Texts) -> Texts:
    """GB/T 2261.1."""
    return words.among(texts, ("0", "1", "2", "9"))


def ethnic_group(words: TextFunctions, texts: Texts) -> Texts:
    """GB/T 3304: 01 to 56, 97 other, 98 foreign origin."""
    return words.matches(texts, r"^(0[1-9]|[1-4][0-9]|5[0-6]|97|98)$")


def marital_status(words: TextFunctions, texts: Texts) -> Texts:
    """GB/T 2261.2."""
    return words.among(texts, ("10", "20", "21", "22", "23", "30", "40", "90"))


def industry(words: TextFunctions, texts: Texts) -> Texts:
    """GB/T 4754-2017: a section's letter, or with it a division, a group or a class of that section."""
    branches = []
    for section, (first, last) in INDUSTRY.items():
        divisions = "|".join(f"{n:02d}" for n in range(first, last + 1))
        branches.append(f"{section}(({divisions})[0-9]{{0,2}})?")
    return words.matches(texts, f"^({'|'.join(branches)})$")


def bank_card(words: TextFunctions, texts: Texts) -> Texts:
    """Card number of 16 to 19 digits whose Luhn sum is a multiple of ten."""
    right: Texts = None
    for length in range(16, 20):
        terms = []
        for position in range(1, length + 1):
            digit = words.place(texts, position, "0123456789")
            doubled = (length - position) % 2 == 1
            terms.append(words.place(texts, position, "0516273849") if doubled else digit)
        fits = words.matches(texts, f"^[0-9]{{{length}}}$") & (_sum(terms) % 10 == 0)
        right = fits if right is None else right | fits
    return right


def plate(words: TextFunctions, texts: Texts) -> Texts:
    """Number plate: GA 36, five characters after the office's letter, or six for new energy."""
    return words.matches(
        texts,
        f"^[{PROVINCES}][A-HJ-NP-Z]([A-HJ-NP-Z0-9]{{4}}[A-HJ-NP-Z0-9挂学警港澳]|[A-HJK][A-HJ-NP-Z0-9][0-9]{{4}}|[0-9]{{5}}[A-HJK])$",
    )


def vin(words: TextFunctions, texts: Texts) -> Texts:
    """Vehicle identification number with its check character at place 9."""
    terms = [words.place(texts, i, VIN) % 10 * w for i, w in enumerate(VIN_WEIGHTS, 1) if w]
    return words.matches(texts, r"^[0-9A-HJ-NPR-Z]{17}$") & (_sum(terms) % 11 == words.place(texts, 9, "0123456789X"))


def real_estate_unit(words: TextFunctions, texts: Texts) -> Texts:
    """Real-estate unit code of 28 characters: division, registry district, land with its kind, building with its unit."""
    return words.matches(texts, r"^[1-9][0-9]{11}[GJZ][A-HSXYW][0-9]{5}[FLQW][0-9]{8}$")


def birth_certificate_no(words: TextFunctions, texts: Texts) -> Texts:
    """A letter and nine digits."""
    return words.matches(texts, r"^[A-Z][0-9]{9}$")


def readable(words: TextFunctions, texts: Texts) -> Texts:
    """No sign of a wrong encoding: replacement marks, controls, UTF-8 read as GBK or Latin-1."""
    lost = r"[\uFFFD\u0000-\u0008\u000B\u000C\u000E-\u001F]|锟斤拷|烫烫"
    latin = r"[\u00E4-\u00E9][\u0080-\u00BF\u0152-\u0178\u02C6\u02DC\u2013-\u2122]{2}"
    return ~words.matches(texts, f"{lost}|{latin}|{MISREAD}")


def without_lost_characters(words: TextFunctions, texts: Texts) -> Texts:
    """No mark where a rare character was: a question mark, a square, or a character of private use."""
    return ~words.matches(texts, r"[?\u25A1\uE000-\uF8FF]")


def whole_name(words: TextFunctions, texts: Texts) -> Texts:
    """A person's or an organisation's name: no digits alone, no marks at the ends, not a word for nothing."""
    return ~words.matches(
        texts,
        r"^[\x21-\x40\x5B-\x60\x7B-\x7E]+$|^[·.,，。、]|[，。、,]$|^(无|空|不详|未知|测试|test|null|none|NULL|NaN)$",
    )


CONDITIONS: Mapping[str, Condition] = {
    "uscc": uscc,
    "uscc_inner": uscc_inner,
    "organisation_code": organisation_code,
    "registration_no": registration_no,
    "resident_id": resident_id,
    "resident_id_division": resident_id_division,
    "resident_id_not_made_up": resident_id_not_made_up,
    "not_excel_damaged": not_excel_damaged,
    "mobile": mobile,
    "phone": phone,
    "postcode": postcode,
    "gender": gender,
    "ethnic_group": ethnic_group,
    "marital_status": marital_status,
    "industry": industry,
    "bank_card": bank_card,
    "plate": plate,
    "vin": vin,
    "real_estate_unit": real_estate_unit,
    "birth_certificate_no": birth_certificate_no,
    "readable": readable,
    "without_lost_characters": without_lost_characters,
    "whole_name": whole_name,
    "day": day,
}
"""Name of a code → its condition; the expectation is `expect_column_values_to_be_<name>`."""
