"""Expectations that Great Expectations does not ship, as its own classes: a map metric and an expectation each.

`great_expectations` takes seconds to import, so this module is imported inside the step that needs it.
"""

from typing import Any, ClassVar

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

from jobs.quality import level_expectations  # registers its expectations with Great Expectations, as this module does
from jobs.quality.codes import Condition, conditions
from jobs.quality.engines import PandasText, SparkText

CONDITION = "Spark SQL over the row and its lookups; a row where it is null breaks the rule."


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
    """A value is known unless the column `flag` says that the referenced dataset lacks it, or holds it back."""

    condition_metric_name = "column_values.known"
    condition_value_keys = ("flag",)

    @column_condition_partial(engine=SparkDFExecutionEngine)
    def _spark(cls, column: Column, flag: str, **_: Any) -> Column:  # noqa: N805 - GX's own convention
        return ~F.col(flag)


class ExpectColumnValuesToBeKnown(ColumnMapExpectation):
    """Each value of the column occurs in `field` of the curated table of `dataset`."""

    map_metric: ClassVar[str] = "column_values.known"
    success_keys: ClassVar[tuple[str, ...]] = ("mostly", "dataset", "field", "includes_held_back", "flag")
    args_keys: ClassVar[tuple[str, ...]] = ("column", "dataset", "field", "includes_held_back", "flag")
    dataset: str
    field: str
    includes_held_back: bool = False
    flag: str = ""


class ExpectColumnValuesToNotBeHeldBack(ColumnMapExpectation):
    """No value occurs only in rows of `dataset` that are in quarantine there."""

    map_metric: ClassVar[str] = "column_values.known"
    success_keys: ClassVar[tuple[str, ...]] = ("mostly", "dataset", "field", "flag")
    args_keys: ClassVar[tuple[str, ...]] = ("column", "dataset", "field", "flag")
    dataset: str
    field: str
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

__all__ = ["level_expectations"]
