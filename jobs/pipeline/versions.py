"""Which version of each table an evaluation reads."""

from collections.abc import Callable
from datetime import datetime
from functools import partial

from jobs.lake.lake import Lake
from jobs.lake.zones import TablePath

Versions = Callable[[TablePath], int | None]
"""The version of a table that is to be read; None where there is none."""


def latest_versions(lake: Lake) -> Versions:
    """Tables as they are now."""
    return lake.delta.version


def as_of(lake: Lake, moment: datetime) -> Versions:
    """Tables as they were at a moment."""
    return partial(lake.delta.version_at, moment=moment)
