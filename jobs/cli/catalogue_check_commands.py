"""lake catalogue check | coverage: the catalogue against the lake."""

from datetime import UTC, datetime

import typer
from rich.console import Console
from rich.table import Table

from jobs.cli.usable import usable_contracts
from jobs.lake.lake import opened
from jobs.pipeline import steps
from jobs.pipeline.ticket_store import open_tickets
from jobs.settings import load as settings


def register(group: typer.Typer) -> None:
    """Add the commands to `lake catalogue`."""
    for command in (check, coverage):
        group.command()(command)


def check() -> None:
    """Compare published entries with the lake; each difference becomes a ticket of its department, closed when it is gone.

    Compared: curated rows exist, columns are those of the contract, the newest delivery is not late, its score is not below
    the promise (`quality` among the contract's slaProperties), and each item has one authoritative source.

    Example: `lake catalogue check`
    """
    found = steps.check_catalogue(settings())
    for fault in found.faults:
        typer.echo(f"{fault.provider}  {fault.message}；{fault.remedy}")
    opened_ids, closed_ids = (", ".join(ids) or "–" for ids in (found.opened, found.closed))
    typer.echo(f"{len(found.faults)} differences / 处不一致; opened / 新开: {opened_ids}; closed / 办结: {closed_ids}")


def coverage() -> None:
    """Show by department what it owes, and how much of it is in the catalogue, delivered, mounted and in time.

    Example: `lake catalogue coverage`
    """
    from jobs.pipeline.catalogue_check import coverage as covered

    config = settings()
    registry = usable_contracts(config)
    with opened(config) as lake, open_tickets(lake, registry) as tickets:
        rows = covered(lake, registry, tickets, datetime.now(UTC))
    table = Table(
        "department / 部门",
        "owed / 应汇聚",
        "published / 已编目",
        "delivered / 汇聚率",
        "mounted / 挂接率",
        "in time / 及时率",
    )
    for row in rows:
        shares = map(_percent, (row.delivered_share(), row.mounted_share(), row.punctual_share()))
        table.add_row(row.department, str(row.entries), str(row.published), *shares)
    Console().print(table)


def _percent(share: float | None) -> str:
    return "—" if share is None else f"{share:.1%}"
