"""schemas/elements/: each field name defined once, with type, unit, Chinese name, grade and pattern."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from open_data_contract_standard.model import SchemaProperty

from jobs.contracts.place import place
from jobs.contracts.yaml_source import Document, PathKey, read

ELEMENT_KEYS = frozenset(SchemaProperty.model_fields) - {"relationships", "primaryKey", "primaryKeyPosition"}
MEANING = ("logicalType", "businessName", "physicalType")


@dataclass(frozen=True)
class Elements:
    """Element name → its ODCS property, as written."""

    known: Mapping[str, Mapping[str, Any]]
    files: Mapping[str, Path]

    @classmethod
    def load(cls, folder: Path) -> "Elements":
        """All elements below `folder`; ContractError for an element defined twice, naming the other file."""
        known: dict[str, Mapping[str, Any]] = {}
        files: dict[str, Path] = {}
        for file in sorted(folder.rglob("*.y*ml")):
            document = read(file)
            if not isinstance(document.data, list):
                raise document.error((), "an elements file is a list of fields")
            for index, element in enumerate(document.data):
                name = _check(document, index, element)
                if name in files:
                    raise document.error((index, "name"), f"element '{name}' is already defined in {files[name]}")
                known[name], files[name] = _of_place(element), file
        return cls(known, files)

    def resolve(self, document: Document, path: tuple[PathKey, ...], prop: Mapping[str, Any]) -> dict[str, Any]:
        """The property merged with its element; the contract may override it, but not its meaning."""
        name = str(prop.get("name", ""))
        element = self.known.get(name)
        if element is None:
            if "logicalType" not in prop:
                raise document.error(
                    (*path, "name"),
                    f"unknown element '{name}': define it in schemas/elements/ or give the field a logicalType",
                )
            return dict(prop)
        self._check_meaning(document, path, prop)
        merged = {**element, **prop}
        if "customProperties" in element or "customProperties" in prop:
            merged["customProperties"] = _merge_custom(element, prop)
        if "logicalTypeOptions" in element and "logicalTypeOptions" in prop:
            merged["logicalTypeOptions"] = {**element["logicalTypeOptions"], **prop["logicalTypeOptions"]}
        return merged

    def _check_meaning(self, document: Document, path: tuple[PathKey, ...], prop: Mapping[str, Any]) -> None:
        name, element = prop["name"], self.known[prop["name"]]
        for key in MEANING:
            if key in prop and key in element and prop[key] != element[key]:
                raise document.error(
                    (*path, key),
                    f"'{name}' is {element[key]!r} in {self.files[name]}, not {prop[key]!r}; same name, same meaning",
                )


def _check(document: Document, index: int, element: object) -> str:
    if not isinstance(element, dict) or "name" not in element:
        raise document.error((index,), "an element needs a name")
    unknown = sorted(set(element) - ELEMENT_KEYS)
    if unknown:
        raise document.error((index, unknown[0]), f"unknown key '{unknown[0]}'")
    if "logicalType" not in element:
        raise document.error((index,), f"element '{element['name']}' needs a logicalType")
    return str(element["name"])


def _of_place(element: Mapping[str, Any]) -> Mapping[str, Any]:
    """The element with the city's facts filled into its description."""
    if "description" not in element:
        return element
    return {**element, "description": place().filled_in(str(element["description"]))}


def _merge_custom(element: Mapping[str, Any], prop: Mapping[str, Any]) -> list[Any]:
    by_name = {c["property"]: c for c in element.get("customProperties", []) if "property" in c}
    for custom in prop.get("customProperties", []):
        if "property" in custom:
            by_name[custom["property"]] = _merge_source(by_name.get(custom["property"], {}), custom)
    return list(by_name.values())


def _merge_source(of_element: Mapping[str, Any], own: Mapping[str, Any]) -> Mapping[str, Any]:
    """A field's `source` merged over the element's; any other property as the field declares it."""
    inherited, declared = of_element.get("value"), own.get("value")
    if own["property"] != "source" or not isinstance(inherited, dict) or not isinstance(declared, dict):
        return own
    return {**own, "value": {**inherited, **declared}}


def no_elements() -> Elements:
    """An empty dictionary, for a contract that defines every field itself."""
    return Elements({}, {})
