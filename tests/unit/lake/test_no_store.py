"""Opening a table without a configured S3 server is an error with the remedy."""

import pytest

from jobs.errors import ServiceUnavailable
from jobs.lake.lake import Lake
from jobs.lake.zones import Zone
from jobs.settings import Settings


def test_a_table_needs_a_server() -> None:
    lake = Lake(Settings(s3_endpoint=""))
    path = lake.path(Zone.SILVER, "divisions")
    for ask in (lambda: lake.delta.open(path), lambda: lake.delta.count(path), lambda: lake.store):
        with pytest.raises(ServiceUnavailable, match="lake up"):
            ask()
