"""Files as systems and spreadsheets export them, and feeds that fall silent: what comes in is good, held back or reported."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from jobs.contracts import Registry
from jobs.lake.lake import Lake
from tests.contract_texts import contract
from tests.probes.probe import HERE, Go, Probe, check, fields

PROBES = (
    Probe("52-unicode-text/导出.txt", (5, 5, 0, 0), columns=("field_1", "field_2"),
          silver=tuple((f"S{i}", round(0.30 + i / 100, 2)) for i in range(1, 6))),
    Probe("53-quoted-breaks/投诉.csv", (4, 4, 0, 0), columns=("field_1", "order_content"),
          silver=(("G001", "家里没热水\n昨天就没有"), ("G002", '他说"不修"'), ("G003", "正常"), ("G004", "一,二,三"))),
    Probe("54-rare-names/人口.csv", (3, 3, 0, 0), columns=("field_1",), silver=(("王㙍",), ("李䶮",), ("赵𠅤",))),
    Probe("55-trailing-comma/用水.csv", (6, 6, 0, 0), columns=("usage_m3", "reading_date"),
          silver=tuple((10.5 + i, date(2026, 1, i)) for i in range(1, 7))),
    Probe("56-blank-lines/用热.csv", (5, 5, 0, 0), columns=("field_1",), silver=tuple((f"H{i}",) for i in range(1, 6))),
    Probe("57-null-words/台账.csv", (6, 6, 0, 0), columns=("field_1", "field_2", "field_3", "remarks"),
          silver=(("A1", 100, 0.3, None), ("A2", None, 0.35, "好"), ("A3", 150, None, None),
                  ("A4", 200, 0.28, "旧"), ("A5", 100, 0.31, None), ("A6", 150, None, "新"))),
    Probe("58-chinese-dates/许可.csv", (7, 7, 0, 0), columns=("field_2", "valid_to"),
          silver=tuple((date(2026, 1, i), date(2027, 1, i)) for i in range(1, 8))),
    Probe("59-mixed-dates/处罚.csv", (5, 5, 0, 0), columns=("field_2",), id="a column with a day that does not exist is text",
          silver=(("2026-01-05",), ("2026/1/6",), ("2026-01-07",), ("2026/1/8",), ("2026-02-30",))),
    Probe("59-mixed-dates/处罚.csv", (5, 4, 1, 0),
          ("no:string{header: 文书号}", "on:date{header: 处罚日期, formats: [yyyy-MM-dd, yyyy/M/d]}"),
          columns=("no", "on"), silver=tuple((f"C{i}", date(2026, 1, 4 + i)) for i in range(1, 5)), held=("2026-02-30",),
          id="two formats in one column"),
    Probe("60-thousands/缴费.csv", (5, 5, 0, 0), columns=("field_1", "field_2"),
          silver=(("A1", Decimal("1234.50")), ("A2", Decimal("12345.00")), ("A3", Decimal("980.10")),
                  ("A4", Decimal("1000000.00")), ("A5", Decimal("-12.00")))),
    Probe("61-leading-zeros/邮编.csv", (6, 6, 0, 0), columns=("field_2", "field_3"),
          silver=tuple((f"05200{i}", f"0635-821000{i}") for i in range(1, 7))),
    Probe("62-zip-readme/一月.zip", (5, 5, 0, 0), columns=("field_1", "field_2"), findings=("member_ignored",),
          silver=(("E1", 0.31), ("E2", 0.32), ("W1", 0.33), ("W2", 0.34), ("W3", 0.35))),
    Probe("63-gzip/读数.csv.gz", (3, 3, 0, 0), columns=("field_1", "field_2"),
          silver=(("P1", 0.31), ("P2", 0.32), ("P3", 0.3))),
    Probe("64-nested/接口.jsonl", (4, 4, 0, 0), columns=("id", "loc_lon"),
          silver=tuple((f"N{i}", 115.9 + i / 100) for i in range(1, 5))),
    Probe("65-equal-rows/名单.csv", (3, 3, 0, 2), columns=("field_1", "field_2"),
          silver=(("甲", "一局"), ("乙", "二局"), ("丙", "三局"))),
    Probe("66-one-quote/地址.csv", (4, 4, 0, 0), columns=("field_1", "address", "field_3"),
          silver=(("D1", '东昌路5"管', 10), ("D2", "柳园路", 20), ("D3", "振兴路,8号", 30), ("D4", "建设路", 40))),
    Probe("68-units-row/热站.csv", (5, 5, 0, 0), columns=("field_1", "field_2", "field_4"), findings=("rows_units",),
          silver=tuple((f"Z{i}", round(50.1 + i, 1), 100 + i) for i in range(1, 6))),
    Probe("69-percent/完好率.csv", (4, 4, 0, 0), columns=("field_2",), silver=((98.5,), (97.0,), (100.0,), (99.2,))),
    Probe("70-fullwidth/抄表.csv", (4, 4, 0, 0), columns=("field_1", "field_2"),
          silver=(("A1", 123.0), ("A2", 124.5), ("A3", 125.0), ("A4", 126.0))),
    Probe("71-negative/调整.csv", (5, 4, 1, 0),
          ("no:string{header: 户号}", "change:number{header: 调整额, full_width: true}"),
          columns=("no", "change"), silver=(("A1", -12.5), ("A3", -8.0), ("A4", 5.0), ("A5", 7.25)), held=("(30.00)",)),
)  # fmt: skip
SILENT = """name: probe
expectations:
  - {id: silent, type: expect_column_values_to_not_be_silent, kwargs: {column: pressure, series: [site], at: at, longest_s: 1800}, severity: warning, meta: {dimension: 完整性, message: 长时间没有数值, remedy: 请检查传感器, basis: 约定}}
"""


@pytest.mark.parametrize("probe", PROBES, ids=lambda probe: probe.id or probe.file)
def test_a_file_comes_out_exactly_or_is_held_back(
    lake: Lake, write_contracts: Callable[..., Registry], go: Go, tmp_path: Path, probe: Probe
) -> None:
    check(lake, write_contracts, go, tmp_path, probe)


def test_rows_that_come_without_a_value_for_long_are_marked_and_good(
    write_contracts: Callable[..., Registry], go: Go
) -> None:
    words = (
        "site:string{header: 站点}",
        "at:timestamp{header: 采集时间, formats: [yyyy-MM-dd HH:mm:ss]}",
        "pressure:number{header: 压力}",
    )
    registry = write_contracts(
        {
            "schemas/sources/heat/probe.yaml": contract("probe", fields(*words)),
            "expectations/sources/heat/probe.yaml": SILENT,
        }
    )
    verdict = go(registry, HERE / "51-silence/压力.csv")
    assert (verdict.rows, verdict.good_rows, verdict.warned_rows) == (50, 50, 13)
