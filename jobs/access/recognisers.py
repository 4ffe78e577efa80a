"""Kinds of personal data that the values of a column show, with the grade to propose: a suggestion, never a decision."""

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from pydantic import Field
from stdnum import luhn
from stdnum.cn import ric, uscc

from jobs.access.personal_numbers import IDENTITY, MANY_DIGITS, PHONE
from jobs.contracts.policy_file import PolicyPart, mistake, read_policy

FILE = Path(__file__).parent / "recognisers.yaml"
REMEDY = "请参照 jobs/access/recognisers.yaml 开头的说明"
SURNAMES = frozenset(
    "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦尤许何吕施张孔曹严华金魏陶姜戚谢邹喻柏水窦章云苏潘葛奚范彭郎鲁韦昌马苗凤花方俞任袁柳"
    "酆鲍史唐费廉岑薛雷贺倪汤滕殷罗毕郝邬安常乐于时傅皮卞齐康伍余元卜顾孟平黄和穆萧尹姚邵湛汪祁毛禹狄米贝明臧计伏成戴谈宋茅庞"
    "熊纪舒屈项祝董梁杜阮蓝闵席季麻强贾路娄危江童颜郭梅盛林刁钟徐邱骆高夏蔡田樊胡凌霍虞万支柯管卢莫经房裘缪干解应宗丁宣邓郁单"
    "杭洪包诸左石崔吉龚程邢裴陆荣翁荀羊甄曲封芮储靳段焦巴牧隗山谷车侯宓蓬全郗班仰秋仲伊宫宁仇栾甘祖武符刘景詹束龙叶幸司韶黎"
    "薄印宿白怀蒲邰从鄂索咸籍赖卓蔺屠蒙池乔阴胥能苍双闻莘党翟谭贡劳逄姬申扶堵冉宰郦雍桑桂牛寿通边扈燕冀浦尚农温别庄晏柴瞿阎"
    "慕连茹习艾鱼容向古易慎戈廖庾终居衡步都耿满弘匡国文寇广禄阙东欧沃利蔚越夔隆师巩聂晁勾敖冷訾辛阚那简饶曾沙丰关查游权盖益肖"
    "岳帅尉"
)
"""Family names of one character; those of the Hundred Family Surnames and a few that are common today."""
COMPOUND = (
    "欧阳",
    "司马",
    "上官",
    "诸葛",
    "东方",
    "皇甫",
    "尉迟",
    "公孙",
    "慕容",
    "长孙",
    "宇文",
    "司徒",
    "夏侯",
    "令狐",
)
NO_NAME = re.compile(r"[省市县区乡镇村街路号局厂站所院校店部处科中心公司水电气热量级类]$|中心|公司|学校|街道")
"""Ends of words that are no names of persons, although they begin with a family name."""
LANDLINE = re.compile(r"^0[1-9]\d{1,2}-?[2-9]\d{6,7}$")
MOBILE = re.compile(r"^(?:\+?86)?1[3-9]\d{9}$")
ID_FORM = re.compile(r"^[1-9]\d{5}(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[\dX]$")
EMAIL = re.compile(r"^[\w.+-]+@[\w-]+(?:\.[\w-]+)+$")
CARD = re.compile(r"^[3-6]\d{15,18}$")
HOUSE_NUMBER = re.compile(r"(?:路|街|巷|胡同|道|村|庄|小区|花园|苑|镇|乡)\D{0,12}\d+\s*(?:号|弄|栋|幢|楼|排)")
ROOM = re.compile(r"\d+\s*(?:室|户)$|单元\s*\d+|\d+\s*单元|(?:号楼|栋|幢|#)\D{0,3}\d+")
SENTENCE = re.compile("[，。；！？,;!?]")
LONGEST_NAME, LONGEST_WORD = 4, 40
Values = Mapping[str, int]
"""A column's texts, with their counts."""


class Kind(PolicyPart):
    """A kind of data, how it is recognised, and the grade to propose."""

    label: str = Field(min_length=2)
    grade: str = Field(pattern="^L[1-4]$")
    reason: str = Field(min_length=2)
    test: str
    header: str = ""
    min_share: float = Field(gt=0, le=1)
    min_distinct: int = Field(1, ge=1)
    min_distinct_share: float = Field(0, ge=0, le=1)

    def may_be(self, header: str, distinct: int, total: int) -> bool:
        """Whether a column with this header and so many different values may be of the kind."""
        if self.header and not re.search(self.header, header, re.I):
            return False
        return distinct >= self.min_distinct and distinct >= self.min_distinct_share * total


class Recognisers(PolicyPart):
    """The content of recognisers.yaml."""

    version: int = Field(gt=0)
    kinds: Mapping[str, Kind]


@dataclass(frozen=True)
class Recognition:
    """What a column seems to hold: the kind, its grade, and the share of values that show it."""

    kind: str
    label: str
    grade: str
    reason: str
    share: float

    def words(self) -> str:
        """The reason in one line, without any value."""
        return f"{self.label}：{self.reason}，占 {self.share:.0%}"


@lru_cache
def recognisers(file: Path = FILE) -> Recognisers:
    """The kinds; PolicyError names file, line and remedy."""
    found, document = read_policy(file, Recognisers, REMEDY)
    for name, kind in found.kinds.items():
        if kind.test not in TESTS:
            raise mistake(document, ("kinds", name, "test"), f"不认识的检查 {kind.test}", f"请改为：{'、'.join(TESTS)}")
    return found


def recognise(header: str, values: Values) -> Recognition | None:
    """The first kind that header and values show; None where they show none."""
    texts = _plain(values)
    total = sum(texts.values())
    if not total:
        return None
    shares: dict[str, float] = {}
    for name, kind in recognisers().kinds.items():
        if not kind.may_be(header, len(texts), total):
            continue
        if kind.test not in shares:
            shares[kind.test] = sum(n for text, n in texts.items() if TESTS[kind.test](text)) / total
        if shares[kind.test] >= kind.min_share:
            return Recognition(name, kind.label, kind.grade, kind.reason, shares[kind.test])
    return None


def _plain(values: Values) -> dict[str, int]:
    """Texts in half-width characters, without blanks at their ends."""
    found: dict[str, int] = {}
    for value, number in values.items():
        text = unicodedata.normalize("NFKC", value).strip()
        if text:
            found[text] = found.get(text, 0) + number
    return found


def _digits(text: str) -> str:
    return text.replace(" ", "").replace("-", "").upper()


def is_resident_id(number: str) -> bool:
    """Whether form and check digit hold; not whether the division exists, of which no table is complete."""
    return ID_FORM.match(number) is not None and ric.calc_check_digit(number) == number[-1]


def _is_resident_id(text: str) -> bool:
    """Whether it is such a number, or one that a spreadsheet rounded to 15 digits and 000."""
    number = _digits(text)
    return is_resident_id(number) or (ID_FORM.match(number) is not None and number.endswith("000"))


def _is_credit_code(text: str) -> bool:
    return len(text) <= LONGEST_WORD and bool(uscc.is_valid(_digits(text)))


def _is_phone(text: str) -> bool:
    return MOBILE.match(_digits(text)) is not None or LANDLINE.match(text.replace(" ", "")) is not None


def _is_bank_card(text: str) -> bool:
    number = _digits(text)
    return CARD.match(number) is not None and bool(luhn.is_valid(number))


def _is_person_name(text: str) -> bool:
    if not 2 <= len(text) <= LONGEST_NAME or not all("\u4e00" <= char <= "\u9fff" for char in text):
        return False
    if text.startswith(COMPOUND):
        return NO_NAME.search(text) is None
    return len(text) < LONGEST_NAME and text[0] in SURNAMES and NO_NAME.search(text) is None


def _is_home_address(text: str) -> bool:
    return _is_address(text) and ROOM.search(text) is not None


def _is_address(text: str) -> bool:
    if SENTENCE.search(text):
        return False
    return len(text) >= 6 and (
        HOUSE_NUMBER.search(text) is not None or (ROOM.search(text) is not None and "区" in text)
    )


def _has_number(text: str) -> bool:
    return (
        len(text) > LONGEST_NAME + 15
        and MANY_DIGITS.search(text) is not None
        and any(pattern.search(text) for pattern in (IDENTITY, PHONE))
    )


TESTS: Mapping[str, Callable[[str], bool]] = {
    "resident_id": _is_resident_id,
    "credit_code": _is_credit_code,
    "phone": _is_phone,
    "bank_card": _is_bank_card,
    "email": lambda text: EMAIL.match(text) is not None,
    "person_name": _is_person_name,
    "home_address": _is_home_address,
    "address": _is_address,
    "text_with_number": _has_number,
}
"""Checks of a value by name."""
