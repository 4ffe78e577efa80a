"""A proposed field and the shared elements: one name has one meaning in all contracts."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from jobs.contracts import Elements
from jobs.ingest.guess_values import Guess
from jobs.ingest.headers import header_key
from jobs.ingest.wordings import wording


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
    """Whether the text is within the element's list, pattern and lengths."""
    options = element.get("logicalTypeOptions", {})
    listed = {str(entry["value"]) for entry in element.get("enum", ())}
    if listed and value not in listed:
        return False
    if not options.get("minLength", 0) <= len(value) <= options.get("maxLength", len(value)):
        return False
    return "pattern" not in options or re.search(options["pattern"], value) is not None
