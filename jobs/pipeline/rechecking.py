"""A redelivery judged on the very keys that failed before: what is proven mended, what remains, what is newly broken."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs import quality
from jobs.conform import key_column
from jobs.contracts import Catalogue, Contract, Rule
from jobs.errors import UserError
from jobs.lake.arrow_tables import read_spool
from jobs.lake.bits import BITS
from jobs.lake.delivery import Delivery, State
from jobs.lake.lake import Lake
from jobs.lake.zones import Zone
from jobs.pipeline.trying import curated, newest, testable, typed_rows

KEY = "_key"
UNJUDGEABLE = (State.LANDED, State.UNREADABLE)


@dataclass
class Proof:
    """One rule's failed keys, sorted by what became of them. `broken` are followed keys that fail it only now."""

    rule: str
    message: str
    proven: set[str] = field(default_factory=set)
    remaining: set[str] = field(default_factory=set)
    absent: set[str] = field(default_factory=set)
    broken: set[str] = field(default_factory=set)
    keyless: int = 0

    def is_closed(self) -> bool:
        """Whether every failed key came again and passes."""
        return not (self.remaining or self.absent or self.broken or self.keyless)


def recheck(lake: Lake, catalogue: Catalogue, delivery_id: str, against: str = "") -> list[Proof]:
    """Proofs by rule that the delivery's failed keys pass in `against`, or in the delivery that replaced it.

    Reads the redelivery alone; nothing is written. A rule that no longer runs proves nothing: its keys remain.
    """
    before = lake.ledger.get(delivery_id)
    after = _redelivery(lake, before, against)
    contract = catalogue.contract(before.dataset)
    if not contract.key():
        raise UserError(f"{contract.id} has no primary key, so its rows cannot be followed from delivery to delivery")
    proofs, failed = _failed(lake, contract, before)
    keys = sorted(set().union(*failed.values())) if failed else []
    if keys:
        _sort(
            proofs,
            failed,
            verdicts_on(lake, contract, after, testable(lake, catalogue.rules[contract.id], newest(lake)), keys),
        )
    return sorted(proofs.values(), key=lambda p: p.rule)


def _redelivery(lake: Lake, before: Delivery, against: str) -> Delivery:
    name = against or before.superseded_by
    if not name:
        raise UserError(f"{before.id} was not replaced; name the redelivery with --against")
    after = lake.ledger.get(name)
    if after.dataset != before.dataset:
        raise UserError(f"{after.id} is of {after.dataset}, {before.id} of {before.dataset}")
    if after.state in UNJUDGEABLE:
        raise UserError(f"{after.id} is not in bronze (state {after.state}); load it first")
    return after


def _failed(lake: Lake, contract: Contract, before: Delivery) -> tuple[dict[str, Proof], dict[str, set[str]]]:
    """Proofs still empty, and each rule's failed keys, from the evidence."""
    table = lake.arrow.open(lake.path(Zone.EVIDENCE, contract.id))
    proofs: dict[str, Proof] = {}
    failed: dict[str, set[str]] = {}
    if table is None:
        return proofs, failed
    rows = table.to_pyarrow_table(columns=["rule", "key"], filters=[("_delivery", "=", before.id)])
    for pair in rows.group_by(["rule", "key"]).aggregate([([], "count_all")]).to_pylist():
        proof = proofs.setdefault(pair["rule"], Proof(pair["rule"], ""))
        if pair["key"] in (None, "{}"):
            proof.keyless += pair["count_all"]
        else:
            failed.setdefault(pair["rule"], set()).add(pair["key"])
    return proofs, failed


def verdicts_on(
    lake: Lake, contract: Contract, after: Delivery, rules: tuple[Rule, ...], keys: list[str]
) -> dict[str, tuple[str, set[str], set[str]]]:
    """For each rule that ran: its message, the followed keys that came, and those of them that fail it."""
    from jobs.quality.run import masks_of

    lake.tables.interpret(after.counted_rows or 0)
    rows, _, _ = typed_rows(lake, contract, after)
    wanted = lake.spark.createDataFrame(pa.table({"_wanted": keys}))

    def only(all_rows: DataFrame) -> DataFrame:
        keyed = all_rows.withColumn(KEY, key_column(contract))
        return keyed.join(F.broadcast(wanted), F.col(KEY) == F.col("_wanted"), "left_semi")

    plan = quality.plan(replace(contract, county=None), rules)
    masks = masks_of(rows, plan, partial(curated, lake, newest(lake)), only, [KEY])
    came: set[str] = set()
    fails: dict[str, set[str]] = {rule.id: set() for rule in masks.rules}
    try:
        for batch in _spooled(lake, masks.rows):
            came.update(batch[KEY].to_pylist())
            for index, rule in enumerate(masks.rules):
                bits = batch[f"_mask{index // BITS}"].to_numpy()
                bad = np.asarray((bits >> (index % BITS)) & 1 == 1)
                if bad.any():
                    fails[rule.id].update(batch[KEY].filter(pa.array(bad)).to_pylist())
    finally:
        masks.release()
    return {rule.id: (rule.message, came, fails[rule.id]) for rule in masks.rules}


def _spooled(lake: Lake, rows: DataFrame) -> Iterator[pa.RecordBatch]:
    with TemporaryDirectory(prefix="lake-recheck-") as folder:
        spool = Path(folder) / "masks.arrow"
        lake.tables.spool(rows, spool)
        yield from read_spool(spool)


def _sort(
    proofs: dict[str, Proof], failed: dict[str, set[str]], verdicts: dict[str, tuple[str, set[str], set[str]]]
) -> None:
    for name, keys in failed.items():
        if name not in verdicts:
            proofs[name].remaining = set(keys)
            continue
        _, came, fails = verdicts[name]
        proofs[name].absent = keys - came
        proofs[name].remaining = keys & fails
        proofs[name].proven = (keys & came) - fails
    for name, (message, _, fails) in verdicts.items():
        new = fails - failed.get(name, set())
        if new or name in proofs:
            proof = proofs.setdefault(name, Proof(name, message))
            proof.message, proof.broken = message, new
