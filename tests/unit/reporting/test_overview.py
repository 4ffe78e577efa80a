"""The index lists every delivery from one read of each results table, and each department has its page."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from jobs.contracts.sla import length
from jobs.model.delivery import State
from jobs.reporting import write_index, write_report
from tests.unit.lake.local_lake import DATASET, NOW, delivery, full_lake, many_results, registry
from tests.unit.reporting.delivery.test_report import outline


def test_a_thousand_verdicts_are_read_once(tmp_path: Path) -> None:
    lake, cat = many_results(tmp_path, 1000)
    lake.delta.opened.clear()
    key = write_index(lake, cat, NOW)  # type: ignore[arg-type]
    assert sorted(lake.delta.opened) == ["results.rules", "results.verdicts"]
    page = lake.outputs()[key].decode()
    outline(page)
    assert page.count('<tr role="row"><td') >= 1000 and "共 1,000 批" in page
    assert key == "reports/index.html" and (lake.settings.home / key).exists()


def test_index_links_only_reports_that_exist(tmp_path: Path) -> None:
    lake, cat = full_lake(tmp_path)
    written = write_report(lake, cat, lake.ledger.entries[-1].id, NOW).html  # type: ignore[arg-type]
    page = lake.outputs()[write_index(lake, cat, NOW)].decode()  # type: ignore[arg-type]
    assert page.count(f'href="{written.removeprefix("reports/")}"') == 1
    assert lake.ledger.entries[0].id + ".html" not in page
    assert page.index(lake.ledger.entries[2].id) < page.index(lake.ledger.entries[0].id)


def test_superseded_delivery_is_marked_and_not_open(tmp_path: Path) -> None:
    lake, cat = full_lake(tmp_path)
    contract = cat.contract(DATASET)
    lake.ledger.entries[0] = delivery(1, contract, State.PARTLY_QUARANTINED, superseded_by=lake.ledger.entries[1].id)
    page = lake.outputs()[write_index(lake, cat, NOW)].decode()  # type: ignore[arg-type]
    assert f"{lake.ledger.entries[0].id}（已被取代）" in page


def test_department_page_says_what_to_fix_first_and_what_is_late(tmp_path: Path) -> None:
    lake, cat = full_lake(tmp_path)
    write_index(lake, cat, NOW)  # type: ignore[arg-type]
    page = lake.outputs()["reports/market_regulation/index.html"].decode()
    outline(page)
    assert "最迟应于 2026-11-14 21:30 报送，已逾期 9.9 天" in page
    assert page.index("「法定代表人证件号码」格式不对") < page.index("「联系电话」格式不对")
    assert "尚未报送过：环境空气质量小时值" in lake.outputs()["reports/ecology_environment/index.html"].decode()


def test_an_hour_that_is_not_over_hides_nothing_of_the_last_delivery(tmp_path: Path) -> None:
    def tables() -> tuple[str, str]:
        city, own = (lake.outputs()[f"reports/{name}index.html"].decode() for name in ("", "market_regulation/"))
        return city.split("</table>")[0], own.split("得分变化")[0]

    lake, cat = full_lake(tmp_path)
    write_index(lake, cat, NOW)  # type: ignore[arg-type]
    before = tables()
    last = lake.ledger.entries[-1]
    lake.ledger.entries.append(replace(last, id="hour", seq=last.seq + 1, state=State.OPEN))
    write_index(lake, cat, NOW)  # type: ignore[arg-type]
    after = tables()
    assert after[1] == before[1]
    assert after[0] == before[0].replace(">3</td>", ">4</td>", 1), "one more delivery"


def test_index_without_any_delivery_is_a_page(tmp_path: Path) -> None:
    lake, cat = many_results(tmp_path, 0)
    outline(lake.outputs()[write_index(lake, cat, NOW)].decode())  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1d", timedelta(days=1)),
        ("2h", timedelta(hours=2)),
        ("0.5 d", timedelta(hours=12)),
        ("5wd", None),
        ("", None),
        ("x", None),
    ],
)
def test_agreed_periods(text: str, expected: timedelta | None) -> None:
    assert length(text) == expected


def test_datasets_of_the_tests_stand_in_their_catalogue() -> None:
    assert DATASET in registry().contracts
