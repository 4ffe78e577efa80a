"""Facts about the time zones of local times."""

from datetime import datetime
from functools import lru_cache
from zoneinfo import ZoneInfo


@lru_cache
def changes_clock(zone: str) -> bool:
    """Whether the zone has had two offsets since 1992, so that local times can double or be missing."""
    offsets = {
        datetime(year, month, 1, tzinfo=ZoneInfo(zone)).utcoffset() for year in range(1992, 2031) for month in (1, 7)
    }
    return len(offsets) > 1
