"""lake audit verify: what was recorded, walked from its beginning."""

from typing import Annotated

import typer

from jobs.collaboration.audit_log import ChainAudit
from jobs.collaboration.tickets import opened
from jobs.settings import load as settings

PANEL = "Tickets"
Noted = Annotated[str, typer.Option(help="Number and hash that were written down before, as NUMBER:HASH.")]
audit = typer.Typer(no_args_is_help=True, help="Check what was recorded. 核查记录。")


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    app.add_typer(audit, name="audit", rich_help_panel=PANEL)


@audit.callback()
def group() -> None:
    """Check what was recorded. 核查记录。"""


@audit.command()
def verify(noted: Noted = "", noted_access: Noted = "") -> None:
    """Walk the chain of all events of tickets, and that of the access log; name the first that was changed or removed.

    Write the lines NUMBER:HASH down elsewhere: with `--noted` (events) and `--noted-access` a chain that was cut or written
    anew is noticed too. Exit code 1 where something does not fit.

    Example: `lake audit verify`
    """
    from jobs.serving.access_log import AccessLog  # seconds to import, wanted here alone

    before = (_pair(noted, "--noted"), _pair(noted_access, "--noted-access"))
    with opened(settings()) as store:
        events, readings = store.audit_verify(before[0]), AccessLog(store.database).verified(before[1])
    _say(events, "event / 事件", "events, unbroken / 条事件，完整")
    _say(readings, "access / 访问", "readings of sensitive data, unbroken / 条敏感数据访问记录，完整")
    if events.broken is not None or readings.broken is not None:
        raise typer.Exit(1)


def _pair(noted: str, option: str) -> tuple[int, str] | None:
    number, _, hash_ = noted.partition(":")
    if noted and not (number.isdigit() and hash_):
        raise typer.BadParameter(f"{option} is NUMBER:HASH, as a line of an earlier run")
    return (int(number), hash_) if noted else None


def _say(found: ChainAudit, one: str, every: str) -> None:
    if found.broken is not None:
        typer.echo(f"{one} {found.broken} {found.ticket}: {found.reason}")
        return
    typer.echo(f"{found.events:,} {every}")
    typer.echo(f"{found.seq}:{found.head}")
