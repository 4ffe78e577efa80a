"""Verdicts on readings that are known already, by rules with an alarm that see later readings: a spike is one once the next reading came.

The tables are not changed: rows before an hour's sealing are provisional, and sealing evaluates the hour as a whole.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from jobs import quality
from jobs.contracts import Contract, Rule
from jobs.lake.lake import Lake
from jobs.lake.prepared_plans import in_engine
from jobs.lake.spark_tables import to_arrow
from jobs.pipeline.other_tables import other_tables
from jobs.pipeline.recent_readings import IS_WRONG, MOST_AT_ONCE
from jobs.pipeline.versions import Versions

PLACE = "_place"
SEES_LATER = (
    "expect_column_values_to_not_be_stuck",
    "expect_column_values_to_not_spike",
    "expect_column_values_to_not_depart",
    "expect_column_values_to_not_drift",
)
"""Rules whose verdict on a reading may change from good to broken when later ones come."""


def late_verdicts(
    lake: Lake,
    contract: Contract,
    rules: Sequence[Rule],
    readings: tuple[pa.Table | None, pa.Table],
    versions: Versions,
) -> Mapping[str, pa.Table]:
    """By rule, known readings that are not wrong, with the rule's verdict in the column of its name.

    `readings`: those of the batch's devices that are known, with `_is_wrong`, and those of the batch.
    """
    known, new = readings
    late = [rule for rule in rules if rule.alarm is not None and rule.type in SEES_LATER]
    if contract.stream is None or known is None or not late:
        return {}
    flags = _flags(lake, contract, late, (known, new), versions)
    found = {}
    for rule in late:
        judged = known.append_column(rule.id, flags[quality.flag_of(rule)])
        last = _last(judged, (contract.stream.device, contract.stream.event_time), _count(rule))
        found[rule.id] = last.filter(pa.array(~last[IS_WRONG].to_numpy()))
    return found


def _flags(
    lake: Lake, contract: Contract, rules: Sequence[Rule], readings: tuple[pa.Table, pa.Table], versions: Versions
) -> pa.Table:
    """The rules' flags of the known readings, in their order."""
    from jobs.quality.lookups import with_lookups
    from jobs.quality.series import with_series_flags

    known, new = readings
    names = [name for name in known.column_names if name != IS_WRONG]
    rows = pa.concat_tables(
        [known.select(names), new.select([n for n in names if n in new.column_names])], promote_options="permissive"
    )
    placed = rows.append_column(PLACE, pa.array(np.arange(rows.num_rows)))
    plan = quality.plan(contract, rules)
    looked_up = with_lookups(in_engine(lake.spark, placed), plan.lookups, other_tables(lake, plan, versions).rows)
    flags = [series.flag for series in plan.series]
    flagged = with_series_flags(looked_up, plan.series, contract).filter(f"{PLACE} < {known.num_rows}")
    return to_arrow(flagged.select(PLACE, *flags)).sort_by(PLACE)


def _count(rule: Rule) -> int:
    """How many of a device's last readings may have another verdict now, and those before them that open an alarm with them."""
    named = rule.kwargs.get("intervals", rule.kwargs.get("readings", 1))
    after = rule.alarm.after if rule.alarm else 0
    return after + (int(named) if isinstance(named, int) else MOST_AT_ONCE)


def _last(rows: pa.Table, names: tuple[str, str], count: int) -> pa.Table:
    """The last readings of each device, in the order of time."""
    frame: Any = rows.select(names).to_pandas()
    frame.columns = ["device", "at"]
    last = frame.dropna().sort_values("at", kind="stable").groupby("device").tail(count)
    return rows.take(pa.array(last.index.to_numpy().astype(np.int64)))
