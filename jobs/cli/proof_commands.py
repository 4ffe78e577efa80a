"""lake verify | recheck: numbers recomputed, and corrections proven."""

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from jobs import pipeline
from jobs.pipeline.rechecking import Proof
from jobs.pipeline.verifying import Verified
from jobs.settings import load as settings

PANEL = "Prove"
SHOWN = 50


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    for command in (verify, recheck):
        app.command(rich_help_panel=PANEL)(command)


def verify(
    report: Annotated[str, typer.Argument(help="Id of a delivery, or the JSON, HTML or xlsx file of its report.")],
) -> None:
    """Recompute each number of a report: from the table versions that it cites, and from the rows judged again.

    Exit code 1 where a number differs.

    Example: `lake verify admin_permits-3f2a9c11d0aa`
    """
    typer.echo("recomputing / 正在复算 …", err=True)
    found: Verified = pipeline.run(settings(), "verify", report)
    differing = found.differing()
    if differing:
        table = Table("number / 数字", "report / 报告", "found / 复算", "source / 来源")
        for check in differing[:SHOWN]:
            table.add_row(check.number, str(check.reported), str(check.found), check.source)
        Console().print(table)
    if found.unjudged:
        typer.echo(f"rows not judged again / 未能重新质检: {found.unjudged}")
    typer.echo(f"{found.delivery}: {len(found.checks):,} numbers recomputed, {len(differing):,} differ / 不一致")
    if differing:
        raise typer.Exit(1)


def recheck(
    delivery: Annotated[str, typer.Argument(help="Delivery whose failed keys are looked at.")],
    against: Annotated[
        str, typer.Option(help="Redelivery that should mend them; without it, the delivery that replaced it.")
    ] = "",
) -> None:
    """Judge a redelivery on the very keys that failed before, and on nothing else; nothing is written.

    Exit code 1 where a key is not proven mended, or is newly broken.

    Example: `lake recheck enterprise_registration-3f2a9c11d0aa`
    """
    typer.echo("judging the keys that failed / 正在复检未通过的主键 …", err=True)
    proofs: list[Proof] = pipeline.run(settings(), "recheck", delivery, against)
    table = Table()
    table.add_column("rule / 规则", no_wrap=True)
    for name in ("mended / 已改正", "remaining / 未改正", "absent / 未报", "newly broken / 新问题", "no key / 无主键"):
        table.add_column(name, justify="right")
    for one in proofs:
        counts = (len(one.proven), len(one.remaining), len(one.absent), len(one.broken), one.keyless)
        table.add_row(one.rule, *(f"{n:,}" for n in counts))
    Console().print(table)
    is_open = [one for one in proofs if not one.is_closed()]
    typer.echo(f"{len(proofs) - len(is_open):,} of {len(proofs):,} rules proven mended / 条规则已证实改正")
    if is_open:
        raise typer.Exit(1)
