"""lake alarms list | show | acknowledge | clear: limits that readings of a stream break."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from getpass import getuser
from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from rich.console import Console
from rich.table import Table

from jobs.lake.lake import opened
from jobs.settings import load as settings
from jobs.streams.alarm_store import Alarms
from jobs.streams.alarms import ALARM_WORDS, CHANGE_WORDS

alarms = typer.Typer(no_args_is_help=True, help="Limits that readings of a stream break. 实时报警。")
Number = Annotated[int, typer.Argument(help="Number of an alarm; `lake alarms list` shows them.")]


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    app.add_typer(alarms, name="alarms", rich_help_panel="Streams")


@contextmanager
def _alarms() -> Iterator[Alarms]:
    with opened(settings()) as lake:
        yield Alarms(lake.streams.database)


@alarms.command("list")
def list_(
    dataset: Annotated[str | None, typer.Option("--dataset", "-d", help="Of this dataset only.")] = None,
    with_cleared: Annotated[bool, typer.Option("--all", help="Also those that have ended.")] = False,
) -> None:
    """Alarms, newest first.

    Example: `lake alarms list --all`
    """
    zone = ZoneInfo(settings().timezone)
    table = Table("no. / 编号", "device / 设备", "what / 内容", "since / 起始", "state / 状态", "for / 处置单位")
    with _alarms() as store:
        for alarm in store.all(dataset, with_cleared):
            state = ALARM_WORDS[alarm.state] + ("（已升级）" if alarm.is_escalated else "")
            since = f"{alarm.opened_at.astimezone(zone):%F %T}"
            table.add_row(str(alarm.id), alarm.device, alarm.message, since, state, alarm.authority)
    Console().print(table)


@alarms.command()
def show(number: Number) -> None:
    """What happened to an alarm, in order.

    Example: `lake alarms show 12`
    """
    zone = ZoneInfo(settings().timezone)
    table = Table("at / 时间", "what / 事项", "value / 读数", "by / 经办", "reason / 理由")
    with _alarms() as store:
        for event in store.events(number):
            at = f"{event.at.astimezone(zone):%F %T}"
            table.add_row(at, CHANGE_WORDS[event.change], event.value, event.actor, event.reason)
    Console().print(table)


@alarms.command()
def acknowledge(number: Number) -> None:
    """Say that the authority has seen an alarm; it does not escalate any more.

    Example: `lake alarms acknowledge 12`
    """
    with _alarms() as store:
        typer.echo(f"{number}: {ALARM_WORDS[store.acknowledge(number, getuser(), datetime.now(UTC)).state]}")


@alarms.command()
def clear(number: Number, reason: Annotated[str, typer.Option(help="Why it is over.")]) -> None:
    """End an alarm by hand; it opens again if readings go on to break the limit.

    Example: `lake alarms clear 12 --reason 现场检修`
    """
    with _alarms() as store:
        typer.echo(f"{number}: {ALARM_WORDS[store.clear(number, getuser(), reason, datetime.now(UTC)).state]}")
