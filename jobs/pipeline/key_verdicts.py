"""A delivery evaluated on chosen keys alone: which it contains, and which of them fail each rule."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs import quality
from jobs.conform import key_column
from jobs.contracts import Contract, Rule
from jobs.lake.bits import BITS
from jobs.lake.delta_tables import read_spool
from jobs.lake.lake import Lake
from jobs.model.delivery import Delivery
from jobs.pipeline.evaluation import runnable_rules, typed_rows
from jobs.pipeline.other_tables import curated
from jobs.pipeline.recheck import KeyVerdicts
from jobs.pipeline.versions import latest_versions

KEY = "_key"


def key_verdicts(
    lake: Lake, contract: Contract, delivery: Delivery, rules: Sequence[Rule], keys: Sequence[str]
) -> KeyVerdicts:
    """Which keys the delivery contains and which fail, by the rules that can run today. Reads the delivery once."""
    from jobs.quality.evaluation import masks_of

    if not keys or not contract.key():
        return KeyVerdicts()
    lake.tables.interpret(delivery.counted_rows or 0)
    runnable = runnable_rules(lake, tuple(rules), latest_versions(lake))
    sent = typed_rows(lake, contract, delivery, runnable, latest_versions(lake))
    requested = lake.spark.createDataFrame(pa.table({"_requested": sorted(keys)}))

    def matching(all_rows: DataFrame) -> DataFrame:
        keyed = all_rows.withColumn(KEY, key_column(contract))
        return keyed.join(F.broadcast(requested), F.col(KEY) == F.col("_requested"), "left_semi")

    plan = quality.plan(replace(contract, county=None), runnable)
    masks = masks_of(sent.rows, plan, partial(curated, lake, latest_versions(lake)), matching, [KEY])
    delivered: set[str] = set()
    fails: dict[str, set[str]] = {rule.id: set() for rule in masks.rules}
    try:
        for batch in _spooled(lake, masks.rows):
            delivered.update(batch[KEY].to_pylist())
            for index, rule in enumerate(masks.rules):
                bits = batch[f"_mask{index // BITS}"].to_numpy()
                bad = np.asarray((bits >> (index % BITS)) & 1 == 1)
                if bad.any():
                    fails[rule.id].update(batch[KEY].filter(pa.array(bad)).to_pylist())
    finally:
        masks.release()
    return KeyVerdicts(delivered, fails)


def _spooled(lake: Lake, rows: DataFrame) -> Iterator[pa.RecordBatch]:
    with TemporaryDirectory(prefix="lake-recheck-") as folder:
        spool = Path(folder) / "masks.arrow"
        lake.tables.spool(rows, spool)
        yield from read_spool(spool)
