"""What people write in requests, steps and comments: outsiders can neither read nor search personal numbers in it."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from jobs.access.personal_numbers import masked_lines
from jobs.collaboration.channels import PortalNotices as NoticeBoard
from jobs.collaboration.reminders import Digest, DigestLine
from jobs.collaboration.ticket_queries import TicketQuery
from jobs.collaboration.tickets import Tickets
from jobs.model.actor import Actor
from jobs.serving.portal.app import create_app
from tests.unit.collaboration.samples import APPROVER, ASKER, CORRECTION, LEADER, OFFICER, at, moved
from tests.unit.serving.portal.asgi_requests import routes
from tests.unit.serving.portal.portal_city import PEOPLE_ACTORS, Browser, City, city, delivered

NUMBER, PHONE, CARD = "371502200003070014", "13806351234", "6222021612345678901"
WRITTEN = replace(
    CORRECTION,
    record=NUMBER,
    field=f"姓名 {NUMBER}",
    message=f"{NUMBER} 的姓名不对\r\n电话 {PHONE}",
    evidence=f"卡号 {CARD}",
)
NOW = at("2026-01-12")
PARTIES = (ASKER, APPROVER, OFFICER)
OUTSIDERS = (LEADER, *(Actor(role, "bureau", "x") for role in ("auditor", "analyst", "operator")))
ROLES = ("leader", "auditor", "analyst", "operator")


def holds_a_number(text: str) -> bool:
    return any(number in text for number in (NUMBER, PHONE, CARD))


def test_only_the_parties_and_the_officer_read_what_was_written_as_it_was_written(tickets: Tickets) -> None:
    asked = tickets.requested(WRITTEN, ASKER, NOW)
    tickets.commented(asked, ASKER, f"请电 {PHONE}", NOW)
    moved(tickets, asked, "confirm:officer dispatch:officer", NOW, reason=f"见 {NUMBER}")
    for actor in (*PARTIES, *OUTSIDERS):
        page = tickets.tickets(actor, TicketQuery(), NOW).tickets
        said = [
            *page,
            tickets.ticket(asked, actor, NOW),
            *tickets.events(asked, actor),
            *tickets.comments(asked, actor),
        ]
        assert holds_a_number(repr(said)) is (actor in PARTIES), actor
        assert "的姓名不对" in repr(said)


def test_a_department_that_only_works_on_a_request_reads_no_numbers(tickets: Tickets) -> None:
    asked = tickets.requested(WRITTEN, ASKER, NOW)
    moved(tickets, asked, "confirm:officer dispatch:officer transfer:officer", NOW, provider="hotline_12345")
    worker = replace(APPROVER, department="hotline_12345")
    (seen,) = tickets.tickets(worker, TicketQuery(), NOW).tickets
    assert "的姓名不对" in seen.message and not holds_a_number(repr([seen, tickets.events(asked, worker)]))
    assert tickets.tickets(worker, TicketQuery(text=NUMBER), NOW).total == 0
    assert tickets.tickets(APPROVER, TicketQuery(text=NUMBER), NOW).total == 1, "whose data it is"


@pytest.mark.parametrize("text", [NUMBER, "371502", "0014", PHONE, "1380", "３７１５", "4 的"])
def test_numbers_in_what_was_written_are_found_by_those_alone_who_read_them(tickets: Tickets, text: str) -> None:
    asked = tickets.requested(replace(WRITTEN, message=f"{NUMBER} 的 {PHONE} ３７１５", field=""), ASKER, NOW)
    for actor in (*PARTIES, *OUTSIDERS):
        found = tickets.tickets(actor, TicketQuery(text=text), NOW)
        assert (found.total == 1) is (actor in PARTIES), (actor, asked)


def test_words_in_what_was_written_are_found_by_all_and_numbers_of_tickets_too(tickets: Tickets, one: str) -> None:
    asked = tickets.requested(WRITTEN, ASKER, NOW)
    for actor in (*PARTIES, *OUTSIDERS):
        assert [t.id for t in tickets.tickets(actor, TicketQuery(text="的姓名不对"), NOW).tickets] == [asked]
        assert [t.id for t in tickets.tickets(actor, TicketQuery(text=asked), NOW).tickets] == [asked]


def test_reminders_quote_nothing_that_somebody_wrote(tickets: Tickets) -> None:
    asked = tickets.requested(WRITTEN, ASKER, NOW)
    moved(tickets, asked, "confirm:officer dispatch:officer", NOW)
    digests = tickets.reminders(at("2026-01-26"), "box")
    assert digests and asked in repr(digests)
    assert not holds_a_number(repr(digests)) and "姓名不对" not in repr(digests) and "校核申请" in repr(digests)


def test_lines_stay_lines_and_a_number_is_no_safer_for_a_break_in_it() -> None:
    assert masked_lines("第一行\r\n第二行") == "第一行\n第二行"
    assert NUMBER[6:14] not in masked_lines(f"{NUMBER[:8]}\n{NUMBER[8:]}").replace("\n", "")


@pytest.fixture
def town(made_sqlite: Path, tmp_path: Path) -> Iterator[City]:
    (tmp_path / "state.db").write_bytes(made_sqlite.read_bytes())
    made = city(tmp_path, f"sqlite:///{tmp_path / 'state.db'}")
    yield made
    made.portal.tickets.database.close()
    made.portal.lake.ledger.close()


def test_no_page_shows_an_outsider_what_was_written(town: City) -> None:
    asked = town.portal.tickets.requested(replace(WRITTEN, requester="liaocheng_gas"), PEOPLE_ACTORS["stranger"], NOW)
    town.portal.tickets.commented(asked, PEOPLE_ACTORS["stranger"], f"请电 {PHONE}", NOW)
    paths = {one.path for one in routes(create_app(town.portal)) if "GET" in (getattr(one, "methods", None) or ())}
    known = {"{ticket_id}": asked, "{provider}": "civil_affairs", "{dataset}": "divisions", "{delivery_id}": "d"}
    for who in ROLES:
        browser = Browser(town.portal, who)
        for path in sorted(paths):
            for name, value in known.items():
                path = path.replace(name, value)
            for query in ("", "?show=all", "?show=all&q=姓名", "?q=姓名"):
                assert not holds_a_number(browser.get(path + query).text), (who, path, query)
        for query in (NUMBER, NUMBER[:6], PHONE[:5]):
            for path in ("/search?q=", "/tickets?show=all&q="):
                assert asked not in browser.get(path + query).text, (who, path, query)
        tickets = json.dumps(browser.get("/api/tickets?show=all").json(), ensure_ascii=False)
        assert asked in tickets and "的姓名不对" in tickets


def test_a_number_in_a_file_name_is_found_by_its_sender_alone(town: City) -> None:
    name = f"received/civil_affairs/divisions/x/{NUMBER}.csv"
    delivery = delivered(town, "divisions", name=name)
    for who, finds in (("own", True), ("officer", False), ("leader", False)):
        for text in (NUMBER, NUMBER[4:9]):
            assert (delivery in Browser(town.portal, who).get(f"/search?q={text}").text) is finds, who


def test_older_notices_are_shown_without_the_numbers_that_they_quote(town: City) -> None:
    line = DigestLine("T-000001", 1, (50,), NOW, False, f"T-000001：{NUMBER} 的姓名不对，电话 {PHONE}")
    NoticeBoard(town.portal.tickets.database, NOW).send(Digest("bureau", "提醒", (line,)))
    for path in ("/notices", "/api/notices"):
        page = Browser(town.portal, "leader").get(path).text
        assert "的姓名不对" in page and not holds_a_number(page)
