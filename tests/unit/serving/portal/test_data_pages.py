"""Datasets, departments, the city, reports, search, notices and audit in the browser, on a lake in a folder."""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest
from sqlalchemy import update

from jobs.collaboration.channels import PortalNotices as NoticeBoard
from jobs.collaboration.reminders import Digest
from jobs.collaboration.ticket_tables import EventRow, NoticeRow
from jobs.lake.zones import Zone
from jobs.model.delivery import State
from jobs.reporting import write_index, write_report
from jobs.serving.portal.county_map import BANDS, band, county_map, legend
from jobs.serving.portal.services.data_service import SHOWN
from tests.unit.lake.local_lake import CANARIES, full_lake
from tests.unit.serving.portal.portal_city import NOW, Browser, City, city

DATASET = "enterprise_registration"
OWNER, STRANGER = "asker", "stranger"


@pytest.fixture
def town(made_url: str, tmp_path: Path) -> Iterator[City]:
    """The reports' lake with its three deliveries, and a curated table with persons."""
    lake, registry = full_lake(tmp_path)
    made = city(tmp_path, made_url, registry)
    ours = made.portal.lake
    ours.ledger, ours.delta = lake.ledger, lake.delta
    names = [f.name for f in registry.contract(DATASET).fields]
    row = dict.fromkeys(names, None) | {
        "uscc": "91371500MA3C00001X",
        "legal_rep_id_no": CANARIES[0],
        "capital_cny": 1.5,
    }
    table = pa.Table.from_pylist(
        [row], pa.schema([(n, pa.float64() if n == "capital_cny" else pa.string()) for n in names])
    )
    ours.delta.put(ours.path(Zone.SILVER, DATASET), table)
    for one in lake.ledger.entries:
        write_report(ours, registry, one.id, NOW)
    write_index(ours, registry, NOW)
    yield made
    made.portal.tickets.database.close()


def latest(town: City) -> str:
    return str(town.portal.lake.ledger.deliveries()[-1].id)


def test_a_dataset_shows_contract_rules_verdicts_and_trend(town: City) -> None:
    page = Browser(town.portal, OWNER).get(f"/datasets/{DATASET}").text
    for words in (
        "统一社会信用代码",
        "L3 敏感",
        "「统一社会信用代码」格式不对",
        latest(town),
        "总分（纵轴",
        "报送这个数据集",
    ):
        assert words in page
    assert "<svg" in page and "style=" not in page


def test_a_sample_is_whole_for_its_owner_and_masked_for_the_bureau_and_absent_for_others(town: City) -> None:
    for who, sees in ((OWNER, True), ("officer", False), ("analyst", False), ("operator", False)):
        page = Browser(town.portal, who).get(f"/datasets/{DATASET}").text
        assert (CANARIES[0] in page) is sees, who
        assert "前 1 行" in page
    foreign = Browser(town.portal, STRANGER).get(f"/datasets/{DATASET}").text
    assert (
        "样例只对提供部门、大数据局和经授权的部门显示" in foreign
        and "前 1 行" not in foreign
        and latest(town) not in foreign
    )
    rows, total = town.portal.access.rows(1, 9)
    assert total == 1 and rows[0].access.object == f"数据集 {DATASET}" and rows[0].access.action == "sample"


def test_a_delivery_shows_its_verdict_and_reports(town: City) -> None:
    page = Browser(town.portal, OWNER).get(f"/deliveries/{latest(town)}").text
    assert "部分隔离" in page and "没有通过的规则" in page and "质检报告" in page
    assert not any(canary in page for canary in CANARIES)


def test_reports_are_shown_as_they_were_written_without_scripts(town: City) -> None:
    browser = Browser(town.portal, OWNER)
    listed = browser.get("/reports").text
    href = re.search(r'href="(/reports/[^"]+\.html)"', listed.split("批次</th>")[-1])
    assert href
    answer = browser.get(href[1])
    assert answer.status_code == 200 and "数据质量报告" in answer.text
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "script-src" not in policy
    book = browser.get(href[1].replace(".html", ".xlsx"))
    assert book.content.startswith(b"PK") and book.headers["content-disposition"] == "attachment"
    assert browser.get(href[1].replace(".html", ".json")).json()["format"].startswith("city-lake/")


def test_hours_of_a_stream_that_are_not_over_push_nothing_off_a_page(town: City) -> None:
    known = town.portal.lake.ledger.deliveries()
    hours = [replace(known[-1], id=f"hour-{n}", seq=known[-1].seq + 1 + n, state=State.OPEN) for n in range(SHOWN + 1)]
    town.portal.lake.ledger.entries += hours  # type: ignore[attr-defined]
    browser = Browser(town.portal, OWNER)
    for address in ("/reports", f"/datasets/{DATASET}", "/departments/market_regulation"):
        page = browser.get(address).text
        assert "hour-" not in page and "接收中" not in page, address
    for one in known:
        assert f"{one.id}.html" in browser.get("/reports").text
        assert f"/deliveries/{one.id}" in browser.get(f"/datasets/{DATASET}").text
    due = browser.get("/departments/market_regulation").text.split("下一批最迟</th>")[-1]
    assert re.search(r">\d\d\.\d\d<", due), "the last score stays"


def test_a_department_page_has_score_tickets_and_punctuality(town: City) -> None:
    page = Browser(town.portal, OWNER).get("/departments/market_regulation").text
    assert "聊城市市场监督管理局" in page and "数据质量总分" in page and "市场主体登记信息" in page
    assert re.search(r"<strong>\d\d\.\d\d</strong>", page)


def test_the_overview_ranks_departments_and_draws_eight_counties_with_numbers(town: City) -> None:
    town.wait(days=30)
    page = Browser(town.portal, "leader").get("/overview").text
    assert page.count('<polygon class="tile') == 8 and "东昌府区" in page
    assert "部门排名" in page and "聊城市市场监督管理局" in page
    assert '<span class="label">已超期</span><strong>3</strong>' in page, "two issues, and a request that nobody took"


def test_datasets_are_found_by_pinyin_and_by_a_field_that_is_named(town: City) -> None:
    browser = Browser(town.portal, OWNER)
    page = browser.get("/datasets", params={"q": "tyshxydm"}).text
    assert f'href="/datasets/{DATASET}"' in page and "字段：统一社会信用代码" in page
    assert "没有找到与“xyzzy”相符的数据集" in browser.get("/datasets?q=xyzzy").text
    sources = town.portal.registry().sources()
    everything = browser.get("/datasets?q=").text
    assert f"共 {len(sources)} 个" in everything and all(source.title in everything for source in sources)


def test_search_finds_tickets_datasets_and_deliveries(town: City) -> None:
    browser = Browser(town.portal, OWNER)
    assert DATASET in browser.get("/search?q=市场主体").text
    purpose = town.portal.registry().contract(DATASET).purpose
    assert f'href="/datasets/{DATASET}"' in browser.get("/search", params={"q": purpose}).text
    assert f"/deliveries/{latest(town)}" in browser.get(f"/search?q={latest(town)[-6:]}").text
    assert f"/tickets/{town.request}" in browser.get("/search?q=区划不符").text
    assert "没有找到工单" in browser.get("/search?q=xyzzy").text
    assert browser.get("/search").status_code == 200
    page = browser.get("/search", params={"q": '"><script>alert(1)</script>'}).text
    assert "<script>" not in page


def test_notices_are_counted_read_and_marked(town: City) -> None:
    NoticeBoard(town.portal.tickets.database, NOW).send(Digest("market_regulation", "有工单将到期", ()))
    browser = Browser(town.portal, OWNER)
    page = browser.get("/notices").text
    assert "有工单将到期" in page and "通知（1 条未读）" in page
    number = re.search(r'action="/notices/(\d+)/read"', page)
    assert number and browser.post(f"/notices/{number[1]}/read").status_code == 303
    assert "条未读" not in browser.get("/notices").text
    assert "有工单将到期" not in Browser(town.portal, STRANGER).get("/notices").text


def test_a_notice_of_several_tickets_has_a_line_for_each(town: City) -> None:
    row = NoticeRow(
        department="market_regulation", at=NOW, title="工单派单", text="T-000001 名称为空\nT-000002 代码不符"
    )
    with town.portal.tickets.database.session() as session:
        session.add(row)
    page = Browser(town.portal, OWNER).get("/notices").text
    assert '名称为空\n<a href="/tickets/T-000002">T-000002</a> 代码不符' in page


def test_the_auditor_sees_who_saw_what_and_walks_the_chain(town: City) -> None:
    Browser(town.portal, OWNER).get(f"/datasets/{DATASET}")
    browser = Browser(town.portal, "auditor")
    assert "钱七（asker）" in browser.get("/audit").text
    assert "钱七（asker）" not in browser.get("/audit?department=civil_affairs").text
    found = re.search(r"共 (\d+) 条事件，完整。请另行记下：(\d+:[0-9a-f]{64})", browser.post("/audit").text)
    assert found and "完整" in browser.post("/audit", {"noted": found[2]}).text
    assert re.search(r"共 1 条访问记录，完整。请另行记下：1:[0-9a-f]{64}", browser.post("/audit").text)
    assert "第 2 条访问记录不符" in browser.post("/audit", {"noted_access": "7:" + "0" * 64}).text
    for name in ("noted", "noted_access"):
        assert browser.post("/audit", {name: "nonsense"}).status_code == 422
    with town.portal.tickets.database.session() as session:
        session.execute(update(EventRow).where(EventRow.seq == 2).values(name="另一人"))
    assert "第 2 条事件不符" in browser.post("/audit").text


def test_pages_tell_that_results_cannot_be_read_while_the_store_is_away(
    town: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object, **__: object) -> None:
        raise OSError("Connection refused")

    monkeypatch.setattr(town.portal.lake.delta, "open", away)
    browser = Browser(town.portal, OWNER)
    for path in (f"/datasets/{DATASET}", "/departments/market_regulation", f"/deliveries/{latest(town)}"):
        answer = browser.get(path)
        assert answer.status_code == 200 and "对象存储暂时无响应" in answer.text, path
    assert "对象存储暂时无响应" in Browser(town.portal, "leader").get("/overview").text
    monkeypatch.setattr(town.portal.lake.store, "head", away)
    gone = browser.get(f"/reports/market_regulation/{DATASET}/{latest(town)}.html")
    assert gone.status_code == 503 and "服务暂时无响应" in gone.text


def test_the_standing_is_read_once_a_minute_not_once_a_page(town: City) -> None:
    browser = Browser(town.portal, "leader")
    browser.get("/overview")
    before = len(town.portal.lake.delta.opened)  # type: ignore[attr-defined]
    browser.get("/overview")
    assert len(town.portal.lake.delta.opened) == before  # type: ignore[attr-defined]


def test_map_tiles_have_bands_by_score_and_do_not_overlap() -> None:
    assert [band(s) for s in (None, 100, 98, 97.9, 95, 90, 80, 79.99, 0)] == [
        "b0", "b5", "b5", "b4", "b4", "b3", "b2", "b1", "b1",
    ]  # fmt: skip
    drawn = county_map({})
    assert len(drawn.tiles) == 8 and {t.score for t in drawn.tiles} == {"—"} and len(legend()) == len(BANDS) + 1
    places = [(t.x, t.y) for t in drawn.tiles]
    apart = [((a - c) ** 2 + (b - d) ** 2) ** 0.5 for i, (a, b) in enumerate(places) for c, d in places[i + 1 :]]
    assert min(apart) > 100
