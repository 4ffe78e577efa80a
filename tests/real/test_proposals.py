"""A proposal for every real file loads and reads that file."""

from pathlib import Path

import pytest

from jobs.contracts import Contract, Elements, load
from jobs.contracts.layout import Unit
from jobs.ingest.cell_errors import AS_SENT
from jobs.ingest.proposal import propose
from jobs.ingest.reading import LocalFile, read
from jobs.settings import PROJECT
from tests.bench.proposal import TRUTH, Score, compare, dataset_of, drafted

DATA = Path(__file__).parents[3] / "shared" / "data" / "real"
KEYS = {
    "water/Drinking_Water_Quality_Distribution_Monitoring_Data.csv": ("sample_date", "sample_time", "sample_site"),
    "water/geccoIC2018Train.csv": ("time",),
    "water/Water_Quality_complaints_(correction).csv": ("unique_key",),
    "water/2015_water_complaints.xlsx": ("unique_key",),
    "water/Leak_p427.xlsx": ("timestamp",),
    "heat/xai4heat_scada_L4.csv": ("datetime",),
    "heat/Campus_Energy_Centre_5.csv": ("timestamp",),
    "gas/IBB_natural_gas_data.xlsx": ("ay_no", "field_1", "field_3"),
    "gov_cn/W020250627301230138068.xls": ("field_3",),
    "gov_cn/GB2260/mca/201904.tsv": ("code",),
    "gov_cn/airnow.json": ("properties_stationcode", "properties_timepoint"),
    "supervision/sf_businesses.csv": ("business_id",),
    "supervision/incident_gas_distribution_jan2010_present.txt": ("report_number",),
    "water/Water_Consumption_And_Cost__2013_-_2020_.csv": (),
}
ROWS = {
    "heat/xai4heat_2024-25_L4.csv": 12_898,
    "heat/processed_final_data_sample.csv": 26_256,
    "heat/contextual_data.csv": 3_127,
    "gas/Campus_Energy_Centre_4.csv": 5_832,
    "gas/exportWeb.csv": 1_823,
    "gas/IBB_natural_gas_data.xlsx": 3_900,
    "gov_cn/GB2260/sources.tsv": 92,
    "gov_cn/provinces.csv": 31,
    "gov_cn/cities.csv": 342,
    "gov_cn/streets.csv": 41_352,
    "gov_cn/ncov/ChinaAreaCode.csv": 3_212,
    "supervision/sf_legend.csv": 4,
    "supervision/Food_Inspections.csv": 342,
    "water/Leak_p427.xlsx": 105_120,
}


def proposed(path: Path, folder: Path) -> tuple[Contract, int]:
    file = LocalFile(path.name, path)
    target = folder / "schemas" / "sources" / "somebody" / "made_up.yaml"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(propose(file, "made_up", "somebody", folder))
    contract = load(folder / "schemas", folder / "none").contract("made_up")
    reading = read([file], contract, folder)
    for batch in reading.batches:
        faults = batch.column("_malformed").drop_null().to_pylist()
        assert all(fault.startswith(AS_SENT) for fault in faults), "rows with #N/A alone are held back"
    return contract, reading.counted_rows


@pytest.mark.parametrize("name", KEYS)
def test_key_is_found(name: str, tmp_path: Path) -> None:
    assert proposed(DATA / name, tmp_path)[0].key() == KEYS[name]


@pytest.mark.parametrize("name", ROWS)
def test_files_without_a_contract_have_the_rows_counted(name: str, tmp_path: Path) -> None:
    assert proposed(DATA / name, tmp_path)[1] == ROWS[name]


@pytest.mark.parametrize(("folder", "rows"), [("Data", 13_123), ("ReportData", 655)])
def test_folders_of_daily_files_have_the_rows_counted(folder: str, rows: int, tmp_path: Path) -> None:
    files = sorted((DATA / "gov_cn" / "ncov" / folder).glob("*.csv"))
    assert sum(proposed(file, tmp_path)[1] for file in files) == rows


def test_units_and_zone_words_are_found(tmp_path: Path) -> None:
    contract, _ = proposed(DATA / "heat/Campus_Energy_Centre_6.csv", tmp_path)
    assert dict(contract.fields[1].source.units) == {"L/s": Unit()} and contract.fields[0].source.extract


def test_proposals_come_near_contracts_by_hand(tmp_path: Path) -> None:
    elements, score = Elements.load(PROJECT / "schemas" / "elements"), Score()
    for name in TRUTH:
        draft = drafted(name, tmp_path / dataset_of(name), elements).contract(dataset_of(name))
        compare(name, draft, draft.file.read_text("utf-8"), score)
    assert score.share() >= 0.95, score.missed
