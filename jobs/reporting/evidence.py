"""Evidence of one delivery, read as a stream: never all in memory."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from deltalake import DeltaTable

from jobs.access.masking import HIDDEN, Masking
from jobs.access.personal_numbers import masked_text
from jobs.access.roles import outsider_view, owner_view
from jobs.contracts import Contract
from jobs.lake.lake import Lake
from jobs.lake.row_filter import rows_of_id
from jobs.lake.zones import Zone

SHOWN = 20
COLUMNS = ("_file", "_row", "key", "rule", "severity", "field", "value", "suggested")
IN_ORDER = [("_file", "ascending"), ("_row", "ascending")]
SHAPE = "row_shape"
Selection = Callable[[pa.RecordBatch], pa.RecordBatch]
"""Some rows of a batch of evidence."""


@dataclass(frozen=True)
class EvidenceLine:
    """One failing row as the report shows it: masked, with Chinese field names."""

    file: str
    row: int
    key: str
    rule: str
    severity: str
    field: str
    value: str
    suggested: str = ""


class Evidence:
    """Failing rows of one delivery; `version` is the table's, None where no evidence exists.

    `for_owner`: values are shown unmasked, for the owning department only.
    """

    def __init__(self, lake: Lake, contract: Contract | None, delivery_id: str, for_owner: bool = False) -> None:
        self._contract, self._for_owner = contract, for_owner
        view = owner_view() if for_owner else outsider_view()
        self._masks = Masking(contract, view) if contract else None
        self._table: DeltaTable | None = lake.delta.open(lake.path(Zone.EVIDENCE, contract.id)) if contract else None
        self._delivery, self._ledger = delivery_id, lake.ledger
        self._shifted: frozenset[tuple[str, int]] | None = None
        self.version: int | None = None if self._table is None else self._table.version()

    def batches(self, columns: tuple[str, ...] = COLUMNS) -> Iterator[pa.RecordBatch]:
        """Evidence as stored, in the order of writing."""
        if self._table is None:
            return
        rows = rows_of_id(self._ledger, self._delivery)
        dataset, mine = rows.dataset(self._table), rows.expression(self._table)
        fragments = sorted(dataset.get_fragments(filter=mine), key=lambda f: PurePosixPath(f.path).name)
        for fragment in fragments:
            known = [name for name in columns if name in dataset.schema.names]
            yield from fragment.to_batches(columns=known, schema=dataset.schema, filter=mine)

    def first(self, limit: int = SHOWN) -> Mapping[str, tuple[EvidenceLine, ...]]:
        """The first rows of each rule by file and row number."""
        first_rows: dict[str, pa.Table] = {}
        for batch in self.batches():
            table = pa.Table.from_batches([batch])
            for rule in pc.unique(table["rule"]).to_pylist():
                more = table.filter(pc.equal(table["rule"], rule))
                both = pa.concat_tables([first_rows[rule], more]) if rule in first_rows else more
                first_rows[rule] = both.sort_by(IN_ORDER).slice(0, limit)
        return {rule: tuple(self._rows(table)) for rule, table in first_rows.items()}

    def rows(self, rule: str = "", selection: Selection | None = None) -> Iterator[EvidenceLine]:
        """Failing rows as the report shows them: all, those of one rule, or those of a selection."""
        for batch in self.batches():
            rows = batch.filter(pc.equal(batch["rule"], rule)) if rule else batch
            yield from self._rows(selection(rows) if selection else rows)

    def _rows(self, table: pa.Table | pa.RecordBatch) -> Iterator[EvidenceLine]:
        shifted, masks = self._misplaced(), self._masks
        if masks is None:
            return
        fields = {text: _Names.of(text, masks) for text in pc.unique(table["field"]).to_pylist()}
        columns = [_values(table, name) for name in COLUMNS]
        files = {name: masked_text(name or "", is_free=False) for name in pc.unique(table["_file"]).to_pylist()}
        for file, row, key, rule, severity, field, value, suggested in zip(*columns, strict=True):
            names, is_shifted = fields[field], (file, row) in shifted
            line = EvidenceLine(
                file=files[file],
                row=row,
                key=masks.key(key),
                rule=rule,
                severity=severity,
                field=names.titles,
                value=masks.value(value, names.fields),
                suggested=masks.value(suggested, names.fields) if suggested else "",
            )
            yield _hidden(line, bool(key), bool(value)) if is_shifted else line

    def _misplaced(self) -> frozenset[tuple[str, int]]:
        """Malformed rows, where any value may be in any field: hidden if the dataset has personal fields."""
        if self._shifted is None:
            misplaced: set[tuple[str, int]] = set()
            if not self._for_owner and self._contract and any(f.is_personal() for f in self._contract.fields):
                for batch in self.batches(("_file", "_row", "rule")):
                    malformed = batch.filter(pc.equal(batch["rule"], SHAPE))
                    misplaced.update(zip(malformed["_file"].to_pylist(), malformed["_row"].to_pylist(), strict=True))
            self._shifted = frozenset(misplaced)
        return self._shifted


def _values(table: pa.Table | pa.RecordBatch, name: str) -> list[Any]:
    """A column's values; None for each row where older evidence has no such column."""
    return table[name].to_pylist() if name in table.schema.names else [None] * table.num_rows


def _hidden(line: EvidenceLine, has_key: bool, has_value: bool) -> EvidenceLine:
    """The line of a malformed row, where any value may be in any field."""
    key, value = (HIDDEN if has_key else line.key), (HIDDEN if has_value else line.value)
    return replace(line, key=key, value=value, suggested="")


@dataclass(frozen=True)
class _Names:
    fields: tuple[str, ...]
    titles: str

    @classmethod
    def of(cls, text: str | None, masks: Masking) -> "_Names":
        fields = tuple(name for name in (text or "").split(",") if name)
        return cls(fields, "、".join(masks.title(name) for name in fields))
