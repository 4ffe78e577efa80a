"""A code changes no text by itself: normalisation is declared, and undeclared normalisation is noted."""

from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from jobs.cli import app
from jobs.cli.contract_reference import with_tables
from jobs.contracts import Registry, load
from jobs.contracts.codes import entries, known_codes
from jobs.contracts.normalisation import normalisation_notes
from jobs.settings import PROJECT
from jobs.settings import load as load_settings

PLACE = "schemas/sources/heat/firms.yaml"
HEAD = """
apiVersion: v3.1.0
kind: DataContract
id: firms
name: 企业
version: 1.0.0
status: active
team: {name: 供热公司}
schema:
  - name: firms
    properties:
"""
TAIL = """
customProperties:
  - {property: provider, value: heat}
"""
Write = Callable[..., Registry]


def firms(code: str, source: str = "", more: str = "") -> str:
    declared = f", {{property: source, value: {source}}}" if source else ""
    custom = f"[{{property: code, value: {code}}}{declared}]"
    return (
        f"{HEAD}      - {{name: firm, logicalType: string, businessName: 企业{more}, customProperties: {custom}}}{TAIL}"
    )


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def go(text: str, elements: str = "") -> Registry:
        for place, content in ((PLACE, text), ("schemas/elements/all.yaml", elements or "[]")):
            (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / place).write_text(content, "utf-8")
        return load(tmp_path / "schemas", tmp_path / "expectations")

    return go


def rules(registry: Registry) -> list[str]:
    return [rule.id for rule in registry.rules["firms"] if rule.id.startswith("firm_")]


@pytest.mark.parametrize(
    ("code", "source", "expected"),
    [
        ("uscc", "", ["firm_uscc", "firm_uscc_inner", "firm_trimmed", "firm_half_width"]),
        ("uscc", "{trim: true}", ["firm_uscc", "firm_uscc_inner", "firm_half_width"]),
        ("uscc", "{trim: true, full_width: true}", ["firm_uscc", "firm_uscc_inner"]),
        ("readable", "", ["firm_readable", "firm_trimmed"]),
        ("readable", "{trim: true}", ["firm_readable"]),
        ("half_width", "", ["firm_half_width", "firm_trimmed"]),
    ],
)
def test_what_is_not_normalised_must_need_no_normalisation(
    write: Write, code: str, source: str, expected: list[str]
) -> None:
    assert rules(write(firms(code, source))) == expected


def test_a_key_with_a_code_is_checked_as_sent(write: Write) -> None:
    key = ", primaryKey: true, primaryKeyPosition: 1"
    coded = write(firms("uscc", more=key)).contract("firms").field("firm")
    assert (coded.is_trimmed(), coded.is_narrowed()) == (False, False)
    bare = write(firms("uscc", more=key).replace("property: code, value: uscc", "property: unit, value: ''"))
    assert (bare.contract("firms").field("firm").is_trimmed(), bare.contract("firms").field("firm").is_narrowed()) == (
        True,
        True,
    )


def test_a_field_keeps_what_its_element_declares_of_the_source(write: Write) -> None:
    element = (
        "[{name: firm, logicalType: string, customProperties: [{property: source, value: {trim: true, case: lower}}]}]"
    )
    source = write(firms("uscc", "{header: 代码, case: upper}"), element).contract("firms").field("firm").source
    assert (source.header, source.trim, source.case) == (("代码",), True, "upper")


def test_check_notes_a_code_whose_normalisation_is_not_declared(write: Write) -> None:
    (note,) = normalisation_notes(write(firms("uscc", "{trim: true}")).contract("firms"))
    assert "firms.yaml:12: note: 'firm'" in note and "{full_width: true}" in note
    assert list(normalisation_notes(write(firms("uscc", "{trim: false, full_width: false}")).contract("firms"))) == []
    assert list(normalisation_notes(write(firms("name", "{trim: true}")).contract("firms"))) == []


def test_shipped_contracts_declare_how_codes_are_normalised() -> None:
    shipped = load(PROJECT / "schemas", PROJECT / "expectations")
    assert any(field.is_coded() for contract in shipped.sources() for field in contract.fields)
    assert [note for contract in shipped.sources() for note in normalisation_notes(contract)] == []


def test_check_succeeds_with_notes(write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(firms("uscc"))
    monkeypatch.setenv("LAKE_SCHEMAS", str(tmp_path / "schemas"))
    monkeypatch.setenv("LAKE_EXPECTATIONS", str(tmp_path / "expectations"))
    load_settings.cache_clear()
    result = CliRunner().invoke(app, ["contracts", "check"])
    load_settings.cache_clear()
    assert result.exit_code == 0 and "note: 'firm' has code 'uscc'" in result.output and "rules: valid" in result.output


def test_the_page_of_contracts_lists_every_code() -> None:
    page = (PROJECT / "docs" / "contracts.md").read_text("utf-8")
    assert with_tables(page) == page, "run `lake contracts docs`"
    for name in known_codes():
        assert f"| `{name}` | {entries()[name].title} |" in page
    assert "| `uscc` |" in with_tables("<!-- generated: codes -->\nold\n<!-- end -->\n")
