"""The portal for programs: the same guards as the pages, documented, and never a server error, whatever is sent."""

from collections.abc import Iterator
from typing import Any, cast

import hypothesis
import pytest
import schemathesis
from schemathesis.specs.openapi.checks import response_schema_conformance

from jobs.serving.portal.app import create_app
from jobs.serving.portal.context import Portal
from tests.unit.serving.portal.portal_city import Browser, City, city, delivered, served

ROLES = ("own", "officer", "auditor")
EXAMPLES = 12


@pytest.fixture(scope="module")
def town(module_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    made = city(tmp_path_factory.mktemp("api"), module_url)
    delivered(made, "divisions")
    yield made
    made.portal.tickets.database.close()
    made.portal.lake.ledger.close()


@pytest.fixture(scope="module")
def logins(town: City) -> dict[str, dict[str, str]]:
    found = {}
    for who in ROLES:
        browser = Browser(town.portal, who)
        found[who] = {"Cookie": f"lake_session={browser.token()}", "X-CSRF-Token": browser.csrf()}
    return found


@pytest.fixture(scope="module")
def address(town: City) -> Iterator[str]:
    with served(town.portal) as url:
        yield url


OPERATIONS = [
    one.ok() for one in schemathesis.openapi.from_dict(create_app(cast(Portal, None)).openapi()).get_all_operations()
]


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda o: o.label)
def test_whatever_is_sent_there_is_no_server_error(
    operation: Any, address: str, logins: dict[str, dict[str, str]]
) -> None:
    @hypothesis.settings(max_examples=EXAMPLES, derandomize=True, suppress_health_check=list(hypothesis.HealthCheck))
    @hypothesis.given(case=operation.as_strategy())
    def send(case: Any) -> None:
        own = {n: v for n, v in (case.headers or {}).items() if n.lower() not in ("cookie", "x-csrf-token")}
        for who in ROLES:
            answer = case.call(base_url=address, headers={**own, **logins[who]})
            assert answer.status_code < 500, answer.text
            if answer.status_code == 200:
                case.validate_response(answer, checks=[response_schema_conformance])

    send()


def test_who_is_not_logged_in_gets_nothing_but_the_description(town: City) -> None:
    browser = Browser(town.portal)
    described = browser.get("/api/openapi.json").json()
    assert described["info"]["title"] == "城市数据湖门户接口"
    for path, methods in described["paths"].items():
        for method in methods:
            answer = browser.client.request(method.upper(), path.replace("{", "").replace("}", ""), json={})
            assert (path, answer.status_code) == (path, 401)
    assert browser.get("/docs").status_code == browser.get("/redoc").status_code == 404


def test_what_changes_something_needs_the_word_in_its_header(town: City) -> None:
    browser = Browser(town.portal, "own")
    path = f"/api/tickets/{town.issue}/comments"
    assert browser.client.post(path, json={"text": "x"}).status_code == 403
    word = browser.get("/api/me").json()["csrf"]
    answer = browser.client.post(path, json={"text": "已联系"}, headers={"X-CSRF-Token": word})
    assert answer.status_code == 200 and answer.json()["label"] == "留言"


def test_a_department_works_a_ticket_and_sees_nothing_of_others(town: City) -> None:
    browser = Browser(town.portal, "own")
    word = {"X-CSRF-Token": browser.get("/api/me").json()["csrf"]}
    (one,) = [t for t in browser.get("/api/tasks").json()["tickets"] if t["id"] == town.issue]
    assert one["clock"]["policy"] == "C9"
    offered = browser.get(f"/api/tickets/{town.issue}").json()
    assert "sign" in [s["event"] for s in offered["steps"]]
    path = f"/api/tickets/{town.issue}/steps/"
    body = {"seen": offered["ticket"]["version"]}
    if offered["ticket"]["state"] == "dispatched":
        assert browser.client.post(path + "sign", json=body, headers=word).json()["state"] == "signed_for"
    assert browser.client.post(path + "start", json={"seen": 0}, headers=word).status_code == 409
    missing = browser.client.post(path + "dispute", json=body, headers=word)
    assert missing.status_code == 422 and "须写明" in missing.json()["detail"]
    for hidden in (f"tickets/{town.other}", f"tickets/{town.other}/events", "departments/liaocheng_gas"):
        assert browser.get(f"/api/{hidden}").status_code == 404
    for forbidden in ("overview", "access-log"):
        assert browser.get(f"/api/{forbidden}").status_code == 403
    assert browser.get("/api/datasets/gas_regulator_readings").json()["deliveries"] is None
    assert town.other not in str(browser.get("/api/tickets?show=all").json())


def test_the_bureau_reads_the_city_and_the_auditor_the_log(town: City) -> None:
    overview = Browser(town.portal, "leader").get("/api/overview").json()
    assert len(overview["counties"]) == 8 and {d["provider"] for d in overview["departments"]} >= {"civil_affairs"}
    auditor = Browser(town.portal, "auditor")
    assert auditor.get("/api/access-log").status_code == 200
    word = {"X-CSRF-Token": auditor.get("/api/me").json()["csrf"]}
    assert auditor.client.post("/api/audit", json={}, headers=word).json()["broken"] is None


@pytest.mark.parametrize("text", ["a\x00b", "\ud800"])
def test_characters_that_are_none_are_refused(town: City, text: str) -> None:
    browser = Browser(town.portal, "own")
    word = browser.get("/api/me").json()["csrf"]
    body = b'{"text": "' + text.encode("unicode_escape").replace(b"\\x00", b"\\u0000") + b'"}'
    headers = {"X-CSRF-Token": word, "Content-Type": "application/json"}
    assert browser.client.post(f"/api/tickets/{town.issue}/comments", content=body, headers=headers).status_code == 422
    assert browser.get("/tickets?q=%00").status_code == 400
