"""What the portal says in Chinese: how much time is left, in which state things are, numbers and moments."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import func, select

from jobs.access.grants import GrantState
from jobs.access.masking import titles
from jobs.access.roles import grade_labels, role_label, view_words
from jobs.catalogue.lists import cycle
from jobs.collaboration import Tickets
from jobs.collaboration.clock_table import UNITS
from jobs.collaboration.ticket_tables import NoticeRow
from jobs.contracts import Contract
from jobs.model.actor import Actor
from jobs.model.delivery import STATE_WORDS, State
from jobs.model.ticket import ClockView, Event, Ticket
from jobs.reporting import figures
from jobs.reporting.labels import MARKS, SEVERITIES, TONES, indicator
from jobs.reporting.pages import Badge, Link, Table, table
from jobs.serving.access_log import WAYS
from jobs.serving.portal.context import Portal
from jobs.serving.portal.services.samples import Sample

TICKET_ID = re.compile(r"(T-\d{6,})")
SAMPLED = 5
SOON = 2
"""So much time left, in the clock's unit, is little."""

SEVERITY_TONES: Mapping[str, tuple[str, str]] = {
    "critical": ("bad", "✕"),
    "warning": ("part", "△"),
    "info": ("wait", "○"),
}
TICKET_TONES: Mapping[str, tuple[str, str]] = {
    "running": ("part", "△"),
    "paused": ("wait", "‖"),
    "none": ("wait", "○"),
    "stopped": ("good", "✓"),
}
GRANT_BADGES: Mapping[GrantState, Badge] = {
    GrantState.VALID: Badge("有效", "✓", "good"),
    GrantState.ENDED: Badge("已终止", "✕", "wait"),
    GrantState.EXPIRED: Badge("已到期", "○", "wait"),
}
GRADES: Mapping[str, str] = {grade: f"{grade} {label}" for grade, label in grade_labels().items()}
TYPES: Mapping[str, str] = {
    "string": "文本",
    "integer": "整数",
    "number": "数字",
    "boolean": "是/否",
    "date": "日期",
    "timestamp": "日期时间",
}


def moment(at: datetime | None, zone: ZoneInfo) -> str:
    """A moment to the minute, in local time."""
    return figures.NONE if at is None else f"{at.astimezone(zone):%Y-%m-%d %H:%M}"


def count(value: float | None) -> str:
    """A number with thousands separators."""
    return figures.NONE if value is None else f"{value:,.0f}"


def score(value: float | None) -> str:
    """A score with two decimals."""
    return figures.score(value)


def due(clock: ClockView | None, zone: ZoneInfo) -> str:
    """The day on which a clock ends, and whether holidays before it are not decreed yet."""
    if clock is None:
        return "未计时"
    at = clock.due_at.astimezone(zone)
    day = f"{at:%Y-%m-%d %H:%M}" if clock.unit == "hours" else f"{at:%Y-%m-%d}"
    return day + ("（暂定：该年放假安排尚未录入）" if clock.is_provisional else "")


def remaining_badge(clock: ClockView | None) -> Badge:
    """How much time is left, by word, mark and tone."""
    if clock is None:
        return Badge("未计时", "○", "wait")
    unit = UNITS[clock.unit]  # type: ignore[index]
    if clock.state == "stopped":
        return Badge(f"已停止，用时 {clock.net:g} {unit}", "✓", "good") if not clock.is_overdue else _late(clock, unit)
    if clock.is_overdue:
        return _late(clock, unit)
    if clock.state == "paused":
        return Badge(f"暂停计时，还剩 {clock.left():.0f} {unit}", "‖", "wait")
    if clock.left() < 1:
        return Badge("今天到期" if clock.unit != "hours" else "一小时内到期", "△", "part")
    mark, tone = ("△", "part") if clock.left() <= SOON else ("✓", "good")
    return Badge(f"还剩 {clock.left():.0f} {unit}", mark, tone)


def _late(clock: ClockView, unit: str) -> Badge:
    over = -clock.left()
    word = "已超期" if clock.state != "stopped" else "超期办结，超"
    return Badge(f"{word} {over:.0f} {unit}" if over >= 1 else word.rstrip("，超"), "✕", "bad")


def ticket_state(ticket: Ticket) -> Badge:
    """A ticket's state as a badge."""
    state_machine = Tickets.state_machine()
    tone, mark = TICKET_TONES[state_machine.face(ticket.kind, ticket.state).clock]
    return Badge(ticket.label, mark, tone)


def severity(name: str) -> Badge:
    """A severity as a badge; of requests, which have none, a dash."""
    tone, mark = SEVERITY_TONES.get(name, ("wait", ""))
    return Badge(SEVERITIES.get(name, figures.NONE), mark, tone)


def delivery_state(state: State) -> Badge:
    """A delivery's state as a badge."""
    return Badge(STATE_WORDS[state], MARKS[state], TONES[state])


def role(name: str) -> str:
    """A role in Chinese."""
    return role_label(name)


def kind(name: str) -> str:
    """A kind of tickets in Chinese."""
    return Tickets.state_machine().kinds.get(name, name)


def event(name: str) -> str:
    """An event in Chinese."""
    return Tickets.state_machine().events.get(name, name)


def stated(happened: Event) -> list[tuple[str, str]]:
    """The stated facts of an event, with Chinese names; numbers of a proof in one line."""
    state_machine, lines = Tickets.state_machine(), []
    for name, value in happened.facts.items():
        if name == "content":  # shown as what it changes
            continue
        if name == "ground":
            value = state_machine.grounds.get(str(value), value)
        if isinstance(value, Mapping):
            value = f"检查 {value['checked']:,}，已改正 {value['mended']:,}，未改正 {value['remaining']:,}，未报 {value['absent']:,}"
        lines.append((state_machine.facts.get(name, name), str(value)))
    return lines


def in_groups(events: Sequence[Event]) -> list[list[Event]]:
    """The events, with what the system notes in a row for one delivery, or of one kind, as one group."""
    groups: list[list[Event]] = []
    for happened in events:
        if groups and _belongs(groups[-1][-1], happened):
            groups[-1].append(happened)
        else:
            groups.append([happened])
    return groups


def _belongs(before: Event, after: Event) -> bool:
    if before.role != "machine" or after.role != "machine":
        return False
    is_one_delivery = before.facts.get("delivery") is not None and before.facts["delivery"] == after.facts.get(
        "delivery"
    )
    return before.event == after.event or is_one_delivery


def ticket_links(text: str) -> list[str | Link]:
    """The text in pieces, ids of tickets as links to them."""
    pieces = TICKET_ID.split(text)
    return [Link(piece, f"/tickets/{piece}") if index % 2 else piece for index, piece in enumerate(pieces)]


def unread(portal: Portal, actor: Actor) -> int:
    """How many notices the actor's department has not read."""
    mine = (NoticeRow.department == actor.department, NoticeRow.read_at.is_(None))
    with portal.tickets.database.session() as session:
        return session.scalar(select(func.count()).select_from(NoticeRow).where(*mine)) or 0


def fields_of(contract: Contract | None, names: str) -> str:
    """Chinese names of fields, written one after the other with commas."""
    return titles(tuple(name for name in names.split(",") if name), contract)


def sample_table(sample: Sample) -> Table:
    """A sample as a table of the reports."""
    numeric = [i for i, name in enumerate(sample.head) if name == "行号"]
    return table(f"前 {len(sample.rows)} 行", sample.head, sample.rows, numeric)


def sample_tables(sample: Sample) -> tuple[Table, Table | None]:
    """The first rows of a sample, and the others, if there are any."""
    if len(sample.rows) <= SAMPLED:
        return sample_table(sample), None
    rest = replace(sample, rows=sample.rows[SAMPLED:])
    return sample_table(replace(sample, rows=sample.rows[:SAMPLED])), replace(sample_table(rest), caption="其余各行")


def choices(contracts: Sequence[Contract]) -> list[tuple[str, str]]:
    """Datasets to choose from."""
    return [(c.id, c.title) for c in contracts]


FOR_TEMPLATES: Mapping[str, Callable[..., object] | Mapping[str, str]] = {
    "due": due,
    "left": remaining_badge,
    "ticket_state": ticket_state,
    "severity": severity,
    "delivery_state": delivery_state,
    "role": role,
    "kind": kind,
    "event": event,
    "stated": stated,
    "in_groups": in_groups,
    "ticket_links": ticket_links,
    "choices": choices,
    "indicator": indicator,
    "fields_of": fields_of,
    "sample_table": sample_table,
    "sample_tables": sample_tables,
    "cycle": cycle,
    "units": dict(UNITS),  # type: ignore[arg-type]
    "grades": GRADES,
    "types": TYPES,
    "ways": WAYS,
    "grant_badges": GRANT_BADGES,  # type: ignore[dict-item]
    "view_words": view_words,
}
