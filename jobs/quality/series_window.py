"""Window of a rule over neighbouring readings: its value, its neighbours, and the rows exempt from it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pyspark.sql import Column
from pyspark.sql import functions as F

from jobs.lake.bits import quoted


@dataclass(frozen=True)
class SeriesWindow:
    """One rule's view of the rows: its value within the physical band, and its neighbours in order."""

    kwargs: Mapping[str, Any]
    value: str

    def number(self, name: str, default: float = 0) -> Column:
        """A parameter: a number, or a field of the row or of a lookup, such as `devices.dial_digits`."""
        argument = self.kwargs.get(name)
        return F.expr(argument).cast("double") if isinstance(argument, str) else F.lit(float(argument or default))

    def points(self, *further: str) -> str:
        """PARTITION BY of a window, by point and by each further column; empty where all rows are one point."""
        names = [*(quoted(name) for name in self.kwargs["series"]), *further]
        return f"PARTITION BY {', '.join(names)}" if names else ""

    def order(self) -> str:
        """A window over the readings of one point in the order of time."""
        return f"{self.points()} ORDER BY {quoted(self.kwargs['at'])}, _file, _row"

    def prior(self, column: str) -> Column:
        """The nearest earlier value of the column."""
        return F.expr(f"lag({column}) IGNORE NULLS OVER ({self.order()})")

    def next(self, column: str) -> Column:
        """The nearest later value of the column."""
        return F.expr(f"lead({column}) IGNORE NULLS OVER ({self.order()})")

    def so_far(self, column: str) -> Column:
        """The sum of the column over the point's readings up to the row."""
        window = f"{self.order()} ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW"
        return F.expr(f"sum(coalesce({column}, 0)) OVER ({window})")

    def exempt(self) -> Column:
        """Rows that match `unless`."""
        unless = self.kwargs.get("unless")
        return F.coalesce(F.expr(str(unless)), F.lit(False)) if unless else F.lit(False)
