"""What the object store must be able to do, and what happens where it cannot."""

from collections.abc import Iterator
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


def test_a_careless_store_is_unhealthy_and_no_step_writes_to_it(careless: Settings) -> None:
    with pytest.raises(SetupError, match="If-None-Match"):
        s3.probe(careless)
    with pytest.raises(SetupError, match="If-None-Match"):
        steps.land(careless)
