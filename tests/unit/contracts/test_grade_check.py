"""Grades along columns: what is refused, with file and line, and what a lowering has to say."""

from pathlib import Path

import pytest

from jobs.contracts import Registry, load
from jobs.contracts.grade_check import grade_mistakes
from jobs.errors import ContractError
from jobs.settings import PROJECT

HEAD = (
    "apiVersion: v3.1.0\nkind: DataContract\nid: {id}\nname: {id}\nversion: 1.0.0\nstatus: active\nteam: {{name: 局}}\n"
)
SOURCE = (
    HEAD.format(id="people")
    + """schema:
  - name: people
    properties:
      - {name: id_no, businessName: 证件号码, logicalType: string, primaryKey: true, classification: L3}
      - {name: town, logicalType: string}
      - {name: born, businessName: 出生日期, logicalType: date, DERIVED}
customProperties:
  - {property: provider, value: bureau}
"""
)
DERIVED = "classification: L3, customProperties: [{property: source, value: {derive: id_no, extract: '^.{6}(.{8})'}}]"
PRODUCT = (
    HEAD.format(id="towns")
    + """schema:
  - name: towns
    properties:
      - {name: town, logicalType: string, transformLogic: IDENTITY, transformSourceObjects: [people.town]}
      - name: persons
        businessName: 人数
        logicalType: integer
        DECLARED
customProperties:
  - {property: provider, value: bureau}
  - {property: product, value: {inputs: [people], builder: towns, parameters: {min_persons: 9}}}
"""
)
COUNTED = "transformLogic: AGGREGATION\n        transformSourceObjects: [people.id_no]\n        "
LOWERED = COUNTED + "customProperties: [{property: grade_lowering, value: {%s, approver: 局长, reason: 只公布人数}}]"


def registry(folder: Path, product: str, derived: str = DERIVED) -> Registry:
    for name, text in (("sources/people", SOURCE.replace("DERIVED", derived)), ("products/towns", product)):
        file = folder / "schemas" / f"{name}.yaml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8")
    return load(folder / "schemas", folder / "expectations")


def mistakes(folder: Path, declared: str, derived: str = DERIVED, least: int = 5) -> list[str]:
    found = grade_mistakes(registry(folder, PRODUCT.replace("DECLARED", declared), derived), least)
    return [line.replace(f"{folder}/schemas/", "") for line in found]


def test_a_grade_below_its_sources_is_refused_with_its_line(tmp_path: Path) -> None:
    assert mistakes(tmp_path, COUNTED) == [
        "products/towns.yaml:12：「人数」的级别 L1 低于来源字段 people.id_no「证件号码」（L3）；"
        "请将 classification 改为 L3，或用 grade_lowering 写明降级方式、审批人和理由"
    ]


@pytest.mark.parametrize(
    "declared",
    [
        COUNTED + "classification: L3",
        COUNTED + "classification: L4",
        LOWERED % "by: aggregation, parameter: min_persons",
        LOWERED % "by: masking",
        "transformDescription: 行数",
        "customProperties: [{property: indirect, value: {window: [people.id_no]}}]",
    ],
)
def test_a_grade_that_is_high_enough_or_lowered_passes(tmp_path: Path, declared: str) -> None:
    assert mistakes(tmp_path, declared) == []


def test_a_condition_shows_its_field_as_a_source_does(tmp_path: Path) -> None:
    declared = "customProperties: [{property: indirect, value: {conditional: [people.id_no]}}]"
    assert len(mistakes(tmp_path, declared)) == 1


@pytest.mark.parametrize(
    ("declared", "least", "text"),
    [
        (LOWERED % "by: aggregation, parameter: min_persons", 10, "min_persons 为 9，少于规定的最少人数 10"),
        (LOWERED % "by: aggregation, parameter: smallest", 5, "产品没有参数 smallest"),
        (LOWERED.replace("AGGREGATION", "IDENTITY") % "by: masking", 5, "原样取自来源字段，没有脱敏"),
        ("classification: L3\n        " + LOWERED % "by: masking", 5, "不需要降级；请删去 grade_lowering"),
    ],
)
def test_a_lowering_that_does_not_hold_is_refused(tmp_path: Path, declared: str, least: int, text: str) -> None:
    (found,) = mistakes(tmp_path, declared, least=least)
    assert text in found and found.startswith("products/towns.yaml:12：「人数」")


def test_a_delivered_field_that_is_extracted_has_the_grade_of_its_text(tmp_path: Path) -> None:
    assert mistakes(tmp_path, "classification: L1", DERIVED.replace("L3", "L2")) == [
        "sources/people.yaml:13：「出生日期」的级别 L2 低于来源字段 people.id_no「证件号码」（L3）；"
        "请将 classification 改为 L3，或用 grade_lowering 写明降级方式、审批人和理由"
    ]


@pytest.mark.parametrize(
    ("declared", "text"),
    [
        ("transformLogic: SUM\n        transformSourceObjects: [people.id_no]", "'SUM' is not one of IDENTITY"),
        ("transformLogic: AGGREGATION", "are declared together"),
        (
            COUNTED.replace("id_no", "id"),
            "towns.yaml:16: schema.0.properties.1.transformSourceObjects: lineage: 'people'",
        ),
        (COUNTED.replace("people", "houses"), "'houses.id_no' is of no input of the product; inputs: people"),
        (LOWERED % "by: aggregation", "names the product's parameter where `by` is aggregation"),
    ],
)
def test_lineage_that_cannot_be_is_refused_when_it_is_read(tmp_path: Path, declared: str, text: str) -> None:
    with pytest.raises(ContractError, match=r"towns\.yaml") as caught:
        registry(tmp_path, PRODUCT.replace("DECLARED", declared))
    assert text in str(caught.value)


def test_shipped_contracts_have_the_grades_of_their_sources() -> None:
    assert grade_mistakes(load(PROJECT / "schemas", PROJECT / "expectations")) == []
    real = PROJECT / "tests" / "real"
    assert grade_mistakes(load(real / "contracts", real / "expectations")) == []


IMPORTANT = (
    "customProperties:\n  - {property: importance, value: {level: important, basis: 重要数据目录第 3 项LOWERED}}"
)
OPEN_COUNT = COUNTED + "classification: L3"


@pytest.mark.parametrize(
    ("source", "product", "said"),
    [
        ("important", "", "towns.yaml:18：「towns」是一般数据，低于来源「people」（重要数据）"),
        ("important", "important", ""),
        ("important", "core", ""),
        ("core", "important", "低于来源「people」（核心数据）"),
        ("core", "important lowered", ""),
        ("important", "important lowered", "不需要 lowered"),
    ],
)
def test_a_product_is_as_important_as_its_inputs(tmp_path: Path, source: str, product: str, said: str) -> None:
    def with_level(text: str, level: str) -> str:
        if not level:
            return text
        lowered = ", lowered: {approver: 局长, reason: 只公布总数}" if "lowered" in level else ""
        declared = IMPORTANT.replace("important, basis", f"{level.split()[0]}, basis").replace("LOWERED", lowered)
        return text.replace("customProperties:\n  - {property: provider", f"{declared}\n  - {{property: provider")

    loaded = registry(tmp_path, with_level(PRODUCT.replace("DECLARED", OPEN_COUNT), product))
    file = tmp_path / "schemas" / "sources" / "people.yaml"
    file.write_text(with_level(file.read_text("utf-8"), source), "utf-8")
    loaded = load(tmp_path / "schemas", tmp_path / "expectations")
    found = grade_mistakes(loaded)
    assert bool(found) == bool(said) and said in "".join(found), found
