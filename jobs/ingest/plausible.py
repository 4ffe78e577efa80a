"""How plausible a decoded text is: common Chinese characters, isolated accents, and signs of a wrong decoding."""

import logging
import re
from functools import cache

from charset_normalizer import from_bytes

logger = logging.getLogger(__name__)

SHORT_BYTES = 32
FEW_ERRORS = 0.1
ENOUGH = 0.6
LAST_RESORT = "gb18030"
MOJIBAKE_WORDS = ("锟斤拷", "烫烫烫", "ï¿½")
MOJIBAKE_SHARE = 0.8
MOJIBAKE_CHARS = 6
READABLE = re.compile(r"[\x00-\x7f\ufffd]+")


def best_guess(sample: bytes) -> tuple[str, float]:
    """Codec and confidence for bytes that are not entirely UTF-8."""
    guesses = {
        "utf-8": _damaged_utf8(sample),
        "gb18030": _chinese(sample, "gb18030", "gb2312", (0xB0, 0xD7)),
        "big5": 0.95 * _chinese(sample, "big5", "big5", (0xA4, 0xC6)),
        "cp1252": _latin(sample),
    }
    name = max(guesses, key=lambda n: guesses[n])
    if guesses[name] >= ENOUGH:
        return name, guesses[name]
    detected = from_bytes(sample).best()
    if detected is None:
        return LAST_RESORT, guesses[LAST_RESORT]
    return detected.encoding.replace("utf_", "utf-"), max(0.0, min(ENOUGH, 1 - detected.chaos))


def short_gbk_taken_for_utf8(sample: bytes) -> bool:
    """Whether a few bytes that happen to be UTF-8 make better sense as GBK (the case of 联通)."""
    foreign = [b for b in sample if b > 127]
    if not foreign or len(foreign) > SHORT_BYTES:
        return False
    as_utf8 = [c for c in sample.decode("utf-8", "replace") if ord(c) > 127]
    if any(_is_cjk(c) or c in "°℃²³µ·" for c in as_utf8):
        return False
    return _chinese(sample, "gb18030", "gb2312", (0xB0, 0xD7)) > 0.95


def is_mojibake(text: str) -> bool:
    """Whether UTF-8 text was decoded as GBK or Latin and saved that way."""
    if any(word in text for word in MOJIBAKE_WORDS):
        return True
    foreign = READABLE.sub("", text)
    return any(_turns_chinese(foreign, codec) for codec in ("gb18030", "cp1252"))


def _turns_chinese(text: str, codec: str) -> bool:
    raw = text.encode(codec, "ignore")
    turned = raw.decode("utf-8", "ignore")
    if len(turned) < MOJIBAKE_CHARS or len(turned.encode()) < MOJIBAKE_SHARE * len(raw):
        return False
    return sum(_weight(c, "gb2312", 0xB0, 0xD7) for c in turned) > MOJIBAKE_SHARE * len(turned)


def _damaged_utf8(sample: bytes) -> float:
    foreign = [c for c in sample.decode("utf-8", "replace") if ord(c) > 127]
    bad = foreign.count("\ufffd")
    good = len(foreign) - bad
    return 1 - bad / good if good and bad <= FEW_ERRORS * good else 0.0


def _chinese(sample: bytes, codec: str, table: str, common: tuple[int, int]) -> float:
    """Share of common characters (level 1 of the code table) and punctuation among non-ASCII characters."""
    foreign = [c for c in sample.decode(codec, "replace") if ord(c) > 127]
    if not foreign:
        return 0.0
    bad = foreign.count("\ufffd") / len(foreign)
    likely = sum(_weight(c, table, *common) for c in foreign) / len(foreign)
    return max(0.0, likely - 2 * bad)


@cache
def _weight(char: str, table: str, low: int, high: int) -> float:
    """1 for a common character or punctuation mark, 0.8 for a rarer one of the table, 0.2 for other Chinese, else 0."""
    try:
        lead = char.encode(table)[0]
    except UnicodeEncodeError:
        return 0.2 if _is_cjk(char) or "\uff00" <= char <= "\uffef" else 0.0
    if _is_cjk(char):
        return 1.0 if low <= lead <= high else 0.8
    return 1.0 if lead > 127 else 0.0


def _is_cjk(char: str) -> bool:
    return "\u4e00" <= char <= "\u9fff" or "\u3400" <= char <= "\u4dbf"


def _latin(sample: bytes) -> float:
    """Plausibility of cp1252: accents are isolated between ASCII letters, Chinese bytes come in pairs."""
    try:
        sample.decode("cp1252")
    except UnicodeDecodeError:
        return 0.0
    foreign = [i for i, b in enumerate(sample) if b > 127]
    isolated = sum(
        1 for i in foreign if (i == 0 or sample[i - 1] < 128) and (i + 1 >= len(sample) or sample[i + 1] < 128)
    )
    return 0.9 * isolated / len(foreign) if foreign else 0.0
