"""Lists from files in the portal: a department's own list becomes drafts; the province's catalogue is compared, its codes adopted."""

import io
import json
import re
from pathlib import Path
from typing import Any

import openpyxl
import xlsxwriter

from tests.unit.serving.portal.portal_city import Browser, City
from tests.unit.serving.portal.test_catalogue_pages import FILLED, published

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def uploaded(town: City, who: str, path: str, name: str, data: bytes) -> Any:
    return Browser(town.portal, who).post(path, files={"file": (name, data, XLSX)})


def workbook(*rows: list[str]) -> bytes:
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer)
    sheet = book.add_worksheet("清单")
    for number, row in enumerate(rows):
        sheet.write_row(number, 0, row)
    book.close()
    return buffer.getvalue()


def test_a_departments_list_becomes_drafts_complete_or_not(town: City) -> None:
    head = ["信息资源名称", "共享属性", "共享方式", "开放属性", "保密审查"]
    rows = ["行政区划代码表", "无条件共享", "接口", "", ""], ["区划", "有条件", "", "", ""]
    title = town.portal.registry().contract("divisions").title
    answer = uploaded(
        town, "clerk", "/catalogue", "清单.xlsx", workbook(head, [title, *rows[0][1:]], rows[1], ["说明"])
    )
    assert answer.status_code == 200
    (ticket,) = set(re.findall(r"/tickets/(T-\d+)", answer.text))
    assert "待补充：不予开放须写明依据；须写明保密风险评估" in answer.text
    assert "没有对应的数据集" in answer.text and "《清单》第 4 行「说明」" in answer.text
    assert "草稿" in Browser(town.portal, "clerk").get(f"/tickets/{ticket}").text


def test_what_is_no_list_is_refused_on_the_page(town: City) -> None:
    answer = uploaded(town, "clerk", "/catalogue", "清单.xlsx", workbook(["甲", "乙"]))
    assert answer.status_code == 400 and "没有找到清单" in answer.text
    assert uploaded(town, "clerk", "/catalogue", "清单.csv", b"a,b\n").status_code == 415
    assert uploaded(town, "officer", "/catalogue", "清单.xlsx", workbook(["甲"])).status_code == 403


def test_the_form_goes_out_and_comes_back_compared(town: City, tmp_path: Path) -> None:
    published(town)
    officer = Browser(town.portal, "officer")
    form = officer.get("/catalogue/exchange/form.xlsx").content
    same = uploaded(town, "officer", "/catalogue/exchange", "省.xlsx", form)
    assert same.status_code == 303
    assert "不一致的目录</dt><dd>0" in officer.get(same.headers["location"]).text
    document = json.loads(officer.get("/catalogue/exchange/form.json").content)
    (row,) = document["信息资源"]
    row |= {"信息资源共享类型": "有条件共享", "省级目录代码": "1010019999", "省级状态": "已退回"}
    data = json.dumps(document, ensure_ascii=False).encode()
    run = str(uploaded(town, "officer", "/catalogue/exchange", "省.json", data).headers["location"])
    page = officer.get(run).text
    assert all(f">{text}<" in page for text in ("无条件共享", "有条件共享", "已退回", "1010019999"))
    book = openpyxl.load_workbook(io.BytesIO(officer.get(f"{run}/result.xlsx").content))
    assert [[c.value for c in r] for r in book["不一致"].iter_rows()][1][3:6] == [
        "信息资源共享类型",
        "无条件共享",
        "有条件共享",
    ]
    assert run in officer.get("/catalogue/exchange").text
    assert officer.get("/catalogue/exchange/../../secret").status_code == 404


def test_a_department_adopts_the_provinces_codes_as_drafts(town: City) -> None:
    published(town, code="")
    officer = Browser(town.portal, "officer")
    document = json.loads(officer.get("/catalogue/exchange/form.json").content)
    document["信息资源"][0]["省级目录代码"] = "1010019999"
    data = json.dumps(document, ensure_ascii=False).encode()
    run = str(uploaded(town, "officer", "/catalogue/exchange", "省.json", data).headers["location"])
    assert officer.post(run, {"adopt-divisions": "1"}).status_code == 403
    assert "adopt-divisions" not in Browser(town.portal, "stranger").get(run).text
    clerk = Browser(town.portal, "clerk")
    assert 'name="adopt-divisions" value="1" checked' in clerk.get(run).text
    answer = clerk.post(run, {"adopt-divisions": "1"})
    (ticket,) = set(re.findall(r"/tickets/(T-\d+)", answer.text))
    assert "1010019999" in clerk.get(f"/tickets/{ticket}").text
    assert clerk.get("/catalogue/divisions").text.count("1010019999") >= 1
    assert town.portal.tickets.published("catalogue_change", "divisions")[-1].content.count("1010019999") == 0


def test_a_result_shows_a_department_only_what_is_its_own(town: City) -> None:
    published(town)
    data = workbook(["信息资源名称", "信息资源提供方"], ["他人的目录", "燃气单位"], ["办公台账", "民政局"])
    run = str(uploaded(town, "officer", "/catalogue/exchange", "省.xlsx", data).headers["location"])
    assert "他人的目录" in Browser(town.portal, "officer").get(run).text
    own = Browser(town.portal, "clerk").get(run).text
    assert "办公台账" in own and "他人的目录" not in own and "仅省级有的目录</dt><dd>1" in own
    assert FILLED["code"] in own
