"""A delivery evaluated on chosen keys alone: which it contains, and which of them fail each rule."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs import quality
from jobs.conform import TypedRows, key_column
from jobs.contracts import Contract, Rule
from jobs.lake.bits import BITS
from jobs.lake.delta_writing import read_spool
from jobs.lake.lake import Lake
from jobs.model.delivery import Delivery
from jobs.pipeline.bronze import is_small
from jobs.pipeline.evaluation import runnable_rules, typed_rows
from jobs.pipeline.other_tables import all_other_tables, other_tables
from jobs.pipeline.recheck import KeyVerdicts
from jobs.pipeline.versions import latest_versions

KEY, MASK = "_key", "_mask"
Masks = tuple[tuple[str, ...], pa.RecordBatch]
"""Rules in the order of the mask's bits, and rows with their key and mask."""


def key_verdicts(
    lake: Lake, contract: Contract, delivery: Delivery, rules: Sequence[Rule], keys: Sequence[str]
) -> KeyVerdicts:
    """Which keys the delivery contains and which fail, by the rules that can run today. Reads the delivery once."""
    if not keys or not contract.key():
        return KeyVerdicts()
    lake.tables.interpret(delivery.counted_rows or 0, len(contract.fields))
    versions = latest_versions(lake)
    runnable = runnable_rules(lake, tuple(rules), versions)
    typed = typed_rows(lake, contract, delivery, runnable, versions)
    plan = quality.plan(replace(contract, county=None), runnable)
    masks = _of_small(lake, typed, plan, keys) if is_small(delivery) else _of_large(lake, typed, plan, keys)
    delivered: set[str] = set()
    fails: dict[str, set[str]] = {}
    for rule_ids, batch in masks:
        fails = fails or {rule: set() for rule in rule_ids}
        delivered.update(batch[KEY].to_pylist())
        for index, rule in enumerate(rule_ids):
            bits = batch[f"{MASK}{index // BITS}"].to_numpy()
            bad = np.asarray((bits >> (index % BITS)) & 1 == 1)
            if bad.any():
                fails[rule].update(batch[KEY].filter(pa.array(bad)).to_pylist())
    return KeyVerdicts(delivered, fails)


def _of_small(lake: Lake, typed: TypedRows, plan: quality.Plan, keys: Sequence[str]) -> Iterator[Masks]:
    """All rows in one engine query; the keys are picked from the answer."""
    from jobs.quality.one_query import masked_table
    from jobs.quality.wanted import Wanted

    keyed = typed.rows.with_columns({KEY: key_column(plan.contract)})
    wanted = Wanted([KEY, *sorted({reference.column for reference in plan.references})])
    others = replace(other_tables(lake, plan, latest_versions(lake)), neighbours=typed.neighbours)
    table, compiled = masked_table(keyed, plan, others, wanted)
    rule_ids = tuple(fused.rule.id for fused in compiled.fused)
    chosen = table.filter(pc.is_in(table[KEY], value_set=pa.array(keys, table[KEY].type)))
    yield from ((rule_ids, batch) for batch in chosen.to_batches())


def _of_large(lake: Lake, typed: TypedRows, plan: quality.Plan, keys: Sequence[str]) -> Iterator[Masks]:
    """The rows with these keys alone, judged by the engine."""
    from jobs.quality.evaluation import masks_of

    requested = lake.spark.createDataFrame(pa.table({"_requested": sorted(keys)}))

    def matching(all_rows: DataFrame) -> DataFrame:
        keyed = all_rows.withColumn(KEY, key_column(plan.contract))
        return keyed.join(F.broadcast(requested), F.col(KEY) == F.col("_requested"), "left_semi")

    others = replace(all_other_tables(lake, latest_versions(lake)), neighbours=typed.neighbours)
    masks = masks_of(typed.rows, plan, others, matching, [KEY])
    rule_ids = tuple(rule.id for rule in masks.rules)
    try:
        yield from ((rule_ids, batch) for batch in _spooled(lake, masks.rows))
    finally:
        masks.release()


def _spooled(lake: Lake, rows: DataFrame) -> Iterator[pa.RecordBatch]:
    with TemporaryDirectory(prefix="lake-recheck-") as folder:
        spool = Path(folder) / "masks.arrow"
        lake.tables.spool(rows, spool)
        yield from read_spool(spool)
