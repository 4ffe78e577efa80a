"""Personal numbers in free text masked: identity, phone and other long numbers."""

import re
from collections.abc import Mapping

HALF = str.maketrans("０１２３４５６７８９Ｘｘ－　", "0123456789Xx- ")
IDENTITY = re.compile(
    r"\d*[1-9]\d{5}[ -]?(?:1[89]|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])[ -]?\d{3}[\dXx]\d*"
    r"|(?<!\d)[1-9]\d{7}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}(?!\d)"
)
PHONE = re.compile(r"(?<!\d)(?:\+?86[ -]?)?1[3-9]\d[ -]?\d{4}[ -]?\d{4}(?!\d)")
LONG_NUMBER = re.compile(r"\d{11,}[Xx]?|(?<!\d)0\d{2,3}[ -]\d{7,8}(?!\d)|(?<!\d)\d{4}(?:[ -]\d{4}){3}[ -]?\d{0,4}")
HAN = re.compile(r"[\u3400-\u9fff]")
UNSEEN = re.compile("[\x00-\x1f\x7f-\xa0\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")
MANY_DIGITS = re.compile(r"(?:\d[ \-－　]?){10}")
STARS = 20
KEPT = ((15, 4, 4), (11, 3, 4), (7, 2, 2), (2, 1, 0))


def masked_text(text: str, is_free: bool = True) -> str:
    """Text with personal numbers masked and invisible characters made visible."""
    has_unseen = UNSEEN.search(text) is not None
    bare = UNSEEN.sub("", text) if has_unseen else text
    if MANY_DIGITS.search(bare):
        hidden = _without_numbers(bare, is_free)
        text = hidden if hidden != bare else text
    return UNSEEN.sub(visible, text) if has_unseen else text


def masked_lines(text: str, is_free: bool = True) -> str:
    """Text of several lines with personal numbers masked; line breaks stay."""
    hidden = masked_text(text, is_free)
    return hidden.replace("\N{SYMBOL FOR CARRIAGE RETURN}", "").replace("\N{SYMBOL FOR LINE FEED}", "\n")


def masked_tree(value: object) -> object:
    """A JSON value with every text in it masked."""
    if isinstance(value, str):
        return masked_text(value, is_free=False)
    if isinstance(value, Mapping):
        return {masked_text(str(key), is_free=False): masked_tree(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [masked_tree(item) for item in value]
    return value


def _without_numbers(text: str, is_free: bool) -> str:
    half = text.translate(HALF)
    for pattern in (IDENTITY, PHONE, LONG_NUMBER) if is_free else (IDENTITY, PHONE):
        for match in pattern.finditer(half):
            stars = starred(text[match.start() : match.end()], limit=len(half))
            text = text[: match.start()] + stars + text[match.end() :]
        half = text.translate(HALF)
    return text


def starred(text: str, limit: int = STARS) -> str:
    """The text with all but its ends masked; of a Chinese one, all but the first character."""
    length = len(text)
    if HAN.search(text):
        return text[:1] + "*" * max(1, min(length - 1, 10))
    for least, head, tail in KEPT:
        if length >= least:
            return text[:head] + "*" * min(length - head - tail, limit) + text[length - tail :]
    return "*"


def visible(match: re.Match[str]) -> str:
    """The visible substitute of an invisible character."""
    code = ord(match.group())
    return chr(0x2400 + code) if code < 0x20 else f"⟨U+{code:04X}⟩"
