"""The quick readers of contracts agree with the general ones, and read each file once."""

import copy
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft201909Validator

from jobs import contracts
from jobs.contracts import odcs, plain_yaml, yaml_source
from jobs.contracts.odcs_mistakes import first_mistake
from jobs.contracts.plain_yaml import NotPlain
from jobs.errors import ContractError
from jobs.settings import PROJECT

FILES = sorted(file for kind in ("schemas", "expectations") for file in (PROJECT / kind).rglob("*.yaml"))
PLAIN = (
    "- 1\n- [2, {a: b}]\n- 'c'",
    "a: 2026-01-12\nb: 1_000\nc: 0x1F\nd: .inf\ne: ''\nf:\ng: 12:30:00\nh: No\ni: '1'\nj: +1\nk: 1.5e+3\nl: ~",
    "1: x\n2.5: y\n~: z\ntrue: q\n'': r",
    "a: |\n  x\n  y\nb: no\n",
    "%YAML 1.1\n---\na: {b: 2026-01-12T10:00:00Z}\n...\n",
)
OTHER = (
    "",
    "a: 1\na: 2",
    "1: a\n'1': b",
    "a: &x 1\nb: *x",
    "a: !!str 1",
    "a: {b: 1}\n<<: {c: 2}",
    "a: b: c",
    "a: 1\n---\nb: 2",
    "? [a]\n: 1",
)
CONTRACT = PROJECT / "schemas" / "sources" / "liaocheng_heat" / "heat_station_minutes.yaml"


def general(text: str) -> tuple[Any, dict[tuple[str | int, ...], int]]:
    document = yaml_source._composed(Path("a.yaml"), text)
    return document.data, document.lines


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_shipped_file_is_plain_and_read_alike(file: Path) -> None:
    text = file.read_text("utf-8")
    assert plain_yaml.read(text) == general(text)


@pytest.mark.parametrize("text", PLAIN)
def test_plain_text_is_read_alike(text: str) -> None:
    quick, slow = plain_yaml.read(text), general(text)
    assert repr(quick[0]) == repr(slow[0])
    assert quick[1] == slow[1]


@pytest.mark.parametrize("text", OTHER)
def test_any_other_text_is_left_to_the_general_reader(text: str) -> None:
    with pytest.raises(NotPlain):
        plain_yaml.read(text)


def test_anchors_and_merged_keys_are_read_by_the_general_reader(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_text("a: &x {c: 1}\nb: *x\nd: {<<: *x, e: 2}\n", "utf-8")
    assert yaml_source.read(file).data == {"a": {"c": 1}, "b": {"c": 1}, "d": {"c": 1, "e": 2}}


def test_each_file_is_read_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    contracts.load(PROJECT / "schemas", PROJECT / "expectations")  # codes and wordings are read once in a process
    schemas, expectations = tmp_path / "schemas", tmp_path / "expectations"  # not yet read by this process
    shutil.copytree(PROJECT / "schemas", schemas)
    shutil.copytree(PROJECT / "expectations", expectations)
    read, texts = plain_yaml.read, []

    def counting(text: str) -> Any:
        texts.append(text)
        return read(text)

    monkeypatch.setattr(plain_yaml, "read", counting)
    contracts.load(schemas, expectations)
    assert len(texts) == len([file for file in FILES if "system" not in file.parts])


def damaged(value: Any) -> Iterator[Any]:
    """The value with one part removed, replaced or added, at each place."""
    yield from (None, 7, "x", [], {}, ["x"], {"unknown": 1})
    if isinstance(value, Mapping):
        for key, part in value.items():
            yield {name: other for name, other in value.items() if name != key}
            yield from ({**value, key: worse} for worse in damaged(part))
        yield {**value, "unknown": 1}
    elif isinstance(value, list) and value:
        yield from ([worse, *value[1:]] for worse in damaged(value[0]))


def test_both_validators_of_the_standard_agree_on_a_damaged_contract() -> None:
    data = copy.deepcopy(yaml_source.read(CONTRACT).data)
    data["schema"][0]["properties"] = data["schema"][0]["properties"][:1]
    slow = Draft201909Validator(odcs.standard())
    cases = list(damaged(data))
    differing = [case for case in cases if odcs.meets_standard(case) != slow.is_valid(case)]
    assert len(cases) > 300 and differing == []


def test_value_that_json_has_not_is_left_to_the_general_validator() -> None:
    data = yaml_source.read(CONTRACT).data
    assert odcs.meets_standard(data)
    for odd in (object(), float("nan"), {1: "x"}):
        assert not odcs.meets_standard({**data, "tags": [odd]})
    assert first_mistake(odcs.standard(), data) is None


def test_mistake_against_the_standard_names_file_line_and_place(tmp_path: Path) -> None:
    file = tmp_path / "heat_station_minutes.yaml"
    file.write_text(CONTRACT.read_text("utf-8").replace("kind: DataContract", "kind: Contract"), "utf-8")
    with pytest.raises(ContractError, match=rf"{file}:\d+: kind: 'Contract' is not one of .*ODCS 3\.1"):
        odcs.contract(
            yaml_source.read(file), contracts.loader.Elements.load(PROJECT / "schemas" / "elements"), "source"
        )
