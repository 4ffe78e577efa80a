"""Persons whom the city does not know are planted into real deliveries: nobody without the right finds them anywhere."""

import io
import json
import logging
import re
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from jobs.cli import app
from jobs.lake.lake import Lake
from jobs.lake.zones import Zone
from jobs.pipeline import steps
from jobs.pipeline.bulletins import BulletinRequest
from jobs.reporting.bulletin.checks import file_text
from jobs.reporting.bulletin.styles import NOTO
from jobs.settings import Settings, load
from jobs.simulator import canaries
from tests.dags.programs import lake_environ
from tests.e2e import living
from tests.e2e.living import DATASET, OWNER, PEOPLE, Town
from tests.unit.serving.portal.portal_city import Browser

HOTLINE = "hotline_orders"
WRONG_ID = canaries()[0][:17] + "X1"[canaries()[0][17] == "X"]
PHONE, CALLER, OWNERS_NAME = "13806350917", "尉迟凤仙", "欧阳若兰"
IN_FILE_NAME = canaries()[5]
SECRETS = (*(number[:17] for number in canaries()), PHONE, CALLER)
"""Of L3. The name of a legal representative is of L2: the bureau may read it, other departments may not."""

OUTSIDERS = tuple(one.name for one in PEOPLE if one.department != OWNER)
COMMANDS = ("tickets list", "deliveries", "scores --by department", f"plan {DATASET}", "tables", "audit verify")


class Heard(logging.Handler):
    """Everything that was logged, as it would be written."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []
        self.setFormatter(logging.Formatter("%(levelname)s %(name)s %(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        if record.name != "httpx":  # the browser of these tests, which tells what it asks for
            self.lines.append(self.format(record))


@pytest.fixture(scope="module")
def heard() -> Iterator[Heard]:
    handler, root, ours = Heard(), logging.getLogger(), logging.getLogger("jobs")
    levels = root.level, ours.level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    ours.setLevel(logging.DEBUG)
    yield handler
    root.removeHandler(handler)
    root.setLevel(levels[0])
    ours.setLevel(levels[1])


@pytest.fixture(scope="module")
def town(settings: Settings, heard: Heard, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """A city through which two deliveries with canaries went, one of which was answered in part."""
    home = tmp_path_factory.mktemp("canaries")
    own = {"s3_bucket": "canaries", "database_url": f"sqlite:///{home / 'state.db'}", "home": home}
    lake = Lake(settings.model_copy(update=own))
    lake.store.create()
    with living.living(lake) as made:
        lived(made, home)
        yield made
    lake.close()


def lived(town: Town, folder: Path) -> None:
    sent = living.feeds(folder / "feeds", "divisions", DATASET, HOTLINE)
    living.hand_over(town, "divisions", "civil_affairs", sent["divisions"])
    living.hand_over(town, HOTLINE, "hotline_12345", with_callers(sent[HOTLINE]))
    clerk = Browser(town.portal, "clerk")
    file = living.dirtied(sent[DATASET], folder / f"登记_{IN_FILE_NAME}.xlsx", cells())
    for name, data in ((file.name, file.read_bytes()), (f"坏_{IN_FILE_NAME}.xlsx", b"PK\x03\x04" + b"x" * 99)):
        assert clerk.post("/uploads", {"dataset": DATASET}, files={"file": (name, data)}).status_code == 303
    town.go_on()
    answered(town, clerk, folder)
    town.returned += [steps.remind(town.settings), steps.build(town.settings, "hotline_day").table_version]
    town.returned.append(steps.upkeep(town.settings))
    if NOTO.is_dir():
        month = max(town.portal.lake.ledger.deliveries(), key=lambda one: one.received_at).received_at
        steps.bulletin(town.settings, f"{month:%Y-%m}", BulletinRequest(is_draft=True))


def cells() -> Iterator[tuple[int, str, str]]:
    """A wrong number of one person in six rows, so that a common cause is looked for, and a wrong phone in seven."""
    for record in range(2, 20):
        yield record, "姓名", OWNERS_NAME
    for record in range(2, 8):
        yield record, "证件号码", WRONG_ID
    for record in range(9, 16):
        yield record, "联系电话", f"{PHONE}转"


def with_callers(file: Path) -> Path:
    """The hotline's orders with the canaries in fields of their own, in free text, and where they do not belong."""
    document = json.loads(file.read_text("utf-8"))
    orders = document["data"]["list"]
    for number, order in enumerate(orders[:24]):
        order["caller"] = {"name": CALLER, "phone": f"{PHONE}转" if number < 8 else PHONE}
        order["content"] += f"本人{CALLER}，身份证{canaries()[number % 5]}，电话 {PHONE[:3]} {PHONE[3:7]} {PHONE[7:]}"
    orders[0]["orderNo"] = canaries()[1]
    orders[1]["category"]["major"] = f"供暖{canaries()[2]}"
    orders[2]["closedAt"] = canaries()[3]
    file.write_text(json.dumps(document, ensure_ascii=False), "utf-8")
    return file


def answered(town: Town, clerk: Browser, folder: Path) -> None:
    """The tickets of the wrong numbers and phones get their workbooks back with half of the rows mended."""
    for issue, column, right in (
        ("不是有效的公民身份号码", "legal_rep_id_no", canaries()[:3]),
        ("联系电话", "contact_phone", ["13905350000"] * 3),
    ):
        listed = clerk.get("/tickets", params={"show": "all", "q": issue}).text
        (id_, *_) = re.findall(r">(T-\d+)<", listed)
        workbook = folder / f"{id_}.xlsx"
        workbook.write_bytes(clerk.get(f"/tickets/{id_}/workbook").content)
        filled = living.filled(workbook, folder / f"{id_}-filled.xlsx", column, right)
        files = {"file": (filled.name, filled.read_bytes())}
        assert clerk.post(f"/tickets/{id_}/answer", files=files).status_code == 303
        town.go_on()


def text_of(data: bytes) -> str:
    """What a file says: as it is, and of archives, which workbooks are, each member."""
    if not data.startswith(b"PK"):
        return data.decode("utf-8", "replace")
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return "\n".join(archive.read(name).decode("utf-8", "replace") for name in archive.namelist())


def seen_in(text: str, secrets: tuple[str, ...] = SECRETS) -> list[str]:
    """The canaries that a text holds, also where blanks or marks break the numbers."""
    close = re.sub(r"(?<=\d)[\s-]+(?=\d)", "", text)
    return [one for one in secrets if one in text or one in close]


def leaks(texts: Mapping[str, str], secrets: tuple[str, ...] = SECRETS) -> dict[str, list[str]]:
    return {name: found for name, text in texts.items() if (found := seen_in(text, secrets))}


def walked(town: Town, name: str) -> dict[str, str]:
    """Every page that a person reaches by links, and every answer of the interface that needs no more than a known id."""
    browser = Browser(town.portal, name)
    waiting, seen = ["/tasks", "/tickets?show=all", *interface(town)], dict[str, str]()
    while waiting:
        path = waiting.pop()
        if path in seen or len(seen) > 600:
            continue
        answer = browser.get(path)
        seen[path] = text_of(answer.content)
        if answer.headers.get("content-type", "").startswith("text/html"):
            links = re.findall(r'href="(/[^"#?]*)"', answer.text)
            waiting += [one for one in links if not one.startswith("/static")]
    return seen


def interface(town: Town) -> list[str]:
    """Addresses of /api and of the portal for all that there is, whosever it is."""
    with town.portal.tickets.database.session() as session:
        ids = [row[0] for row in session.connection().exec_driver_sql("SELECT id FROM ticket")]
        uploads = [row[0] for row in session.connection().exec_driver_sql("SELECT id FROM upload")]
    deliveries = [one.id for one in town.portal.lake.ledger.deliveries()]
    found = [f"/api/{name}" for name in ("tasks", "tickets?show=all", "datasets", "deliveries", "overview", "notices")]
    found += ["/api/access-log", "/audit", "/search?q=T-0", f"/search?q={PHONE}", f"/search?q={IN_FILE_NAME}"]
    found += [address for one in ids for address in (f"/api/tickets/{one}", f"/api/tickets/{one}/events")]
    found += [address for one in ids for address in (f"/tickets/{one}", f"/tickets/{one}/workbook")]
    found += [address for one in deliveries for address in (f"/api/deliveries/{one}", f"/deliveries/{one}")]
    found += [address for one in (DATASET, HOTLINE) for address in (f"/api/datasets/{one}", f"/datasets/{one}")]
    found += [f"/api/departments/{one}{part}" for one in (OWNER, "hotline_12345") for part in ("", "/loop")]
    found += [f"/departments/{one}/loop?of={part}" for one in (OWNER, "hotline_12345") for part in ("new", "closing")]
    found += [f"/reports/{key.removeprefix('reports/')}" for key in reports(town) if key.count("/") > 1]
    return found + [f"/uploads/{one}" for one in uploads] + [f"/uploads/{one}/state" for one in uploads]


def reports(town: Town) -> list[str]:
    return [one.key for one in town.portal.lake.store.list(f"{Zone.REPORTS}/")]


def test_the_owner_sees_what_is_planted_and_so_it_was_there_to_be_found(town: Town) -> None:
    seen = walked(town, "clerk")
    found = {secret for secrets in leaks(seen, (*SECRETS, OWNERS_NAME)).values() for secret in secrets}
    assert {WRONG_ID[:17], PHONE, OWNERS_NAME} <= found
    workbooks = [path for path in seen if path.endswith("/workbook")]
    assert any(WRONG_ID in seen[path] for path in workbooks)


@pytest.mark.parametrize("name", OUTSIDERS)
def test_nobody_else_is_shown_a_canary_by_any_page_pack_or_answer(town: Town, name: str) -> None:
    seen = walked(town, name)
    secrets = (*SECRETS, IN_FILE_NAME)
    echoed = {path: text for path, text in seen.items() if not path.startswith("/search")}
    assert len(seen) > 60 and leaks(echoed, secrets) == {}
    if name == "stranger":
        assert leaks(echoed, (*secrets, OWNERS_NAME, WRONG_ID[:10])) == {}
    asked = {path: text.replace(path.partition("=")[2], "", 2) for path, text in seen.items() if path not in echoed}
    assert leaks(asked, secrets) == {}


def test_no_log_holds_a_canary(town: Town, heard: Heard, settings: Settings) -> None:
    assert any(DATASET in line for line in heard.lines)
    assert [line for line in heard.lines if seen_in(line, (*SECRETS, IN_FILE_NAME))] == []
    files = [file for folder in ("logs", "spark", "s3") for file in (settings.home / folder).rglob("*.log")]
    assert files and leaks({str(file): file.read_text("utf-8", "replace") for file in files}) == {}


def test_what_tasks_return_holds_no_canary(town: Town) -> None:
    assert len(town.returned) > 8
    assert seen_in(json.dumps(town.returned, ensure_ascii=False, default=repr), (*SECRETS, IN_FILE_NAME)) == []


def test_no_report_and_no_bulletin_holds_a_canary(town: Town) -> None:
    texts = {key: text_of(town.portal.lake.store.get_bytes(key)) for key in reports(town)}
    assert {key.rpartition(".")[2] for key in texts} >= {"html", "xlsx", "json"}
    for file in (town.settings.home / "reports").rglob("*.*"):
        texts[str(file)] = file_text(file) if file.suffix in (".pdf", ".docx") else text_of(file.read_bytes())
    assert leaks(texts, (*SECRETS, IN_FILE_NAME)) == {}


def test_tickets_events_and_notices_hold_no_canary(town: Town) -> None:
    with town.portal.tickets.database.session() as session:
        said = {
            table: repr(session.connection().exec_driver_sql(f"SELECT * FROM {table}").fetchall())
            for table in (
                "ticket",
                "ticket_event",
                "ticket_comment",
                "notice",
                "ticket_evidence",
                "ticket_dispute",
                "access_log",
            )
        }
    assert "T-0" in said["ticket"] and leaks(said, (*SECRETS, IN_FILE_NAME)) == {}


def test_the_command_line_tells_outsiders_no_canary(town: Town, heard: Heard, monkeypatch: pytest.MonkeyPatch) -> None:
    for key, value in lake_environ(town.settings).items():
        monkeypatch.setenv(key, value)
    load.cache_clear()
    ids = [one.id for one in town.portal.lake.ledger.deliveries() if one.dataset in (DATASET, HOTLINE)]
    commands = [*COMMANDS, *(f"{step} {one}" for one in ids for step in ("verify", "report", "govern"))]
    said: dict[str, Any] = {one: CliRunner().invoke(app, one.split(), terminal_width=300) for one in commands}
    load.cache_clear()
    assert {one: done.output[-2000:] for one, done in said.items() if done.exit_code} == {}
    assert leaks({one: done.output for one, done in said.items()}) == {}
    assert [line for line in heard.lines if seen_in(line)] == []
