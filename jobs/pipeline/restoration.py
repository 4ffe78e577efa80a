"""Silver rows restored when a delivery is withdrawn: keys without a new row get the row that was overwritten.

Silver has one row per key, that of the winning delivery. Overwritten rows are rebuilt from bronze with their original
verdicts: quarantined rows stay in quarantine, and marks come from evidence.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import partial
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
from jobs.lake.named_rows import NamedRows
from jobs.lake.prepared_plans import in_engine
from jobs.lake.system_tables import system_contract
from jobs.lake.table_schema import spark_schema
from jobs.lake.zones import Zone
from jobs.model.delivery import ACCEPTED, Delivery
from jobs.pipeline.bronze import texts

PLACE = (DELIVERY, FILE, ROW)
EMPTY_KEY = "_empty_"


@dataclass(frozen=True)
class Withdrawal:
    """What is removed from silver when a delivery is published.

    `withdrawn`: deliveries whose rows are removed: replaced ones, and the delivery itself after an earlier attempt.
    `reinstated`: deliveries that an earlier attempt replaced, valid again since the delivery is now refused.
    `removed`: places of rows that an earlier attempt removed as a full delivery, back since the delivery is now refused.
    """

    delivery: Delivery
    withdrawn: tuple[str, ...]
    reinstated: tuple[str, ...] = ()
    removed: pa.Table | None = None


def chain_of(delivery: Delivery, deliveries: Mapping[str, Delivery]) -> tuple[str, ...]:
    """The deliveries that this one replaces, directly and through those, newest first."""
    chain: list[str] = []
    older = delivery.supersedes
    # `not in chain` ends a cycle of deliveries that name each other.
    while older and older in deliveries and older not in chain:
        chain.append(older)
        older = deliveries[older].supersedes
    return tuple(chain)


def replaced_by(deliveries: Sequence[Delivery], without: str) -> dict[str, str]:
    """Each replaced delivery → the last accepted one that replaces it, ignoring `without`."""
    by_id, replacements = {delivery.id: delivery for delivery in deliveries}, {}
    for delivery in deliveries:
        if delivery.state in ACCEPTED and delivery.id != without:
            replacements.update(dict.fromkeys(chain_of(delivery, by_id), delivery.id))
    return replacements


def newer_letters(
    lake: Lake, contract: Contract, delivery: Delivery, deliveries: Sequence[Delivery]
) -> tuple[str, ...] | None:
    """Accepted deliveries with a later date on their covering letter; None where the contract goes by arrival.

    An answer to a ticket corrects what is there, whatever the date.
    """
    if contract.write.order != "letter":
        return None
    if delivery.answers:
        return ()
    own = _letter(lake, delivery)
    return tuple(d.id for d in deliveries if d.id != delivery.id and d.state in ACCEPTED and _letter(lake, d) > own)


def _letter(lake: Lake, delivery: Delivery) -> tuple[date, int]:
    """Date of the covering letter; of equal dates, the order of arrival."""
    return delivery.sent_date(ZoneInfo(lake.settings.timezone)), delivery.seq


@dataclass
class OverwrittenRows:
    """Rows of valid deliveries that withdrawn ones overwrote; release() frees the engine's memory."""

    lake: Lake
    contract: Contract
    rules: Sequence[Rule]
    withdrawal: Withdrawal
    persisted: list[DataFrame] = field(default_factory=list)

    def rows(self, goods: DataFrame) -> DataFrame | None:
        """Silver rows to restore when `goods` replace the withdrawn ones; None where there are none."""
        ranked = self._by_precedence() if self.withdrawal.withdrawn else []
        if not ranked:
            return None
        # The caller sized this for the new delivery; the overwritten rows may be many more, or fewer.
        self.lake.tables.interpret(sum(d.counted_rows or 0 for d in ranked), len(self.contract.fields))
        bronze, extras = texts(self.lake, self.contract, ranked)
        winners = self._winners(bronze, goods, ranked)
        if winners is None:
            return None
        chosen = bronze.frame.join(F.broadcast(winners.select(*PLACE)), list(PLACE), "left_semi")
        rows = typed(NamedRows(chosen, bronze.columns), self.contract, extras).rows.frame
        return (
            rows.join(F.broadcast(winners), list(PLACE))
            .join(F.broadcast(self._marks(winners, ranked)), list(PLACE), "left")
            .select(*value_columns(self.contract, extras), DELIVERY, SEQ, FILE, ROW, MARKS, FIRST_SENT)
        )

    def release(self) -> None:
        """Unpersist the cached rows."""
        for rows in self.persisted:
            rows.unpersist()

    def _may_share(self, delivery: Delivery) -> bool:
        """Whether it may have curated rows in common with the new one; two hours of a stream have none."""
        return delivery.state in ACCEPTED and not (
            delivery.is_sealed_hour() and self.withdrawal.delivery.is_sealed_hour()
        )

    def _by_precedence(self) -> list[Delivery]:
        """Valid deliveries by precedence, the winner last: later ones in merge mode, else earlier ones.

        Answers to tickets win over the first row.
        """
        own_id, deliveries = self.withdrawal.delivery.id, self.lake.ledger.deliveries(self.contract.id)
        withdrawn = {own_id, *self.withdrawal.withdrawn, *replaced_by(deliveries, own_id)}
        standing = [delivery for delivery in deliveries if delivery.id not in withdrawn and self._may_share(delivery)]
        if not self.contract.key():
            return [delivery for delivery in standing if delivery.id in self.withdrawal.reinstated]
        if self.contract.write.mode == "merge":
            return (
                sorted(standing, key=partial(_letter, self.lake)) if self.contract.write.order == "letter" else standing
            )
        return sorted(
            standing, key=lambda delivery: (bool(delivery.answers), delivery.seq if delivery.answers else -delivery.seq)
        )

    def _winners(self, bronze: NamedRows, goods: DataFrame, ranked: Sequence[Delivery]) -> DataFrame | None:
        """Places of the rows to restore, with their delivery's number and day; None where every key has a row."""
        key = self.contract.key()
        # Only the key is cast at first: few of all rows are restored, and only those are cast in full.
        fields = tuple(f for f in self.contract.fields if f.name in key)
        keyed = typed(bronze, replace(self.contract, fields=fields)).rows
        rows = keyed.frame
        rows = rows.filter(F.col(MALFORMED).isNull()).join(self._quarantined(ranked), list(PLACE), "left_anti")
        identity = [F.col(name) for name in key]
        if key:
            empty_keys = self._persist(self._empty_keys(rows, goods, key))
            if not empty_keys.limit(1).count():
                return None
            rows = rows.join(empty_keys, _same(key), "left_semi")
        elif self.contract.write.duplicates == "drop":
            identity = [F.col(DELIVERY), *(F.col(quoted(name)) for name in keyed.columns if name.startswith(SENT))]
        rows = rows.join(F.broadcast(self._numbers(ranked)), DELIVERY)
        # The order of verdict_masks, so that of equal rows the same one is retained.
        file = F.hash(FILE).cast("bigint").bitwiseAND(F.lit(0xFFFFFFFF))
        first = Window.partitionBy(*(identity or map(F.col, PLACE))).orderBy(F.desc("_rank"), F.col(ROW), file)
        winners = (
            rows.withColumn("_place", F.row_number().over(first)).filter("_place = 1").select(*PLACE, SEQ, FIRST_SENT)
        )
        return self._persist(winners)

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

    def _empty_keys(self, rows: DataFrame, goods: DataFrame, key: Sequence[str]) -> DataFrame:
        """Keys of withdrawn deliveries, and of reinstated ones, that `goods` lack."""
        silver = self.lake.tables.read(self.lake.path(Zone.SILVER, self.contract.id))
        names = [F.col(name).alias(EMPTY_KEY + name) for name in key]
        withdrawn = silver.filter(F.col(DELIVERY).isin(*self.withdrawal.withdrawn)).select(*names)
        if self.withdrawal.reinstated:
            withdrawn = withdrawn.union(rows.filter(F.col(DELIVERY).isin(*self.withdrawal.reinstated)).select(*names))
        if self.withdrawal.removed is not None:
            places = F.broadcast(in_engine(self.lake.spark, self.withdrawal.removed))
            withdrawn = withdrawn.union(rows.join(places, list(PLACE), "left_semi").select(*names))
        return withdrawn.distinct().join(goods.select(*key), _same(key), "left_anti")

    def _quarantined(self, ranked: Sequence[Delivery]) -> DataFrame:
        """Places of the quarantined rows."""
        return self._delivery_rows(Zone.QUARANTINE, ranked).select(*PLACE)

    def _marks(self, winners: DataFrame, ranked: Sequence[Delivery]) -> DataFrame:
        """The marks of the rows, in the order of the rules; marks of removed rules come last."""
        warned = (
            self._delivery_rows(Zone.EVIDENCE, ranked).filter(F.col("severity") == "warning").select(*PLACE, "rule")
        )
        warnings_by_row = warned.join(F.broadcast(winners.select(*PLACE)), list(PLACE)).groupBy(*PLACE)
        rule_sets = warnings_by_row.agg(F.sort_array(F.collect_set("rule")).alias("_rules"))
        # The cast is for a contract without rules: an empty array has no element type.
        rules = F.array(*(F.lit(rule.id) for rule in self.rules)).cast("array<string>")
        marks = F.concat(F.array_intersect(rules, F.col("_rules")), F.array_except(F.col("_rules"), rules))
        return rule_sets.select(*PLACE, marks.alias(MARKS))

    def _delivery_rows(self, zone: Zone, ranked: Sequence[Delivery]) -> DataFrame:
        """Rows of the deliveries in quarantine or evidence; none where the table does not exist."""
        path = self.lake.path(zone, self.contract.id)
        if self.lake.delta.version(path) is not None:
            return self.lake.tables.read_deliveries(path, ranked)
        return self.lake.spark.createDataFrame([], spark_schema(system_contract(zone).fields))

    def _persist(self, rows: DataFrame) -> DataFrame:
        self.persisted.append(rows.persist())
        return self.persisted[-1]


def _same(key: Sequence[str]) -> Column:
    # Parts of a key may be null, and `=` never matches those.
    return balanced(Column.__and__, [F.col(name).eqNullSafe(F.col(EMPTY_KEY + name)) for name in key])
