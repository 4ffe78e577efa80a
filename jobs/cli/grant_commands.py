"""lake grants add | list | end: data opened to other departments, for a purpose and a time."""

from datetime import UTC, datetime
from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from rich.console import Console

from jobs.access.grants import Grants, Scope, end_of_day
from jobs.cli.query import show_rows
from jobs.cli.usable import state_database, usable_contracts
from jobs.model.actor import Actor
from jobs.settings import load as settings

PANEL = "Look"
grants = typer.Typer(no_args_is_help=True, help="Data opened to other departments. 数据使用授权。")
By = Annotated[str, typer.Option(help="Who gives or ends the grant, as the log names them.")]
Role = Annotated[str, typer.Option(help="Role in which you act: approver, or quality_officer for the bureau's data.")]
Department = Annotated[str, typer.Option("--department", "-p", help="Department that owns the data.")]


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    app.add_typer(grants, name="grants", rich_help_panel=PANEL)


@grants.callback()
def group() -> None:
    """Data opened to other departments. 数据使用授权。"""


@grants.command()
def add(
    dataset: Annotated[str, typer.Argument(help="Id of a dataset or product.")],
    to: Annotated[str, typer.Option(help="Department that may read it, as in the contracts; bureau for the bureau.")],
    by: By,
    department: Department,
    role: Role = "approver",
    account: Annotated[str, typer.Option(help="Only this account of the department.")] = "",
    view: Annotated[str, typer.Option(help="View of jobs/access/policy.yaml in which they read it.")] = "granted",
    purpose: Annotated[str, typer.Option(help="What it is for; shown and logged with each showing.")] = "",
    basis: Annotated[str, typer.Option(help="Document on which it rests.")] = "",
    until: Annotated[str, typer.Option(help="Last day on which it counts, such as 2026-12-31; empty: no end.")] = "",
) -> None:
    """Open a dataset to another department, or one of its people.

    Example: `lake grants add hotline_orders --to civil_affairs --purpose "低保核查" --until 2099-12-31 --by 王审核 -p hotline_12345`
    """
    from jobs.serving.grant_service import GrantService

    scope = Scope(dataset, to, view, account, purpose, basis, end_of_day(until, ZoneInfo(settings().timezone)))
    with state_database(settings()) as database:
        service = GrantService(database, usable_contracts(settings()), lambda: datetime.now(UTC))
        grant = service.give(Actor(role, department, by), scope)
    typer.echo(f"{grant.id}: {grant.notice()}")


@grants.command("list")
def list_() -> None:
    """All grants, newest first, with purpose and end.

    Example: `lake grants list`
    """
    names = ("id / 编号", "dataset / 数据集", "to / 授权给", "view / 视图", "purpose / 用途", "until / 有效至")
    now, zone, cells = datetime.now(UTC), ZoneInfo(settings().timezone), []
    with state_database(settings()) as database:
        for grant in Grants(database).all():
            scope, until = grant.scope, grant.until()
            who = f"{scope.department} {scope.account}".strip()
            end = f"{until.astimezone(zone):%F %R}" if until else ""
            ended = "" if grant.is_valid(now) else " 已终止"
            cells.append((str(grant.id), scope.dataset, who, scope.view, scope.purpose, end + ended))
    show_rows(Console(), names, cells)


@grants.command()
def end(
    grant: Annotated[int, typer.Argument(help="Id of a grant; `lake grants list` lists them.")],
    by: By,
    department: Department,
    role: Role = "approver",
) -> None:
    """End a grant now.

    Example: `lake grants end 1 --by 王审核 -p hotline_12345`
    """
    from jobs.serving.grant_service import GrantService

    with state_database(settings()) as database:
        service = GrantService(database, usable_contracts(settings()), lambda: datetime.now(UTC))
        ended = service.end(Actor(role, department, by), grant)
    typer.echo(f"{ended.id}: ended / 已终止")
