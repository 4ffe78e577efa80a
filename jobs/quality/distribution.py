"""Value distribution of a delivery: the mean of each measure within its band, the share of each code of a code list.

Counted in the same pass as the rules, and stored so that a delivery can be compared with earlier ones.
"""

from collections.abc import Iterator, Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from jobs.contracts import Contract, Field
from jobs.model.distribution import MEAN, VALUE_SHARE, DistributionRow
from jobs.model.verdict import Verdict

MOST_CODES = 30


def distribution(rows: pa.RecordBatch, contract: Contract) -> dict[str, float]:
    """Numbers that add up over batches: `n:` number of values of a field, `s:` their sum, `e:field=code` rows of a code."""
    counted: dict[str, float] = {}
    for field in (field for field in contract.fields if field.name in rows.schema.names):
        if _is_measure(field):
            values = rows[field.name].cast(pa.float64()).drop_null().to_numpy()
            values = values[_inside(field, values)]
            counted |= {f"n:{field.name}": float(len(values)), f"s:{field.name}": float(values.sum())}
        elif _is_listed(field):
            counted[f"n:{field.name}"] = float(rows.num_rows - rows[field.name].null_count)
            for word in field.enum:
                counted[f"e:{field.name}={word}"] = float(pc.sum(pc.equal(rows[field.name], word)).as_py() or 0)
    return counted


def _inside(field: Field, values: np.ndarray) -> np.ndarray:
    inside = np.ones(len(values), dtype=bool)
    if field.minimum is not None:
        inside &= values >= field.minimum
    if field.maximum is not None:
        inside &= values <= field.maximum
    return inside


def distribution_rows(verdict: Verdict, counted: Mapping[str, float]) -> list[DistributionRow]:
    """Means and shares as stored; nothing for a field without values."""
    return [
        DistributionRow(verdict.delivery, verdict.seq, verdict.dataset, kind, field, number)
        for kind, field, number in _numbers(counted)
    ]


def _numbers(counted: Mapping[str, float]) -> Iterator[tuple[str, str, float]]:
    for name, number in counted.items():
        kind, _, field = name.partition(":")
        total = counted.get(f"n:{field.partition('=')[0]}", 0)
        if kind == "s" and total:
            yield MEAN, field, number / total
        elif kind == "e" and total:
            yield VALUE_SHARE, field, number / total


def _is_measure(field: Field) -> bool:
    return field.type in ("number", "integer") and not field.enum and not field.is_personal()


def _is_listed(field: Field) -> bool:
    return field.type == "string" and 0 < len(field.enum) <= MOST_CODES and not field.is_personal()
