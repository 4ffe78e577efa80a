"""What broke off half-way does not lie in the store for ever."""

from datetime import UTC, datetime, timedelta

import pytest

from jobs.contracts import Registry
from jobs.lake.lake import Lake
from jobs.pipeline import maintenance
from jobs.pipeline.maintenance import upkeep

PART = b"x" * (5 << 20)


def unfinished(lake: Lake) -> list[str]:
    found = lake.store._s3.list_multipart_uploads(Bucket=lake.store.bucket)
    return sorted(one["Key"] for one in found.get("Uploads", []))


def test_uploads_that_broke_off_are_forgotten_and_those_under_way_go_on(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken, going = lake.store.begin("landing/a/broken.csv"), lake.store.begin("landing/a/going.csv")
    for one in (broken, going):
        one.put(PART)
    upkeep(lake, Registry({}, {}))
    assert unfinished(lake) == ["landing/a/broken.csv", "landing/a/going.csv"], "both are young"
    going.put(b"end")
    going.complete()
    monkeypatch.setattr(maintenance, "UNFINISHED", timedelta(hours=-1))
    upkeep(lake, Registry({}, {}))
    assert unfinished(lake) == []
    assert lake.store.head("landing/a/broken.csv") is None
    assert lake.store.get_bytes("landing/a/going.csv") == PART + b"end"
    assert lake.store.abort_uploads(datetime.now(UTC) + timedelta(days=1)) == 0
