"""lake up | status | down | portal: the embedded services."""

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from jobs import embedded
from jobs.settings import load

PANEL = "Services"
Only = Annotated[
    list[str] | None,
    typer.Argument(
        help="s3, spark, kafka, airflow, sql-service, portal, stream, collector; default: all that the contracts need."
    ),
]


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    app.command(rich_help_panel=PANEL)(up)
    app.command(rich_help_panel=PANEL)(status)
    app.command(rich_help_panel=PANEL)(down)
    app.command(rich_help_panel=PANEL)(portal)


def up(services: Only = None) -> None:
    """Start the embedded services that are not running; leave the others alone.

    Example: `lake up` · `lake up s3 spark`
    """
    embedded.up(load(), tuple(services or embedded.usual_services(load())), typer.echo)


def status() -> None:
    """Show each service with its state, address, memory and log.

    Example: `lake status`
    """
    table = Table("service", "state", "MiB")
    for name in ("address", "log"):
        table.add_column(name, overflow="fold")  # a truncated address is useless
    for service in embedded.status(load()):
        table.add_row(service.name, service.state, f"{service.rss_mib or 0:.0f}", service.url, str(service.log or ""))
    Console().print(table)


def down() -> None:
    """Stop all embedded services of this home folder.

    Example: `lake down`
    """
    embedded.down(load(), typer.echo)


def portal(
    host: Annotated[
        str, typer.Option(help="Address to listen on; for any but loopback use a TLS proxy.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.")] = 8090,
) -> None:
    """Serve the portal in the foreground. `lake up` runs the same in the background.

    Example: `lake portal --port 8090`
    """
    from jobs.serving.portal.serve import serve  # importing FastAPI takes a second

    typer.echo(f"http://{host}:{port}  (Ctrl-C ends it / 按 Ctrl-C 结束)")
    serve(load(), host, port)
