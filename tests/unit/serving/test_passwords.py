"""Passwords that are guessed soon are refused with a remedy; tries are counted wherever a password is asked for."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import zxcvbn

from jobs.errors import UserError
from jobs.serving import passwords
from jobs.serving.accounts import LoginRefused
from jobs.serving.throttle import MOST_OF_BOTH, TooManyTries
from tests.unit.serving.portal.portal_city import NOW, PASSWORD, Browser, City, city

OWN = ("zhangsan", "张三丰", "civil_affairs")


@pytest.fixture
def town(made_url: str, tmp_path: Path) -> Iterator[City]:
    made = city(tmp_path, made_url)
    yield made
    made.portal.tickets.database.close()
    made.portal.lake.ledger.close()


@pytest.mark.parametrize(
    ("password", "said"),
    [
        ("short", "10 至 200"),
        ("x" * 201, "10 至 200"),
        ("1234567890", "常见密码"),
        ("qwertyuiop", "常见密码"),
        ("Password2026!", "常见密码"),
        ("P@ssw0rd2026", "常见密码"),
        ("Aa123456789!", "常见密码"),
        ("1qaz2wsx3edc", "常见密码"),
        ("ｐａｓｓｗｏｒｄ１２３", "常见密码"),
        ("efghijklmnop", "连续的字符"),
        ("vfrtgbnhyuj", "键盘上相邻"),
        ("xkq7zxkq7zxkq7z", "重复的字符"),
        ("19870412ab", "日期"),
        ("aaaaaaaaaaaa", "不同的字符太少"),
        ("ababababab", "不同的字符太少"),
        ("ZhangSan-2026-x9", "账号名、姓名或部门"),
        ("zhang.san.k7qm", "账号名、姓名或部门"),
        ("张三丰的密码很长很长", "账号名、姓名或部门"),
        ("CivilAffairs#77q", "账号名、姓名或部门"),
        ("Liaocheng@77qx", "「liaocheng」"),
        ("da-shu-ju-2026-k", "「dashuju」"),
        ("我们聊城的东昌湖边真好", "「聊城」"),
    ],
)
def test_what_is_guessed_soon_is_refused_with_a_remedy(password: str, said: str) -> None:
    with pytest.raises(UserError) as refusal:
        passwords.check_new(password, OWN)
    assert said in str(refusal.value)
    assert said.startswith("10") or passwords.REMEDY in str(refusal.value)


@pytest.mark.parametrize(
    "password", [PASSWORD, "another long password", "kx7#mQ92vLpz", "正确的马电池和订书钉啊", "Xq3-fT9_kW2vLm7c"]
)
def test_what_is_not_guessed_soon_is_taken(password: str) -> None:
    passwords.check_new(password, OWN)
    passwords.check_new(passwords.one_time(), ("", *OWN))


def test_the_work_does_not_grow_with_the_password(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []

    def look(password: str, **options: Any) -> Any:
        seen.append(password)
        return real(password, **options)

    real = zxcvbn.zxcvbn
    monkeypatch.setattr(zxcvbn, "zxcvbn", look)
    passwords.check_new("kx7#mQ92vLpz" * 16, OWN)
    assert [len(one) for one in seen] == [passwords.CHECKED_CHARS]


def change(browser: Browser, old: str, new: str = "another long password") -> Any:
    return browser.post("/password", {"old": old, "new": new, "again": new})


def test_a_weak_password_is_told_why_in_the_form(town: City) -> None:
    answer = change(Browser(town.portal, "own"), PASSWORD, "Password2026!")
    assert answer.status_code == 422 and "常见密码" in answer.text and "不相干的词" in answer.text


def test_whoever_found_an_open_browser_cannot_guess_the_password_in_it(town: City) -> None:
    browser = Browser(town.portal, "own")
    for _ in range(MOST_OF_BOTH):
        assert change(browser, "guess guess guess").status_code == 422
    late = change(browser, PASSWORD)
    assert late.status_code == 429 and "15 分钟后再试" in late.text
    assert Browser(town.portal).login("own").status_code == 429, "the same count as at the login"
    town.wait(minutes=16)
    assert change(Browser(town.portal, "own"), PASSWORD).status_code == 303


def test_the_right_password_ends_the_count(town: City) -> None:
    browser = Browser(town.portal)
    for _ in range(3):
        for _ in range(MOST_OF_BOTH - 1):
            assert browser.login("own", "guess guess").status_code == 401
        assert browser.login("own").status_code == 303
        browser = Browser(town.portal)


def test_many_guesses_at_once_do_not_slip_through(town: City, monkeypatch: pytest.MonkeyPatch) -> None:
    looked_at: list[str] = []

    def fits(password: str, kept: str | None) -> bool:
        looked_at.append(password)
        return False

    monkeypatch.setattr(passwords, "fits", fits)

    def guess(number: int) -> str:
        try:
            town.portal.accounts.checked("own", f"guess {number}", "10.0.0.1", NOW)
        except (LoginRefused, TooManyTries) as error:
            return type(error).__name__
        return "in"

    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(guess, range(24)))
    assert len(looked_at) <= MOST_OF_BOTH and "in" not in outcomes


def test_an_unknown_name_is_locked_like_one_that_is_known(town: City) -> None:
    answers = []
    for name in ("own", "nobody"):
        browser = Browser(town.portal)
        answers.append([browser.login(name, "guess guess").status_code for _ in range(MOST_OF_BOTH + 1)])
    assert answers[0] == answers[1] == [401] * MOST_OF_BOTH + [429]


def test_a_login_looks_at_one_hash_whether_the_account_is_there_or_not(
    town: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[str] = []
    real = passwords._hasher.verify

    class Counting:
        def verify(self, kept: str, password: str) -> bool:
            looked.append(kept.split("$")[3])
            return real(kept, password)

    monkeypatch.setattr(passwords, "_hasher", Counting())
    town.portal.accounts.disable("clerk")
    for name in ("own", "nobody", "clerk"):
        Browser(town.portal).login(name, "guess guess")
    assert len(looked) == 3 and len(set(looked)) == 1, "hashes of equal cost"
