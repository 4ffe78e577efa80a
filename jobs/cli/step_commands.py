"""lake deliver | land | load | conform | report | build | run | deliveries | upkeep: the steps of the pipeline."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from jobs.cli.usable import usable_contracts
from jobs.ingest.land import Manifest
from jobs.ingest.land import deliver as put
from jobs.lake.lake import opened
from jobs.model.delivery import STATE_WORDS, State
from jobs.model.verdict import Verdict
from jobs.pipeline import steps
from jobs.pipeline.tickets import TicketChanges
from jobs.settings import Settings
from jobs.settings import load as settings

PANEL = "Steps"
Dataset = Annotated[str, typer.Option("--dataset", "-d", help="Id of the dataset's contract.")]
DeliveryId = Annotated[str, typer.Argument(help="Id of a delivery; `lake deliveries` lists them.")]
Files = Annotated[list[Path], typer.Argument(help="One file, or several, or one folder, that form one delivery.")]
Rows = Annotated[int | None, typer.Option(help="Row count stated by the sender.")]
Supersedes = Annotated[str | None, typer.Option(help="Delivery that this one replaces.")]
SentOn = Annotated[
    datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Day on the covering letter, if before today.")
]


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    commands = (deliver, land, load, conform, govern, report, build, run, deliveries, upkeep)
    for command in commands:
        app.command(rich_help_panel=PANEL)(command)


def _put(config: Settings, files: list[Path], dataset: str, manifest: Manifest) -> tuple[str, ...]:
    contract = usable_contracts(config).contract(dataset)
    with opened(config) as lake:
        return put(lake.store, files, dataset, contract.provider, manifest)


def _delivery_ids(config: Settings, dataset: str) -> set[str]:
    with opened(config) as lake:
        return {delivery.id for delivery in lake.ledger.deliveries(dataset)}


def deliver(
    files: Files,
    dataset: Dataset,
    sender: Annotated[str, typer.Option(help="Who sends it.")] = "",
    rows: Rows = None,
    supersedes: Supersedes = None,
    sent_on: SentOn = None,
    answers: Annotated[
        list[str] | None, typer.Option(help="Ticket that this redelivery answers; may be repeated.")
    ] = None,
) -> None:
    """Put files into the landing zone as one delivery. Airflow processes it from there; without Airflow use `lake run`.

    Example: `lake deliver 许可.csv --dataset admin_permits --rows 1200`
    """
    letter_date = sent_on.date() if sent_on else None
    manifest = Manifest(sender=sender, rows=rows, supersedes=supersedes, sent_on=letter_date, answers=answers or [])
    for key in _put(settings(), files, dataset, manifest):
        typer.echo(key)


def land() -> None:
    """Record new objects of the landing zone.

    Example: `lake land`
    """
    for landed in steps.land(settings()):
        repeat = "repeat, waits again: its contract has changed" if landed.waits_again else "repeat, recorded"
        typer.echo(f"{landed.delivery.id}  {'new' if landed.is_new else repeat}")


def load(delivery: DeliveryId) -> None:
    """Load a delivery's rows into bronze, as text with their row numbers.

    Example: `lake load admin_permits-3f2a9c11d0aa`
    """
    loaded = steps.load(settings(), delivery)
    typer.echo(f"{loaded.id}  {STATE_WORDS[loaded.state]}  {loaded.counted_rows or 0:,} rows  {loaded.reason}")
    for finding in loaded.findings:
        typer.echo(f"  {finding.message}")


def conform(delivery: DeliveryId) -> None:
    """Evaluate a delivery and split it into silver and quarantine, in one pass.

    Example: `lake conform admin_permits-3f2a9c11d0aa`
    """
    _print_verdict(steps.conform(settings(), delivery))


def report(delivery: DeliveryId) -> None:
    """Write the governance report of a delivery (HTML, xlsx, JSON), and the index.

    Example: `lake report admin_permits-3f2a9c11d0aa`
    """
    files = steps.report(settings(), delivery)
    typer.echo(settings().home / files.html)


def govern(delivery: DeliveryId) -> None:
    """Open tickets for the rules that an evaluated delivery breaks, and close those that it proves corrected.

    Example: `lake govern admin_permits-3f2a9c11d0aa`
    """
    _print_tickets(steps.govern(settings(), delivery))


def build(product: Annotated[str, typer.Argument(help="Id of a product's contract.")]) -> None:
    """Rebuild a gold table where its inputs have changed.

    Example: `lake build enterprise_master`
    """
    gold = steps.build(settings(), product)
    typer.echo(
        f"{product}: nothing to do" if gold is None else f"{product}: {gold.rows:,} rows, version {gold.table_version}"
    )


def run(
    files: Files, dataset: Dataset, rows: Rows = None, supersedes: Supersedes = None, sent_on: SentOn = None
) -> None:
    """Run the full pipeline for files, without Airflow: deliver, land, load, conform, govern, report.

    Example: `lake run 许可.csv --dataset admin_permits --supersedes admin_permits-3f2a9c11d0aa`
    """
    config = settings()
    before = _delivery_ids(config, dataset)
    letter_date = sent_on.date() if sent_on else None
    _put(config, files, dataset, Manifest(rows=rows, supersedes=supersedes, sent_on=letter_date))
    typer.echo("landed / 已接收")
    landed = steps.land(config)
    waiting = steps.pending(config, dataset)
    if not waiting:
        new_ids = sorted(_delivery_ids(config, dataset) - before)
        repeated = [one.delivery.id for one in landed if one.delivery.dataset == dataset and not one.is_new]
        typer.echo(_nothing_waits(new_ids, repeated))
    for delivery in waiting:
        _run_one(config, delivery)


def _nothing_waits(new_ids: list[str], repeated: list[str]) -> str:
    """Why no delivery waits, and what to type."""
    if new_ids:
        return f"processed by the running scheduler / 已由调度器处理: {', '.join(new_ids)}"
    ids = ", ".join(repeated) or "an earlier delivery / 此前的批次"
    return (
        f"the same content as {ids}; nothing is processed twice. `lake report ID` writes its report again, "
        f"`lake conform ID` evaluates it again by its contract as it is now / "
        f"内容与 {ids} 相同，不重复处理；`lake report ID` 可重新生成报告，`lake conform ID` 按现行契约重新校验"
    )


def _run_one(config: Settings, delivery: str) -> None:
    loaded = steps.load(config, delivery)
    if loaded.state is not State.UNREADABLE:
        typer.echo(f"loaded / 已入贴源层  {loaded.counted_rows or 0:,} rows")
    _print_verdict(steps.conform(config, delivery))
    _print_tickets(steps.govern(config, delivery))
    report_files = steps.report(config, delivery)
    typer.echo(f"report / 报告: {config.home / report_files.html}")


def deliveries(dataset: Annotated[str | None, typer.Option("--dataset", "-d")] = None) -> None:
    """List the ledger: every delivery with its state.

    Example: `lake deliveries --dataset admin_permits`
    """
    table = Table()
    table.add_column("delivery", no_wrap=True)  # a truncated or folded id cannot be copied
    for name in ("state", "rows", "received (UTC)", "files"):
        table.add_column(name, overflow="fold")
    with opened(settings()) as lake:
        for delivery in lake.ledger.deliveries(dataset):
            rows = "" if delivery.counted_rows is None else f"{delivery.counted_rows:,}"
            at = f"{delivery.received_at:%Y-%m-%d %H:%M:%S}"
            table.add_row(delivery.id, STATE_WORDS[delivery.state], rows, at, ", ".join(delivery.names())[:60])
    Console().print(table)


def upkeep() -> None:
    """Compact tables and remove files that no version of the last 90 days needs.

    Example: `lake upkeep`
    """
    for name in steps.upkeep(settings()):
        typer.echo(name)


def _print_tickets(changes: TicketChanges) -> None:
    typer.echo(f"{changes.delivery}  {len(changes.tickets)} tickets / 工单")
    for outcome in changes.outcomes:
        typer.echo(f"  {outcome.ticket.id}  {outcome.ticket.label}  {outcome.message}")


def _print_verdict(verdict: Verdict) -> None:
    typer.echo(
        f"{verdict.delivery}  {STATE_WORDS[verdict.state]}  {verdict.rows:,} rows: {verdict.good_rows:,} good, "
        f"{verdict.failed_rows:,} in quarantine, {verdict.warned_rows:,} with a warning, {verdict.copies:,} copies dropped"
    )
    if verdict.reason:
        typer.echo(f"  {verdict.reason}")
