"""Contracts and suites that ship: complete, in one vocabulary, and with texts that a department can act on."""

import re
from pathlib import Path

import pytest
import yaml

from jobs.contracts import Contract, Registry, Rule, load, load_system
from jobs.contracts.elements import Elements
from jobs.products import BUILDERS

ROOT = Path(__file__).parents[3]
CHINESE = re.compile(r"[\u4e00-\u9fff]")
CATALOGUE = load(ROOT / "schemas", ROOT / "expectations")
SHIPPED = list(CATALOGUE.contracts.values())
OWN = load_system(ROOT / "schemas")
WRITTEN = [(c.id, rule) for c in SHIPPED for rule in CATALOGUE.rules[c.id] if rule.origin == "suite"]


def named(contract: Contract) -> str:
    return contract.id


def ruled(value: object) -> str:
    return value.id if isinstance(value, Rule) else str(value)


@pytest.fixture(scope="module")
def registry() -> Registry:
    return CATALOGUE


def test_seven_providers_and_ten_datasets_are_shipped(registry: Registry) -> None:
    assert len(registry.sources()) >= 10
    assert len({c.provider for c in registry.sources()}) >= 7


@pytest.mark.parametrize("contract", SHIPPED, ids=named)
def test_every_field_is_an_element_with_a_chinese_name(contract: Contract) -> None:
    known = Elements.load(ROOT / "schemas" / "elements").known
    assert [f.name for f in contract.fields if f.name not in known] == []
    assert [
        f.name for f in contract.fields if not CHINESE.search(f.title) and f.title.isascii() and f.title.islower()
    ] == []


def test_every_element_is_used() -> None:
    used = {f.name for c in (*SHIPPED, *OWN.values()) for f in c.fields}
    assert sorted(set(Elements.load(ROOT / "schemas" / "elements").known) - used) == []


@pytest.mark.parametrize("contract", SHIPPED, ids=named)
def test_contract_has_key_owner_purpose_and_sla(contract: Contract) -> None:
    assert contract.key()
    assert contract.owner and CHINESE.search(contract.department) and CHINESE.search(contract.purpose)
    assert {"frequency", "latency"} <= set(contract.sla)
    assert contract.kind == "product" or "rectification" in contract.sla


@pytest.mark.parametrize("contract", SHIPPED, ids=named)
def test_measured_fields_have_units(contract: Contract) -> None:
    bare = {"ph", "aqi", "aqi_day", "dial_digits"}
    measured = [f for f in contract.fields if f.type in ("number", "integer") and f.name not in bare]
    assert [f.name for f in measured if not f.unit] == []


def test_numbers_of_persons_are_graded_sensitive() -> None:
    personal = {
        "legal_rep_id_no",
        "id_no",
        "contact_phone",
        "caller_name",
        "caller_phone",
        "account_name",
        "account_no",
    }
    grades = {f.name: f.classification for c in SHIPPED for f in c.fields if f.name in personal}
    assert set(grades) == personal
    assert {name for name, grade in grades.items() if grade < "L3"} == set()


@pytest.mark.parametrize(("dataset", "rule"), WRITTEN, ids=ruled)
def test_rule_texts_are_chinese_and_say_what_to_do(dataset: str, rule: Rule) -> None:
    for words in (rule.message, rule.remedy, rule.basis):
        assert CHINESE.search(words)
    assert rule.remedy != rule.message
    assert re.fullmatch(r"0[1-6]0\d", rule.indicator)
    assert rule.fields


def test_legal_limits_are_warnings_and_retain_the_data() -> None:
    limits = [rule for _, rule in WRITTEN if "数据保留" in rule.remedy]
    assert len(limits) >= 15
    assert {rule.severity for rule in limits} == {"warning"}


@pytest.mark.parametrize(("dataset", "rule"), WRITTEN, ids=ruled)
def test_row_conditions_name_fields_of_the_contract(dataset: str, rule: Rule) -> None:
    condition = re.sub(r"'[^']*'", "", str(rule.kwargs.get("row_condition", "")))
    names = set(re.findall(r"(?<![\w.])[a-z][a-z0-9_]*\b(?![.(])", condition))
    assert names <= {f.name for f in CATALOGUE.contracts[dataset].fields}


def test_regexes_mean_the_same_in_java() -> None:
    patterns = [f.pattern for c in SHIPPED for f in c.fields if f.pattern]
    patterns += [str(rule.kwargs["regex"]) for _, rule in WRITTEN if "regex" in rule.kwargs]
    python_only = re.compile(r"\(\?P|\\Z|\(\?\(")
    assert [p for p in patterns if python_only.search(p)] == []


@pytest.mark.parametrize("contract", CATALOGUE.products(), ids=named)
def test_product_has_its_builder(contract: Contract) -> None:
    assert contract.product is not None and contract.product.builder in BUILDERS


def test_every_builder_has_its_contract() -> None:
    assert {c.product.builder for c in CATALOGUE.products() if c.product} == set(BUILDERS)


def test_suites_are_named_as_their_dataset() -> None:
    for file in (ROOT / "expectations").rglob("*.yaml"):
        assert yaml.safe_load(file.read_text("utf-8"))["name"] == file.stem


def test_the_message_of_a_lost_reference_has_the_title_of_the_other_dataset(registry: Registry) -> None:
    rules_of_datasets = [
        (rule, rule.kwargs["dataset"])
        for rules in registry.rules.values()
        for rule in rules
        if "dataset" in rule.kwargs
    ]
    references = [(rule, dataset) for rule, dataset in rules_of_datasets if rule.id.endswith("_reference")]
    assert len(references) > 5
    for rule, dataset in references:
        assert f"《{registry.contract(dataset).title}》" in rule.message and dataset not in rule.message + rule.remedy
