"""SQL in the portal: answers with their grade, files with a watermark, saved queries, tokens."""

import io
import re

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from jobs.lake.zones import Zone
from jobs.serving.sql.tokens import Tokens
from tests.unit.serving.portal.portal_city import NOW, Browser, City

TOKEN = re.compile(r"<code>(lakesql_\w+_[\w-]+)</code>")
SQL = "SELECT division_code AS code, count(*) AS n FROM silver.divisions WHERE division_code >= $least GROUP BY 1 ORDER BY 1"


@pytest.fixture
def asked(town: City) -> City:
    lake = town.portal.lake
    rows = pa.table({"division_code": ["371502", "371502", "371581"], "division_name": ["东昌府区", "=1+1", "临清市"]})
    lake.delta.put(lake.path(Zone.SILVER, "divisions"), rows)  # type: ignore[attr-defined]
    return town


def test_an_answer_is_a_table_with_its_grade_and_a_chart(asked: City) -> None:
    page = Browser(asked.portal, "analyst").post("/sql", {"sql": SQL, "p_least": "0"}).text
    assert re.findall(r'data-label="n">(\d+)<|<td[^>]*>(\d)</td>', page)
    assert "本结果涉及的最高分级：L1 公开" in page and "<svg" in page and 'value="0"' in page


def test_an_error_is_shown_above_the_query_which_stays(asked: City) -> None:
    answer = Browser(asked.portal, "analyst").post("/sql", {"sql": "SELECT * FROM read_text('/etc/passwd')"})
    assert answer.status_code == 400 and "read_text" in answer.text and "不能把" in answer.text


def test_files_have_a_watermark_and_no_formula(asked: City) -> None:
    browser, fields = Browser(asked.portal, "analyst"), {"sql": "SELECT division_name FROM silver.divisions ORDER BY 1"}
    csv = browser.post("/sql/file", {**fields, "format": "csv"})
    lines = csv.content.decode("utf-8-sig").split("\r\n")
    who = f"吴十（analyst）（数据分析员，bureau）于 {NOW.astimezone(asked.portal.zone):%Y-%m-%d %H:%M:%S} 导出"
    assert lines[0].startswith(f"# {who}") and lines[1:] == ["division_name", "'=1+1", "东昌府区", "临清市", ""]
    sheet = openpyxl.load_workbook(io.BytesIO(browser.post("/sql/file", {**fields, "format": "xlsx"}).content)).active
    cells = [row[0] for row in sheet.iter_rows(values_only=True)]  # type: ignore[union-attr]
    assert cells[0].startswith(who) and cells[1:] == ["division_name", "=1+1", "东昌府区", "临清市"]
    table = pq.read_table(io.BytesIO(browser.post("/sql/file", {**fields, "format": "parquet"}).content))
    assert table.schema.metadata[b"lake.watermark"].decode().startswith(who)
    entries, _ = asked.portal.sql_service.log.entries(1, 10)
    ways = sorted(entry.way for entry in entries)
    assert ways == ["download csv", "download parquet", "download xlsx", *["portal"] * 3]


def test_saved_queries_are_own_or_shared(asked: City) -> None:
    analyst, leader = Browser(asked.portal, "analyst"), Browser(asked.portal, "leader")
    kept = analyst.post("/sql/saved", {"sql": SQL, "title": "按区划"})
    assert kept.status_code == 303
    address = kept.headers["location"]
    assert "参数 least" in analyst.get(address).text
    assert "按区划" not in leader.get("/sql").text and leader.get(address).status_code == 404
    analyst.post("/sql/saved", {"sql": SQL, "title": "按区划", "shared": "1"})
    assert "按区划" in leader.get("/sql").text and leader.get(address).status_code == 200
    number = address.rpartition("=")[2]
    assert leader.post(f"/sql/saved/{number}/remove", {}).status_code == 404
    assert analyst.post(f"/sql/saved/{number}/remove", {}).status_code == 303
    assert "按区划" not in analyst.get("/sql").text


def test_a_token_is_shown_once_and_ends(asked: City) -> None:
    browser, tokens = Browser(asked.portal, "analyst"), Tokens(asked.portal.tickets.database)
    (secret,) = TOKEN.findall(browser.post("/sql/tokens", {"note": "办公电脑"}).text)
    owner = tokens.owner("analyst", secret, asked.clock[0])
    assert owner is not None and owner.role == "analyst"
    assert tokens.owner("leader", secret, asked.clock[0]) is None
    page = browser.get("/sql").text
    assert secret not in page and "办公电脑" in page
    (token,) = tokens.all("analyst")
    assert Browser(asked.portal, "leader").post(f"/sql/tokens/{token.id}/end", {}).status_code == 404
    assert browser.post(f"/sql/tokens/{token.id}/end", {}).status_code == 303
    assert tokens.owner("analyst", secret, asked.clock[0]) is None
