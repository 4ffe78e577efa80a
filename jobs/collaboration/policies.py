"""The policies of tickets: state machine, clock table, and the calendar with the loaded years."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from jobs.collaboration.clock_table import clock_table
from jobs.collaboration.clocks import Timekeeper
from jobs.collaboration.state_machine import StateMachine
from jobs.collaboration.state_machine_file import state_machine
from jobs.collaboration.ticket_tables import CalendarYearRow
from jobs.collaboration.working_days import CalendarYear, WorkingDays, package_calendar
from jobs.model.actor import Actor

Owners = Callable[[], Mapping[str, str]]
"""Dataset → the department whose data it is, by contract."""


@dataclass(frozen=True)
class Policies:
    """Possible transitions, time limits, and the owner of each dataset."""

    state_machine: StateMachine
    keeper: Timekeeper
    owners: Owners


def policies(session: Session, zone: ZoneInfo, owners: Owners) -> Policies:
    """The shipped files, with the calendar of this database."""
    return Policies(state_machine(), Timekeeper(calendar(session), clock_table(), zone), owners)


def calendar(session: Session) -> WorkingDays:
    """The package's years, overridden by those that an operator loaded."""
    rows = session.scalars(select(CalendarYearRow).order_by(CalendarYearRow.year))
    return package_calendar().with_years(
        CalendarYear(row.year, row.source, _days(row.holidays), _days(row.workdays)) for row in rows
    )


def keep_year(session: Session, year: CalendarYear, who: Actor, at: datetime) -> None:
    """Store a year, replacing an earlier version."""
    holidays = {str(day): name for day, name in year.holidays.items()}
    workdays = {str(day): name for day, name in year.workdays.items()}
    session.merge(
        CalendarYearRow(
            year=year.year, source=year.source, holidays=holidays, workdays=workdays, loaded_at=at, loaded_by=who.name
        )
    )


def _days(named: dict[str, str]) -> dict[date, str]:
    return {date.fromisoformat(day): name for day, name in named.items()}
