"""Evaluated rows in memory → silver rows, as `split.staged_columns` makes them on the engine; Arrow alone."""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from jobs.conform.split import MASK, failing_names
from jobs.contracts import TOLD, Contract, Rule
from jobs.contracts.names import DELIVERY, EXTRA, FAILING, FILE, FIRST_SENT, MARKS, ROW, SENT_DATE, SEQ
from jobs.lake.bits import AnyBit
from jobs.model.delivery import Delivery


def silver_table(
    judged: pa.Table, rules: Sequence[Rule], contract: Contract, extras: Sequence[str], delivery: Delivery
) -> pa.Table:
    """Rows that break no critical rule, with the warnings that they carry."""
    critical = AnyBit(MASK, _of_severity(rules, "critical"))
    good = judged.filter(pa.array(~critical.rows(judged)))
    columns = {name: good[name] for name in contract.columns()}
    columns |= {name: good[EXTRA + name] for name in extras}
    columns |= {
        DELIVERY: pa.repeat(pa.scalar(delivery.id), good.num_rows),
        SEQ: pa.repeat(pa.scalar(delivery.seq, pa.int64()), good.num_rows),
        FILE: good[FILE],
        ROW: good[ROW],
        MARKS: _marks(good, rules),
        FIRST_SENT: good[SENT_DATE],
    }
    return pa.table(columns)


def is_of_broken_rows(name: str) -> bool:
    """Whether quarantine and evidence need the column of evaluated rows."""
    return name in (FILE, ROW) or name.startswith((MASK, TOLD, FAILING))


def broken_rows(evaluated: Iterable[pa.RecordBatch], rules: Sequence[Rule]) -> Iterator[pa.RecordBatch]:
    """Rows that break any rule: `_file`, `_row`, `_mask…`, `_told_<rule>`, and those of `split.failing_columns` by plain name."""
    breaks_any = AnyBit(MASK, tuple(range(len(rules))))
    for batch in evaluated:
        broken = batch.filter(pa.array(breaks_any.rows(batch)))
        if broken.num_rows:
            names = [name for name in broken.schema.names if is_of_broken_rows(name)]
            yield _with_plain_names(broken.select(names), failing_names(rules))


def _with_plain_names(broken: pa.RecordBatch, failing: Sequence[str]) -> pa.RecordBatch:
    """What was sent under plain names, whether it came as one list or by column."""
    columns = {name.removeprefix(FAILING): broken[name] for name in broken.schema.names}
    if FAILING in broken.schema.names:
        texts = columns.pop("")
        columns |= {name: pc.list_element(texts, place) for place, name in enumerate(failing)}
    return pa.RecordBatch.from_pydict(columns)


def _marks(rows: pa.Table, rules: Sequence[Rule]) -> pa.Array:
    """Ids of the warnings that each row breaks, in the order of the rules; null where there are none."""
    warnings = _of_severity(rules, "warning")
    ids = np.array([rules[index].id for index in warnings], dtype=object)
    broken = [AnyBit(MASK, (index,)).rows(rows) for index in warnings]
    by_row = np.stack(broken, axis=1) if broken else np.zeros((rows.num_rows, 0), dtype=bool)
    marks: list[list[str] | None] = [None] * rows.num_rows
    for place in np.flatnonzero(by_row.any(axis=1)):
        marks[place] = list(ids[by_row[place]])
    return pa.array(marks, pa.list_(pa.string()))


def _of_severity(rules: Sequence[Rule], severity: str) -> tuple[int, ...]:
    return tuple(index for index, rule in enumerate(rules) if rule.severity == severity)
