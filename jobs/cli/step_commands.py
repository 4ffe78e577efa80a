"""lake deliver | land | load | conform | report | build | run | deliveries | upkeep: the steps, typed."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from jobs import contracts
from jobs.ingest.land import Manifest
from jobs.ingest.land import deliver as put
from jobs.lake.lake import opened
from jobs.model.delivery import STATE_WORDS
from jobs.model.verdict import Verdict
from jobs.pipeline import steps
from jobs.pipeline.tickets import TicketChanges
from jobs.settings import Settings
from jobs.settings import load as settings

PANEL = "Steps"
Dataset = Annotated[str, typer.Option("--dataset", "-d", help="Id of the dataset's contract.")]
DeliveryId = Annotated[str, typer.Argument(help="Id of a delivery; `lake deliveries` lists them.")]
Files = Annotated[list[Path], typer.Argument(help="One file, or several that are one delivery.")]


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    commands = (deliver, land, load, conform, govern, report, build, run, deliveries, upkeep)
    for command in commands:
        app.command(rich_help_panel=PANEL)(command)


def _put(config: Settings, files: list[Path], dataset: str, manifest: Manifest) -> tuple[str, ...]:
    contract = contracts.load(config.schemas, config.expectations).contract(dataset)
    with opened(config) as lake:
        return put(lake.store, files, dataset, contract.provider, manifest)


def _known(config: Settings, dataset: str) -> set[str]:
    with opened(config) as lake:
        return {one.id for one in lake.ledger.deliveries(dataset)}


def deliver(
    files: Files,
    dataset: Dataset,
    sender: Annotated[str, typer.Option(help="Who sends it.")] = "",
    rows: Annotated[int | None, typer.Option(help="Rows that the sender counted.")] = None,
    supersedes: Annotated[str | None, typer.Option(help="Delivery that this one replaces.")] = None,
    sent_on: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Day on the covering letter, if before today.")
    ] = None,
    answers: Annotated[
        list[str] | None, typer.Option(help="Ticket that this redelivery answers; may be repeated.")
    ] = None,
) -> None:
    """Put files into the landing zone as one delivery. Airflow takes it from there; without it, type `lake run`.

    Example: `lake deliver 许可.csv --dataset admin_permits --rows 1200`
    """
    letter = sent_on.date() if sent_on else None
    notes = Manifest(sender=sender, rows=rows, supersedes=supersedes, sent_on=letter, answers=answers or [])
    for key in _put(settings(), files, dataset, notes):
        typer.echo(key)


def land() -> None:
    """Record what is new in the landing zone.

    Example: `lake land`
    """
    for one in steps.land(settings()):
        typer.echo(f"{one.delivery.id}  {'new' if one.is_new else 'came again, recorded'}")


def load(delivery: DeliveryId) -> None:
    """A delivery's rows into bronze, as text with their row numbers.

    Example: `lake load admin_permits-3f2a9c11d0aa`
    """
    done = steps.load(settings(), delivery)
    typer.echo(f"{done.id}  {STATE_WORDS[done.state]}  {done.counted_rows or 0:,} rows  {done.reason}")
    for finding in done.findings:
        typer.echo(f"  {finding.message}")


def conform(delivery: DeliveryId) -> None:
    """Judge a delivery and split it into silver and quarantine, in one pass.

    Example: `lake conform admin_permits-3f2a9c11d0aa`
    """
    _say(steps.conform(settings(), delivery))


def report(delivery: DeliveryId) -> None:
    """Write the governance report of a delivery (HTML, xlsx, JSON), and the index.

    Example: `lake report admin_permits-3f2a9c11d0aa`
    """
    files = steps.report(settings(), delivery)
    typer.echo(settings().home / files.html)


def govern(delivery: DeliveryId) -> None:
    """Open tickets for what a judged delivery breaks, and close those that it proves mended.

    Example: `lake govern admin_permits-3f2a9c11d0aa`
    """
    _say_tickets(steps.govern(settings(), delivery))


def build(product: Annotated[str, typer.Argument(help="Id of a product's contract.")]) -> None:
    """Make a gold table anew where its inputs have changed.

    Example: `lake build enterprise_master`
    """
    done = steps.build(settings(), product)
    typer.echo(
        f"{product}: nothing to do" if done is None else f"{product}: {done.rows:,} rows, version {done.table_version}"
    )


def run(files: Files, dataset: Dataset) -> None:
    """The whole way for files, without Airflow: deliver, land, load, conform, govern, report.

    Example: `lake run 许可.csv --dataset admin_permits`
    """
    config = settings()
    before = _known(config, dataset)
    _put(config, files, dataset, Manifest())
    typer.echo("landed / 已接收")
    steps.land(config)
    waiting = steps.pending(config, dataset)
    if not waiting:
        taken = sorted(_known(config, dataset) - before)
        same = "the same bytes came before; nothing is processed twice / 相同内容此前已处理"
        typer.echo(f"the running scheduler took it / 已由调度器处理: {', '.join(taken)}" if taken else same)
    for delivery in waiting:
        done = steps.load(config, delivery)
        typer.echo(f"loaded / 已入贴源层  {done.counted_rows or 0:,} rows")
        _say(steps.conform(config, delivery))
        _say_tickets(steps.govern(config, delivery))
        files_made = steps.report(config, delivery)
        typer.echo(f"report / 报告: {config.home / files_made.html}")


def deliveries(dataset: Annotated[str | None, typer.Option("--dataset", "-d")] = None) -> None:
    """The ledger: every delivery with its state.

    Example: `lake deliveries --dataset admin_permits`
    """
    table = Table()
    table.add_column("delivery", no_wrap=True)  # an id cut or folded cannot be typed again
    for name in ("state", "rows", "received (UTC)", "files"):
        table.add_column(name, overflow="fold")
    with opened(settings()) as lake:
        for one in lake.ledger.deliveries(dataset):
            rows = "" if one.counted_rows is None else f"{one.counted_rows:,}"
            at = f"{one.received_at:%Y-%m-%d %H:%M:%S}"
            table.add_row(one.id, STATE_WORDS[one.state], rows, at, ", ".join(one.names())[:60])
    Console().print(table)


def upkeep() -> None:
    """Compact tables and remove files that no version of the last 90 days needs.

    Example: `lake upkeep`
    """
    for name in steps.upkeep(settings()):
        typer.echo(name)


def _say_tickets(done: TicketChanges) -> None:
    typer.echo(f"{done.delivery}  {len(done.tickets)} tickets / 工单")
    for outcome in done.outcomes:
        typer.echo(f"  {outcome.ticket.id}  {outcome.ticket.label}  {outcome.message}")


def _say(verdict: Verdict) -> None:
    typer.echo(
        f"{verdict.delivery}  {STATE_WORDS[verdict.state]}  {verdict.rows:,} rows: {verdict.good_rows:,} good, "
        f"{verdict.failed_rows:,} in quarantine, {verdict.warned_rows:,} with a warning, {verdict.copies:,} copies dropped"
    )
    if verdict.reason:
        typer.echo(f"  {verdict.reason}")
