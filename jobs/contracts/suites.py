"""expectations/<path>.yaml → rules: a Great Expectations suite with the meta that a department needs."""

import hashlib
import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from jobs.contracts.model import Contract, Dimension, Rule, Severity
from jobs.contracts.places import Document, read

COLUMN_KEYS = ("column", "column_A", "column_B", "column_list", "column_set")
OTHER_COLUMN_KEYS = ("series", "at", "rate", "while_moves")
"""Columns that a rule over neighbouring rows looks at beside the one that it judges."""
ID = re.compile(r"^[a-z][a-z0-9_]*$")


class _Meta(BaseModel):
    model_config = ConfigDict(extra="forbid")

    dimension: Dimension
    message: str = Field(min_length=2)
    remedy: str = Field(min_length=2)
    basis: str = Field(min_length=2)
    indicator: str = ""
    fields: list[str] = []


class _Expectation(BaseModel):
    model_config = ConfigDict(extra="forbid")

    id: str = Field(pattern=ID.pattern)
    type: str = Field(pattern=r"^(expect_[a-z0-9_]+|unexpected_rows_expectation)$")
    kwargs: dict[str, Any] = {}
    severity: Severity
    meta: _Meta


class _Suite(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str
    meta: dict[str, Any] = {}
    expectations: list[_Expectation]


def suite_rules(file: Path, contract: Contract) -> tuple[Rule, ...]:
    """The written rules of a dataset; none where the suite's file does not exist."""
    if not file.exists():
        return ()
    document = read(file)
    try:
        suite = _Suite.model_validate(document.data)
    except ValidationError as error:
        first = error.errors()[0]
        text = "unknown key" if first["type"] == "extra_forbidden" else first["msg"]
        raise document.error(tuple(first["loc"]), text) from error
    names = {f.name for f in contract.fields} | {f"{f.name}_qualifier" for f in contract.fields if f.source.censored}
    seen: set[str] = set()
    rules = []
    for index, expectation in enumerate(suite.expectations):
        place: tuple[str | int, ...] = ("expectations", index)
        if expectation.id in seen:
            raise document.error((*place, "id"), f"rule id '{expectation.id}' stands twice")
        seen.add(expectation.id)
        rules.append(_rule(document, place, expectation, names))
    return tuple(rules)


def _rule(document: Document, place: tuple[str | int, ...], expectation: _Expectation, names: set[str]) -> Rule:
    columns = _columns(expectation, COLUMN_KEYS)
    for column in (*columns, *_columns(expectation, OTHER_COLUMN_KEYS)):
        if column not in names:
            raise document.error((*place, "kwargs"), f"'{column}' is not a field of the contract")
    meta = expectation.meta
    return Rule(
        id=expectation.id,
        type=expectation.type,
        kwargs=expectation.kwargs,
        severity=expectation.severity,
        dimension=meta.dimension,
        message=meta.message,
        remedy=meta.remedy,
        basis=meta.basis,
        fields=tuple(meta.fields) or tuple(columns),
        origin="suite",
        indicator=meta.indicator,
    )


def _columns(expectation: _Expectation, keys: tuple[str, ...]) -> list[str]:
    found: list[str] = []
    for key in keys:
        value = expectation.kwargs.get(key, [])
        found.extend([value] if isinstance(value, str) else value)
    return found


def suite_hash(rules: Iterable[Rule]) -> str:
    """SHA-256 of the rules as they run, in hex: same hash, same verdicts on the same data."""
    words = [{"id": r.id, "type": r.type, "kwargs": dict(r.kwargs), "severity": r.severity} for r in rules]
    return hashlib.sha256(json.dumps(words, sort_keys=True, ensure_ascii=False).encode()).hexdigest()
