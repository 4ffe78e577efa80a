"""Expectations that Great Expectations does not ship, in its own words: a map metric and an expectation each.

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

SERIES = "Fields that tell points apart; `[]`: all rows are one point."
AT = "Field with the time that orders the readings of a point."
UNLESS = "Spark SQL over the row; where it holds, the row is never flagged."
PERIOD_S = "Length of a period, in seconds."
EVERY_S = "Distance of compared periods, in seconds; 86400: the same hours of the days before."
CONDITION = "Spark SQL over the row and its lookups; where it cannot be decided, the row breaks the rule."
LEAST = "Fewest readings that make a median; with fewer, nothing is judged."


class ColumnValuesParse(ColumnMapMetricProvider):
    """A text parses where the column `parsed` beside it has a value."""

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
    """A value is known where the engine found it in the referenced dataset and says so in `flag`."""

    condition_metric_name = "column_values.known"
    condition_value_keys = ("flag",)

    @column_condition_partial(engine=SparkDFExecutionEngine)
    def _spark(cls, column: Column, flag: str, **_: Any) -> Column:  # noqa: N805 - GX's own convention
        return ~F.col(flag)


class ExpectColumnValuesToBeKnown(ColumnMapExpectation):
    """Each value of the column stands in `field` of the curated table of `dataset`."""

    map_metric: ClassVar[str] = "column_values.known"
    success_keys: ClassVar[tuple[str, ...]] = ("mostly", "dataset", "field", "flag")
    args_keys: ClassVar[tuple[str, ...]] = ("column", "dataset", "field", "flag")
    dataset: str
    field: str
    flag: str = ""


class ColumnValuesInSeries(ColumnMapMetricProvider):
    """A value is right among its neighbours unless the engine's flag says otherwise."""

    condition_metric_name = "column_values.in_series"
    condition_value_keys = ("flag",)

    @column_condition_partial(engine=SparkDFExecutionEngine)
    def _spark(cls, column: Column, flag: str, **_: Any) -> Column:  # noqa: N805 - GX's own convention
        return ~F.col(flag)


def whole_periods(every_s: int | None, values: dict[str, Any]) -> int | None:
    """The distance of periods as it is given; ValueError where it is not a number of whole periods."""
    if every_s is not None and (every_s <= 0 or every_s % int(values.get("period_s") or 1)):
        raise ValueError("every_s must be a multiple of period_s")
    return every_s


def history_or_peers(back: int, values: dict[str, Any]) -> int:
    """The number of periods as it is given; ValueError where there is neither a period before nor a peer."""
    if not back and values.get("peers") is None:
        raise ValueError("back: 0 needs peers to compare with")
    return back


class ExpectColumnValuesToNotBeStuck(ColumnMapExpectation):
    """No `intervals` equal readings in a row at a point, while another of its readings moves; not where `unless` holds."""

    map_metric: ClassVar[str] = "column_values.in_series"
    success_keys: ClassVar[tuple[str, ...]] = ("mostly", "series", "at", "intervals", "while_moves", "unless", "flag")
    args_keys: ClassVar[tuple[str, ...]] = ("column",)
    series: list[str] = Field(description=SERIES)
    at: str = Field(description=AT)
    intervals: int | str = Field(description="Equal readings in a row that make a point stuck.")
    while_moves: list[str] | None = Field(None, description="Other fields, of which one must move meanwhile.")
    unless: str = Field("", description=UNLESS)
    flag: str = ""


class ExpectColumnValuesToNotSpike(ColumnMapExpectation):
    """No reading that leaves its neighbours by more than `limit` and is back with the next, or after `readings`."""

    map_metric: ClassVar[str] = "column_values.in_series"
    success_keys: ClassVar[tuple[str, ...]] = ("mostly", "series", "at", "limit", "readings", "unless", "flag")
    args_keys: ClassVar[tuple[str, ...]] = ("column",)
    series: list[str] = Field(description=SERIES)
    at: str = Field(description=AT)
    limit: float | str = Field(description="Largest step between readings, in the field's unit.")
    readings: int = Field(1, description="Most readings that one spike lasts.")
    unless: str = Field("", description=UNLESS)
    flag: str = ""


class ExpectColumnValuesToNotFall(ColumnMapExpectation):
    """A counter never falls, but where its dial of `digits` rolls over by a step of at most `max_step`."""

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
    """Each reading comes within `limit` intervals of `interval_s` seconds after the one before."""

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
    """A counter grows by what its rate an hour gives, times `factor`, within `tolerance` and `share` of it."""

    map_metric: ClassVar[str] = "column_values.in_series"
    success_keys: ClassVar[tuple[str, ...]] = ("mostly", "series", "at", "rate", "factor", "tolerance", "share", "flag")
    args_keys: ClassVar[tuple[str, ...]] = ("column",)
    series: list[str] = Field(description=SERIES)
    at: str = Field(description=AT)
    rate: str = Field(description="Field with the rate an hour.")
    factor: float | str = Field(1, description="From the rate's unit an hour to the counter's unit.")
    tolerance: float | str = Field(description="Difference that is always allowed, in the counter's unit.")
    share: float | str = Field(0, description="Difference that is allowed as a share of the growth that is due.")
    unless: str = Field("", description=UNLESS)
    flag: str = ""


class ColumnValuesSatisfy(ColumnMapMetricProvider):
    """A value satisfies a Spark SQL condition over its row; a condition that cannot be decided is not satisfied."""

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
    """No `readings` in a row that leave the median of the `back` periods before by more than `limit` and `spreads` sigmas.

    Periods are `period_s` seconds long and `every_s` apart (one after the other where it is not given). The sigma is
    robust, of the departures in the same periods; `least` readings make a median.
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
    back: pydantic.conint(gt=0) = Field(description="Periods before that say what is usual.")  # type: ignore[valid-type]
    least: int = Field(description=LEAST)
    limit: float | str = Field(description="Largest departure from what is usual, in the field's unit.")
    spreads: float | str = Field(description="Largest departure in robust sigmas; 0: `limit` alone counts.")
    readings: int | str = Field(description="Departing readings in a row that are flagged.")
    unless: str = Field("", description=UNLESS)
    flag: str = ""
    _whole = pydantic.validator("every_s", allow_reuse=True)(whole_periods)


class ExpectColumnValuesToNotDrift(ColumnMapExpectation):
    """No `readings` in a row in periods whose median leaves that of the `back` periods before by more than `limit`.

    With `peers`, what the median point of those that share these fields does in the period is taken off; with `back`
    0, levels are compared with the peers' as they are.
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
        None, description="Fields that sibling points share, whose median change is taken off; `[]`: all points."
    )
    back: pydantic.conint(ge=0) = Field(  # type: ignore[valid-type]
        description="Periods before that say what is usual; 0: levels are compared with the peers' as they are."
    )
    least: int = Field(description=LEAST)
    limit: float | str = Field(description="Largest change of a period's median, in the field's unit.")
    readings: int | str = Field(description="Readings in a row, in periods that are off, that are flagged.")
    unless: str = Field("", description=UNLESS)
    flag: str = ""
    _whole = pydantic.validator("every_s", allow_reuse=True)(whole_periods)
    _compared = pydantic.validator("back", allow_reuse=True)(history_or_peers)


class MulticolumnValuesSatisfy(MulticolumnMapMetricProvider):
    """A row satisfies a Spark SQL condition over its columns; a condition that cannot be decided is not satisfied."""

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
    """The metric and the expectation of a code; GX knows both by the classes' being made."""

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
    words = {"__doc__": condition.__doc__, "__module__": __name__, "map_metric": metric}
    kinds = {
        "map_metric": ClassVar[str],
        "success_keys": ClassVar[tuple[str, ...]],
        "args_keys": ClassVar[tuple[str, ...]],
    }
    keys = {"success_keys": ("mostly",), "args_keys": ("column",), "__annotations__": kinds}
    type(f"ExpectColumnValuesToBe{camel}", (ColumnMapExpectation,), {**words, **keys})


for _name, _condition in conditions().items():
    _register(_name, _condition)
