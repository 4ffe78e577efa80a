"""What failing rows have in common and other rows have not: an office, a county, a file, one repeated value, a day.

Hints for finding the cause; they decide nothing. One scan of the delivery's bronze rows serves all rules.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from deltalake import DeltaTable

from jobs.access.masking import Masking
from jobs.access.personal_numbers import masked_text
from jobs.contracts import Contract, Field
from jobs.lake.lake import Lake
from jobs.lake.row_filter import rows_of_id
from jobs.lake.zones import Zone
from jobs.reporting import figures

FEWEST = 5
SHARE, LIFT, SAME = 0.8, 1.5, 0.5
"""Least share of failing rows with one value; its ratio to that in all rows; least share that sent the same value."""
MOST_VALUES = 100
"""A column with more values than this does not group rows."""
MOST_HINTS = 3


@dataclass
class _Tally:
    """Counts of a column's values, over all rows and over each rule's failing rows."""

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
    columns = [f.name for f in filter(_may_group, contract.fields)]
    columns_read = _present(bronze, (*columns, *_single(fields_of.values())))
    own_rows = rows_of_id(lake.ledger, delivery)
    batches = own_rows.dataset(bronze).to_batches(
        columns=[*columns_read, "_file", "_row"], filter=own_rows.expression(bronze)
    )
    tallies = _tallied(batches, (*columns_read, "_file"), places)
    counted = _Counts((*columns, "_file"), tallies, Masking(contract))
    hints = {rule: tuple(counted.hints(rule, names)) for rule, names in fields_of.items() if rule in places}
    return {rule: words for rule, words in hints.items() if words}


def _tallied(
    batches: Iterable[pa.RecordBatch], names: Iterable[str], places: Mapping[str, Mapping[str, np.ndarray]]
) -> dict[str, _Tally]:
    """Counts of each column's values, over all rows and over those that fail."""
    tallies = {name: _Tally() for name in names}
    for batch in batches:
        _count(batch, tallies, places)
    return tallies


def _present(table: DeltaTable, names: Iterable[str]) -> list[str]:
    """Those of the columns that the table has, each once."""
    existing = {field.name for field in table.schema().fields}
    return [name for name in dict.fromkeys(names) if name in existing]


def _single(fields: Iterable[Sequence[str]]) -> list[str]:
    """Fields that a rule is about alone."""
    return [names[0] for names in fields if len(names) == 1]


def _places(
    lake: Lake, contract: Contract, delivery: str, rules: Mapping[str, object]
) -> dict[str, dict[str, np.ndarray]]:
    """Rule → file → row numbers of its failing rows, of rules that fail often enough to have a pattern."""
    table = lake.delta.open(lake.path(Zone.EVIDENCE, contract.id))
    if table is None:
        return {}
    filters = rows_of_id(lake.ledger, delivery).terms(table)
    rows = table.to_pyarrow_table(columns=["rule", "_file", "_row"], filters=filters)
    places: dict[str, dict[str, np.ndarray]] = {}
    for rule in pc.unique(rows["rule"]).to_pylist():
        failing_rows = rows.filter(pc.equal(rows["rule"], rule))
        if rule in rules and failing_rows.num_rows >= FEWEST:
            files = pc.unique(failing_rows["_file"]).to_pylist()
            places[rule] = {
                f: np.unique(failing_rows.filter(pc.equal(failing_rows["_file"], f))["_row"].to_numpy()) for f in files
            }
    return places


def _may_group(field: Field) -> bool:
    """Whether the field's values may be shown: not personal, not free text, no measure."""
    return field.type in ("string", "boolean") and not field.is_personal() and not field.is_computed()


def _count(
    batch: pa.RecordBatch, tallies: Mapping[str, _Tally], places: Mapping[str, Mapping[str, np.ndarray]]
) -> None:
    numbers, files = batch["_row"].to_numpy(), np.asarray(batch["_file"].to_pylist(), dtype=object)
    masks = {}
    for rule, by_file in places.items():
        failing = np.zeros(batch.num_rows, bool)
        for file, rows in by_file.items():
            failing |= (files == file) & np.isin(numbers, rows)
        if failing.any():
            masks[rule] = pa.array(failing)
    for name, tally in tallies.items():
        if not tally.is_wide():
            tally.all.update(dict(_counted(batch[name])))
        for rule, mask in masks.items():
            tally.failing.setdefault(rule, Counter()).update(dict(_counted(batch[name].filter(mask))))


def _counted(values: pa.Array) -> Iterator[tuple[str, int]]:
    for pair in pc.value_counts(values).to_pylist():
        yield pair["values"] or "", pair["counts"]


@dataclass(frozen=True)
class _Counts:
    """Counts of a delivery: columns that may group its rows, tallies of these and of fields, and the masking."""

    columns: tuple[str, ...]
    tallies: Mapping[str, _Tally]
    masks: Masking

    def hints(self, rule: str, own: Sequence[str]) -> Iterator[str]:
        """Hints on one rule: the groups that its rows come from, then the value that they repeat."""
        grouped = [hint for name in self.columns if name not in own and (hint := self._group(rule, name))]
        yield from (words for _, words in sorted(grouped, reverse=True)[:MOST_HINTS])
        if len(own) == 1 and own[0] in self.tallies:
            yield from self._repeated(rule, own[0])

    def _group(self, rule: str, name: str) -> tuple[float, str] | None:
        """How much more often than usual the rule's rows share a value of the column, as a ratio and in words."""
        tally = self.tallies.get(name)
        if tally is None or tally.is_wide() or len(tally.all) < 2:
            return None
        value, share = _most_common(tally.failing.get(rule, Counter()))
        usual = tally.all[value] / max(1, sum(self.tallies["_file"].all.values()))
        if share < max(SHARE, LIFT * usual):
            return None
        title, masked = self._shown(name, value)
        words = f"{figures.percent(share)} 集中在「{title}」为“{masked}”的行（全部数据中占 {figures.percent(usual)}）"
        return share / max(usual, 1e-9), words

    def _shown(self, name: str, value: str) -> tuple[str, str]:
        if name == "_file":
            return "来源文件", masked_text(value, is_free=False)
        return self.masks.title(name), self.masks.value(value, (name,))

    def _repeated(self, rule: str, name: str) -> Iterator[str]:
        failing = self.tallies[name].failing.get(rule, Counter())
        value, share = _most_common(failing)
        if share >= SAME and len(failing) < sum(failing.values()):
            yield f"{figures.percent(share)} 报送的值都是“{self.masks.value(value, (name,))}”"


def _most_common(values: Counter[str]) -> tuple[str, float]:
    """The value that comes most often, and its share of all."""
    value, count = (values.most_common(1) or [("", 0)])[0]
    return value, count / max(1, sum(values.values()))
