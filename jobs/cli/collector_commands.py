"""lake collector serve | mqtt | add-key | keys | rotate-key | end-key: the service for devices, and the keys to it."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from jobs.cli.usable import usable_contracts
from jobs.errors import UserError
from jobs.lake.database import Database
from jobs.serving.collector.keys import Keys
from jobs.settings import load as settings

PANEL = "Streams"
collector = typer.Typer(no_args_is_help=True, help="The service for devices, by HTTP, and the keys to it. 遥测接入。")
Id = Annotated[str, typer.Argument(help="Id of a key; `lake collector keys` lists them.")]


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    app.add_typer(collector, name="collector", rich_help_panel=PANEL)


@contextmanager
def _keys() -> Iterator[Keys]:
    database = Database(settings().state_url())
    database.migrate()
    try:
        yield Keys(database)
    finally:
        database.close()


@collector.command()
def serve(
    host: Annotated[
        str, typer.Option(help="Address to listen on; for any but loopback use a TLS proxy.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.")] = 8091,
) -> None:
    """Take readings at POST /v1/telemetry/DATASET. `lake up collector` runs the same in the background.

    Example: `lake collector serve --port 8091`
    """
    from jobs.serving.collector.serve import serve as serve_collector  # importing the server takes a second

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    typer.echo(f"http://{host}:{port}  (Ctrl-C ends it / 按 Ctrl-C 结束)")
    serve_collector(settings(), host, port)


@collector.command()
def mqtt() -> None:
    """Take readings from the MQTT server that LAKE_MQTT_URL names, in the foreground; topics are telemetry/PROVIDER/DATASET.

    Example: `lake collector mqtt`
    """
    import signal
    import threading

    from jobs.lake.broker import ensure_topics, producer, topic
    from jobs.serving.collector.mqtt import UNROUTED, Bridge

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    registry, stop = usable_contracts(settings()), threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stop.set())
    ensure_topics(settings(), [topic(settings(), n) for n in (UNROUTED, *(c.id for c in registry.streams()))])
    typer.echo(f"{settings().mqtt_url or '-'}  (Ctrl-C ends it / 按 Ctrl-C 结束)")
    Bridge(settings(), lambda: registry, producer(settings())).run(stop)


@collector.command("add-key")
def add_key(
    provider: Annotated[str, typer.Argument(help="Provider id, as in the contracts.")],
    note: Annotated[str, typer.Option(help="What it is for.")] = "",
) -> None:
    """Create a key for a company's devices and print it; it cannot be shown again.

    Example: `lake collector add-key liaocheng_heat --note 调度中心`
    """
    known = {contract.provider for contract in usable_contracts(settings()).streams()}
    if provider not in known:
        raise UserError(f"'{provider}' has no dataset with a stream; providers with one: {', '.join(sorted(known))}")
    with _keys() as keys:
        typer.echo(keys.add(provider, note, datetime.now(UTC))[1])


@collector.command("keys")
def list_keys() -> None:
    """All keys with their provider and end; never their secrets.

    Example: `lake collector keys`
    """
    table = Table("id / 编号", "provider / 单位", "note / 用途", "created / 创建 (UTC)", "ends / 停用 (UTC)")
    with _keys() as keys:
        for key in keys.all():
            ends = f"{key.ends_at:%F %T}" if key.ends_at else ""
            table.add_row(key.id, key.provider, key.note, f"{key.created_at:%F %T}", ends)
    Console().print(table)


@collector.command("rotate-key")
def rotate_key(
    key: Id, hours: Annotated[int, typer.Option(min=0, help="Hours for which the old key stays valid.")] = 24
) -> None:
    """Create a key in place of another, which stays valid for a while, and print it.

    Example: `lake collector rotate-key 1a2b3c4d --hours 48`
    """
    now = datetime.now(UTC)
    with _keys() as keys:
        typer.echo(keys.rotate(key, now, now + timedelta(hours=hours))[1])


@collector.command("end-key")
def end_key(key: Id) -> None:
    """End a key now; the collector refuses it within seconds.

    Example: `lake collector end-key 1a2b3c4d`
    """
    with _keys() as keys:
        ended = keys.end(key, datetime.now(UTC))
    typer.echo(f"{ended.id} ({ended.provider}) ended / 已停用")
