"""lake bulletin: the report of a period to all departments, as an official document."""

from typing import Annotated

import typer

from jobs.pipeline import steps
from jobs.pipeline.bulletins import BulletinRequest
from jobs.settings import load as settings

PANEL = "Tickets"


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command(rich_help_panel=PANEL)(bulletin)


def bulletin(
    period: Annotated[str, typer.Argument(help="Month, quarter or year: 2026-01, 2026Q1, 2026.")],
    draft: Annotated[
        bool, typer.Option("--draft", help="From the current data; stored apart, may be repeated.")
    ] = False,
    revise: Annotated[str, typer.Option(help="Why a new revision replaces the published bulletin.")] = "",
    number: Annotated[int, typer.Option(min=0, help="Serial of the document number; 0: the place in the year.")] = 0,
) -> None:
    """Write the bulletin of a period: PDF, Word, and JSON with every number, its formula, and the ids behind it.

    A published bulletin never changes: a correction is a new revision that states its reason.

    Example: `lake bulletin 2026-01` · `lake bulletin 2026-02 --draft`
    """
    config = settings()
    files = steps.bulletin(config, period, BulletinRequest(draft, revise, number))
    if not files.is_new:
        typer.echo("published before, unchanged / 此前已发布，内容未改动")
    for key in (files.pdf, files.docx, files.json):
        typer.echo(config.home / key)
