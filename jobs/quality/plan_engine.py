"""Great Expectations' Spark engine for compiling rules: what it asks about the table is known from the plan."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from great_expectations.execution_engine import SparkDFExecutionEngine
from great_expectations.validator.metric_configuration import MetricConfiguration
from pyspark.sql import SparkSession
from pyspark.sql.types import (
    BooleanType,
    DataType,
    DateType,
    DecimalType,
    DoubleType,
    LongType,
    StringType,
    StructField,
    StructType,
    TimestampType,
)

from jobs.contracts import MALFORMED, text_column
from jobs.contracts.names import FILE, LINE, ROW, SENT_DATE
from jobs.quality.plan import Plan

TYPES: Mapping[str, DataType] = {
    "string": StringType(),
    "bigint": LongType(),
    "double": DoubleType(),
    "date": DateType(),
    "timestamp": TimestampType(),
    "boolean": BooleanType(),
}
DECIMAL = re.compile(r"decimal\((\d+), ?(\d+)\)")
TECHNICAL_TYPES = {MALFORMED: "string", FILE: "string", LINE: "string", ROW: "bigint", SENT_DATE: "date"}


class PlanEngine(SparkDFExecutionEngine):  # type: ignore[misc]  # GX has no types for it
    """Answers questions about the table from the plan, so that compiling its rules sends nothing to Spark."""

    def __init__(self, spark: SparkSession, plan: Plan) -> None:
        super().__init__(persist=False)
        self._types = column_types(plan)
        schema = StructType([StructField(name, kind) for name, kind in self._types.items()])
        self.load_batch_data("delivery", spark.createDataFrame([], schema))

    def resolve_metrics(
        self,
        metrics_to_resolve: Iterable[MetricConfiguration],
        metrics: dict[Any, Any] | None = None,
        runtime_configuration: dict[str, Any] | None = None,
    ) -> dict[Any, Any]:
        """As Great Expectations resolves them, but for those about the table as a whole."""
        asked = list(metrics_to_resolve)
        known = {metric.id: self._known(metric.metric_name) for metric in asked if _is_about_table(metric)}
        others = [metric for metric in asked if metric.id not in known]
        return known | (super().resolve_metrics(others, metrics, runtime_configuration) if others else {})

    def _known(self, name: str) -> Any:
        if name == "table.column_types":
            return [{"name": column, "type": kind} for column, kind in self._types.items()]
        return list(self._types) if name == "table.columns" else 0


def _is_about_table(metric: MetricConfiguration) -> bool:
    return metric.metric_name.removesuffix(".aggregate_fn") in (
        "table.column_types",
        "table.columns",
        "table.row_count",
    )


def column_types(plan: Plan) -> dict[str, DataType]:
    """Type of each column of the plan's evaluated rows."""
    names = dict(TECHNICAL_TYPES)
    for field in plan.contract.fields:
        names[text_column(field)] = "string"
        names[field.name] = field.spark_type()
    flags = [*(g.flag for g in plan.groups), *(r.flag for r in plan.references), *(s.flag for s in plan.series)]
    names |= dict.fromkeys(flags, "boolean")
    return {name: _type(kind) for name, kind in names.items()}


def _type(ddl: str) -> DataType:
    if decimal := DECIMAL.fullmatch(ddl):
        return DecimalType(int(decimal[1]), int(decimal[2]))
    return TYPES[ddl] if ddl in TYPES else DataType.fromDDL(ddl)
