"""lake demo | simulate: a city's feeds through the running lake, day by day."""

import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from jobs import contracts, embedded
from jobs.cli.demo_people import demo_people
from jobs.contracts import Registry
from jobs.errors import ServiceUnavailable
from jobs.ingest.land import Manifest, deliver
from jobs.lake.lake import Lake, opened
from jobs.lake.results import Results
from jobs.lake.zones import Zone
from jobs.model.actor import SYSTEM
from jobs.model.delivery import STATE_WORDS, Delivery, State
from jobs.pipeline.ticket_store import open_tickets
from jobs.settings import Settings, load
from jobs.simulator.city import SentFile, send

FIRST_DAY = date(2026, 1, 12)  # a Monday in the heating season
SEED = 20260112
PATIENCE_S = 1200
OPEN = (State.LANDED, State.LOADED)
Day = Annotated[str, typer.Argument(help="Day to simulate, such as 2026-01-12.")]


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    app.command(rich_help_panel="Try")(demo)
    app.command(rich_help_panel="Try")(simulate)


def simulate(day: Day, out: Path, seed: int = SEED, scale: float = 1.0) -> None:
    """Write a day's feeds of the demo city as files, with the ledger of planted faults.

    Example: `lake simulate 2026-01-12 feeds/`
    """
    for file in send(date.fromisoformat(day), seed, out, scale):
        typer.echo(f"{file.dataset}  {file.declared_rows:,} rows  {file.path}")


def demo(days: int = 3, scale: float = 1.0) -> None:
    """Start everything, send three days of a city's feeds through Airflow, and print where the results are.

    Example: `lake demo` · `lake demo --days 1`
    """
    embedded.up(load(), ("s3", "spark", "airflow", "portal"), typer.echo)
    load.cache_clear()
    config = load()
    registry = contracts.load(config.schemas, config.expectations)
    with opened(config) as lake, tempfile.TemporaryDirectory(prefix="lake-demo-") as folder:
        for number in range(days):
            day = FIRST_DAY + timedelta(days=number)
            typer.echo(f"\n{day}: the city sends its feeds / 各单位报送数据")
            _send_day(lake, registry, send(day, SEED, Path(folder), scale))
        _wait("products / 数据产品", len(registry.products()), lambda: _built(lake, registry))
        _show(lake)
        _wait("tickets opened and rechecked / 开单与复核", len(lake.ledger.deliveries()), partial(_governed, lake))
        _show_tickets(lake, registry)
        people = demo_people(lake, config.home)
    _print_addresses(config, people)


def _send_day(lake: Lake, registry: Registry, files: Sequence[SentFile]) -> None:
    """Deliver in waves, registers first, so that references to them resolve."""
    by_depth: dict[int, list[SentFile]] = defaultdict(list)
    for file in files:
        by_depth[_depth(registry, file.dataset)].append(file)
    for _, wave in sorted(by_depth.items()):
        before = len(lake.ledger.deliveries())
        for file in wave:
            manifest = Manifest(
                sender=file.sender,
                rows=file.declared_rows,
                supersedes=_replaced(lake, file),
                sent_on=date.fromisoformat(file.sidecar["sent_on"]),
            )
            deliver(lake.store, [file.path], file.dataset, file.provider, manifest)
        target = before + len(wave)
        reported = partial(_reported, lake, target, len(wave))
        _wait("deliveries evaluated and reported / 已检核并出具报告", len(wave), reported)


def _depth(registry: Registry, dataset: str) -> int:
    """Number of waves that must be loaded before the dataset's references resolve."""
    referenced = {f.reference.partition(".")[0] for f in registry.contract(dataset).fields if f.reference} - {dataset}
    referenced |= {lookup.dataset for rule in registry.rules[dataset] for lookup in rule.lookups}
    return 1 + max((_depth(registry, register) for register in referenced), default=-1)


def _replaced(lake: Lake, file: SentFile) -> str | None:
    """Id of the delivery that a corrected file replaces: the latest of its dataset for the day that it names."""
    if file.supersedes_of is None:
        return None
    day = file.supersedes_of.rsplit("/", 1)[-1]
    earlier = [d for d in lake.ledger.deliveries(file.dataset) if d.superseded_by is None]
    same_day = [d for d in earlier if any(day in name or day.replace("-", "") in name for name in d.names())]
    return (same_day or earlier)[-1].id if earlier else None


def _reported(lake: Lake, target: int, wave: int) -> int:
    deliveries = lake.ledger.deliveries()
    reported = [d for d in deliveries[target - wave :] if d.state not in OPEN and _has_report(lake, d)]
    return len(reported)


def _has_report(lake: Lake, delivery: Delivery) -> bool:
    return lake.store.head(f"{Zone.REPORTS}/{delivery.provider}/{delivery.dataset}/{delivery.id}.html") is not None


def _built(lake: Lake, registry: Registry) -> int:
    return sum(lake.ledger.build(c.id) is not None for c in registry.products())


def _wait(activity: str, total: int, count_done: Callable[[], int]) -> None:
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    deadline = time.monotonic() + PATIENCE_S
    with Progress(*columns) as progress:
        task = progress.add_task(activity, total=total)
        while (count := count_done()) < total:
            progress.update(task, completed=count)
            if time.monotonic() > deadline:
                raise ServiceUnavailable(
                    f"{activity}: only {count} of {total} after {PATIENCE_S} s; see `lake status` and the logs"
                )
            time.sleep(1)
        progress.update(task, completed=total)


def _show(lake: Lake) -> None:
    table = Table()
    for name in ("数据集", "状态", "行数", "合格", "隔离", "提示"):
        table.add_column(name, no_wrap=True)
    for verdict in Results(lake.delta, lake.settings.s3_bucket).verdicts([("seq", ">", 0)]):
        numbers = (verdict.rows, verdict.good_rows, verdict.failed_rows, verdict.warned_rows)
        table.add_row(verdict.dataset, STATE_WORDS[verdict.state], *(f"{n:,}" for n in numbers))
    Console().print(table)


def _governed(lake: Lake) -> int:
    """Number of deliveries whose tickets were processed."""
    return len(lake.ledger.deliveries()) - len(lake.ledger.ungoverned())


def _show_tickets(lake: Lake, registry: Registry) -> None:
    """Print the tickets by department, as the bureau sees them."""
    names = {contract.provider: contract.department for contract in registry.sources()}
    with open_tickets(lake) as tickets:
        ticket_counts = tickets.ticket_counts(SYSTEM, datetime.now(UTC))
    table = Table("责任单位", "办理中", "其中超期", "已凭证明关闭")
    for provider, tally in ticket_counts.items():
        table.add_row(names.get(provider, provider), f"{tally.open:,}", f"{tally.overdue:,}", f"{tally.closed:,}")
    Console().print(table)


def _print_addresses(config: Settings, people: Sequence[str]) -> None:
    accounts = "\n".join(f"                     {line}" for line in people)
    typer.echo(f"""
Portal / 门户:        {config.portal_url}   (account, password, role, department)
{accounts}
Tickets / 工单:       lake tickets list · lake tickets show T-000001
Reports / 治理报告:   {config.home / "reports" / "index.html"}
Airflow:             {config.airflow_url}   (user {config.airflow_user}, password in {config.home / "endpoints.env"})
Tables / 数据表:      lake tables · lake sql "SELECT * FROM gold.air_quality_day LIMIT 5"
Object store:        {config.s3_endpoint}, bucket {config.s3_bucket} (landing, received, bronze, silver, quarantine, gold, reports)
Stop / 停止:          make down""")
