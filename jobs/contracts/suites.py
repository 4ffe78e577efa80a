"""expectations/<path>.yaml → rules: a Great Expectations suite whose `meta` holds the texts for a department."""

import hashlib
import json
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from jobs.contracts.alarm import AlarmPolicy
from jobs.contracts.model import Authority, Contract, Lookup, Rule, Severity
from jobs.contracts.names import OF_A_DELIVERY
from jobs.contracts.quality_standard import Dimension
from jobs.contracts.rule_wordings import wordings
from jobs.contracts.yaml_source import Document, read

COLUMN_KEYS = ("column", "column_A", "column_B", "column_list", "column_set")
OTHER_COLUMN_KEYS = ("series", "at", "rate", "while_moves", "peers")
"""Columns that a series rule reads besides the one that it checks."""
ID = re.compile(r"^[a-z][a-z0-9_]*$")


class RuleMeta(BaseModel):
    """Texts and classification of a written rule; the value of `meta`."""

    model_config = ConfigDict(extra="forbid")

    dimension: Dimension = Field(description="One of the six dimensions of {quality_standard}.")
    message: str = Field(min_length=2, description="What is wrong, in Chinese, for the department.")
    remedy: str = Field(min_length=2, description="What the department should do.")
    basis: str = Field(min_length=2, description="Standard with clause, law, or practice that the rule follows.")
    indicator: str = Field("", description="Number of the indicator in {quality_standard}, such as 0301.")
    fields: list[str] = Field([], description="Fields that the rule is about; unset: the columns in `kwargs`.")
    authority: Authority = Field(
        "", description="Whose value is right where two datasets differ; added to the message."
    )
    reference: str = Field("", description="`alias.field` of a lookup whose value is suggested as the intended one.")
    alarm: AlarmPolicy | None = Field(None, description="Its breach in a stream is an alarm, see below.")


class SuiteEntry(BaseModel):
    """A rule of a suite."""

    model_config = ConfigDict(extra="forbid")

    id: str = Field(pattern=ID.pattern, description="Id of the rule, unique in its dataset.")
    type: str = Field(
        pattern=r"^(expect_[a-z0-9_]+|unexpected_rows_expectation)$", description="Type of the expectation."
    )
    kwargs: dict[str, Any] = Field({}, description="Parameters of the expectation.")
    severity: Severity = Field(
        description="`critical`: the row goes to quarantine; `warning`: it passes with a mark; `info`: alarm only."
    )
    meta: RuleMeta = Field(description="Texts and classification, see below.")


class SuiteLookup(BaseModel):
    """A lookup join that the rules of a suite may use; a value of `meta.lookups`."""

    model_config = ConfigDict(extra="forbid")

    dataset: str = Field(description="The other dataset.")
    on: dict[str, str] = Field(
        description="Each field of its primary key → Spark SQL expression over this dataset's row that must equal it."
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
    file: Path, contract: Contract, derived: Iterable[Rule], others: Mapping[str, Contract], broken: Collection[str]
) -> tuple[Rule, ...]:
    """The written rules of a dataset; none where the suite's file does not exist.

    `derived`: the rules that follow from the contract, whose ids are taken. `others`: contracts by id, against which
    lookups are checked; lookups into `broken` ones, which are not among them, are not checked.
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
    suite_lookups = _suite_lookups(document, suite, contract, others, broken)
    names = set(contract.columns())
    reserved_ids = {*OF_A_DELIVERY, *(rule.id for rule in derived)}
    seen_ids: set[str] = set()
    rules = []
    for index, expectation in enumerate(suite.expectations):
        place: tuple[str | int, ...] = ("expectations", index)
        if expectation.id in seen_ids:
            raise document.error((*place, "id"), f"rule id '{expectation.id}' is defined twice")
        if expectation.id in reserved_ids:
            raise document.error(
                (*place, "id"), f"'{expectation.id}' is already the id of a derived rule or a delivery check"
            )
        seen_ids.add(expectation.id)
        rule = _rule(document, place, expectation, names)
        rule_lookups = _used_lookups(document, place, rule, suite_lookups, others)
        rules.append(
            replace(rule, lookups=rule_lookups, message=rule.message + _authority_sentence(rule, rule_lookups, others))
        )
    return tuple(rules)


def _suite_lookups(
    document: Document,
    suite: _Suite,
    contract: Contract,
    others: Mapping[str, Contract],
    broken: Collection[str],
) -> dict[str, Lookup]:
    """Lookups that the suite's rules may use, by alias; each must name the other's whole primary key."""
    suite_lookups = {}
    for alias, lookup in suite.meta.lookups.items():
        place: tuple[str | int, ...] = ("meta", "lookups", alias)
        if not ID.match(alias) or alias in contract.columns():
            raise document.error(
                place, f"'{alias}' cannot name a lookup: it is a field, or contains more than a-z, 0-9, _"
            )
        if lookup.dataset == contract.id:
            raise document.error(place, "a dataset cannot look itself up: its verdict would depend on itself")
        if lookup.dataset not in (*others, *broken):
            raise document.error(place, f"'{lookup.dataset}' has no contract")
        key = set(others[lookup.dataset].key()) if lookup.dataset in others else set(lookup.on)
        if not key or set(lookup.on) != key:
            raise document.error(
                place, f"`on` must name every field of the primary key of '{lookup.dataset}': {', '.join(sorted(key))}"
            )
        suite_lookups[alias] = Lookup(alias, lookup.dataset, tuple(lookup.on.items()))
    return suite_lookups


def _used_lookups(
    document: Document,
    place: tuple[str | int, ...],
    rule: Rule,
    suite_lookups: Mapping[str, Lookup],
    others: Mapping[str, Contract],
) -> tuple[Lookup, ...]:
    """The lookups that the rule uses, with their fields; ContractError for an unknown field."""
    text = json.dumps([dict(rule.kwargs), rule.reference], ensure_ascii=False, default=str)
    used = []
    for alias, lookup in suite_lookups.items():
        fields = set(re.findall(rf"(?<![\w.]){alias}\.(\w+)", text))
        other = others.get(lookup.dataset)
        unknown = sorted(fields - {f.name for f in other.fields}) if other else []
        if unknown:
            raise document.error((*place, "kwargs"), f"'{lookup.dataset}' has no field '{unknown[0]}'")
        if fields:
            used.append(replace(lookup, fields=tuple(sorted(fields))))
    if (rule.reference or rule.authority) and not used:
        raise document.error((*place, "meta"), "`authority` and `reference` are for rules that use a lookup")
    return tuple(used)


def _authority_sentence(rule: Rule, lookups: Sequence[Lookup], others: Mapping[str, Contract]) -> str:
    """The sentence on whose value is right; empty where the rule does not declare it."""
    if not rule.authority:
        return ""
    titles = "、".join(f"「{others[lookup.dataset].title}」" for lookup in lookups if lookup.dataset in others)
    return wordings().authority[rule.authority].format(titles=titles)


def _rule(document: Document, place: tuple[str | int, ...], expectation: SuiteEntry, names: set[str]) -> Rule:
    columns = _columns(expectation, COLUMN_KEYS)
    for column in (*columns, *_columns(expectation, OTHER_COLUMN_KEYS)):
        if column not in names:
            raise document.error((*place, "kwargs"), f"'{column}' is not a field of the contract")
    meta = expectation.meta
    if meta.alarm and expectation.severity == "critical":
        raise document.error((*place, "meta", "alarm"), "a critical rule finds a wrong value, which is no alarm")
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
        alarm=meta.alarm,
    )


def _columns(expectation: SuiteEntry, keys: tuple[str, ...]) -> list[str]:
    columns: list[str] = []
    for key in keys:
        value = expectation.kwargs.get(key, [])
        columns.extend([value] if isinstance(value, str) else value)
    return columns


def suite_hash(rules: Iterable[Rule]) -> str:
    """SHA-256 of the rules as they run, in hex: same hash, same verdicts on the same data."""
    definitions = []
    for rule in rules:
        definition = {"id": rule.id, "type": rule.type, "kwargs": dict(rule.kwargs), "severity": rule.severity}
        lookups = [[lookup.alias, lookup.dataset, *map(list, lookup.on)] for lookup in rule.lookups]
        definitions.append({**definition, "lookups": lookups} if lookups else definition)
    return hashlib.sha256(json.dumps(definitions, sort_keys=True, ensure_ascii=False).encode()).hexdigest()
