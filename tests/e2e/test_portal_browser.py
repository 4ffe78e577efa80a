"""The portal in a real browser: a department signs and disputes, the officer decides; by mouse, by keyboard, without scripts."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.conftest import migrated
from tests.unit.serving.portal.portal_city import PASSWORD, City, city, served

CHROMIUM = next((found for name in ("chromium", "chromium-browser") if (found := shutil.which(name))), None)
DESKTOP, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed (apt-get install chromium)")


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    root = tmp_path_factory.mktemp("portal")
    made = city(root, migrated(f"sqlite:///{root / 'state.db'}"))
    yield made
    made.portal.tickets.database.close()
    made.portal.lake.ledger.close()


@pytest.fixture(scope="module")
def address(town: City) -> Iterator[str]:
    with served(town.portal) as url:
        yield url


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    expect.set_options(timeout=30_000)  # the machine may be busy with other tests
    with sync_playwright() as player:
        started = player.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture(params=[True, False], ids=["scripts", "no scripts"])
def has_scripts(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


def enter(context: BrowserContext, address: str, name: str) -> Page:
    """A page of somebody who has logged in; whatever the browser complains of is a failure."""
    page = context.new_page()
    page.on("pageerror", lambda error: pytest.fail(str(error)))
    page.on("console", lambda said: said.type == "error" and pytest.fail(said.text))
    log_in(page, address, name)
    expect(page.get_by_role("heading", level=1)).to_have_text(re.compile("我的待办|需要过问的事项"))
    return page


def log_in(page: Page, address: str, name: str) -> None:
    page.goto(address)
    page.get_by_label("账号").fill(name)
    page.get_by_label("密码").fill(PASSWORD)
    page.get_by_role("button", name="登录").click()


def keep(page: Page, folder: Path, name: str) -> None:
    """A picture of the page, which never is wider than the screen."""
    page.screenshot(path=folder / f"{name}.png", full_page=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]  # type: ignore[index]


def test_a_department_signs_and_disputes_and_the_officer_decides(
    browser: Browser, address: str, town: City, tmp_path: Path
) -> None:
    own = enter(browser.new_context(viewport=DESKTOP, java_script_enabled=True), address, "own")
    keep(own, tmp_path, "tasks")
    own.get_by_role("link", name=town.issue).click()
    expect(own.locator(".state")).to_be_visible()
    keep(own, tmp_path, "ticket")
    own.get_by_role("button", name="签收").click()
    expect(own.locator(".state")).to_contain_text("已签收")
    own.locator("summary", has_text="申诉").click()
    form = own.locator("details", has=own.locator("summary", has_text="申诉"))
    form.get_by_label("申诉类型").select_option("rule_false_positive")
    form.get_by_label("理由").fill("规则过严")
    form.get_by_label("证据").fill("民政部公告")
    form.get_by_role("button", name="申诉").click()
    expect(own.locator(".state")).to_contain_text("申诉中")
    expect(own.locator(".state")).to_contain_text("暂停计时")

    officer = enter(browser.new_context(viewport=DESKTOP), address, "officer")
    officer.get_by_role("link", name=town.issue).click()
    officer.locator("summary", has_text="申诉成立").click()
    form = officer.locator("details", has=officer.locator("summary", has_text="申诉成立"))
    form.get_by_label("裁决意见").fill("经核实，规则误报")
    form.get_by_label("理由").fill("以公告为准")
    form.get_by_role("button", name="申诉成立").click()
    expect(officer.locator(".state")).to_contain_text("已撤销")
    keep(officer, tmp_path, "decided")
    own.reload()
    expect(own.locator(".events")).to_contain_text("经核实，规则误报")


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_every_page_fits_the_screen(
    browser: Browser, address: str, town: City, tmp_path: Path, viewport: dict[str, int]
) -> None:
    context = browser.new_context(viewport=viewport)  # type: ignore[arg-type]
    page = enter(context, address, "own")
    for path in ("tickets", "uploads/new", "requests/new", "datasets", "datasets/divisions", "help", "password",
                 "departments/civil_affairs", f"tickets/{town.request}"):  # fmt: skip
        page.goto(f"{address}/{path}")
        keep(page, tmp_path, re.sub(r"\W", "-", path))
    leader = enter(browser.new_context(viewport=viewport), address, "leader")  # type: ignore[arg-type]
    leader.goto(f"{address}/overview")
    expect(leader.locator("svg.map polygon")).to_have_count(8)
    keep(leader, tmp_path, "overview")


def test_files_are_handed_over_and_watched_with_and_without_scripts(
    browser: Browser, address: str, town: City, tmp_path: Path, has_scripts: bool
) -> None:
    context = browser.new_context(viewport=PHONE, java_script_enabled=has_scripts)
    page = context.new_page()
    page.goto(f"{address}/uploads/new")
    page.get_by_label("账号").fill("clerk")
    page.get_by_label("密码").fill(PASSWORD)
    page.get_by_role("button", name="登录").click()
    file = tmp_path / "区划.csv"
    file.write_text(f"代码,名称\n371502,东昌府区\n{has_scripts},x\n", "utf-8")
    page.get_by_label("数据集", exact=True).select_option("divisions")
    page.get_by_label("文件", exact=True).set_input_files(file)
    page.get_by_role("button", name="上传").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("报送进度")
    expect(page.get_by_role("status")).to_have_text("文件已收下，等待登记")
    assert any(key.endswith("区划.csv") for key in town.store.objects)
    page.screenshot(path=tmp_path / "progress.png")


def test_everything_is_reached_by_keyboard_and_the_focus_is_seen(browser: Browser, address: str) -> None:
    page = enter(browser.new_context(viewport=DESKTOP), address, "own")
    page.keyboard.press("Tab")
    skip = page.get_by_text("跳到正文")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    page.keyboard.press("Enter")
    assert page.url.endswith("#content")
    seen = []
    for _ in range(40):
        page.keyboard.press("Tab")
        outline, tag = page.evaluate(
            "(() => { const e = document.activeElement; return [getComputedStyle(e).outlineStyle, e.tagName]; })()"
        )
        seen.append((tag, outline))
    assert all(outline != "none" for tag, outline in seen if tag in ("A", "BUTTON", "INPUT", "SUMMARY", "SELECT")), seen


def test_a_printed_ticket_has_no_buttons(browser: Browser, address: str, town: City, tmp_path: Path) -> None:
    page = enter(browser.new_context(viewport=DESKTOP), address, "own")
    page.goto(f"{address}/tickets/{town.issue}")
    page.emulate_media(media="print")
    assert not page.get_by_role("button").first.is_visible()
    page.pdf(path=tmp_path / "ticket.pdf")
    assert (tmp_path / "ticket.pdf").read_bytes().startswith(b"%PDF")
