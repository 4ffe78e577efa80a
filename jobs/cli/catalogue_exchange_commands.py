"""lake catalogue export-province | reconcile | adopt-codes: exchange of the catalogue with the province."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from jobs.catalogue.province.comparison import CodeOffer
from jobs.catalogue.province.result import COUNTED, TABLES, Result
from jobs.cli.usable import usable_contracts
from jobs.collaboration.tickets import opened
from jobs.errors import UserError
from jobs.model.actor import Actor
from jobs.pipeline import province
from jobs.pipeline.catalogue import Imported, records
from jobs.settings import load as settings

File = Annotated[
    Path, typer.Argument(help="The province's extract, xlsx or json, in the form that export-province writes.")
]
Name = Annotated[str, typer.Option(help="Your name.")]
MOST_ROWS = 200


def register(group: typer.Typer) -> None:
    """Add the commands to `lake catalogue`."""
    group.command("export-province")(export_province)
    group.command()(reconcile)
    group.command("adopt-codes")(adopt_codes)


def export_province(
    file: Annotated[Path, typer.Argument(help="File to write, .xlsx or .json.")],
) -> None:
    """Write the published entries with their items in the province's metadata form.

    Sheets, titles and words of the form are in jobs/catalogue/province/form.yaml, each with how sure it is.

    Example: `lake catalogue export-province 目录.xlsx`
    """
    config, at = settings(), datetime.now(UTC)
    registry = usable_contracts(config)
    with opened(config) as tickets:
        found = province.published(registry, records(registry, tickets, at), config)
    content, _ = province.form_file(found, file.suffix.lstrip(".").lower())
    file.write_bytes(content)
    items = sum(len(one.items) for one in found)
    typer.echo(f"{file}: {len(found)} entries, {items} items / 已写出 {len(found)} 条目录、{items} 个信息项")


def reconcile(
    file: File,
    out: Annotated[Path | None, typer.Option(help="Write the result with both sides as .xlsx or .json.")] = None,
    name: Name = "",
) -> None:
    """Compare the published entries and their items with the province's extract. Exit code 2 where anything differs.

    Entries are matched by code, else by title within their department. What cannot be read is named with its place.

    Example: `lake catalogue reconcile 省级目录.xlsx --out 比对结果.xlsx`
    """
    found = _reconciled(file, Actor("quality_officer", "bureau", name), datetime.now(UTC))
    if out is not None:
        content, _ = province.result_file(found, out.suffix.lstrip(".").lower())
        out.write_bytes(content)
    _print(found)
    if not found.is_equal:
        raise typer.Exit(UserError.exit_code)


def adopt_codes(
    file: File,
    department: Annotated[str, typer.Option("--department", "-p", help="Your department, as in the contracts.")],
    name: Name,
    role: Annotated[str, typer.Option(help="reporter or approver.")] = "reporter",
    replace: Annotated[bool, typer.Option("--replace", help="Also where the entry has another code.")] = False,
) -> None:
    """Draft the codes that the province gave to a department's entries; they are approved and published like any change.

    Example: `lake catalogue adopt-codes 省级目录.xlsx -p civil_affairs --name 张三`
    """
    config, at = settings(), datetime.now(UTC)
    act = (Actor(role, department, name), at)
    registry = usable_contracts(config)
    with opened(config) as tickets:
        found = province.reconcile_file(registry, tickets, config, file, act)
        own = [o for o in found.offers if registry.contract(o.dataset).provider == department]
        chosen = [offer for offer in own if replace or not offer.before]
        outcomes = province.adopt_codes(registry, tickets, chosen, act)
    for offer, outcome in zip(chosen, outcomes, strict=True):
        typer.echo(_line(offer, outcome))
    left = len(own) - len(chosen)
    if left:
        typer.echo(f"{left} entries have another code, see --replace / 另有 {left} 条已有其他代码，加 --replace 采用")
    if any(outcome.reason for outcome in outcomes):
        raise typer.Exit(UserError.exit_code)


def _line(offer: CodeOffer, outcome: Imported) -> str:
    """A code, the ticket of its draft, and why there is none or what the draft lacks."""
    said = outcome.reason or "；".join(outcome.lacking)
    return f"{offer.title}  {offer.before or '–'} → {offer.code}  {outcome.ticket}  {said}".rstrip()


def _reconciled(file: Path, actor: Actor, at: datetime) -> Result:
    config = settings()
    with opened(config) as tickets:
        return province.reconcile_file(usable_contracts(config), tickets, config, file, (actor, at))


def _print(found: Result) -> None:
    """Counts, then each table that says more than that both sides are alike, a line a row."""
    typer.echo("  ".join(f"{COUNTED[name]} {number}" for name, number in found.counts.items()))
    for table in found.tables:
        if not table.rows or table.title == TABLES["same"]:
            continue
        typer.echo(f"\n{table.title}（{' | '.join(table.columns)}）")
        for row in table.rows[:MOST_ROWS]:
            typer.echo(f"  {' | '.join(cell or '–' for cell in row.cells)}")
        if len(table.rows) > MOST_ROWS:
            typer.echo(f"  {len(table.rows) - MOST_ROWS} more rows, see --out / 其余见 --out 的文件")
