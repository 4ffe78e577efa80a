"""Structural rules of a contract as expectations; derived when they run, never stored."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from jobs.contracts.codes import codes, conditions_of, is_half_width
from jobs.contracts.model import Contract, Field, Rule
from jobs.contracts.names import MALFORMED, TEXT
from jobs.contracts.references import AS_UNKNOWN
from jobs.contracts.rule_wordings import RuleWording, wordings
from jobs.contracts.time_zones import changes_clock

Condition = tuple[str, Mapping[str, Any]]
"""An expectation and its parameters."""


def text_column(field: Field) -> str:
    """Column with the field's normalised text: for plain text fields the field itself."""
    return field.name if field.type == "string" and not field.source.censored else TEXT + field.name


def structural_rules(contract: Contract, others: Mapping[str, Contract]) -> tuple[Rule, ...]:
    """Shape, required, type, enum, pattern, range, length, key and reference rules of a contract.

    `others`: contracts by id, of the datasets that it refers to.
    """
    rules = [_shape(contract)] if contract.kind == "source" else []
    for field in contract.fields:
        rules.extend(_field_rules(contract, field))
        rules.extend(_reference(contract, field, others))
    rules.extend(_key_rules(contract))
    return tuple(rules)


def _shape(contract: Contract) -> Rule:
    is_json = contract.layout.format in ("json", "jsonl")
    kind = "row_shape_json" if is_json else "row_shape_stream" if contract.stream is not None else "row_shape"
    return _rule(contract, "row_shape", ("expect_column_values_to_be_null", {"column": MALFORMED}), (), _wording(kind))


def _field_rules(contract: Contract, field: Field) -> Iterator[Rule]:
    column_kwargs = {"column": field.name}
    condition: Condition
    if field.required:
        condition = "expect_column_values_to_not_be_null", {"column": text_column(field)}
        yield _of_field(contract, field, "required", condition)
    if text_column(field) != field.name:
        condition = "expect_column_values_to_parse", {"column": text_column(field), "parsed": field.name}
        rule = _of_field(contract, field, "type", condition, type=_type(contract, field))
        zone = _changing_zone(contract, field)
        yield replace(rule, remedy=rule.remedy + wordings().zone_remedy.format(zone=zone)) if zone else rule
    if field.enum:
        condition = "expect_column_values_to_be_in_set", {**column_kwargs, "value_set": _typed(field, list(field.enum))}
        yield _of_field(contract, field, "enum", condition, known=_known(field))
    if field.pattern:
        condition = "expect_column_values_to_match_regex", {**column_kwargs, "regex": field.pattern}
        yield _of_field(contract, field, "pattern", condition, wanted=field.description or field.pattern)
    yield from _limits(contract, field)
    yield from _codes(contract, field)
    if field.unique:
        yield _of_field(contract, field, "unique", ("expect_column_values_to_be_unique", column_kwargs))


def _type(contract: Contract, field: Field) -> str:
    """The type in words; of a time in a zone whose clock changes, that some times do not exist."""
    name, zone = wordings().types[field.type], _changing_zone(contract, field)
    return wordings().of_zone.format(type=name, zone=zone) if zone else name


def _changing_zone(contract: Contract, field: Field) -> str:
    """The zone of a sent time where its clock changes; empty for any other field."""
    zone = field.source.timezone or contract.layout.timezone
    is_zoned = field.type == "timestamp" and contract.kind == "source" and changes_clock(zone)
    return zone if is_zoned else ""


def _known(field: Field) -> str:
    """The first values of the field's enum, with their labels."""
    pairs = list(field.enum.items())[:12]
    label = wordings().label
    return "、".join(value if value == text else label.format(value=value, label=text) for value, text in pairs)


def _reference(contract: Contract, field: Field, others: Mapping[str, Contract]) -> Iterator[Rule]:
    """A value must be in the other dataset; one whose row is held back there is a finding of its own, for information."""
    if not field.reference:
        return
    dataset, _, column = field.reference.partition(".")
    other = others.get(dataset)
    title = other.title if other else dataset
    is_apart = field.held_back != AS_UNKNOWN and other is not None and column in other.key()
    kwargs = {"column": field.name, "dataset": dataset, "field": column}
    known = {**kwargs, "includes_held_back": True} if is_apart else kwargs
    yield _of_field(contract, field, "reference", ("expect_column_values_to_be_known", known), dataset=title)
    if is_apart:
        condition = "expect_column_values_to_not_be_held_back", kwargs
        yield replace(_of_field(contract, field, "held_back", condition, dataset=title), severity="info")


def _limits(contract: Contract, field: Field) -> Iterator[Rule]:
    unlimited = wordings().unlimited
    if field.minimum is not None or field.maximum is not None:
        low = unlimited if field.minimum is None else field.minimum
        high = unlimited if field.maximum is None else field.maximum
        span = wordings().span.format(low=low, high=high, unit=field.unit)
        kwargs = {"column": field.name, "min_value": field.minimum, "max_value": field.maximum}
        yield _of_field(contract, field, "range", ("expect_column_values_to_be_between", kwargs), span=span)
    if field.min_length is not None or field.max_length is not None:
        lengths = {"low": field.min_length or 0, "high": field.max_length or unlimited}
        kwargs = {"column": field.name, "min_value": field.min_length, "max_value": field.max_length}
        yield _of_field(contract, field, "length", ("expect_column_value_lengths_to_be_between", kwargs), **lengths)


def _code_conditions(contract: Contract, field: Field) -> Iterator[str]:
    """Names of the conditions for a field with a code; where it is not normalised, also that it needs no normalisation."""
    yield from conditions_of(field.code)
    if contract.kind != "source" or not field.is_coded():
        return
    if not field.is_trimmed():
        yield "trimmed"
    if is_half_width(field.code) and not field.is_narrowed():
        yield "half_width"


def _codes(contract: Contract, field: Field) -> Iterator[Rule]:
    for name in dict.fromkeys(_code_conditions(contract, field)):
        code = codes()[name]
        yield Rule(
            f"{field.name}_{name}",
            f"expect_column_values_to_be_{name}",
            {"column": field.name},
            code.severity,
            code.dimension,
            code.message.format(title=field.title),
            code.remedy,
            code.standard,
            (field.name,),
            "contract",
            code.indicator,
        )


def _key_rules(contract: Contract) -> Iterator[Rule]:
    key = contract.key()
    if not key:
        return
    condition: Condition = ("expect_compound_columns_to_be_unique", {"column_list": list(key)})
    if len(key) == 1:
        condition = ("expect_column_values_to_be_unique", {"column": key[0]})
    titles = "+".join(contract.field(name).title for name in key)
    yield _rule(contract, "primary_key", condition, key, _wording("primary_key", titles=titles))


def _typed(field: Field, values: list[str]) -> list[Any]:
    if field.type == "integer":
        return [int(v) for v in values]
    if field.type == "number":
        return [float(v) for v in values]
    return values


def _wording(kind: str, **values: object) -> RuleWording:
    """The texts of a kind of rule with the values filled in."""
    wording = wordings().rules[kind]
    filled = {"message": wording.message.format(**values), "remedy": wording.remedy.format(**values)}
    return wording.model_copy(update=filled)


def _of_field(contract: Contract, field: Field, kind: str, condition: Condition, **values: object) -> Rule:
    words = _wording(kind, title=field.title, **values)
    return _rule(contract, f"{field.name}_{kind}", condition, (field.name,), words)


def _rule(contract: Contract, id_: str, condition: Condition, fields: tuple[str, ...], words: RuleWording) -> Rule:
    type_, kwargs = condition
    basis = wordings().basis.format(id=contract.id, version=contract.version)
    texts = words.message, words.remedy, basis
    return Rule(id_, type_, kwargs, "critical", words.dimension, *texts, fields, "contract", words.indicator)
