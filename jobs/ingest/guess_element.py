"""A proposed field and the shared elements: one name has one meaning in all contracts."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from stdnum.cn import uscc

from jobs.access.recognisers import is_resident_id
from jobs.contracts import Elements
from jobs.contracts.codes import codes, conditions_of
from jobs.ingest.guess_values import Guess
from jobs.ingest.headers import header_key
from jobs.ingest.wordings import wording

CHECKS: Mapping[str, Callable[[str], bool]] = {"uscc": uscc.is_valid, "resident_id": is_resident_id}
"""Checks of digits that no pattern can express, by the names that codes have for them."""


@dataclass(frozen=True)
class FieldName:
    """The name of a proposed field, whether it is a shared element's, and what the reviewer must know about it."""

    name: str
    is_element: bool = False
    comment: str = ""


def field_name(own: str, header: str, proposed: Guess, values: Mapping[str, int], elements: Elements) -> FieldName:
    """The element's name where header or own name say so and all values agree with it; else one that no element has.

    `values`: the column's texts, with their counts.
    """
    named = next((name for name in (own, *_titled(header, elements)) if name in elements.known), "")
    if not named:
        return FieldName(own)
    element = elements.known[named]
    title = str(element.get("businessName", named))
    words = {"name": named, "title": title, "type": element["logicalType"]}
    others = sum(n for value, n in values.items() if not _agrees(value.strip(), element))
    if element["logicalType"] == proposed.type and not others:
        return FieldName(named, True, wording("is_element", **words))
    difference = wording("unlike_element" if others == 0 else "values_unlike_element", **words, rows=others)
    return FieldName(f"{own}_sent" if named == own else own, False, difference)


def _titled(header: str, elements: Elements) -> list[str]:
    """Elements whose Chinese name is the header."""
    key = header_key(header)
    return [
        name
        for name, element in elements.known.items()
        if key and header_key(str(element.get("businessName", ""))) == key
    ]


def _agrees(value: str, element: Mapping[str, Any]) -> bool:
    """Whether the text is within the element's list, pattern and lengths, and is a code of its kind."""
    custom = {entry.get("property"): entry.get("value") for entry in element.get("customProperties", ())}
    if not all(_is_such_code(value, name) for name in conditions_of(str(custom.get("code", "")))):
        return False
    options = element.get("logicalTypeOptions", {})
    listed = {str(entry["value"]) for entry in element.get("enum", ())}
    if listed and value not in listed:
        return False
    if not options.get("minLength", 0) <= len(value) <= options.get("maxLength", len(value)):
        return False
    return "pattern" not in options or re.search(options["pattern"], value) is not None


def _is_such_code(value: str, name: str) -> bool:
    code = codes()[name]
    if code.values and value not in code.values:
        return False
    if code.pattern and not any(re.search(pattern, value) for pattern in code.pattern):
        return False
    if any(re.search(pattern, value) for pattern in code.forbidden):
        return False
    return CHECKS.get(code.check, bool)(value) if code.check else True
