"""A TCP proxy before the S3 server that holds back each part of a request for some milliseconds.

A process of its own: delta-rs keeps Python's lock while it waits for an answer.
"""

import asyncio
import sys
from contextlib import suppress

HOST, PART = "127.0.0.1", 1 << 16


async def serve(port: int, target: int, delay_s: float) -> None:
    """Listen on a port of this machine and pass everything on to another port."""

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            server_reader, server_writer = await asyncio.open_connection(HOST, target)
        except OSError:
            writer.close()
            return
        await asyncio.gather(_pass(reader, server_writer, delay_s), _pass(server_reader, writer, 0))

    async with await asyncio.start_server(connected, HOST, port) as server:
        await server.serve_forever()


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, delay_s: float) -> None:
    with suppress(OSError):
        while data := await reader.read(PART):
            await asyncio.sleep(delay_s)
            writer.write(data)
            await writer.drain()
    writer.close()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]) / 1000))
