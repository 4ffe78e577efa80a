"""Grades along columns: a field has at least the grade of what it is made from, unless its contract says why it may be lower."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from pydantic import Field as Value

from jobs.contracts.grades import OPEN, highest
from jobs.contracts.importance import LEVELS, TITLES
from jobs.contracts.loader import Registry
from jobs.contracts.model import Contract, Field
from jobs.contracts.policy_file import PolicyPart, read_policy
from jobs.contracts.yaml_source import read

FILE = Path(__file__).parent / "grading.yaml"
REMEDY = "请参照 jobs/contracts/grading.yaml 开头的说明"


class Grading(PolicyPart):
    """The content of grading.yaml."""

    version: int = Value(gt=0)
    min_persons: int = Value(ge=2)


@cache
def grading(file: Path = FILE) -> Grading:
    """The settings; PolicyError names file, line and remedy."""
    return read_policy(file, Grading, REMEDY)[0]


@dataclass(frozen=True)
class Source:
    """A field that another is made from, with its grade."""

    name: str
    title: str
    grade: str


def sources_of(registry: Registry, contract: Contract, field: Field) -> tuple[Source, ...]:
    """The fields whose values the field's value shows, directly or by a condition; of a delivered dataset, its own fields."""
    if contract.product is None:
        names = {*field.source.parts(), *filter(None, (field.source.derive,))} - {field.name}
        own = {f.name: f for f in contract.fields}
        return tuple(_source(contract.id, own[name]) for name in sorted(names & set(own)))
    return tuple(
        _source(dataset, registry.contracts[dataset].field(name))
        for dataset, _, name in (source.partition(".") for source in field.transform.deciding())
        if dataset in registry.contracts
    )


def grade_mistakes(registry: Registry, min_persons: int | None = None) -> list[str]:
    """Fields whose grade is too low, products below the level of their inputs, and lowerings that do not hold, with file and line."""
    least = grading().min_persons if min_persons is None else min_persons
    found = [text for _, contract in sorted(registry.contracts.items()) for text in _level_mistakes(registry, contract)]
    for _, contract in sorted(registry.contracts.items()):
        for index, field in enumerate(contract.fields):
            found += [_at(contract, index, text) for text in _mistakes(registry, contract, field, least)]
    return found


def _level_mistakes(registry: Registry, contract: Contract) -> Iterator[str]:
    """A product that is less important than its inputs without an approval, and an approval that is not needed."""
    inputs = [registry.contracts[name] for name in (contract.product.inputs if contract.product else ())]
    needed = max((LEVELS.index(one.level()) for one in inputs), default=0)
    lowered = contract.importance.lowered if contract.importance else None
    if LEVELS.index(contract.level()) >= needed:
        if lowered is not None:
            yield f"{_properties_of(contract)}：「{contract.title}」不低于来源数据的级别，不需要 lowered；请删去"
    elif lowered is None:
        names = "、".join(one.title for one in inputs if LEVELS.index(one.level()) == needed)
        yield (
            f"{_properties_of(contract)}：「{contract.title}」是{TITLES[contract.level()]}，低于来源「{names}」（{TITLES[LEVELS[needed]]}）；"
            f"请将 importance 的 level 改为 {LEVELS[needed]}，或用 lowered 写明审批人和理由"
        )


def _mistakes(registry: Registry, contract: Contract, field: Field, least: int) -> Iterator[str]:
    sources = sources_of(registry, contract, field)
    needed = highest(source.grade for source in sources)
    lowering = field.transform.lowering
    if field.classification >= needed:
        if lowering is not None:
            yield f"「{field.title}」（{field.classification}）不低于来源字段的级别（{needed}），不需要降级；请删去 grade_lowering"
        return
    if lowering is None:
        named = "、".join(f"{s.name}「{s.title}」（{s.grade}）" for s in sources if s.grade > field.classification)
        yield (
            f"「{field.title}」的级别 {field.classification} 低于来源字段 {named}；"
            f"请将 classification 改为 {needed}，或用 grade_lowering 写明降级方式、审批人和理由"
        )
        return
    if lowering.by == "masking" and field.transform.logic == "IDENTITY":
        yield f"「{field.title}」原样取自来源字段，没有脱敏，不能按 masking 降级；请在加工中脱敏，或改用来源字段的级别"
    if lowering.by == "aggregation":
        yield from _aggregation_mistakes(contract, field, lowering.parameter, least)


def _aggregation_mistakes(contract: Contract, field: Field, parameter: str, least: int) -> Iterator[str]:
    persons = contract.product.parameters.get(parameter) if contract.product else None
    if persons is None:
        yield f"「{field.title}」按汇总降级，但产品没有参数 {parameter}；请在 parameters 中给出最少人数"
    elif persons < least:
        yield f"「{field.title}」按汇总降级，{parameter} 为 {persons:g}，少于规定的最少人数 {least}；请改为 {least} 以上"


def _source(dataset: str, field: Field) -> Source:
    return Source(f"{dataset}.{field.name}", field.title, field.classification or OPEN)


def _properties_of(contract: Contract) -> str:
    """File and line of the contract's own properties."""
    return f"{contract.file}:{read(contract.file).line(('customProperties',))}"


def _at(contract: Contract, index: int, text: str) -> str:
    """The text with file and line of the field."""
    line = read(contract.file).line(("schema", 0, "properties", index))
    return f"{contract.file}:{line}：{text}"
