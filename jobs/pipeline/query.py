"""SQL queries by table name, and the passes of a plan before it runs."""

import logging

from pyspark.errors import PySparkException
from pyspark.sql import DataFrame

from jobs.errors import UserError
from jobs.lake.lake import Lake
from jobs.lake.session import is_unavailable
from jobs.lake.zones import TablePath, Zone
from jobs.pipeline.read_only_sql import NamedTable, named_tables
from jobs.pipeline.ticket_view import register_marked
from jobs.quality import Plan

QUERIED = (Zone.BRONZE, Zone.SILVER, Zone.QUARANTINE, Zone.EVIDENCE, Zone.RESULTS, Zone.GOLD)
MARKED = "marked"


def ask(lake: Lake, query: str) -> DataFrame:
    """The rows of one read-only SQL query that names tables as silver.<dataset>, gold.<product>, …

    `marked.<dataset>` is silver with the open tickets, requests and objections of each row.
    """
    for table in named_tables(query):
        if table.zone == MARKED:
            register_marked(lake, table.name)
        else:
            lake.tables.register(_existing(lake, table))
    return lake.tables.spark.sql(query)


def answer(lake: Lake, query: str, most: int) -> tuple[list[str], list[list[str]]]:
    """Column names and at most so many rows of a query, as texts; UserError in the engine's words where it cannot be answered."""
    logging.getLogger("SQLQueryContextLogger").setLevel(logging.CRITICAL)  # pyspark would print the error by itself too
    try:
        rows = ask(lake, query).limit(most)
        return rows.columns, [["" if value is None else str(value) for value in row] for row in rows.collect()]
    except PySparkException as error:
        if is_unavailable(error):
            raise
        raise UserError(f"{_reason(error)} / 查询有误，请按提示修改") from error


def _reason(error: PySparkException) -> str:
    """The engine's message without the plan and the trace that follow it."""
    text = str(error).partition("JVM stacktrace")[0]
    return text.partition(";\n")[0].partition("\n\n")[0].strip()


def _existing(lake: Lake, table: NamedTable) -> TablePath:
    """The table's path; UserError that lists the existing tables where it does not exist."""
    if table.zone not in QUERIED:
        zones = ", ".join((*QUERIED, MARKED))
        raise UserError(f"no table {table}; name tables as zone.name, the zones are {zones} / 没有表 {table}")
    zone = Zone(table.zone)
    path = lake.path(zone, table.name)
    if lake.delta.version(path) is None:
        names = ", ".join(f"{zone}.{name}" for name in lake.store.folders(f"{zone}/")) or "none yet"
        raise UserError(f"no table {table} yet; {zone} has: {names} / 没有表 {table}，现有以上各表")
    return path


def explain(lake: Lake, plan: Plan) -> list[str]:
    """The passes of a plan, one line each; compiles the rules on the engine, reads no data."""
    from jobs.quality.conditions import compile_rules

    compiled = compile_rules(plan, lake.spark)
    lines = [f"{plan.contract.id}: {plan.table_reads()} read(s) of the delivery, {len(compiled.fused)} fused rules"]
    lines.append(
        f"  pass 1: cast, {len(compiled.fused)} conditions in one mask, counts, silver | quarantine | evidence"
    )
    for group in plan.groups:
        purpose = f"rule {group.rule.id}" if group.rule else "fully equal rows"
        lines.append(f"  group-by {', '.join(group.columns) or 'row hash'}: {purpose}")
    for reference in plan.references:
        lines.append(f"  lookup in silver.{reference.dataset}.{reference.field}: rule {reference.rule.id}")
    for series in plan.series:
        points, at = ", ".join(series.rule.kwargs["series"]), series.rule.kwargs["at"]
        lines.append(f"  window over {points} by {at}, in pass 1: rule {series.rule.id}")
    for rule, _, reason in compiled.through_gx:
        lines.append(f"  through Great Expectations itself: rule {rule.id} ({reason})")
    return lines
