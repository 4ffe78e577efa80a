"""A contract as a plain ODCS document: fields merged with their elements, rules as quality entries; nothing else is needed to read it."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from jobs.contracts.data_file import read_data
from jobs.contracts.elements import Elements
from jobs.contracts.grades import OPEN
from jobs.contracts.loader import Registry
from jobs.contracts.model import Contract, Rule
from jobs.contracts.odcs import resolved
from jobs.contracts.yaml_source import read
from jobs.errors import ContractError

WORDS = read_data(Path(__file__).with_suffix(".yaml"), dict[str, Any])
WIDTH = 120


def exported(registry: Registry, dataset: str, elements: Elements) -> str:
    """The document as YAML; ContractError where there is no such contract."""
    document = odcs_document(registry.contract(dataset), registry.rules[dataset], elements)
    text: str = yaml.dump(document, Dumper=yaml.CSafeDumper, allow_unicode=True, sort_keys=False, width=WIDTH)
    return text


def odcs_document(contract: Contract, rules: Iterable[Rule], elements: Elements) -> Mapping[str, Any]:
    """The document; a rule about one field is an entry of that field, any other one of the table."""
    data = resolved(read(contract.file), elements).data
    if contract.id != data.get("id"):
        raise ContractError(f"{contract.file}: changed since the contracts were read; try again")
    of_field: dict[str, list[Any]] = {}
    of_table: list[Any] = []
    for rule in rules:
        entries = of_field.setdefault(rule.fields[0], []) if len(rule.fields) == 1 else of_table
        entries.append(_quality(rule))
    table = data["schema"][0]
    graded = [{**one, "classification": one.get("classification", OPEN)} for one in table["properties"]]
    properties = [_with_quality(one, of_field.pop(one["name"], [])) for one in graded]
    of_table += [entry for entries in of_field.values() for entry in entries]
    return {**data, "schema": [_with_quality({**table, "properties": properties}, of_table)]}


def _with_quality(part: Mapping[str, Any], entries: list[Any]) -> dict[str, Any]:
    return {**part, "quality": [*part.get("quality", ()), *entries]} if entries else dict(part)


def _quality(rule: Rule) -> Mapping[str, Any]:
    """A rule in ODCS' words; what these lack is among the custom properties."""
    own = {
        "dimension": rule.dimension,
        "indicator": rule.indicator,
        "remedy": rule.remedy,
        "basis": rule.basis,
        "origin": rule.origin,
        "authority": rule.authority,
        "reference": rule.reference,
        "lookups": [{"alias": one.alias, "dataset": one.dataset, "on": dict(one.on)} for one in rule.lookups],
        "alarm": rule.alarm.model_dump() if rule.alarm else {},
    }
    dimension = WORDS["dimensions"].get(rule.dimension)
    return {
        "id": rule.id,
        "name": rule.id,
        "type": "custom",
        "description": rule.message,
        **({"dimension": dimension} if dimension else {}),
        "severity": rule.severity,
        "engine": WORDS["engine"],
        "implementation": {"type": rule.type, "kwargs": _plain(rule.kwargs)},
        "customProperties": [{"property": name, "value": value} for name, value in own.items() if value],
    }


def _plain(value: Any) -> Any:
    """The value with lists for tuples, as YAML has them."""
    if isinstance(value, Mapping):
        return {key: _plain(one) for key, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, list | tuple) else value
