"""Putting files into the landing zone, and the order in which deliveries of one second are recorded."""

from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest

from jobs.errors import UserError
from jobs.ingest.land import Manifest, deliver, land
from jobs.lake.ledger import Ledger
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


def test_deliveries_of_one_second_are_recorded_in_the_order_in_which_they_were_sent(tmp_path: Path) -> None:
    ledger, store = Ledger(f"sqlite:///{tmp_path / 'ledger.db'}"), PartStore()  # whose objects are all of one second
    ledger.migrate()
    for name, content in (("c", "old"), ("a", "new"), ("b", "old")):
        (tmp_path / f"{name}.csv").write_text(content, encoding="utf-8")
        deliver(store, [tmp_path / f"{name}.csv"], "divisions", "civil_affairs", Manifest())  # type: ignore[arg-type]
    lake = SimpleNamespace(ledger=ledger, store=store)
    landed = land(lake, {"divisions": "civil_affairs"}, datetime(2026, 1, 12, tzinfo=UTC))  # type: ignore[arg-type]
    assert [(one.delivery.names(), one.is_new) for one in landed] == [
        (("c.csv",), True),
        (("a.csv",), True),
        (("b.csv",), True),  # holds again after the newer one
    ]


def test_the_time_of_an_upload_needs_its_zone_and_without_one_the_name_decides(tmp_path: Path) -> None:
    ledger, store = Ledger(f"sqlite:///{tmp_path / 'ledger.db'}"), PartStore()
    ledger.migrate()
    for name, time in (("b", "2026-01-12T08:00:00"), ("a", "8 o'clock"), ("d", ""), ("c", "")):
        store.put_bytes(f"landing/civil_affairs/divisions/{name}.csv", name.encode())
        if time:
            store.put_bytes(
                f"landing/civil_affairs/divisions/{name}.csv.manifest.json", f'{{"uploaded_at": "{time}"}}'.encode()
            )
    lake = SimpleNamespace(ledger=ledger, store=store)
    landed = land(lake, {"divisions": "civil_affairs"}, datetime(2026, 1, 12, tzinfo=UTC))  # type: ignore[arg-type]
    assert [one.delivery.names() for one in landed] == [("a.csv",), ("b.csv",), ("c.csv",), ("d.csv",)]
