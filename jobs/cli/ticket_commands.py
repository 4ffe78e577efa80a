"""lake tickets list | show | move | remind, lake calendar load, lake clocks: the loop of tickets, typed."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

import typer
from rich.console import Console
from rich.table import Table

from jobs import contracts
from jobs.collaboration.calendar_file import load_year
from jobs.collaboration.clock_table import UNITS, clock_table
from jobs.collaboration.ticket_queries import TicketQuery
from jobs.collaboration.tickets import Tickets, opened, remind
from jobs.errors import ServiceUnavailable
from jobs.model.actor import Actor
from jobs.model.ticket import ClockView, Event, Request, Ticket
from jobs.pipeline import steps
from jobs.settings import load as settings

PANEL = "Tickets"
Id = Annotated[str, typer.Argument(help="Id of a ticket; `lake tickets list` lists them.")]
Role = Annotated[str, typer.Option(help="Role in which you act, such as reporter, approver, quality_officer.")]
Department = Annotated[str, typer.Option("--department", "-p", help="Your department, as contracts name it.")]
tickets = typer.Typer(no_args_is_help=True, help="See and move tickets. 查看和办理工单。")
calendar = typer.Typer(no_args_is_help=True, help="Holidays and make-up days. 节假日和调休。")


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    for name, group in (("tickets", tickets), ("calendar", calendar)):
        app.add_typer(group, name=name, rich_help_panel=PANEL)
    app.command(rich_help_panel=PANEL)(clocks)


@tickets.command("list")
def list_(
    state: Annotated[list[str] | None, typer.Option(help="Only these states, such as dispatched.")] = None,
    text: Annotated[str, typer.Option(help="Only where id, dataset, rule, field or message holds it.")] = "",
    overdue: Annotated[bool, typer.Option("--overdue", help="Only what is past its due time.")] = False,
    every: Annotated[bool, typer.Option("--all", help="Closed ones too.")] = False,
    page: Annotated[int, typer.Option(min=1)] = 1,
    role: Role = "quality_officer",
    department: Department = "bureau",
) -> None:
    """Tickets that you may see, newest first; a department sees its own.

    Example: `lake tickets list --overdue` · `lake tickets list --role approver --department civil_affairs`
    """
    wanted = TicketQuery(states=state or (), text=text, is_overdue=overdue, is_open=not every and not state, page=page)
    with opened(settings()) as store:
        found = store.tickets(Actor(role, department, ""), wanted, datetime.now(UTC))
    table = Table()
    table.add_column("ticket / 工单", no_wrap=True)
    for name in ("state / 状态", "provider / 单位", "rule / 规则", "rows / 行", "due / 到期"):
        table.add_column(name, overflow="fold")
    for one in found.tickets:
        rows = f"{one.remaining_rows:,} / {one.failed_rows:,}"
        table.add_row(one.id, one.label, one.provider, f"{one.dataset}.{one.rule or one.field}", rows, _due(one.clock))
    Console().print(table)
    typer.echo(f"{len(found.tickets):,} of {found.total:,} tickets, page {found.page} / 条工单")


@tickets.command()
def show(ticket: Id, role: Role = "quality_officer", department: Department = "bureau") -> None:
    """A ticket: what is wrong, how to mend it, its clock, and everything that happened.

    Example: `lake tickets show T-000001`
    """
    actor = Actor(role, department, "")
    with opened(settings()) as store:
        one, events = store.ticket(ticket, actor, datetime.now(UTC)), store.events(ticket, actor)
        comments = {event.seq: text for event, text in store.comments(ticket, actor)}
    for name, value in _lines(one):
        typer.echo(f"{name}  {value}")
    for event in events:
        typer.echo(f"  {_moment(event.at)}  {_said(event, comments.get(event.seq, ''))}")


@tickets.command()
def move(
    ticket: Id,
    event: Annotated[str, typer.Argument(help="Step to take, such as sign, start, dispute, transfer.")],
    name: Annotated[str, typer.Option(help="Your name.")],
    seen: Annotated[int, typer.Option(help="Version that `lake tickets show` told you.")],
    role: Role = "quality_officer",
    department: Department = "bureau",
    reason: Annotated[str, typer.Option(help="Why.")] = "",
    fact: Annotated[list[str] | None, typer.Option(help="What else must be stated, such as until=2026-06-30.")] = None,
) -> None:
    """Take a step of a ticket. What is not possible is told, with what is.

    Example: `lake tickets move T-000001 sign --seen 2 --name 张三 --role reporter --department civil_affairs`
    """
    facts = dict(_fact(text) for text in fact or ())
    with opened(settings()) as store:
        done = store.move(
            ticket, event, Actor(role, department, name), seen, datetime.now(UTC), reason=reason, facts=facts
        )
    typer.echo(f"{done.id}  {done.label}  version / 版本 {done.version}  due / 到期 {_due(done.clock)}")


@tickets.command("request")
def request_(
    dataset: Annotated[str, typer.Option("--dataset", "-d", help="Dataset that holds the record.")],
    record: Annotated[
        str, typer.Option(help="Which record: its key, as you know it. The two parties and the bureau see it.")
    ],
    message: Annotated[str, typer.Option(help="What is wrong, and what is right.")],
    evidence: Annotated[str, typer.Option(help="What shows it: a document and its number.")],
    department: Department,
    name: Annotated[str, typer.Option(help="Your name.")],
    field: Annotated[str, typer.Option(help="Field that is wrong.")] = "",
    objection: Annotated[
        bool, typer.Option("--objection", help="On behalf of the person whom the record is about.")
    ] = False,
    role: Role = "reporter",
) -> None:
    """Say that a record is wrong: a correction request (校核申请) of a department, or a citizen's objection (异议).

    The source department has ten working days to verify, correct and reply.

    Example: `lake tickets request -d admin_permits --record 第0001号 --message 更名 --evidence 通知书 -p market_regulation --name 张三`
    """
    config = settings()
    contract = contracts.load_usable(config.schemas, config.expectations).contract(dataset)
    kind: Literal["correction", "objection"] = "objection" if objection else "correction"
    asked = Request(kind, dataset, contract.provider, department, field, record, message, evidence)
    with opened(config) as store:
        typer.echo(store.requested(asked, Actor(role, department, name), datetime.now(UTC)))


@tickets.command("workbook")
def workbook_(
    ticket: Id,
    out: Annotated[Path, typer.Option(help="Where the workbook is written.")],
    role: Role = "quality_officer",
    department: Department = "bureau",
) -> None:
    """Write the ticket's workbook: what is wrong row by row; for its owner also the rows as sent, to be mended there.

    Example: `lake tickets workbook T-000001 --out T-000001.xlsx --role reporter --department civil_affairs`
    """
    out.write_bytes(steps.ticket_workbook(settings(), ticket, Actor(role, department, "")))
    typer.echo(out)


@tickets.command("answer")
def answer_(
    ticket: Id,
    file: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, help="The filled workbook, or a corrected file.")
    ],
    name: Annotated[str, typer.Option(help="Your name.")],
    department: Department,
    role: Role = "reporter",
) -> None:
    """Send a filled workbook, or a corrected file, as the redelivery of a ticket. It is judged like any delivery.

    Example: `lake tickets answer T-000001 T-000001.xlsx --name 张三 --department civil_affairs`
    """
    typer.echo(steps.answer_ticket(settings(), ticket, Actor(role, department, name), file))


@tickets.command("remind")
def remind_departments() -> None:
    """Tell each department once what is due: at 50, 80 and 100 % of its time, one message for all its tickets.

    Waivers that ended are taken back and overdue tickets escalated first. Notices in the portal always; mail, WeCom and DingTalk where the settings name them. Exit code 5 where a channel did not
    take a message; it is tried again next time.

    Example: `lake tickets remind`
    """
    sent = remind(settings(), datetime.now(UTC))
    for one in sent:
        typer.echo(f"{one.channel} → {one.department}: {one.error or f'{one.tickets:,} tickets / 个工单'}")
    if not sent:
        typer.echo("nobody has to be told anything / 没有需要提醒的")
    if any(one.error for one in sent):
        raise typer.Exit(ServiceUnavailable.exit_code)


@calendar.command("load")
def load_calendar(
    file: Annotated[Path, typer.Argument(help="YAML file of a year's holidays and make-up days.")],
    name: Annotated[str, typer.Option(help="Your name.")] = "operator",
) -> None:
    """Take in a year's holidays; due days that depend on them are reckoned anew.

    The file: `year`, `source`, `holidays` (each name, from, to), `workdays` (each name, day).

    Example: `lake calendar load 2027.yaml`
    """
    year = load_year(file)
    with opened(settings()) as store:
        moved = store.calendar_loaded(year, Actor("operator", "bureau", name), datetime.now(UTC))
    days = f"{len(year.holidays)} days off, {len(year.workdays)} make-up days"
    typer.echo(f"{year.year}: {days}; {moved:,} due times moved / 个到期时间已重算")


def clocks() -> None:
    """How long each thing may take, by which law or policy, and for which years the holidays are known.

    Example: `lake clocks`
    """
    table = Table()
    table.add_column("id", no_wrap=True)
    for name in ("what / 事项", "for / 适用", "length / 时限", "extension / 延期", "basis / 依据", "confidence"):
        table.add_column(name, overflow="fold")
    for one in clock_table().clocks:
        holds = ", ".join(one.when.named().values())
        more = f"{one.extension.id} +{one.extension.length} {UNITS[one.unit]}" if one.extension else "–"
        table.add_row(one.id, one.title, holds, one.words(), more, one.citation, one.confidence)
    Console().print(table)
    with opened(settings()) as store:
        years = sorted(store.calendar().years)
    typer.echo(
        f"holidays known / 已有节假日安排: {years[0]}–{years[-1]}; other years Monday to Friday, due days provisional"
    )


def _lines(one: Ticket) -> list[tuple[str, str]]:
    found = [
        ("ticket / 工单", f"{one.id}  {one.label}  version / 版本 {one.version}"),
        ("provider / 单位", one.provider),
        ("what / 问题", f"{one.dataset}.{one.rule or one.field}  {one.message}"),
        ("remedy / 改法", one.remedy),
        ("basis / 依据", one.basis),
        ("record / 记录", one.record),
        ("rows / 行", f"{one.remaining_rows:,} of {one.failed_rows:,} remain / 未改正"),
        ("due / 到期", _due(one.clock)),
    ]
    return [(name, value) for name, value in found if value]


def _due(clock: ClockView | None) -> str:
    if clock is None:
        return "–"
    marks = {"paused": "（暂停）", "stopped": "（已停）"}.get(clock.state, "")
    late = "（逾期）" if clock.is_overdue else ""
    return _moment(clock.due_at) + marks + late + ("（暂定）" if clock.is_provisional else "")


def _said(event: Event, comment: str) -> str:
    state_machine = Tickets.state_machine()
    what = f"{state_machine.event_label(event.event)} {event.name}（{event.department}）"
    stated = [
        f"{state_machine.facts[name]}：{value}" for name, value in event.facts.items() if isinstance(value, str | int)
    ]
    return "  ".join([what, *stated, comment]).rstrip()


def _fact(text: str) -> tuple[str, str | int]:
    name, equals, value = text.partition("=")
    if not equals:
        raise typer.BadParameter(f"--fact {text}: write NAME=VALUE, such as until=2026-06-30")
    return name, int(value) if name == "days" and value.isdigit() else value


def _moment(at: datetime) -> str:
    return f"{at.astimezone(ZoneInfo(settings().timezone)):%Y-%m-%d %H:%M}"
