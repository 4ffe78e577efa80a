"""Every real file gives the rows that SOURCES.md counts, under its contract."""

from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from jobs.contracts import Registry
from jobs.errors import DeliveryError
from jobs.ingest.reading import LocalFile, Reading, read

Real = Callable[[str], Path]
GB2260 = "gov_cn/GB2260/"
STATIONS = ("Aotizhongxin", "Changping", "Dingling", "Dongsi", "Guanyuan", "Gucheng")

DELIVERIES = [
    ("tap_quality", ["water/Drinking_Water_Quality_Distribution_Monitoring_Data.csv"], 23_382),
    ("water_bills", ["water/Water_Consumption_And_Cost__2013_-_2020_.csv"], 34_627),
    ("water_telemetry", ["water/geccoIC2018Train.csv"], 139_566),
    ("water_complaints", ["water/Water_Quality_complaints_(correction).csv"], 7_562),
    ("water_complaints", ["water/2015_water_complaints.xlsx"], 1_232),
    ("heat_substation_scada", ["heat/xai4heat_scada_L4.csv"], 45_461),
    ("heat_substation_scada", ["heat/xai4heat_scada_L8.csv"], 31_243),
    ("heat_supply_temp", ["heat/Campus_Energy_Centre_5.csv"], 21_181),
    ("heat_flow", ["heat/Campus_Energy_Centre_6.csv"], 51_555),
    ("building_gas", [f"gas/UCam_Building_b40/gas/{year}.csv" for year in range(2011, 2023)], 105_192),
    ("building_gas", [f"gas/UCam_Building_b57/gas/{year}.csv" for year in range(2011, 2023)], 105_192),
    ("boiler_gas_pressure", ["gas/CEC_compiled_data_4b_updated.csv"], 41_572),
    ("universities", ["gov_cn/W020250627301230138068.xls"], 2_919),
    ("division_codes", [f"{GB2260}mca/201904.tsv"], 3_219),
    ("division_codes", [f"{GB2260}mca/201904.tsv", f"{GB2260}stats/201810.tsv", f"{GB2260}200712.tsv"], 10_402),
    ("division_areas", ["gov_cn/areas.csv"], 2_978),
    ("air_stations", ["gov_cn/airnow.json"], 1_495),
    ("air_hourly", [f"environment/PRSA_Data_{s}_20130301-20170228.csv" for s in STATIONS], 210_384),
    ("inspections", ["supervision/sf_inspections.csv"], 14_233),
    ("violations", ["supervision/sf_violations.csv"], 39_006),
    ("businesses", ["supervision/sf_businesses.csv"], 6_399),
    ("gas_incidents", ["supervision/incident_gas_distribution_jan2010_present.txt"], 1_314),
]


@pytest.fixture
def reading(real: Real, real_catalogue: Registry, tmp_path: Path) -> Callable[[str, list[str]], Reading]:
    def go(dataset: str, names: list[str]) -> Reading:
        files = [LocalFile(name.rsplit("/", 1)[-1], real(name)) for name in names]
        return read(files, real_catalogue.contract(dataset), tmp_path)

    return go


Read = Callable[[str, list[str]], Reading]


def table(found: Reading) -> pa.Table:
    return pa.Table.from_batches(list(found.batches), found.schema)


def count(condition: pa.Array) -> int:
    return int(pc.sum(condition.cast(pa.int64())).as_py())


@pytest.mark.parametrize(
    ("dataset", "names", "rows"), DELIVERIES, ids=[f"{d}-{n[0].rsplit('/', 1)[-1]}" for d, n, _ in DELIVERIES]
)
def test_rows_are_as_counted_and_none_is_malformed(reading: Read, dataset: str, names: list[str], rows: int) -> None:
    found = reading(dataset, names)
    read_rows = table(found)
    assert read_rows.num_rows == found.counted_rows == rows
    assert read_rows["_malformed"].null_count == rows
    assert {f.kind for f in found.findings} <= ALLOWED, [f.message for f in found.findings]


ALLOWED = {"encoding_detected", "column_extra", "section_rows", "format_differs"}


def test_line_breaks_inside_a_cell_are_one_row(reading: Read) -> None:
    found = table(reading("tap_quality", DELIVERIES[0][1]))
    assert count(pc.match_substring(found["location"], "\n").fill_null(False)) == 173
    assert found["_row"][-1].as_py() == 23_383
    assert found["sample_number"].null_count == 8_864
    assert count(pc.equal(found["coliform_mpn_100ml"], "<1 ")) == 21_976


def test_unnamed_columns_are_read_by_position(reading: Read) -> None:
    found = table(reading("water_bills", DELIVERIES[1][1]))
    assert found.num_rows - found["rate_class"].null_count == 14_647
    assert found.num_rows - found["bill_analyzed"].null_count == 14_650


def test_serial_dates_stay_numbers(reading: Read) -> None:
    found = reading("water_complaints", ["water/2015_water_complaints.xlsx"])
    rows = table(found)
    assert "format_differs" in {f.kind for f in found.findings}
    assert rows["created_at"][0].as_py() == "42108.979166666664"
    assert rows["complaint_id"][0].as_py() == "30396258"
    assert rows["closed_at"].null_count == 2


def test_sub_headings_of_the_ministry_become_provinces(reading: Read) -> None:
    found = reading("universities", ["gov_cn/W020250627301230138068.xls"])
    rows = table(found)
    assert pc.count_distinct(rows["province_name"]).as_py() == 31
    assert count(pc.equal(rows["province_name"], "海南省")) == 28
    assert set(rows.filter(pc.equal(rows["province_name"], "海南省"))["province_schools"].to_pylist()) == {"27"}
    assert rows["_row"][0].as_py() == 5 and rows["_row"][-1].as_py() == 2_953
    assert rows["school_code"][0].as_py() == "4111010001"
    assert count(pc.equal(rows["city_name"], "聊城市")) == 4


def test_quotes_of_an_unquoted_format_are_kept_and_all_columns_carried(reading: Read) -> None:
    found = reading("gas_incidents", ["supervision/incident_gas_distribution_jan2010_present.txt"])
    rows = table(found)
    cells = sum(count(pc.match_substring(c, '"').fill_null(False)) for c in rows.columns if c.type == pa.string())
    assert cells == 4_656
    assert len(found.columns) == 454 + 4


def test_file_names_give_the_substation(reading: Read) -> None:
    found = table(reading("heat_substation_scada", ["heat/xai4heat_scada_L4.csv"]))
    assert set(found["substation_code"].to_pylist()) == {"L4"}
    assert found["heat_power"].null_count == 10_024


def test_file_of_another_dataset_ends_here(reading: Read) -> None:
    with pytest.raises(DeliveryError, match="缺少列：Code、Name"):
        reading("division_codes", [f"{GB2260}sources.tsv"])
    with pytest.raises(DeliveryError, match="可能是其他数据集的文件"):
        reading("tap_quality", ["heat/xai4heat_scada_L4.csv"])


def test_accents_of_windows_are_read(reading: Read) -> None:
    rows = table(reading("businesses", ["supervision/sf_businesses.csv"]))
    text = [str(v) for c in ("business_name", "address") for v in rows[c].to_pylist()]
    assert sum(not v.isascii() for v in text) >= 7 and not any("\ufffd" in v for v in text)
