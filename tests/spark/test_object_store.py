"""What the object store must be able to do, and what happens where it cannot."""

from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from jobs.embedded import s3
from jobs.errors import SetupError
from jobs.lake.lake import Lake
from jobs.pipeline import steps
from jobs.settings import Settings

BUCKETS = b"<ListAllMyBucketsResult><Buckets><Bucket><Name>lake</Name></Bucket></Buckets></ListAllMyBucketsResult>"

PART, LARGE = 5 << 20, 9 << 20


class Careless(BaseHTTPRequestHandler):
    """A server that takes every put, whatever its conditions."""

    protocol_version = "HTTP/1.1"

    def do_PUT(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self._answer(b"")

    def do_GET(self) -> None:
        self._answer(BUCKETS)

    def _answer(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Silent."""


@pytest.fixture
def careless(tmp_path: Path) -> Iterator[Settings]:
    """A lake on a server that does not honour conditional puts."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Careless)
    Thread(target=server.serve_forever, daemon=True).start()
    endpoint = f"http://127.0.0.1:{server.server_port}"
    yield Settings(home=tmp_path, s3_endpoint=endpoint, s3_bucket="lake", s3_access_key="a", s3_secret_key="b")
    server.shutdown()
    server.server_close()


def test_our_store_honours_conditional_puts(lake: Lake) -> None:
    assert lake.store.honours_put_if_absent() and lake.store.honours_put_if_absent()
    s3.probe(lake.settings)


def test_our_store_puts_lists_copies_and_deletes_with_the_few_jars_that_it_has(lake: Lake, tmp_path: Path) -> None:
    store, large = lake.store, b"x" * LARGE
    sent, received = tmp_path / "sent", tmp_path / "received"
    sent.write_bytes(large)
    store.put_file(sent, "a/large")  # in parts
    store.put_bytes("a/甲 乙+&.txt", b"small")
    store.copy("a/large", "b/copy")
    store.get_file("b/copy", received)
    assert received.read_bytes() == large
    assert store.get_bytes("a/甲 乙+&.txt") == b"small"
    assert [(found.key, found.size) for found in store.list("a/")] == [("a/large", LARGE), ("a/甲 乙+&.txt", 5)]
    assert store.folders("") == ("a", "b")
    assert not store.put_new("b/copy", b"") and store.put_new("b/new", b"")
    store.delete("a/large")
    assert store.head("a/large") is None


def test_our_store_takes_uploads_in_parts_and_aborts_them(lake: Lake) -> None:
    upload, left = lake.store.begin("whole"), lake.store.begin("left")
    upload.put(b"x" * PART)
    upload.put(b"y")
    left.put(b"z")
    upload.complete()
    assert lake.store.get_bytes("whole") == b"x" * PART + b"y"
    assert lake.store.abort_uploads(datetime.max.replace(tzinfo=UTC)) == 1
    assert [found.key for found in lake.store.list("")] == ["whole"]
    lake.store.remove()


def test_a_careless_store_is_unhealthy_and_no_step_writes_to_it(careless: Settings) -> None:
    with pytest.raises(SetupError, match="If-None-Match"):
        s3.probe(careless)
    with pytest.raises(SetupError, match="If-None-Match"):
        steps.land(careless)
