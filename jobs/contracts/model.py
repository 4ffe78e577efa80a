"""A contract as the other packages use it: resolved, frozen, and without an engine."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from jobs.contracts.alarm import AlarmPolicy
from jobs.contracts.grades import OPEN, is_sensitive
from jobs.contracts.importance import Importance
from jobs.contracts.layout import Acceptance, County, Layout, Product, Source, Storage, Unit, Write
from jobs.contracts.licences import Licences
from jobs.contracts.names import QUALIFIER
from jobs.contracts.quality_standard import Dimension
from jobs.contracts.stream import Stream
from jobs.contracts.transform import RowIndirect, Transform

FieldType = Literal["string", "integer", "number", "boolean", "date", "timestamp", "array"]
Severity = Literal["critical", "warning", "info"]


@dataclass(frozen=True)
class Field:
    """One column of a dataset, with all that its element and its contract declare."""

    name: str
    title: str
    type: FieldType
    description: str = ""
    unit: str = ""
    physical_type: str = ""
    classification: str = OPEN
    required: bool = False
    unique: bool = False
    key_position: int | None = None
    enum: Mapping[str, str] = field(default_factory=dict)
    pattern: str | None = None
    minimum: float | str | None = None
    maximum: float | str | None = None
    min_length: int | None = None
    max_length: int | None = None
    reference: str | None = None
    held_back: str = ""
    """How to take a reference to a row that its own department still has to correct; empty: as `info`."""
    code: str = ""
    source: Source = field(default_factory=Source)
    transform: Transform = field(default_factory=Transform)
    """How a product's field is made from fields of its inputs."""

    def spark_type(self) -> str:
        """The column's type in Spark DDL."""
        if self.physical_type:
            return self.physical_type
        return {"integer": "bigint", "number": "double"}.get(self.type, self.type)

    def words(self) -> str:
        """Title, unit and description in one line, as the column comment."""
        unit = f"（{self.unit}）" if self.unit else ""
        return self.title + unit + (f"：{self.description}" if self.description else "")

    def headers(self) -> tuple[str, ...]:
        """Accepted headers of the field, in order."""
        return self.source.header or tuple(dict.fromkeys((self.title, self.name)))

    def accepted_headers(self) -> tuple[str, ...]:
        """The headers, and last those with a unit in brackets that is the field's own: 用水量 may be sent as 用水量(m³)."""
        own = [unit for unit, conversion in self.source.units.items() if unit and conversion == Unit()]
        names = [name for name in self.headers() if not name.endswith((")", "）"))]
        return (*self.headers(), *(f"{name}({unit})" for name in names for unit in own))

    def is_free_text(self) -> bool:
        """Whether any text is valid, so that punctuation and widths are part of the value."""
        return self.type == "string" and not (
            self.pattern or self.code or self.enum or self.key_position or self.reference
        )

    def is_coded(self) -> bool:
        """Whether the field has a code, so that its text is checked as sent, apart from declared normalisation."""
        return self.type == "string" and bool(self.code)

    def is_trimmed(self) -> bool:
        """Whether blanks at the ends are removed."""
        return self.source.trim if self.source.trim is not None else not self.is_coded()

    def is_narrowed(self) -> bool:
        """Whether full-width letters, digits and marks are read as ASCII."""
        if self.source.full_width is not None:
            return self.source.full_width
        return not self.is_coded() and not self.is_free_text()

    def is_computed(self) -> bool:
        """Whether the field is computed from other fields rather than read from a column."""
        return self.source.compose is not None or self.source.derive is not None

    def is_personal(self) -> bool:
        """Whether values must be masked outside the owning department (L3 and above)."""
        return is_sensitive(self.classification)


Authority = Literal["", "own", "other", "unknown"]
"""Which dataset is right where two differ: the rule's own, the other, or unknown."""


@dataclass(frozen=True)
class Lookup:
    """A lookup join: a row of another dataset as a struct column named `alias`.

    `on`: each field of the other's primary key, with the Spark SQL expression over this dataset's row that it must equal.
    """

    alias: str
    dataset: str
    on: tuple[tuple[str, str], ...]
    fields: tuple[str, ...] = ()
    """Fields of the other dataset that rules read."""


@dataclass(frozen=True)
class Rule:
    """One expectation in Great Expectations' own terms, with the texts for a department.

    `reference`: `alias.field` whose value is suggested as the intended one.
    """

    id: str
    type: str
    kwargs: Mapping[str, Any]
    severity: Severity
    dimension: Dimension
    message: str
    remedy: str
    basis: str
    fields: tuple[str, ...]
    origin: Literal["contract", "suite"]
    indicator: str = ""
    lookups: tuple[Lookup, ...] = ()
    authority: Authority = ""
    reference: str = ""
    alarm: AlarmPolicy | None = None
    """How its breach is an alarm; None where it is none."""


@dataclass(frozen=True)
class Contract:
    """The contract of one dataset. `kind`: delivered by a provider, built as a product, or a system table."""

    id: str
    title: str
    version: str
    kind: Literal["source", "product", "system"]
    provider: str
    department: str
    purpose: str
    fields: tuple[Field, ...]
    file: Path
    layout: Layout = field(default_factory=Layout)
    write: Write = field(default_factory=Write)
    acceptance: Acceptance = field(default_factory=Acceptance)
    product: Product | None = None
    county: County | None = None
    storage: Storage | None = None
    stream: Stream | None = None
    licences: Licences | None = None
    importance: Importance | None = None
    indirect: RowIndirect | None = None
    """Fields of a product's inputs that decide which rows it has."""
    ways_in: tuple[str, ...] = ()
    """Types of the servers that the contract names: kafka, api, s3, …"""
    sla: Mapping[str, str] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    owner: str = ""

    def level(self) -> str:
        """How important the data is: general, important or core."""
        return self.importance.level if self.importance else "general"

    def key(self) -> tuple[str, ...]:
        """Names of the primary key's fields, in order; empty where there is none."""
        keyed = [f for f in self.fields if f.key_position is not None]
        return tuple(f.name for f in sorted(keyed, key=lambda f: f.key_position or 0))

    def columns(self) -> tuple[str, ...]:
        """Names of the curated columns that hold values: fields, each censored one followed by its qualifier."""
        column_names = []
        for declared in self.fields:
            column_names += [declared.name, declared.name + QUALIFIER] if declared.source.censored else [declared.name]
        return tuple(column_names)

    def field(self, name: str) -> Field:
        """The field of that name; KeyError where there is none."""
        for declared in self.fields:
            if declared.name == name:
                return declared
        raise KeyError(name)
