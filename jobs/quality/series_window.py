"""Columns that rules over neighbouring readings need, made for all rules at once: layer by layer, equal ones once.

A layer is one select over the columns of those before it, so the plan is as deep for three hundred rules as for one. The
windows over the readings of one point in the order of time share one sort; a window over runs of readings would need
one for each rule, so what lies in a run is counted between its first row and the first row of the next.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.contracts import Contract
from jobs.lake.bits import quoted

ROW = "_of_row"
"""All columns that came with the rows, as one: no layer has to resolve them one by one."""


class Layer(IntEnum):
    """What a column is made of; windows of one layer see the columns of those before it."""

    VALUE = 0
    """The row alone."""
    PERIOD = 1
    """The readings of a period, or of those before it."""
    AMONG = 2
    """What the periods before, or those of peers, gave."""
    NEAR = 3
    """The readings before and after."""
    RUN = 4
    """First rows of runs of readings."""
    MOVE = 5
    """Changes within a run."""


@dataclass
class Columns:
    """The columns by place: their number among the windows in time, and layer."""

    by_place: dict[tuple[int, Layer], dict[str, str]] = field(default_factory=dict)
    """SQL → name."""

    def put(self, place: tuple[int, Layer], sql: str) -> str:
        """The name of the column that the SQL makes."""
        made = self.by_place.setdefault(place, {})
        if sql not in made:
            made[sql] = f"_n{sum(map(len, self.by_place.values()))}"
        return made[sql]

    def over(self, rows: DataFrame) -> DataFrame:
        """The columns, and the rows they belong to in `_of_row`."""
        layers = [made for _, made in sorted(self.by_place.items())]
        for number, made in enumerate(layers):
            came = F.col("*") if number else F.struct("*").alias(ROW)
            rows = rows.select(came, *(F.expr(sql).alias(name) for sql, name in made.items()))
        return rows


@dataclass(frozen=True)
class SeriesWindow:
    """One rule's view of the rows: its value within the physical band, and its neighbours in order.

    Everything is the SQL of an expression. `number` tells the windows by point and time apart.
    """

    kwargs: Mapping[str, Any]
    contract: Contract
    columns: Columns
    number: int = 0

    def put(self, layer: Layer, sql: str) -> str:
        """The name of a column of the layer."""
        return self.columns.put((self.number if layer else 0, layer), sql)

    def field(self, name: str) -> str:
        """A field of the row."""
        return self.put(Layer.VALUE, quoted(name))

    def within_band(self, name: str) -> str:
        """A field of the row; of a number, null outside the physical band."""
        declared, column = self.contract.field(name), quoted(name)
        if declared.type not in ("integer", "number"):
            return column
        limits = ((">=", declared.minimum), ("<=", declared.maximum))
        inside = [f"{column} {sign} {literal(float(limit))}" for sign, limit in limits if limit is not None]
        return f"CASE WHEN {' AND '.join(inside) or 'true'} THEN CAST({column} AS DOUBLE) END"

    def value(self, is_exempt_left_out: bool = False) -> str:
        """The reading; null outside its band, and where point or time is unknown."""
        known = [f"{quoted(name)} IS NOT NULL" for name in (*self.kwargs["series"], self.kwargs["at"])]
        known += [f"NOT {self._matches_unless()}"] if is_exempt_left_out else []
        return self.put(
            Layer.VALUE, f"CASE WHEN {' AND '.join(known)} THEN {self.within_band(self.kwargs['column'])} END"
        )

    def parameter(self, name: str, default: float = 0) -> str:
        """A parameter: a number, or a field of the row or of a lookup, such as `devices.dial_digits`."""
        argument = self.kwargs.get(name)
        if isinstance(argument, str):
            return self.put(Layer.VALUE, f"CAST(({argument}\n) AS DOUBLE)")
        return literal(float(argument or default))

    def exempt(self) -> str:
        """Whether the row matches `unless`."""
        return self.put(Layer.VALUE, self._matches_unless())

    def _matches_unless(self) -> str:
        unless = self.kwargs.get("unless")
        return f"coalesce(({unless}\n), false)" if unless else "false"

    def points(self, *further: str) -> str:
        """PARTITION BY of a window, by point and by each further column; empty where all rows are one point."""
        names = [*map(self.field, self.kwargs["series"]), *further]
        return f"PARTITION BY {', '.join(names)}" if names else ""

    def order(self) -> str:
        """A window over the readings of one point in the order of time."""
        return f"{self.points()} ORDER BY {', '.join(map(self.field, (self.kwargs['at'], '_file', '_row')))}"

    def prior(self, column: str, layer: Layer = Layer.NEAR) -> str:
        """The nearest earlier value of the column."""
        return self.put(layer, f"lag({column}) IGNORE NULLS OVER ({self.order()})")

    def next(self, column: str, layer: Layer = Layer.NEAR) -> str:
        """The nearest later value of the column."""
        return self.put(layer, f"lead({column}) IGNORE NULLS OVER ({self.order()})")

    def latest(self, column: str, layer: Layer = Layer.RUN) -> str:
        """The nearest value of the column at the row or before it."""
        return self.put(layer, f"coalesce({column}, lag({column}) IGNORE NULLS OVER ({self.order()}))")

    def first(self, column: str) -> str:
        """The least value of the column in the point's rows up to the row."""
        rows = "ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW"
        return self.put(Layer.NEAR, f"min({column}) OVER ({self.order()} {rows})")

    def so_far(self, condition: str) -> str:
        """How many of the point's readings up to the row meet the condition."""
        rows = "ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW"
        return self.put(Layer.NEAR, f"count_if({condition}) OVER ({self.order()} {rows})")

    def in_all(self, condition: str) -> str:
        """How many of the point's readings meet the condition."""
        rows = "ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING"
        return self.put(Layer.NEAR, f"count_if({condition}) OVER ({self.order()} {rows})")


def literal(number: float) -> str:
    """A number as SQL."""
    return f"double('{number!r}')"
