"""A small delivery's rows through a plan in one engine query; what looks beyond a row is settled here, over the answer.

The plan is compiled by the same code as for a large delivery. The engine is told that every flag of a uniqueness group or
of a reference is true, so that each verdict bit says what the rule would say of a flagged row; the flags themselves are
made from the answer, and the bits of rows without a flag are cleared.
"""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import functions as F

from jobs.contracts import MALFORMED, SENT, TOLD
from jobs.lake.bits import BITS, quoted
from jobs.lake.named_rows import NamedRows
from jobs.lake.spark_tables import to_arrow
from jobs.quality.conditions import Compiled, compile_rules
from jobs.quality.plan import COPIES, Group, Plan
from jobs.quality.references import OtherTables, flags_of_references
from jobs.quality.series import with_neighbour_flags
from jobs.quality.verdict_masks import COPY, COUNTY, MASK, fingerprint_of, hash_of, masked, place, takes_part
from jobs.quality.wanted import Wanted

PLACE, HASH = "_place", "_hash"


def masked_table(
    rows: NamedRows,
    plan: Plan,
    others: OtherTables,
    wanted: Wanted,
) -> tuple[pa.Table, Compiled]:
    """The rows as `verdict_masks.masked` gives them; one engine query."""
    judged = _flagged(rows, plan, others)
    compiled = compile_rules(plan, rows.frame.sparkSession)
    prints = [PLACE, *([HASH] if plan.drops_copies else []), *(n for i, _ in enumerate(plan.groups) for n in _names(i))]
    answer = masked(judged, replace(plan, county_unless=""), compiled, replace(wanted, keep=[*wanted.keep, *prints]))
    table = to_arrow(answer.frame)
    return _settled(table, plan, compiled, others).drop_columns(prints), compiled


def _flagged(rows: NamedRows, plan: Plan, others: OtherTables) -> NamedRows:
    """The rows with every flag true, and what the flags will be made from."""
    frame = rows.frame
    if plan.drops_copies:
        frame = frame.withColumn(HASH, hash_of([quoted(SENT + name) for name in rows.sent()]))
    judged = with_neighbour_flags(frame, plan, others)
    whole = F.col(MALFORMED).isNull() if MALFORMED in rows.columns else F.lit(True)
    made = {PLACE: place(plan), COPY: F.lit(False)}
    for index, group in enumerate(plan.groups):
        columns = group.columns or (HASH,)
        long, short, grouped = _names(index)
        made |= dict(zip((long, short), fingerprint_of(columns).values(), strict=True))
        made |= {grouped: takes_part(group, columns) & whole, group.flag: F.lit(True)}
    made |= {reference.flag: F.lit(True) for reference in plan.references}
    return NamedRows(judged.withColumns(made), rows.columns)


def _names(index: int) -> tuple[str, str, str]:
    return f"_long{index}", f"_short{index}", f"_grouped{index}"


def _settled(table: pa.Table, plan: Plan, compiled: Compiled, others: OtherTables) -> pa.Table:
    """The table with its verdicts, and without fully equal copies."""
    flags: dict[str, np.ndarray] = {}
    is_copy = np.zeros(table.num_rows, dtype=bool)
    for index, group in enumerate(plan.groups):
        flags[group.flag], copies = _shared(table, index, group, plan)
        is_copy = copies if copies is not None else is_copy
    flags |= flags_of_references(table, plan, others)
    table = _with_bits(table, compiled, _flag_by_rule(plan, flags))
    if plan.county_unless:
        table = _emptied(table, COUNTY, flags[plan.county_unless], "")
    return table.filter(pa.array(~is_copy))


def _shared(table: pa.Table, index: int, group: Group, plan: Plan) -> tuple[np.ndarray, np.ndarray | None]:
    """Rows that share the group's values and differ; and, where the group finds copies, equal rows beyond the first."""
    long, short, grouped = (table[name].to_numpy() for name in _names(index))
    finds_copies = plan.drops_copies and (group.flag == COPIES or group.columns == plan.contract.key())
    rows = pd.DataFrame({"long": long, "short": short, "place": table[PLACE].to_numpy()})
    rows["hash"] = table[HASH].to_numpy() if plan.drops_copies else 0
    by_value = rows[grouped].groupby(["long", "short"], sort=False)
    is_shared = by_value["place"].transform("size") > 1
    if plan.drops_copies and group.columns:
        differs = by_value["hash"].transform("min") != by_value["hash"].transform("max")
    else:
        differs = is_shared if group.rule is not None else ~is_shared & is_shared
    flag, copies = np.zeros(len(rows), dtype=bool), np.zeros(len(rows), dtype=bool)
    flag[grouped] = is_shared & differs
    by_content = rows[grouped].groupby(["long", "short", "hash"], sort=False)
    copies[grouped] = rows["place"][grouped] != by_content["place"].transform("min")
    return flag, copies if finds_copies else None


def _flag_by_rule(plan: Plan, flags: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    by_group = {g.rule.id: flags[g.flag] for g in plan.groups if g.rule is not None}
    return by_group | {r.rule.id: flags[r.flag] for r in plan.references}


def _with_bits(table: pa.Table, compiled: Compiled, flag_by_rule: Mapping[str, np.ndarray]) -> pa.Table:
    """The table with the verdict bits of flagged rules cleared where a row has no flag, and nothing noted of such rows."""
    masks = {n: table[n].to_numpy().copy() for n in table.column_names if n.startswith(MASK)}
    for index, fused in enumerate(compiled.fused):
        if fused.rule.id not in flag_by_rule:
            continue
        bit = np.int64(1 << index % BITS)
        is_clear = ~flag_by_rule[fused.rule.id]
        masks[f"{MASK}{index // BITS}"][is_clear] &= ~bit
        if TOLD + fused.rule.id in table.column_names:
            table = _emptied(table, TOLD + fused.rule.id, is_clear, None)
    for name, bits in masks.items():
        table = table.set_column(table.column_names.index(name), name, pa.array(bits))
    return table


def _emptied(table: pa.Table, name: str, where: np.ndarray, value: str | None) -> pa.Table:
    """The table with the column's value replaced where said."""
    empty = pa.scalar(value, table[name].type)
    return table.set_column(
        table.column_names.index(name), name, pc.if_else(pa.array(where), empty, table[name].combine_chunks())
    )
