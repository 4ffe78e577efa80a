"""File layout and other contract properties that ODCS has no key for, under `customProperties`."""

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator


def _regex(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"not a regular expression: {error}") from error
    return text


COMPOSED = re.compile(r"\{(\w+)(\??)\}")
"""A part of a template: a field's name, and whether it may be empty."""
Regex = Annotated[str, AfterValidator(_regex)]


class ContractPart(BaseModel):
    """A part of a contract: frozen, and an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Section(ContractPart):
    """Sub-heading rows between the data rows, such as `北京市（92所）`."""

    pattern: Regex = Field(
        description="Matches the first filled cell of a sub-heading row; its named groups become columns of the rows below."
    )


class Layout(ContractPart):
    """The file as it arrives; the value of the contract's `layout` property."""

    format: Literal["csv", "excel", "json", "jsonl", "parquet"] = Field(
        "csv", description="`csv`: any delimited text with any file ending; `excel`: xls and xlsx."
    )
    files: str = Field("*", description="Glob of the members to read in a folder or archive.")
    file_name: Regex | None = Field(
        None,
        description="Named groups of the file's name, or of its path in an archive or folder, become columns.",
    )

    encoding: str = Field(
        "auto", description="`auto` (detected, with a confidence) or a codec name: utf-8, gb18030, gbk, cp1252."
    )
    delimiter: str = Field(",", min_length=1, max_length=1, description="Separator of cells.")
    quote: str = Field('"', max_length=1, description="Quote character; empty: quotes are plain characters.")
    multiline: bool = Field(True, description="A quoted cell may hold line breaks.")

    sheet: str | int = Field(0, description="Name of the sheet, or its position from 0.")
    skip_rows: int = Field(
        0, ge=0, description="Rows above the header; more are skipped where only the row below them names the columns."
    )
    header_rows: int = Field(
        1,
        ge=0,
        description="Rows of the header; merged cells are filled, levels joined by `/`; 0: fields by `position`.",
    )
    footer_rows: int = Field(0, ge=0, description="Rows below the data.")
    summary_rows: Literal["drop", "keep"] = Field(
        "drop",
        description="Totals, notes and repeated headers in csv and Excel; `drop`: left out and named in the report; "
        "`keep`: rows like any other.",
    )
    section: Section | None = Field(None, description="Sub-heading rows between the data rows.")

    records: str = Field(
        "",
        description="Dotted path to the records in JSON (`features`); nested keys become dotted headers (`properties.aqi`).",
    )

    missing: tuple[str, ...] = Field((), description="Words for a missing value, for all fields.")
    timezone: str = Field("Asia/Shanghai", description="Zone of local times without an offset.")
    extra_columns: Literal["evolve", "ignore", "refuse"] = Field(
        "ignore", description="Columns that the contract does not declare; `evolve`: loaded as text."
    )
    missing_columns: Literal["ignore", "refuse"] = Field(
        "refuse", description="Columns of the contract that the file lacks."
    )


class Unit(ContractPart):
    """How a value in one unit becomes one in the field's own: value × factor + offset."""

    factor: float = 1.0
    offset: float = 0.0

    @model_validator(mode="before")
    @classmethod
    def _factor_alone(cls, value: object) -> object:
        return {"factor": value} if isinstance(value, int | float) and not isinstance(value, bool) else value

    def changes(self) -> bool:
        """Whether it yields another value."""
        return (self.factor, self.offset) != (1.0, 0.0)


class Source(ContractPart):
    """Where a field comes from and how its text is written; the value of a field's `source` property."""

    header: tuple[str, ...] = Field(
        (),
        description="Accepted headers, newest layout first: an exact match, else one that ignores case, width and blanks; a unit with factor 1 may follow in brackets; unset: businessName, then name.",
    )
    position: int | None = Field(None, ge=1, description="Column position from 1, for columns without a name.")
    compose: str | None = Field(
        None,
        description="Template over other fields' text: `{year}-{month}-{day} {hour}`; empty where a part is, unless it may be: "
        "`{building}-{room?}`.",
    )
    derive: str | None = Field(None, description="Other field from whose text this one is extracted.")
    extract: Regex | None = Field(None, description="Regular expression whose first group is the value.")

    missing: tuple[str, ...] = Field((), description="Words for a missing value, besides the layout's.")
    formats: tuple[str, ...] = Field(
        (), description="Spark date patterns, or `excel_serial`, `epoch_s`, `epoch_ms`, in the order to try."
    )
    timezone: str | None = Field(None, description="Zone of local times of this field; unset: the layout's.")
    day_end: bool = Field(
        False, description="24:00 is the midnight at the end of its day, counted as a repair; unset: it is held back."
    )
    units: dict[str, Unit] = Field(
        {},
        description="Unit after the number → factor to the field's own unit, such as `{MPa: 1000}`, or factor and offset, "
        "such as `{°F: {factor: 0.5556, offset: -17.78}}`; `''`: numbers without a unit.",
    )
    censored: bool = Field(False, description="`<1` becomes the value 1, and `<` in the column `<field>_qualifier`.")
    thousands: str = Field(
        "",
        max_length=1,
        description="Thousands separator to remove: a blank means any blank, `'` any apostrophe.",
    )
    decimal: str = Field("", max_length=1, description="Decimal separator; unset: a point.")
    mapping: dict[str, str] = Field(
        {}, description="Sent word → standard word; counted as a repair. An empty cell is no word: it stays empty."
    )
    trim: bool | None = Field(
        None, description="Removes blanks at the ends; unset: yes, except in a field with a code."
    )
    full_width: bool | None = Field(
        None,
        description="Turns full-width letters, digits and marks into half-width; unset: in numbers, dates, keys, and fields "
        "with a list, a pattern or a reference, except in a field with a code.",
    )
    case: Literal["upper", "lower"] | None = Field(None, description="Converts letters to upper or lower case.")

    @model_validator(mode="before")
    @classmethod
    def _one_header(cls, value: object) -> object:
        if isinstance(value, dict) and isinstance(value.get("header"), str):
            return {**value, "header": (value["header"],)}
        return value

    @model_validator(mode="after")
    def _words_to_map(self) -> "Source":
        if any(not word.strip() for word in self.mapping):
            raise ValueError("mapping: an empty cell is no word and is never mapped; remove the empty key")
        return self

    def parts(self) -> tuple[str, ...]:
        """Fields that the template names."""
        return tuple(name for name, _ in COMPOSED.findall(self.compose or ""))

    @model_validator(mode="after")
    def _two_marks(self) -> "Source":
        for mark in filter(None, (self.thousands, self.decimal)):
            if mark.isalnum() or mark in "+-":
                raise ValueError(f"'{mark}' is part of numbers and cannot separate their digits")
        if self.thousands == self.decimal_mark():
            raise ValueError(f"'{self.thousands}' cannot separate thousands and decimals at once")
        return self

    def decimal_mark(self) -> str:
        """The decimal separator."""
        return self.decimal or "."


class Write(ContractPart):
    """How good rows reach silver; the value of the contract's `write` property."""

    mode: Literal["merge", "append"] = Field(
        "merge",
        description="`merge`: by primary key, the later delivery wins; `append`: readings of meters and sensors.",
    )
    order: Literal["arrival", "letter"] = Field(
        "arrival",
        description="Which delivery is later in a merge: the one that arrived later, or whose covering letter has the later date.",
    )
    duplicates: Literal["drop", "fail"] = Field(
        "drop", description="Identical rows; `drop`: one is loaded, the others are counted; `fail`: they break the key."
    )
    full: bool = Field(
        False,
        description="Each delivery holds the whole dataset: rows of silver whose key it lacks leave silver, and are listed in its report.",
    )
    partition_by: tuple[str, ...] = Field((), description="Fields that the silver table is partitioned by.")

    @model_validator(mode="after")
    def _by_key(self) -> "Write":
        if self.full and self.mode != "merge":
            raise ValueError("full: only with mode: merge, since rows are known to be gone by their key")
        return self


class Acceptance(ContractPart):
    """When a whole delivery is refused; the value of the contract's `acceptance` property."""

    max_failed_rows_pct: float = Field(
        100.0,
        ge=0,
        le=100,
        description="Maximum share of rows that may break a critical rule, in percent.",
    )
    min_rows: int = Field(1, ge=0, description="Minimum rows of a delivery.")
    max_removed_rows_pct: float = Field(
        50.0,
        ge=0,
        le=100,
        description="Maximum share of the rows in silver that a delivery with `write.full` may remove, in percent.",
    )


class Refresh(ContractPart):
    """A product of days or months, of which only those are built again that changed readings have to do with.

    The gold table is partitioned by its field `day` or `month`, a day in Beijing or the first day of a month.
    """

    time: str = Field(description="Timestamp field of the inputs; an input without it is read whole.")
    by: Literal["day", "month"] = Field("day", description="Field of the product with the day or month of a row.")
    lookback_d: int = Field(1, ge=0, le=366, description="Days before a day or month whose readings it depends on.")
    over_at: str = Field(
        "", description="Field that holds the end of a row's period; empty: the end of its day or month."
    )


class Product(ContractPart):
    """How a gold table is built; the value of a product contract's `product` property."""

    inputs: tuple[str, ...] = Field(description="Datasets whose silver tables are its inputs.")
    optional: tuple[str, ...] = Field((), description="Those of the inputs without which it is built all the same.")
    builder: str = Field(pattern=r"^[a-z][a-z0-9_]*$", description="Name of the transform that builds it.")
    parameters: dict[str, float] = Field({}, description="Figures of the transform that people may change.")
    refresh: Refresh | None = Field(None, description="How a part of it is built again; absent: it is built whole.")
    department_field: str = Field(
        "",
        description="Field with the department, by id or name, whose people alone read the row besides the bureau and its "
        "roles; empty: departments read all rows.",
    )


class Storage(ContractPart):
    """How a system table is stored; the value of a system contract's `storage` property.

    A table partitioned by `_received_date` is partitioned by the UTC day on which the delivery of the row was received.
    """

    replace_by: str = Field(description="A write replaces all rows with the same value of this field.")
    partition_by: tuple[str, ...] = Field((), description="Fields that partition the table.")


class County(ContractPart):
    """Which county a row belongs to, for scores by county; the value of the contract's `county` property.

    `field` is a field of the row, or, with `dataset` and `on`, of a row of another dataset joined by its primary key.
    """

    field: str = Field(description="Field that holds the county's division code.")
    dataset: str = Field("", description="Dataset that the field belongs to; empty: this one.")
    on: dict[str, str] = Field(
        {}, description="Each field of that dataset's primary key → the field of this dataset that it equals."
    )
