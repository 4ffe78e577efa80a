"""Lineage in the browser: tables, columns, and the deliveries behind a figure."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest

from jobs.lake.ledger import Build
from jobs.lake.zones import Zone
from jobs.reporting.pages import Link
from jobs.serving.portal.routes.lineage_pages import origin_table
from jobs.serving.portal.services.lineage_service import LineageService
from tests.unit.serving.portal.portal_city import NOW, PEOPLE_ACTORS, Browser, City, city, delivered, shipped

ORDERS, ORDERS_DEPARTMENT = "hotline_orders", "hotline_12345"
AT = datetime(2026, 1, 11, 16, tzinfo=UTC)
"""Midnight in Beijing, where 12 January begins."""
DAY = {"day": "2026-01-12", "division_code": "371502", "category_major": "供热"}


def orders(*rows: tuple[str, int, datetime, str, str]) -> pa.Table:
    """Orders by delivery, row number, dispatch, division and category."""
    names = ("_delivery", "_row", "dispatched_at", "division_code", "category_major")
    columns = {name: list(values) for name, values in zip(names, zip(*rows, strict=True), strict=True)}
    columns["dispatched_at"] = pa.array(columns["dispatched_at"], pa.timestamp("us", "UTC"))
    return pa.table({**columns, "_file": [f"办件_13806351234_{row[0]}.json" for row in rows]})


@pytest.fixture
def town(made_sqlite: Path, tmp_path: Path) -> Iterator[City]:
    (tmp_path / "state.db").write_bytes(made_sqlite.read_bytes())
    made = city(tmp_path, f"sqlite:///{tmp_path / 'state.db'}")
    first, second = (delivered(made, ORDERS, number) for number in (1, 2))
    lake = made.portal.lake
    moved = [
        (first, 2, AT, "371502", "供热"),
        (first, 3, AT.replace(day=12, hour=15), "371502", "供热"),
        (first, 4, AT.replace(hour=15), "371502", "供热"),
        (first, 5, AT.replace(day=12, hour=16), "371502", "供热"),
        (first, 6, AT, "371503", "供热"),
        (first, 7, AT, "371502", "供水"),
        *((second, number, AT, "371502", "供热") for number in range(9, 16)),
    ]
    lake.delta.put(lake.path(Zone.SILVER, ORDERS), orders(*moved))  # type: ignore[attr-defined]
    divisions = pa.table(
        {
            "_delivery": ["divisions-1"] * 2,
            "_file": ["区划.csv"] * 2,
            "_row": [2, 3],
            "division_code": ["371502", "371503"],
        }
    )
    lake.delta.put(lake.path(Zone.SILVER, "divisions"), divisions)  # type: ignore[attr-defined]
    lake.ledger.record_build(Build("hotline_day", {}, 1, 9, NOW))
    yield made
    made.portal.tickets.database.close()
    made.portal.lake.ledger.close()
    made.portal.lake.streams.close()


def test_a_product_shows_its_tables_with_their_newest_deliveries(town: City) -> None:
    page = Browser(town.portal, "officer").get("/datasets/hotline_day/lineage").text
    svg = page[page.index('<svg class="lineage"') : page.index("</svg>")]
    assert re.findall(r"<title>([\w.]+)</title>", svg) == [
        "landing.divisions",
        "landing.hotline_orders",
        "silver.divisions",
        "silver.hotline_orders",
        "gold.hotline_day",
    ]
    assert svg.count("<line ") == 4
    assert delivered(town, ORDERS, 2) in page and "构建于 2026-01-12" in page
    assert "决定有哪些行的字段" in page and "hotline_orders.dispatched_at" in page


def test_a_department_sees_no_deliveries_of_others(town: City) -> None:
    page = Browser(town.portal, "stranger").get("/datasets/hotline_day/lineage").text
    assert "其他部门" in page and delivered(town, ORDERS, 2) not in page


def test_a_column_shows_what_it_is_made_from_and_where_it_goes(town: City) -> None:
    browser = Browser(town.portal, "clerk")
    page = browser.get("/datasets/hotline_day/lineage?column=mean_handling_h").text
    assert "直接：汇总" in page and "间接：条件" in page and "「closedAt」" in page
    page = browser.get("/datasets/hotline_orders/lineage?column=category_major").text
    assert 'href="/datasets/hotline_day/lineage?column=category_major"' in page
    page = browser.get("/datasets/supply_sales_month/lineage?column=bill_count").text
    assert "低于来源字段" in page and "数据安全负责人批准" in page
    for path in ("hotline_day/lineage?column=nothing", "nothing/lineage"):
        assert browser.get(f"/datasets/{path}").status_code == 404


def test_a_figure_leads_to_the_deliveries_files_and_rows_behind_it(town: City) -> None:
    service = LineageService(town.portal, PEOPLE_ACTORS["officer"])
    first, second = (delivered(town, ORDERS, number) for number in (1, 2))
    found = origin_table(service.origins(shipped().contract("hotline_day"), DAY)).rows
    of_orders = {row[2].text: row[3:] for row in found if row[1] == "12345 热线办件" and isinstance(row[2], Link)}
    by = "day、division_code、category_major"
    assert of_orders == {
        first: (f"办件_138****1234_{first}.json", "2", "2、3", by),
        second: (f"办件_138****1234_{second}.json", "7", "9、10、11、12、13 等", by),
    }
    assert [row[4:] for row in found if row[1] != "12345 热线办件"] == [("2", "2、3", "全部行")]


def test_the_page_lists_them_and_another_department_only_the_numbers(town: City) -> None:
    path = "/datasets/hotline_day/lineage?" + "&".join(f"key_{name}={value}" for name, value in DAY.items())
    first = delivered(town, ORDERS, 1)
    assert f'href="/deliveries/{first}"' in Browser(town.portal, "officer").get(path).text
    page = Browser(town.portal, "stranger").get(path).text
    assert first not in page and "其他部门的批次" in page
    assert "应为日期" in Browser(town.portal, "officer").get(path.replace("2026-01-12", "today")).text
    assert (
        "没有找到" not in Browser(town.portal, "officer").get("/datasets/hotline_day/lineage?key_day=2026-01-12").text
    )
