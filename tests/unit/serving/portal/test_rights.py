"""Every address for every role and for its own and another department's things: what is shown, forbidden, or not there.

What is expected is written down here anew, from the words of the handbook, not taken from the code.
"""

import re
from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest
from sqlalchemy import select

from jobs.access.grants import Scope
from jobs.access.roles import roles_of_people
from jobs.collaboration.ticket_tables import NoticeRow
from jobs.contracts.alarm import AlarmPolicy
from jobs.lake.database import utc
from jobs.serving.account_tables import UploadRow
from jobs.serving.portal.app import create_app
from jobs.streams.alarm_store import Alarms, Limit
from jobs.streams.alarms import Watched
from tests.unit.collaboration.samples import OFFICER
from tests.unit.serving.portal.asgi_requests import routes
from tests.unit.serving.portal.portal_city import NOW, PEOPLE, PEOPLE_ACTORS, Browser, City, city, delivered, registered

OWN, FOREIGN = "own", "foreign"
DEPARTMENT = ("own", "clerk")
BUREAU = ("officer", "leader", "auditor", "analyst", "operator")
ALL = (*DEPARTMENT, *BUREAU)
PUBLISHED, DRAFT = "published", "draft"
NO_DEPARTMENT = "none"
"""Things that belong to no department."""


@pytest.fixture(scope="module")
def town(module_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    made = city(tmp_path_factory.mktemp("rights"), module_url)
    yield made
    made.portal.tickets.database.close()
    made.portal.lake.ledger.close()


@pytest.fixture(scope="module")
def things(town: City) -> dict[tuple[str, str], str]:
    """What stands for each placeholder of an address, for the own and for another department."""
    own, foreign = delivered(town, "divisions"), delivered(town, "gas_regulator_readings", 2)
    for number, department in enumerate(("civil_affairs", "liaocheng_gas")):
        with town.portal.tickets.database.session() as session:
            session.add(NoticeRow(department=department, at=utc(NOW), title="到期提醒", text="一个工单"))
            session.add(
                UploadRow(
                    id=f"U{number}", at=utc(NOW), name="x", department=department, dataset="divisions",
                    delivery=(own, foreign)[number], key="landing/a/b/c/甲.csv", size_bytes=7, sha256="0" * 64,
                )
            )  # fmt: skip
    town.store.objects[f"reports/exchange/{RUN}.json"] = RESULT
    alarms = acknowledged_alarm(town, "civil_affairs"), acknowledged_alarm(town, "bureau")
    own_grant = granted(town, "own", "divisions")
    foreign_grant = granted(town, "stranger", "gas_regulator_readings", "核对压力超出范围的记录")
    for key in ("2026-01.pdf", "drafts/2026-02.pdf"):
        town.store.objects[f"reports/bulletins/{key}"] = b"%PDF"
    with town.portal.tickets.database.session() as session:
        notices = {row.department: str(row.id) for row in session.scalars(select(NoticeRow))}
    return {
        ("ticket_id", OWN): town.issue,
        ("ticket_id", FOREIGN): town.other,
        ("dataset", OWN): "divisions",
        ("dataset", FOREIGN): "gas_regulator_readings",
        ("delivery_id", OWN): own,
        ("delivery_id", FOREIGN): foreign,
        ("provider", OWN): "civil_affairs",
        ("provider", FOREIGN): "liaocheng_gas",
        ("upload_id", OWN): "U0",
        ("upload_id", FOREIGN): "U1",
        ("notice_id", OWN): notices["civil_affairs"],
        ("notice_id", FOREIGN): notices["liaocheng_gas"],
        ("path:path", OWN): f"civil_affairs/divisions/{own}.html",
        ("path:path", FOREIGN): f"liaocheng_gas/gas_regulator_readings/{foreign}.xlsx",
        ("path:path", PUBLISHED): "2026-01.pdf",
        ("path:path", DRAFT): "drafts/2026-02.pdf",
        ("key_id", NO_DEPARTMENT): "nokey",
        ("saved_id", NO_DEPARTMENT): "4711",
        ("token_id", NO_DEPARTMENT): "notoken",
        ("saved_id", OWN): "4711",
        ("token_id", OWN): "notoken",
        ("register", NO_DEPARTMENT): "scene",
        ("register", OWN): "scene",
        ("item", OWN): registered(town),
        ("item", FOREIGN): registered(town, "liaocheng_gas"),
        ("name", NO_DEPARTMENT): "share",
        ("name", OWN): "share",
        ("number", NO_DEPARTMENT): "1",
        ("ending", NO_DEPARTMENT): "pdf",
        ("run", NO_DEPARTMENT): RUN,
        ("file", NO_DEPARTMENT): "none.pdf",
        ("run", OWN): RUN,
        ("key_id", OWN): "nokey",
        ("alarm_id", OWN): alarms[0],
        ("alarm_id", FOREIGN): alarms[1],
        ("grant_id", OWN): own_grant,
        ("grant_id", FOREIGN): foreign_grant,
        ("event", OWN): "waive",
        ("event", FOREIGN): "waive",
    }


def acknowledged_alarm(town: City, authority: str) -> str:
    """The number of an alarm of a gas station that is for the authority, and was acknowledged."""
    alarms, policy = Alarms(town.portal.tickets.database), AlarmPolicy(after=1, authority=authority)
    limit = Limit("gas_regulator_readings", f"for_{authority}", "压力超出范围", policy)
    (event,) = alarms.watch(limit, {"G1": [Watched(NOW, True, "9")]})
    return str(alarms.acknowledge(event.alarm.id, "值班员", NOW).id)


def granted(town: City, who: str, dataset: str, purpose: str = "核对区划") -> str:
    """The number of a grant of a dataset to the authority for markets, given by its owner."""
    scope = Scope(dataset, "market_regulation", "granted", purpose=purpose)
    return str(town.portal.grants.add(scope, PEOPLE_ACTORS[who], NOW).id)


def only(*allowed: str) -> dict[str, int]:
    return {who: 200 if who in allowed else 403 for who in ALL}


EVERYBODY = only(*ALL)
KNOWN = {who: 200 for who in ALL}
HIDDEN = {who: 404 if who in DEPARTMENT else 200 for who in ALL}
"""What a department may not know of, and the bureau may."""

RUN = "01KG0000000000000000000000"
RESULT = b'{"file": "a.xlsx", "at": "2026-01-12T00:00:00+00:00", "by": "x", "is_equal": true, "counts": {"differing": 0, "only_here": 0, "only_there": 0, "unread": 0, "same": 0, "offers": 0}, "tables": [], "offers": []}'
"""A stored comparison with the province's catalogue, in which nothing differs."""
FILES = ("/uploads", "/tickets/{ticket_id}/answer", "/catalogue", "/catalogue/exchange")
"""Addresses of forms with a file."""
FILE = {"files": {"file": ("甲.csv", b"a,b\n1,2\n")}}
GETS: dict[str, dict[str, dict[str, int]]] = {
    "/": {NO_DEPARTMENT: dict.fromkeys(ALL, 303)},
    "/login": {NO_DEPARTMENT: dict.fromkeys(ALL, 303)},
    "/password": {NO_DEPARTMENT: EVERYBODY},
    "/tasks": {NO_DEPARTMENT: EVERYBODY},
    "/help": {NO_DEPARTMENT: EVERYBODY},
    "/search": {NO_DEPARTMENT: EVERYBODY},
    "/notices": {NO_DEPARTMENT: EVERYBODY},
    "/reports": {NO_DEPARTMENT: EVERYBODY},
    "/tickets": {NO_DEPARTMENT: EVERYBODY},
    "/datasets": {NO_DEPARTMENT: EVERYBODY},
    "/overview": {NO_DEPARTMENT: only(*BUREAU)},
    "/audit": {NO_DEPARTMENT: only("auditor")},
    "/uploads": {NO_DEPARTMENT: only(*DEPARTMENT)},
    "/uploads/new": {NO_DEPARTMENT: only(*DEPARTMENT)},
    "/requests/new": {NO_DEPARTMENT: only(*DEPARTMENT)},
    "/tickets/{ticket_id}": {OWN: EVERYBODY, FOREIGN: HIDDEN},
    "/tickets/{ticket_id}/state": {OWN: EVERYBODY, FOREIGN: HIDDEN},
    "/tickets/{ticket_id}/workbook": {
        OWN: only("own", "clerk", "officer"),
        FOREIGN: {**only("officer"), **dict.fromkeys(DEPARTMENT, 404)},
    },
    "/datasets/{dataset}": {OWN: EVERYBODY, FOREIGN: EVERYBODY},
    "/datasets/{dataset}/lineage": {OWN: EVERYBODY, FOREIGN: EVERYBODY},
    "/datasets/{dataset}/contract.yaml": {OWN: EVERYBODY, FOREIGN: EVERYBODY},
    "/deliveries/{delivery_id}": {OWN: EVERYBODY, FOREIGN: HIDDEN},
    "/departments/{provider}": {OWN: EVERYBODY, FOREIGN: HIDDEN},
    "/departments/{provider}/loop": {OWN: EVERYBODY, FOREIGN: HIDDEN},
    "/overview/loop": {NO_DEPARTMENT: only(*BUREAU)},
    "/bulletins": {NO_DEPARTMENT: EVERYBODY},
    "/bulletins/{path:path}": {PUBLISHED: EVERYBODY, DRAFT: HIDDEN},
    "/keys": {NO_DEPARTMENT: only("operator")},
    "/sql": {NO_DEPARTMENT: only(*BUREAU)},
    "/catalogue": {NO_DEPARTMENT: EVERYBODY},
    "/catalogue/{dataset}": {OWN: EVERYBODY, FOREIGN: EVERYBODY},
    "/catalogue/exchange": {NO_DEPARTMENT: EVERYBODY},
    "/catalogue/exchange/form.{ending}": {NO_DEPARTMENT: dict.fromkeys(ALL, 404)},
    "/catalogue/exchange/{run}": {NO_DEPARTMENT: EVERYBODY},
    "/catalogue/exchange/{run}/result.{ending}": {NO_DEPARTMENT: dict.fromkeys(ALL, 404)},
    "/catalogue/lists/{name}": {NO_DEPARTMENT: EVERYBODY},
    "/catalogue/licence-samples/{file}": {NO_DEPARTMENT: dict.fromkeys(ALL, 404)},
    "/catalogue/lists/{name}/{number}.{ending}": {NO_DEPARTMENT: dict.fromkeys(ALL, 404)},
    "/registers": {NO_DEPARTMENT: EVERYBODY},
    "/registers/{register}": {NO_DEPARTMENT: EVERYBODY},
    "/registers/items/{item}": {OWN: EVERYBODY, FOREIGN: EVERYBODY},
    "/registers/items/{item}/card.json": {OWN: dict.fromkeys(ALL, 400), FOREIGN: dict.fromkeys(ALL, 400)},
    "/registers/items/{item}/rows.jsonl": {OWN: only(), FOREIGN: only()},
    "/assets": {NO_DEPARTMENT: EVERYBODY},
    "/grants": {NO_DEPARTMENT: EVERYBODY},
    "/feeds": {NO_DEPARTMENT: EVERYBODY},
    "/feeds/events": {NO_DEPARTMENT: EVERYBODY},
    "/feeds/{dataset}": {OWN: dict.fromkeys(ALL, 404), FOREIGN: HIDDEN},
    "/feeds/{dataset}/curve": {OWN: dict.fromkeys(ALL, 404), FOREIGN: HIDDEN},
    "/uploads/{upload_id}": {OWN: EVERYBODY, FOREIGN: HIDDEN},
    "/uploads/{upload_id}/state": {OWN: EVERYBODY, FOREIGN: HIDDEN},
    "/reports/{path:path}": {OWN: EVERYBODY, FOREIGN: HIDDEN},
}
DONE = 303
POSTS: dict[str, dict[str, dict[str, int]]] = {
    "/tickets/{ticket_id}/steps/{event}": {
        OWN: {who: 422 if who == "officer" else 403 for who in ALL},
        FOREIGN: {who: 422 if who == "officer" else 404 if who in DEPARTMENT else 403 for who in ALL},
    },
    "/tickets/{ticket_id}/comments": {
        OWN: {who: DONE if who in ("own", "clerk", "officer", "leader") else 403 for who in ALL},
        FOREIGN: {who: DONE if who in ("officer", "leader") else 404 if who in DEPARTMENT else 403 for who in ALL},
    },
    "/tickets/{ticket_id}/answer": {
        OWN: {who: DONE if who in DEPARTMENT else 403 for who in ALL},
        FOREIGN: {who: 404 if who in DEPARTMENT else 403 for who in ALL},
    },
    "/requests": {NO_DEPARTMENT: {who: 422 if who in DEPARTMENT else 403 for who in ALL}},
    "/uploads": {
        OWN: {who: DONE if who in DEPARTMENT else 403 for who in ALL},
        FOREIGN: dict.fromkeys(ALL, 403),
    },
    "/notices/{notice_id}/read": {
        OWN: {who: DONE if who in DEPARTMENT else 404 for who in ALL},
        FOREIGN: dict.fromkeys(ALL, 404),
    },
    "/notices/read": {NO_DEPARTMENT: dict.fromkeys(ALL, DONE)},
    "/keys": {NO_DEPARTMENT: {who: 422 if who == "operator" else 403 for who in ALL}},
    "/keys/{key_id}/rotate": {NO_DEPARTMENT: {who: 404 if who == "operator" else 403 for who in ALL}},
    "/keys/{key_id}/end": {NO_DEPARTMENT: {who: 404 if who == "operator" else 403 for who in ALL}},
    "/sql": {NO_DEPARTMENT: {who: 400 if who in BUREAU else 403 for who in ALL}},
    "/sql/file": {NO_DEPARTMENT: {who: 422 if who in BUREAU else 403 for who in ALL}},
    "/sql/saved": {NO_DEPARTMENT: {who: 422 if who in BUREAU else 403 for who in ALL}},
    "/sql/saved/{saved_id}/remove": {NO_DEPARTMENT: {who: 404 if who in BUREAU else 403 for who in ALL}},
    "/sql/tokens": {NO_DEPARTMENT: only(*BUREAU)},
    "/sql/tokens/{token_id}/end": {NO_DEPARTMENT: {who: 404 if who in BUREAU else 403 for who in ALL}},
    "/catalogue": {NO_DEPARTMENT: {who: 415 if who in DEPARTMENT else 403 for who in ALL}},
    "/catalogue/exchange": {NO_DEPARTMENT: {who: 415 if who == "officer" else 403 for who in ALL}},
    "/catalogue/exchange/{run}": {NO_DEPARTMENT: only(*DEPARTMENT)},
    "/catalogue/{dataset}": {
        OWN: {who: 400 if who in DEPARTMENT else 403 for who in ALL},
        FOREIGN: dict.fromkeys(ALL, 403),
    },
    "/catalogue/lists/{name}": {NO_DEPARTMENT: {who: 400 if who == "officer" else 403 for who in ALL}},
    "/registers/{register}": {
        NO_DEPARTMENT: {who: 400 if who in (*DEPARTMENT, "officer") else 403 for who in ALL},
    },
    "/registers/items/{item}": {
        OWN: {who: 400 if who in (*DEPARTMENT, "officer") else 403 for who in ALL},
        FOREIGN: {who: 400 if who == "officer" else 403 for who in ALL},
    },
    "/grants": {
        OWN: {who: 400 if who == "own" else 403 for who in ALL},
        FOREIGN: only(),
        NO_DEPARTMENT: {who: 400 if who in ("own", "officer") else 403 for who in ALL},
    },
    "/grants/{grant_id}/end": {
        OWN: {who: DONE if who == "own" else 403 for who in ALL},
        FOREIGN: {who: 404 if who in DEPARTMENT else 403 for who in ALL},
    },
    "/alarms/{alarm_id}/acknowledge": {
        OWN: {who: 409 if who in (*DEPARTMENT, "officer", "leader") else 403 for who in ALL},
        FOREIGN: {who: 404 if who in DEPARTMENT else 409 if who in ("officer", "leader") else 403 for who in ALL},
    },
    "/alarms/{alarm_id}/clear": {
        OWN: {who: 422 if who in (*DEPARTMENT, "officer", "leader") else 403 for who in ALL},
        FOREIGN: {who: 404 if who in DEPARTMENT else 422 if who in ("officer", "leader") else 403 for who in ALL},
    },
    "/tasks/sign": {NO_DEPARTMENT: only(*DEPARTMENT)},
    "/audit": {NO_DEPARTMENT: only("auditor")},
    "/password": {NO_DEPARTMENT: dict.fromkeys(ALL, 422)},
}
OPEN = {"/login", "/healthz", "/static/report.css", "/oidc/start", "/oidc/callback", "/api/openapi.json"}
"""Addresses for people who are not logged in, and for none in particular."""

ENDING = {"/logout"}


def filled(path: str, whose: str, things: dict[tuple[str, str], str]) -> str:
    return re.sub(r"\{([\w:]+)\}", lambda found: things[found[1], whose], path)


def pages(town: City, method: str) -> set[str]:
    """Addresses of pages as the application has them."""
    app = create_app(town.portal)
    found = {r.path for r in routes(app) if method in (getattr(r, "methods", None) or ())}
    return {path for path in found if not path.startswith("/api/")} - OPEN - ENDING


def cases(table: dict[str, dict[str, dict[str, int]]]) -> list[Any]:
    return [
        pytest.param(path, whose, who, status, id=f"{who} {whose} {path}")
        for path, by_owner in table.items()
        for whose, by_who in by_owner.items()
        for who, status in by_who.items()
    ]


@pytest.fixture(scope="module")
def browsers(town: City, things: dict[tuple[str, str], str]) -> dict[str, Browser]:
    return {name: Browser(town.portal, name) for name in ALL}


def test_the_matrix_covers_every_address_and_every_role(town: City) -> None:
    assert pages(town, "GET") == set(GETS) - {"/login"}
    assert pages(town, "POST") == set(POSTS)
    roles = {PEOPLE[name].role for name in ALL}
    assert roles == set(roles_of_people())
    every = [by_who for table in (GETS, POSTS) for by_owner in table.values() for by_who in by_owner.values()]
    assert all(set(by_who) == set(ALL) for by_who in every)


@pytest.mark.parametrize(("path", "whose", "who", "status"), cases(GETS))
def test_what_is_shown(
    browsers: dict[str, Browser], things: dict[tuple[str, str], str], path: str, whose: str, who: str, status: int
) -> None:
    assert browsers[who].get(filled(path, whose, things)).status_code == status


@pytest.mark.parametrize(("path", "whose", "who", "status"), cases(POSTS))
def test_what_is_done(
    browsers: dict[str, Browser], things: dict[tuple[str, str], str], path: str, whose: str, who: str, status: int
) -> None:
    dataset = things["dataset", whose] if path in ("/uploads", "/grants") and whose != NO_DEPARTMENT else ""
    form = {"text": "已知悉", "seen": "2", "share": "maybe", "dataset": dataset}
    options = FILE if path in FILES else {}
    assert browsers[who].post(filled(path, whose, things), form, **options).status_code == status


@pytest.mark.parametrize(("path", "whose"), [(path, next(iter(by_owner))) for path, by_owner in GETS.items()])
def test_nothing_is_shown_to_nobody(town: City, things: dict[tuple[str, str], str], path: str, whose: str) -> None:
    answer = Browser(town.portal).get(filled(path, whose, things))
    if path == "/login":
        assert answer.status_code == 200
    elif path == "/":
        assert answer.headers["location"] == "/tasks"
    elif path.endswith("/state"):
        assert answer.status_code == 401
    else:
        assert answer.status_code == 303 and answer.headers["location"].startswith("/login")


@pytest.mark.parametrize(("path", "word"), list(product([*POSTS, "/logout"], ["", "0" * 64, "of another login"])))
def test_a_form_without_its_own_word_does_nothing(
    town: City, things: dict[tuple[str, str], str], path: str, word: str
) -> None:
    who = "officer" if path == "/catalogue/exchange" else "own"
    browser = Browser(town.portal, who)
    if word == "of another login":
        word = Browser(town.portal, who).csrf()
    form = {"csrf": word, "text": "x", "seen": "2", "dataset": "divisions"}
    options = FILE if path in FILES else {}
    before = (dict(town.store.objects), town.portal.tickets.events(town.issue, OFFICER))
    answer = browser.client.post(filled(path, OWN, things), data=form, **options)
    assert answer.status_code == 403 and "表单已失效" in answer.text
    assert before == (dict(town.store.objects), town.portal.tickets.events(town.issue, OFFICER))
    assert town.store.begun == []


def test_what_is_not_mine_and_what_is_not_there_are_told_alike(
    browsers: dict[str, Browser], things: dict[tuple[str, str], str]
) -> None:
    missing = {"ticket_id": "T-999999", "delivery_id": "divisions-0", "provider": "nobody", "upload_id": "U9"}
    for path in GETS:
        names = re.findall(r"\{(\w+)\}", path)
        if not names or names[0] not in missing:
            continue
        one = browsers["own"].get(filled(path, FOREIGN, things))
        other = browsers["own"].get(path.replace(f"{{{names[0]}}}", missing[names[0]]))
        texts = [a.text.replace(i, "") for a, i in ((one, things[names[0], FOREIGN]), (other, missing[names[0]]))]
        assert (one.status_code, texts[0]) == (other.status_code, texts[1]), path


def test_lists_and_searches_hold_nothing_of_another_department(
    browsers: dict[str, Browser], things: dict[tuple[str, str], str]
) -> None:
    secret = [things["ticket_id", FOREIGN], things["delivery_id", FOREIGN], "压力超出范围"]
    paths = ["/tasks", "/tickets?show=all", "/tickets?show=all&department=liaocheng_gas", "/reports", "/uploads"]
    paths += ["/tickets?show=all&q=压力", f"/tickets?show=all&q={secret[0]}", "/datasets/gas_regulator_readings"]
    paths += ["/grants", "/grants?dataset=gas_regulator_readings", "/grants?department=liaocheng_gas"]
    paths += [f"/search?q={secret[1]}", "/search?q=压力", f"/tickets/{things['ticket_id', OWN]}"]
    for who, path in product(DEPARTMENT, paths):
        page = browsers[who].get(path).text
        asked = re.findall(r'value="([^"]*)"', page)
        bare = re.sub(r'value="[^"]*"|<h1>.*?</h1>|<title>.*?</title>|href="/tickets\?[^"]*"', "", page)
        assert [word for word in secret if word in bare] == [], (who, path, asked)


def test_a_department_cannot_name_another_departments_things_in_its_own_delivery(
    town: City, things: dict[tuple[str, str], str]
) -> None:
    browser = Browser(town.portal, "own")
    for form in ({"supersedes": things["delivery_id", FOREIGN]}, {"answers": things["ticket_id", FOREIGN]}):
        answer = browser.post("/uploads", {"dataset": "divisions", **form}, **FILE)
        assert answer.status_code == 422
    assert town.store.begun == []


@pytest.mark.parametrize(
    "path",
    [
        "../state.db", "..%2f..%2fstate.db", "civil_affairs/../liaocheng_gas/index.html", "index.html", "index.htm",
        "civil_affairs//x.html", "civil_affairs/divisions/..", "civil_affairs/divisions/x.sql", "/etc/passwd",
    ],
)  # fmt: skip
def test_no_path_leads_out_of_the_own_reports(town: City, path: str) -> None:
    town.store.objects["reports/index.html"] = b"the whole city"
    answer = Browser(town.portal, "own").get(f"/reports/{path}")
    assert answer.status_code in (303, 404) and "whole city" not in answer.text
    if path == "index.html":
        assert Browser(town.portal, "leader").get("/reports/index.html").status_code == 200
