"""Ticket commands: list, show, move; audit verify; calendar load."""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import update
from typer.testing import CliRunner, Result

from jobs.cli import app
from jobs.collaboration.ticket_tables import EventRow
from jobs.collaboration.tickets import Tickets
from jobs.errors import LakeError
from jobs.lake.database import Database
from jobs.serving.access_log import Access, AccessLog
from jobs.settings import load
from tests.unit.collaboration.samples import ISSUE, OFFICER, owners
from tests.unit.collaboration.test_working_days import YEAR_2027

Typed = Callable[..., Result]


@pytest.fixture
def tickets(made_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Tickets]:
    """Tickets of a department and of a company, in the database that the commands open."""
    monkeypatch.setenv("LAKE_DATABASE_URL", made_url)
    load.cache_clear()
    database = Database(made_url)
    store = Tickets(database, owners)
    store.found([ISSUE, replace(ISSUE, provider="liaocheng_gas", dataset="gas", delivery="gas-1")], datetime.now(UTC))
    yield store
    database.close()
    load.cache_clear()


def typed(*words: str) -> Result:
    return CliRunner().invoke(app, list(words), terminal_width=200)


def test_a_department_lists_its_own_tickets_only(tickets: Tickets) -> None:
    everything = typed("tickets", "list").output
    assert "T-000001" in everything and "T-000002" in everything and "2 of 2 tickets" in everything
    own = typed("tickets", "list", "--role", "approver", "--department", "liaocheng_gas").output
    assert "T-000001" not in own and "T-000002" in own
    assert "0 of 0 tickets" in typed("tickets", "list", "--overdue").output
    assert "0 of 0 tickets" in typed("tickets", "list", "--state", "closed").output


def test_a_ticket_is_shown_moved_and_shown_again(tickets: Tickets) -> None:
    shown = typed("tickets", "show", "T-000001").output
    version = re.search(r"版本 (\d+)", shown)
    assert version and "「名称」不能为空" in shown and "派单 数据湖" in shown
    who = ("--name", "张三", "--role", "reporter", "--department", "civil_affairs")
    signed = typed("tickets", "move", "T-000001", "sign", "--seen", version[1], *who)
    assert "已签收" in signed.output
    outdated = typed("tickets", "move", "T-000001", "start", "--seen", version[1], *who)
    assert isinstance(outdated.exception, LakeError) and "已由张三" in str(outdated.exception)
    officer = ("--name", "王五", "--reason", "系统升级")
    facts = ("--fact", "approver=分管负责人", "--fact", "days=2")
    assert typed("tickets", "move", "T-000001", "extend", "--seen", "3", *officer, *facts).exit_code == 0
    text = typed("tickets", "show", "T-000001").output
    assert "延期 王五（bureau）" in text and "延长数量：2" in text and "理由：系统升级" in text


def test_facts_are_written_as_name_and_value(tickets: Tickets) -> None:
    wrong = typed("tickets", "move", "T-000001", "waive", "--seen", "2", "--name", "x", "--fact", "until")
    assert wrong.exit_code == 2 and "NAME=VALUE" in wrong.output


def test_a_chain_is_verified_and_a_change_is_reported(tickets: Tickets, made_url: str) -> None:
    intact = typed("audit", "verify")
    assert intact.exit_code == 0 and "4 events, intact" in intact.output
    noted, noted_access = [line for line in intact.output.splitlines() if ":" in line]
    assert noted_access == "0:" + "0" * 64 and "0 accesses to sensitive data, intact" in intact.output
    assert typed("audit", "verify", "--noted", noted).exit_code == 0
    assert typed("audit", "verify", "--noted", "9:" + "0" * 64).exit_code == 1
    assert typed("audit", "verify", "--noted", "nine").exit_code == 2
    AccessLog(tickets.database).add(
        OFFICER, Access("workbook", "工单 T-000001", "divisions", "L3", "整改"), datetime.now(UTC)
    )
    extended = typed("audit", "verify", "--noted-access", noted_access)
    assert extended.exit_code == 0 and "1 accesses to sensitive data, intact" in extended.output
    assert typed("audit", "verify", "--noted-access", "9:" + "0" * 64).exit_code == 1
    with tickets.database.session() as session:
        session.execute(update(EventRow).where(EventRow.seq == 2).values(name="别人"))
    tampered = typed("audit", "verify")
    assert tampered.exit_code == 1 and "事件 2 T-000001" in tampered.output


def test_a_year_is_loaded_and_the_clocks_name_their_laws(tickets: Tickets, tmp_path: Path) -> None:
    file = tmp_path / "2027.yaml"
    file.write_text(YEAR_2027, "utf-8")
    assert "2027: 10 days off, 1 make-up days" in typed("calendar", "load", str(file)).output
    shown = typed("clocks").output
    assert "2004–2027" in shown and "C13" in shown and "24 小时" in shown
    file.write_text("year: 2027\n", "utf-8")
    assert isinstance(typed("calendar", "load", str(file)).exception, LakeError)


def test_reminders_are_sent_once(tickets: Tickets) -> None:
    assert "no reminders due" in typed("tickets", "remind").output
    old = datetime(2026, 1, 5, tzinfo=UTC)
    tickets.found([replace(ISSUE, field="old", delivery="old-1")], old)
    first = typed("tickets", "remind")
    assert first.exit_code == 0 and "portal → civil_affairs: 1 tickets" in first.output
    assert "no reminders due" in typed("tickets", "remind").output
