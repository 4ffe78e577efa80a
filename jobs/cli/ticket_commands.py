"""lake tickets list | show | move | remind, lake calendar load, lake clocks: tickets and their deadlines."""

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
from jobs.pipeline.document_checks import document_checks
from jobs.settings import load as settings

PANEL = "Tickets"
Id = Annotated[str, typer.Argument(help="Id of a ticket; `lake tickets list` lists them.")]
Role = Annotated[str, typer.Option(help="Role in which you act, such as reporter, approver, quality_officer.")]
Department = Annotated[str, typer.Option("--department", "-p", help="Your department, as in the contracts.")]
tickets = typer.Typer(no_args_is_help=True, help="List and move tickets. 查看和办理工单。")
calendar = typer.Typer(no_args_is_help=True, help="Holidays and make-up days. 节假日和调休。")


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    for name, group in (("tickets", tickets), ("calendar", calendar)):
        app.add_typer(group, name=name, rich_help_panel=PANEL)
    app.command(rich_help_panel=PANEL)(clocks)


@tickets.command("list")
def list_(
    state: Annotated[list[str] | None, typer.Option(help="Only tickets in these states, such as dispatched.")] = None,
    text: Annotated[str, typer.Option(help="Only tickets whose id, dataset, rule, field or message contains it.")] = "",
    overdue: Annotated[bool, typer.Option("--overdue", help="Only overdue tickets.")] = False,
    every: Annotated[bool, typer.Option("--all", help="Include closed tickets.")] = False,
    page: Annotated[int, typer.Option(min=1)] = 1,
    role: Role = "quality_officer",
    department: Department = "bureau",
) -> None:
    """List the tickets that you may see, newest first; a department sees its own.

    Example: `lake tickets list --overdue` · `lake tickets list --role approver --department civil_affairs`
    """
    query = TicketQuery(states=state or (), text=text, is_overdue=overdue, is_open=not every and not state, page=page)
    with opened(settings()) as store:
        ticket_page = store.tickets(Actor(role, department, ""), query, datetime.now(UTC))
    table = Table()
    table.add_column("ticket / 工单", no_wrap=True)
    for name in ("state / 状态", "provider / 单位", "rule / 规则", "rows / 行", "due / 到期"):
        table.add_column(name, overflow="fold")
    for ticket in ticket_page.tickets:
        rows = f"{ticket.remaining_rows:,} / {ticket.failed_rows:,}"
        table.add_row(
            ticket.id,
            ticket.label,
            ticket.provider,
            f"{ticket.dataset}.{ticket.rule or ticket.field}",
            rows,
            _due(ticket.clock),
        )
    Console().print(table)
    typer.echo(f"{len(ticket_page.tickets):,} of {ticket_page.total:,} tickets, page {ticket_page.page} / 条工单")


@tickets.command()
def show(ticket: Id, role: Role = "quality_officer", department: Department = "bureau") -> None:
    """Show a ticket: what is wrong, how to correct it, its clock, and its history.

    Example: `lake tickets show T-000001`
    """
    actor = Actor(role, department, "")
    with opened(settings()) as store:
        shown_ticket, events = store.ticket(ticket, actor, datetime.now(UTC)), store.events(ticket, actor)
        comments = {event.seq: text for event, text in store.comments(ticket, actor)}
    for name, value in _lines(shown_ticket):
        typer.echo(f"{name}  {value}")
    for event in events:
        typer.echo(f"  {_moment(event.at)}  {_event_line(event, comments.get(event.seq, ''))}")


@tickets.command()
def move(
    ticket: Id,
    event: Annotated[str, typer.Argument(help="Transition, such as sign, start, dispute, transfer.")],
    name: Annotated[str, typer.Option(help="Your name.")],
    seen: Annotated[int, typer.Option(help="Version shown by `lake tickets show`.")],
    role: Role = "quality_officer",
    department: Department = "bureau",
    reason: Annotated[str, typer.Option(help="Why.")] = "",
    fact: Annotated[
        list[str] | None, typer.Option(help="Further facts that the transition needs, such as until=2026-06-30.")
    ] = None,
) -> None:
    """Move a ticket to another state. Rejects invalid transitions, and names the valid ones.

    Example: `lake tickets move T-000001 sign --seen 2 --name 张三 --role reporter --department civil_affairs`
    """
    facts = dict(_fact(text) for text in fact or ())
    config = settings()
    checks = document_checks(lambda: contracts.load_usable(config.schemas, config.expectations))
    with opened(config, checks=checks) as store:
        moved = store.move(
            ticket, event, Actor(role, department, name), seen, datetime.now(UTC), reason=reason, facts=facts
        )
    typer.echo(f"{moved.id}  {moved.label}  version / 版本 {moved.version}  due / 到期 {_due(moved.clock)}")


@tickets.command("request")
def request_(
    dataset: Annotated[str, typer.Option("--dataset", "-d", help="Dataset that holds the record.")],
    record: Annotated[str, typer.Option(help="Which record: its key. Both parties and the bureau see it.")],
    message: Annotated[str, typer.Option(help="What is wrong, and what would be right.")],
    evidence: Annotated[str, typer.Option(help="Proof: a document and its number.")],
    department: Department,
    name: Annotated[str, typer.Option(help="Your name.")],
    field: Annotated[str, typer.Option(help="Field that is wrong.")] = "",
    objection: Annotated[
        bool, typer.Option("--objection", help="On behalf of the person whom the record is about.")
    ] = False,
    role: Role = "reporter",
) -> None:
    """Report a wrong record: a correction request (校核申请) of a department, or a citizen's objection (异议).

    The source department has ten working days to verify, correct and reply.

    Example: `lake tickets request -d admin_permits --record 第0001号 --message 更名 --evidence 通知书 -p market_regulation --name 张三`
    """
    config = settings()
    contract = contracts.load_usable(config.schemas, config.expectations).contract(dataset)
    kind: Literal["correction", "objection"] = "objection" if objection else "correction"
    request = Request(kind, dataset, contract.provider, department, field, record, message, evidence)
    with opened(config) as store:
        typer.echo(store.requested(request, Actor(role, department, name), datetime.now(UTC)))


@tickets.command("workbook")
def workbook_(
    ticket: Id,
    out: Annotated[Path, typer.Option(help="Where the workbook is written.")],
    role: Role = "quality_officer",
    department: Department = "bureau",
) -> None:
    """Write the ticket's workbook: what is wrong row by row; for its owner also the rows as sent, to be corrected there.

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
    """Send a filled workbook, or a corrected file, as the redelivery of a ticket. It is evaluated like any delivery.

    Example: `lake tickets answer T-000001 T-000001.xlsx --name 张三 --department civil_affairs`
    """
    typer.echo(steps.answer_ticket(settings(), ticket, Actor(role, department, name), file))


@tickets.command("remind")
def remind_departments() -> None:
    """Remind each department of what is due: once at 50, 80 and 100 % of the time limit, one message for all its tickets.

    Before that, expired waivers are revoked and overdue tickets escalated. Notices go to the portal, and to mail, WeCom and
    DingTalk where configured. Exit code 5 where a channel did not accept a message; the next run tries it again.

    Example: `lake tickets remind`
    """
    notices = remind(settings(), datetime.now(UTC))
    for notice in notices:
        typer.echo(f"{notice.channel} → {notice.department}: {notice.error or f'{notice.tickets:,} tickets / 个工单'}")
    if not notices:
        typer.echo("no reminders due / 没有需要提醒的")
    if any(notice.error for notice in notices):
        raise typer.Exit(ServiceUnavailable.exit_code)


@calendar.command("load")
def load_calendar(
    file: Annotated[Path, typer.Argument(help="YAML file of a year's holidays and make-up days.")],
    name: Annotated[str, typer.Option(help="Your name.")] = "operator",
) -> None:
    """Load a year's holidays; due dates that depend on them are recomputed.

    The file: `year`, `source`, `holidays` (each name, from, to), `workdays` (each name, day).

    Example: `lake calendar load 2027.yaml`
    """
    year = load_year(file)
    with opened(settings()) as store:
        moved_due_times = store.calendar_loaded(year, Actor("operator", "bureau", name), datetime.now(UTC))
    days = f"{len(year.holidays)} days off, {len(year.workdays)} make-up days"
    typer.echo(f"{year.year}: {days}; {moved_due_times:,} due times moved / 个到期时间已重算")


def clocks() -> None:
    """List the time limits with their legal basis, and the years whose holidays are known.

    Example: `lake clocks`
    """
    table = Table()
    table.add_column("id", no_wrap=True)
    for name in (
        "subject / 事项",
        "applies to / 适用",
        "length / 时限",
        "extension / 延期",
        "basis / 依据",
        "confidence",
    ):
        table.add_column(name, overflow="fold")
    for clock in clock_table().clocks:
        applies_to = ", ".join(clock.when.named().values())
        extension = f"{clock.extension.id} +{clock.extension.length} {UNITS[clock.unit]}" if clock.extension else "–"
        table.add_row(clock.id, clock.title, applies_to, clock.words(), extension, clock.citation, clock.confidence)
    Console().print(table)
    with opened(settings()) as store:
        years = sorted(store.calendar().years)
    typer.echo(
        f"holidays known / 已有节假日安排: {years[0]}–{years[-1]}; other years count Monday to Friday, due dates are provisional"
    )


def _lines(ticket: Ticket) -> list[tuple[str, str]]:
    lines = [
        ("ticket / 工单", f"{ticket.id}  {ticket.label}  version / 版本 {ticket.version}"),
        ("provider / 单位", ticket.provider),
        ("issue / 问题", f"{ticket.dataset}.{ticket.rule or ticket.field}  {ticket.message}"),
        ("remedy / 改法", ticket.remedy),
        ("basis / 依据", ticket.basis),
        ("record / 记录", ticket.record),
        ("rows / 行", f"{ticket.remaining_rows:,} of {ticket.failed_rows:,} remain / 未改正"),
        ("due / 到期", _due(ticket.clock)),
    ]
    return [(name, value) for name, value in lines if value]


def _due(clock: ClockView | None) -> str:
    if clock is None:
        return "–"
    marks = {"paused": "（暂停）", "stopped": "（已停）"}.get(clock.state, "")
    late = "（逾期）" if clock.is_overdue else ""
    return _moment(clock.due_at) + marks + late + ("（暂定）" if clock.is_provisional else "")


def _event_line(event: Event, comment: str) -> str:
    state_machine = Tickets.state_machine()
    transition = f"{state_machine.event_label(event.event)} {event.name}（{event.department}）"
    facts = [
        f"{state_machine.facts[name]}：{value}" for name, value in event.facts.items() if isinstance(value, str | int)
    ]
    return "  ".join([transition, *facts, comment]).rstrip()


def _fact(text: str) -> tuple[str, str | int]:
    name, equals, value = text.partition("=")
    if not equals:
        raise typer.BadParameter(f"--fact {text}: write NAME=VALUE, such as until=2026-06-30")
    return name, int(value) if name == "days" and value.isdigit() else value


def _moment(at: datetime) -> str:
    return f"{at.astimezone(ZoneInfo(settings().timezone)):%Y-%m-%d %H:%M}"
