"""The policies of tickets: state machine, clock table, and the calendar with the loaded years."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
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
from jobs.errors import SetupError
from jobs.model.actor import Actor

Owners = Callable[[], Mapping[str, str]]
"""Dataset → the department whose data it is, by contract."""
Check = Callable[[str, str], Sequence[str]]
"""Subject and content of a document → what is missing, in Chinese."""
Checks = Mapping[str, Check]
"""By the names that steps of the state machine use."""


@dataclass(frozen=True)
class Policies:
    """Possible transitions, time limits, the owner of each dataset, and the checks of documents."""

    state_machine: StateMachine
    keeper: Timekeeper
    owners: Owners
    checks: Checks = field(default_factory=dict)

    def check(self, name: str) -> Check:
        """The check of that name; SetupError where the caller brought none, so that no step is taken unchecked."""
        if name not in self.checks:
            raise SetupError(f"no check '{name}' was given to the tickets")
        return self.checks[name]


def policies(session: Session, zone: ZoneInfo, owners: Owners, checks: Checks) -> Policies:
    """The shipped files, with the calendar of this database."""
    return Policies(state_machine(), Timekeeper(calendar(session), clock_table(), zone), owners, checks)


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
