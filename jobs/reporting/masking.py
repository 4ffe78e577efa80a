"""What a reader may see of a sent value: by its field's classification, and never an identity or phone number."""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from jobs.contracts import Contract, Field

EMPTY = "（空）"
HIDDEN = "****"
JOINT = " | "
WORDS_FOR_NOTHING = frozenset(
    ("-", "--", "/", "\\", "无", "空", "不详", "未知", "null", "none", "na", "n/a", "nan", EMPTY)
)
HALF = str.maketrans("０１２３４５６７８９Ｘｘ－　", "0123456789Xx- ")
IDENTITY = re.compile(
    r"\d*[1-9]\d{5}[ -]?(?:1[89]|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])[ -]?\d{3}[\dXx]\d*"
    r"|(?<!\d)[1-9]\d{7}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}(?!\d)"
)
PHONE = re.compile(r"(?<!\d)(?:\+?86[ -]?)?1[3-9]\d[ -]?\d{4}[ -]?\d{4}(?!\d)")
LONG_NUMBER = re.compile(r"\d{11,}[Xx]?|(?<!\d)0\d{2,3}[ -]\d{7,8}(?!\d)|(?<!\d)\d{4}(?:[ -]\d{4}){3}[ -]?\d{0,4}")
HAN = re.compile(r"[\u3400-\u9fff]")
UNSEEN = re.compile("[\x00-\x1f\x7f-\xa0\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")
SHORTEST_NUMBER = 10
STARS = 20
KEPT = ((15, 4, 4), (11, 3, 4), (7, 2, 2), (2, 1, 0))


def masked(value: str | None, names: tuple[str, ...], contract: Contract) -> str:
    """A rule's value as the report shows it; `value` holds the texts of several fields joined by ' | '."""
    if value is None or value == "":
        return EMPTY
    parts = value.split(JOINT) if len(names) > 1 else [value]
    fields = [_field(name, contract) for name in names]
    if len(parts) == len(fields):
        return JOINT.join(_one(part, field, contract) for part, field in zip(parts, fields, strict=True))
    strictest = max(fields, key=lambda f: _grade(f, contract), default=None)
    return _one(value, strictest, contract)


def masked_key(text: str | None, contract: Contract) -> str:
    """A row's key as `title=value` pairs; times stand on the clock on which they were sent."""
    if not text:
        return ""
    pairs: Mapping[str, str | None] = json.loads(text)
    return "，".join(f"{_title(name, contract)}={_key_value(name, value, contract)}" for name, value in pairs.items())


def masked_text(text: str, is_free: bool = True) -> str:
    """Text with the numbers of persons starred out and unseen characters made visible."""
    if len(text) >= SHORTEST_NUMBER:
        bare = UNSEEN.sub("", text)
        text = _without_numbers(text if bare == text else _which(text, bare, is_free), is_free)
    return UNSEEN.sub(_visible, text)


def masked_tree(value: object) -> object:
    """A JSON value with every text in it masked."""
    if isinstance(value, str):
        return masked_text(value)
    if isinstance(value, Mapping):
        return {masked_text(str(key)): masked_tree(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [masked_tree(item) for item in value]
    return value


def titles(names: tuple[str, ...], contract: Contract | None) -> str:
    """Chinese names of fields."""
    return "、".join(_title(name, contract) for name in names)


def _one(value: str, field: Field | None, contract: Contract) -> str:
    word = value.strip()
    if word.lower() in WORDS_FOR_NOTHING:
        return value
    grade = _grade(field, contract)
    if grade >= "L4":
        return HIDDEN
    if grade >= "L3":
        return UNSEEN.sub("", _starred(word))
    return masked_text(value, field is None or field.is_free_text())


def _key_value(name: str, value: str | None, contract: Contract) -> str:
    field = _field(name, contract)
    if value is None or value == "":
        return EMPTY
    if field is not None and field.type == "timestamp" and not field.is_personal():
        return _as_sent(value, field.source.timezone or contract.layout.timezone)
    return _one(value, field, contract)


def _as_sent(value: str, zone: str) -> str:
    try:
        at = datetime.fromisoformat(value)
    except ValueError:
        return masked_text(value)
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M:%S")


def _field(name: str, contract: Contract | None) -> Field | None:
    wanted = (name, name.removesuffix("_qualifier"))
    return next((f for f in contract.fields if f.name in wanted), None) if contract else None


def _title(name: str, contract: Contract | None) -> str:
    field = _field(name, contract)
    return field.title if field else name


def _grade(field: Field | None, contract: Contract) -> str:
    """The field's classification, or a stricter one of a field that it is made from."""
    if field is None:
        return "L1"
    made_from = {field.source.derive or "", *re.findall(r"\{(\w+)\}", field.source.compose or "")}
    return max([field.classification, *(f.classification for f in contract.fields if f.name in made_from)])


def _which(text: str, bare: str, is_free: bool) -> str:
    return text if _without_numbers(bare, is_free) == bare else bare


def _without_numbers(text: str, is_free: bool) -> str:
    half = text.translate(HALF)
    for pattern in (IDENTITY, PHONE, LONG_NUMBER) if is_free else (IDENTITY, PHONE):
        for found in pattern.finditer(half):
            starred = _starred(text[found.start() : found.end()], limit=len(half))
            text = text[: found.start()] + starred + text[found.end() :]
        half = text.translate(HALF)
    return text


def _starred(text: str, limit: int = STARS) -> str:
    length = len(text)
    if HAN.search(text):
        return text[:1] + "*" * max(1, min(length - 1, 10))
    for least, head, tail in KEPT:
        if length >= least:
            return text[:head] + "*" * min(length - head - tail, limit) + text[length - tail :]
    return "*"


def _visible(found: re.Match[str]) -> str:
    code = ord(found.group())
    return chr(0x2400 + code) if code < 0x20 else f"⟨U+{code:04X}⟩"
