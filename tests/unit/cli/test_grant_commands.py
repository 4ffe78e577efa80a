"""Grants and limits by command: given, listed, ended; who may not, and days that are none."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from typer.testing import CliRunner, Result

from jobs.cli import app
from jobs.errors import NotAllowed, UserError
from jobs.lake.database import Database
from jobs.serving.access_log import AccessLog
from jobs.serving.accounts import Accounts, Person
from jobs.settings import load

OWNER = ("--by", "王审核", "-p", "hotline_12345")
GIVEN = ("grants", "add", "hotline_orders", "--to", "civil_affairs", "--purpose", "低保核查", "--until", "2099-12-31")


@pytest.fixture
def database(made_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    """The database that the commands open."""
    monkeypatch.setenv("LAKE_DATABASE_URL", made_url)
    load.cache_clear()
    made = Database(made_url)
    yield made
    made.close()
    load.cache_clear()


def typed(*words: str) -> Result:
    return CliRunner().invoke(app, list(words), terminal_width=200)


def test_a_grant_is_given_until_the_end_of_a_day_listed_and_ended(database: Database) -> None:
    assert "1: 依授权 1，用途：低保核查，有效至 2100-01-01 00:00" in typed(*GIVEN, *OWNER).output
    listed = typed("grants", "list").output
    assert "hotline_orders" in listed and "低保核查" in listed and "已终止" not in listed
    assert "1: ended" in typed("grants", "end", "1", *OWNER).output
    assert "已终止" in typed("grants", "list").output
    rows, _ = AccessLog(database).rows(1, 10)
    assert [row.access.action for row in rows] == ["end_grant", "grant"]


@pytest.mark.parametrize(
    ("words", "error"),
    [
        ((*GIVEN, "--by", "某人", "-p", "civil_affairs"), NotAllowed),
        ((*GIVEN, *OWNER, "--role", "reporter"), NotAllowed),
        ((*GIVEN[:-1], "31.12.2099", *OWNER), UserError),
        ((*GIVEN[:-1], "2020-01-01", *OWNER), UserError),
        (("grants", "end", "9", *OWNER), UserError),
    ],
)
def test_what_is_refused_is_not_given(database: Database, words: tuple[str, ...], error: type[Exception]) -> None:
    assert isinstance(typed(*words).exception, error)
    assert AccessLog(database).rows(1, 10)[1] == 0


def test_limits_of_an_account_are_set_and_removed(database: Database) -> None:
    Accounts(database).add(Person("zhou", "analyst", "bureau"), datetime.now(UTC), "unguessable")
    shown = typed("sql-service", "limit", "zhou", "--memory", "2GiB", "--seconds", "300").output
    assert "zhou" in shown and "2GiB" in shown and "300" in shown
    assert "2GiB" not in typed("sql-service", "limit", "zhou").output
    assert isinstance(typed("sql-service", "limit", "nobody", "--rows", "5").exception, UserError)
