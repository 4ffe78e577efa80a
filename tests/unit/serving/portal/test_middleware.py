"""What holds for every request: who sends it and how much of it is read before that is known; whose host; which address."""

import asyncio
import shutil
from collections.abc import Iterator
from dataclasses import replace
from ipaddress import ip_network
from pathlib import Path
from typing import Any, cast

import httpx
import pytest
from sqlalchemy import select
from starlette.types import ASGIApp

from jobs.serving.account_tables import FailureRow
from jobs.serving.addresses import client_address, is_host_of, place_of
from jobs.serving.connections import BoundedConnection
from jobs.serving.portal.app import create_app, guarded
from jobs.serving.portal.context import Portal
from jobs.serving.portal.serve import configured
from jobs.settings import load
from tests.unit.serving.portal.asgi_requests import Asked, addresses
from tests.unit.serving.portal.portal_city import PASSWORD, Browser, City, city, hidden, served

OPEN_ADDRESSES = sorted(addresses(create_app(cast(Portal, None))))
PATHS = sorted({path for _, path in OPEN_ADDRESSES})
TRICKS = ("/api/tickets/1/steps/answer", "/tickets/1/steps/answer", "/x/uploads", "/uploads/answer", "/nowhere")
HUGE = {"content-length": str(1 << 30), "content-type": "application/json"}
SHORT = {"content-length": "1000", "content-type": "application/json"}
CHUNKED = {"transfer-encoding": "chunked", "content-type": "application/x-www-form-urlencoded"}


@pytest.fixture(scope="module")
def town(made_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    folder = tmp_path_factory.mktemp("guard")
    shutil.copy(made_sqlite, folder / "state.db")
    made = city(folder, f"sqlite:///{folder / 'state.db'}")
    yield made
    made.portal.tickets.database.close()
    made.portal.lake.ledger.close()


@pytest.fixture(scope="module")
def app(town: City) -> ASGIApp:
    """The portal as it is served."""
    return guarded(town.portal)


@pytest.fixture(scope="module")
def officer(town: City) -> str:
    """The cookie of somebody who is logged in."""
    return f"lake_session={Browser(town.portal, 'officer').token()}"


def with_settings(town: City, **changes: Any) -> Portal:
    return replace(town.portal, settings=town.portal.settings.model_copy(update=changes))


def endless() -> Iterator[bytes]:
    while True:
        yield b"x" * (1 << 16)


def asked(app: ASGIApp, method: str, path: str, **options: Any) -> Asked:
    return asyncio.run(Asked(method, path, **options).run(app))


@pytest.mark.parametrize("headers", [HUGE, SHORT, CHUNKED], ids=["long", "short", "of no length"])
@pytest.mark.parametrize("path", [*PATHS, *TRICKS])
def test_nothing_is_read_of_what_nobody_who_is_logged_in_sends(
    app: ASGIApp, path: str, headers: dict[str, str]
) -> None:
    for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
        if (method, path, headers) == ("POST", "/login", SHORT):
            continue
        done = asked(app, method, path, headers=headers, body=endless())
        assert done.asked == 0, f"{method} {path} was read"
        assert done.status in (200, 303, 401, 403, 404, 405, 411, 413), (method, done.status)


def test_the_login_form_takes_no_more_than_a_name_and_a_password(app: ASGIApp) -> None:
    form = {"content-type": "application/x-www-form-urlencoded"}
    assert asked(app, "POST", "/login", headers={**form, "content-length": "16385"}).status == 413
    small = asked(app, "POST", "/login", headers={**form, "content-length": "4"}, body=[b"a=b&"])
    assert small.status == 403, "read, and refused for its missing word"


@pytest.mark.parametrize("path", ["/tickets/{}/comments", "/tickets/{}/steps/answer", "/api/tickets/{}/steps/answer"])
def test_addresses_that_take_no_file_have_the_small_limit_for_those_who_are_logged_in_too(
    town: City, app: ASGIApp, path: str
) -> None:
    cookie = {"cookie": f"lake_session={Browser(town.portal, 'own').token()}"}
    for headers, status in ((HUGE, 413), (CHUNKED, 411)):
        done = asked(app, "POST", path.format(town.issue), headers={**headers, **cookie}, body=endless())
        assert (done.status, done.asked) == (status, 0)


@pytest.mark.parametrize("path", ["/uploads", "/tickets/{}/answer"])
def test_an_upload_that_never_ends_is_cut_off_at_its_limit(
    town: City, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jobs.serving.portal.uploads.ANSWER_BYTES", 1 << 20)
    portal, browser = with_settings(town, portal_upload_mib=1), Browser(town.portal, "own")
    head = f'--b\r\nContent-Disposition: form-data; name="csrf"\r\n\r\n{browser.csrf()}\r\n'.encode()
    field = b'--b\r\nContent-Disposition: form-data; name="x"\r\n\r\n' + b"y" * 15000 + b"\r\n"

    def body() -> Iterator[bytes]:
        yield head
        while True:
            yield field

    headers = {"cookie": f"lake_session={browser.token()}", "content-type": "multipart/form-data; boundary=b"}
    done = asked(guarded(portal), "POST", path.format(town.issue), headers=headers, body=body())
    assert done.status == 413 and done.read <= (2 << 20) + len(field)
    assert done.sent["connection"] == "close"


@pytest.mark.parametrize(("site", "status"), [("cross-site", 403), ("same-site", 403), ("same-origin", 303)])
def test_forms_of_other_sites_are_refused_before_they_are_read(town: City, site: str, status: int) -> None:
    answer = Browser(town.portal, "own").post(
        f"/tickets/{town.issue}/comments", {"text": "x"}, headers={"Sec-Fetch-Site": site}
    )
    assert answer.status_code == status


TRUSTED = [ip_network("10.0.0.0/8"), ip_network("2001:db8::/32")]


@pytest.mark.parametrize(
    ("peer", "noted", "found"),
    [
        ("203.0.113.9", "1.2.3.4", "203.0.113.9"),
        ("10.0.0.1", "1.2.3.4", "1.2.3.4"),
        ("10.0.0.1", "6.6.6.6, 1.2.3.4", "1.2.3.4"),
        ("10.0.0.1", "6.6.6.6, 1.2.3.4, 10.2.2.2", "1.2.3.4"),
        ("10.0.0.1", "10.3.3.3, 10.2.2.2", "10.3.3.3"),
        ("10.0.0.1", "1.2.3.4, unknown", "10.0.0.1"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("::ffff:10.0.0.1", "::ffff:1.2.3.4", "1.2.3.4"),
        ("2001:db8::1", "2001:4860::8", "2001:4860::8"),
        ("", "1.2.3.4", ""),
    ],
)
def test_the_rightmost_address_that_is_no_trusted_proxy_counts(peer: str, noted: str, found: str) -> None:
    assert client_address(peer, noted.split(","), TRUSTED) == found


def test_an_ipv6_network_is_one_place() -> None:
    assert place_of("2001:db8:1:2:3::4") == place_of("2001:db8:1:2:ffff::1") == "2001:db8:1:2::/64"
    assert place_of("1.2.3.4") == "1.2.3.4" and place_of("") == ""


def test_trusted_proxies_are_a_setting_and_there_are_none_by_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LAKE_PORTAL_TRUSTED_PROXIES", raising=False)
    load.cache_clear()
    assert load(tmp_path).portal_trusted_proxies == ()
    monkeypatch.setenv("LAKE_PORTAL_TRUSTED_PROXIES", "10.0.0.0/8, 2001:db8::/32")
    load.cache_clear()
    assert list(load(tmp_path).portal_trusted_proxies) == TRUSTED
    load.cache_clear()


def guess(portal: Portal, address: str) -> int:
    """Status of a wrong login that says that it was forwarded for an address."""
    browser = Browser(portal)
    form = {"csrf": hidden(browser.get("/login").text, "csrf"), "name": "leader", "password": "guess guess"}
    return int(browser.client.post("/login", data=form, headers={"X-Forwarded-For": address}).status_code)


def test_a_locked_account_is_not_unlocked_by_naming_another_address(town: City) -> None:
    town.wait(minutes=60)
    assert [guess(town.portal, f"198.51.100.{n}") for n in range(6)] == [401] * 5 + [429]


def test_behind_a_trusted_proxy_each_address_counts_by_itself_and_what_the_client_says_of_itself_does_not(
    town: City,
) -> None:
    town.wait(minutes=60)
    portal = with_settings(town, portal_trusted_proxies=(ip_network("127.0.0.1/32"),))
    assert [guess(portal, f"6.6.6.{n}, 198.51.100.1") for n in range(6)] == [401] * 5 + [429]
    assert guess(portal, "198.51.100.2") == 401


def test_the_server_itself_believes_no_forwarded_address(town: City) -> None:
    town.wait(minutes=60)
    with served(town.portal) as url, httpx.Client(base_url=url, trust_env=False) as client:
        form = {"csrf": hidden(client.get("/login").text, "csrf"), "name": "auditor", "password": "guess guess"}
        client.post("/login", data=form, headers={"X-Forwarded-For": "198.51.100.77"})
    with town.portal.tickets.database.session() as session:
        (where,) = session.scalars(select(FailureRow.address).where(FailureRow.name == "auditor"))
    assert where == "127.0.0.1"


@pytest.mark.parametrize(("method", "path"), OPEN_ADDRESSES)
def test_no_answer_repeats_the_host_that_a_request_names(app: ASGIApp, officer: str, method: str, path: str) -> None:
    for suffix in ("", "/"):
        for cookie in ("", officer):
            headers = {"host": "evil.example", "cookie": cookie}
            done = asked(app, method, path + suffix, headers=headers)
            assert "evil" not in str(done.sent) and b"evil" not in done.answer
            assert not done.sent.get("location", "/").startswith(("http", "//"))


def test_where_the_public_address_is_known_other_hosts_are_refused(town: City) -> None:
    portal = with_settings(town, portal_public_url="https://portal.example.cn")
    for host, status in (
        ("portal.example.cn", 200),
        ("PORTAL.example.cn:443", 200),
        ("portal.example.cn:8443", 421),
        ("evil.example", 421),
        ("portal.example.cn.evil.example", 421),
        ("127.0.0.1:8090", 421),
    ):
        assert asked(guarded(portal), "GET", "/login", headers={"host": host}).status == status, host
    assert asked(guarded(portal), "GET", "/healthz", headers={"host": "127.0.0.1:8090"}).status == 200
    assert is_host_of("portal.example.cn:8443", "https://portal.example.cn:8443/")


@pytest.mark.parametrize(
    "host", ["[::1", "a b", "evil/password?", "a@b", "x" * 300, "a:b", "a:123456", "é.example", "a,b", "<script>"]
)
def test_a_host_that_is_none_is_refused(app: ASGIApp, host: str) -> None:
    done = asked(app, "GET", "/login", headers={"host": host})
    assert done.status == 400 and b"script" not in done.answer


def test_the_provider_sends_people_back_to_the_public_address_whatever_host_was_named(town: City) -> None:
    changes = {"oidc_issuer": "http://127.0.0.1:1", "oidc_client_id": "x"}
    nowhere = asked(guarded(with_settings(town, **changes, portal_url="")), "GET", "/oidc/start")
    assert nowhere.status == 500, "no address to come back to is known, and none is taken from the request"


def test_the_server_speaks_no_websocket_and_bounds_heads_and_connections(town: City) -> None:
    config = configured(town.portal, "127.0.0.1", 0)
    config.load()
    assert (
        config.http_protocol_class is BoundedConnection
        and config.ws_protocol_class is None
        and not config.proxy_headers
    )
    assert config.limit_concurrency and config.h11_max_incomplete_event_size


def test_somebody_who_was_logged_out_while_filling_in_a_form_is_asked_to_log_in(town: City) -> None:
    answer = Browser(town.portal).client.post(f"/tickets/{town.issue}/comments", data={"text": "x" * 1000})
    assert (answer.status_code, answer.headers["location"]) == (303, "/login")
    assert Browser(town.portal).client.post("/api/audit", json={}).status_code == 401


def test_the_words_of_the_tests_log_in(town: City) -> None:
    town.wait(minutes=60)
    assert Browser(town.portal).login("clerk", PASSWORD).status_code == 303
