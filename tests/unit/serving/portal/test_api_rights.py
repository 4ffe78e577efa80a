"""Every address of /api for every role and for its own and another department's things; nothing changes without the word."""

import re
from collections.abc import Mapping
from typing import Any, cast

import pytest

from jobs.serving.portal.app import create_app
from jobs.serving.portal.context import Portal
from tests.unit.collaboration.samples import OFFICER
from tests.unit.serving.portal.portal_city import Browser, City
from tests.unit.serving.portal.test_rights import (
    ALL,
    BUREAU,
    DEPARTMENT,
    EVERYBODY,
    FOREIGN,
    HIDDEN,
    NO_DEPARTMENT,
    OWN,
    browsers,
    cases,
    filled,
    only,
    things,
    town,
)

__all__ = ["browsers", "things", "town"]
Things = Mapping[tuple[str, str], str]
GETS: dict[str, dict[str, dict[str, int]]] = {
    **{f"/api/{name}": {NO_DEPARTMENT: EVERYBODY} for name in ("me", "tasks", "tickets", "datasets", "deliveries")},
    "/api/notices": {NO_DEPARTMENT: EVERYBODY},
    "/api/overview": {NO_DEPARTMENT: only(*BUREAU)},
    "/api/access-log": {NO_DEPARTMENT: only("auditor")},
    "/api/tickets/{ticket_id}": {OWN: EVERYBODY, FOREIGN: HIDDEN},
    "/api/tickets/{ticket_id}/events": {OWN: EVERYBODY, FOREIGN: HIDDEN},
    "/api/datasets/{dataset}": {OWN: EVERYBODY, FOREIGN: EVERYBODY},
    "/api/deliveries/{delivery_id}": {OWN: EVERYBODY, FOREIGN: HIDDEN},
    "/api/departments/{provider}": {OWN: EVERYBODY, FOREIGN: HIDDEN},
    "/api/departments/{provider}/loop": {OWN: EVERYBODY, FOREIGN: HIDDEN},
}
SPEAKERS = ("own", "clerk", "officer", "leader")
POSTS: dict[str, dict[str, dict[str, int]]] = {
    "/api/tickets/{ticket_id}/steps/{event}": {
        OWN: {who: 422 if who == "officer" else 403 for who in ALL},
        FOREIGN: {who: 422 if who == "officer" else 404 if who in DEPARTMENT else 403 for who in ALL},
    },
    "/api/tickets/{ticket_id}/comments": {
        OWN: only(*SPEAKERS),
        FOREIGN: {**only("officer", "leader"), **dict.fromkeys(DEPARTMENT, 404)},
    },
    "/api/requests": {NO_DEPARTMENT: {who: 422 if who in DEPARTMENT else 403 for who in ALL}},
    "/api/audit": {NO_DEPARTMENT: only("auditor")},
}
BODIES: Mapping[str, Mapping[str, Any]] = {
    "/api/tickets/{ticket_id}/steps/{event}": {"seen": 2},
    "/api/tickets/{ticket_id}/comments": {"text": "已知悉"},
    "/api/requests": {"dataset": "none", "record": "x", "message": "x", "evidence": "x"},
    "/api/audit": {},
}


def test_the_matrix_covers_every_address() -> None:
    described = create_app(cast(Portal, None)).openapi()["paths"]
    for method, table in (("get", GETS), ("post", POSTS)):
        assert {path for path, words in described.items() if method in words} == set(table)
    assert {method for words in described.values() for method in words} == {"get", "post"}
    every = [by_who for table in (GETS, POSTS) for by_owner in table.values() for by_who in by_owner.values()]
    assert all(set(by_who) == set(ALL) for by_who in every)


@pytest.mark.parametrize(("path", "whose", "who", "status"), cases(GETS))
def test_what_is_told(
    browsers: dict[str, Browser], things: Things, path: str, whose: str, who: str, status: int
) -> None:
    answer = browsers[who].get(filled(path, whose, dict(things)))
    assert answer.status_code == status
    if status == 404:
        own = browsers[who].get(re.sub(r"\{\w+\}", "no-such", path))
        (asked,) = re.findall(r"\{(\w+)\}", path)
        told = answer.text.replace(things[asked, whose], "")
        assert own.status_code == 404 and things["provider", FOREIGN] not in told


@pytest.mark.parametrize(("path", "whose", "who", "status"), cases(POSTS))
def test_what_is_done(
    browsers: dict[str, Browser], things: Things, path: str, whose: str, who: str, status: int
) -> None:
    browser = browsers[who]
    word = {"X-CSRF-Token": browser.get("/api/me").json()["csrf"]}
    answer = browser.client.post(filled(path, whose, dict(things)), json=BODIES[path], headers=word)
    assert answer.status_code == status, answer.text


@pytest.mark.parametrize("path", POSTS)
@pytest.mark.parametrize("word", ["", "0" * 64, "of another login"])
def test_nothing_is_done_without_the_own_word(town: City, things: Things, path: str, word: str) -> None:
    who = "auditor" if path == "/api/audit" else "own"
    browser = Browser(town.portal, who)
    if word == "of another login":
        word = Browser(town.portal, who).get("/api/me").json()["csrf"]
    before = town.portal.tickets.events(town.issue, OFFICER)
    headers = {"X-CSRF-Token": word} if word else {}
    answer = browser.client.post(filled(path, OWN, dict(things)), json=BODIES[path], headers=headers)
    assert answer.status_code == 403
    assert town.portal.tickets.events(town.issue, OFFICER) == before


@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "text/plain", "multipart/form-data; boundary=x"])
def test_what_another_sites_form_can_send_is_not_taken_for_json(town: City, things: Things, kind: str) -> None:
    browser = Browser(town.portal, "own")
    before = town.portal.tickets.events(town.issue, OFFICER)
    path = filled("/api/tickets/{ticket_id}/comments", OWN, dict(things))
    answer = browser.client.post(path, content=b'{"text": "x"}', headers={"Content-Type": kind})
    assert answer.status_code in (403, 422)
    assert town.portal.tickets.events(town.issue, OFFICER) == before
