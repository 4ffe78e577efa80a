"""Expectations that Great Expectations does not ship, in its own words: a map metric and an expectation each.

`great_expectations` takes seconds to import, so this module is imported inside the step that needs it.
"""

from typing import Any, ClassVar

from great_expectations.execution_engine import SparkDFExecutionEngine
from great_expectations.expectations.expectation import ColumnMapExpectation
from great_expectations.expectations.metrics import ColumnMapMetricProvider
from great_expectations.expectations.metrics.map_metric_provider import column_condition_partial
from pyspark.sql import Column
from pyspark.sql import functions as F


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
