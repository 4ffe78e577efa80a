"""lake stream run | once | status | seal | reset | replay, and lake collector: readings that come one by one."""

import logging
import signal
import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from jobs.cli.usable import usable_contracts
from jobs.lake.lake import opened
from jobs.lake.stream_ledger import Hour, StreamState
from jobs.pipeline.stream_figures import figures
from jobs.settings import load as settings
from jobs.simulator.live import DATASET, SIMULATED, water_day

PANEL = "Streams"
stream = typer.Typer(no_args_is_help=True, help="Readings that come one by one, through the broker. 实时数据。")


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    app.add_typer(stream, name="stream", rich_help_panel=PANEL)


@stream.command()
def run() -> None:
    """Read all topics in the foreground, and make each hour a delivery. `lake up stream` runs the same in the background.

    Example: `lake stream run`
    """
    from jobs.pipeline.stream_service import StreamService

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    stop = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stop.set())
    with opened(settings()) as lake:
        service = StreamService(lake)
        typer.echo(f"{service.owner}  (Ctrl-C ends it / 按 Ctrl-C 结束)")
        service.run(stop)


@stream.command()
def once() -> None:
    """Read what the topics have now, evaluate the hours that are due, and end. Does nothing while a service runs.

    Example: `lake stream once`
    """
    from jobs.pipeline import steps

    for delivery in steps.read_once(settings()):
        typer.echo(delivery)


@stream.command()
def status() -> None:
    """Show who runs the query, the last batch of each dataset, and the open hours.

    Example: `lake stream status`
    """
    with opened(settings()) as lake:
        owner, states, hours = lake.streams.owner(), lake.streams.states(), lake.streams.hours(is_open=True)
        lags = {one.dataset: one.lag for one in figures(lake)}
    zone = ZoneInfo(settings().timezone)
    typer.echo(f"{owner[0]}  {owner[1].astimezone(zone):%F %T}" if owner else "no service / 没有服务在运行")
    Console().print(_states(states, lags, zone))
    Console().print(_hours(hours, zone))


def _states(states: list[StreamState], lags: Mapping[str, int | None], zone: ZoneInfo) -> Table:
    table = Table(
        "dataset / 数据集",
        "batch / 批次",
        "at / 时间",
        "rows / 条",
        "new / 新",
        "held / 隔离",
        "s",
        "lag / 积压",
        "error",
    )
    for one in states:
        facts = one.facts
        numbers = [str(facts[name]) for name in ("messages", "new", "rejected", "seconds")]
        table.add_row(
            one.dataset,
            str(one.batch),
            f"{one.at.astimezone(zone):%F %T}",
            *numbers,
            "?" if lags[one.dataset] is None else str(lags[one.dataset]),
            facts["error"],
        )
    return table


def _hours(hours: list[Hour], zone: ZoneInfo) -> Table:
    table = Table("delivery / 批次号", "hour / 小时", "last received / 最近收到")
    for one in hours:
        table.add_row(
            one.delivery, f"{one.hour.astimezone(zone):%F %H:00}", f"{one.last_received.astimezone(zone):%F %T}"
        )
    return table


@stream.command()
def reset(
    yes: Annotated[bool, typer.Option("--yes", help="Do it; else it is only said what would be done.")] = False,
) -> None:
    """Forget the query's checkpoint. The next start goes on after the last message in the lake: nothing is lost or doubled.

    Example: `lake stream reset --yes`
    """
    registry = usable_contracts(settings())
    with opened(settings()) as lake:
        if owner := lake.streams.owner():
            typer.echo(f"first stop {owner[0]} / 请先停止正在运行的服务")
            raise typer.Exit(1)
        if yes:
            lake.streams.reset()
        for contract in registry.streams():
            last = max((h.last_received for h in lake.streams.hours(contract.id)), default=None)
            said = f"{last.astimezone(UTC):%FT%TZ}" if last else "its first message / 第一条消息"
            typer.echo(f"{contract.id}: goes on after / 将从此后继续 {said}")
    typer.echo("done / 已重置" if yes else "nothing was changed; add --yes / 未作改动，确认请加 --yes")


@stream.command()
def seal(
    at: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%dT%H:%M:%S"], help="As if it were this moment, UTC.")
    ] = None,
) -> None:
    """Evaluate the hours that are due now.

    Example: `lake stream seal`
    """
    from jobs.pipeline import steps

    for delivery in steps.seal(settings(), at.replace(tzinfo=UTC) if at else datetime.now(UTC)):
        typer.echo(delivery)


@stream.command()
def replay(
    file: Annotated[
        Path | None, typer.Argument(help="File of readings; else a simulated day of the water plants.")
    ] = None,
    dataset: Annotated[str, typer.Option(help="Dataset of the file.")] = DATASET,
    speed: Annotated[float, typer.Option(min=1, help="How many times as fast as they were measured.")] = 720,
) -> None:
    """Send a file's readings one by one, with times that end now: live curves, and in the simulated day an alarm that opens and clears.

    Example: `lake stream replay` · `lake stream replay day.csv --dataset heat_station_minutes --speed 60`
    """
    from jobs.pipeline.replay import readings_of
    from jobs.pipeline.replay import replay as sending

    contract = usable_contracts(settings()).contract(dataset)
    with opened(settings()) as lake, TemporaryDirectory(prefix="lake-live-") as scratch:
        readings = readings_of(contract, file or water_day(SIMULATED, SIMULATED.toordinal(), Path(scratch)))
        lasts = (readings[-1][0] - readings[0][0]) / speed
        typer.echo(f"{len(readings):,} readings in / 条读数，历时 {lasts}  →  {settings().portal_url}/feeds/{dataset}")
        with Progress(console=Console()) as progress:
            task = progress.add_task(dataset, total=len(readings))
            for sent in sending(lake, contract, readings, speed):
                progress.update(task, completed=sent)
