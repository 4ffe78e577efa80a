"""What is wrong with a contract by the standard's JSON Schema: the place, and words that an author understands."""

import re
from collections.abc import Mapping
from typing import Any, cast

from jsonschema import Draft201909Validator
from jsonschema.exceptions import ValidationError

from jobs.contracts.yaml_source import PathKey


def first_mistake(schema: Mapping[str, Any], data: object) -> tuple[tuple[PathKey, ...], str] | None:
    """Place and words of the deepest mistake; None where there is none."""
    found = Draft201909Validator(schema).iter_errors(data)
    mistakes = sorted(found, key=lambda e: (-len(e.absolute_path), e.message))
    if not mistakes:
        return None
    mistake = _deepest(mistakes[0])
    path = tuple(mistake.absolute_path)
    unknown = re.findall(r"'([^']+)'", mistake.message) if "unexpected" in mistake.message else []
    place = (*path, unknown[0]) if unknown else path
    text = f"unknown key '{unknown[0]}'" if unknown else mistake.message[:300]
    return cast("tuple[PathKey, ...]", place), f"{text} (ODCS 3.1)"


def _deepest(mistake: ValidationError) -> ValidationError:
    while mistake.context:
        mistake = max(mistake.context, key=lambda e: len(e.absolute_path))
    return mistake
