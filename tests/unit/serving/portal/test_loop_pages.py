"""Numbers of the loop on the pages of the city and of departments: each leads to the very tickets that it counts."""

import re
from collections.abc import Iterator
from dataclasses import replace
from html import unescape
from pathlib import Path

import pytest

from jobs.collaboration import Cutoff, Loop
from jobs.serving import cache
from jobs.serving.portal.routes import loop_pages
from tests.unit.collaboration.samples import WHOLE, at, moved
from tests.unit.serving.portal.portal_city import Browser, City, an_issue, city

NUMBER = re.compile(r'<a href="([^"]*/loop\?[^"]*)">([\d,]+)<')
LINE = re.compile(r'data-label="工单"><a href="/tickets/(T-\d+)"')


@pytest.fixture
def town(made_url: str, tmp_path: Path) -> Iterator[City]:
    """Three issues more, of which one closes, closes at the second try and comes back, and one is transferred."""
    made = city(tmp_path, made_url)
    tickets = made.portal.tickets
    closed, again, given = tickets.found([an_issue(field=f"f{n}") for n in range(3)], at("2026-01-13"))
    tickets.rechecked(closed, [WHOLE], at("2026-01-14"))
    tickets.rechecked(again, [replace(WHOLE, mended=4, remaining=6)], at("2026-01-14"))
    tickets.rechecked(again, [replace(WHOLE, delivery="divisions-3")], at("2026-01-15"))
    tickets.found([an_issue(field="f1", delivery="divisions-4")], at("2026-01-16"))
    moved(tickets, given, "transfer:officer", at("2026-01-19"))
    made.clock[0] = at("2026-01-30")
    yield made
    made.portal.tickets.database.close()
    made.portal.lake.ledger.close()


def lines(browser: Browser, path: str) -> list[str]:
    """Tickets of a list, on all of its pages."""
    found, page = [], 1
    while True:
        answer = browser.get(f"{path}&page={page}")
        assert answer.status_code == 200
        found += LINE.findall(answer.text)
        if 'rel="next"' not in answer.text:
            return found
        page += 1


def numbers(browser: Browser, path: str) -> list[tuple[str, int]]:
    page = browser.get(path)
    assert page.status_code == 200
    return [(unescape(href), int(number.replace(",", ""))) for href, number in NUMBER.findall(page.text)]


@pytest.mark.parametrize(
    ("who", "path", "most"),
    [
        ("officer", "/overview", 6),
        ("own", "/departments/civil_affairs", 4),
        ("leader", "/departments/hotline_12345", 1),
    ],
)
def test_each_number_leads_to_a_list_of_exactly_so_many_tickets(
    town: City, who: str, path: str, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop_pages, "SIZE", 2)
    browser = Browser(town.portal, who)
    found = numbers(browser, path)
    rows = len({href.split("/loop?")[0] for href, _ in found})
    assert len(found) == 17 * rows and max(number for _, number in found) == most
    assert {href: len(lines(browser, href)) for href, number in found if number} == {
        href: number for href, number in found if number
    }
    empty = next(href for href, number in found if not number)
    assert lines(browser, empty) == [] and "没有工单" in browser.get(empty).text


def test_departments_without_a_ticket_are_named_below_the_table(town: City) -> None:
    page = Browser(town.portal, "leader").get("/overview").text
    table, _, below = page.partition("没有工单的部门：")
    below = below.partition("</p>")[0]
    names = {c.provider: c.department for c in town.portal.registry().sources()}
    loud = {provider for provider in town.portal.loops.month().loop.now if provider}
    assert 0 < len(loud) < len(names)
    for provider, name in names.items():
        assert (name in below) == (provider not in loud), provider
        assert (f"/departments/{provider}/loop?" in table) == (provider in loud), provider


def test_numbers_are_those_of_the_month(town: City) -> None:
    page = Browser(town.portal, "own").get("/departments/civil_affairs").text
    told = re.sub(r"<span class=\"unseen\">.*?</span>|<[^>]+>|\s+", "", page)
    for words in (
        "期初未办结0件",
        "新增4件",
        "办结2件",
        "期末未办结2件",
        "重复发生率50.00%1办结后重复发生2复核通过办结",
    ):
        assert words in told, words
    assert "一次复核通过率50.00%1一次复核通过2复核通过办结" in told and "校核按期率" in told
    before = Browser(town.portal, "own").get("/departments/civil_affairs?month=2025-12").text
    assert "2025年12月" in before and not any(
        n for _, n in numbers(Browser(town.portal, "own"), "/departments/civil_affairs?month=2025-12")
    )


def test_a_link_keeps_its_number_whatever_happens_afterwards(town: City) -> None:
    browser = Browser(town.portal, "own")
    (href, number) = next(one for one in numbers(browser, "/departments/civil_affairs") if "of=closing" in one[0])
    before = lines(browser, href)
    town.portal.tickets.rechecked(town.issue, [WHOLE], town.clock[0])
    town.wait(days=1)
    del town.portal.__dict__["loops"]
    browser = Browser(town.portal, "own")
    assert lines(browser, href) == before and len(before) == number
    assert len(lines(browser, "/departments/civil_affairs/loop?of=closing")) == number - 1


def test_a_department_reads_its_own_lists_only_and_no_record_of_anybody(town: City) -> None:
    own, stranger = Browser(town.portal, "own"), Browser(town.portal, "stranger")
    assert stranger.get("/departments/civil_affairs/loop?of=closing").status_code == 404
    assert own.get("/overview/loop?of=closing").status_code == 403
    city_list = Browser(town.portal, "leader").get("/overview/loop?of=corrections_in_time.whole").text
    assert "371502" not in city_list
    assert town.other not in own.get("/departments/civil_affairs/loop?of=new").text


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("of=nonsense", 404),
        ("of=mended", 404),
        ("of=mended.sideways", 404),
        ("month=2024-01", 404),
        ("month=2026-02", 404),
        ("month=x", 422),
        ("cut=x", 422),
        ("cut=999999.1", 400),
        ("page=0", 422),
        ("cut=1.99999999999999999999", 200),
    ],
)
def test_what_cannot_be_asked_is_refused(town: City, query: str, status: int) -> None:
    assert Browser(town.portal, "own").get(f"/departments/civil_affairs/loop?{query}").status_code == status


@pytest.mark.parametrize(("takes_s", "times"), [(10.0, 1), (0.0, 3)], ids=["slow", "quick"])
def test_a_slow_count_of_the_loop_serves_many_readers_and_a_quick_one_is_never_old(
    town: City, monkeypatch: pytest.MonkeyPatch, takes_s: float, times: int
) -> None:
    counted: list[Cutoff] = []
    clock = [1000.0]
    real = town.portal.tickets.loop

    def loop(desk: object, cut: Cutoff) -> Loop:
        counted.append(cut)
        clock[0] += takes_s
        return real(cut)

    monkeypatch.setattr(type(town.portal.tickets), "loop", loop)
    monkeypatch.setattr(cache, "monotonic", lambda: clock[0])
    for who in ("officer", "leader", "auditor"):
        assert Browser(town.portal, who).get("/overview").status_code == 200
    assert len(counted) == times


def test_programs_get_the_same_numbers(town: City) -> None:
    told = Browser(town.portal, "own").get("/api/departments/civil_affairs/loop").json()
    assert len(told["stock"]["new"]) == 4 and told["since"].startswith("2025-12-31T15:59:59.999999")
