"""expectations/<path>.yaml → rules: a Great Expectations suite with the meta that a department needs."""

import hashlib
import json
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from jobs.contracts.model import Authority, Contract, Dimension, Lookup, Rule, Severity
from jobs.contracts.names import OF_A_DELIVERY
from jobs.contracts.rule_wordings import wordings
from jobs.contracts.structure import structural_rules
from jobs.contracts.yaml_source import Document, read

COLUMN_KEYS = ("column", "column_A", "column_B", "column_list", "column_set")
OTHER_COLUMN_KEYS = ("series", "at", "rate", "while_moves", "peers")
"""Columns that a rule over neighbouring rows looks at besides the one that it judges."""
ID = re.compile(r"^[a-z][a-z0-9_]*$")


class RuleMeta(BaseModel):
    """What a department needs to know of a written rule; the value of `meta`."""

    model_config = ConfigDict(extra="forbid")

    dimension: Dimension = Field(description="One of the six dimensions of GB/T 36344.")
    message: str = Field(min_length=2, description="What is wrong, in Chinese, as the department reads it.")
    remedy: str = Field(min_length=2, description="What the department should do.")
    basis: str = Field(min_length=2, description="Standard with clause, law, or practice that the rule follows.")
    indicator: str = Field("", description="Number of the indicator in GB/T 36344, such as 0301.")
    fields: list[str] = Field([], description="Fields that the rule is about; unset: those that `kwargs` judges.")
    authority: Authority = Field(
        "", description="Whose value counts where two datasets differ; told to the department."
    )
    reference: str = Field("", description="`alias.field` of a lookup whose value is told as what may have been meant.")


class SuiteEntry(BaseModel):
    """A written rule as it stands in a suite."""

    model_config = ConfigDict(extra="forbid")

    id: str = Field(pattern=ID.pattern, description="Name of the rule, once in a dataset.")
    type: str = Field(
        pattern=r"^(expect_[a-z0-9_]+|unexpected_rows_expectation)$", description="Type of the expectation."
    )
    kwargs: dict[str, Any] = Field({}, description="Parameters of the expectation.")
    severity: Severity = Field(
        description="`critical`: the row goes to quarantine; `warning`: it passes with a mark; `info`: alarm only."
    )
    meta: RuleMeta = Field(description="What a department needs to know, see below.")


class SuiteLookup(BaseModel):
    """A row of another dataset that the rules of a suite may name; a value of `meta.lookups`."""

    model_config = ConfigDict(extra="forbid")

    dataset: str = Field(description="The other dataset.")
    on: dict[str, str] = Field(
        description="Each field of its primary key → Spark SQL over this row that must equal it."
    )


class _SuiteMeta(BaseModel):
    model_config = ConfigDict(extra="forbid")

    lookups: dict[str, SuiteLookup] = {}


class _Suite(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str
    meta: _SuiteMeta = _SuiteMeta()
    expectations: list[SuiteEntry]


def suite_rules(
    file: Path, contract: Contract, others: Mapping[str, Contract], broken: Collection[str] = ()
) -> tuple[Rule, ...]:
    """The written rules of a dataset; none where the suite's file does not exist.

    `others`: contracts by id, against which lookups are checked; those `broken` are named, and not looked into.
    """
    if not file.exists():
        return ()
    document = read(file)
    try:
        suite = _Suite.model_validate(document.data)
    except ValidationError as error:
        first = error.errors()[0]
        text = "unknown key" if first["type"] == "extra_forbidden" else first["msg"]
        raise document.error(tuple(first["loc"]), text) from error
    others = {name: one for name, one in others.items() if name not in broken}
    partners = _partners(document, suite, contract, others, broken)
    names = set(contract.columns())
    taken = {*OF_A_DELIVERY, *(rule.id for rule in structural_rules(contract, {}))}
    seen: set[str] = set()
    rules = []
    for index, expectation in enumerate(suite.expectations):
        place: tuple[str | int, ...] = ("expectations", index)
        if expectation.id in seen:
            raise document.error((*place, "id"), f"rule id '{expectation.id}' stands twice")
        if expectation.id in taken:
            raise document.error((*place, "id"), f"'{expectation.id}' is already the id of a rule that is not written")
        seen.add(expectation.id)
        rule = _rule(document, place, expectation, names)
        named = _named(document, place, rule, partners, others)
        rules.append(replace(rule, lookups=named, message=rule.message + _which_side(rule, named, others)))
    return tuple(rules)


def _partners(
    document: Document,
    suite: _Suite,
    contract: Contract,
    others: Mapping[str, Contract],
    broken: Collection[str],
) -> dict[str, Lookup]:
    """Rows of other datasets that the suite's rules may name; each is found by the other's whole key."""
    partners = {}
    for alias, one in suite.meta.lookups.items():
        place: tuple[str | int, ...] = ("meta", "lookups", alias)
        if not ID.match(alias) or alias in contract.columns():
            raise document.error(place, f"'{alias}' cannot name a lookup: it is a field, or no word of a-z, 0-9, _")
        if one.dataset == contract.id:
            raise document.error(place, "a dataset cannot look itself up: its verdict would rest on itself")
        if one.dataset not in (*others, *broken):
            raise document.error(place, f"'{one.dataset}' has no contract")
        key = set(others[one.dataset].key()) if one.dataset in others else set(one.on)
        if not key or set(one.on) != key:
            raise document.error(place, f"`on` must name the whole key of '{one.dataset}': {', '.join(sorted(key))}")
        partners[alias] = Lookup(alias, one.dataset, tuple(one.on.items()))
    return partners


def _named(
    document: Document,
    place: tuple[str | int, ...],
    rule: Rule,
    partners: Mapping[str, Lookup],
    others: Mapping[str, Contract],
) -> tuple[Lookup, ...]:
    """The lookups that the rule's expression names; ContractError where such a dataset has no such field."""
    words = json.dumps([dict(rule.kwargs), rule.reference], ensure_ascii=False, default=str)
    named = []
    for alias, partner in partners.items():
        fields = set(re.findall(rf"(?<![\w.]){alias}\.(\w+)", words))
        there = others.get(partner.dataset)
        unknown = sorted(fields - {f.name for f in there.fields}) if there else []
        if unknown:
            raise document.error((*place, "kwargs"), f"'{partner.dataset}' has no field '{unknown[0]}'")
        if fields:
            named.append(replace(partner, fields=tuple(sorted(fields))))
    if (rule.reference or rule.authority) and not named:
        raise document.error((*place, "meta"), "`authority` and `reference` are for rules that use a lookup")
    return tuple(named)


def _which_side(rule: Rule, named: Sequence[Lookup], others: Mapping[str, Contract]) -> str:
    """Whose value counts, as the department is told; nothing where the rule does not say."""
    if not rule.authority:
        return ""
    titles = "、".join(f"「{others[one.dataset].title}」" for one in named if one.dataset in others)
    return wordings().authority[rule.authority].format(titles=titles)


def _rule(document: Document, place: tuple[str | int, ...], expectation: SuiteEntry, names: set[str]) -> Rule:
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
        authority=meta.authority,
        reference=meta.reference,
    )


def _columns(expectation: SuiteEntry, keys: tuple[str, ...]) -> list[str]:
    found: list[str] = []
    for key in keys:
        value = expectation.kwargs.get(key, [])
        found.extend([value] if isinstance(value, str) else value)
    return found


def suite_hash(rules: Iterable[Rule]) -> str:
    """SHA-256 of the rules as they run, in hex: same hash, same verdicts on the same data."""
    words = []
    for rule in rules:
        said = {"id": rule.id, "type": rule.type, "kwargs": dict(rule.kwargs), "severity": rule.severity}
        lookups = [[one.alias, one.dataset, *map(list, one.on)] for one in rule.lookups]
        words.append({**said, "lookups": lookups} if lookups else said)
    return hashlib.sha256(json.dumps(words, sort_keys=True, ensure_ascii=False).encode()).hexdigest()
