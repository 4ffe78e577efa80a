"""Which version of each table an evaluation reads."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from jobs.lake.lake import Lake
from jobs.lake.zones import TablePath


@dataclass(frozen=True)
class Versions:
    """The version of a table that is to be read, None where there is none; as of a moment, or now."""

    of: Callable[[TablePath], int | None]
    moment: datetime | None = None

    def __call__(self, path: TablePath) -> int | None:
        return self.of(path)


def latest_versions(lake: Lake) -> Versions:
    """Tables as they are now."""
    return Versions(lake.delta.version)


def as_of(lake: Lake, moment: datetime) -> Versions:
    """Tables as they were at a moment."""
    return Versions(partial(lake.delta.version_at, moment=moment), moment)
