"""Every task of the portal by keyboard at three widths, and what axe says of every page."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import openpyxl
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.e2e.keyboard import attached, chosen, listen, pressed, step, typed
from tests.e2e.test_portal_browser import CHROMIUM, browser, keep
from tests.unit.serving.portal.portal_city import PASSWORD, PEOPLE_ACTORS, City, an_issue, city, delivered, served

__all__ = ["browser"]
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed (apt-get install chromium)")
WIDTHS = (390, 820, 1280)
PAGES = {
    "own": (
        *("tasks", "tickets", "tickets?show=all", "tickets/{issue}", "tickets/{request}", "uploads", "uploads/new"),
        *("requests/new", "notices", "datasets", "datasets/divisions", "departments/civil_affairs", "reports"),
        *("help", "password", "search?q=区划", "grants"),
    ),
    "officer": (
        "tasks",
        "tickets/{issue}",
        "tickets/{request}",
        "tickets?show=all",
        "overview",
        "overview/loop",
        "bulletins",
        "feeds",
        "feeds/gas_regulator_readings",
    ),
    "leader": ("tasks", "overview", "overview/loop", "bulletins", "reports"),
    "auditor": ("tasks", "audit", "grants"),
    "analyst": ("sql",),
}


@pytest.fixture
def town(made_sqlite: Path, tmp_path: Path) -> Iterator[City]:
    shutil.copy(made_sqlite, tmp_path / "state.db")
    made = city(tmp_path, f"sqlite:///{tmp_path / 'state.db'}")
    delivered(made, "divisions")
    yield made
    made.portal.tickets.database.close()
    made.portal.lake.ledger.close()


@pytest.fixture
def address(town: City) -> Iterator[str]:
    with served(town.portal) as url:
        yield url


@pytest.fixture(params=WIDTHS, ids=[f"{width} px" for width in WIDTHS])
def width(request: pytest.FixtureRequest) -> int:
    return int(request.param)


def opened(browser: Browser, address: str, name: str, width: int) -> Page:
    """A page of somebody who has logged in without a mouse."""
    page = browser.new_context(viewport={"width": width, "height": 900}).new_page()
    listen(page)
    page.goto(address)
    typed(page, page.get_by_label("账号"), name)
    typed(page, page.get_by_label("密码"), PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/tasks")
    return page


def moved(town: City, event: str, **facts: str) -> None:
    """A step of the ticket by its department."""
    desk, at, own = town.portal.tickets, town.clock[0], PEOPLE_ACTORS["own"]
    desk.move(town.issue, event, own, desk.ticket(town.issue, own, at).version, at, facts=facts)


def test_tickets_are_signed_together(browser: Browser, address: str, town: City, width: int, tmp_path: Path) -> None:
    town.portal.tickets.found([an_issue(rule="other", message="名称为空")], town.clock[0])
    page = opened(browser, address, "own", width)
    pressed(page, page.get_by_role("button", name="签收所选的工单"))
    expect(page.get_by_text("已签收 2 件")).to_be_visible()
    keep(page, tmp_path, "signed")


def test_a_dispute_is_made_and_decided(browser: Browser, address: str, town: City, width: int, tmp_path: Path) -> None:
    own = opened(browser, address, "own", width)
    pressed(own, own.get_by_role("main").get_by_role("link", name=town.issue))
    pressed(own, own.get_by_role("button", name="签收", exact=True))
    expect(own.locator(".state")).to_contain_text("已签收")
    form = step(own, "申诉")
    chosen(own, form.get_by_label("申诉类型"), "rule_false_positive")
    typed(own, form.get_by_label("理由"), "规则过严")
    typed(own, form.get_by_label("证据"), "民政部公告")
    pressed(own, form.get_by_role("button", name="申诉"))
    expect(own.locator(".state")).to_contain_text("申诉中")

    officer = opened(browser, address, "officer", width)
    pressed(officer, officer.get_by_role("main").get_by_role("link", name=town.issue))
    form = step(officer, "申诉成立")
    expect(officer.get_by_text("规则过严").first).to_be_visible()
    keep(officer, tmp_path, "deciding")
    typed(officer, form.get_by_label("裁决意见"), "经核实，规则误报")
    typed(officer, form.get_by_label("理由"), "以公告为准")
    pressed(officer, form.get_by_role("button", name="申诉成立"))
    expect(officer.locator(".state")).to_contain_text("已撤销")

    pressed(own, own.get_by_role("banner").get_by_role("link", name="通知"))
    pressed(own, own.get_by_role("button", name="全部标为已读"))
    expect(own.get_by_role("button", name="全部标为已读")).to_have_count(0)


def test_a_mistake_in_a_form_keeps_what_was_typed_and_the_way_elsewhere(
    browser: Browser, address: str, town: City, width: int, tmp_path: Path
) -> None:
    page = opened(browser, address, "own", width)
    pressed(page, page.get_by_role("link", name="提交校核申请"))
    expect(page.get_by_role("heading", level=1)).to_have_text("提交校核申请")
    form = page.get_by_role("main").locator("form").first
    for label in form.locator("textarea").all():
        typed(page, label, "须更正")
    form.locator("input[required], textarea[required], select[required]").evaluate_all(
        "fields => fields.forEach(field => field.removeAttribute('required'))"
    )
    pressed(page, form.get_by_role("button").last)
    expect(page.get_by_role("alert")).to_be_visible()
    assert "须更正" in [one.input_value() for one in page.get_by_role("main").locator("textarea").all()]
    expect(page.get_by_role("navigation").first).to_be_visible()
    keep(page, tmp_path, "mistake")


def test_a_grant_is_corrected_given_and_ended(
    browser: Browser, address: str, town: City, width: int, tmp_path: Path
) -> None:
    page = opened(browser, address, "own", width)
    page.goto(f"{address}/datasets/divisions")
    pressed(page, page.get_by_role("link", name="有效的使用授权 0 项"))
    pressed(page, page.locator("summary", has_text="授权他人使用"))
    chosen(page, page.locator("#g-department"), "market_regulation")
    page.locator("#g-account").evaluate("field => field.removeAttribute('maxlength')")
    typed(page, page.locator("#g-account"), "x" * 61)
    typed(page, page.locator("#g-purpose"), "联合执法")
    pressed(page, page.get_by_role("button", name="授权", exact=True))
    expect(page.get_by_role("alert")).to_contain_text("1 处")
    expect(page.locator("#g-account")).to_have_accessible_description("账号最多 60 个字")
    keep(page, tmp_path, "grant-mistake")
    assert [one["id"] for one in Axe().run(page).response["violations"]] == []
    typed(page, page.locator("#g-account"), "asker")
    pressed(page, page.get_by_role("button", name="授权", exact=True))
    expect(page.get_by_role("status")).to_have_text("已授权，即时生效")
    keep(page, tmp_path, "granted")
    (grant,) = town.portal.grants.all()
    assert (grant.scope.account, grant.scope.purpose) == ("asker", "联合执法")
    pressed(page, page.get_by_role("row").locator("summary", has_text="终止"))
    pressed(page, page.get_by_role("button", name="确认终止"))
    expect(page.get_by_role("status")).to_have_text("已终止，即时生效")
    assert not town.portal.grants.get(grant.id).is_valid(town.portal.now())


def test_a_file_is_handed_over(browser: Browser, address: str, town: City, width: int, tmp_path: Path) -> None:
    file = tmp_path / "区划.csv"
    file.write_text("代码,名称\n371502,东昌府区\n", "utf-8")
    page = opened(browser, address, "own", width)
    pressed(page, page.get_by_role("link", name="报送数据"))
    chosen(page, page.get_by_label("数据集", exact=True), "divisions")
    attached(page, page.get_by_label("文件", exact=True), file)
    pressed(page, page.get_by_role("button", name="上传"))
    expect(page.get_by_role("status")).to_have_text("文件已收下，等待登记")
    keep(page, tmp_path, "uploaded")


def test_an_answer_shows_its_steps(browser: Browser, address: str, town: City, width: int, tmp_path: Path) -> None:
    moved(town, "sign")
    page = opened(browser, address, "own", width)
    pressed(page, page.get_by_role("main").get_by_role("link", name=town.issue))
    pressed(page, page.get_by_role("button", name="开始整改"))
    expect(page.locator(".state")).to_contain_text("整改中")
    workbook = tmp_path / "整改包.xlsx"
    openpyxl.Workbook().save(workbook)
    attached(page, page.get_by_label("填好的整改包，或改正后的数据文件"), workbook)
    pressed(page, page.get_by_role("button", name="上传"))
    expect(page.get_by_text("整改包已收下")).to_be_visible()
    assert town.workbooks.answered[0][2] == workbook.read_bytes()
    expect(page.locator("#progress li")).to_have_count(5)
    expect(page.locator("#progress li.done")).to_contain_text("收下")
    keep(page, tmp_path, "answered")


@pytest.mark.parametrize(
    ("name", "link", "then"),
    [
        ("officer", "T-00000", "不能为空"),
        ("leader", "查看全部工单", "工单"),
        ("auditor", "审计", "审计"),
        ("analyst", "数据集", "数据集"),
    ],
)
def test_each_role_begins_with_its_own_work(
    browser: Browser, address: str, town: City, width: int, tmp_path: Path, name: str, link: str, then: str
) -> None:
    moved(town, "sign")
    moved(town, "dispute", ground="not_ours", reason="不是本部门的数据", evidence="职责清单")
    page = opened(browser, address, name, width)
    keep(page, tmp_path, name)
    pressed(page, page.get_by_role("main").get_by_role("link", name=link).first)
    expect(page.get_by_role("main")).to_contain_text(then)
    keep(page, tmp_path, f"{name}-then")


def test_a_leader_goes_to_what_is_late(browser: Browser, address: str, town: City, width: int, tmp_path: Path) -> None:
    town.wait(days=60)
    page = opened(browser, address, "leader", width)
    pressed(page, page.get_by_role("main").get_by_role("link", name=town.issue))
    expect(page.get_by_role("heading", level=1)).to_contain_text("不能为空")
    keep(page, tmp_path, "late")


@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_nothing_serious_on_any_page(
    browser: Browser, address: str, town: City, width: int, name: str
) -> None:
    page = opened(browser, address, name, width)
    found = {}
    for path in PAGES[name]:
        answer = page.goto(f"{address}/{path.format(issue=town.issue, request=town.request)}")
        assert answer is not None and answer.status == 200, path
        results = Axe().run(page).response["violations"]
        found[path] = [
            (one["id"], one["nodes"][0]["html"]) for one in results if one["impact"] in ("serious", "critical")
        ]
    assert {path: some for path, some in found.items() if some} == {}


def test_axe_finds_nothing_serious_before_the_login(browser: Browser, address: str, width: int) -> None:
    page = browser.new_context(viewport={"width": width, "height": 900}).new_page()
    page.goto(f"{address}/login")
    assert [one["id"] for one in Axe().run(page).response["violations"]] == []


def test_an_error_keeps_the_way_elsewhere(browser: Browser, address: str, width: int, tmp_path: Path) -> None:
    page = opened(browser, address, "own", width)
    page.goto(f"{address}/tickets/T-999999")
    expect(page.get_by_role("heading", level=1)).to_have_text("没有找到")
    pressed(page, page.get_by_role("navigation", name="主导航").get_by_role("link", name="工单"))
    page.wait_for_url("**/tickets")
