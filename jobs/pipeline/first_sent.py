"""The day on which each row was first delivered: rules about timeliness use it, not the day of a correction.

A correction, an answer to a ticket or a later state of the same record is not late because it arrives later. A row is
traced by its key in silver, in evidence, and in the refused deliveries that this one replaces.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from functools import reduce
from zoneinfo import ZoneInfo

import pyarrow as pa
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from jobs.conform import FIRST_SENT, SENT_DATE, key_column
from jobs.contracts import Contract, Rule
from jobs.contracts.names import DELIVERY
from jobs.lake.lake import Lake
from jobs.lake.named_rows import NamedRows
from jobs.lake.zones import Zone
from jobs.model.delivery import Delivery, State
from jobs.pipeline.bronze import bronze_rows
from jobs.pipeline.other_tables import in_columns
from jobs.pipeline.versions import Versions

KEY, DAY = "_first_key", "_first_day"


def with_sent_date(
    lake: Lake, contract: Contract, delivery: Delivery, rows: NamedRows, versions: Versions | None
) -> NamedRows:
    """The rows with `_sent_date`; without versions of the tables, earlier deliveries are not checked."""
    own = F.col(SENT_DATE) if SENT_DATE in rows.columns else F.lit(delivery.sent_date(_zone(lake)))
    first_days = list(_first_days(lake, contract, delivery, versions)) if versions and contract.key() else []
    if not first_days:
        return rows.with_columns({SENT_DATE: own})
    first = reduce(DataFrame.unionAll, first_days).groupBy(KEY).agg(F.min(DAY).alias(DAY))
    is_whole = reduce(Column.__and__, [F.col(name).isNotNull() for name in contract.key()])
    keyed = rows.frame.withColumn(KEY, F.when(is_whole, key_column(contract)))
    joined = keyed.join(first, KEY, "left")
    dated = joined.withColumn(SENT_DATE, F.least(own, F.col(DAY))).drop(KEY, DAY)
    return NamedRows(dated, tuple(dict.fromkeys((*rows.columns, SENT_DATE))))


def need_sent_date(rules: Sequence[Rule]) -> bool:
    """Whether any of the rules uses the day on which a row was first sent."""
    return any(_uses_sent_date(rule) for rule in rules)


def _uses_sent_date(rule: Rule) -> bool:
    expressions = [
        json.dumps(rule.kwargs, default=str),
        *(expression for lookup in rule.lookups for _, expression in lookup.on),
    ]
    return any(SENT_DATE in text for text in expressions)


def _first_days(lake: Lake, contract: Contract, delivery: Delivery, versions: Versions) -> Iterator[DataFrame]:
    """Keys with the days of their deliveries, from each table that records them."""
    silver, evidence = lake.path(Zone.SILVER, contract.id), lake.path(Zone.EVIDENCE, contract.id)
    if versions(silver) is not None:
        known = in_columns(lake, silver, versions, (*contract.key(), FIRST_SENT))
        if FIRST_SENT in known.columns:
            yield known.frame.select(key_column(contract).alias(KEY), F.col(FIRST_SENT).alias(DAY))
    days = _days(lake, contract, delivery)
    if versions(evidence) is not None and days:
        sent = lake.spark.createDataFrame(pa.table({"_delivery": list(days), DAY: list(days.values())}))
        rows = in_columns(lake, evidence, versions, (DELIVERY, "key")).frame.withColumnRenamed("key", KEY)
        yield rows.join(F.broadcast(sent), "_delivery").select(KEY, DAY)
    for older in _refused_before(lake, delivery):
        rows = bronze_rows(lake, contract, older).rows.frame
        yield rows.select(key_column(contract).alias(KEY), F.lit(older.sent_date(_zone(lake))).alias(DAY))


def _days(lake: Lake, contract: Contract, delivery: Delivery) -> Mapping[str, date]:
    """The day of each earlier delivery."""
    earlier = [other for other in lake.ledger.deliveries(contract.id) if other.seq < delivery.seq]
    return {other.id: other.sent_date(_zone(lake)) for other in earlier}


def _refused_before(lake: Lake, delivery: Delivery) -> Iterator[Delivery]:
    """Refused deliveries that this one replaces; their rows are in no curated table."""
    older_id, visited = delivery.supersedes, {delivery.id}
    while older_id and older_id not in visited:
        older = lake.ledger.get(older_id)
        if older.state is State.REFUSED:
            yield older
        visited.add(older_id)
        older_id = older.supersedes


def _zone(lake: Lake) -> ZoneInfo:
    return ZoneInfo(lake.settings.timezone)
