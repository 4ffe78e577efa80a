"""An ODCS 3.1 document → Contract, checked against the standard's own JSON Schema."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from importlib.resources import files
from typing import Any, Literal, TypeVar, cast

from jsonschema_rs import Draft201909Validator
from open_data_contract_standard.model import OpenDataContractStandard, SchemaProperty
from pydantic import BaseModel, ValidationError

from jobs.contracts.codes import known_codes
from jobs.contracts.elements import Elements
from jobs.contracts.grades import OPEN
from jobs.contracts.importance import Importance
from jobs.contracts.layout import Acceptance, County, Layout, Product, Source, Storage, Write
from jobs.contracts.licences import Licences
from jobs.contracts.model import Contract, Field, FieldType
from jobs.contracts.names import QUALIFIER
from jobs.contracts.odcs_about import department, owner, purpose, sla
from jobs.contracts.odcs_transform import transform
from jobs.contracts.stream import Stream, check_stream, ways_in
from jobs.contracts.transform import FieldIndirect, GradeLowering, RowIndirect
from jobs.contracts.yaml_source import Document, PathKey

EFFECTIVE: Mapping[tuple[str, ...], tuple[str, ...]] = {
    ("units", "thousands", "decimal"): ("integer", "number"),
    ("formats",): ("date", "timestamp"),
    ("day_end",): ("timestamp",),
}
"""Keys of a field's `source` → the types on which they have an effect."""
TYPES = ("string", "integer", "number", "boolean", "date", "timestamp")
NAME = re.compile(r"^[a-z][a-z0-9_]*$")
OWN_NAME = re.compile(r"^_?[a-z][a-z0-9_]*$")
CONTRACT_PROPERTIES: Mapping[str, type[BaseModel] | None] = {
    "provider": None,
    "layout": Layout,
    "write": Write,
    "acceptance": Acceptance,
    "product": Product,
    "county": County,
    "stream": Stream,
    "licences": Licences,
    "importance": Importance,
    "indirect": RowIndirect,
}
SYSTEM_PROPERTIES: Mapping[str, type[BaseModel] | None] = {"provider": None, "storage": Storage}
FIELD_PROPERTIES: Mapping[str, type[BaseModel] | None] = {
    **dict.fromkeys(("unit", "code", "held_back")),
    "source": Source,
    "indirect": FieldIndirect,
    "grade_lowering": GradeLowering,
}
M = TypeVar("M", bound=BaseModel)


def contract(document: Document, elements: Elements, kind: Literal["source", "product", "system"]) -> Contract:
    """The resolved contract; ContractError with file and line for the first mistake."""
    document = resolved(document, elements)
    _check_standard(document)
    odcs = OpenDataContractStandard.model_validate(document.data)
    known = SYSTEM_PROPERTIES if kind == "system" else CONTRACT_PROPERTIES
    custom = _custom(document, document.data.get("customProperties", []), ("customProperties",), known)
    if not odcs.schema_ or len(odcs.schema_) != 1:
        raise document.error(("schema",), "exactly one table per contract; move the others to contracts of their own")
    if kind == "source":
        _required(document, custom, odcs)
    fields, ways = _fields(document, is_system=kind == "system"), ways_in(document)
    layout, stream = cast(Layout, custom.get("layout", Layout())), cast("Stream | None", custom.get("stream"))
    check_stream(document, stream, fields, ways, layout.extra_columns == "refuse")
    return Contract(
        id=odcs.id or "",
        title=odcs.name or odcs.id or "",
        version=odcs.version or "",
        kind=kind,
        provider=str(custom.get("provider", "bureau")),
        department=department(odcs),
        purpose=purpose(odcs),
        fields=fields,
        file=document.file,
        layout=layout,
        write=cast(Write, custom.get("write", Write())),
        acceptance=cast(Acceptance, custom.get("acceptance", Acceptance())),
        product=cast("Product | None", custom.get("product")),
        county=cast("County | None", custom.get("county")),
        stream=stream,
        licences=cast("Licences | None", custom.get("licences")),
        importance=cast("Importance | None", custom.get("importance")),
        indirect=cast("RowIndirect | None", custom.get("indirect")),
        ways_in=ways,
        storage=cast("Storage | None", custom.get("storage")),
        sla=sla(odcs),
        tags=tuple(odcs.tags or ()),
        owner=owner(odcs),
    )


def _required(document: Document, custom: Mapping[str, object], odcs: OpenDataContractStandard) -> None:
    provider = custom.get("provider")
    if not isinstance(provider, str) or not NAME.match(provider):
        raise document.error(("customProperties",), "needs the property 'provider' with an id of a-z, 0-9 and _")
    if isinstance(odcs.team, list) or not odcs.team or not odcs.team.name:
        raise document.error(("team",), "needs team.name: the department or company that answers for the data")


@lru_cache
def standard() -> dict[str, Any]:
    """The standard's own JSON Schema."""
    schema: dict[str, Any] = json.loads(files("open_data_contract_standard").joinpath("schema.json").read_text("utf-8"))
    return schema


@lru_cache
def _validator() -> Draft201909Validator:
    return Draft201909Validator(standard(), validate_formats=False)


def meets_standard(data: object) -> bool:
    """Whether it is valid, quickly; also False for values that JSON has not, such as dates."""
    try:
        return _validator().is_valid(data)
    except ValueError:
        return False


def _check_standard(document: Document) -> None:
    if not isinstance(document.data, dict):
        raise document.error((), "an ODCS contract is a mapping")
    if not meets_standard(document.data):
        from jobs.contracts.odcs_mistakes import first_mistake  # takes a second to import

        mistake = first_mistake(standard(), document.data)
        if mistake:
            raise document.error(*mistake)


def resolved(document: Document, elements: Elements) -> Document:
    """The document with fields merged with their elements; unchanged where it has no schema to resolve."""
    try:
        table = document.data["schema"][0]
        properties = list(table["properties"])
    except (KeyError, IndexError, TypeError):
        return document
    filled = [
        elements.resolve(document, ("schema", 0, "properties", i), p) if isinstance(p, dict) else p
        for i, p in enumerate(properties)
    ]
    tables = [{**table, "properties": filled}, *document.data["schema"][1:]]
    return Document(document.file, {**document.data, "schema": tables}, document.lines)


def _fields(document: Document, is_system: bool) -> tuple[Field, ...]:
    fields: list[Field] = []
    for index, raw in enumerate(document.data["schema"][0].get("properties") or []):
        path = ("schema", 0, "properties", index)
        _check_field(document, path, raw, is_system)
        field = _field(document, path, raw)
        if field.name in {f.name for f in fields}:
            raise document.error((*path, "name"), f"field '{field.name}' is defined twice")
        fields.append(field)
    if not fields:
        raise document.error(("schema", 0), "the table has no properties")
    _check_sources(document, fields)
    return tuple(fields)


def _check_sources(document: Document, fields: Sequence[Field]) -> None:
    """ContractError where a field is computed from an unknown one, or has the name of another's qualifier column."""
    names = {f.name for f in fields}
    for index, field in enumerate(fields):
        place: tuple[PathKey, ...] = ("schema", 0, "properties", index, "customProperties")
        for used in _uses(field.source):
            if used not in names:
                raise document.error(
                    place, f"'{field.name}' is computed from '{used}', which is not a field of the contract"
                )
        idle = _idle(field)
        if idle:
            raise document.error(place, f"'{field.name}' is of type {field.type}: `{idle}` has no effect on it")
        if field.source.censored and field.name + QUALIFIER in names:
            raise document.error(
                place, f"'{field.name}{QUALIFIER}' is the name of the qualifier column of a censored field"
            )


def _idle(field: Field) -> str:
    """A key of the field's `source` that its type has no use for; empty where there is none."""
    for keys, types in EFFECTIVE.items():
        if field.type not in types:
            return next((key for key in keys if getattr(field.source, key)), "")
    return ""


def _uses(source: Source) -> Iterable[str]:
    yield from source.parts()
    if source.derive:
        yield source.derive


def _check_field(document: Document, path: tuple[PathKey, ...], raw: Mapping[str, Any], is_system: bool) -> None:
    """ContractError for a wrong name or type; only system tables may have names that begin with `_`, and arrays."""
    name, type_ = str(raw.get("name", "")), raw.get("logicalType")
    if not (OWN_NAME if is_system else NAME).match(name):
        raise document.error((*path, "name"), f"field name '{name}' may only contain a-z, 0-9 and _")
    if type_ not in TYPES and not (is_system and type_ == "array"):
        raise document.error((*path, "logicalType"), f"'{type_}' is not one of {', '.join(TYPES)}")


def _field(document: Document, path: tuple[PathKey, ...], raw: Mapping[str, Any]) -> Field:
    prop = SchemaProperty.model_validate(raw)
    options = prop.logicalTypeOptions or {}
    custom = _custom(document, raw.get("customProperties", []), (*path, "customProperties"), FIELD_PROPERTIES)
    return Field(
        name=prop.name or "",
        title=prop.businessName or prop.name or "",
        type=cast(FieldType, prop.logicalType),
        description=prop.description or "",
        unit=str(custom.get("unit", "")),
        physical_type=prop.physicalType or "",
        classification=prop.classification or OPEN,
        required=bool(prop.required),
        unique=bool(prop.unique),
        key_position=_key_position(prop),
        enum=_enum(prop),
        pattern=_pattern(document, path, options),
        minimum=options.get("minimum"),
        maximum=options.get("maximum"),
        min_length=options.get("minLength"),
        max_length=options.get("maxLength"),
        reference=_reference(prop),
        held_back=str(custom.get("held_back", "")),
        code=_code(document, path, str(custom.get("code", ""))),
        source=cast(Source, custom.get("source", Source())),
        transform=transform(document, path, prop, custom),
    )


def _key_position(prop: SchemaProperty) -> int | None:
    return (prop.primaryKeyPosition or 1) if prop.primaryKey else None


def _enum(prop: SchemaProperty) -> dict[str, str]:
    return {str(item.value): item.label or str(item.value) for item in prop.enum or []}


def _code(document: Document, path: tuple[PathKey, ...], code: str) -> str:
    if code and code not in known_codes():
        place = (*path, "customProperties")
        raise document.error(place, f"'{code}' is not a known code; known are {', '.join(known_codes())}")
    return code


def _pattern(document: Document, path: tuple[PathKey, ...], options: Mapping[str, Any]) -> str | None:
    pattern = options.get("pattern")
    if pattern is None:
        return None
    try:
        re.compile(pattern)
    except re.error as error:
        raise document.error((*path, "logicalTypeOptions", "pattern"), f"not a regular expression: {error}") from error
    return str(pattern)


def _reference(prop: SchemaProperty) -> str | None:
    for relationship in prop.relationships or []:
        target = relationship.to
        return str(target[0] if isinstance(target, list) else target)
    return None


def _custom(
    document: Document,
    entries: list[dict[str, Any]],
    path: tuple[PathKey, ...],
    known: Mapping[str, type[BaseModel] | None],
) -> dict[str, object]:
    values: dict[str, object] = {}
    for index, entry in enumerate(entries or []):
        name = str(entry.get("property"))
        if name not in known:
            place = (*path, index, "property")
            raise document.error(place, f"unknown property '{name}'; known: {', '.join(sorted(known))}")
        model = known[name]
        values[name] = entry.get("value") if model is None else _parse(document, (*path, index, "value"), model, entry)
    return values


def _parse(document: Document, path: tuple[PathKey, ...], model: type[M], entry: Mapping[str, Any]) -> M:
    try:
        return model.model_validate(entry.get("value"))
    except ValidationError as error:
        first = error.errors()[0]
        text = "unknown key" if first["type"] == "extra_forbidden" else first["msg"]
        raise document.error((*path, *first["loc"]), text) from error
