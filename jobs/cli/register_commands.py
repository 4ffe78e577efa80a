"""lake registers: training sets, models, scenes, solutions, app items, assets, and how far the city's plan is."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from jobs.catalogue.counting import Counted, counted, progress
from jobs.catalogue.registers import registers as policy
from jobs.cli.query import show_rows
from jobs.cli.usable import still, usable_contracts
from jobs.errors import UserError
from jobs.lake.lake import opened as opened_lake
from jobs.model.actor import Actor
from jobs.pipeline.registers import CityRegisters, dataset_states
from jobs.pipeline.ticket_store import open_tickets
from jobs.reporting.entries import entries
from jobs.settings import load as settings

registers = typer.Typer(no_args_is_help=True, help="What the city makes of its data, against the plan. 登记册。")
Id = Annotated[str, typer.Argument(help="Id of an item, such as XL-0001; `lake registers list` lists them.")]
Register = Annotated[
    str, typer.Argument(help="training_set, model, scene, solution, app_item, ai_scene or asset; all where left out.")
]


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    app.add_typer(registers, name="registers", rich_help_panel="Look")


@contextmanager
def _opened() -> Iterator[CityRegisters]:
    config = settings()
    registry = usable_contracts(config)
    with opened_lake(config) as lake, open_tickets(lake, registry) as tickets:
        yield CityRegisters(lake, registry, tickets)


def _counted(city: CityRegisters) -> tuple[Counted, ...]:
    now = datetime.now(UTC)
    states = dataset_states(city.lake, city.registry, city.tickets, entries(city.lake, city.registry), now)
    return counted([record.reviewed() for record in city.items(now)], states, now)


@registers.command()
def plan() -> None:
    """Show how many items count towards each target of the plan.

    Example: `lake registers plan`
    """
    with _opened() as city:
        rows = progress(_counted(city))
    names = ("target / 目标", "planned / 计划", "registered / 已登记", "counted / 计入", "basis / 依据")
    cells = [(r.target.title, str(r.target.number), str(r.registered), str(r.counted), r.target.basis) for r in rows]
    show_rows(Console(), names, cells)


@registers.command("list")
def list_(register: Register = "") -> None:
    """List items with what keeps them from counting.

    Example: `lake registers list scene`
    """
    if register:
        policy().register(register)
    with _opened() as city:
        found = [one for one in _counted(city) if register in ("", one.item.register_name)]
    names = ("id / 编号", "register / 登记册", "title / 名称", "status / 状态", "counts / 是否计入")
    cells = [
        (
            *(one.item.id, policy().registers[one.item.register_name].title, one.item.title),
            *(policy().statuses[one.item.status], "；".join(one.reasons) or "yes / 计入"),
        )
        for one in found
    ]
    show_rows(Console(), names, cells)


@registers.command()
def show(item: Id) -> None:
    """Show an item: its state, facts, certificate and versions.

    Example: `lake registers show XL-0001`
    """
    with _opened() as city:
        record = city.item(item, datetime.now(UTC))
        lacking = city.shortcomings(record.change)
    found, facts = record.current(), policy().facts
    typer.echo(f"{found.id} {found.title}  {found.provider}  {policy().statuses[found.status]}  {record.state()}")
    typer.echo(f"  datasets / 数据集  {'、'.join(found.datasets)}")
    for name, value in found.facts.items():
        typer.echo(f"  {facts[name].title}  {facts[name].shown(value)}")
    if found.selection and found.certificate:
        chosen, made = found.selection, found.certificate
        typer.echo(
            f"  rows / 数据行  {chosen.dataset} version {chosen.version}, {chosen.condition or '–'}: {made.rows}"
        )
        typer.echo(
            f"  certificate / 质量证书  {made.digest}  {made.grade}  {made.score if made.score is not None else '–'}"
        )
    for version in record.versions:
        typer.echo(f"version / 第 {version.version} 版  {version.at:%Y-%m-%d}  {version.by}  {version.ticket}")
    if record.change:
        typer.echo(f"under way / 办理中 {record.change.id}  {still(lacking)}".rstrip())


@registers.command()
def propose(
    register: Register,
    name: Annotated[str, typer.Option(help="Your name.")],
    department: Annotated[str, typer.Option("--department", "-p", help="Your department, as in the contracts.")],
    item: Annotated[str, typer.Option("--item", help="Id of an existing item, to change it.")] = "",
    title: Annotated[str, typer.Option(help="The item's title.")] = "",
    dataset: Annotated[
        list[str] | None, typer.Option(help="A dataset or product that it uses; may be repeated.")
    ] = None,
    status: Annotated[str, typer.Option(help="planned, in_use or retired.")] = "",
    state: Annotated[
        list[str] | None, typer.Option("--set", help="Fact and value, such as purpose=……; others stay as they are.")
    ] = None,
    rows: Annotated[
        str, typer.Option(help="Rows of a training set: DATASET:VERSION:COLUMN,COLUMN; VERSION may be newest.")
    ] = "",
    where: Annotated[str, typer.Option(help="Condition on the rows, such as \"division_level = 'county'\".")] = "",
    role: Annotated[str, typer.Option(help="reporter, approver or quality_officer.")] = "reporter",
) -> None:
    """Propose an item as a draft, complete or not, or change it. Publishing: `lake tickets move`.

    The facts of each register are in jobs/catalogue/registers.yaml; what the draft still lacks is listed.

    Example: `lake registers propose scene --title 渣土运输监管 --dataset divisions --set purpose=发现未加盖车辆 --set user_unit=城市管理局 --set field=城市管理 -p civil_affairs --name 张三`

    Example: `lake registers propose training_set --title 区划训练集 --dataset divisions --rows divisions:newest:division_code,division_name --set purpose=地名识别 --set licence=政务内部使用 -p civil_affairs --name 张三`
    """
    now = datetime.now(UTC)
    with _opened() as city:
        earlier: dict[str, Any] = (
            city.item(item, now).proposed().model_dump() if item else {"title": "", "facts": {}, "datasets": ()}
        )
        stated = {**earlier, "register_name": register, "id": item}
        stated |= {key: value for key, value in (("title", title), ("status", status)) if value}
        stated["facts"] = {**earlier["facts"], **dict(map(_pair, state or []))}
        stated["datasets"] = tuple(dataset or earlier["datasets"])
        if rows:
            stated["selection"] = city.selection(rows, where)
        _save(city, stated, Actor(role, department, name), now)


def _save(city: CityRegisters, stated: Mapping[str, object], actor: Actor, now: datetime) -> None:
    """Save a draft; print its ticket, and on standard error what it still lacks."""
    draft = city.tickets.ticket(city.propose(stated, (actor, now)), actor, now)
    typer.echo(draft.id)
    if lacking := city.shortcomings(draft):
        typer.echo(still(lacking), err=True)


@registers.command()
def verify(item: Id) -> None:
    """Compute the certificate of a training set again; exit code 2 where the rows are no longer those registered.

    Example: `lake registers verify XL-0001`
    """
    with _opened() as city:
        found = city.item(item, datetime.now(UTC)).current()
        made = city.recomputed(found, datetime.now(UTC))
    registered = found.certificate
    typer.echo(f"{item}: {made.rows} rows / 行  {made.digest}")
    if registered is None or (registered.rows, registered.digest) != (made.rows, made.digest):
        was = f"{registered.rows} rows, {registered.digest}" if registered else "no certificate"
        raise UserError(f"{item}：与登记时不同 / differs from the certificate: {was}")


@registers.command()
def card(item: Id, out: Annotated[Path, typer.Option(help="File to write, JSON-LD.")]) -> None:
    """Write the Croissant card of a published training set.

    Example: `lake registers card XL-0001 --out /tmp/XL-0001.json`
    """
    with _opened() as city:
        out.write_text(city.card(city.item(item, datetime.now(UTC))), "utf-8")
    typer.echo(out)


@registers.command()
def rows(item: Id, out: Annotated[Path, typer.Option(help="File to write, JSON lines.")]) -> None:
    """Write the rows of a training set; `sha256sum` of the file is the digest of its certificate.

    Example: `lake registers rows XL-0001 --out /tmp/rows.jsonl`
    """
    with _opened() as city, out.open("wb") as file:
        file.writelines(city.rows(city.item(item, datetime.now(UTC)).current()))
    typer.echo(out)


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise typer.BadParameter(f"--set {text}: write NAME=VALUE, such as purpose=……")
    return name, value
