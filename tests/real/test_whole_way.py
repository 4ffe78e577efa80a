"""Real files from the landing zone to silver, with nothing but the contracts and suites of this folder.

Numbers are those of SOURCES.md; where the lake says another, the test names both and why.
"""

from collections import Counter
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import pytest

from jobs.lake.system_tables import system_contract
from jobs.lake.zones import Zone
from jobs.model.delivery import State
from tests.real.whole_way import SENT, STATIONS, Outcome, Way, expected, expected_rules

SYSTEM = {field.name for field in system_contract(Zone.SILVER).fields}
AIR = ("pm2_5_ug_m3", "pm10_ug_m3", "so2_ug_m3", "no2_ug_m3", "co_ug_m3", "o3_ug_m3")


@pytest.fixture(scope="module", params=SENT)
def name(request: pytest.FixtureRequest) -> str:
    """A delivery's name in SOURCES.md; the tests of one delivery run one after the other."""
    return str(request.param)


@pytest.fixture
def came(way: Way, name: str) -> Outcome:
    return way.outcome(name)


def at(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc,arg-type]


def test_every_row_is_silver_or_held_or_a_copy(came: Outcome, name: str) -> None:
    sent, verdict = SENT[name], came.verdict
    assert came.delivery.counted_rows == sent.rows
    assert (verdict.copies, verdict.failed_rows, verdict.good_rows) == (sent.copies, sent.held, sent.good())
    assert verdict.good_rows + verdict.failed_rows + verdict.copies == came.delivery.counted_rows
    assert verdict.state is (State.PARTLY_QUARANTINED if sent.held else State.ACCEPTED), verdict.reason
    assert (came.silver, came.quarantine) == (verdict.good_rows, verdict.failed_rows)
    assert came.table == (sent.good() if sent.table is None else sent.table)


def test_each_rule_is_broken_by_the_rows_counted_beforehand(came: Outcome, name: str) -> None:
    assert {r.rule: r.unexpected_count for r in came.rules if r.unexpected_count} == expected_rules(name)
    assert came.evidence == sum(r.unexpected_count for r in came.rules)
    assert all(r.success == (r.unexpected_count == 0) for r in came.rules)


def test_each_declared_change_is_counted(came: Outcome, name: str) -> None:
    found = {f"{r.field}.{r.kind}": r.rows for r in came.verdict.repairs}
    assert found == expected()[name].get("repairs", {})


def test_w1_a_result_below_the_limit_keeps_its_value_and_its_sign(way: Way) -> None:
    columns = ["_row", "coliform_mpn_100ml", "coliform_mpn_100ml_qualifier", "sampled_at", "sample_site_code"]
    rows = {r["_row"]: r for r in way.rows(Zone.SILVER, "W1", columns)}
    sent = {r["_row"]: r["coliform_mpn_100ml"] for r in way.rows(Zone.BRONZE, "W1", ["_row", "coliform_mpn_100ml"])}
    results = {row: (r["coliform_mpn_100ml"], r["coliform_mpn_100ml_qualifier"]) for row, r in rows.items()}
    assert Counter(sent.values())["<1 "] == 21_976
    assert {results[row] for row, text in sent.items() if text == "<1 "} == {(1.0, "<")}
    assert {results[row] for row, text in sent.items() if text == "<1"} == {(1.0, "<")}
    above = [results[row] for row, text in sent.items() if text == ">200.5"]
    assert above == [(200.5, ">")] * 18
    assert [results[row] for row, text in sent.items() if text == "-"] == [(None, None)]
    assert rows[2]["sampled_at"] == at(2015, 1, 1, 17, 19)
    assert len({r["sample_site_code"] for r in rows.values()}) == 397


def test_w2_money_is_exact_and_unnamed_columns_are_kept(way: Way) -> None:
    rows = way.rows(Zone.SILVER, "W2")
    money = ("current_charges_usd", "water_sewer_charges_usd", "other_charges_usd")
    assert all(r["total_charges_usd"] == sum(r[m] for m in money) for r in rows)
    assert min(r["other_charges_usd"] for r in rows) == Decimal("-67726.83")
    assert (max(r["billing_days"] for r in rows), max(r["consumption_hcf"] for r in rows)) == (3_318, 434_200)
    # SOURCES.md counts 14,647 and 14,650 in all 34,627 rows; these are the rows that are left without their copies
    assert sum(r["rate_class"] is not None for r in rows) == 12_260
    assert sum(r["bill_analyzed"] is not None for r in rows) == 12_263


def test_w3_minutes_of_a_fixed_zone_and_events(way: Way) -> None:
    rows = way.rows(Zone.SILVER, "W3", ["read_at", "is_event", "ph", "_marks"])
    times = [r["read_at"] for r in rows]
    assert (min(times), max(times)) == (at(2016, 8, 3, 8, 49), at(2016, 11, 8, 6, 54))  # sent as 09:49 and 07:54, UTC+1
    assert len(set(times)) == (max(times) - min(times)).total_seconds() / 60 + 1
    assert sum(r["is_event"] for r in rows) == 1_726
    assert sum("ph_limit_high" in (r["_marks"] or ()) for r in rows) == 1_422


def test_w4_rows_that_break_a_rule_are_held_as_sent(way: Way) -> None:
    held = way.rows(Zone.QUARANTINE, "W4", ["_row", "raw", "reasons"])
    assert {r["_row"]: r["reasons"] for r in held} == {
        953: ["complaint_code_pattern"],
        1_046: ["closed_after_created"],
        5_916: ["postal_code_pattern"],
    }
    assert any('"created_at":"5/13/2010 13:40","closed_at":"5/7/2010 11:44"' in r["raw"] for r in held)


def test_w5_serial_date_gives_the_instant_that_w4_gives_as_text(way: Way) -> None:
    way.outcome("W5")
    key, text = ("complaint_id", "=", 30_396_258), ("complaint_id", "=", "30396258")
    sent = {r["created_at"] for r in way.rows(Zone.BRONZE, "W5", ["created_at"], text)}
    assert sent == {"4/14/2015 23:30", "42108.979166666664"}
    (row,) = way.rows(Zone.SILVER, "W5", None, key)
    assert (row["created_at"], row["closed_at"]) == (at(2015, 4, 15, 3, 30), at(2015, 4, 20, 14, 51))
    assert (row["_file"], row["_row"]) == ("2015_water_complaints.xlsx", 2)
    # SOURCES.md counts 88 distinct City values, the blank among them; in capitals 47 names are left
    assert len({r["city"] for r in way.rows(Zone.SILVER, "W5", ["city"])} - {None}) == 47


def test_h1_h2_substations_by_file_name_and_hours_of_the_clock_change(way: Way) -> None:
    way.outcome("H2")
    rows = way.rows(Zone.SILVER, "H2", ["substation_code", "_row", "read_at", "outdoor_temp_c", "_marks"])
    assert Counter(r["substation_code"] for r in rows) == {"L4": 45_460, "L8": 31_243}
    of_l4 = {r["_row"]: r for r in rows if r["substation_code"] == "L4"}
    assert of_l4[11_576]["read_at"] == at(2023, 10, 29, 0)  # 02:00 came twice that night: the first is read
    assert 32_615 not in of_l4  # 02:00 never came that night
    failures = [r for r in of_l4.values() if "outdoor_temp_c_sensor_failure" in (r["_marks"] or ())]
    assert {r["outdoor_temp_c"] for r in failures} == {-39.9} and len(failures) == 355


@pytest.mark.parametrize(
    ("which", "field", "first", "backwards"),
    [
        ("H7", "entering_temp_c", (at(2021, 4, 1, 6, 57, 17), 63.25), 2),
        ("H8", "flow_l_s", (at(2021, 4, 1, 6, 59, 16), 105.0), 5),
    ],
)
def test_h7_h8_glued_units_and_offsets(way: Way, which: str, field: str, first: object, backwards: int) -> None:
    rows = sorted(way.rows(Zone.SILVER, which, ["_row", "read_at", field]), key=lambda r: r["_row"])
    assert (rows[0]["read_at"], rows[0][field]) == first  # 63.25°C and 105L/s, at 23:57:17-07:00 and 23:59:16-07:00
    times = [r["read_at"] for r in rows]
    assert sum(later < earlier for earlier, later in pairwise(times)) == backwards


def test_h7_winter_offset(way: Way) -> None:
    (row,) = way.rows(Zone.SILVER, "H7", None, ("_row", "=", 10_002))
    assert row["read_at"] == at(2021, 3, 5, 7, 50)  # 2021-03-04T23:50:00-08:00 Los_Angeles
    assert row["entering_temp_c"] == pytest.approx(68.91, abs=1e-4)


def test_g1_twelve_files_in_one_delivery_keep_their_names_and_row_numbers(way: Way) -> None:
    rows = way.rows(Zone.SILVER, "G1", ["_file", "_row", "file_year", "heating_load_kwh"])
    by_file: dict[str, list[int]] = {}
    for row in rows:
        by_file.setdefault(row["_file"], []).append(row["_row"])
        assert row["_file"] == f"{row['file_year']}.csv"
    hours = {f"{year}.csv": 8_784 if year % 4 == 0 else 8_760 for year in range(2011, 2023)}
    assert {file: sorted(found) for file, found in by_file.items()} == {
        file: list(range(2, count + 2)) for file, count in hours.items()
    }
    zeros = Counter(r["file_year"] for r in rows if r["heating_load_kwh"] == 0)
    assert (zeros[2011], zeros[2018], zeros[2022]) == (1_137, 669, 970)


def test_c1_sub_headings_become_the_province_of_the_rows_below(way: Way) -> None:
    rows = way.rows(Zone.SILVER, "C1")
    by_province = Counter(r["province_name"] for r in rows)
    assert len(by_province) == 31
    said = {r["province_name"]: r["province_schools"] for r in rows}
    assert sum(said.values()) == 2_918
    assert {p: (by_province[p], n) for p, n in said.items() if by_province[p] != n} == {"海南省": (28, 27)}
    liaocheng = {r["school_name"]: r["province_name"] for r in rows if r["city_name"] == "聊城市"}
    assert len(liaocheng) == 4 and set(liaocheng.values()) == {"山东省"} and "聊城大学" in liaocheng
    assert any(r["school_name"] == "渤海船舶职业学院" and r["_row"] == 513 for r in rows)


def test_c2_tables_of_two_ministries_and_the_standard_disagree(way: Way) -> None:
    way.outcome("C2-others")
    codes: dict[tuple[str, str], dict[str, str]] = {}
    for r in way.rows(Zone.SILVER, "C2-others"):
        codes.setdefault((r["source_code"], r["revision"]), {})[r["division_code"]] = r["division_name"]
    mca, stats, gb = (set(codes[key]) for key in (("mca", "201904"), ("stats", "201810"), ("gb", "200712")))
    assert (len(stats - mca), len(mca - stats), len(gb - mca)) == (444, 4, 601)
    assert {names["371523"] for names in codes.values()} == {"茌平县"}


def test_c3_areas_that_the_ministry_does_not_list_are_held(way: Way) -> None:
    held = way.rows(Zone.QUARANTINE, "C3", ["raw", "reasons"])
    assert {tuple(r["reasons"]) for r in held} == {("area_code_reference",)}
    assert any('"area_code":"371503","area_name":"茌平区"' in r["raw"] for r in held)
    liaocheng = way.rows(Zone.SILVER, "C3", ["area_code"], ("city_code", "=", "3715"))
    assert len(liaocheng) == 8 - 1


def test_c4_text_numbers_and_nested_coordinates(way: Way) -> None:
    rows = way.rows(Zone.SILVER, "C4")
    station = next(r for r in rows if r["station_code"] == "1625A")
    assert (station["city_name"], station["pm10_ug_m3"], station["aqi"]) == ("聊城市", 93.0, 78)
    assert (station["longitude"], station["latitude"]) == (115.9848, 36.4372)
    assert station["observed_at"] == at(2018, 2, 19, 23)
    assert sum(r["city_name"] == "聊城市" for r in rows) == 3
    names = Counter(r["station_name"] for r in rows)
    # SOURCES.md counts 252 stations that share a name; 24 names are padded, and without blanks 258 share theirs
    assert sum(n for n in names.values() if n > 1) == 258


def test_e1_missing_values_of_each_station(way: Way) -> None:
    rows = way.rows(Zone.SILVER, "E1", ["station_name", *AIR])
    missing = {s: [0] * len(AIR) for s in STATIONS}
    for row in rows:
        counts = missing[row["station_name"]]
        for place, measure in enumerate(AIR):
            counts[place] += row[measure] is None
    assert missing == {
        "Aotizhongxin": [925, 718, 935, 1_023, 1_776, 1_719],
        "Changping": [774, 582, 628, 667, 1_521, 604],
        "Dingling": [779, 656, 730, 1_234, 2_012, 1_214],
        "Dongsi": [750, 553, 663, 1_601, 3_197, 664],
        "Guanyuan": [616, 429, 474, 659, 1_753, 1_173],
        "Gucheng": [646, 381, 507, 668, 1_401, 729],
    }


def test_e1_evidence_names_the_file_of_each_break(way: Way) -> None:
    found = Counter((r["rule"], r["_file"].split("_")[2]) for r in way.rows(Zone.EVIDENCE, "E1", ["rule", "_file"]))
    above = [found["pm10_above_pm2_5", station] for station in STATIONS]
    assert above == [1_183, 1_684, 2_949, 2_156, 1_369, 1_591]
    capped = {station: found["co_capped", station] for station in STATIONS}
    assert min(capped.values()) >= 1 and capped["Dongsi"] == 10
    assert (found["o3_extreme", "Dongsi"], sum(n for (rule, _), n in found.items() if rule == "o3_extreme")) == (16, 16)


def test_e1_timestamp_is_composed_of_four_columns(way: Way) -> None:
    (row,) = way.rows(Zone.SILVER, "E1", None, ("station_name", "=", "Gucheng"), ("_row", "=", 2))
    assert row["observed_at"] == at(2013, 2, 28, 16)  # 2013-03-01 00:00 in Beijing
    assert (row["year"], row["month"], row["day"], row["hour"]) == (2013, 3, 1, 0)


def test_s1_two_scores_for_one_inspection_are_both_held(way: Way) -> None:
    held = sorted((r["_row"], *r["reasons"], r["raw"]) for r in way.rows(Zone.QUARANTINE, "S1"))
    assert [row[:2] for row in held] == [(7_714, "primary_key"), (7_715, "primary_key")]
    assert '"score":"91"' in held[0][2] and '"score":"96"' in held[1][2]


def test_s2_orphans_and_dates_inside_the_text(way: Way) -> None:
    reasons = Counter(tuple(r["reasons"]) for r in way.rows(Zone.QUARANTINE, "S2", ["reasons"]))
    # SOURCES.md counts 932 orphans in the file: one is in a copy, and 4 more refer to the inspection that S1 holds
    assert reasons == {("inspection_key_reference",): 935, ("corrected_date_type",): 11}
    rows = way.rows(Zone.SILVER, "S2", ["violation_text", "violation_date", "description_sent", "corrected_date"])
    assert len({r["violation_text"] for r in rows}) == 68
    assert not any("date violation corrected" in r["violation_text"] for r in rows)
    one = next(r for r in rows if r["description_sent"].endswith("[ date violation corrected: 11/27/2017 ]"))
    assert one["corrected_date"] == date(2017, 11, 27)


def test_s3_accents_and_the_row_without_an_address(way: Way) -> None:
    rows = {r["_row"]: r for r in way.rows(Zone.SILVER, "S3")}
    assert (rows[2_355]["business_name"], rows[3_141]["business_name"]) == ("TROPISUEÑO", "KIÊN THANH")
    assert sum(not r["business_name"].isascii() for r in rows.values()) == 7
    (held,) = way.rows(Zone.QUARANTINE, "S3", ["raw", "reasons"])
    assert held["reasons"] == ["address_required"] and "ASDLJDLST G FDH" in held["raw"]


def test_s5_every_column_is_carried_under_its_own_name(way: Way, real: Callable[[str], Path]) -> None:
    text = real(SENT["S5"].files[0]).read_text("cp1252")
    header, first = (line.split("\t") for line in text.split("\n")[:2])
    (row,) = way.rows(Zone.SILVER, "S5", None, ("_row", "=", 2))
    assert len(header) == 454 and len(set(row) - SYSTEM) == 454
    evolved = {name.lower(): cell for name, cell in zip(header, first, strict=True) if name.lower() in row}
    same = {name for name, cell in evolved.items() if row[name] == (cell or None)}
    assert len(evolved) >= 439 and {"narrative", "iyear", "operator_street_address", "time_zone"} <= same
    assert set(evolved) - same == {"operator_id", "installation_year"}  # a number, and UNKNOWN: fields of the contract
    assert row["occurred_at"] == at(2022, 3, 3, 15, 40)  # 3/03/2022 10:40


def test_s5_quotes_and_accents_stay(way: Way) -> None:
    rows = [[v for c, v in r.items() if isinstance(v, str) and c not in SYSTEM] for r in way.rows(Zone.SILVER, "S5")]
    (held,) = way.rows(Zone.QUARANTINE, "S5", ["raw", "reasons", "_row"])
    # 4,656 cells with quotes in the file: 6 of them in the row that is held for its longitude, -8732719
    assert sum('"' in cell for row in rows for cell in row) == 4_656 - 6
    assert sum(not mark.isascii() for row in rows for cell in row for mark in cell) == 27
    assert (held["reasons"], held["_row"]) == (["longitude_range"], 988) and '"longitude":"-8732719"' in held["raw"]
