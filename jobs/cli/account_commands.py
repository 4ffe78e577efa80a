"""lake accounts add | list | reset | disable: who may log in to the portal."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from jobs import contracts
from jobs.access.roles import department_roles, role_labels
from jobs.collaboration import opened
from jobs.errors import UserError
from jobs.serving.accounts import Accounts, Person
from jobs.settings import load as settings

people = typer.Typer(no_args_is_help=True, help="Who may log in to the portal. 门户账号。")
Name = Annotated[str, typer.Argument(help="Login name: a-z, 0-9 and _ . -")]


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    app.add_typer(people, name="accounts", rich_help_panel="Services")


@contextmanager
def _accounts() -> Iterator[Accounts]:
    with opened(settings()) as tickets:
        yield Accounts(tickets.database)


@people.command()
def add(
    name: Name,
    role: Annotated[
        str, typer.Option(help="reporter, approver, quality_officer, leader, auditor, analyst or operator.")
    ],
    department: Annotated[str, typer.Option("--department", "-p", help="Provider id, as in the contracts.")] = "bureau",
    person: Annotated[str, typer.Option(help="The person's name.")] = "",
) -> None:
    """Create an account and print its password, valid for the first login only.

    Example: `lake accounts add zhangsan --role reporter --department civil_affairs --person 张三`
    """
    _check_department(role, department)
    with _accounts() as accounts:
        secret = accounts.add(Person(name, role, department, person), datetime.now(UTC))
    typer.echo(f"{name}  {secret}  (to be changed at the first login / 首次登录须修改)")


@people.command("list")
def list_() -> None:
    """All accounts with role, department and last login.

    Example: `lake accounts list`
    """
    table = Table(
        "name / 账号", "person / 姓名", "role / 角色", "department / 部门", "state / 状态", "last login (UTC)"
    )
    roles = role_labels()
    with _accounts() as accounts:
        for account in accounts.list():
            state = "disabled / 停用" if account.is_disabled else "first login / 待改密" if account.must_change else ""
            last = f"{account.last_login_at:%Y-%m-%d %H:%M}" if account.last_login_at else ""
            table.add_row(
                account.name, account.person, f"{account.role} {roles[account.role]}", account.department, state, last
            )
    Console().print(table)


@people.command()
def reset(name: Name) -> None:
    """Print a new password, valid for one login; open sessions of the account end.

    Example: `lake accounts reset zhangsan`
    """
    with _accounts() as accounts:
        typer.echo(f"{name}  {accounts.reset(name)}  (to be changed at the next login / 登录后须修改)")


@people.command()
def disable(name: Name) -> None:
    """Disable an account; its past actions stay on record.

    Example: `lake accounts disable zhangsan`
    """
    with _accounts() as accounts:
        accounts.disable(name)
    typer.echo(f"{name}  disabled / 已停用")


def _check_department(role: str, department: str) -> None:
    """UserError for a department without contracts: such a person would see nothing."""
    providers = sorted(set(contracts.load_usable(settings().schemas, settings().expectations).providers().values()))
    if role in department_roles() and department not in providers:
        raise UserError(f"没有单位 {department} 的数据契约；可以是：{'、'.join(providers)}")
