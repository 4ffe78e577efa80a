"""lake verify | recheck | scores: numbers recomputed, corrections proven, and lost points by rule."""

from datetime import datetime
from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from rich.console import Console
from rich.table import Table

from jobs.lake.lake import opened
from jobs.pipeline import steps
from jobs.reporting import BY, GroupScore, period_scores
from jobs.settings import load as settings

PANEL = "Prove"
SHOWN = 50


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    for command in (verify, recheck, scores):
        app.command(rich_help_panel=PANEL)(command)


def verify(
    report: Annotated[
        str,
        typer.Argument(help="Id of a delivery, or a file of its report, or the JSON, PDF or Word file of a bulletin."),
    ],
) -> None:
    """Recompute each number of a report: from the table versions that it cites, and by evaluating the rows again.

    A bulletin: from the results and ticket events up to those that it cites. Exit code 1 where a number differs.

    Example: `lake verify admin_permits-3f2a9c11d0aa` · `lake verify reports/bulletins/2026-01.json`
    """
    typer.echo("recomputing / 正在复算 …", err=True)
    verification = steps.verify(settings(), report)
    differing = verification.differing()
    if differing:
        table = Table("number / 数字", "report / 报告", "recomputed / 复算", "source / 来源")
        for check in differing[:SHOWN]:
            table.add_row(check.number, str(check.reported), str(check.recomputed), check.source)
        Console().print(table)
    if verification.unjudged:
        typer.echo(f"not recomputed as cited / 未能按引用复算: {verification.unjudged}")
    typer.echo(
        f"{verification.delivery}: {len(verification.checks):,} numbers recomputed, {len(differing):,} differ / 不一致"
    )
    if differing:
        raise typer.Exit(1)


def recheck(
    delivery: Annotated[str, typer.Argument(help="Delivery whose failed keys are checked.")],
    against: Annotated[
        str, typer.Option(help="Redelivery that should correct them; default: the delivery that replaced it.")
    ] = "",
) -> None:
    """Evaluate a redelivery on the keys that failed before, and on nothing else; nothing is written.

    Exit code 1 where a key is not proven corrected, or is newly broken.

    Example: `lake recheck enterprise_registration-3f2a9c11d0aa`
    """
    typer.echo("evaluating the keys that failed / 正在复检未通过的主键 …", err=True)
    rechecks = steps.recheck(settings(), delivery, against)
    table = Table()
    table.add_column("rule / 规则", no_wrap=True)
    for name in (
        "corrected / 已改正",
        "remaining / 未改正",
        "absent / 未报",
        "newly broken / 新问题",
        "no key / 无主键",
    ):
        table.add_column(name, justify="right")
    for rule, proof in ((rule_recheck.request.rule, rule_recheck.proof) for rule_recheck in rechecks):
        counts = (proof.mended, proof.remaining, proof.absent, proof.newly_broken, proof.keyless)
        table.add_row(rule, *(f"{n:,}" for n in counts))
    Console().print(table)
    unproven = [rule_recheck for rule_recheck in rechecks if rule_recheck.proof.unproven()]
    typer.echo(f"{len(rechecks) - len(unproven):,} of {len(rechecks):,} rules proven corrected / 条规则已证实改正")
    if unproven:
        raise typer.Exit(1)


def scores(
    by: Annotated[str, typer.Option(help=f"One of {', '.join(BY)}.")] = "department",
    since: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="First day, in local time.")] = None,
    until: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="First day after the period.")] = None,
    most: Annotated[int, typer.Option(help="Rules shown per group, those that lost most points first.")] = 3,
) -> None:
    """Scores over many deliveries, from stored results alone, and the rules that cost most points.

    A replaced delivery does not count. The failing rows of a rule: `lake sql "SELECT * FROM evidence.<dataset>
    WHERE rule = '<rule>'"`.

    Example: `lake scores --by month --since 2026-01-01`
    """
    if by not in BY:
        raise typer.BadParameter(f"--by is one of {', '.join(BY)}")
    config = settings()
    zone = ZoneInfo(config.timezone)
    span = [day.replace(tzinfo=zone) if day else None for day in (since, until)]
    with opened(config) as lake:
        group_scores = period_scores(lake, by, *span)
    if not group_scores:
        typer.echo("no evaluated deliveries in that period / 该时段没有已检核的批次")
    for group_score in group_scores:
        _show_score(group_score, most)


def _show_score(group: GroupScore, most: int) -> None:
    parts = " · ".join(f"{d.name} {d.score:.2f}" for d in group.scores.dimensions if d.score is not None)
    total = "–" if group.scores.total is None else f"{group.scores.total:.2f}"
    typer.echo(f"{group.group}  {total}  ({group.deliveries:,} deliveries / 批次)  {parts}")
    for loss in group.losses[:most]:
        rule = loss.rule
        rows = f"{rule.unexpected_count:,} of {rule.element_count - rule.missing_count:,}"
        typer.echo(f"    −{loss.points:.3f}  {rule.dataset}.{rule.rule}  {rows}")
