"""Who gets in: passwords, sessions, forged forms, guessing, headers."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from sqlalchemy import select

from jobs.errors import UserError
from jobs.lake.ledger_tables import Base
from jobs.serving import passwords
from jobs.serving.account_tables import AccountRow, SessionRow
from jobs.serving.accounts import LoginRefused, Person
from jobs.serving.portal.routes.entrance import local
from jobs.serving.throttle import TooManyTries
from tests.unit.serving.portal.portal_city import NOW, PASSWORD, Browser, City, hidden


def test_who_is_not_logged_in_is_sent_to_the_login_and_then_back(town: City) -> None:
    browser = Browser(town.portal)
    answer = browser.get(f"/tickets/{town.issue}?said=step")
    assert answer.status_code == 303
    login = browser.get(answer.headers["location"])
    form = {"csrf": hidden(login.text, "csrf"), "next": hidden(login.text, "next"), "name": "own", "password": PASSWORD}
    after = browser.client.post("/login", data=form)
    assert (after.status_code, after.headers["location"]) == (303, f"/tickets/{town.issue}?said=step")
    assert browser.get("/tasks").status_code == 200


@pytest.mark.parametrize(
    "target",
    ["//evil.example", "https://evil.example", "/\\evil.example", "evil", "", "/a\r\nSet-Cookie: x=1", "/\t/e"],
)
def test_after_the_login_nobody_is_sent_elsewhere(target: str) -> None:
    assert local(target) == "/tasks"


def test_cookies_are_out_of_reach_of_scripts_and_of_other_sites(town: City) -> None:
    answer = Browser(town.portal).login("own")
    (kept,) = [c for c in answer.headers.get_list("set-cookie") if c.startswith("lake_session=")]
    assert "HttpOnly" in kept and "SameSite=lax" in kept and "Secure" not in kept
    secure = replace(town.portal, settings=town.portal.settings.model_copy(update={"portal_secure": True}))
    answer = Browser(secure).get("/login")
    assert "Secure" in answer.headers["set-cookie"] and "Strict-Transport-Security" in answer.headers


def test_a_token_that_was_there_before_the_login_is_worth_nothing_after_it(town: City) -> None:
    victim = Browser(town.portal)
    victim.carry("known-to-the-attacker")
    victim.login("own")
    assert victim.token() != "known-to-the-attacker"
    attacker = Browser(town.portal)
    attacker.carry("known-to-the-attacker")
    assert attacker.get("/tasks").status_code == 303


def test_a_second_login_ends_the_first_of_the_same_browser(town: City) -> None:
    browser = Browser(town.portal, "own")
    old = browser.token()
    browser.client.cookies.clear()
    word = hidden(browser.get("/login").text, "csrf")
    browser.client.cookies.set("lake_session", old, domain="portal.test", path="/")
    browser.client.post("/login", data={"csrf": word, "name": "clerk", "password": PASSWORD})
    thief = Browser(town.portal)
    thief.carry(old)
    assert thief.get("/tasks").status_code == 303


def test_the_database_keeps_no_token_and_no_password(town: City) -> None:
    browser = Browser(town.portal, "own")
    token = browser.token()
    with town.portal.tickets.database.session() as session:
        kept = repr([session.execute(select(table)).all() for table in Base.metadata.sorted_tables])
        assert "李四" in kept and token not in kept and PASSWORD not in kept
        assert all(row.password_hash.startswith("$argon2id$") for row in session.scalars(select(AccountRow)))


@pytest.mark.parametrize(("minutes", "status"), [(29, 200), (31, 303)])
def test_an_idle_login_ends(town: City, minutes: int, status: int) -> None:
    browser = Browser(town.portal, "own")
    town.wait(minutes=minutes)
    assert browser.get("/tasks").status_code == status


def test_a_login_ends_after_its_hours_even_if_it_is_used_all_the_time(town: City) -> None:
    browser = Browser(town.portal, "own")
    for _ in range(12 * 3):
        assert browser.get("/tasks").status_code == 200
        town.wait(minutes=20)
    town.wait(minutes=1)
    assert browser.get("/tasks").status_code == 303
    with town.portal.tickets.database.session() as session:
        assert session.scalars(select(SessionRow)).all() == []


def test_after_the_logout_the_token_is_worth_nothing(town: City) -> None:
    browser = Browser(town.portal, "own")
    token = browser.token()
    assert browser.post("/logout").status_code == 303
    browser.carry(token)
    assert browser.get("/tasks").status_code == 303


def test_a_disabled_account_is_out_at_once(town: City) -> None:
    browser = Browser(town.portal, "own")
    town.portal.accounts.disable("own")
    assert browser.get("/tasks").status_code == 303
    assert browser.login("own").status_code == 401


def test_a_wrong_name_and_a_wrong_password_are_told_alike(town: City) -> None:
    answers = [Browser(town.portal).login(name, "x" * 12) for name in ("own", "nobody")]
    assert {a.status_code for a in answers} == {401}
    texts = [a.text.replace(hidden(a.text, "csrf"), "") for a in answers]
    assert texts[0] == texts[1] and "账号或密码不正确" in texts[0]


def test_guessing_is_slowed_down_even_with_the_right_password_at_last(town: City) -> None:
    browser = Browser(town.portal)
    for _ in range(5):
        assert browser.login("own", "guess guess guess").status_code == 401
    assert browser.login("own").status_code == 429
    assert browser.login("clerk").status_code == 303, "another account from the same place is not locked out"
    town.wait(minutes=16)
    assert Browser(town.portal).login("own").status_code == 303


def test_one_name_guessed_from_many_places_and_many_names_from_one_are_slowed_down_too(town: City) -> None:
    accounts = town.portal.accounts

    def guess(name: str, address: str) -> None:
        with pytest.raises(LoginRefused):
            accounts.checked(name, "wrong", address, NOW)

    for n in range(20):
        guess("own", f"10.0.0.{n}")
    with pytest.raises(TooManyTries):
        accounts.checked("own", PASSWORD, "10.1.1.1", NOW)
    for n in range(60):
        guess(f"name{n}", "10.2.2.2")
    with pytest.raises(TooManyTries):
        accounts.checked("clerk", PASSWORD, "10.2.2.2", NOW)


def test_the_login_form_needs_its_own_word(town: City) -> None:
    browser = Browser(town.portal)
    form = {"name": "own", "password": PASSWORD}
    assert browser.client.post("/login", data=form).status_code == 403
    browser.get("/login")
    assert browser.client.post("/login", data={**form, "csrf": "0" * 64}).status_code == 403


def test_a_first_password_has_to_be_changed_before_anything_else(town: City) -> None:
    secret = town.portal.accounts.add(Person("newcomer", "reporter", "civil_affairs"), NOW)
    browser = Browser(town.portal)
    browser.login("newcomer", secret)
    assert browser.get("/tasks").headers["location"] == "/password"
    new = "another long password"
    answer = browser.post("/password", {"old": secret, "new": new, "again": new})
    assert answer.status_code == 303 and browser.get("/tasks").status_code == 200
    assert Browser(town.portal).login("newcomer", secret).status_code == 401
    assert Browser(town.portal).login("newcomer", new).status_code == 303


@pytest.mark.parametrize(
    ("new", "again", "said"),
    [
        ("short", "short", "10 至 200"),
        ("long enough", "long enougH", "不同"),
        ("my own password", "my own password", "不能包含账号名"),
        ("aaaaaaaaaaaa", "aaaaaaaaaaaa", "不同的字符太少"),
        (PASSWORD, PASSWORD, "与原密码相同"),
    ],
)
def test_a_new_password_must_be_one(town: City, new: str, again: str, said: str) -> None:
    answer = Browser(town.portal, "own").post("/password", {"old": PASSWORD, "new": new, "again": again})
    assert answer.status_code == 422 and said in answer.text


def test_another_password_ends_other_logins(town: City) -> None:
    here, there = Browser(town.portal, "own"), Browser(town.portal, "own")
    new = "another long password"
    assert here.post("/password", {"old": PASSWORD, "new": new, "again": new}).status_code == 303
    assert here.get("/tasks").status_code == 200 and there.get("/tasks").status_code == 303


@pytest.mark.parametrize("path", ["/login", "/tasks", "/nowhere", "/static/portal.css", "/healthz", "/api/nowhere"])
def test_every_answer_carries_the_security_headers(town: City, path: str) -> None:
    headers = Browser(town.portal, "own").get(path).headers
    assert headers["X-Frame-Options"] == "DENY" and headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    policy = headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy and "unsafe-inline" not in policy and "frame-ancestors 'none'" in policy


async def chunked() -> AsyncIterator[bytes]:
    yield b"csrf=1"


def test_a_body_that_is_too_long_or_does_not_say_how_long_is_refused_unread(town: City) -> None:
    browser = Browser(town.portal, "own")
    assert browser.client.post("/logout", content=b"x" * (1 << 20 | 1)).status_code == 413
    assert browser.client.post("/logout", content=chunked()).status_code == 411


def test_an_unknown_address_is_a_page_in_chinese(town: City) -> None:
    answer = Browser(town.portal, "own").get("/nowhere")
    assert answer.status_code == 404 and "没有找到" in answer.text


def test_an_account_needs_a_name_a_role_and_a_department(town: City) -> None:
    for wrong in (Person("Ä", "reporter", "x"), Person("ok", "machine", "x"), Person("ok", "reporter", "")):
        with pytest.raises(UserError):
            town.portal.accounts.add(wrong, NOW)
    with pytest.raises(UserError, match="最多 50 个字"):
        town.portal.accounts.add(Person("a" * 60, "reporter", "civil_affairs", "长" * 51), NOW)
    town.portal.accounts.add(Person("a" * 60, "approver", "civil_affairs", "长" * 50), NOW, PASSWORD)
    longest = Browser(town.portal, "a" * 60)
    assert longest.post(f"/tickets/{town.issue}/comments", {"text": "已知悉"}).status_code == 303
    with pytest.raises(UserError, match="已存在"):
        town.portal.accounts.add(Person("own", "reporter", "civil_affairs"), NOW)


def test_one_time_passwords_differ_and_can_be_read_out() -> None:
    made = {passwords.one_time() for _ in range(100)}
    assert len(made) == 100 and all(len(one) == 19 and not set(one) & set("il10o") for one in made)
