"""lake contracts check | grades | show | new | export | docs."""

import re
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from jobs import contracts
from jobs.cli.lean_arrow import keep_pandas_out
from jobs.cli.usable import usable_contracts
from jobs.contracts import Registry, suite_hash
from jobs.contracts.grade_check import grade_mistakes
from jobs.contracts.normalisation import normalisation_notes
from jobs.errors import ContractError
from jobs.settings import OWN_SCHEMAS, PROJECT
from jobs.settings import load as settings

authoring = typer.Typer(no_args_is_help=True, help="Check, show and propose data contracts.")


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    app.add_typer(authoring, name="contracts", rich_help_panel="Author")


def _catalogue() -> Registry:
    return contracts.load(settings().schemas, settings().expectations)


@authoring.command()
def check() -> None:
    """Name the file and line of every mistake in schemas/ and expectations/.

    Example: `lake contracts check`
    """
    registry = _catalogue()
    for contract in registry.sources():
        for note in normalisation_notes(contract):
            typer.echo(note)
    _check_conditions(registry)
    if too_low := grade_mistakes(registry):
        raise ContractError("\n".join(too_low))
    rules = sum(len(r) for r in registry.rules.values())
    system_contracts = contracts.load_system(OWN_SCHEMAS)
    counts = (
        f"{len(registry.sources())} sources, {len(registry.products())} products, {len(system_contracts)} system tables"
    )
    typer.echo(f"{counts}, {rules} rules: valid")


def _check_conditions(registry: Registry) -> None:
    """Print notes on the written rules; ContractError with all their mistakes."""
    from jobs.contracts.rule_check import mistakes, notes  # the SQL parser takes long to import

    found: list[str] = []
    for dataset, rules in sorted(registry.rules.items()):
        contract = registry.contract(dataset)
        written = [rule for rule in rules if rule.origin == "suite"]
        suite = settings().expectations / contract.file.relative_to(settings().schemas)
        found += [f"{suite}: {mistake}" for rule in written for mistake in mistakes(contract, rule)]
        for note in (note for rule in written for note in notes(rule)):
            typer.echo(f"{suite}: {note}")
    if found:
        raise ContractError("\n".join(found))


@authoring.command()
def grades(
    dataset: Annotated[str, typer.Argument(help="Id of a contract; default: all.")] = "",
) -> None:
    """List fields whose curated values suggest a higher grade than their contract declares; no value is shown.

    Example: `lake contracts grades hotline_orders`
    """
    from jobs.lake.lake import opened  # only this command and `new` read data
    from jobs.pipeline.grade_suggestions import suggestions

    config = settings()
    registry = usable_contracts(config)
    wanted = [registry.contract(dataset)] if dataset else [*registry.sources(), *registry.products()]
    table = Table("dataset / 数据集", "field / 字段", "declared / 契约", "suggested / 建议", "reason / 理由")
    with opened(config) as lake:
        for one in suggestions(lake, wanted):
            field, seen = one.field, one.recognition
            table.add_row(one.dataset, f"{field.name} {field.title}", field.classification, seen.grade, seen.words())
    if table.row_count:
        Console().print(table)
    else:
        typer.echo("no field seems to need a higher grade / 没有建议提高级别的字段")


@authoring.command()
def show(dataset: Annotated[str, typer.Argument(help="Id of a contract.")]) -> None:
    """Show a contract: fields, rules, layout, version.

    Example: `lake contracts show admin_permits`
    """
    registry = usable_contracts(settings())
    contract, console = registry.contract(dataset), Console()
    console.print(f"[bold]{contract.title}[/bold] {contract.id} {contract.version} · {contract.department}")
    console.print(f"{contract.purpose}\n{contract.file}", highlight=False)
    fields = Table("field", "title", "type", "unit", "grade", "key", "required", "headers")
    for field in contract.fields:
        key = "" if field.key_position is None else str(field.key_position)
        headers = "computed" if field.is_computed() else " / ".join(field.headers())
        fields.add_row(
            field.name,
            field.title,
            field.spark_type(),
            field.unit,
            field.classification,
            key,
            "✓" if field.required else "",
            headers,
        )
    console.print(fields)
    rules = Table("rule", "severity", "dimension", "message", "origin")
    for rule in registry.rules[dataset]:
        rules.add_row(rule.id, rule.severity, rule.dimension, rule.message, rule.origin)
    console.print(rules)
    console.print(f"suite hash {suite_hash(registry.rules[dataset])}", highlight=False)


@authoring.command()
def new(
    file: Annotated[Path, typer.Argument(help="A file of a new dataset, or a folder or archive of its files.")],
    dataset: Annotated[
        str, typer.Option("--dataset", "-d", help="Id of the new contract; default: from the file name.")
    ] = "",
    provider: Annotated[str, typer.Option("--provider", "-p", help="Id of the department or company.")] = "unknown",
) -> None:
    """Propose a contract for a file of a new dataset, as YAML to review, in its folder under schemas/.

    Example: `lake contracts new 客运站.xlsx --dataset bus_stations --provider transport`
    """
    keep_pandas_out()
    from jobs.ingest.proposal import propose  # only this command reads files
    from jobs.ingest.reading import LocalFile

    dataset = dataset or re.sub(r"[^a-z0-9]+", "_", file.stem.lower()).strip("_0123456789") or "new_dataset"
    target = settings().schemas / "sources" / provider / f"{dataset}.yaml"
    if target.exists():
        raise typer.BadParameter(f"{target} already exists; remove it or choose another id")
    elements = contracts.Elements.load(settings().schemas / "elements")
    with TemporaryDirectory(prefix="lake-new-") as scratch:
        text = propose(LocalFile(file.name, file), dataset, provider, Path(scratch), elements)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text, "utf-8")
    typer.echo(f"{target}: review it, then `lake contracts check` and `lake run '{file}' --dataset {dataset}`")


@authoring.command()
def export(
    dataset: Annotated[str, typer.Argument(help="Id of a contract.")] = "",
    to: Annotated[Path, typer.Option(help="Folder to write to.")] = Path(),
    every: Annotated[bool, typer.Option("--all", help="All contracts, in the folders of schemas/.")] = False,
) -> None:
    """Write contracts as plain ODCS documents: fields in full, rules as quality entries, lineage; for other programs.

    Example: `lake contracts export admin_permits --to exported`

    Example: `lake contracts export --all --to exported`
    """
    from jobs.contracts.odcs_export import exported

    if bool(dataset) == every:
        raise typer.BadParameter("name a contract, or --all")
    config = settings()
    registry, elements = usable_contracts(config), contracts.Elements.load(config.schemas / "elements")
    for one in sorted(registry.contracts) if every else (dataset,):
        text = exported(registry, one, elements)
        file = to / registry.contract(one).file.relative_to(config.schemas)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8")
        typer.echo(file)


@authoring.command()
def docs(
    page: Annotated[
        Path, typer.Argument(help="Page with generated tables.", show_default="docs/contracts.md")
    ] = PROJECT / "docs" / "contracts.md",
) -> None:
    """Regenerate the reference tables of a page from the code that reads contracts.

    Example: `lake contracts docs`
    """
    from jobs.cli.contract_reference import with_tables  # takes seconds to import, and only this command needs it

    page.write_text(with_tables(page.read_text("utf-8")), "utf-8")
    typer.echo(f"{page}: generated tables updated")
