"""What failing rows have in common that other rows have not: an office, a county, a file, one repeated value, a day.

A hint for whoever looks for the cause; it decides nothing. One scan of the delivery's bronze rows serves all rules.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from jobs.access.masking import Masking
from jobs.access.personal_numbers import masked_text
from jobs.contracts import Contract, Field
from jobs.lake.lake import Lake
from jobs.lake.row_filter import rows_of_id
from jobs.lake.zones import Zone
from jobs.reporting import figures

FEWEST = 5
SHARE, LIFT, SAME = 0.8, 1.5, 0.5
"""Of the failing rows so many share a value; so many times as often as all rows do; so many sent the very same value."""
MOST_VALUES = 100
"""A column with more values than these is no group."""
MOST_HINTS = 3


@dataclass
class _Tally:
    """Values of a column: how often over all rows, and over each rule's failing rows."""

    all: Counter[str] = field(default_factory=Counter)
    failing: dict[str, Counter[str]] = field(default_factory=dict)

    def is_wide(self) -> bool:
        return len(self.all) > MOST_VALUES


def causes(
    lake: Lake, contract: Contract, delivery: str, fields_of: Mapping[str, Sequence[str]]
) -> dict[str, tuple[str, ...]]:
    """Hints in Chinese by rule, the strongest first; `fields_of` gives each rule's own fields."""
    places = _places(lake, contract, delivery, fields_of)
    bronze = lake.delta.open(lake.path(Zone.BRONZE, contract.id))
    if bronze is None or not places:
        return {}
    columns = [f.name for f in contract.fields if _may_group(f)]
    own = {name for names in fields_of.values() for name in names if len(names) == 1}
    there = {f.name for f in bronze.schema().fields}
    wanted = [name for name in dict.fromkeys((*columns, *own)) if name in there]
    ticket_counts = {name: _Tally() for name in (*wanted, "_file")}
    mine = rows_of_id(lake.ledger, delivery)
    rows = mine.dataset(bronze).to_batches(columns=[*wanted, "_file", "_row"], filter=mine.expression(bronze))
    for batch in rows:
        _count(batch, ticket_counts, places)
    total = sum(ticket_counts["_file"].all.values())
    masks = Masking(contract)
    return {
        rule: hints
        for rule, names in fields_of.items()
        if rule in places and (hints := tuple(_hints(rule, names, columns, ticket_counts, total, masks)))
    }


def _places(
    lake: Lake, contract: Contract, delivery: str, wanted: Mapping[str, object]
) -> dict[str, dict[str, np.ndarray]]:
    """Rule → file → row numbers of its failing rows, of rules that fail often enough to have a pattern."""
    table = lake.delta.open(lake.path(Zone.EVIDENCE, contract.id))
    if table is None:
        return {}
    filters = rows_of_id(lake.ledger, delivery).terms(table)
    rows = table.to_pyarrow_table(columns=["rule", "_file", "_row"], filters=filters)
    found: dict[str, dict[str, np.ndarray]] = {}
    for rule in pc.unique(rows["rule"]).to_pylist():
        mine = rows.filter(pc.equal(rows["rule"], rule))
        if rule in wanted and mine.num_rows >= FEWEST:
            files = pc.unique(mine["_file"]).to_pylist()
            found[rule] = {f: np.unique(mine.filter(pc.equal(mine["_file"], f))["_row"].to_numpy()) for f in files}
    return found


def _may_group(one: Field) -> bool:
    """Fields whose values may be told: not personal, not free text, no measure."""
    return one.type in ("string", "boolean") and not one.is_personal() and not one.is_computed()


def _count(
    batch: pa.RecordBatch, ticket_counts: Mapping[str, _Tally], places: Mapping[str, Mapping[str, np.ndarray]]
) -> None:
    numbers, files = batch["_row"].to_numpy(), np.asarray(batch["_file"].to_pylist(), dtype=object)
    masks = {}
    for rule, by_file in places.items():
        hit = np.zeros(batch.num_rows, bool)
        for file, rows in by_file.items():
            hit |= (files == file) & np.isin(numbers, rows)
        if hit.any():
            masks[rule] = pa.array(hit)
    for name, tally in ticket_counts.items():
        if not tally.is_wide():
            tally.all.update(dict(_counted(batch[name])))
        for rule, mask in masks.items():
            tally.failing.setdefault(rule, Counter()).update(dict(_counted(batch[name].filter(mask))))


def _counted(values: pa.Array) -> Iterator[tuple[str, int]]:
    for pair in pc.value_counts(values).to_pylist():
        yield pair["values"] or "", pair["counts"]


def _hints(
    rule: str,
    own: Sequence[str],
    columns: Sequence[str],
    ticket_counts: Mapping[str, _Tally],
    total: int,
    masks: Masking,
) -> Iterator[str]:
    """What is told of one rule: the groups that its rows come from, then the value that they repeat."""
    found: list[tuple[float, str]] = []
    for name in (*columns, "_file"):
        tally = ticket_counts.get(name)
        if tally is None or tally.is_wide() or name in own or len(tally.all) < 2:
            continue
        failing = tally.failing.get(rule, Counter())
        value, count = (failing.most_common(1) or [("", 0)])[0]
        share, usual = count / max(1, sum(failing.values())), tally.all[value] / max(1, total)
        if share >= SHARE and share >= LIFT * usual:
            title = "来源文件" if name == "_file" else masks.title(name)
            shown = masked_text(value, is_free=False) if name == "_file" else masks.value(value, (name,))
            words = (
                f"{figures.percent(share)} 集中在「{title}」为“{shown}”的行（全部数据中占 {figures.percent(usual)}）"
            )
            found.append((share / max(usual, 1e-9), words))
    yield from (words for _, words in sorted(found, reverse=True)[:MOST_HINTS])
    if len(own) == 1 and own[0] in ticket_counts:
        failing = ticket_counts[own[0]].failing.get(rule, Counter())
        value, count = (failing.most_common(1) or [("", 0)])[0]
        share = count / max(1, sum(failing.values()))
        if share >= SAME and len(failing) < sum(failing.values()):
            yield f"{figures.percent(share)} 报送的值都是“{masks.value(value, (own[0],))}”"
