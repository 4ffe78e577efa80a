"""The SQL page in a real browser: the editor under the page's policy, with a mouse, on a phone, and without scripts."""

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest
from playwright.sync_api import Browser, Page, expect

from jobs.lake.zones import Zone
from tests.conftest import migrated
from tests.e2e.test_portal_browser import CHROMIUM, DESKTOP, PHONE, browser, enter, keep
from tests.unit.serving.portal.portal_city import City, city, served

__all__ = ["browser"]
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed (apt-get install chromium)")
QUERY = "SELECT count(*) AS n FROM silver.divisions"


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    root = tmp_path_factory.mktemp("sql")
    made: City = city(root, migrated(f"sqlite:///{root / 'state.db'}"))
    rows = pa.table({"division_code": ["371502", "371581"], "division_name": ["甲", "乙"]})
    made.portal.lake.delta.put(made.portal.lake.path(Zone.SILVER, "divisions"), rows)  # type: ignore[attr-defined]
    with served(made.portal) as url:
        yield url
    made.portal.tickets.database.close()
    made.portal.lake.ledger.close()


def opened(browser: Browser, address: str, viewport: dict[str, int]) -> Page:
    """The page of an analyst; a breach of its policy is an error in the console, which fails."""
    page = enter(browser.new_context(viewport=viewport), address, "analyst")  # type: ignore[arg-type]
    page.goto(f"{address}/sql")
    return page


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_the_editor_completes_by_name_and_by_chinese_title_and_runs(
    browser: Browser, address: str, viewport: dict[str, int], tmp_path: Path
) -> None:
    page = opened(browser, address, viewport)
    editor = page.get_by_role("textbox", name="查询语句")
    expect(page.locator("textarea")).to_be_hidden()
    editor.click()
    page.keyboard.type("SELECT ")
    assert editor.evaluate("one => getComputedStyle(one.querySelector('span')).color") != "rgb(22, 32, 42)"
    page.keyboard.type("count(*) AS n FROM 行政区划")
    choice = page.get_by_role("option", name="silver.divisions")
    expect(choice).to_contain_text("行政区划")
    keep(page, tmp_path, "completion")
    choice.click()
    expect(page.locator("textarea")).to_have_value(QUERY)
    page.keyboard.type(" AS d WHERE d.名称")
    page.get_by_role("option", name="division_name").click()
    page.keyboard.type(" = '甲'")
    expect(page.locator("textarea")).to_have_value(f"{QUERY} AS d WHERE d.division_name = '甲'")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("heading", name="结果")).to_be_visible()
    expect(page.locator("section td")).to_have_text("1")
    expect(page.get_by_role("textbox", name="查询语句")).to_contain_text("d.division_name = '甲'")
    keep(page, tmp_path, "answer")


def test_without_scripts_the_plain_field_is_the_editor(browser: Browser, address: str) -> None:
    page = enter(browser.new_context(java_script_enabled=False), address, "analyst")
    page.goto(f"{address}/sql")
    page.get_by_label("查询语句").fill(QUERY)
    page.get_by_role("button", name="运行").click()
    expect(page.locator("section td")).to_have_text("2")
