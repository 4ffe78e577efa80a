"""lake audit verify: the audit log, verified from its first event."""

from typing import Annotated

import typer

from jobs.collaboration.audit_log import ChainAudit
from jobs.collaboration.tickets import opened
from jobs.settings import load as settings

PANEL = "Tickets"
Noted = Annotated[str, typer.Option(help="Number and hash noted from an earlier run, as NUMBER:HASH.")]
audit = typer.Typer(no_args_is_help=True, help="Check the audit log. 核查记录。")


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    app.add_typer(audit, name="audit", rich_help_panel=PANEL)


@audit.callback()
def group() -> None:
    """Check the audit log. 核查记录。"""


@audit.command()
def verify(noted: Noted = "", noted_access: Noted = "") -> None:
    """Verify the hash chains of ticket events and of the access log; name the first entry that was changed or removed.

    Keep the lines NUMBER:HASH elsewhere: with `--noted` (events) and `--noted-access` a truncated or rewritten chain
    is detected too. Exit code 1 where a chain is broken.

    Example: `lake audit verify`
    """
    from jobs.serving.access_log import AccessLog  # takes seconds to import, and only this command needs it

    noted_ends = (_pair(noted, "--noted"), _pair(noted_access, "--noted-access"))
    with opened(settings()) as store:
        events, accesses = store.audit_verify(noted_ends[0]), AccessLog(store.database).verified(noted_ends[1])
    _print_audit(events, "event / 事件", "events, intact / 条事件，完整")
    _print_audit(accesses, "access / 访问", "accesses to sensitive data, intact / 条敏感数据访问记录，完整")
    if events.broken is not None or accesses.broken is not None:
        raise typer.Exit(1)


def _pair(noted: str, option: str) -> tuple[int, str] | None:
    number, _, hash_ = noted.partition(":")
    if noted and not (number.isdigit() and hash_):
        raise typer.BadParameter(f"{option} is NUMBER:HASH, as a line of an earlier run")
    return (int(number), hash_) if noted else None


def _print_audit(chain_audit: ChainAudit, entry_label: str, entries_label: str) -> None:
    if chain_audit.broken is not None:
        typer.echo(f"{entry_label} {chain_audit.broken} {chain_audit.ticket}: {chain_audit.reason}")
        return
    typer.echo(f"{chain_audit.events:,} {entries_label}")
    typer.echo(f"{chain_audit.seq}:{chain_audit.head}")
