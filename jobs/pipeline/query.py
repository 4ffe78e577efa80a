"""The lake asked: SQL by table names, and a plan's passes before anything runs."""

from pyspark.sql import DataFrame

from jobs.errors import UserError
from jobs.lake.lake import Lake
from jobs.lake.zones import TablePath, Zone
from jobs.pipeline.read_only_sql import NamedTable, named_tables
from jobs.pipeline.ticket_view import register_marked
from jobs.quality import Plan

QUERIED = (Zone.BRONZE, Zone.SILVER, Zone.QUARANTINE, Zone.EVIDENCE, Zone.RESULTS, Zone.GOLD)
MARKED = "marked"


def ask(lake: Lake, query: str) -> DataFrame:
    """The rows of one read-only SQL query in which tables go by name: silver.<dataset>, gold.<product>, …

    `marked.<dataset>` is silver with the open tickets, requests and objections of each row.
    """
    for table in named_tables(query):
        if table.zone == MARKED:
            register_marked(lake, table.name)
        else:
            lake.tables.register(_existing(lake, table))
    return lake.tables.spark.sql(query)


def _existing(lake: Lake, table: NamedTable) -> TablePath:
    """The table's place; UserError with the tables that there are where it does not exist."""
    if table.zone not in QUERIED:
        zones = ", ".join((*QUERIED, MARKED))
        raise UserError(f"no table {table}; tables go by zone and name, and the zones are {zones} / 没有表 {table}")
    zone = Zone(table.zone)
    path = lake.path(zone, table.name)
    if lake.delta.version(path) is None:
        names = ", ".join(f"{zone}.{name}" for name in lake.store.folders(f"{zone}/")) or "none yet"
        raise UserError(f"no table {table} yet; in {zone} there are: {names} / 没有表 {table}，现有以上各表")
    return path


def explain(lake: Lake, plan: Plan) -> list[str]:
    """The passes of a plan in words; compiles the rules on the engine, reads no data."""
    from jobs.quality.conditions import compile_rules
    from jobs.quality.verdict_masks import empty_rows

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
