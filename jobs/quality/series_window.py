"""What a rule over neighbouring readings sees of the rows: its value, its neighbours, and whom it never judges."""

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
        """A parameter: a number, or the words of a field beside the row, such as `devices.dial_digits`."""
        told = self.kwargs.get(name)
        return F.expr(told).cast("double") if isinstance(told, str) else F.lit(float(told or default))

    def points(self, *further: str) -> str:
        """The start of a window: rows of one point, and of one value of each further column; nothing where all are one."""
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
        """Rows that `unless` names."""
        unless = self.kwargs.get("unless")
        return F.coalesce(F.expr(str(unless)), F.lit(False)) if unless else F.lit(False)
