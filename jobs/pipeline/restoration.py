"""Rows that come forward when a delivery is withdrawn: for its keys that it leaves empty, what stands beneath holds again.

Silver keeps one row a key, that of the delivery that wins. The rows of the others are made from bronze, as they were
judged: what was held back stays so, and marks are those of the evidence.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from jobs.conform import typed, value_columns
from jobs.contracts import Contract, Rule
from jobs.contracts.names import DELIVERY, FILE, FIRST_SENT, MALFORMED, MARKS, ROW, SENT, SEQ
from jobs.lake.bits import balanced, quoted
from jobs.lake.lake import Lake
from jobs.lake.system_tables import system_contract
from jobs.lake.table_schema import spark_schema
from jobs.lake.zones import Zone
from jobs.model.delivery import Delivery, State
from jobs.pipeline.bronze import texts

ACCEPTED = (State.ACCEPTED, State.PARTLY_QUARANTINED)
PLACE = (DELIVERY, FILE, ROW)
WANTED = "_wanted_"


@dataclass(frozen=True)
class Withdrawal:
    """What is taken out of silver as a delivery is published.

    `leaving`: deliveries whose rows give way: those that it replaces, and its own of an earlier try. `back`: those that
    it had replaced in an earlier try, and that stand again since it is refused now.
    """

    delivery: Delivery
    leaving: tuple[str, ...]
    back: tuple[str, ...] = ()


def chain_of(delivery: Delivery, known: Mapping[str, Delivery]) -> tuple[str, ...]:
    """The deliveries that this one replaces: the one that it names, the one that that names, and so on."""
    found: list[str] = []
    older = delivery.supersedes
    # `not in found`: deliveries that name each other would lead round in a circle.
    while older and older in known and older not in found:
        found.append(older)
        older = known[older].supersedes
    return tuple(found)


def replaced_by(everything: Sequence[Delivery], without: str) -> dict[str, str]:
    """Each delivery that was replaced → the accepted one that did so last, as if `without` had replaced nothing."""
    known, found = {one.id: one for one in everything}, {}
    for one in everything:
        if one.state in ACCEPTED and one.id != without:
            found.update(dict.fromkeys(chain_of(one, known), one.id))
    return found


@dataclass
class OverwrittenRows:
    """The rows of standing deliveries under those that are withdrawn; release() gives the engine's memory back."""

    lake: Lake
    contract: Contract
    rules: Sequence[Rule]
    withdrawal: Withdrawal
    kept: list[DataFrame] = field(default_factory=list)

    def rows(self, goods: DataFrame) -> DataFrame | None:
        """Silver rows that come forward once `goods` take the place of the withdrawn ones; None where there are none."""
        ranked = self._ranked() if self.withdrawal.leaving else []
        if not ranked:
            return None
        # The caller set this for the new delivery alone; the rows beneath may be many more, or fewer.
        self.lake.tables.interpret(sum(d.counted_rows or 0 for d in ranked))
        bronze, extras = texts(self.lake, self.contract, ranked)
        winners = self._winners(bronze, goods, ranked)
        if winners is None:
            return None
        chosen = bronze.join(F.broadcast(winners.select(*PLACE)), list(PLACE), "left_semi")
        rows, _ = typed(chosen, self.contract, extras)
        return (
            rows.join(F.broadcast(winners), list(PLACE))
            .join(F.broadcast(self._marks(winners, ranked)), list(PLACE), "left")
            .select(*value_columns(self.contract, extras), DELIVERY, SEQ, FILE, ROW, MARKS, FIRST_SENT)
        )

    def release(self) -> None:
        """Drop what was kept on the engine."""
        for rows in self.kept:
            rows.unpersist()

    def _ranked(self) -> list[Delivery]:
        """The deliveries that stand, those that win last: later ones, or where the first row stays, earlier ones.

        Where the first row stays, a delivery that answers a ticket wins over it.
        """
        mine, everything = self.withdrawal.delivery.id, self.lake.ledger.deliveries(self.contract.id)
        gone = {mine, *self.withdrawal.leaving, *replaced_by(everything, mine)}
        found = [one for one in everything if one.state in ACCEPTED and one.id not in gone]
        if not self.contract.key():
            return [one for one in found if one.id in self.withdrawal.back]
        if self.contract.write.mode == "merge":
            return found
        return sorted(found, key=lambda one: (bool(one.answers), one.seq if one.answers else -one.seq))

    def _winners(self, bronze: DataFrame, goods: DataFrame, ranked: Sequence[Delivery]) -> DataFrame | None:
        """Places of the rows that come forward, with their delivery's number and day; None where no key is left empty."""
        key = self.contract.key()
        # Only the key is cast at first: of all rows that stand, few come forward, and only those are cast whole.
        fields = tuple(f for f in self.contract.fields if f.name in key)
        rows, _ = typed(bronze, replace(self.contract, fields=fields))
        rows = rows.filter(F.col(MALFORMED).isNull()).join(self._held(ranked), list(PLACE), "left_anti")
        same = [F.col(name) for name in key]
        if key:
            wanted = self._kept(self._empty(rows, goods, key))
            if not wanted.limit(1).count():
                return None
            rows = rows.join(wanted, _same(key), "left_semi")
        elif self.contract.write.duplicates == "drop":
            same = [F.col(DELIVERY), *(F.col(quoted(name)) for name in rows.columns if name.startswith(SENT))]
        rows = rows.join(F.broadcast(self._numbers(ranked)), DELIVERY)
        # The order of judging (verdict_masks), so that of equal rows the same one is kept again.
        file = F.hash(FILE).cast("bigint").bitwiseAND(F.lit(0xFFFFFFFF))
        first = Window.partitionBy(*(same or map(F.col, PLACE))).orderBy(F.desc("_rank"), F.col(ROW), file)
        found = (
            rows.withColumn("_place", F.row_number().over(first)).filter("_place = 1").select(*PLACE, SEQ, FIRST_SENT)
        )
        return self._kept(found)

    def _numbers(self, ranked: Sequence[Delivery]) -> DataFrame:
        """By delivery: its number, its rank and the day on which it was sent."""
        zone = ZoneInfo(self.lake.settings.timezone)
        table: dict[str, list[Any]] = {
            DELIVERY: [d.id for d in ranked],
            SEQ: [d.seq for d in ranked],
            "_rank": list(range(len(ranked))),
            FIRST_SENT: [d.sent_date(zone) for d in ranked],
        }
        return self.lake.spark.createDataFrame(pa.table(table))

    def _empty(self, rows: DataFrame, goods: DataFrame, key: Sequence[str]) -> DataFrame:
        """Keys that the withdrawn deliveries held, or had taken from those that stand again, and that `goods` do not hold."""
        silver = self.lake.tables.read(self.lake.path(Zone.SILVER, self.contract.id))
        names = [F.col(name).alias(WANTED + name) for name in key]
        left = silver.filter(F.col(DELIVERY).isin(*self.withdrawal.leaving)).select(*names)
        if self.withdrawal.back:
            left = left.union(rows.filter(F.col(DELIVERY).isin(*self.withdrawal.back)).select(*names))
        return left.distinct().join(goods.select(*key), _same(key), "left_anti")

    def _held(self, ranked: Sequence[Delivery]) -> DataFrame:
        """Places of the rows that were held back when they were judged."""
        return self._told(Zone.QUARANTINE, ranked).select(*PLACE)

    def _marks(self, winners: DataFrame, ranked: Sequence[Delivery]) -> DataFrame:
        """The marks that the rows had, in the order of the rules; rules that are no more come last."""
        warned = self._told(Zone.EVIDENCE, ranked).filter(F.col("severity") == "warning").select(*PLACE, "rule")
        told = warned.join(F.broadcast(winners.select(*PLACE)), list(PLACE)).groupBy(*PLACE)
        found = told.agg(F.sort_array(F.collect_set("rule")).alias("_rules"))
        # The cast is for a contract without rules: an empty array has no type to compare with texts.
        known = F.array(*(F.lit(rule.id) for rule in self.rules)).cast("array<string>")
        marks = F.concat(F.array_intersect(known, F.col("_rules")), F.array_except(F.col("_rules"), known))
        return found.select(*PLACE, marks.alias(MARKS))

    def _told(self, zone: Zone, ranked: Sequence[Delivery]) -> DataFrame:
        """What quarantine or evidence holds of the deliveries; no rows where nothing was ever held back."""
        path = self.lake.path(zone, self.contract.id)
        if self.lake.delta.version(path) is not None:
            return self.lake.tables.read_deliveries(path, ranked)
        return self.lake.spark.createDataFrame([], spark_schema(system_contract(zone).fields))

    def _kept(self, rows: DataFrame) -> DataFrame:
        self.kept.append(rows.persist())
        return self.kept[-1]


def _same(key: Sequence[str]) -> Column:
    # Parts of a key may be empty, and `=` would never match those.
    return balanced(Column.__and__, [F.col(name).eqNullSafe(F.col(WANTED + name)) for name in key])
