"""Rows of the engine whose column names are known: asking the engine would send it the whole plan, each time."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from pyspark.sql import Column, DataFrame

from jobs.contracts.names import SENT


@dataclass(frozen=True)
class NamedRows:
    """Rows and the names of their columns, in order."""

    frame: DataFrame
    columns: tuple[str, ...]
    number: int | None = None
    """Number of rows, where it is known."""

    @classmethod
    def of(cls, frame: DataFrame) -> "NamedRows":
        """Rows whose names the engine knows; one request."""
        return cls(frame, tuple(frame.columns))

    def with_columns(self, columns: Mapping[str, Column]) -> "NamedRows":
        """The rows with further columns, or with other values in these."""
        new = tuple(name for name in columns if name not in self.columns)
        return replace(self, frame=self.frame.withColumns(dict(columns)), columns=(*self.columns, *new))

    def sent(self) -> tuple[str, ...]:
        """Names of the delivered columns, as the sender calls them."""
        return tuple(name.removeprefix(SENT) for name in self.columns if name.startswith(SENT))
