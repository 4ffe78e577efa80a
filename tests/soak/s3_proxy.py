"""A TCP proxy before the S3 server that holds back each part of a request for some milliseconds, or has no space for what is written.

A process of its own: delta-rs keeps Python's lock while it waits for an answer.
"""

import asyncio
import sys
from contextlib import suppress
from pathlib import Path

HOST, PART = "127.0.0.1", 1 << 16
WRITES = (b"PUT ", b"POST ")
"""How a request that needs space begins; also a removal of many objects, which needs none, is refused."""
NO_SPACE = b"HTTP/1.1 507 Insufficient Storage\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


async def serve(port: int, target: int, delay_s: float, full: Path) -> None:
    """Listen on a port of this machine and pass everything on to another port; while the file `full` is there, no writes."""

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            server_reader, server_writer = await asyncio.open_connection(HOST, target)
        except OSError:
            writer.close()
            return
        requests = _pass(reader, server_writer, delay_s, _Disk(full, writer))
        await asyncio.gather(requests, _pass(server_reader, writer, 0))

    async with await asyncio.start_server(connected, HOST, port) as server:
        await server.serve_forever()


class _Disk:
    """Answers writes while it is full."""

    def __init__(self, full: Path, writer: asyncio.StreamWriter) -> None:
        self._full, self._writer = full, writer

    async def refuses(self, data: bytes) -> bool:
        """Whether the data begin a request that has no space; it is answered then."""
        if not data.startswith(WRITES) or not self._full.exists():
            return False
        self._writer.write(NO_SPACE)
        await self._writer.drain()
        return True


async def _pass(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, delay_s: float, disk: _Disk | None = None
) -> None:
    with suppress(OSError):
        while data := await reader.read(PART):
            if disk is not None and await disk.refuses(data):
                break
            await asyncio.sleep(delay_s)
            writer.write(data)
            await writer.drain()
    writer.close()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]) / 1000, Path(sys.argv[4])))
