"""Expectations that Great Expectations does not ship, as its own classes: a map metric and an expectation each.

`great_expectations` takes seconds to import, so this module is imported inside the step that needs it.
"""

from typing import Any, ClassVar

from great_expectations.compatibility import pydantic
from great_expectations.compatibility.pydantic import Field
from great_expectations.execution_engine import PandasExecutionEngine, SparkDFExecutionEngine
from great_expectations.expectations.expectation import ColumnMapExpectation, MulticolumnMapExpectation
from great_expectations.expectations.metrics import ColumnMapMetricProvider
from great_expectations.expectations.metrics.map_metric_provider import (
    MulticolumnMapMetricProvider,
    column_condition_partial,
)
from great_expectations.expectations.metrics.map_metric_provider.multicolumn_condition_partial import (
    multicolumn_condition_partial,
)
from pyspark.sql import Column
from pyspark.sql import functions as F

from jobs.quality.codes import Condition, conditions
from jobs.quality.engines import PandasText, SparkText

SERIES = "Fields that identify a point; `[]`: all rows are one point."
AT = "Field with the time that orders the readings of a point."
UNLESS = "Spark SQL over the row; where it holds, the row is never flagged."
PERIOD_S = "Length of a period, in seconds."
EVERY_S = "Distance of compared periods, in seconds; 86400: the same hours of previous days."
CONDITION = "Spark SQL over the row and its lookups; a row where it is null breaks the rule."
LEAST = "Fewest readings for a median; with fewer, no reading is checked."


class ColumnValuesParse(ColumnMapMetricProvider):
    """A text parses where its typed column `parsed` has a value."""

    condition_metric_name = "column_values.parse"
    condition_value_keys = ("parsed",)

    @column_condition_partial(engine=SparkDFExecutionEngine)
    def _spark(cls, column: Column, parsed: str, **_: Any) -> Column:  # noqa: N805 - GX's own convention
        return F.col(parsed).isNotNull()


class ExpectColumnValuesToParse(ColumnMapExpectation):
    """Each text in the column has a typed value in the column `parsed`."""

    map_metric: ClassVar[str] = "column_values.parse"
    success_keys: ClassVar[tuple[str, ...]] = ("mostly", "parsed")
    args_keys: ClassVar[tuple[str, ...]] = ("column", "parsed")
    parsed: str


class ColumnValuesKnown(ColumnMapMetricProvider):
    """A value is known unless the column `flag` says that the referenced dataset lacks it."""

    condition_metric_name = "column_values.known"
    condition_value_keys = ("flag",)

    @column_condition_partial(engine=SparkDFExecutionEngine)
    def _spark(cls, column: Column, flag: str, **_: Any) -> Column:  # noqa: N805 - GX's own convention
        return ~F.col(flag)


class ExpectColumnValuesToBeKnown(ColumnMapExpectation):
    """Each value of the column occurs in `field` of the curated table of `dataset`."""

    map_metric: ClassVar[str] = "column_values.known"
    success_keys: ClassVar[tuple[str, ...]] = ("mostly", "dataset", "field", "flag")
    args_keys: ClassVar[tuple[str, ...]] = ("column", "dataset", "field", "flag")
    dataset: str
    field: str
    flag: str = ""


class ColumnValuesInSeries(ColumnMapMetricProvider):
    """A value fits its neighbours unless the column `flag` is true."""

    condition_metric_name = "column_values.in_series"
    condition_value_keys = ("flag",)

    @column_condition_partial(engine=SparkDFExecutionEngine)
    def _spark(cls, column: Column, flag: str, **_: Any) -> Column:  # noqa: N805 - GX's own convention
        return ~F.col(flag)


def whole_periods(every_s: int | None, values: dict[str, Any]) -> int | None:
    """`every_s` unchanged; ValueError where it is not a multiple of the period."""
    if every_s is not None and (every_s <= 0 or every_s % int(values.get("period_s") or 1)):
        raise ValueError("every_s must be a multiple of period_s")
    return every_s


def history_or_peers(back: int, values: dict[str, Any]) -> int:
    """`back` unchanged; ValueError where it is 0 and there are no peers."""
    if not back and values.get("peers") is None:
        raise ValueError("back: 0 needs peers to compare with")
    return back


class ExpectColumnValuesToNotBeStuck(ColumnMapExpectation):
    """No `intervals` equal readings in a row at a point while one of `while_moves` changes, unless `unless` holds."""

    map_metric: ClassVar[str] = "column_values.in_series"
    success_keys: ClassVar[tuple[str, ...]] = ("mostly", "series", "at", "intervals", "while_moves", "unless", "flag")
    args_keys: ClassVar[tuple[str, ...]] = ("column",)
    series: list[str] = Field(description=SERIES)
    at: str = Field(description=AT)
    intervals: int | str = Field(description="Equal readings in a row that make a point count as stuck.")
    while_moves: list[str] | None = Field(None, description="Other fields; at least one must change meanwhile.")
    unless: str = Field("", description=UNLESS)
    flag: str = ""


class ExpectColumnValuesToNotSpike(ColumnMapExpectation):
    """No step of more than `limit` that is reversed by the next reading, or within `readings` readings."""

    map_metric: ClassVar[str] = "column_values.in_series"
    success_keys: ClassVar[tuple[str, ...]] = ("mostly", "series", "at", "limit", "readings", "unless", "flag")
    args_keys: ClassVar[tuple[str, ...]] = ("column",)
    series: list[str] = Field(description=SERIES)
    at: str = Field(description=AT)
    limit: float | str = Field(description="Largest step between readings, in the field's unit.")
    readings: int = Field(1, description="Longest spike, in readings.")
    unless: str = Field("", description=UNLESS)
    flag: str = ""


class ExpectColumnValuesToNotFall(ColumnMapExpectation):
    """A counter never decreases, except where its dial of `digits` rolls over by a step of at most `max_step`."""

    map_metric: ClassVar[str] = "column_values.in_series"
    success_keys: ClassVar[tuple[str, ...]] = ("mostly", "series", "at", "digits", "max_step", "unless", "flag")
    args_keys: ClassVar[tuple[str, ...]] = ("column",)
    series: list[str] = Field(description=SERIES)
    at: str = Field(description=AT)
    digits: int | str = Field(0, description="Digits of the dial; 0: it never rolls over.")
    max_step: float | str = Field(0, description="Largest step at a rollover.")
    unless: str = Field("", description=UNLESS)
    flag: str = ""


class ExpectColumnValuesToFollowInTime(ColumnMapExpectation):
    """Each reading comes within `limit` intervals of `interval_s` seconds after the previous one."""

    map_metric: ClassVar[str] = "column_values.in_series"
    success_keys: ClassVar[tuple[str, ...]] = ("mostly", "series", "at", "interval_s", "limit", "unless", "flag")
    args_keys: ClassVar[tuple[str, ...]] = ("column",)
    series: list[str] = Field(description=SERIES)
    at: str = Field(description=AT)
    interval_s: float | str = Field(description="Seconds between two readings.")
    limit: float | str = Field(1.5, description="Intervals after which a reading is late.")
    unless: str = Field("", description=UNLESS)
    flag: str = ""


class ExpectColumnGrowthToMatchRate(ColumnMapExpectation):
    """A counter grows by its hourly rate times `factor`, within `tolerance` and `share` of it."""

    map_metric: ClassVar[str] = "column_values.in_series"
    success_keys: ClassVar[tuple[str, ...]] = ("mostly", "series", "at", "rate", "factor", "tolerance", "share", "flag")
    args_keys: ClassVar[tuple[str, ...]] = ("column",)
    series: list[str] = Field(description=SERIES)
    at: str = Field(description=AT)
    rate: str = Field(description="Field with the hourly rate.")
    factor: float | str = Field(1, description="Converts the unit of the hourly rate to the counter's unit.")
    tolerance: float | str = Field(description="Difference that is always allowed, in the counter's unit.")
    share: float | str = Field(0, description="Difference that is allowed as a share of the expected growth.")
    unless: str = Field("", description=UNLESS)
    flag: str = ""


class ColumnValuesSatisfy(ColumnMapMetricProvider):
    """A value satisfies a Spark SQL condition over its row; a condition that is null is not satisfied."""

    condition_metric_name = "column_values.satisfy"
    condition_value_keys = ("condition",)

    @column_condition_partial(engine=SparkDFExecutionEngine)
    def _spark(cls, column: Column, condition: str, **_: Any) -> Column:  # noqa: N805 - GX's own convention
        return F.coalesce(F.expr(condition), F.lit(False))


class ExpectColumnValuesToSatisfy(ColumnMapExpectation):
    """Each value of the column satisfies `condition`, which may name other columns and lookups."""

    map_metric: ClassVar[str] = "column_values.satisfy"
    success_keys: ClassVar[tuple[str, ...]] = ("mostly", "condition")
    args_keys: ClassVar[tuple[str, ...]] = ("column", "condition")
    condition: str = Field(description=CONDITION)


class ExpectColumnValuesToNotDepart(ColumnMapExpectation):
    """No `readings` in a row off the median of the previous `back` periods by more than `limit` and `spreads` sigmas.

    Periods are `period_s` seconds long and `every_s` apart (consecutive where it is not given). The sigma is
    robust, of the deviations in the same periods; a median needs `least` readings.
    """

    map_metric: ClassVar[str] = "column_values.in_series"
    success_keys: ClassVar[tuple[str, ...]] = (
        *("mostly", "series", "at", "period_s", "every_s", "back", "least"),
        *("limit", "spreads", "readings", "unless", "flag"),
    )
    args_keys: ClassVar[tuple[str, ...]] = ("column",)
    series: list[str] = Field(description=SERIES)
    at: str = Field(description=AT)
    period_s: pydantic.conint(gt=0) = Field(description=PERIOD_S)  # type: ignore[valid-type]
    every_s: int | None = Field(None, description=EVERY_S)
    back: pydantic.conint(gt=0) = Field(description="Previous periods in the baseline.")  # type: ignore[valid-type]
    least: int = Field(description=LEAST)
    limit: float | str = Field(description="Largest deviation from the baseline, in the field's unit.")
    spreads: float | str = Field(description="Largest deviation in robust sigmas; 0: `limit` alone counts.")
    readings: int | str = Field(description="Deviating readings in a row that are flagged.")
    unless: str = Field("", description=UNLESS)
    flag: str = ""
    _whole = pydantic.validator("every_s", allow_reuse=True)(whole_periods)


class ExpectColumnValuesToNotDrift(ColumnMapExpectation):
    """No `readings` in a row in periods whose median is off that of the previous `back` periods by more than `limit`.

    With `peers`, the median change of the points that share these fields is subtracted; with `back` 0, levels are
    compared with the peers' directly.
    """

    map_metric: ClassVar[str] = "column_values.in_series"
    success_keys: ClassVar[tuple[str, ...]] = (
        *("mostly", "series", "at", "period_s", "every_s", "back", "least"),
        *("peers", "limit", "readings", "unless", "flag"),
    )
    args_keys: ClassVar[tuple[str, ...]] = ("column",)
    series: list[str] = Field(description=SERIES)
    at: str = Field(description=AT)
    period_s: pydantic.conint(gt=0) = Field(description=PERIOD_S)  # type: ignore[valid-type]
    every_s: int | None = Field(None, description=EVERY_S)
    peers: list[str] | None = Field(
        None, description="Fields that peer points share, whose median change is subtracted; `[]`: all points."
    )
    back: pydantic.conint(ge=0) = Field(  # type: ignore[valid-type]
        description="Previous periods in the baseline; 0: levels are compared with the peers' directly."
    )
    least: int = Field(description=LEAST)
    limit: float | str = Field(description="Largest change of a period's median, in the field's unit.")
    readings: int | str = Field(description="Readings in a row, in deviating periods, that are flagged.")
    unless: str = Field("", description=UNLESS)
    flag: str = ""
    _whole = pydantic.validator("every_s", allow_reuse=True)(whole_periods)
    _compared = pydantic.validator("back", allow_reuse=True)(history_or_peers)


class MulticolumnValuesSatisfy(MulticolumnMapMetricProvider):
    """A row satisfies a Spark SQL condition over its columns; a condition that is null is not satisfied."""

    condition_metric_name = "multicolumn_values.satisfy"
    condition_domain_keys = ("batch_id", "table", "column_list", "row_condition", "condition_parser", "ignore_row_if")
    condition_value_keys = ("condition",)

    @multicolumn_condition_partial(engine=SparkDFExecutionEngine)
    def _spark(cls, column_list: Any, condition: str, **_: Any) -> Column:  # noqa: N805 - GX's own convention
        return F.coalesce(F.expr(condition), F.lit(False))


class ExpectMulticolumnValuesToSatisfy(MulticolumnMapExpectation):
    """Each row's values satisfy `condition`: arithmetic, sums and time differences between columns."""

    map_metric: ClassVar[str] = "multicolumn_values.satisfy"
    success_keys: ClassVar[tuple[str, ...]] = ("mostly", "condition")
    args_keys: ClassVar[tuple[str, ...]] = ("column_list", "condition")
    condition: str = Field(description=CONDITION)


def _register(name: str, condition: Condition) -> None:
    """The metric and the expectation of a code; defining the classes registers both with GX."""

    @column_condition_partial(engine=SparkDFExecutionEngine)
    def on_spark(cls: Any, column: Column, **_: Any) -> Column:
        return condition(SparkText(), column)

    @column_condition_partial(engine=PandasExecutionEngine)
    def on_pandas(cls: Any, column: Any, **_: Any) -> Any:
        return condition(PandasText(), column)

    camel = "".join(part.capitalize() for part in name.split("_"))
    metric = f"column_values.{name}"
    members = {"condition_metric_name": metric, "_spark": on_spark, "_pandas": on_pandas, "__module__": __name__}
    type(f"ColumnValues{camel}", (ColumnMapMetricProvider,), members)
    attributes = {"__doc__": condition.__doc__, "__module__": __name__, "map_metric": metric}
    annotations = {
        "map_metric": ClassVar[str],
        "success_keys": ClassVar[tuple[str, ...]],
        "args_keys": ClassVar[tuple[str, ...]],
    }
    keys = {"success_keys": ("mostly",), "args_keys": ("column",), "__annotations__": annotations}
    type(f"ExpectColumnValuesToBe{camel}", (ColumnMapExpectation,), {**attributes, **keys})


for _name, _condition in conditions().items():
    _register(_name, _condition)
