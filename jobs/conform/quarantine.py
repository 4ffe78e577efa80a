"""Failed rows from the engine → quarantine and evidence rows. Arrow only, batch by batch."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from jobs.contracts import MALFORMED, TOLD, Rule
from jobs.contracts.names import DELIVERY, FILE, LINE, RECEIVED, ROW
from jobs.lake.bits import BITS
from jobs.lake.system_tables import system_table
from jobs.lake.zones import Zone
from jobs.model.delivery import Delivery

EMPTY = "（空）"
MOST_LINE = 2000
"""Maximum characters of a line in evidence; quarantine has the full line."""
Suggest = Callable[[Rule, pa.Array], pa.Array]
"""For a rule and the texts sent, the suggested values; null without a close match."""


def quarantined(
    batches: Iterable[pa.RecordBatch], rules: Sequence[Rule], delivery: Delivery
) -> Iterator[pa.RecordBatch]:
    """Rows that fail a critical rule, with the rules that they fail."""
    critical = [i for i, rule in enumerate(rules) if rule.severity == "critical"]
    for batch in batches:
        broken = np.stack([_breaks(batch, i) for i in critical]) if critical else np.zeros((0, batch.num_rows), bool)
        rows = batch.filter(pa.array(broken.any(axis=0)))
        if not rows.num_rows:
            continue
        reasons_by_rule = broken[:, broken.any(axis=0)]
        reasons = [
            [rules[critical[i]].id for i in np.flatnonzero(reasons_by_rule[:, row])] for row in range(rows.num_rows)
        ]
        yield _batch(Zone.QUARANTINE, {**_place(delivery, rows), "raw": rows["raw"], "reasons": pa.array(reasons)})


def evidence(
    batches: Iterable[pa.RecordBatch], rules: Sequence[Rule], delivery: Delivery, suggest: Suggest
) -> Iterator[pa.RecordBatch]:
    """One row for each rule that a row fails, of any severity, with the text as sent."""
    for batch in batches:
        for index, rule in enumerate(rules):
            is_broken = _breaks(batch, index)
            if not is_broken.any():  # mostly: filtering a batch costs by its columns
                continue
            rows = batch.filter(pa.array(is_broken))
            values, lookup_value = _values(rows, rule), TOLD + rule.id
            columns = _place(delivery, rows) | {
                "key": rows["key"],
                "rule": _same(rule.id, rows),
                "severity": _same(rule.severity, rows),
                "field": _same(",".join(rule.fields), rows),
                "value": values,
                "suggested": rows[lookup_value] if lookup_value in rows.schema.names else suggest(rule, values),
            }
            yield _batch(Zone.EVIDENCE, columns)


def _place(delivery: Delivery, rows: pa.RecordBatch) -> dict[str, pa.Array]:
    day = pa.repeat(pa.scalar(delivery.received_date()), rows.num_rows)
    return {DELIVERY: _same(delivery.id, rows), RECEIVED: day, FILE: rows[FILE], ROW: rows[ROW]}


def _batch(zone: Zone, columns: Mapping[str, pa.Array]) -> pa.RecordBatch:
    """Columns in the order of the table's contract."""
    schema = system_table(zone).schema
    return pa.RecordBatch.from_arrays(
        [columns[name].cast(schema.field(name).type) for name in schema.names], schema=schema
    )


def _breaks(batch: pa.RecordBatch, index: int) -> np.ndarray:
    masks = batch[f"_mask{index // BITS}"].to_numpy()
    return np.asarray((masks >> (index % BITS)) & 1 == 1)


def _same(word: str, rows: pa.RecordBatch) -> pa.Array:
    return pa.repeat(pa.scalar(word, pa.string()), rows.num_rows)


def _values(rows: pa.RecordBatch, rule: Rule) -> pa.Array:
    """The texts of the rule's fields; several are joined with ' | '. For a malformed row, its line."""
    if rule.kwargs.get("column") == MALFORMED and LINE in rows.schema.names:
        return pc.utf8_slice_codeunits(rows[LINE], 0, MOST_LINE)
    texts = [rows[f"v_{name}"] for name in rule.fields]
    if not texts:
        return pa.nulls(rows.num_rows, pa.string())
    if len(texts) == 1:
        return texts[0]
    return pc.binary_join_element_wise(*(pc.fill_null(text, EMPTY) for text in texts), " | ")
