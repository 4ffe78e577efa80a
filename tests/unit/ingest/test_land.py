"""File names too long for a file system are refused before anything is sent."""

from pathlib import Path

import pytest

from jobs.errors import UserError
from jobs.ingest.land import Manifest, deliver
from jobs.serving.portal.multipart import safe_name
from tests.unit.serving.portal.portal_city import PartStore


def test_a_name_that_is_too_long_is_refused_and_nothing_is_sent(tmp_path: Path) -> None:
    file, store = tmp_path / ("区" * 75 + ".csv"), PartStore()
    file.write_bytes(b"a\n1\n")
    with pytest.raises(UserError, match="229 个字节，最多 190 个"):
        deliver(store, [file], "divisions", "civil_affairs", Manifest())  # type: ignore[arg-type]
    assert store.objects == {}


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("区" * 75 + ".csv", "区" * 65 + ".csv"),
        ("😀" * 60 + ".csv", "😀" * 49 + ".csv"),
        ("e\u0301" * 99 + ".xlsx", "é" * 95 + ".xlsx"),
        ("\ud800.csv", "upload.csv"),
    ],
)
def test_a_long_name_is_cut_between_characters_and_keeps_its_ending(name: str, safe: str) -> None:
    assert safe_name(name) == safe and len(safe.encode()) <= 200
