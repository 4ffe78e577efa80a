"""Rows as a reader may see them: as they were sent for people of the department whose they are, masked for all others."""

import json
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any

import pyarrow.dataset as ds

from jobs.contracts import Contract
from jobs.contracts.personal_numbers import masked_text
from jobs.lake.lake import Lake
from jobs.lake.zones import Zone
from jobs.reporting.masking import HIDDEN, Masking

SHOWN = 20
SHAPE = "row_shape"
SENSITIVE = "L3"


@dataclass(frozen=True)
class Sample:
    """Some rows with their heads; `grade` is the highest of the fields that they show."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    grade: str
    is_masked: bool

    def is_sensitive(self) -> bool:
        """Whether values are shown that not everybody may read."""
        return not self.is_masked and self.grade >= SENSITIVE


def failing_rows(lake: Lake, contract: Contract, rule: str, deliveries: Sequence[str], in_full: bool) -> Sample | None:
    """The first rows that break a rule, delivery by delivery; None where there is no evidence of it."""
    table = lake.delta.open(lake.path(Zone.EVIDENCE, contract.id))
    if table is None:
        return None
    told: list[tuple[str, ...]] = []
    names: set[str] = set()
    masks = Masking(contract)
    for delivery in deliveries:
        if len(told) >= SHOWN:
            break
        rows = table.to_pyarrow_dataset(file_pruning_predicate=[("_delivery", "=", delivery)])
        mine = ds.field("_delivery") == delivery
        found = rows.scanner(filter=mine & (ds.field("rule") == rule)).head(SHOWN - len(told)).to_pylist()
        shifted = set() if in_full or not found else _shifted(rows, mine, contract)
        names |= {name for row in found for name in (*_fields(row), *_key(row))}
        told += [_told(row, masks, in_full, (row["_file"], row["_row"]) in shifted) for row in found]
    grade = _grade(contract, names)
    head = ("文件", "行号", "业务主键", "字段", "报送的值")
    return Sample(head, tuple(told), grade, not in_full) if told else None


def _grade(contract: Contract, names: AbstractSet[str]) -> str:
    """The highest classification of the fields."""
    return max((f.classification for f in contract.fields if f.name in names), default="L1")


def _shifted(rows: ds.Dataset, mine: ds.Expression, contract: Contract) -> set[tuple[str, int]]:
    """Rows of a wrong shape, where any value may stand under any field."""
    if not any(f.is_personal() for f in contract.fields):
        return set()
    wrong = rows.to_table(columns=["_file", "_row"], filter=mine & (ds.field("rule") == SHAPE))
    return set(zip(wrong["_file"].to_pylist(), wrong["_row"].to_pylist(), strict=True))


def _fields(row: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(name for name in (row["field"] or "").split(",") if name)


def _key(row: Mapping[str, Any]) -> dict[str, str | None]:
    found: dict[str, str | None] = json.loads(row["key"]) if row["key"] else {}
    return found


def _told(row: Mapping[str, Any], masks: Masking, in_full: bool, is_shifted: bool) -> tuple[str, ...]:
    fields = _fields(row)
    titles = "、".join(masks.title(name) for name in fields) or "整行"
    if in_full:
        key = "，".join(f"{masks.title(name)}={value}" for name, value in _key(row).items())
        return row["_file"] or "", str(row["_row"]), key, titles, row["value"] or ""
    key = HIDDEN if is_shifted else masks.key(row["key"])
    value = HIDDEN if is_shifted else masks.value(row["value"], fields)
    return masked_text(row["_file"] or "", is_free=False), str(row["_row"]), key, titles, value


def curated_rows(lake: Lake, contract: Contract, in_full: bool) -> Sample | None:
    """The first rows of a curated table; None before there are any."""
    table = lake.delta.open(lake.path(Zone.SILVER, contract.id))
    if table is None:
        return None
    rows = table.to_pyarrow_dataset()
    names = [f.name for f in contract.fields if f.name in rows.schema.names]
    found = rows.scanner(columns=names).head(SHOWN).to_pylist()
    masks = Masking(contract)
    shown = tuple(tuple(_cell(row[name], name, masks, in_full) for name in names) for row in found)
    grade = max((contract.field(name).classification for name in names), default="L1")
    return Sample(tuple(masks.title(name) for name in names), shown, grade, not in_full) if found else None


def _cell(value: object, name: str, masks: Masking, in_full: bool) -> str:
    if value is None:
        return ""
    return str(value) if in_full else masks.value(str(value), (name,))


def grades_of(contract: Contract) -> Sequence[str]:
    """Titles of the fields of L3 and above."""
    return [f.title for f in contract.fields if f.is_personal()]


def highest(grades: Iterable[str]) -> str:
    """The strictest of grades; L1 of none."""
    return max(grades, default="L1")
