"""lake assets: the ledger of data assets with an estimate of their value by the published rule."""

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from jobs.catalogue.assets import GIB, estimate, valuation
from jobs.cli.query import show_rows
from jobs.cli.usable import usable_contracts
from jobs.lake.lake import opened as opened_lake
from jobs.pipeline import steps
from jobs.pipeline.ticket_store import open_tickets
from jobs.reporting.entries import entries
from jobs.settings import load as settings

assets = typer.Typer(no_args_is_help=True, help="Data assets: storage, quality, use, value. 数据资产台账。")
COLUMNS = (
    *("标识", "名称", "单位", "分级", "行数", "占用字节", "月存储成本（元）", "得分", "查询", "产品", "登记册引用"),
    *("校核与异议", "估值（元）", "登记状态", "登记编码"),
)


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    app.add_typer(assets, name="assets", rich_help_panel="Look")


@contextmanager
def _ledger_rows() -> Iterator[tuple[list[tuple[str, ...]], str]]:
    from jobs.serving.asset_ledger import Sources, asset_ledger

    config, now = settings(), datetime.now(UTC)
    registry = usable_contracts(config)
    with opened_lake(config) as lake, open_tickets(lake, registry) as tickets:
        found = asset_ledger(Sources(lake, registry, tickets, entries(lake, registry)), now)
    rows = list[tuple[str, ...]]()
    for one in found.assets:
        made = estimate(one, valuation())
        rows.append(
            (
                *(one.id, one.title, one.owner, one.grade, str(one.rows), "" if one.size is None else str(one.size)),
                *(f"{made.storage_month():.4f}", "" if one.score is None else f"{one.score:.1f}", str(one.queries)),
                *(str(one.products), str(one.items), str(one.requests), f"{made.value():.2f}"),
                *(valuation().states.get(one.registration, ""), one.number),
            )
        )
    yield rows, found.measured


@assets.command("list")
def list_(
    out: Annotated[Path | None, typer.Option(help="Write the whole ledger as a CSV file.")] = None,
) -> None:
    """List the assets with their estimated value, by the rule in jobs/catalogue/assets.yaml.

    Example: `lake assets list`

    Example: `lake assets list --out /tmp/assets.csv`
    """
    with _ledger_rows() as (rows, measured):
        if out is not None:
            with out.open("w", encoding="utf-8-sig", newline="") as file:
                csv.writer(file).writerows([COLUMNS, *rows])
            typer.echo(out)
            return
    names = ("id / 标识", "owner / 单位", "rows / 行数", "MiB", "score / 得分", "uses / 使用", "value / 估值（元）")
    sizes = [f"{int(row[5]) / GIB * 1024:.1f}" if row[5] else "–" for row in rows]
    cells = [
        (row[0], row[2], row[4], size, row[7] or "–", str(sum(map(int, row[8:11]))), row[12])
        for row, size in zip(rows, sizes, strict=True)
    ]
    show_rows(Console(), names, cells)
    typer.echo(f"storage measured / 存储测量于 {measured or '—（lake assets measure）'}")


@assets.command()
def measure() -> None:
    """Measure how much each dataset and product occupies now; the nightly upkeep does the same.

    Example: `lake assets measure`
    """
    found = steps.measure_storage(settings())
    for dataset, size in sorted(found.items()):
        typer.echo(f"{dataset}  {size:,} B")
