"""What is left behind: cookies, cached pages, lines of the log; none of it helps whoever comes next."""

import asyncio
import logging
import re
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from jobs.errors import ServiceUnavailable
from jobs.serving.portal.app import create_app, guarded
from jobs.serving.portal.context import Portal
from jobs.serving.sessions import csrf_of
from tests.unit.lake.local_lake import CANARIES
from tests.unit.serving.portal.asgi_requests import Asked, addresses
from tests.unit.serving.portal.portal_city import PASSWORD, Browser, City, delivered, hidden


def over_tls(town: City) -> Portal:
    return replace(town.portal, settings=town.portal.settings.model_copy(update={"portal_secure": True}))


def asked(portal: Portal, method: str, path: str, **options: Any) -> Asked:
    return asyncio.run(Asked(method, path, **options).run(guarded(portal)))


def cookie(done: Asked) -> tuple[str, str]:
    """Name and value of the cookie that an answer sets, and what goes with it."""
    pair, _, rest = done.sent["set-cookie"].partition(";")
    return pair, rest


def test_over_tls_cookies_are_taken_from_this_very_host_alone(town: City) -> None:
    portal = over_tls(town)
    form = asked(portal, "GET", "/login")
    login, _ = cookie(form)
    body = f"csrf={hidden(form.answer.decode(), 'csrf')}&name=own&password={PASSWORD.replace(' ', '+')}".encode()
    headers = {"content-type": "application/x-www-form-urlencoded", "content-length": str(len(body)), "cookie": login}
    done = asked(portal, "POST", "/login", headers=headers, body=[body])
    assert done.status == 303 and re.fullmatch("__Host-lake_login=[^;]+", login)
    token = town.portal.sessions.start(town.portal.accounts.list()[0], town.portal.now())
    for name, status in (("__Host-lake_session", 200), ("lake_session", 303)):
        assert asked(portal, "GET", "/help", headers={"cookie": f"{name}={token}"}).status == status


def test_a_logout_ends_the_cookie_and_what_the_browser_kept(town: City) -> None:
    portal = over_tls(town)
    token = portal.sessions.start(portal.accounts.list()[0], portal.now())
    body = f"csrf={csrf_of(token)}".encode()
    headers = {
        "content-type": "application/x-www-form-urlencoded",
        "content-length": str(len(body)),
        "cookie": f"__Host-lake_session={token}",
    }
    done = asked(portal, "POST", "/logout", headers=headers, body=[body])
    pair, rest = cookie(done)
    assert pair == '__Host-lake_session=""' and "Max-Age=0" in rest and "Secure" in rest and "Path=/" in rest
    assert done.sent["clear-site-data"] == '"cache"'
    assert asked(portal, "GET", "/help", headers={"cookie": f"__Host-lake_session={token}"}).status == 303


def test_no_browser_or_proxy_keeps_what_somebody_was_shown(town: City) -> None:
    delivery = delivered(town, "divisions")
    browser = Browser(town.portal, "own")
    known = (
        f"/reports/civil_affairs/divisions/{delivery}.xlsx",
        f"/tickets/{town.issue}",
        f"/tickets/{town.issue}/workbook",
    )
    paths = {path for method, path in addresses(create_app(town.portal)) if method == "GET"} | set(known)
    for path in sorted(paths):
        kept = browser.get(path).headers["cache-control"]
        assert kept == "no-store" or path.startswith("/static/"), path
    assert all(browser.get(path).status_code == 200 for path in known)


def test_an_address_is_one_line_of_the_log(
    town: City, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def away(*_: object, **__: object) -> None:
        raise ServiceUnavailable("the state database does not answer")

    browser = Browser(town.portal, "own")
    monkeypatch.setattr(type(town.portal.tickets), "ticket", away)
    with caplog.at_level(logging.INFO):
        assert browser.get("/tickets/x%0AERROR%20all%20is%20lost%1b[31m").status_code == 503
    (line,) = [one.getMessage() for one in caplog.records if one.name == "jobs.serving.portal.error_handlers"]
    assert line.startswith("/tickets/x%0AERROR") and not re.search(r"[\n\x1b]", line)


def test_errors_of_the_database_do_not_quote_what_was_to_be_kept(town: City) -> None:
    orphan = text("INSERT INTO ticket_comment (event, ticket, text) VALUES (999999, 'T-999999', :text)")
    with pytest.raises(IntegrityError) as error, town.portal.tickets.database.session() as session:
        session.execute(orphan, {"text": CANARIES[0]})
    assert CANARIES[0] not in str(error.value)
