"""lake demo | simulate: a city's feeds through the running lake, day by day."""

import tempfile
import time
from collections.abc import Callable, Collection, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from jobs import contracts, embedded
from jobs.cli.demo_catalogue import demo_catalogue
from jobs.cli.demo_feeds import Feeds
from jobs.cli.demo_live import live as live_readings
from jobs.cli.demo_people import demo_people
from jobs.cli.demo_progress import Progress
from jobs.cli.demo_registers import demo_registers
from jobs.contracts import Registry
from jobs.errors import ServiceUnavailable
from jobs.lake.lake import Lake, opened
from jobs.lake.results import Results
from jobs.model.actor import SYSTEM
from jobs.model.delivery import STATE_WORDS
from jobs.pipeline import steps
from jobs.pipeline.ticket_store import open_tickets
from jobs.settings import Settings, load
from jobs.simulator.city import SentFile, send

FIRST_DAY = date(2026, 1, 12)  # a Monday in the heating season
SEED = 20260112
PATIENCE_S, POLL_S = 600, 0.5
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


def demo(days: int = 3, scale: float = 1.0, live: bool = True) -> None:
    """Start everything, send three days of a city's feeds through Airflow, then live readings, and print where the results are.

    Example: `lake demo` · `lake demo --days 1 --no-live`
    """
    progress = Progress()
    progress.say("S3, Spark, Airflow and the portal are starting / 正在启动服务")
    # The broker comes before the portal, which shows how far the lake is behind it.
    embedded.up(
        load(), ("s3", "spark", *(("kafka",) if live else ()), "airflow", "sql-service", "portal"), progress.say
    )
    load.cache_clear()
    config = load()
    registry = contracts.load(config.schemas, config.expectations)
    with opened(config) as lake, tempfile.TemporaryDirectory(prefix="lake-demo-") as folder, progress.moving():
        make = partial(send, seed=SEED, out=Path(folder), scale=scale)
        _send_days(Feeds(lake, registry), [FIRST_DAY + timedelta(days=n) for n in range(days)], make, progress, config)
        deliveries = {delivery.id for delivery in lake.ledger.deliveries()}
        people = demo_people(lake, config.home)
        progress.say(
            f"portal / 门户: {config.portal_url} (account, password / 账号、密码: {' '.join(people[0].split()[:2])})"
        )
        _publish(lake, registry, deliveries, progress)
        steps.measure_storage(config)
    if live:
        _show_live(registry, progress)
    progress.say("The demo is through / 演示完成")
    with opened(config) as lake:
        _show(lake)
        _show_tickets(lake, registry)
    _print_addresses(config, people)


def _publish(lake: Lake, registry: Registry, deliveries: Collection[str], progress: Progress) -> None:
    """Wait for the products and tickets of the deliveries; then publish catalogue and registers."""
    _wait("products built / 数据产品", len(registry.products()), lambda: _built(lake, registry), progress)
    _wait("deliveries with tickets / 已开单与复核", len(deliveries), partial(_governed, lake, deliveries), progress)
    with open_tickets(lake, registry) as tickets, tempfile.TemporaryDirectory(prefix="lake-demo-") as folder:
        entries = demo_catalogue(lake, registry, tickets, Path(folder), datetime.now(UTC))
        items = demo_registers(lake, registry, tickets, datetime.now(UTC))
    progress.say(
        f"{entries} entries of the catalogue, {items} items of the registers are published / 已发布目录、登记事项"
    )


def _show_live(registry: Registry, progress: Progress) -> None:
    progress.say("the stream and the collector are starting / 正在启动实时接入")
    embedded.up(load(), ("stream", "collector"), progress.say)
    load.cache_clear()
    with progress.moving():
        live_readings(load(), registry, progress)


def _send_days(
    feeds: Feeds, days: Sequence[date], make: Callable[[date], Sequence[SentFile]], progress: Progress, config: Settings
) -> None:
    """Each day's feeds, registers first; a day begins when all of the day before have landed."""
    waiting, first = list(days), ""
    begun = progress.seconds()
    with_patience = _Patience(progress)
    while waiting or not feeds.is_reported():
        if waiting and feeds.is_recorded():
            progress.say(f"{waiting[0]}: the city sends its feeds / 各单位报送数据")
            feeds.add(make(waiting.pop(0)))
        feeds.move()
        if not first and (first := feeds.first_report()):
            progress.say(f"first report after {progress.seconds() - begun:.0f} s / 首份报告: {config.home / first}")
        with_patience.show(str(feeds))
        time.sleep(POLL_S)


class _Patience:
    """Print progress; ServiceUnavailable where no delivery has advanced for too long."""

    def __init__(self, progress: Progress) -> None:
        self._progress, self._last = progress, ("", progress.seconds())

    def show(self, text: str) -> None:
        self._progress.show(text)
        if text != self._last[0]:
            self._last = (text, self._progress.seconds())
        if self._progress.seconds() - self._last[1] > PATIENCE_S:
            raise ServiceUnavailable(f"nothing moved for {PATIENCE_S} s; see `lake status` and the logs. {text}")


def _wait(activity: str, total: int, count_done: Callable[[], int], progress: Progress) -> None:
    patience = _Patience(progress)
    while (count := count_done()) < total:
        patience.show(f"{activity}: {count} of {total}")
        time.sleep(POLL_S)
    progress.show(f"{activity}: {total} of {total}")


def _built(lake: Lake, registry: Registry) -> int:
    return sum(lake.ledger.build(c.id) is not None for c in registry.products())


def _show(lake: Lake) -> None:
    table = Table()
    for name in ("数据集", "状态", "行数", "合格", "隔离", "提示"):
        table.add_column(name, no_wrap=True)
    for verdict in Results(lake.delta, lake.settings.s3_bucket).verdicts([("seq", ">", 0)]):
        numbers = (verdict.rows, verdict.good_rows, verdict.failed_rows, verdict.warned_rows)
        table.add_row(verdict.dataset, STATE_WORDS[verdict.state], *(f"{n:,}" for n in numbers))
    Console().print(table)


def _governed(lake: Lake, deliveries: Collection[str]) -> int:
    """How many of the deliveries have had their tickets processed."""
    return len(set(deliveries) - {delivery.id for delivery in lake.ledger.ungoverned()})


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
Live / 实时:          {config.portal_url}/feeds   (again: lake stream replay)
Tickets / 工单:       lake tickets list · lake tickets show T-000001
Reports / 治理报告:   {config.home / "reports" / "index.html"}
Airflow:             {config.airflow_url}   (user {config.airflow_user}, password in {config.home / "endpoints.env"})
Tables / 数据表:      lake tables · lake sql "SELECT * FROM gold.air_quality_day LIMIT 5"
SQL by roles / 分析:   lake query "SHOW TABLES" · {config.sql_url}/lake · {config.flight_url()} (token: lake sql-service add-token ACCOUNT)
Object store:        {config.s3_endpoint}, bucket {config.s3_bucket} (landing, received, bronze, silver, quarantine, gold, reports)
Stop / 停止:          make down""")
