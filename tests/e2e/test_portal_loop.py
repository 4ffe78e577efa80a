"""The whole loop as two people in a browser, by keyboard, on a real lake: from a dirty delivery to a ticket closed by proof."""

import re
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest
from playwright.sync_api import Browser, Page, expect

from jobs.collaboration import policies
from jobs.collaboration.state_machine_file import state_machine
from jobs.lake.lake import Lake
from jobs.serving.portal import context as serving
from jobs.serving.portal.services.answer_service import ANSWER_STEPS
from jobs.simulator import identity
from tests.e2e import living
from tests.e2e.keyboard import attached, chosen, listen, pressed, step
from tests.e2e.living import DATASET, OTHER, OWNER, Town
from tests.e2e.test_portal_browser import CHROMIUM, DESKTOP, PHONE, browser, enter, keep, log_in
from tests.unit.serving.portal.portal_city import served

__all__ = ["browser"]
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed (apt-get install chromium)")
WRONG = ("证件号码", "111")
ISSUE = "不是有效的公民身份号码"
RIGHT = [identity.identity_number(Random(number), "371502") for number in range(9)]


@pytest.fixture
def town(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> Iterator[Town]:
    """A city whose bureau confirms each issue, and whose pages show each verdict at once."""
    monkeypatch.setattr(policies, "state_machine", lambda: state_machine().model_copy(update={"automatic": {}}))
    monkeypatch.setattr(serving, "OVERVIEW_S", 0.0)
    with living.living(lake) as made:
        yield made


def upload(page: Page, address: str, file: Path) -> None:
    page.goto(f"{address}/uploads/new")
    chosen(page, page.get_by_label("数据集", exact=True), DATASET)
    attached(page, page.get_by_label("文件", exact=True), file)
    with page.expect_navigation():
        pressed(page, page.get_by_role("button", name="上传"))
    expect(page.get_by_role("status")).to_have_text("文件已收下，等待登记")


def take(page: Page, name: str) -> None:
    """Take a step on the ticket's page, and wait until the page is there again."""
    with page.expect_navigation():
        pressed(page, step(page, name).get_by_role("button", name=name, exact=True))


def workbook(page: Page, target: Path) -> Path:
    with page.expect_download() as got:
        page.get_by_role("link", name="下载整改包").click()
    got.value.save_as(target)
    return target


def send_back(page: Page, file: Path) -> None:
    attached(page, page.get_by_label("填好的整改包"), file)
    with page.expect_navigation():
        pressed(page, page.get_by_role("button", name="上传"))
    expect(page.get_by_text("整改包已收下")).to_be_visible()
    expect(page.locator("#progress li.done")).to_have_text([re.compile("收下")])


def see_the_result(page: Page, result: str) -> None:
    """All five steps of the answer are done, shown by the page itself."""
    expect(page.locator("#progress li.done")).to_have_count(len(ANSWER_STEPS), timeout=60_000)
    expect(page.locator("#message")).to_contain_text(result)


def test_a_dirty_delivery_becomes_a_ticket_that_only_proof_closes(
    browser: Browser, town: Town, lake: Lake, tmp_path: Path
) -> None:
    sent = living.feeds(tmp_path, "divisions", DATASET)
    living.hand_over(town, "divisions", "civil_affairs", sent["divisions"])
    town.go_on()
    dirty = living.dirtied(sent[DATASET], tmp_path / "市场主体登记.xlsx", [(4, *WRONG), (9, *WRONG)])
    with served(town.portal) as address:
        clerk = enter(browser.new_context(viewport=DESKTOP), address, "clerk")
        listen(clerk)
        id_ = until_found(clerk, address, town, dirty, tmp_path)
        until_dispatched(browser, address, id_, tmp_path)
        clerk.goto(f"{address}/tasks")
        keep(clerk, tmp_path, "05-tasks")
        pressed(clerk, clerk.get_by_role("main").get_by_role("link", name=id_))
        take(clerk, "签收")
        expect(clerk.locator(".state")).to_contain_text("已签收")
        take(clerk, "开始整改")
        keep(clerk, tmp_path, "06-fixing")
        until_partly_mended(clerk, town, tmp_path)
        until_closed(clerk, town, tmp_path)
        look_at_closed(browser, clerk, address, id_, tmp_path)
        look_from_elsewhere(browser, address, id_)
    assert town.portal.tickets.audit_verify().broken is None


def until_found(clerk: Page, address: str, town: Town, file: Path, folder: Path) -> str:
    """The reporter uploads and sees the verdict come; id of the ticket."""
    upload(clerk, address, file)
    keep(clerk, folder, "01-uploaded")
    town.go_on()
    expect(clerk.get_by_role("link", name="查看质检报告")).to_be_visible(timeout=60_000)
    expect(clerk.get_by_role("status")).to_contain_text("部分隔离")
    keep(clerk, folder, "02-judged")
    clerk.goto(f"{address}/tickets?dataset={DATASET}&show=all&q={ISSUE}")
    keep(clerk, folder, "03-found")
    (id_,) = clerk.get_by_role("link", name=re.compile("^T-")).all_inner_texts()
    return id_


def until_dispatched(browser: Browser, address: str, id_: str, folder: Path) -> None:
    """The officer confirms and dispatches."""
    officer = enter(browser.new_context(viewport=DESKTOP), address, "officer")
    officer.goto(f"{address}/tickets/{id_}")
    take(officer, "主管部门确认")
    expect(officer.locator(".state")).to_contain_text("已确认")
    take(officer, "派单")
    expect(officer.locator(".state")).to_contain_text("已派单")
    keep(officer, folder, "04-dispatched")


def until_partly_mended(clerk: Page, town: Town, folder: Path) -> None:
    """A first redelivery leaves one row wrong: the ticket stays open, is smaller, and says what is left."""
    before = workbook(clerk, folder / "first.xlsx")
    wrong = living.rows_of(before, "legal_rep_id_no")
    assert len(wrong) == 4 and wrong.count("111") == 2
    send_back(clerk, living.filled(before, folder / "partly.xlsx", "legal_rep_id_no", RIGHT[:3]))
    keep(clerk, folder, "07-sent-back")
    town.go_on()
    see_the_result(clerk, "已改正 3 个，未改正 1 个")
    expect(clerk.locator(".state")).to_contain_text("重新整改", timeout=60_000)
    expect(clerk.get_by_text("未通过 4 行，还有 1 行待改")).to_be_visible()
    expect(clerk.locator(".events")).to_contain_text("已改正 3 个，未改正 1 个")
    keep(clerk, folder, "08-partly-mended")


def until_closed(clerk: Page, town: Town, folder: Path) -> None:
    """The second workbook holds only what is left; mended, it closes the ticket."""
    left = workbook(clerk, folder / "second.xlsx")
    assert len(living.rows_of(left, "legal_rep_id_no")) == 1
    send_back(clerk, living.filled(left, folder / "whole.xlsx", "legal_rep_id_no", RIGHT[3:4]))
    town.go_on()
    see_the_result(clerk, "复核通过")
    expect(clerk.locator(".state")).to_contain_text("已关闭", timeout=60_000)
    expect(clerk.locator(".events")).to_contain_text("复核通过")
    expect(clerk.get_by_text("工单已办结。")).to_be_visible()
    expect(clerk.get_by_text("整改包")).to_have_count(0)
    keep(clerk, folder, "09-closed")


def look_at_closed(browser: Browser, clerk: Page, address: str, id_: str, folder: Path) -> None:
    """Department page and overview count it, on a screen and on a phone."""
    for path, name in ((f"departments/{OWNER}", "10-department"), (f"datasets/{DATASET}", "11-dataset")):
        clerk.goto(f"{address}/{path}")
        keep(clerk, folder, name)
    clerk.goto(f"{address}/departments/{OWNER}")
    # the same rows also broke the rule about numbers that a spreadsheet damaged, whose ticket they close as well
    expect(clerk.locator(".cards li", has_text="复核通过办结").locator("strong")).to_have_text("2")
    for width, viewport in (("desktop", DESKTOP), ("phone", PHONE)):
        leader = enter(browser.new_context(viewport=viewport), address, "leader")  # type: ignore[arg-type]
        for path in ("overview", f"departments/{OWNER}", f"tickets/{id_}", f"tickets?show=all&dataset={DATASET}"):
            leader.goto(f"{address}/{path}")
            keep(leader, folder, f"12-{width}-{re.sub(r'[^a-z]+', '-', path)}")
        leader.goto(f"{address}/overview")
        expect(leader.get_by_role("row", name=re.compile("市场监督管理局")).first).to_be_visible()


def look_from_elsewhere(browser: Browser, address: str, id_: str) -> None:
    """Another department's lists hold nothing of it, and its address is not there."""
    page = browser.new_context(viewport=DESKTOP).new_page()
    log_in(page, address, "stranger")
    expect(page.get_by_role("heading", level=1)).to_have_text("我的待办")
    for path in ("tickets?show=all", f"tickets?show=all&department={OWNER}", f"search?q={id_}", f"departments/{OTHER}"):
        page.goto(f"{address}/{path}")
        expect(page.get_by_role("link", name=re.compile("^T-"))).to_have_count(0)
    assert page.goto(f"{address}/tickets/{id_}").status == 404  # type: ignore[union-attr]
