"""Registers and assets in the portal: an item is filled in, reviewed, counted, and shown with its reasons."""

import re

import pyarrow as pa

from jobs.lake.zones import Zone
from tests.unit.serving.portal.portal_city import Browser, City, shipped
from tests.unit.serving.portal.test_catalogue_pages import moved

SCENE = {
    "title": "渣土运输监管",
    "status": "in_use",
    "uses-divisions": "1",
    "purpose": "发现未加盖车辆",
    "user_unit": "城市管理局",
    "field": "城市管理",
    "effect": "每周发现 30 起",
}


def registered(town: City, register: str, filled: dict[str, str]) -> str:
    """Id of the published item."""
    answer = Browser(town.portal, "clerk").post(f"/registers/{register}", filled)
    assert answer.status_code == 303, answer.text
    ticket = str(answer.headers["location"]).rpartition("/")[2]
    page = Browser(town.portal, "own").get(f"/tickets/{ticket}").text
    found = re.search(r'href="/registers/items/([A-Z]+-\d+)"', page)
    assert found is not None
    moved(town, ticket, "submit:clerk")
    moved(town, ticket, "endorse:own", approver="李四")
    moved(town, ticket, "publish:officer", confirmation="符合要求")
    return found[1]


def test_a_scene_is_registered_and_says_why_it_does_not_count(town: City) -> None:
    item = registered(town, "scene", SCENE)
    page = Browser(town.portal, "stranger").get(f"/registers/items/{item}").text
    assert "不计入：所用数据集" in page and "的目录没有发布" in page
    assert "每周发现 30 起" in page and "/datasets/divisions/lineage" in page
    plan = Browser(town.portal, "leader").get("/registers").text
    assert "聊大数据发" in plan and '<progress max="50" value="0">' in plan
    rows = Browser(town.portal, "leader").get("/registers/scene").text
    assert "共 1 项，计入 0 项" in rows and "没有数据" in rows


def test_what_is_wrong_is_said_with_what_was_filled_in(town: City) -> None:
    answer = Browser(town.portal, "clerk").post("/registers/scene", SCENE | {"user_unit": "", "freshness_h": "每天"})
    assert answer.status_code == 400
    assert "须写明使用单位" not in answer.text and "须是数" in answer.text and "每周发现 30 起" in answer.text
    assert 'name="uses-divisions" value="1" checked' in answer.text


def test_an_incomplete_draft_lists_what_it_lacks_on_both_pages_and_is_not_submitted(town: City) -> None:
    clerk = Browser(town.portal, "clerk")
    answer = clerk.post("/registers/training_set", {"title": "区划", "status": "planned"})
    assert answer.status_code == 303
    ticket = str(answer.headers["location"]).rpartition("/")[2]
    for path in (f"/tickets/{ticket}", "/registers/items/XL-0001"):
        page = clerk.get(path).text
        assert "草稿已保存，但还不能提交" in page, path
        for said in ("须写明所用的数据集", "须写明用途、使用许可", "须写明取自哪张表的哪些行"):
            assert f"<li>{said}</li>" in page, path
    assert "还没有选择数据集" in clerk.get("/registers/items/XL-0001").text
    refused = clerk.post(f"/tickets/{ticket}/steps/submit", {"seen": "1"})
    assert refused.status_code == 422 and "还不能「提交」：须写明所用的数据集" in refused.text
    assert clerk.post("/registers/items/XL-0001", {"title": "区划", "rows_condition": "x = 1"}).status_code == 400
    assert "没有数据集 （未选择）" in clerk.post("/registers/training_set", {"title": "x", "rows_columns": "x"}).text


def test_a_draft_of_a_registration_is_no_registration(town: City) -> None:
    draft = {"title": "区划资产", "uses-divisions": "1", "registration_state": "registered"}
    assert Browser(town.portal, "clerk").post("/registers/asset", draft).status_code == 303
    row = next(
        x for x in Browser(town.portal, "analyst").get("/assets").text.splitlines() if '"/datasets/divisions"' in x
    )
    assert "已登记" not in row


def test_a_training_set_has_a_card_and_rows(town: City) -> None:
    names = [field.name for field in shipped().contract("divisions").fields]
    path = town.portal.lake.path(Zone.SILVER, "divisions")
    town.portal.lake.delta.put(path, pa.table({name: pa.array(["371502", "371521"]) for name in names}))  # type: ignore[attr-defined]
    filled = {
        "title": "区划",
        "status": "in_use",
        "purpose": "地名识别",
        "licence": "政务内部",
        "rows_dataset": "divisions",
    }
    item = registered(town, "training_set", filled | {"rows_condition": "division_code <> '371521'"})
    browser = Browser(town.portal, "analyst")
    page = browser.get(f"/registers/items/{item}").text
    assert "<dt>行数</dt><dd>1</dd>" in page and "lake registers verify" in page
    card = browser.get(f"/registers/items/{item}/card.json")
    assert card.json()["distribution"][0]["sha256"] in page
    assert browser.get(f"/registers/items/{item}/rows.jsonl").status_code == 403, (
        "texts, of which an analyst sees no numbers"
    )
    assert "rows.jsonl" not in page
    owner = Browser(town.portal, "clerk")
    assert owner.get(f"/registers/items/{item}/rows.jsonl").text.count("\n") == 1
    assert Browser(town.portal, "stranger").get(f"/registers/items/{item}/rows.jsonl").status_code == 403


def test_the_ledger_of_assets_shows_uses_value_and_registration(town: City) -> None:
    registered(town, "scene", SCENE)
    number = {"holder": "民政局", "registration_state": "registered", "registration_number": "SD-2026-0001"}
    registered(town, "asset", {"title": "区划资产", "status": "in_use", "uses-divisions": "1", **number})
    page = Browser(town.portal, "analyst").get("/assets").text
    row = next(line for line in page.splitlines() if 'href="/datasets/divisions"' in line)
    cells = re.findall(r'<td role="cell"[^>]*>(.*?)</td>', row)
    assert "已登记 SD-2026-0001" in cells[3]
    assert cells[11] == "1", "one item of the registers uses it"
    assert "估值规则" in page and "还没有测量" in page
