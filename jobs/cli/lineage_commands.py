"""lake lineage show | propose | export: where columns come from."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from jobs.catalogue.lineage import Graph, Link, Node, columns
from jobs.cli.usable import usable_contracts
from jobs.errors import UserError
from jobs.lake.lake import Lake, opened
from jobs.lake.results import Results
from jobs.model.rule_result import RuleRow
from jobs.model.verdict import Verdict
from jobs.settings import load as settings

lineage = typer.Typer(no_args_is_help=True, help="Where columns come from and where they go. 血缘。")


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    app.add_typer(lineage, name="lineage", rich_help_panel="Look")


@lineage.command()
def show(
    name: Annotated[str, typer.Argument(help="Id of a dataset or product, or `dataset.column`.")],
) -> None:
    """Print what a table or column is made from, and what is made from it.

    Example: `lake lineage show hotline_day.on_time_share_pct`
    """
    graph = Graph(usable_contracts(settings()))
    node = graph.node(name)
    if node is None:
        raise UserError(f"no dataset or column '{name}'; see `lake catalogue list` / 没有数据集或字段 {name}")
    if node.column:
        _print_links("upstream / 上游", graph.upstream(node))
        _print_links("downstream / 下游", graph.downstream(node))
        return
    _print_tables(graph, node)
    contract = graph.contracts[node.dataset]
    _print_links(
        "columns / 字段", [link for column in columns(contract, node.zone) for link in graph.into(_of(node, column))]
    )
    _print_links("rows / 行", [link for link in graph.into(node) if link.source.column])


@lineage.command()
def propose(product: Annotated[str, typer.Argument(help="Id of a product.")]) -> None:
    """Print the lineage that the contract of a product should declare, from the plan of its transform; exit code 1 where it declares another.

    Example: `lake lineage propose hotline_day`
    """
    from jobs.pipeline.plan_of_product import planned_lineage  # the engine's client takes seconds to import
    from jobs.products.declared_lineage import differences, proposal

    config = settings()
    registry = usable_contracts(config)
    contract = registry.contract(product)
    with opened(config) as lake:
        planned = planned_lineage(lake.spark, registry, product)
    typer.echo(proposal(contract, planned))
    if found := differences(contract, planned):
        typer.echo("\n".join(found), err=True)
        raise typer.Exit(1)


@lineage.command()
def export(
    file: Annotated[Path, typer.Argument(help="File to write, one event a line.")],
    every: Annotated[bool, typer.Option("--every", help="All runs, not only the newest of each dataset.")] = False,
) -> None:
    """Write runs as events of OpenLineage, with schema, column lineage and the results of rules.

    Example: `lake lineage export /tmp/lineage.jsonl`
    """
    from jobs.catalogue.run_events import events, write  # its client takes half a second to import

    config = settings()
    graph = Graph(usable_contracts(config))
    with opened(config) as lake:
        written = write(events(graph, config.s3_bucket, _runs(lake, every)), file)
    typer.echo(f"{file}: {written} events / 已写出 {written} 个事件")


def _runs(lake: Lake, every: bool) -> list[tuple[Verdict, Sequence[RuleRow]]]:
    """Verdicts with the results of their rules, in order of arrival."""
    results = Results(lake.delta, lake.settings.s3_bucket)
    verdicts = results.verdicts()
    newest = {verdict.dataset: verdict.delivery for verdict in verdicts}
    wanted = [verdict for verdict in verdicts if every or newest[verdict.dataset] == verdict.delivery]
    filters = None if every else [("delivery", "in", [verdict.delivery for verdict in wanted])]
    rules: dict[str, list[RuleRow]] = {}
    for rule in results.rules(filters) if wanted else ():
        rules.setdefault(rule.delivery, []).append(rule)
    return [(verdict, rules.get(verdict.delivery, ())) for verdict in wanted]


def _of(table: Node, column: str) -> Node:
    return Node(table.zone, table.dataset, column)


def _print_tables(graph: Graph, node: Node) -> None:
    table = Table("table / 表", "title / 名称", "")
    for label, nodes in (
        ("upstream / 上游", graph.tables_before(node)),
        ("downstream / 下游", graph.tables_after(node)),
    ):
        for other in nodes:
            table.add_row(str(other), graph.contracts[other.dataset].title, label)
    Console().print(table)


def _print_links(title: str, links: Sequence[Link]) -> None:
    table = Table("source / 来源", "target / 去向", "influence / 影响", title=title, title_justify="left")
    for link in links:
        table.add_row(str(link.source), str(link.target), f"{link.type} {link.subtype}")
    if links:
        Console().print(table)
