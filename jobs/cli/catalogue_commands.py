"""lake catalogue list | search | export: what there is."""

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Column, Table

from jobs.catalogue import Entry, Index, entries
from jobs.cli import catalogue_check_commands, catalogue_entry_commands, catalogue_exchange_commands
from jobs.cli.usable import usable_contracts
from jobs.contracts.place import place
from jobs.settings import load as settings

catalogue = typer.Typer(no_args_is_help=True, help="What there is, and how to find it. 数据目录。")
PORTAL = "http://127.0.0.1"


class Form(StrEnum):
    """Forms of the exported catalogue."""

    TURTLE = "turtle"
    XML = "xml"
    JSON_LD = "json-ld"


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    catalogue_entry_commands.register(catalogue)
    catalogue_check_commands.register(catalogue)
    catalogue_exchange_commands.register(catalogue)
    app.add_typer(catalogue, name="catalogue", rich_help_panel="Look")


@catalogue.command("list")
def list_() -> None:
    """All datasets and products.

    Example: `lake catalogue list`
    """
    _print([(entry, ()) for entry in entries(usable_contracts(settings()))])


@catalogue.command()
def search(
    words: Annotated[list[str], typer.Argument(help="Chinese words, pinyin or its initials, codes or names.")],
    most: Annotated[int, typer.Option(help="So many at most.")] = 20,
) -> None:
    """Find datasets and products, best first; each of the words must fit.

    Example: `lake catalogue search 供热 温度`
    """
    hits = Index(entries(usable_contracts(settings()))).find(" ".join(words), most)
    if not hits:
        typer.echo("nothing fits / 没有找到", err=True)
        raise typer.Exit(1)
    _print([(hit.entry, hit.items) for hit in hits])


@catalogue.command()
def export(
    file: Annotated[Path, typer.Argument(help="File to write.")],
    form: Annotated[Form, typer.Option(help="Form of the document.")] = Form.TURTLE,
) -> None:
    """Write the catalogue in the terms of DCAT-AP, for another portal.

    Example: `lake catalogue export /tmp/catalogue.ttl`
    """
    from jobs.catalogue.dcat import graph, text  # rdflib takes half a second to import

    config = settings()
    found = entries(usable_contracts(config))
    file.write_text(
        text(graph(found, config.bureau or place().bureau, config.portal_url or PORTAL), form.value), "utf-8"
    )
    typer.echo(f"{file}: {len(found)} entries / 已写出 {len(found)} 条目录")


def _print(found: Sequence[tuple[Entry, Sequence[str]]]) -> None:
    table = Table(
        Column("id / 标识", no_wrap=True),
        "title / 名称",
        "department / 部门",
        "every / 周期",
        "grade / 分级",
        "fields / 字段",
    )
    for entry, items in found:
        named = "、".join(items[:5]) if items else str(len(entry.items))
        table.add_row(entry.id, entry.title, entry.department, entry.update_cycle or "–", entry.grade(), named)
    Console().print(table)
