"""Login through an identity provider, against a real one in a process of its own; and tokens that are wrong in one way each."""

import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from pydantic import SecretStr

from jobs.errors import SetupError
from jobs.serving.oidc import Oidc
from jobs.settings import PROJECT
from tests.oidc_provider import CLIENT, SECRET, WRONG
from tests.postgres import free_port
from tests.unit.serving.portal.portal_city import Browser, City, city

ROLES = {"dept-approver": "approver", "officer": "quality_officer"}


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    port = free_port()
    command = [sys.executable, "-m", "tests.oidc_provider", str(port)]
    with subprocess.Popen(command, cwd=PROJECT) as server:
        url, deadline = f"http://127.0.0.1:{port}", time.monotonic() + 30
        while True:
            try:
                httpx.get(f"{url}/jwks", trust_env=False)
                break
            except httpx.HTTPError:
                assert server.poll() is None and time.monotonic() < deadline
                time.sleep(0.1)
        yield url
        server.terminate()


@pytest.fixture
def town(issuer: str, made_url: str, tmp_path: Path) -> Iterator[City]:
    made = city(
        tmp_path,
        made_url,
        oidc_issuer=issuer,
        oidc_client_id=CLIENT,
        portal_public_url="http://portal.test",
        oidc_client_secret=SecretStr(SECRET),
        oidc_roles=ROLES,
        oidc_departments={"MZJ": "civil_affairs"},
    )
    made.clock[0] = datetime.now(UTC)
    yield made
    made.portal.tickets.database.close()
    made.portal.lake.ledger.close()


def sent_back(browser: Browser, user: str, start: str = "/oidc/start") -> str:
    """The address with which the provider sends the browser back."""
    away = browser.get(start).headers["location"]
    answer = httpx.get(away, headers={"X-User": user}, trust_env=False, follow_redirects=False)
    assert answer.status_code == 302, answer.text
    return answer.headers["location"].replace("http://portal.test", "")


def test_somebody_whom_the_provider_knows_gets_in_with_role_and_department(town: City) -> None:
    browser = Browser(town.portal)
    assert "使用统一身份认证登录" in browser.get("/login").text
    answer = browser.get(sent_back(browser, "alice", f"/oidc/start?next=/tickets/{town.issue}"))
    assert (answer.status_code, answer.headers["location"]) == (303, f"/tickets/{town.issue}")
    page = browser.get(f"/tickets/{town.issue}").text
    assert "爱丽丝 · 部门审核员" in page and "签收" in page
    assert browser.get(f"/tickets/{town.other}").status_code == 404
    (one,) = [a for a in town.portal.accounts.list() if a.name == "alice"]
    assert (one.role, one.department) == ("approver", "civil_affairs")
    again = Browser(town.portal)
    again.get(sent_back(again, "alice"))
    assert len([a for a in town.portal.accounts.list() if a.person == "爱丽丝"]) == 1


def test_the_request_carries_state_nonce_and_a_challenge_of_its_own(town: City) -> None:
    asked = [parse_qs(urlsplit(Browser(town.portal).get("/oidc/start").headers["location"]).query) for _ in range(2)]
    for name in ("state", "nonce", "code_challenge"):
        assert asked[0][name] != asked[1][name]
    assert asked[0]["code_challenge_method"] == ["S256"] and asked[0]["response_type"] == ["code"]
    assert "client_secret" not in asked[0]


@pytest.mark.parametrize("user", WRONG)
def test_a_token_that_is_wrong_in_any_way_lets_nobody_in(town: City, user: str) -> None:
    browser = Browser(town.portal)
    answer = browser.get(sent_back(browser, user))
    assert answer.status_code == 401 and "统一身份认证没有成功" in answer.text
    assert browser.get("/tasks").status_code == 303


@pytest.mark.parametrize("user", ["guest", "homeless"])
def test_who_has_no_role_or_department_here_does_not_get_in(town: City, user: str) -> None:
    browser = Browser(town.portal)
    answer = browser.get(sent_back(browser, user))
    assert answer.status_code == 401 and "没有给出本平台的角色或部门" in answer.text


def test_a_name_at_the_provider_is_no_way_into_an_account_with_a_password(town: City) -> None:
    browser = Browser(town.portal)
    browser.get(sent_back(browser, "mallory"))
    page = browser.get("/tasks").text
    assert "马洛里 · 部门审核员" in page
    names = {a.name: a.role for a in town.portal.accounts.list()}
    assert names["officer"] == "quality_officer"
    assert [r for n, r in names.items() if n.startswith("officer-")] == ["approver"]


def test_a_way_back_is_good_once_for_one_browser_and_for_ten_minutes(town: City) -> None:
    browser = Browser(town.portal)
    back = sent_back(browser, "alice")
    assert Browser(town.portal).get(back).status_code == 403, "another browser's login cannot be slipped to anybody"
    state = parse_qs(urlsplit(back).query)["state"][0]
    assert browser.get(back).status_code == 303
    browser.client.cookies.set("lake_oidc", state, domain="portal.test", path="/")
    assert browser.get(back).status_code == 401, "used"
    late = Browser(town.portal)
    back = sent_back(late, "alice")
    town.wait(minutes=11)
    assert late.get(back).status_code == 401
    assert late.get("/oidc/callback?error=access_denied&state=x").status_code == 403


def test_a_disabled_account_stays_out(town: City) -> None:
    browser = Browser(town.portal)
    browser.get(sent_back(browser, "alice"))
    town.portal.accounts.disable("alice")
    assert browser.get("/tasks").status_code == 303
    again = Browser(town.portal)
    assert again.get(sent_back(again, "alice")).status_code == 401
    assert again.login("alice", "").status_code == 401, "there is no password to it"


def test_a_provider_that_is_away_or_another_is_told_so(town: City, issuer: str) -> None:
    def told(**settings: str) -> int:
        other = replace(town.portal, settings=town.portal.settings.model_copy(update=settings))
        return int(Browser(other).get("/oidc/start").status_code)

    assert told(oidc_issuer=f"http://127.0.0.1:{free_port()}") == 503
    assert told(oidc_issuer=issuer + "/") == 500
    assert told(oidc_issuer="") == 404
    wrong = town.portal.settings.model_copy(update={"oidc_issuer": issuer + "/"})
    with pytest.raises(SetupError):
        Oidc(wrong, town.portal.tickets.database, "x").begin("", town.clock[0])
