"""A mistake in a contract is reported with file and line; a valid contract gives its rules."""

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from jobs.contracts import Registry, load_usable, loader, suite_hash
from jobs.errors import ContractError
from tests.contract_texts import STATION_FIELDS, STATION_SUITE, contract, stream_contract

PLACE = "schemas/sources/heat/station.yaml"
GOOD = contract("station", STATION_FIELDS)


def line_of(text: str, words: str) -> int:
    return next(i for i, line in enumerate(text.splitlines(), 1) if words in line)


@pytest.mark.parametrize(
    ("wrong", "words", "at"),
    [
        (GOOD.replace("status: active", "status: active\nstatuss: x"), "unknown key 'statuss'", "statuss"),
        (GOOD.replace("businessName: 站点,", "bussinessName: 站点,"), "unknown key 'bussinessName'", "bussinessName"),
        (GOOD.replace("id: station", "id: Station-1"), "may only contain a-z", "id: Station-1"),
        (GOOD.replace("id: station", "id: exchange"), "address of a page", "id: exchange"),
        (GOOD.replace("logicalType: timestamp", "logicalType: moment"), "moment", "moment"),
        (GOOD.replace("logicalType: timestamp, ", ""), "unknown element 'read_at'", "read_at"),
        (GOOD.replace("name: return_c", "name: temp_c"), "is defined twice", "name: temp_c, businessName: 回温"),
        (GOOD.replace('units: {"℃": 1}', 'unit: {"℃": 1}'), "unknown key", 'unit: {"℃": 1}'),
        (GOOD + "  - {property: layouts, value: {}}\n", "unknown property 'layouts'", "layouts"),
        (GOOD + "  - {property: layout, value: {format: pdf}}\n", "format", "format: pdf"),
        (
            GOOD.replace("name: return_c, ", "name: return_c, relationships: [{type: foreignKey, to: nowhere.id}], "),
            "no contract",
            "nowhere",
        ),
        (GOOD.replace("provider, value: heat", "provider, value: 热力"), "provider", "customProperties:"),
        (GOOD.replace("id: station", "id: station\nid: station"), "is defined twice", "id: station"),
        (
            stream_contract("station") + "  - {property: layout, value: {format: jsonl, extra_columns: refuse}}\n",
            "a stream has no columns to refuse",
            "customProperties:",
        ),
        (GOOD.replace("schema:", "schema: [[["), "not valid YAML", "schema: [[["),
    ],
)
def test_mistake_names_file_and_line(write_contracts: Callable[..., Registry], wrong: str, words: str, at: str):
    with pytest.raises(ContractError) as error:
        write_contracts({PLACE: wrong})
    assert words in str(error.value)
    file, line, *_ = str(error.value).split(":")
    assert file.endswith("station.yaml")
    assert abs(int(line) - line_of(wrong, at)) <= 8


def test_two_contracts_with_one_id_are_an_error(write_contracts: Callable[..., Registry]):
    with pytest.raises(ContractError, match="already the id of"):
        write_contracts({PLACE: GOOD, "schemas/sources/other/station.yaml": GOOD})


def test_all_mistakes_are_reported_at_once(write_contracts: Callable[..., Registry]):
    second = contract("other", STATION_FIELDS).replace("logicalType: number", "logicalType: nombre")
    with pytest.raises(ContractError) as error:
        write_contracts({PLACE: GOOD.replace("team:", "teem:"), "schemas/sources/heat/other.yaml": second})
    assert len(str(error.value).splitlines()) == 2


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (STATION_SUITE.replace("column: temp_c", "column: temp"), "'temp' is not a field"),
        (STATION_SUITE.replace("severity: info", "severity: fatal"), "severity"),
        (STATION_SUITE.replace("message: 供温偏离运行区间, ", ""), "message"),
        (STATION_SUITE.replace("dimension: 一致性", "dimension: 美观性"), "dimension"),
        (STATION_SUITE.replace("id: temp_operating", "id: supply_above_return"), "is defined twice"),
        (STATION_SUITE.replace("remedy: 请关注", "remedies: 请关注"), "remed"),
    ],
)
def test_mistake_in_a_suite_names_file_and_line(write_contracts: Callable[..., Registry], wrong: str, words: str):
    with pytest.raises(ContractError) as error:
        write_contracts({PLACE: GOOD, PLACE.replace("schemas", "expectations"): wrong})
    assert words in str(error.value)
    assert "expectations/sources/heat/station.yaml:" in str(error.value)


def test_suite_without_a_contract_is_an_error(write_contracts: Callable[..., Registry]):
    with pytest.raises(ContractError, match="no contract at"):
        write_contracts({PLACE: GOOD, "expectations/sources/heat/statoin.yaml": STATION_SUITE})


def test_structural_rules_follow_from_the_contract(write_contracts: Callable[..., Registry]):
    rules = {rule.id: rule for rule in write_contracts({PLACE: GOOD}).rules["station"]}
    expected = {
        "row_shape",
        "station_required",
        "read_at_required",
        "read_at_type",
        "temp_c_type",
        "temp_c_range",
        "return_c_type",
        "primary_key",
    }
    assert set(rules) == expected
    assert rules["temp_c_range"].kwargs == {"column": "temp_c", "min_value": 0, "max_value": 150}
    assert all(rule.message and rule.remedy and rule.basis for rule in rules.values())


def test_an_element_fills_in_what_a_contract_leaves_out_and_guards_its_meaning(
    write_contracts: Callable[..., Registry],
):
    element = "- {name: station, businessName: 站点, logicalType: string, classification: L2}\n"
    named = GOOD.replace("name: station, businessName: 站点, logicalType: string", "name: station")
    field = (
        write_contracts({PLACE: named, "schemas/elements/places.yaml": element}).contract("station").field("station")
    )
    assert (field.title, field.classification, field.required) == ("站点", "L2", True)
    with pytest.raises(ContractError, match="same name, same meaning"):
        write_contracts({PLACE: GOOD.replace("站点", "站名"), "schemas/elements/places.yaml": element})


def test_booleans_of_other_yaml_versions_stay_strings(write_contracts: Callable[..., Registry]):
    enum = "name: return_c, enum: [{value: 'Yes'}, {value: NO}, {value: on}], "
    text = GOOD.replace("name: return_c, ", enum).replace("回温, logicalType: number", "回温, logicalType: string")
    assert list(write_contracts({PLACE: text}).contract("station").field("return_c").enum) == ["Yes", "NO", "on"]


def test_a_broken_contract_affects_no_other_dataset(tmp_path: Path):
    for name, text in (("station", GOOD), ("other", contract("other", STATION_FIELDS).replace("team:", "teem:"))):
        file = tmp_path / "schemas/sources/heat" / f"{name}.yaml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8")
    usable = load_usable(tmp_path / "schemas", tmp_path / "expectations")
    assert (set(usable.contracts), set(usable.broken)) == ({"station"}, {"other"})
    assert usable.providers() == {"station": "heat", "other": "heat"}
    with pytest.raises(ContractError, match=r"other\.yaml:"):
        usable.contract("other")


def test_contracts_are_parsed_again_only_where_a_file_has_changed_and_settled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    schemas, suites, parsed = tmp_path / "schemas", tmp_path / "expectations", []
    file, real = tmp_path / PLACE, loader._parsed
    monkeypatch.setattr(loader, "_parsed", lambda *folders: parsed.append(folders) or real(*folders))

    def written(seconds: int) -> Registry:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(GOOD, "utf-8")
        os.utime(file, (seconds, seconds))
        return load_usable(schemas, suites)

    first = written(1_000)
    assert load_usable(schemas, suites) is first and len(parsed) == 1
    assert written(2_000) is not first and len(parsed) == 2
    unsettled = written(99_999_999_999)
    assert load_usable(schemas, suites) is not unsettled and len(parsed) == 4, "it may be written again unnoticed"


BESIDE = """name: station
meta:
  lookups:
    plate: {{dataset: {dataset}, "on": {on}}}
expectations:
  - id: below_plate
    type: expect_column_values_to_satisfy
    kwargs: {{column: temp_c, condition: temp_c <= plate.{field}}}
    severity: warning
    meta: {{dimension: 准确性, message: 超过铭牌, remedy: 请核对, basis: 铭牌}}
"""
PLATE_FIELDS = """
      - {name: plate_id, businessName: 编号, logicalType: string, primaryKey: true, primaryKeyPosition: 1}
      - {name: most_c, businessName: 最高温度, logicalType: number}
"""


def lookups(dataset: str = "plates", on: str = "{plate_id: station}", field: str = "most_c") -> dict[str, str]:
    return {
        "schemas/sources/heat/station.yaml": contract("station", STATION_FIELDS),
        "schemas/sources/heat/plates.yaml": contract("plates", PLATE_FIELDS),
        "expectations/sources/heat/station.yaml": BESIDE.format(dataset=dataset, on=on, field=field),
    }


def test_rule_names_the_fields_that_it_looks_up(write_contracts: Callable[..., Registry]):
    (rule,) = [r for r in write_contracts(lookups()).rules["station"] if r.id == "below_plate"]
    assert [(lookup.alias, lookup.dataset, lookup.on, lookup.fields) for lookup in rule.lookups] == [
        ("plate", "plates", (("plate_id", "station"),), ("most_c",))
    ]


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"dataset": "planks"}, "'planks' has no contract"),
        ({"on": "{most_c: temp_c}"}, "must name every field of the primary key of 'plates': plate_id"),
        ({"field": "least_c"}, "'plates' has no field 'least_c'"),
        ({"dataset": "station", "on": "{station: station, read_at: read_at}"}, "cannot look itself up"),
    ],
)
def test_mistake_about_a_lookup_names_file_and_line(
    write_contracts: Callable[..., Registry], wrong: dict[str, str], words: str
):
    with pytest.raises(ContractError, match=re.escape(words)) as error:
        write_contracts(lookups(**wrong))
    assert re.search(r"station\.yaml:\d+", str(error.value))


def test_suite_hash_changes_with_the_lookup(write_contracts: Callable[..., Registry]):
    plain = write_contracts(lookups()).rules["station"]
    changed = write_contracts(lookups(on="{plate_id: 'upper(station)'}")).rules["station"]
    assert suite_hash(plain) != suite_hash(changed)
