"""Reference tables of docs/contracts.md, made from the models that read contracts and the classes of expectations.

A table is between `<!-- generated: NAME -->` and `<!-- end -->`; manual edits there are overwritten.
"""

import inspect
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Annotated, Any, Literal, get_args, get_origin

from annotated_types import Ge, Gt, Le, MaxLen, MinLen
from pydantic import AfterValidator, BaseModel
from pydantic.fields import FieldInfo

from jobs.cli.code_reference import HEAD, code_rows
from jobs.contracts.alarm import AlarmPolicy
from jobs.contracts.importance import Importance
from jobs.contracts.layout import Acceptance, County, Layout, Product, Section, Source, Storage, Write
from jobs.contracts.licences import Licences
from jobs.contracts.quality_standard import known_dimension, quality_standard
from jobs.contracts.stream import Stream
from jobs.contracts.suites import RuleMeta, SuiteEntry, SuiteLookup
from jobs.contracts.transform import FieldIndirect, GradeLowering, RowIndirect
from jobs.errors import UserError

GENERATED = re.compile(r"(<!-- generated: ([\w-]+) -->\n)(.*?)(<!-- end -->)", re.S)
INTERNAL = ("flag",)
"""Parameters set by the engine, not by authors."""


def with_tables(page: str) -> str:
    """The page with every generated table up to date; UserError for an unknown table name."""

    def table(part: re.Match[str]) -> str:
        begin, name, _, end = part.groups()
        if name not in TABLES:
            raise UserError(f"no table is called '{name}'; known: {', '.join(TABLES)}")
        return f"{begin}{TABLES[name]()}\n{end}"

    return GENERATED.sub(table, page)


def keys_table(model: type[BaseModel]) -> str:
    """A table of a model's keys: values, default, meaning."""
    rows = [
        (f"`{name}`", _values(field), _default(field), quality_standard().filled_in(field.description or ""))
        for name, field in model.model_fields.items()
    ]
    return markdown(("key", "values", "default", "meaning"), rows)


def rules_table(metric: str) -> str:
    """A table of a metric's expectations: type, own parameters, what holds."""
    rows = []
    for expectation in _expectations(metric):
        parameters = ", ".join(f"`{name}`" for name in _parameters(expectation))
        rows.append((f"`{expectation.expectation_type}`", parameters, _sentence(expectation)))
    return markdown(("type", "`kwargs`", "what holds"), rows)


def parameters_table(metric: str) -> str:
    """A table of the parameters of a metric's expectations, one row per meaning, with the types that take it."""
    types: dict[tuple[str, str, str], list[str]] = {}
    expectations = _expectations(metric)
    for expectation in expectations:
        for name, field in _parameters(expectation).items():
            default = "required" if field.required else _cell(field.default)
            meaning = (name, default, field.field_info.description or "")
            types.setdefault(meaning, []).append(f"`{_short(expectation)}`")
    rows = [
        (f"`{name}`", "all" if len(takers) == len(expectations) else ", ".join(takers), default, description)
        for (name, default, description), takers in types.items()
    ]
    return markdown(("parameter", "of", "default", "meaning"), rows)


def markdown(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """A Markdown table."""
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines).replace(
        "| --- ", "|---"
    )


def _expectations(metric: str) -> list[Any]:
    from jobs.quality import expectations, level_expectations, series_expectations  # take seconds to import

    modules = (expectations, series_expectations, level_expectations)
    classes = [c for m in modules for c in vars(m).values() if inspect.isclass(c) and c.__module__ == m.__name__]
    return [c for c in classes if str(getattr(c, "map_metric", "")).endswith(f".{metric}")]


def _parameters(expectation: Any) -> dict[str, Any]:
    """Parameters that the class itself declares, by name."""
    own = expectation.__fields__
    return {name: own[name] for name in expectation.__annotations__ if name in own and name not in INTERNAL}


def _short(expectation: Any) -> str:
    """The last word of a type's name, which tells the types of one metric apart."""
    return str(expectation.expectation_type).rpartition("_")[2]


def _sentence(documented: Any) -> str:
    """The docstring as one line."""
    return " ".join((inspect.getdoc(documented) or "").split())


def _values(field: FieldInfo) -> str:
    """Allowed values: the choices of a literal, else the type with its bounds."""
    choices = [word for kind in (field.annotation, *get_args(field.annotation)) for word in _choices(kind)]
    if AfterValidator(known_dimension) in field.metadata:
        choices.extend(quality_standard().dimensions)
    if choices:
        return " · ".join(f"`{word}`" for word in choices if word)
    return _kind(field.annotation) + "".join(_bounds(field.metadata))


def _choices(kind: Any) -> tuple[str, ...]:
    return get_args(kind) if get_origin(kind) is Literal else ()


def _bounds(metadata: Iterable[Any]) -> Iterable[str]:
    for bound in metadata:
        match bound:
            case Ge(ge=least):
                yield f", from {least}"
            case Gt(gt=least):
                yield f", above {least}"
            case Le(le=most):
                yield f", up to {most}"
            case MaxLen(max_length=1):
                yield ", one character"
            case MinLen(min_length=least) if least > 1:
                yield f", {least} characters or more"


def _kind(annotation: Any) -> str:
    """A type as YAML calls it."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return _kind(get_args(annotation)[0])
    kinds = [k for k in (get_args(annotation) or (annotation,)) if k not in (type(None), ...)]
    if origin in (tuple, list):
        return "list"
    if origin is dict or _is_model(kinds[0]):
        return "mapping"
    words = {str: "text", int: "whole number", float: "number", bool: "`true` · `false`"}
    return " or ".join(words[k] if k in words else _kind(k) for k in kinds)


def _is_model(kind: Any) -> bool:
    return inspect.isclass(kind) and issubclass(kind, BaseModel)


def _default(field: FieldInfo) -> str:
    return "required" if field.is_required() else _cell(field.default)


def _cell(default: object) -> str:
    """A default as YAML; empty where the key has none."""
    if default is None or default in ("", (), [], {}):
        return ""
    return f"`{str(default).lower() if isinstance(default, bool) else default}`"


TABLES: Mapping[str, Callable[[], str]] = {
    "codes": lambda: markdown(HEAD, code_rows()),
    "source": lambda: keys_table(Source),
    "layout": lambda: keys_table(Layout),
    "section": lambda: keys_table(Section),
    "write": lambda: keys_table(Write),
    "acceptance": lambda: keys_table(Acceptance),
    "county": lambda: keys_table(County),
    "stream": lambda: keys_table(Stream),
    "licences": lambda: keys_table(Licences),
    "importance": lambda: keys_table(Importance),
    "product": lambda: keys_table(Product),
    "field-indirect": lambda: keys_table(FieldIndirect),
    "row-indirect": lambda: keys_table(RowIndirect),
    "grade-lowering": lambda: keys_table(GradeLowering),
    "storage": lambda: keys_table(Storage),
    "suite-rule": lambda: keys_table(SuiteEntry),
    "suite-meta": lambda: keys_table(RuleMeta),
    "alarm": lambda: keys_table(AlarmPolicy),
    "suite-lookup": lambda: keys_table(SuiteLookup),
    "series-rules": lambda: rules_table("in_series"),
    "series-parameters": lambda: parameters_table("in_series"),
    "condition-rules": lambda: rules_table("satisfy"),
    "condition-parameters": lambda: parameters_table("satisfy"),
}
"""Table by the name of its marker."""
