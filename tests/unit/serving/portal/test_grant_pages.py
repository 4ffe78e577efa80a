"""Grants in the portal: given with all mistakes named, ended, and shown only to the two departments and the bureau."""

import re
from datetime import timedelta

import pytest

from jobs.access.grants import Scope
from tests.unit.serving.portal.portal_city import NOW, PEOPLE_ACTORS, Browser, City

FORM = {
    "dataset": "divisions",
    "department": "market_regulation",
    "view": "granted",
    "purpose": "联合  执法",
    "basis": "聊政办字〔2025〕12号",
    "until": "2026-03-31",
}


def rows(page: str) -> list[str]:
    """The text of each row of the list."""
    found = re.findall(r'<tr role="row"><td.*?</tr>', page, re.S)
    return [" ".join(re.sub(r"<[^>]+>", " ", row).split()) for row in found]


def given(town: City, who: str = "own", **scope: object) -> int:
    stated = {"dataset": "divisions", "department": "market_regulation", "view": "granted", **scope}
    return town.portal.grants.add(Scope(**stated), PEOPLE_ACTORS[who], NOW).id  # type: ignore[arg-type]


def test_a_grant_is_given_and_ended_and_both_are_in_the_log(town: City) -> None:
    owner = Browser(town.portal, "own")
    assert owner.post("/grants", FORM).headers["location"] == "/grants?done=given"
    (grant,) = town.portal.grants.all()
    assert (grant.scope.purpose, grant.given_by) == ("联合 执法", PEOPLE_ACTORS["own"].name)
    assert grant.is_valid(NOW) and str(grant.scope.expires_at) == "2026-03-31 16:00:00+00:00"
    (row,) = rows(owner.get("/grants?done=given").text)
    for text in (
        "市场监督管理局",
        "L1 公开、L2 内部、L3 敏感：原值；L4 高度敏感：不可见",
        "联合 执法",
        "12号",
        "李四",
        "有效 至 2026-03-31",
        "确认终止",
    ):
        assert text in row  # fmt: skip
    assert "已授权" in owner.get("/grants?done=given").text
    assert "有效的使用授权 1 项" in owner.get("/datasets/divisions").text
    assert owner.post(f"/grants/{grant.id}/end").headers["location"] == "/grants?done=ended"
    (row,) = rows(owner.get("/grants").text)
    assert "已终止 2026-01-12" in row and "确认终止" not in row
    again = owner.post(f"/grants/{grant.id}/end")
    assert again.status_code == 409 and "已经失效" in again.text
    logged, total = town.portal.access.rows(1, 10)
    assert [(one.access.action, one.name) for one in logged] == [
        ("end_grant", grant.given_by),
        ("grant", grant.given_by),
    ]
    assert total == 2 and "聊政办字〔2025〕12号" in logged[1].access.reason


def test_every_mistake_is_named_next_to_its_field_and_what_was_entered_stays(town: City) -> None:
    wrong = {
        "department": "civil_affairs",
        "account": "x" * 61,
        "view": "all",
        "purpose": "长" * 501,
        "basis": "据" * 501,
    }
    answer = Browser(town.portal, "own").post("/grants", FORM | wrong | {"until": "31.12.2026"})
    assert answer.status_code == 400 and "请改正下面标出的 6 处" in answer.text
    said = dict(re.findall(r'<p class="mistake" id="g-(\w+)-mistake">([^<]*)</p>', answer.text))
    assert set(said) == {*wrong, "until"} and "日期写法" in said["until"] and "501" not in "".join(said.values())
    assert set(re.findall(r'aria-invalid="true" aria-describedby="g-(\w+)-mistake"', answer.text)) == set(said)
    assert "长" * 501 in answer.text and '<option value="divisions" selected>' in answer.text
    assert town.portal.grants.all() == () and town.portal.access.rows(1, 10)[1] == 0


@pytest.mark.parametrize(
    ("changed", "field", "message"),
    [
        ({"dataset": ""}, "dataset", "请选择数据集"),
        ({"dataset": "nothing"}, "dataset", "请选择数据集"),
        ({"department": "nobody"}, "department", "没有部门 nobody"),
        ({"until": "2026-01-11"}, "until", "到期时间已过"),
        ({"until": "9999-12-31"}, "until", "日期写法"),
    ],
)
def test_a_mistake_is_named_in_chinese(town: City, changed: dict[str, str], field: str, message: str) -> None:
    answer = Browser(town.portal, "own").post("/grants", FORM | changed)
    assert answer.status_code == 400
    assert re.findall(r'<p class="mistake" id="g-(\w+)-mistake">', answer.text) == [field] and message in answer.text


def test_data_is_opened_by_its_owner_alone_and_products_by_the_officer(town: City) -> None:
    assert Browser(town.portal, "own").post("/grants", FORM | {"dataset": "air_quality_day"}).status_code == 403
    officer = Browser(town.portal, "officer")
    assert officer.post("/grants", FORM).status_code == 403
    assert officer.post("/grants", FORM | {"dataset": "air_quality_day"}).status_code == 303
    page = officer.get("/grants").text
    offered = re.findall(r'<option value="(\w+)"', page[page.index('id="g-dataset"') : page.index('id="g-department"')])
    assert "air_quality_day" in offered and "divisions" not in offered
    assert "/datasets/air_quality_day/lineage" in page and "/grants?dataset=air_quality_day" in officer.get(
        "/datasets/air_quality_day/lineage"
    ).text  # fmt: skip
    for who in ("clerk", "analyst"):
        assert 'name="purpose"' not in Browser(town.portal, who).get("/grants").text


def test_owner_receiver_and_bureau_see_a_grant_and_others_do_not(town: City) -> None:
    number = given(town, purpose="联系人 13812345678", basis="据电话")
    seen = {who: rows(Browser(town.portal, who).get("/grants").text) for who in PEOPLE_ACTORS}
    assert {who for who, found in seen.items() if found} == set(PEOPLE_ACTORS) - {"stranger"}
    assert {who for who, found in seen.items() if "13812345678" in "".join(found)} == {"own", "clerk", "asker"}
    assert {who for who, found in seen.items() if "确认终止" in "".join(found)} == {"own"}
    stranger, receiver = Browser(town.portal, "stranger"), Browser(town.portal, "asker")
    hidden, missing = (stranger.post(f"/grants/{one}/end") for one in (number, 99))
    assert (hidden.status_code, missing.status_code) == (404, 404)
    assert hidden.text.replace(f"编号为 {number} 的", "编号为 99 的") == missing.text
    assert receiver.post(f"/grants/{number}/end").status_code == 403
    assert "给本部门的有效使用授权 1 项" in receiver.get("/datasets/divisions").text
    assert "给本部门的有效使用授权 0 项" in stranger.get("/datasets/divisions").text


def test_the_list_is_narrowed_by_dataset_department_side_and_state(town: City) -> None:
    valid, received = given(town), given(town, "stranger", dataset="gas_regulator_readings", department="civil_affairs")
    expired = given(town, expires_at=NOW + timedelta(hours=1), department="hotline_12345", account="li")
    town.portal.grants.end(given(town), NOW)
    town.wait(days=1)
    town.portal.grants.end(expired, town.clock[0])
    browser = Browser(town.portal, "own")

    def numbers(query: str) -> list[int]:
        return [int(row.split()[0]) for row in rows(browser.get(f"/grants?{query}").text)]

    assert numbers("") == [4, expired, received, valid]
    assert numbers("dataset=gas_regulator_readings") == numbers("side=received") == [received]
    assert numbers("department=hotline_12345") == numbers("state=expired") == [expired]
    assert numbers("department=liaocheng_gas") == [received]
    assert numbers("state=ended") == [4] and numbers("state=valid&side=given") == [valid]
    assert "只给账号 li" in browser.get("/grants?state=expired").text
    assert numbers("state=ended&side=received") == [] and browser.get("/grants?state=other").status_code == 422


def test_many_grants_come_in_pages(town: City) -> None:
    for _ in range(51):
        given(town)
    first, second = (Browser(town.portal, "own").get(f"/grants?side=given&page={page}").text for page in (1, 2))
    assert (len(rows(first)), len(rows(second))) == (50, 1) and "/grants?side=given&amp;page=2" in first
