"""Expectations over the readings of one point in their order; `jobs.quality.series` makes the flags that they read."""

from typing import Any, ClassVar

from great_expectations.compatibility.pydantic import Field
from great_expectations.execution_engine import SparkDFExecutionEngine
from great_expectations.expectations.expectation import ColumnMapExpectation
from great_expectations.expectations.metrics import ColumnMapMetricProvider
from great_expectations.expectations.metrics.map_metric_provider import column_condition_partial
from pyspark.sql import Column
from pyspark.sql import functions as F

SERIES = "Fields that identify a point; `[]`: all rows are one point."
AT = "Field with the time that orders the readings of a point."
UNLESS = "Spark SQL over the row; where it holds, the row is never flagged."


class ColumnValuesInSeries(ColumnMapMetricProvider):
    """A value fits its neighbours unless the column `flag` is true."""

    condition_metric_name = "column_values.in_series"
    condition_value_keys = ("flag",)

    @column_condition_partial(engine=SparkDFExecutionEngine)
    def _spark(cls, column: Column, flag: str, **_: Any) -> Column:  # noqa: N805 - GX's own convention
        return ~F.col(flag)


class ColumnValuesNotSilent(ColumnMapMetricProvider):
    """A row, with a value or without, fits its neighbours unless the column `flag` is true."""

    condition_metric_name = "column_values.silence.in_series"
    condition_value_keys = ("flag",)
    filter_column_isnull = False

    @column_condition_partial(engine=SparkDFExecutionEngine)
    def _spark(cls, column: Column, flag: str, **_: Any) -> Column:  # noqa: N805 - GX's own convention
        return ~F.col(flag)


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


class ExpectColumnValuesToNotChangeUnit(ColumnMapExpectation):
    """No reading is the previous one in another unit, within a share of `tolerance`: a change of unit.

    The first reading in the other unit is flagged, and the first one that is right again. With `readings`, the median of
    those in so many rows before is compared instead, so that all are flagged until the other unit is usual.
    """

    map_metric: ClassVar[str] = "column_values.in_series"
    success_keys: ClassVar[tuple[str, ...]] = (
        *("mostly", "series", "at", "factors", "conversions", "readings", "tolerance", "unless", "flag"),
    )
    args_keys: ClassVar[tuple[str, ...]] = ("column",)
    series: list[str] = Field(description=SERIES)
    at: str = Field(description=AT)
    tolerance: float | str = Field(description="Share by which the ratio of two readings may miss the factor.")
    factors: list[float] | None = Field(None, description="Factors between units; absent: the usual ones.")
    conversions: list[list[float]] | None = Field(
        None, description="Conversions with an offset, each as factor and offset: [1.8, 32] from ℃ to ℉."
    )
    readings: int = Field(0, description="Rows before, whose median is compared; 0: the previous reading.")
    unless: str = Field("", description=UNLESS)
    flag: str = ""


class ExpectColumnValuesToNotBeSilent(ColumnMapExpectation):
    """Rows of a point do not come without a value for more than `longest_s` seconds, unless `unless` holds."""

    map_metric: ClassVar[str] = "column_values.silence.in_series"
    success_keys: ClassVar[tuple[str, ...]] = ("mostly", "series", "at", "longest_s", "unless", "flag")
    args_keys: ClassVar[tuple[str, ...]] = ("column",)
    series: list[str] = Field(description=SERIES)
    at: str = Field(description=AT)
    longest_s: float | str = Field(description="Longest time without a value, in seconds.")
    unless: str = Field("", description=UNLESS)
    flag: str = ""

    def _validate(self, metrics: dict[str, Any], *arguments: Any, **named: Any) -> Any:
        """Rows without a value are what the rule is about: none is left out."""
        return super()._validate({**metrics, "column_values.nonnull.unexpected_count": 0}, *arguments, **named)
