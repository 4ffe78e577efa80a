"""The lake asked: SQL by table names, and a plan's passes before anything runs."""

import re

from pyspark.sql import DataFrame

from jobs.errors import UserError
from jobs.lake.lake import Lake
from jobs.lake.zones import Zone
from jobs.pipeline.ticket_view import register_marked
from jobs.quality import Plan


def ask(lake: Lake, query: str) -> DataFrame:
    """The rows of a SQL query in which tables go by name: silver.<dataset>, gold.<product>, …

    `marked.<dataset>` is silver with the open tickets, requests and objections of each row.
    """
    for name in set(re.findall(r"\bmarked\.`?(\w+)`?", query)):
        register_marked(lake, name)
    for zone, name in set(re.findall(r"\b(bronze|silver|quarantine|evidence|proofs|results|gold)\.`?(\w+)`?", query)):
        path = lake.path(Zone(zone), name)
        if lake.delta.version(path) is None:
            raise UserError(f"no table {path} yet; `lake tables` lists those that there are")
        lake.tables.register(path)
    return lake.tables.spark.sql(query)


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
