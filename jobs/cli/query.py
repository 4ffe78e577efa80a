"""lake sql | tables | plan | profile: query and inspect the lake."""

import sys
from collections.abc import Sequence
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from jobs import quality
from jobs.cli.usable import usable_contracts
from jobs.contracts import Contract
from jobs.lake.lake import opened
from jobs.lake.system_tables import TEMPLATES, results_tables, system_contract
from jobs.lake.zones import Zone
from jobs.pipeline import steps
from jobs.pipeline.query import answer, explain
from jobs.settings import load as settings

PANEL = "Look"


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    for command in (sql, tables, plan, profile):
        app.command(rich_help_panel=PANEL)(command)


def sql(
    query: Annotated[
        str, typer.Argument(help="Spark SQL over silver.<dataset>, gold.<product>, quarantine.<dataset> …")
    ],
    limit: Annotated[int, typer.Option(help="Most rows to print.")] = 100,
) -> None:
    """Query the tables in SQL, by name.

    Example: `lake sql "SELECT county_name, count(*) FROM gold.enterprise_master GROUP BY 1"`
    """
    with opened(settings()) as lake:
        names, cells = answer(lake, query, limit)
    show_rows(Console(), names, cells)


def show_rows(console: Console, names: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Rows as a table where it fits the screen; else row by row, a line a column."""
    table = Table(*names)
    for row in rows:
        table.add_row(*row)
    boundless = console.options.update(max_width=sys.maxsize)  # a table never measures wider than its own options
    if console.measure(table, options=boundless).maximum <= console.width:
        console.print(table)
        return
    for number, row in enumerate(rows, 1):
        record = Table(title=f"{number} / {len(rows)}", show_header=False, title_justify="left")
        for name, value in zip(names, row, strict=True):
            record.add_row(name, value)
        console.print(record)


def tables() -> None:
    """List every table with its Chinese title, version and columns; system tables come last, `<dataset>` means each dataset.

    Example: `lake tables`
    """
    config = settings()
    registry = usable_contracts(config)
    overview = Table()
    for name in ("table", "title", "version", "columns"):
        overview.add_column(name, no_wrap=name == "table", overflow="fold")
    with opened(config) as lake:
        for contract in (*registry.sources(), *registry.products()):
            zone = Zone.GOLD if contract.kind == "product" else Zone.SILVER
            path = lake.path(zone, contract.id)
            version = lake.delta.version(path)
            overview.add_row(str(path), contract.title, _version(version), _columns(contract))
        for contract in results_tables():
            path = lake.path(Zone.RESULTS, contract.id)
            overview.add_row(str(path), contract.title, _version(lake.delta.version(path)), _columns(contract))
    for zone in TEMPLATES:
        contract = system_contract(zone)
        overview.add_row(f"{zone}.<dataset>", contract.title, _version(None), _columns(contract))
    Console().print(overview)


def _version(version: int | None) -> str:
    return "–" if version is None else str(version)


def _columns(contract: Contract) -> str:
    return ", ".join(f.name for f in contract.fields)[:80]


def plan(dataset: Annotated[str, typer.Argument(help="Id of a contract.")]) -> None:
    """Show how a dataset's rules would run: the passes over its rows. Runs nothing.

    Example: `lake plan admin_permits`
    """
    config = settings()
    registry = usable_contracts(config)
    rule_plan = quality.plan(registry.contract(dataset), registry.rules[dataset])
    with opened(config) as lake:
        lines = explain(lake, rule_plan)
    for line in lines:
        typer.echo(line)


def profile(
    dataset: Annotated[str, typer.Argument(help="Id of a contract.")],
    series: Annotated[
        bool, typer.Option("--series", help="Also suggest rules on spikes, gaps and silence, with limits from history.")
    ] = False,
) -> None:
    """Profile a curated table as a page, and print the rules that it suggests as a diff to review. Changes nothing.

    Example: `lake profile enterprise_registration > proposed.diff`

    Example: `lake profile water_plant_minutes --series`
    """
    typer.echo("profiling / 正在剖析 …", err=True)
    table_profile = steps.profile(settings(), dataset, series)
    typer.echo(table_profile.diff, nl=False)
    typer.echo(f"page / 页面: {settings().home / table_profile.page}", err=True)
