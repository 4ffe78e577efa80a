"""Whatever stands in an address, a form, a file's name or a header: never a server error, on either database.

Addresses and their parts come from the application, so that a new one is tried like all others.
"""

import asyncio
import json
import re
from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any, cast
from urllib.parse import quote_from_bytes

import pytest
from fastapi.dependencies.utils import get_flat_dependant
from sqlalchemy import select
from starlette.types import ASGIApp

from jobs.collaboration.ticket_tables import NoticeRow
from jobs.lake.database import utc
from jobs.serving.portal.app import create_app, guarded
from jobs.serving.portal.context import Portal
from jobs.serving.sessions import csrf_of
from tests.unit.collaboration.samples import OFFICER, STATED
from tests.unit.serving.portal.asgi_requests import Asked, routes
from tests.unit.serving.portal.portal_city import NOW, Browser, City, an_issue, city, delivered, registered
from tests.unit.serving.portal.test_rights import RESULT, RUN, granted

TEXTS: tuple[bytes, ...] = (
    b"9" * 20,
    b"9" * 5000,
    b"-1",
    b"-" + b"9" * 20,
    b"0",
    b"1e400",
    b"NaN",
    b"1.5",
    "１２".encode(),
    "٣".encode(),
    "²".encode(),
    b"x" * 150,
    b"x" * 9000,
    "长".encode() * 3000,
    b"\xed\xa0\x80",
    b"\xff\xfe\x00\x01",
    b"a\x00b",
    b"'\"<>%s{}\\",
    "\u202e\u2028\U000e0001".encode(),
    b"2026-13-45",
    b"0000-00",
    b"9999-12-31",
    b"\r\nSet-Cookie: x=1",
    b" ",
    b"../..",
)
CUTS = (b"9" * 20 + b".1", b"1." + b"9" * 20, b"1." + b"9" * 38, b"0.0", "１.１".encode())
WHO = ("own", "officer", "auditor")
RUNNER = asyncio.Runner()
FORM = "application/x-www-form-urlencoded"
ROUTES = [one for one in routes(create_app(cast(Portal, None))) if getattr(one, "dependant", None)]
GETS = sorted(one.path for one in ROUTES if "GET" in one.methods)
STEP = "/tickets/{ticket_id}/steps/{event}"
FORMS: Mapping[str, Mapping[str, str]] = {
    "/login": {"csrf": "", "name": "own", "password": "x", "next": "/tasks"},
    "/logout": {"csrf": ""},
    "/password": {"csrf": "", "old": "x", "new": "another long password", "again": "another long password"},
    "/audit": {"csrf": "", "noted": "1:ab", "noted_access": "1:ab"},
    "/requests": {
        "csrf": "", "dataset": "gas_regulator_readings", "record": "1", "field": "f", "message": "m", "evidence": "e",
    },
    "/keys": {"csrf": "", "provider": "liaocheng_heat", "note": "x"},
    "/keys/{key_id}/rotate": {"csrf": ""},
    "/keys/{key_id}/end": {"csrf": ""},
    "/catalogue/{dataset}": {
        "csrf": "", "share": "unconditional", "share_method": "interface", "opening": "unconditional", "category": "1",
        "code": "1", "summary": "x", "secrecy_assessment": "x", "authoritative": "true", "status": "in_use",
    },
    "/catalogue/lists/{name}": {"csrf": ""},
    "/registers/{register}": {"csrf": "", "title": "x", "status": "planned", "uses-divisions": "1", "purpose": "x", "freshness_h": "1"},
    "/registers/items/{item}": {"csrf": "", "title": "x", "rows_condition": "x", "least_score": "1"},
    "/grants": {
        "csrf": "", "dataset": "divisions", "department": "market_regulation", "account": "x", "view": "granted", "purpose": "x",
        "basis": "x", "until": "2027-12-31",
    },
    "/grants/{grant_id}/end": {"csrf": ""},
    "/catalogue/exchange/{run}": {"csrf": "", "adopt-divisions": "1"},
    "/sql": {"csrf": "", "sql": "SELECT $a", "p_a": "x"},
    "/sql/file": {"csrf": "", "sql": "SELECT 1 AS a", "format": "csv"},
    "/sql/saved": {"csrf": "", "sql": "SELECT 1", "title": "x", "shared": "1"},
    "/sql/saved/{saved_id}/remove": {"csrf": ""},
    "/sql/tokens": {"csrf": "", "note": "x"},
    "/sql/tokens/{token_id}/end": {"csrf": ""},
    "/alarms/{alarm_id}/acknowledge": {"csrf": ""},
    "/alarms/{alarm_id}/clear": {"csrf": "", "reason": "x"},
    "/notices/{notice_id}/read": {"csrf": ""},
    "/notices/read": {"csrf": ""},
    "/tasks/sign": {"csrf": "", "sign-T-000001": "2"},
    "/tickets/{ticket_id}/comments": {"csrf": "", "text": "x"},
    STEP: {"csrf": "", "seen": "2", **{k: str(v) for k, v in STATED.items()}},
}  # fmt: skip
FILES: Mapping[str, Mapping[str, str]] = {
    "/uploads": {
        "csrf": "", "dataset": "divisions", "rows": "1", "supersedes": "", "answers": "", "sent_on": "2026-01-10",
    },
    "/tickets/{ticket_id}/answer": {"csrf": ""},
    "/catalogue": {"csrf": ""},
    "/catalogue/exchange": {"csrf": ""},
}  # fmt: skip
API: Mapping[str, Mapping[str, Any]] = {
    "/api/audit": {"chain": "events", "noted": "1:ab"},
    "/api/requests": {
        "dataset": "gas_regulator_readings",
        "record": "1",
        "message": "m",
        "evidence": "e",
        "field": "f",
    },
    "/api/tickets/{ticket_id}/comments": {"text": "x"},
    "/api/tickets/{ticket_id}/steps/{event}": {"seen": 2, "facts": {k: str(v) for k, v in STATED.items()}},
}
ABLE = {
    "/keys": "operator",
    "/keys/{key_id}/rotate": "operator",
    "/keys/{key_id}/end": "operator",
    "/catalogue/lists/{name}": "officer",
    "/catalogue/exchange": "officer",
    "/sql": "officer",
    "/sql/file": "officer",
    "/sql/saved": "officer",
    "/sql/saved/{saved_id}/remove": "officer",
    "/sql/tokens": "officer",
    "/sql/tokens/{token_id}/end": "officer",
    "/audit": "auditor",
    "/api/audit": "auditor",
    "waive": "officer",
    "extend": "officer",
    "transfer": "officer",
    "supervise": "leader",
}
"""Who gets furthest with an address, or a step."""

EVENTS = ("ask_extension", "waive", "extend", "transfer", "dispute", "sign", "supervise")


@pytest.fixture(scope="module")
def town(module_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    made = city(tmp_path_factory.mktemp("hostile"), module_url)
    yield made
    made.portal.tickets.database.close()
    made.portal.lake.ledger.close()


@pytest.fixture(scope="module")
def app(town: City) -> ASGIApp:
    return guarded(town.portal)


@pytest.fixture(scope="module")
def tokens(town: City) -> dict[str, str]:
    return {who: Browser(town.portal, who).token() for who in WHO}


@pytest.fixture(scope="module")
def things(town: City) -> dict[str, str]:
    """Something that is there for each placeholder of an address."""
    with town.portal.tickets.database.session() as session:
        session.add(NoticeRow(department="civil_affairs", at=utc(NOW), title="提醒", text="一个工单"))
    with town.portal.tickets.database.session() as session:
        notice = session.scalars(select(NoticeRow.id).where(NoticeRow.title == "提醒")).one()
    delivery = delivered(town, "divisions")
    grant = granted(town, "own", "divisions")
    town.store.objects[f"reports/exchange/{RUN}.json"] = RESULT
    return {
        "ticket_id": town.issue, "event": "sign", "dataset": "divisions", "provider": "civil_affairs",
        "delivery_id": delivery, "upload_id": "U1", "notice_id": str(notice), "alarm_id": "1", "key_id": "ab", "saved_id": "1", "token_id": "ab", "grant_id": grant,
        "register": "scene", "item": registered(town), "name": "share", "number": "1", "ending": "xlsx", "run": RUN, "file": "none.pdf",
        "path:path": f"civil_affairs/divisions/{delivery}.html",
    }  # fmt: skip


def sent(app: ASGIApp, method: str, path: str, token: str = "", **options: Any) -> Asked:
    """The request with its answer, which is no server error; an exception that nobody handles is raised here."""
    headers = {"cookie": f"lake_session={token}", **options.pop("headers", {})}
    done = RUNNER.run(Asked(method, path, headers, **options).run(app))
    assert 200 <= done.status < 500, (method, path, options)
    return done


def filled(path: str, things: Mapping[str, str], **instead: str) -> str:
    return re.sub(r"\{([\w:]+)\}", lambda found: instead.get(found[1], things[found[1]]), path)


def queries(path: str) -> list[str]:
    """Names of what an address asks for behind its question mark."""
    (route,) = [one for one in ROUTES if one.path == path and "GET" in one.methods]
    found = []
    for one in get_flat_dependant(route.dependant).query_params:
        found += list(getattr(one.field_info.annotation, "model_fields", {})) or [one.alias]
    return found


def urlencoded(fields: Mapping[str, bytes]) -> bytes:
    return b"&".join(f"{name}={quote_from_bytes(value)}".encode() for name, value in fields.items())


def multipart(fields: Mapping[str, bytes], name: bytes | None = None, data: bytes = b"a,b\n1,2\n") -> bytes:
    """The form with the boundary b; the file last, if there is one."""
    head = b'--b\r\nContent-Disposition: form-data; name="'
    body = b"".join(head + key.encode() + b'"\r\n\r\n' + value + b"\r\n" for key, value in fields.items())
    file = b"" if name is None else head + b'file"; filename="' + name + b'"\r\n\r\n' + data + b"\r\n"
    return body + file + b"--b--\r\n"


def encoded(fields: Mapping[str, str], token: str) -> dict[str, bytes]:
    return {**{name: value.encode() for name, value in fields.items()}, "csrf": csrf_of(token).encode()}


@pytest.mark.parametrize("path", GETS)
def test_nothing_behind_the_question_mark_is_a_server_error(
    town: City, app: ASGIApp, tokens: dict[str, str], things: dict[str, str], path: str
) -> None:
    for name in queries(path):
        for number, text in enumerate((*TEXTS, *(CUTS if name == "cut" else ()))):
            who = WHO[(len(path) + number) % len(WHO)]
            sent(app, "GET", filled(path, things), tokens[who], query=f"{name}={quote_from_bytes(text)}")
    sent(app, "GET", filled(path, things), tokens["own"], query="&" * 999 + "=%zz%&a=" + "x" * 20000)


@pytest.mark.parametrize("path", sorted({one.path for one in ROUTES if "{" in one.path}))
def test_nothing_in_the_place_of_an_id_is_a_server_error(
    app: ASGIApp, tokens: dict[str, str], things: dict[str, str], path: str
) -> None:
    for name, text in product(re.findall(r"\{([\w:]+)\}", path), TEXTS):
        decoded = text.decode(errors="replace")  # as the server decodes an address
        for method in ("GET", "POST"):
            headers = {"content-type": FORM, "content-length": "0"}
            sent(app, method, filled(path, things, **{name: decoded}), tokens["own"], headers=headers)


def test_every_form_is_tried() -> None:
    posts = {one.path for one in ROUTES if "POST" in one.methods}
    assert posts == set(FORMS) | set(FILES) | set(API)


def posted(app: ASGIApp, path: str, token: str, kind: str, body: bytes) -> Asked:
    headers = {"content-type": kind, "content-length": str(len(body))}
    if path == "/login":
        headers["cookie"] = f"lake_login={token}"
    return sent(app, "POST", path, token, headers=headers, body=[body])


@pytest.mark.parametrize("path", sorted(set(FORMS) - {STEP}))
def test_nothing_in_a_form_is_a_server_error(town: City, app: ASGIApp, things: dict[str, str], path: str) -> None:
    for number, (name, text) in enumerate(product(FORMS[path], TEXTS)):
        town.wait(minutes=20)  # no try of a password is refused for the ones before it
        token = _token(town, ABLE.get(path, "own"))
        fields = {**encoded(FORMS[path], token), name: text}
        forms = ((FORM, urlencoded(fields)), ("multipart/form-data; boundary=b", multipart(fields)))
        posted(app, filled(path, things), token, *forms[number % 2])


@pytest.mark.parametrize("event", EVENTS)
def test_nothing_that_is_stated_for_a_step_is_a_server_error(town: City, app: ASGIApp, event: str) -> None:
    (step, *_) = [one for one in town.portal.tickets.state_machine().steps if one.event == event]
    token, ticket = _token(town, ABLE.get(event, "own")), ""
    for number, (name, text) in enumerate(product(("seen", *step.requires), TEXTS)):
        if not ticket or town.portal.tickets.ticket(ticket, OFFICER, town.clock[0]).version != 2:
            issue = an_issue(field=f"{event}{number}")
            (ticket,) = town.portal.tickets.found([issue], town.clock[0])
        stated = {"seen": "2", **{fact: str(STATED[fact]) for fact in step.requires}}
        body = urlencoded({**encoded(stated, token), name: text})
        posted(app, f"/tickets/{ticket}/steps/{event}", token, FORM, body)


def _token(town: City, who: str) -> str:
    """A login that holds, whatever the forms before did."""
    account = next(one for one in town.portal.accounts.list() if one.name == who)
    return town.portal.sessions.start(account, town.portal.now())


KINDS = (
    *(f"multipart/form-data; boundary=b; charset={name}" for name in (
        "utf-7", "utf-16", "raw_unicode_escape", "unicode_escape", "idna", "punycode", "base64", "rot13", "hex",
        "undefined", "mbcs", "no-such", "", "\xff",
    )),
    "multipart/form-data; boundary=" + "b" * 500,
    "multipart/form-data; boundary=",
    "multipart/form-data; boundary=\xe9\xff",
    "multipart/form-data",
    'multipart/form-data; boundary="',
    "multipart/mixed; boundary=b",
    "application/json",
    "text/plain; charset=utf-16",
    "\xff\xfe",
    "",
    ";;;=",
)  # fmt: skip


@pytest.mark.parametrize("path", sorted({**FORMS, **FILES, **API}))
def test_no_kind_of_a_body_is_a_server_error(town: City, app: ASGIApp, things: dict[str, str], path: str) -> None:
    for kind in KINDS:
        token = _token(town, "own")
        fields = encoded({**FORMS, **FILES}.get(path, {}), token) | {
            "text": rb"\ud800 \udfff +2AA-",
            "reason": rb"\ud800",
        }
        name = b"a.csv" if path in FILES else None
        bodies = [
            multipart(fields, name),
            multipart(fields, name).replace(b"--b", b"--" + b"b" * 500),
            b"",
            b"\xff" * 99,
        ]
        for body in bodies:
            posted(app, filled(path, things), token, kind, body)


NAMES = (
    "长".encode() * 75 + b".csv",
    "长".encode() * 3000 + b".csv",
    "\U0001f600".encode() * 80 + b".xlsx",
    b"x" * 300 + b".csv",
    b"\xed\xa0\x80\xff.csv",
    b"",
    b".",
    b"..",
    b"/",
    b".csv",
    b"CON.csv",
    b"a\x01b\x7f.csv",
    b"%00.csv",
    b"a%2f..%2fb.csv",
    "\u202e\u200b\ufeff.csv".encode(),
    b"a.csv\\",
    b"a" * 90 + b".manifest.json",
)


@pytest.mark.parametrize("path", sorted(FILES))
def test_no_name_of_a_file_is_a_server_error(town: City, app: ASGIApp, things: dict[str, str], path: str) -> None:
    for name, data in product(NAMES, (b"a,b\n1,2\n", b"PK\x03\x04" + b"x" * 50)):
        token = _token(town, ABLE.get(path, "own"))
        body = multipart(encoded(FILES[path], token), name, data)
        done = posted(app, filled(path, things), token, "multipart/form-data; boundary=b", body)
        assert done.status in (303, 400, 415, 422), (name, done.status)
    for key in town.store.objects:
        assert all(len(part.encode()) <= 255 for part in key.split("/")), key


@pytest.mark.parametrize("path", sorted(FILES))
def test_nothing_beside_a_file_is_a_server_error(town: City, app: ASGIApp, things: dict[str, str], path: str) -> None:
    for name, text in product(FILES[path], TEXTS):
        token = _token(town, ABLE.get(path, "own"))
        fields = {**encoded(FILES[path], token), name: text}
        posted(app, filled(path, things), token, "multipart/form-data; boundary=b", multipart(fields, b"a.csv"))


def hostile_values(value: Any) -> Iterator[Any]:
    for text in TEXTS:
        yield text.decode("utf-8", "surrogatepass") if b"\xff" not in text else text.decode("latin-1")
    yield from ("\ud800", "\x00", 10**20, -(10**20), 1.5, True, None, [], {}, [[]], {"a": "b"}, "x" * 100_000)
    if isinstance(value, dict):
        for name, text in product(value, ("9" * 20, "9" * 3000, "\ud800", "x" * 4001, "0001-01-01", "2026-W01-1", "")):
            yield {**value, name: text}


@pytest.mark.parametrize("path", sorted(API))
def test_nothing_in_json_is_a_server_error(town: City, app: ASGIApp, things: dict[str, str], path: str) -> None:
    raws = [b"[" * 100_000, b'{"a":' * 50_000, b"9" * 10_000, b"NaN", b'"\xff"', b"\xef\xbb\xbf{}", b"null", b"{", b""]
    for event in EVENTS if "{event}" in path else (path,):
        token = _token(town, ABLE.get(event, "own"))
        headers = {"x-csrf-token": csrf_of(token), "content-type": "application/json"}
        bodies = [
            json.dumps({**API[path], name: v}).encode() for name, one in API[path].items() for v in hostile_values(one)
        ]
        for body in (*bodies, *raws):
            length = {"content-length": str(len(body))}
            sent(app, "POST", filled(path, things, event=event), token, headers={**headers, **length}, body=[body])


@pytest.mark.parametrize(
    "headers",
    [
        {"cookie": "lake_session=\xff\xfe; lake_login=\xe9"},
        {"cookie": "lake_session=" + "x" * 9000},
        {"cookie": ";;==;" + "a=" * 999},
        {"x-csrf-token": "\xff" * 20},
        {"x-csrf-token": "x" * 9000},
        {"x-forwarded-for": "\xff, " * 99},
        {"range": "bytes=99999999999999999999-1"},
        {"range": "bytes=" + ",".join("0-1" for _ in range(500))},
        {"if-modified-since": "\xff"},
        {"if-none-match": "x" * 9000},
        {"accept-language": "\xff"},
        {"content-length": "9" * 30},
        {"content-length": "-1"},
        {"content-length": "\xb2"},
    ],
)
@pytest.mark.parametrize("path", ["/login", "/tasks", "/static/portal.css", "/api/me", "/oidc/callback", "/nowhere"])
def test_no_header_is_a_server_error(app: ASGIApp, tokens: dict[str, str], path: str, headers: dict[str, str]) -> None:
    for method, token in product(("GET", "POST"), ("", tokens["own"])):
        sent(app, method, path, token, headers=headers)


def test_a_page_that_cannot_be_is_told_in_chinese(town: City, app: ASGIApp) -> None:
    for path, query in (
        ("/tasks", "page=" + "9" * 20),
        ("/tickets", "page=" + "9" * 20),
        ("/overview/loop", "cut=" + "9" * 20 + ".1"),
    ):
        done = sent(app, "GET", path, _token(town, "officer"), query=query)
        assert 400 <= done.status < 500 and re.search("[\u4e00-\u9fff]", done.answer.decode())


def test_a_name_of_seventy_five_chinese_characters_is_kept_as_far_as_a_file_system_keeps_it(
    town: City, app: ASGIApp, things: dict[str, str]
) -> None:
    token = _token(town, "own")
    body = multipart(encoded(FILES["/uploads"], token), "区".encode() * 75 + b".csv")
    done = posted(app, "/uploads", token, "multipart/form-data; boundary=b", body)
    assert done.status == 303
    (name,) = {k.rsplit("/", 1)[-1] for k in town.store.objects if "区区" in k}
    assert name.endswith("区.csv") and len(name) > 40
