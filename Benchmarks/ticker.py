#!/usr/bin/env python3
"""A backend of streams: each answer is 50 small chunks, one every 2 ms, as server-sent events."""

import asyncio
import socket
import sys

EVENTS = 50
INTERVAL_S = 0.002
HEAD = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-store\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n"
)
EVENT = b"event: tick\ndata: " + b"x" * 80 + b"\n\n"
CHUNK = b"%x\r\n%s\r\n" % (len(EVENT), EVENT)
LAST_CHUNK = b"0\r\n\r\n"


async def serve(reader, writer):
    writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    clock = asyncio.get_running_loop()
    try:
        while True:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(HEAD)
            due = clock.time()
            for _ in range(EVENTS):
                writer.write(CHUNK)
                due += INTERVAL_S
                await writer.drain()
                await asyncio.sleep(max(0, due - clock.time()))
            writer.write(LAST_CHUNK)
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()


async def main(port):
    server = await asyncio.start_server(serve, "127.0.0.1", port, backlog=4096)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
