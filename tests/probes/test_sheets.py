"""Sheets as clerks keep them: titles, totals, notes, hidden parts, error cells, dates of another system, times at 24:00."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from jobs.contracts import Registry
from jobs.lake.lake import Lake
from tests.probes.probe import Go, Probe, check

GAS = (("东城区", 10.5, 100), ("北城区", 42.0, 400), ("南城区", 31.5, 300), ("西城区", 21.0, 200))
READ_AT = "read_at:timestamp{header: 采集时间, formats: [yyyy-MM-dd HH:mm:ss]%s}"
PROBES = (
    Probe(
        "03-date1904/检修.xlsx",
        (4, 4, 0, 0),
        columns=("field_2", "field_3"),
        silver=tuple((date(2026, 1, day), date(2026, 1, day)) for day in (5, 6, 7, 8)),
        findings=("date_system_1904",),
    ),
    Probe(
        "05-hidden/上报.xlsx",
        (6, 6, 0, 0),
        columns=("field_1",),
        silver=tuple((f"N0{i}",) for i in range(1, 7)),
        findings=("sheets_hidden", "rows_hidden"),
    ),
    Probe(
        "05-hidden/上报.xlsx",
        (6, 6, 0, 0),
        ("no:string{header: 编号}", "number:integer{header: 数量}"),
        "{format: excel, sheet: 0}",
        findings=("sheets_hidden", "rows_hidden"),
        id="the first sheet is the first visible one",
    ),
    Probe(
        "07-error-cells/点位.xlsx",
        (8, 4, 4, 0),
        columns=("field_1", "field_2", "field_3"),
        silver=(("E01", "点位1", 1.5), ("E02", "点位2", None), ("E07", None, 10.5), ("E08", "点位8", 12.0)),
        held=("#DIV/0!", "#REF!", "#N/A"),
        findings=("cell_errors",),
    ),
    Probe(
        "07-error-cells/点位.xlsx",
        (8, 8, 0, 0),
        ("no:string{header: 编号}", "name:string{header: 名称, missing: ['#N/A', '#REF!']}"),
        "{format: excel, missing: ['#N/A']}",
        columns=("no",),
        silver=tuple((f"E0{i}",) for i in range(1, 9)),
        id="error words that the contract declares as missing, and errors in columns that it does not have",
    ),
    Probe(
        "09-concat/一季度.csv",
        (6, 6, 0, 0),
        columns=("field_1", "field_2", "field_3"),
        silver=tuple((f"C{i}", f"2026-0{m}", 100 * m + i) for i in (1, 2) for m in (1, 2, 3)),
        findings=("rows_header",),
    ),
    Probe("12-json/接口.json", (5, 5, 0, 0), columns=("name",), findings=("column_duplicate",)),
    Probe(
        "33-total-row/用气.csv",
        (4, 4, 0, 0),
        columns=("field_2", "field_3", "field_4"),
        silver=GAS,
        findings=("rows_total",),
    ),
    Probe(
        "33-total-row/用气.xlsx",
        (4, 4, 0, 0),
        columns=("field_2", "field_3", "field_4"),
        silver=GAS,
        findings=("rows_total", "rows_note"),
    ),
    Probe(
        "33-total-row/用气.csv",
        (6, 4, 2, 0),
        ("no:integer{header: 序号}", "used:number{header: 用气量}"),
        "{summary_rows: keep}",
        held=("小计", "合计"),
        id="totals that the contract keeps",
    ),
    Probe(
        "50-units/温度.csv",
        (4, 3, 1, 0),
        (
            "station:string{header: 站点}",
            "t:number{header: 温度, units: {°F: {factor: 0.5, offset: -10}, ℃: 1, '': 0.5}}",
            "building:string{header: 楼}",
            "unit:string{header: 室}",
            "room:string{compose: '{building}-{unit?}'}",
        ),
        columns=("station", "t", "room"),
        silver=(("S1", 15.0, "1-"), ("S2", 10.0, "1-101"), ("S3", 10.0, "2-")),
        held=("1K",),
    ),
    Probe("40-element-names/企业.csv", (2, 2, 0, 0), columns=("uscc",)),
    Probe(
        "43-day-end/日冻结.csv",
        (96, 96, 0, 0),
        columns=("read_at",),
        silver=tuple((datetime(2026, 1, 4, 16) + timedelta(minutes=15 * n),) for n in range(1, 97)),
    ),
    Probe(
        "43-day-end/日冻结.csv",
        (96, 95, 1, 0),
        ("meter:string{header: 表码}", READ_AT % ""),
        held=("2026-01-05 24:00:00",),
        id="24:00 where the contract does not say what it is",
    ),
)


@pytest.mark.parametrize("probe", PROBES, ids=[p.id or p.file for p in PROBES])
def test_a_sheet_comes_out_exactly_or_is_held_back_and_told(
    lake: Lake, write_contracts: Callable[..., Registry], go: Go, tmp_path: Path, probe: Probe
):
    check(lake, write_contracts, go, tmp_path, probe)
