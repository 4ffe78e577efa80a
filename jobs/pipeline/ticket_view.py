"""Silver with the open tickets of each row, as a view to query."""

import re
from collections.abc import Sequence

from pyspark.sql.types import TimestampType

from jobs.errors import UserError
from jobs.lake.lake import Lake
from jobs.lake.results import TICKETS
from jobs.lake.ticket_keys import key_fields
from jobs.lake.zones import TablePath, Zone

ALIAS = "<alias>"
NONE = "CAST(array() AS ARRAY<STRING>)"


def register_marked(lake: Lake, dataset: str) -> None:
    """Create a view over silver with a column `tickets`: ids of the row's open tickets, null where none.

    Where the data has a column of that name, it is `_tickets`.

    Rows of an issue are those of its evidence; a request or an objection names its record by the key.
    """
    silver, tickets = lake.path(Zone.SILVER, dataset), lake.path(Zone.RESULTS, TICKETS)
    if lake.delta.version(silver) is None:
        raise UserError(f"no table {silver} yet; `lake tables` lists those that exist")
    lake.tables.register(silver)
    joins: list[str] = []
    if lake.delta.version(tickets) is not None:
        lake.tables.register(tickets)
        joins = [*_failing(lake, dataset, tickets), *_named(lake, dataset, tickets, silver)]
    under = NONE
    for number in range(len(joins)):
        under = f"array_union({under}, coalesce(u{number}.tickets, {NONE}))"
    sides = " ".join(f"LEFT JOIN {join.replace(ALIAS, f'u{number}')}" for number, join in enumerate(joins))
    name = "_tickets" if "tickets" in lake.tables.read(silver).columns else "tickets"
    lake.tables.spark.sql("CREATE DATABASE IF NOT EXISTS marked")
    lake.tables.spark.sql(
        f"CREATE OR REPLACE VIEW marked.`{dataset}` AS SELECT s.*, nullif({under}, {NONE}) {name} FROM {silver} s {sides}"
    )


def _failing(lake: Lake, dataset: str, tickets: TablePath) -> list[str]:
    """Tickets by the rows of their evidence."""
    evidence = lake.path(Zone.EVIDENCE, dataset)
    if lake.delta.version(evidence) is None:
        return []
    lake.tables.register(evidence)
    rows = (
        f"SELECT e._delivery, e._file, e._row, collect_set(t.ticket) tickets FROM {evidence} e JOIN {tickets} t "
        f"ON t.dataset = '{dataset}' AND t.delivery = e._delivery AND t.rule = e.rule GROUP BY 1, 2, 3"
    )
    same = " AND ".join(f"{ALIAS}.{name} = s.{name}" for name in ("_delivery", "_file", "_row"))
    return [f"({rows}) {ALIAS} ON {same}"]


def _named(lake: Lake, dataset: str, tickets: TablePath, silver: TablePath) -> list[str]:
    """Requests and objections by the key's fields that they name; one join for each choice of fields."""
    joins = []
    for fields in key_fields(lake.delta, tickets, dataset):
        records = (
            f"SELECT record, collect_set(ticket) tickets FROM {tickets} WHERE dataset = '{dataset}' "
            f"AND key_fields = '{','.join(fields)}' GROUP BY record"
        )
        joins.append(f"({records}) {ALIAS} ON {ALIAS}.record = {_key(lake, silver, fields)}")
    return joins


def _key(lake: Lake, silver: TablePath, fields: Sequence[str]) -> str:
    """SQL for the hash of a row's key as people write it; timestamps in local time."""
    types = {field.name: field.dataType for field in lake.tables.read(silver).schema.fields}
    if not set(fields) <= set(types) or not all(re.fullmatch(r"\w+", name) for name in fields):
        return "NULL"
    zone = lake.settings.timezone

    def text(name: str) -> str:
        if isinstance(types[name], TimestampType):
            local = f"convert_timezone(current_timezone(), '{zone}', CAST(s.`{name}` AS TIMESTAMP_NTZ))"
            return f"date_format({local}, 'yyyy-MM-dd HH:mm:ss')"
        return f"CAST(s.`{name}` AS STRING)"

    return f"sha2(concat_ws(',', {', '.join(text(name) for name in fields)}), 256)"
