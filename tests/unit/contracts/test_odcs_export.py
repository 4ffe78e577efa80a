"""Exported contracts are valid by the standard's own schema, say all that the lake knows of them, and read back equal."""

import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft201909Validator
from typer.testing import CliRunner

from jobs.cli import app
from jobs.contracts import Elements, load
from jobs.contracts.odcs import standard
from jobs.contracts.odcs_export import exported
from jobs.errors import ContractError
from jobs.settings import PROJECT

SCHEMAS, EXPECTATIONS = PROJECT / "schemas", PROJECT / "expectations"
SHIPPED = load(SCHEMAS, EXPECTATIONS)


@pytest.fixture(scope="module")
def documents() -> Mapping[str, Any]:
    elements = Elements.load(SCHEMAS / "elements")
    return {id_: yaml.safe_load(exported(SHIPPED, id_, elements)) for id_ in SHIPPED.contracts}


def entries(document: Any) -> list[Any]:
    (table,) = document["schema"]
    parts = (table, *table["properties"])
    return [entry for part in parts for entry in part.get("quality", ())]


def test_every_contract_is_valid_by_the_schema_of_the_standard(documents: Mapping[str, Any]) -> None:
    validator = Draft201909Validator(standard())
    mistakes = {id_: [e.message for e in validator.iter_errors(document)] for id_, document in documents.items()}
    assert len(mistakes) > 25 and {id_: found for id_, found in mistakes.items() if found} == {}


def test_every_rule_is_a_quality_entry_with_its_terms(documents: Mapping[str, Any]) -> None:
    for id_, document in documents.items():
        found = {entry["id"]: entry for entry in entries(document)}
        assert set(found) == {rule.id for rule in SHIPPED.rules[id_]}, id_
        for rule in SHIPPED.rules[id_]:
            entry, own = found[rule.id], {c["property"]: c["value"] for c in found[rule.id]["customProperties"]}
            assert entry["implementation"]["type"] == rule.type
            assert (entry["severity"], own["dimension"], own["remedy"]) == (rule.severity, rule.dimension, rule.remedy)
    permits = documents["admin_permits"]["schema"][0]["properties"]
    (uscc,) = [one for one in permits if one["name"] == "uscc"]
    assert uscc["businessName"] and uscc["classification"], "what the element says is there"
    assert {entry["id"] for entry in uscc["quality"]} >= {"uscc_uscc", "uscc_reference"}


def test_lineage_is_in_the_words_of_the_standard(documents: Mapping[str, Any]) -> None:
    (field,) = [f for f in documents["supply_sales_month"]["schema"][0]["properties"] if f["name"] == "month_days"]
    assert (
        field["transformLogic"] == "TRANSFORMATION" and "water_bills.billing_month" in field["transformSourceObjects"]
    )


def test_what_is_exported_reads_back_equal_without_the_elements(tmp_path: Path) -> None:
    answer = CliRunner().invoke(app, ["contracts", "export", "--all", "--to", str(tmp_path / "schemas")])
    assert answer.exit_code == 0
    (tmp_path / "schemas" / "elements").mkdir()
    shutil.copytree(EXPECTATIONS, tmp_path / "expectations")
    again = load(tmp_path / "schemas", tmp_path / "expectations")
    assert {id_: replace(c, file=SHIPPED.contract(id_).file) for id_, c in again.contracts.items()} == SHIPPED.contracts
    assert again.rules == SHIPPED.rules


def test_one_contract_is_written_and_an_unknown_one_refused(tmp_path: Path) -> None:
    run = CliRunner().invoke
    assert run(app, ["contracts", "export", "divisions", "--to", str(tmp_path)]).exit_code == 0
    assert [file.name for file in tmp_path.rglob("*.yaml")] == ["divisions.yaml"]
    assert isinstance(run(app, ["contracts", "export", "nothing", "--to", str(tmp_path)]).exception, ContractError)
    assert run(app, ["contracts", "export", "--to", str(tmp_path)]).exit_code == 2
