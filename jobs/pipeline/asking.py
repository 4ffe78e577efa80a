"""The lake asked: SQL by table names, and a plan's passes before anything runs."""

import re

from pyspark.sql import DataFrame

from jobs.errors import UserError
from jobs.lake.lake import Lake
from jobs.lake.results import TICKETS
from jobs.lake.zones import Zone
from jobs.quality import Plan


def ask(lake: Lake, query: str) -> DataFrame:
    """The rows of a SQL query in which tables go by name: silver.<dataset>, gold.<product>, …

    `marked.<dataset>` is silver with the open tickets of each row.
    """
    for name in set(re.findall(r"\bmarked\.`?(\w+)`?", query)):
        _register_marked(lake, name)
    for zone, name in set(re.findall(r"\b(bronze|silver|quarantine|evidence|results|gold)\.`?(\w+)`?", query)):
        path = lake.path(Zone(zone), name)
        if lake.arrow.version(path) is None:
            raise UserError(f"no table {path} yet; `lake tables` lists those that there are")
        lake.tables.register(path)
    return lake.tables.spark.sql(query)


def _register_marked(lake: Lake, dataset: str) -> None:
    """A view over silver with a column `tickets`: ids of the open tickets that the row is under, null where none."""
    silver, evidence = lake.path(Zone.SILVER, dataset), lake.path(Zone.EVIDENCE, dataset)
    tickets = lake.path(Zone.RESULTS, TICKETS)
    if lake.arrow.version(silver) is None:
        raise UserError(f"no table {silver} yet; `lake tables` lists those that there are")
    lake.tables.register(silver)
    under = "SELECT NULL _delivery, NULL _file, NULL _row, NULL tickets WHERE false"
    if lake.arrow.version(evidence) is not None and lake.arrow.version(tickets) is not None:
        lake.tables.register(evidence)
        lake.tables.register(tickets)
        under = (
            f"SELECT e._delivery, e._file, e._row, collect_set(t.ticket) tickets FROM {evidence} e JOIN {tickets} t "
            f"ON t.dataset = '{dataset}' AND t.delivery = e._delivery AND t.rule = e.rule GROUP BY 1, 2, 3"
        )
    lake.tables.spark.sql("CREATE DATABASE IF NOT EXISTS marked")
    lake.tables.spark.sql(
        f"CREATE OR REPLACE VIEW marked.`{dataset}` AS SELECT s.*, u.tickets FROM {silver} s LEFT JOIN ({under}) u "
        "ON u._delivery = s._delivery AND u._file = s._file AND u._row = s._row"
    )


def explain(lake: Lake, plan: Plan) -> list[str]:
    """The passes of a plan in words; compiles the rules on the engine, reads no data."""
    from jobs.quality.conditions import compile_rules
    from jobs.quality.judge import empty_rows

    compiled = compile_rules(plan, empty_rows(lake.spark, plan))
    lines = [f"{plan.contract.id}: {plan.table_reads()} read(s) of the delivery, {len(compiled.fused)} fused rules"]
    lines.append(
        f"  pass 1: cast, {len(compiled.fused)} conditions in one mask, counts, silver | quarantine | evidence"
    )
    for group in plan.groups:
        what = f"rule {group.rule.id}" if group.rule else "fully equal rows"
        lines.append(f"  group-by {', '.join(group.columns) or 'row hash'}: {what}")
    for reference in plan.references:
        lines.append(f"  look-up in silver.{reference.dataset}.{reference.field}: rule {reference.rule.id}")
    for one in plan.series:
        points, at = ", ".join(one.rule.kwargs["series"]), one.rule.kwargs["at"]
        lines.append(f"  window over {points} by {at}, in pass 1: rule {one.rule.id}")
    for rule, _, reason in compiled.through_gx:
        lines.append(f"  through Great Expectations itself: rule {rule.id} ({reason})")
    return lines
