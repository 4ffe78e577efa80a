"""Rows as a reader may see them: unmasked for the owning department, masked for all others but by a grant."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow.dataset as ds

from jobs.access.masking import HIDDEN, Masking
from jobs.access.personal_numbers import masked_text
from jobs.access.policy import Mask, View
from jobs.contracts import Contract
from jobs.contracts.grades import highest, is_sensitive
from jobs.lake.lake import Lake
from jobs.lake.row_filter import rows_of_id
from jobs.lake.zones import Zone

SHOWN = 20
SHAPE = "row_shape"


@dataclass(frozen=True)
class Sample:
    """Some rows with their heads; `grade` is the highest of the fields that they show."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    grade: str
    is_masked: bool
    grant: str = ""
    """The grant by which more is shown than the reader's role sees, with its purpose and end."""

    def is_sensitive(self) -> bool:
        """Whether values are shown that not everybody may read."""
        return not self.is_masked and is_sensitive(self.grade)


def failing_rows(lake: Lake, contract: Contract, rule: str, deliveries: Sequence[str], in_full: bool) -> Sample | None:
    """The first rows that break a rule, delivery by delivery, answers to tickets last; None where there is no evidence of it."""
    table = lake.delta.open(lake.path(Zone.EVIDENCE, contract.id))
    if table is None:
        return None
    masks, shown = Masking(contract), _Shown([], set())
    answers = {delivery.id for delivery in lake.ledger.deliveries(contract.id) if delivery.is_answer()}
    for delivery in sorted(deliveries, key=answers.__contains__):
        if len(shown.cells) >= SHOWN:
            break
        of_delivery = rows_of_id(lake.ledger, delivery)
        rows, mine = of_delivery.dataset(table), of_delivery.expression(table)
        failed_rows = rows.scanner(filter=mine & (ds.field("rule") == rule)).head(SHOWN - len(shown.cells)).to_pylist()
        shifted = set() if in_full or not failed_rows else _shifted(rows, mine, contract)
        for row in failed_rows:
            shown.names.update(_fields(row), _key(row))
            shown.cells.append(_cells(row, masks, in_full, (row["_file"], row["_row"]) in shifted))
    return _sample(contract, shown, in_full) if shown.cells else None


@dataclass(frozen=True)
class _Shown:
    """Cells of the rows that are shown, and names of the fields that they hold."""

    cells: list[tuple[str, ...]]
    names: set[str]


def _sample(contract: Contract, shown: _Shown, in_full: bool) -> Sample:
    grade = highest(f.classification for f in contract.fields if f.name in shown.names)
    return Sample(("文件", "行号", "业务主键", "字段", "报送的值"), tuple(shown.cells), grade, not in_full)


def _shifted(rows: ds.Dataset, mine: ds.Expression, contract: Contract) -> set[tuple[str, int]]:
    """Rows of a wrong shape, where any value may be under any field."""
    if not any(f.is_personal() for f in contract.fields):
        return set()
    wrong = rows.to_table(columns=["_file", "_row"], filter=mine & (ds.field("rule") == SHAPE))
    return set(zip(wrong["_file"].to_pylist(), wrong["_row"].to_pylist(), strict=True))


def _fields(row: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(name for name in (row["field"] or "").split(",") if name)


def _key(row: Mapping[str, Any]) -> dict[str, str | None]:
    key: dict[str, str | None] = json.loads(row["key"]) if row["key"] else {}
    return key


def _cells(row: Mapping[str, Any], masks: Masking, in_full: bool, is_shifted: bool) -> tuple[str, ...]:
    fields = _fields(row)
    titles = "、".join(masks.title(name) for name in fields) or "整行"
    if in_full:
        key = "，".join(f"{masks.title(name)}={value}" for name, value in _key(row).items())
        return row["_file"] or "", str(row["_row"]), key, titles, row["value"] or ""
    key = HIDDEN if is_shifted else masks.key(row["key"])
    value = HIDDEN if is_shifted else masks.value(row["value"], fields)
    return masked_text(row["_file"] or "", is_free=False), str(row["_row"]), key, titles, value


def curated_rows(lake: Lake, contract: Contract, view: View) -> Sample | None:
    """The first rows of a curated table in a view; None before there are any."""
    table = lake.delta.open(lake.path(Zone.SILVER, contract.id))
    if table is None:
        return None
    rows = table.to_pyarrow_dataset()
    names = [f.name for f in contract.fields if f.name in rows.schema.names]
    first_rows = rows.scanner(columns=names).head(SHOWN).to_pylist()
    masks, in_full = Masking(contract, view), all(mask is Mask.AS_SENT for mask in view.values())
    cells = tuple(tuple(_cell(row[name], name, masks, in_full) for name in names) for row in first_rows)
    grade, is_masked = _shown_grade(masks, names)
    head = tuple(masks.title(name) for name in names)
    return Sample(head, cells, grade, is_masked and not in_full) if first_rows else None


def _shown_grade(masks: Masking, names: Sequence[str]) -> tuple[str, bool]:
    """The highest grade of fields that are shown as sent, or of all where none is; and whether all sensitive ones are masked."""
    as_sent = [masks.grade(name) for name in names if masks.mask(name) is Mask.AS_SENT]
    is_masked = not any(is_sensitive(grade) for grade in as_sent)
    return highest(as_sent or [masks.grade(name) for name in names]), is_masked


def _cell(value: object, name: str, masks: Masking, in_full: bool) -> str:
    if value is None:
        return ""
    return str(value) if in_full else masks.value(str(value), (name,))


def grades_of(contract: Contract) -> Sequence[str]:
    """Titles of the fields of L3 and above."""
    return [f.title for f in contract.fields if f.is_personal()]
