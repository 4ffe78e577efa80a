"""Values masked by the classification of their field and the view of the reader."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from jobs.access.personal_numbers import UNSEEN, masked_text, starred, visible
from jobs.access.policy import Mask, View
from jobs.access.roles import outsider_view
from jobs.contracts import Contract, Field
from jobs.contracts.grades import OPEN, highest, is_sensitive
from jobs.contracts.names import QUALIFIER

EMPTY = "（空）"
HIDDEN = "****"
JOINT = " | "
WORDS_FOR_NOTHING = frozenset(
    ("-", "--", "/", "\\", "无", "空", "不详", "未知", "null", "none", "na", "n/a", "nan", EMPTY)
)


class Masking:
    """The values of one dataset masked for a view, by default that of outsiders."""

    def __init__(self, contract: Contract, view: View | None = None) -> None:
        qualifiers = [(f.name + QUALIFIER, f) for f in contract.fields if f.source.censored]
        named = [*qualifiers, *((f.name, f) for f in contract.fields)]
        self._fields = dict(named)
        self._zone = contract.layout.timezone
        self._view = view or outsider_view()
        self._grades = {name: self._grade(f) for name, f in named}

    def value(self, value: str | None, names: tuple[str, ...]) -> str:
        """A rule's value; `value` holds the texts of several fields joined by ' | '."""
        if value is None or value == "":
            return EMPTY
        if len(names) == 1:
            return self._shown(value, names[0])
        parts = value.split(JOINT)
        if len(parts) == len(names):
            return JOINT.join(self._shown(part, name) for part, name in zip(parts, names, strict=True))
        return self._shown(value, max(names, key=lambda name: self._grades.get(name, OPEN), default=""))

    def key(self, text: str | None) -> str:
        """A row's key as `title=value` pairs; times in the time zone in which they were sent."""
        if not text:
            return ""
        pairs: Mapping[str, str | None] = json.loads(text)
        return "，".join(f"{self.title(name)}={self._key_value(name, value)}" for name, value in pairs.items())

    def title(self, name: str) -> str:
        """The field's Chinese name."""
        field = self._fields.get(name)
        return field.title if field else name

    def grade(self, name: str) -> str:
        """The field's classification, or a stricter one of its source fields; L1 for a field that the contract lacks."""
        return self._grades.get(name, OPEN)

    def mask(self, name: str) -> Mask:
        """How values of the field are masked; an unknown grade is hidden."""
        return self._view.get(self.grade(name), Mask.HIDDEN)

    def _shown(self, value: str, name: str) -> str:
        field = self._fields.get(name)
        return masked_value(value, self.mask(name), field is None or field.is_free_text())

    def _key_value(self, name: str, value: str | None) -> str:
        if value is None or value == "":
            return EMPTY
        field = self._fields.get(name)
        if field is not None and field.type == "timestamp" and not is_sensitive(self._grades[name]):
            return _as_sent(value, field.source.timezone or self._zone)
        return self._shown(value, name)

    def _grade(self, field: Field) -> str:
        """The field's classification, or a stricter one of its source fields."""
        sources = {field.source.derive or "", *field.source.parts()}
        others = [self._fields[name].classification for name in sources if name in self._fields]
        return highest([field.classification, *others])


def masked_value(value: str, mask: Mask, is_free: bool) -> str:
    """The text of a value behind a mask; `is_free`: any number in it may be a personal one."""
    if mask is Mask.AS_SENT:
        return UNSEEN.sub(visible, value)
    word = value.strip()
    if word.lower() in WORDS_FOR_NOTHING:
        return value
    if mask is Mask.HIDDEN:
        return HIDDEN
    if mask is Mask.ENDS:
        return UNSEEN.sub("", starred(word))
    return masked_text(value, is_free)


def titles(names: tuple[str, ...], contract: Contract | None) -> str:
    """Chinese names of fields."""
    masks = Masking(contract) if contract else None
    return "、".join(masks.title(name) if masks else name for name in names)


def _as_sent(value: str, zone: str) -> str:
    try:
        at = datetime.fromisoformat(value)
    except ValueError:
        return masked_text(value)
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M:%S")
