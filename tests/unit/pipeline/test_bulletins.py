"""Published bulletins never change; revisions state a reason; drafts are separate; forged numbers, texts and events are detected."""

import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from jobs.collaboration.ticket_tables import EventRow
from jobs.errors import UserError
from jobs.lake.database import Database
from jobs.pipeline.bulletins import BulletinRequest, bulletin
from jobs.pipeline.verification import GONE, Verification, verify
from jobs.reporting.bulletin import pdf
from jobs.reporting.bulletin.parts import Block
from jobs.reporting.bulletin.pdf import write_pdf
from jobs.reporting.bulletin.styles import NOTO, Fonts
from tests.unit.collaboration.samples import at
from tests.unit.lake.local_lake import LocalLake, rule_rows, verdict
from tests.unit.reporting.bulletin.january import (
    MARKET,
    figures_of,
    january,
    mended,
    numbered,
    tell,
    tickets_of,
    written,
)

pytestmark = pytest.mark.skipif(
    not NOTO.is_dir(), reason="no Chinese font is installed (apt-get install fonts-noto-cjk)"
)
KEY = "reports/bulletins/2026-01.json"


@pytest.fixture(scope="module", autouse=True)
def each_page_once() -> Iterator[None]:
    """A PDF takes seconds: one for each text, however many tests write it."""
    made: dict[str, bytes] = {}

    def once(parts: Iterable[Block], file: Path, fonts: Fonts) -> None:
        blocks = list(parts)
        text = repr(blocks)
        if text not in made:
            write_pdf(blocks, file, fonts)
            made[text] = file.read_bytes()
        file.write_bytes(made[text])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pdf, "write_pdf", once)
        yield


@pytest.fixture
def lake(tmp_path: Path, made_sqlite: Path) -> LocalLake:
    lake, _ = january(tmp_path, made_sqlite)
    lake.ids = tell(lake)  # type: ignore[attr-defined]
    return lake


@pytest.fixture
def cat(lake: LocalLake, tmp_path: Path) -> Any:
    from tests.unit.reporting.bulletin.january import contracts

    return contracts()


def verified(lake: LocalLake, cat: Any, name: str = KEY) -> Verification:
    return verify(lake, cat, str(lake.settings.home / name))  # type: ignore[arg-type]


def forged(lake: LocalLake, change: Callable[[dict[str, Any]], None]) -> None:
    file = lake.settings.home / KEY
    document = json.loads(file.read_bytes())
    change(document)
    file.write_text(json.dumps(document, ensure_ascii=False), "utf-8")


def test_every_number_is_recomputed(lake: LocalLake, cat: Any) -> None:
    written(lake, cat)
    verification = verified(lake, cat)
    assert verification.differing() == [] and len(verification.checks) > 500
    numbers = {check.number for check in verification.checks}
    assert {
        f"departments.{MARKET}.place",
        f"departments.{MARKET}.figures.score.value",
        "figures.mended.part",
    } <= numbers
    assert verify(lake, cat, KEY).differing() == []  # type: ignore[arg-type]


def test_later_events_do_not_change_it(lake: LocalLake, cat: Any) -> None:
    before = written(lake, cat)
    tickets = tickets_of(lake)
    mended(tickets, lake.ids["old"], "2026-02-03")  # type: ignore[attr-defined]
    mended(tickets, lake.ids["back"], "2026-02-04")  # type: ignore[attr-defined]
    tickets.database.close()
    assert verified(lake, cat).differing() == []
    assert written(lake, cat) == before


def test_published_is_never_overwritten(lake: LocalLake, cat: Any) -> None:
    first = bulletin(lake, cat, "2026-01", BulletinRequest())  # type: ignore[arg-type]
    stored = lake.store.objects[KEY]
    second = bulletin(lake, cat, "2026-01", BulletinRequest(number=9))  # type: ignore[arg-type]
    assert (first.is_new, second.is_new, second.json) == (True, False, KEY)
    assert lake.store.objects[KEY] == stored
    assert not lake.store.put_new(KEY, b"other")


def test_a_revision_states_its_reason_and_is_stored_separately(lake: LocalLake, cat: Any) -> None:
    written(lake, cat)
    stored = lake.store.objects[KEY]
    document = written(lake, cat, reason="更正名称13806351234")
    assert (document["revision"], document["reason"]) == (2, "更正名称138****1234")
    assert lake.store.objects[KEY] == stored and "reports/bulletins/2026-01-r2.json" in lake.store.objects
    assert written(lake, cat, reason="再次更正")["revision"] == 3
    assert bulletin(lake, cat, "2026-01", BulletinRequest()).json.endswith("2026-01-r3.json")  # type: ignore[arg-type]
    assert verified(lake, cat, "reports/bulletins/2026-01-r2.json").differing() == []


def test_a_period_that_is_not_over_gives_a_draft_only(lake: LocalLake, cat: Any) -> None:
    for name, reason in (("2099-01", "尚未"), ("2099", "尚未")):
        with pytest.raises(UserError, match=reason):
            bulletin(lake, cat, name, BulletinRequest())  # type: ignore[arg-type]
    with pytest.raises(UserError, match="尚未开始"):
        bulletin(lake, cat, "2099-01", BulletinRequest(is_draft=True))  # type: ignore[arg-type]


def test_a_draft_is_stored_separately_and_may_be_overwritten(lake: LocalLake, cat: Any) -> None:
    for _ in range(2):
        assert written(lake, cat, is_draft=True)["is_draft"]
    assert list(lake.store.objects) == [f"reports/bulletins/drafts/2026-01.{e}" for e in ("json", "pdf", "docx")]


@pytest.mark.parametrize("name", ["rows", "score", "mended_in_time", "closing", "punctual"])
def test_a_forged_number_is_found(lake: LocalLake, cat: Any, name: str) -> None:
    written(lake, cat)

    def change(document: dict[str, Any]) -> None:
        figures_of(document, MARKET)[name]["value"] = 1

    forged(lake, change)
    (check,) = verified(lake, cat).differing()
    assert (check.number, check.reported) == (f"departments.{MARKET}.figures.{name}.value", 1)
    assert check.source.startswith("table ")


def test_a_forged_place_or_a_ticket_left_out_is_found(lake: LocalLake, cat: Any) -> None:
    written(lake, cat)

    def change(document: dict[str, Any]) -> None:
        next(d for d in document["departments"] if d["provider"] == MARKET)["place"] = 2
        figures_of(document)["overdue"]["whole"].pop()

    forged(lake, change)
    assert {c.number for c in verified(lake, cat).differing()} == {
        f"departments.{MARKET}.place",
        "figures.overdue.whole",
    }


@pytest.mark.parametrize("ending", ["pdf", "docx"])
def test_a_page_of_another_document_is_found(lake: LocalLake, cat: Any, ending: str) -> None:
    written(lake, cat)
    page = f"reports/bulletins/2026-01.{ending}"
    assert verified(lake, cat, page).differing() == []
    written(lake, cat, is_draft=True)
    (lake.settings.home / page).write_bytes(lake.store.objects[f"reports/bulletins/drafts/2026-01.{ending}"])
    assert [c.number for c in verified(lake, cat, page).differing()] == [f"text of 2026-01.{ending}"]


def test_a_rewritten_event_is_found(lake: LocalLake, cat: Any) -> None:
    written(lake, cat)
    database = Database(lake.settings.state_url())
    with database.session() as session:
        session.execute(update(EventRow).where(EventRow.seq == 3).values(at=at("2026-01-02")))
    database.close()
    assert "chain" in {c.number for c in verified(lake, cat).differing()}


def test_deleted_versions_are_reported_and_current_results_compared(lake: LocalLake, cat: Any) -> None:
    written(lake, cat)
    forged(lake, lambda document: document["sources"]["rules"].update(version=99))
    verification = verified(lake, cat)
    assert verification.unjudged == GONE and verification.differing() == []


def test_results_of_a_later_evaluation_do_not_change_it(lake: LocalLake, cat: Any) -> None:
    written(lake, cat)
    later_verdict = verdict(numbered(2), failed_rows=999)
    lake.results().write(later_verdict, rule_rows(later_verdict, cat, {"uscc_pattern": 999}))
    assert verified(lake, cat).differing() == []
