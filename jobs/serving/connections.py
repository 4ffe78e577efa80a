"""Connections with time limits: a request's head has to arrive in time, and the response has to be read.

The server's own limits begin after the first request; before it, it would wait for ever.
"""

import asyncio

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

HEAD_S = 20.0
"""From the connection, or the first byte of a further request, to the end of the request's head."""

TAKEN_S, LEAST_TAKEN = 30.0, 32 << 10
"""A client has to read at least so many buffered bytes in each period of so many seconds."""


class BoundedConnection(H11Protocol):
    """HTTP/1.1 of one connection."""

    _head: asyncio.TimerHandle | None = None
    _writing: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._expect_head()

    def data_received(self, data: bytes) -> None:
        self._expect_head()
        super().data_received(data)
        if not self._waits_for_head():
            self._end_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._end_head()
        self._end_writing()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._expect_taken()

    def resume_writing(self) -> None:
        self._end_writing()
        super().resume_writing()

    def timeout_keep_alive_handler(self) -> None:
        super().timeout_keep_alive_handler()
        self._expect_taken()

    def _waits_for_head(self) -> bool:
        """Whether no request is under way; one that was answered before its body came does not count."""
        return self.conn.their_state is h11.IDLE or self.conn.our_state is h11.DONE

    def _expect_head(self) -> None:
        if self._head is None and self._waits_for_head():
            self._head = self.loop.call_later(HEAD_S, self._give_up)

    def _end_head(self) -> None:
        if self._head is not None:
            self._head.cancel()
            self._head = None

    def _end_writing(self) -> None:
        if self._writing is not None:
            self._writing.cancel()
            self._writing = None

    def _give_up(self) -> None:
        """Close a connection whose request does not arrive; earlier responses are still sent."""
        self._head = None
        self.transport.close()
        self._expect_taken()

    def _expect_taken(self) -> None:
        if self._writing is None:
            waiting = self.transport.get_write_buffer_size()
            self._writing = self.loop.call_later(TAKEN_S, self._check_taken, waiting)

    def _check_taken(self, before: int) -> None:
        """Abort a connection whose client reads almost nothing; asyncio closes it once everything is read."""
        self._writing = None
        waiting = self.transport.get_write_buffer_size()
        if waiting and before - waiting < min(LEAST_TAKEN, before):
            self.transport.abort()
        elif waiting:
            self._expect_taken()
