"""Broken rows, as the engine hands them over, → quarantine and evidence rows. Arrow alone, batch by batch."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from jobs.contracts import MALFORMED, TOLD, Rule
from jobs.contracts.names import LINE
from jobs.lake.bits import BITS

EMPTY = "（空）"
MOST_LINE = 2000
"""Characters of a line that evidence shows; quarantine has it whole."""
PLACE = {
    "_delivery": (pa.string(), "批次号"),
    "_file": (pa.string(), "来源文件"),
    "_row": (pa.int64(), "来源文件中的行号"),
}
QUARANTINE = {**PLACE, "raw": (pa.string(), "原始行（JSON）"), "reasons": (pa.list_(pa.string()), "未通过的规则编号")}
EVIDENCE = {
    **PLACE,
    "key": (pa.string(), "业务主键（JSON）"),
    "rule": (pa.string(), "规则编号"),
    "severity": (pa.string(), "严重级"),
    "field": (pa.string(), "字段"),
    "value": (pa.string(), "报送的原值"),
    "suggested": (pa.string(), "可能应为（仅供参考，系统不改数据）"),
}
Suggest = Callable[[Rule, pa.Array], pa.Array]
"""For a rule and the texts sent, what may have been meant, null where nothing is near."""


def schema(columns: Mapping[str, tuple[pa.DataType, str]]) -> pa.Schema:
    """Arrow schema with Chinese comments, as Delta keeps them."""
    return pa.schema([pa.field(name, kind, metadata={"comment": words}) for name, (kind, words) in columns.items()])


def quarantined(batches: Iterable[pa.RecordBatch], rules: Sequence[Rule], delivery: str) -> Iterator[pa.RecordBatch]:
    """Rows that break a critical rule, with the rules that they break."""
    critical = [i for i, rule in enumerate(rules) if rule.severity == "critical"]
    for batch in batches:
        broken = np.stack([_breaks(batch, i) for i in critical]) if critical else np.zeros((0, batch.num_rows), bool)
        rows = batch.filter(pa.array(broken.any(axis=0)))
        if not rows.num_rows:
            continue
        kept = broken[:, broken.any(axis=0)]
        reasons = [[rules[critical[i]].id for i in np.flatnonzero(kept[:, row])] for row in range(rows.num_rows)]
        columns = [
            _same(delivery, rows),
            rows["_file"],
            rows["_row"],
            rows["raw"],
            pa.array(reasons, pa.list_(pa.string())),
        ]
        yield pa.RecordBatch.from_arrays(columns, schema=schema(QUARANTINE))


def evidence(
    batches: Iterable[pa.RecordBatch], rules: Sequence[Rule], delivery: str, suggest: Suggest
) -> Iterator[pa.RecordBatch]:
    """One row for each rule that a row breaks, of any severity, with the text that was sent."""
    for batch in batches:
        for index, rule in enumerate(rules):
            rows = batch.filter(pa.array(_breaks(batch, index)))
            if not rows.num_rows:
                continue
            said = [_same(word, rows) for word in (rule.id, rule.severity, ",".join(rule.fields))]
            values = _values(rows, rule)
            place = [_same(delivery, rows), rows["_file"], rows["_row"], rows["key"]]
            told = TOLD + rule.id
            meant = rows[told] if told in rows.schema.names else suggest(rule, values)
            columns = [*place, *said, values, meant]
            yield pa.RecordBatch.from_arrays(columns, schema=schema(EVIDENCE))


def _breaks(batch: pa.RecordBatch, index: int) -> np.ndarray:
    masks = batch[f"_mask{index // BITS}"].to_numpy()
    return np.asarray((masks >> (index % BITS)) & 1 == 1)


def _same(word: str, rows: pa.RecordBatch) -> pa.Array:
    return pa.repeat(pa.scalar(word, pa.string()), rows.num_rows)


def _values(rows: pa.RecordBatch, rule: Rule) -> pa.Array:
    """The texts of the rule's fields; several are joined with ' | '. Of a row of a wrong shape, the row's own text."""
    if rule.kwargs.get("column") == MALFORMED and LINE in rows.schema.names:
        return pc.utf8_slice_codeunits(rows[LINE], 0, MOST_LINE)
    texts = [rows[f"v_{name}"] for name in rule.fields]
    if not texts:
        return pa.nulls(rows.num_rows, pa.string())
    if len(texts) == 1:
        return texts[0]
    return pc.binary_join_element_wise(*(pc.fill_null(text, EMPTY) for text in texts), " | ")
