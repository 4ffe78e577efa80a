"""Clients that send or read next to nothing are let go; on a clock that jumps, so that no test waits."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from uvicorn import Config
from uvicorn.server import ServerState

from jobs.serving.connections import BoundedConnection
from jobs.serving.portal.app import guarded
from jobs.serving.portal.bodies import BoundedBody, TooSlow
from tests.unit.serving.portal.asgi_requests import Asked
from tests.unit.serving.portal.portal_city import City, city
from tests.unit.serving.virtual_clock import virtual

GET = b"GET / HTTP/1.1\r\nHost: portal.test\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: portal.test\r\nContent-Length: 1000000\r\n\r\n"
MIB = 1 << 20


async def answering(scope: Any, receive: Any, send: Any) -> None:
    """An application that reads no body."""
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})


class Transport(asyncio.Transport):
    """One end of a connection; `waiting` bytes are not taken by the other end."""

    def __init__(self) -> None:
        super().__init__()
        self.sent, self.closed_at, self.aborted_at, self.waiting = b"", None, None, 0  # type: ignore[var-annotated]

    def write(self, data: Any) -> None:
        self.sent += data

    def close(self) -> None:
        if self.closed_at is None:
            self.closed_at = asyncio.get_running_loop().time()

    def abort(self) -> None:
        self.aborted_at = asyncio.get_running_loop().time()

    def is_closing(self) -> bool:
        return self.closed_at is not None

    def get_write_buffer_size(self) -> int:
        return self.waiting

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...


def connection() -> tuple[BoundedConnection, Transport]:
    config = Config(answering, http=BoundedConnection, ws="none", lifespan="off", log_config=None)
    made, transport = BoundedConnection(config, ServerState(), {}), Transport()
    made.connection_made(transport)
    return made, transport


async def trickled(made: BoundedConnection, data: bytes, pause_s: float, most_s: float) -> None:
    """Send byte by byte until the connection is closed, or so much time has gone by."""
    loop, sent = asyncio.get_running_loop(), iter(data)
    until = loop.time() + most_s
    while loop.time() < until and not made.transport.is_closing():
        byte = next(sent, None)
        if byte is not None:
            made.data_received(bytes([byte]))
        await asyncio.sleep(pause_s)


def test_a_connection_on_which_nothing_is_asked_is_closed() -> None:
    async def run() -> Any:
        _, transport = connection()
        await asyncio.sleep(100)
        return transport.closed_at

    assert virtual(run()) == 20


def test_a_head_that_comes_byte_by_byte_is_not_waited_for() -> None:
    async def run() -> Any:
        made, transport = connection()
        await trickled(made, GET + b"x" * 1000, 3, 1000)
        return transport.closed_at

    assert virtual(run()) < 30


def test_a_further_request_on_the_same_connection_has_to_arrive_too() -> None:
    async def run() -> Any:
        made, transport = connection()
        made.data_received(GET)
        await asyncio.sleep(2)
        assert b"200 OK" in transport.sent and transport.closed_at is None
        await trickled(made, GET[:-2] + b"X: " + b"y" * 1000, 3, 1000)
        return transport.closed_at

    assert 20 <= virtual(run()) < 30


def test_requests_that_arrive_in_time_are_answered_one_after_the_other() -> None:
    async def run() -> Any:
        made, transport = connection()
        for _ in range(30):
            await trickled(made, GET, 0.1, 4)
        return transport

    transport = virtual(run())
    assert transport.closed_at is None and transport.sent.count(b"200 OK") == 30


def test_a_body_that_goes_on_after_the_answer_does_not_hold_the_connection() -> None:
    async def run() -> Any:
        made, transport = connection()
        made.data_received(POST)
        await trickled(made, b"x" * 100000, 1, 1000)
        assert b"200 OK" in transport.sent
        return transport.closed_at

    assert virtual(run()) <= 22


@pytest.mark.parametrize(("taken_a_second", "is_cut_off"), [(0, True), (100, True), (5000, False)])
def test_a_reader_that_takes_next_to_nothing_is_cut_off(taken_a_second: int, is_cut_off: bool) -> None:
    async def run() -> Any:
        made, transport = connection()
        made.data_received(GET)
        await asyncio.sleep(0.1)
        transport.waiting = MIB
        made.pause_writing()
        while transport.waiting > 0 and transport.aborted_at is None and asyncio.get_running_loop().time() < 10_000:
            await asyncio.sleep(1)
            transport.waiting = max(0, transport.waiting - taken_a_second)
        return transport.aborted_at is not None

    assert virtual(run()) is is_cut_off


def reading(chunk: bytes, pause_s: float, count: int) -> Any:
    """Whether a body of `count` chunks with pauses is read whole, and after how long it ended."""

    async def run() -> tuple[bool, float]:
        left = [count]

        async def receive() -> Any:
            await asyncio.sleep(pause_s)
            left[0] -= 1
            return {"type": "http.request", "body": chunk, "more_body": left[0] > 0}

        body = BoundedBody(receive, 2 << 30)
        try:
            while (await body.receive())["more_body"]:
                pass
            return True, asyncio.get_running_loop().time()
        except TooSlow:
            return False, asyncio.get_running_loop().time()

    return virtual(run())


def test_a_body_may_take_its_time_but_not_stand_still_or_trickle() -> None:
    assert reading(b"x", 31, 5) == (False, 30)
    trickle = reading(b"x", 5, 10_000)
    assert not trickle[0] and trickle[1] <= 65
    assert reading(b"x" * (64 << 10), 4, 16 * 1024) == (True, 4 * 16 * 1024), "1 GiB at 16 KiB a second"
    assert reading(b"x" * 100, 25, 2)[0], "a form over a bad line"


def test_what_the_application_does_with_a_body_and_afterwards_is_not_counted() -> None:
    async def run() -> Any:
        messages = [b"x", b"y"]

        async def receive() -> Any:
            if not messages:
                await asyncio.sleep(10_000)
                return {"type": "http.disconnect"}
            return {"type": "http.request", "body": messages.pop(), "more_body": bool(messages)}

        body = BoundedBody(receive, 10)
        await body.receive()
        await asyncio.sleep(1000)
        await body.receive()
        return await body.receive()

    assert virtual(run()) == {"type": "http.disconnect"}


@pytest.fixture
def town(made_sqlite: Path, tmp_path: Path) -> Iterator[City]:
    (tmp_path / "state.db").write_bytes(made_sqlite.read_bytes())
    made = city(tmp_path, f"sqlite:///{tmp_path / 'state.db'}")
    yield made
    made.portal.tickets.database.close()
    made.portal.lake.ledger.close()


def test_who_stops_in_the_middle_of_a_form_is_told_so_and_the_connection_ends(town: City) -> None:
    async def silence() -> None:
        await asyncio.sleep(1_000_000)

    headers = {"content-length": "100", "content-type": "application/x-www-form-urlencoded"}
    done = virtual(Asked("POST", "/login", headers, [b"name=own&"]).run(guarded(town.portal), silence))
    assert done.status == 408 and "提交超时" in done.answer.decode() and done.sent["connection"] == "close"
