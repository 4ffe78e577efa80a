"""lake bench: how many planted faults the lake finds, measured on a temporary lake."""

import secrets
import tempfile
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from jobs import contracts, embedded
from jobs.cli.demo import FIRST_DAY
from jobs.lake.lake import Lake
from jobs.pipeline.fidelity import Fidelity, simulated_day
from jobs.pipeline.fidelity import fidelity as measured
from jobs.settings import load

SEED = 11
measures = typer.Typer(no_args_is_help=True, help="Measure the lake. 自测。")


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    app.add_typer(measures, name="bench", rich_help_panel="Try")


@measures.callback()
def bench() -> None:
    """Measure the lake."""


@measures.command()
def fidelity(
    day: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="Day of the simulated city.")] = datetime.combine(
        FIRST_DAY, datetime.min.time()
    ),
    seed: Annotated[int, typer.Option(help="Another seed plants other faults.")] = SEED,
) -> None:
    """Plant a day's faults in a temporary lake; print recall and precision per class, and the false findings.

    Takes some minutes; your own tables are not touched. Exit code 1 where a fault is missed or a correct row is flagged.

    Example: `lake bench fidelity --seed 7`
    """
    embedded.up(load(), ("s3", "spark"), typer.echo)
    load.cache_clear()
    config = load()
    typer.echo("evaluating a day of the city / 正在质检模拟城市的一天 …", err=True)
    with tempfile.TemporaryDirectory(prefix="lake-bench-") as folder:
        state = f"sqlite:///{Path(folder) / 'state.db'}"
        temporary_config = config.model_copy(
            update={"s3_bucket": f"bench-{secrets.token_hex(6)}", "database_url": state}
        )
        lake = Lake(temporary_config)
        lake.store.create()
        try:
            registry = contracts.load(config.schemas, config.expectations)
            kinds, false_findings = measured(simulated_day(lake, registry, day.date(), seed, Path(folder)))
        finally:
            lake.store.remove()
            lake.close()
    _show(kinds)
    typer.echo(f"false findings / 误报: {false_findings:,}")
    if false_findings or any(kind.recall() < 1 for kind in kinds):
        raise typer.Exit(1)


def _show(kinds: tuple[Fidelity, ...]) -> None:
    table = Table("class / 差错类别")
    for name in ("planted / 埋入", "found / 找到", "recall / 召回", "precision / 精确"):
        table.add_column(name, justify="right")
    for kind in kinds:
        table.add_row(
            f"{kind.kind} {kind.title}",
            f"{kind.planted:,}",
            f"{kind.found:,}",
            f"{kind.recall():.3f}",
            f"{kind.precision():.3f}",
        )
    Console().print(table)
