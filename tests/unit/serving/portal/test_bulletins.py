"""Bulletins in the portal: departments find what was published, the bureau its drafts too, each as PDF, Word and data."""

import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from jobs.lake.ledger import Arrival
from jobs.pipeline.bulletins import closed_periods
from tests.unit.collaboration.samples import at
from tests.unit.serving.portal.portal_city import Browser, City, city

KEPT = ("2025Q4.pdf", "2025.pdf", "2026-01.pdf", "2026-01.docx", "2026-01.json", "2026-01-r2.pdf", "2025-12.pdf")
OTHERS = ("notes.txt", "2026-13.pdf", "2026-01-r0.pdf", "x/2026-01.pdf")
DRAFTS = ("drafts/2026-02.pdf", "drafts/2026-02.docx")


@pytest.fixture
def town(made_sqlite: Path, tmp_path: Path) -> Iterator[City]:
    (tmp_path / "state.db").write_bytes(made_sqlite.read_bytes())
    made = city(tmp_path, f"sqlite:///{tmp_path / 'state.db'}")
    for name in (*KEPT, *OTHERS, *DRAFTS):
        made.store.objects[f"reports/bulletins/{name}"] = f"content of {name}".encode()
    yield made
    made.portal.tickets.database.close()
    made.portal.lake.ledger.close()


def links(page: str) -> list[str]:
    return re.findall(r'href="/bulletins/([^"]+)"', page)


def test_what_was_published_is_listed_by_length_newest_first_with_its_files(town: City) -> None:
    page = Browser(town.portal, "own").get("/bulletins").text
    assert links(page) == [
        "2026-01-r2.pdf", "2026-01.pdf", "2026-01.docx", "2026-01.json", "2025-12.pdf", "2025Q4.pdf", "2025.pdf",
    ]  # fmt: skip
    assert page.index("月度通报") < page.index("2026年1月") < page.index("季度通报") < page.index("2025年第四季度")
    assert page.count("已由第 2 版取代") == 1 and "草稿" not in page


@pytest.mark.parametrize("who", ["officer", "leader", "auditor", "analyst", "operator"])
def test_the_bureau_finds_its_drafts(town: City, who: str) -> None:
    assert links(Browser(town.portal, who).get("/bulletins").text)[-2:] == list(DRAFTS)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("2026-01.pdf", "application/pdf"),
        ("2026-01.docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
        ("2026-01.json", "application/json"),
    ],
)
def test_a_file_is_given_as_it_lies_there_to_be_kept(town: City, name: str, kind: str) -> None:
    answer = Browser(town.portal, "own").get(f"/bulletins/{name}")
    assert answer.content == f"content of {name}".encode()
    assert answer.headers["content-type"] == kind
    assert answer.headers["content-disposition"].startswith("attachment")


@pytest.mark.parametrize("path", [*OTHERS, *DRAFTS, "2026-02.pdf", "../civil_affairs/x.pdf", "..%2f2026-01.pdf"])
def test_nothing_else_is_there_for_a_department(town: City, path: str) -> None:
    answer = Browser(town.portal, "own").get(f"/bulletins/{path}")
    assert answer.status_code == 404 or (
        answer.content == b"content of 2026-01.pdf" and path == "drafts/../2026-01.pdf"
    )


def test_the_page_tells_that_bulletins_cannot_be_read(town: City, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object) -> None:
        raise OSError("error sending request")

    monkeypatch.setattr(type(town.store), "list", away)
    answer = Browser(town.portal, "own").get("/bulletins")
    assert answer.status_code == 200 and "对象存储暂时无响应" in answer.text


@pytest.mark.parametrize(
    ("day", "names"),
    [
        (date(2026, 2, 1), ["2026-01"]),
        (date(2026, 2, 28), ["2026-01"]),
        (date(2026, 4, 1), ["2026-03", "2026Q1"]),
        (date(2026, 7, 3), ["2026-06", "2026Q2"]),
        (date(2027, 1, 1), ["2026-12", "2026Q4", "2026"]),
        (date(2025, 12, 1), []),
    ],
)
def test_periods_that_ended_are_told_once_they_held_a_delivery(town: City, day: date, names: list[str]) -> None:
    lake = town.portal.lake
    for number, came in enumerate(("2026-01-31", "2026-03-31", "2026-06-01", "2026-12-31")):
        one = Arrival(
            "divisions", "civil_affairs", f"{number:064d}"[::-1], 7, ("received/x",), ((f"landing/{number}", "e"),)
        )
        lake.ledger.record(one, at(came, 23))
    assert closed_periods(lake, town.portal.registry(), day) == names
