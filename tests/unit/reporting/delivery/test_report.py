"""A delivery's report says what was received, what was refused and why; it shows no personal value, and is reproducible."""

import json
from html.parser import HTMLParser
from pathlib import Path

import pytest

from jobs.contracts import Registry
from jobs.model.delivery import Finding, State
from jobs.reporting import ReportFiles, write_report
from tests.unit.lake.local_lake import CANARIES, DATASET, NOW, LocalLake, delivery, full_lake, rule_rows, verdict

VOID = {"meta", "link", "input", "br", "line", "circle", "rect", "polyline"}


class Outline(HTMLParser):
    """Checks that tags close in order, and keeps what the tests look at."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.headings: list[int] = []
        self.outside: list[str] = []
        self.bare_headers = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID:
            self.open.append(tag)
        if tag in ("h1", "h2", "h3"):
            self.headings.append(int(tag[1]))
        named = dict(attrs)
        self.bare_headers += tag == "th" and "scope" not in named
        links = [named.get(name) or "" for name in ("src", "href")]
        self.outside += [link for link in links if "//" in link or link.startswith("javascript:")]

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in VOID

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def outline(page: str) -> Outline:
    parsed = Outline()
    parsed.feed(page)
    parsed.close()
    assert parsed.open == [] and page.startswith("<!DOCTYPE html>") and 'lang="zh-CN"' in page
    return parsed


@pytest.fixture
def city(tmp_path: Path) -> tuple[LocalLake, Registry, ReportFiles]:
    lake, cat = full_lake(tmp_path)
    return lake, cat, write_report(lake, cat, lake.ledger.entries[-1].id, NOW)  # type: ignore[arg-type]


def text(lake: LocalLake, key: str) -> str:
    return lake.outputs()[key].decode()


def test_page_is_well_formed_and_loads_nothing_from_outside(city: tuple[LocalLake, Registry, ReportFiles]) -> None:
    lake, _, files = city
    found = outline(text(lake, files.html))
    assert found.outside == [] and found.bare_headers == 0
    assert found.headings[0] == 1 and found.headings.count(1) == 1
    assert all(after - before <= 1 for before, after in zip(found.headings, found.headings[1:], strict=False))


def test_page_says_what_came_what_was_changed_and_what_failed(city: tuple[LocalLake, Registry, ReportFiles]) -> None:
    lake, _, files = city
    page = text(lake, files.html)
    for words in (
        "聊城市市场监督管理局",
        "部分隔离",
        "2026-11-13 09:30:00（北京时间）",
        "1,002 行（与实收相差 2 行）",
        "全角转半角",
        "1,204",
        "完全相同的重复行去重（保留一行）",
        "自动识别编码为 gb18030（可信度 99%）",
        "「法定代表人证件号码」格式不对",
        "检查 1,000，未通过 25，占 2.50%",
        "共 25 处，这里列出前 20 处",
        "整改时限：10 个工作日",
        "未检测",
    ):
        assert words in page
    assert page.index('<td role="cell" data-label="行号" class="n">36<') < page.index(">37<") < page.index(">55<")
    assert ">56<" not in page


def test_no_person_stands_in_any_output(city: tuple[LocalLake, Registry, ReportFiles]) -> None:
    lake, _, files = city
    for key in (files.html, files.json):
        for canary in CANARIES:
            assert canary not in text(lake, key)
    assert "3715**********0014" in text(lake, files.html)


def test_markup_in_a_value_is_text(city: tuple[LocalLake, Registry, ReportFiles]) -> None:
    lake, _, files = city
    assert "<script>alert" not in text(lake, files.html) and "&lt;script&gt;" in text(lake, files.html)


def test_json_names_the_table_version_and_the_rules_of_each_number(
    city: tuple[LocalLake, Registry, ReportFiles],
) -> None:
    lake, _, files = city
    told = json.loads(text(lake, files.json))
    numbers = {f["name"]: f for f in told["figures"]}
    expected = {"value": 29, "table": "results.verdicts", "table_version": 2, "suite_hash": "ab" * 32}
    assert expected.items() <= numbers["failed_rows"].items()
    assert numbers["declared_rows"]["value"] == 1002 and numbers["declared_rows"]["table"] == "ledger.deliveries"
    pattern = next(r for r in told["rules"] if r["rule"] == "legal_rep_id_no_pattern")
    assert (pattern["unexpected_count"], pattern["table_version"], len(pattern["first_rows"])) == (25, 2, 20)
    assert {s["table"]: s["version"] for s in told["sources"]}[f"evidence.{DATASET}"] == 0
    assert [past["failed_rows"] for past in told["trend"]] == [410, 95, 29]


def test_same_results_give_the_same_bytes(city: tuple[LocalLake, Registry, ReportFiles]) -> None:
    lake, cat, files = city
    first = dict(lake.outputs())
    assert write_report(lake, cat, lake.ledger.entries[-1].id, NOW) == files  # type: ignore[arg-type]
    assert lake.outputs() == first


def test_report_is_mirrored_below_home(city: tuple[LocalLake, Registry, ReportFiles]) -> None:
    lake, _, files = city
    for key in (files.html, files.xlsx, files.json):
        assert (lake.settings.home / key).read_bytes() == lake.outputs()[key]
    assert not list(lake.settings.home.rglob("*.part"))


def test_report_of_an_older_delivery_does_not_look_ahead(city: tuple[LocalLake, Registry, ReportFiles]) -> None:
    lake, cat, _ = city
    files = write_report(lake, cat, lake.ledger.entries[0].id, NOW)  # type: ignore[arg-type]
    assert len(json.loads(text(lake, files.json))["trend"]) == 1
    assert "只有这一批结果" in text(lake, files.html)


def test_unreadable_delivery_gets_a_report_with_its_reason(tmp_path: Path) -> None:
    lake, cat = full_lake(tmp_path)
    reason = "文件「11月.xls」是加密的工作簿；请去掉密码后重新报送"
    gone = delivery(9, cat.contract(DATASET), State.UNREADABLE, reason=reason, counted_rows=None, declared_rows=500)
    lake.ledger.entries.append(gone)
    lake.results().write(verdict(gone, rows=0, good_rows=0, silver_version=-1, suite_hash="", reason=reason), [])
    page = text(lake, write_report(lake, cat, gone.id, NOW).html)  # type: ignore[arg-type]
    outline(page)
    for words in ("解析失败（退回）", reason, "500 行", "50.0 MB", gone.sha256[:12], "—"):
        assert words in page


def test_refused_delivery_says_why_and_what_to_do(tmp_path: Path) -> None:
    lake, cat = full_lake(tmp_path)
    refused = delivery(9, cat.contract(DATASET), State.REFUSED)
    lake.ledger.entries.append(refused)
    reason = "900 行未通过（90.0%），超过约定的 50%，整批拒收"
    told = verdict(refused, failed_rows=900, good_rows=0, reason=reason)
    lake.results().write(told, rule_rows(told, cat, {"uscc_required": 900}))
    page = text(lake, write_report(lake, cat, refused.id, NOW).html)  # type: ignore[arg-type]
    outline(page)
    assert reason in page and "平台不代为修改数据" in page and "本规则没有留存逐行明细" in page


def test_delivery_of_an_unknown_dataset_gets_a_report(tmp_path: Path) -> None:
    lake, cat = full_lake(tmp_path)
    finding = Finding("dataset_unknown", "数据集“x”没有数据契约", {"dataset": "x"})
    lost = delivery(9, cat.contract(DATASET), State.UNREADABLE, dataset="x", reason="没有数据契约", findings=(finding,))
    lake.ledger.entries.append(lost)
    page = text(lake, write_report(lake, cat, lost.id, NOW).html)  # type: ignore[arg-type]
    outline(page)
    assert "没有数据契约" in page


def test_superseded_delivery_points_to_its_successor(tmp_path: Path) -> None:
    lake, cat = full_lake(tmp_path)
    first, second = lake.ledger.entries[0], lake.ledger.entries[1]
    lake.ledger.entries[0] = delivery(1, cat.contract(DATASET), first.state, superseded_by=second.id)
    page = text(lake, write_report(lake, cat, first.id, NOW).html)  # type: ignore[arg-type]
    assert f'<a href="{second.id}.html">{second.id}</a>' in page
