"""How many rows meet each of many conditions on their bits, and the value distribution, over batches of evaluated rows.

Rows are first grouped by their bit columns: most rows of a delivery share a few combinations. Conditions are evaluated
on those few groups, so that counting a hundred rules costs no more per row than counting ten.
"""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pyarrow as pa

from jobs.contracts import Contract
from jobs.lake.bits import BIT_COLUMNS, AnyBit
from jobs.quality.distribution import distribution

ROWS = "_rows"
Counts = dict[str, dict[str, int]]
"""Value of the column by which rows are counted ("" where none is named) → condition → rows."""


def counted_columns(names: Sequence[str], by: str, contract: Contract) -> list[str]:
    """Those of the columns that counting reads."""
    return [name for name in names if name == by or BIT_COLUMNS.fullmatch(name) or name in contract.columns()]


def count(
    batches: Iterable[pa.RecordBatch], by: str, conditions: Mapping[str, AnyBit], contract: Contract
) -> tuple[Counts, dict[str, float]]:
    """Rows that meet each condition, by value of the column `by`, if one is named; and the value distribution of all rows."""
    parts: list[pa.Table] = []
    shape: dict[str, float] = {}
    for batch in batches:
        parts.append(_groups(batch, by))
        for name, number in distribution(batch, contract).items():
            shape[name] = shape.get(name, 0.0) + number
    if not parts:
        return {"": dict.fromkeys(conditions, 0)}, shape
    return _counts(pa.concat_tables(parts), by, conditions), shape


def _groups(batch: pa.RecordBatch, by: str) -> pa.Table:
    """The combinations of bits, and of the column `by`, with the number of their rows."""
    keys = [name for name in batch.schema.names if name == by or BIT_COLUMNS.fullmatch(name)]
    ones = pa.repeat(pa.scalar(1, pa.int64()), batch.num_rows)
    table = pa.table([*(batch[key] for key in keys), ones], names=[*keys, ROWS])
    summed = table.group_by(keys).aggregate([(ROWS, "sum")])
    return summed.rename_columns({f"{ROWS}_sum": ROWS}).select([*keys, ROWS])


def _counts(groups: pa.Table, by: str, conditions: Mapping[str, AnyBit]) -> Counts:
    rows = groups[ROWS].to_numpy()
    values = groups[by].to_numpy(zero_copy_only=False) if by else np.full(len(rows), "")
    held = {name: rows * condition.rows(groups) for name, condition in conditions.items()}
    places = np.unique(values) if by else np.array([""])
    return {str(place): {name: int(n[values == place].sum()) for name, n in held.items()} for place in places}
