"""lake catalogue show | propose | import | lists | draw-up | add-sample: what departments state of their data, and the lists made from it."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from rich.console import Console
from rich.table import Table

from jobs.catalogue.attributes import TITLES, Difference, shown
from jobs.catalogue.list_import import Matching
from jobs.catalogue.lists import CHANGES, Change
from jobs.cli.usable import still, usable_contracts
from jobs.collaboration.tickets import opened
from jobs.contracts.importance import TITLES as LEVELS
from jobs.errors import UserError
from jobs.lake.lake import opened as opened_lake
from jobs.model.actor import Actor
from jobs.pipeline import catalogue as steps
from jobs.pipeline.catalogue_lists import CityLists, list_file
from jobs.settings import load as settings

Dataset = Annotated[str, typer.Argument(help="Id of a dataset; `lake catalogue list` lists them.")]
ListName = Annotated[str, typer.Argument(help="share (共享清单), open (开放清单) or licence (电子证照清单).")]
Name = Annotated[str, typer.Option(help="Your name.")]
Department = Annotated[str, typer.Option("--department", "-p", help="Your department, as in the contracts.")]
Role = Annotated[str, typer.Option(help="reporter or approver.")]


def register(group: typer.Typer) -> None:
    """Add the commands to `lake catalogue`."""
    for command in (show, propose, lists):
        group.command()(command)
    group.command("import")(import_)
    group.command("draw-up")(draw_up)
    group.command("add-sample")(add_sample)


def show(dataset: Dataset) -> None:
    """Show an entry: its state, its attributes in force, its versions, and the change that is under way.

    Example: `lake catalogue show enterprise_registration`
    """
    config = settings()
    with opened(config) as tickets:
        found = steps.record(usable_contracts(config), tickets, dataset, datetime.now(UTC))
    entry = found.entry
    typer.echo(f"{entry.title}  {entry.department}  {entry.grade()}  {LEVELS[entry.level]}  {found.state()}")
    if attributes := found.attributes():
        for name, title in TITLES.items():
            if value := shown(name, getattr(attributes, name)):
                typer.echo(f"  {title}  {value}")
    for version in found.versions:
        at = version.at.astimezone(ZoneInfo(config.timezone))
        typer.echo(f"version / 第 {version.version} 版  {at:%Y-%m-%d %H:%M}  {version.by}  {version.ticket}")
    if found.change:
        typer.echo(f"under way / 办理中 {found.change.id}  {still(found.shortcomings())}".rstrip())
        _print_differences(found.pending())


def propose(
    dataset: Dataset,
    name: Name,
    department: Department,
    state: Annotated[
        list[str],
        typer.Option("--set", help="Attribute and value, such as share=conditional; others stay as they are."),
    ],
    role: Role = "reporter",
) -> None:
    """Propose attributes of an entry as a draft, complete or not, or revise the draft. Publishing: `lake tickets move`.

    Attributes: share, opening (unconditional, conditional, refused), share_method (interface, exchange, download),
    share_conditions, share_basis, open_conditions, open_basis, category, code, subject, summary, secrecy_assessment,
    personal_assessment, authoritative, status.

    Example: `lake catalogue propose divisions --set share=unconditional --set share_method=interface --set open_basis=见附件 --set secrecy_assessment=不涉密 -p civil_affairs --name 张三`
    """
    config, at = settings(), datetime.now(UTC)
    registry = usable_contracts(config)
    with opened(config) as tickets:
        earlier = steps.record(registry, tickets, dataset, at).proposed()
        stated = (earlier.model_dump() if earlier else {}) | dict(map(_pair, state))
        actor = Actor(role, department, name)
        typer.echo(steps.propose(registry, tickets, dataset, stated, (actor, at)))
        if lacking := steps.record(registry, tickets, dataset, at).shortcomings():
            typer.echo(still(lacking), err=True)


def import_(
    file: Annotated[Path, typer.Argument(help="The department's list, xlsx.")],
    name: Name,
    department: Department,
    role: Role = "reporter",
) -> None:
    """Make drafts from a department's own list, and print what fits no dataset. Exit code 2 where something does not fit.

    Example: `lake catalogue import 共享目录.xlsx -p market_regulation --name 张三`
    """
    config = settings()
    with opened(config) as tickets:
        act = (Actor(role, department, name), datetime.now(UTC))
        matching, outcomes = steps.import_list(usable_contracts(config), tickets, file, act)
    _print_import(matching, outcomes)
    if matching.unmatched or any(one.reason for one in outcomes):
        raise typer.Exit(UserError.exit_code)


def _print_import(matching: Matching, outcomes: Sequence[steps.Imported]) -> None:
    """What came of each row, then what the list lacks and what is not read."""
    table = Table("place / 位置", "resource / 信息资源", "draft / 草稿", "reason / 原因")
    for one in outcomes:
        table.add_row(one.place, one.title, one.ticket or "–", one.reason or still(one.lacking))
    for other in matching.unmatched:
        near = f"；相近的有：{'、'.join(other.suggestions)}" if other.suggestions else ""
        table.add_row(other.row.place, other.row.title, "–", f"没有对应的数据集{near}")
    Console().print(table)
    for entry in matching.missing:
        typer.echo(f"not in the list / 清单中没有：{entry.title}（{entry.id}）")
    if matching.ignored:
        typer.echo(f"columns not read / 未读取的列：{'、'.join(matching.ignored)}")
    for left in matching.unread:
        typer.echo(f"not read / 未读取：{left.words()}")


def lists(
    name: ListName,
    version: Annotated[int, typer.Option(help="A published version; 0 for what the published entries say now.")] = 0,
    out: Annotated[Path | None, typer.Option(help="Write the published version as .xlsx or .pdf.")] = None,
) -> None:
    """Show a list, or write a published version of it as a file.

    Example: `lake catalogue lists share`

    Example: `lake catalogue lists open --version 1 --out 开放清单.pdf`
    """
    config = settings()
    registry = usable_contracts(config)
    with opened_lake(config) as lake, opened(config) as tickets:
        found = CityLists(lake, registry, tickets).versions(name, datetime.now(UTC))
    if out is not None:
        number = version or len(found.versions)
        content, _ = list_file(found, number, out.suffix.lstrip("."), config)
        out.write_bytes(content)
        typer.echo(out)
        return
    rows = found.published(version) if version else found.rows
    table = Table(*found.kind.columns)
    for row in rows:
        table.add_row(*(row.get(column, "") for column in found.kind.columns))
    Console().print(table)
    typer.echo(f"{len(found.versions)} versions / 已发布 {len(found.versions)} 版")
    _print_changes(found.changes() if not version else found.changes_of(version))


def draw_up(name: ListName, person: Annotated[str, typer.Option("--name", help="Your name.")]) -> None:
    """Draw up the next version of a list from the published entries. Publishing: `lake tickets move`.

    Example: `lake catalogue draw-up share --name 王五`
    """
    config = settings()
    registry = usable_contracts(config)
    with opened_lake(config) as lake, opened(config) as tickets:
        actor = Actor("quality_officer", "bureau", person)
        typer.echo(CityLists(lake, registry, tickets).draw_up(name, actor, datetime.now(UTC)))


def add_sample(
    dataset: Annotated[str, typer.Argument(help="Dataset whose contract declares licences.")],
    type_name: Annotated[str, typer.Argument(metavar="TYPE", help="Type of the licence, as in the list.")],
    file: Annotated[
        Path, typer.Argument(help="A sample with a watermark and without personal values: pdf, png or jpg.")
    ],
) -> None:
    """Keep a sample file of a type of licence; the portal offers it at the list of electronic licences.

    Example: `lake catalogue add-sample admin_permits 食品经营许可证 样例.pdf`
    """
    from jobs.pipeline.licence_samples import put_sample

    config = settings()
    with opened_lake(config) as lake:
        typer.echo(put_sample(lake, usable_contracts(config), dataset, type_name, file))


def _pair(text: str) -> tuple[str, object]:
    name, equals, value = text.partition("=")
    if not equals:
        raise typer.BadParameter(f"--set {text}: write NAME=VALUE, such as share=conditional")
    return name, value


def _print_differences(found: list[Difference]) -> None:
    for one in found:
        typer.echo(f"  {one.title}  {one.before or '（无）'} → {one.after or '（无）'}")


def _print_changes(found: list[Change]) -> None:
    for one in found:
        cells = "；".join(f"{name}：{before or '（无）'} → {after or '（无）'}" for name, before, after in one.columns)
        typer.echo(f"  {CHANGES[one.kind]}  {one.title}  {cells}".rstrip())
