"""The cable between browser and server: a TCP proxy that can be pulled and put back.

    browser ── connection ── Cable ── connection ── server

While it is pulled nothing passes and nothing ends, as with a real cable: either side only notices silence.
What was on the way when it was pulled is lost for good; its connections end when the cable is back.
"""

from __future__ import annotations

import asyncio
import contextlib


class Cable:
    """`await cable.start(port)`, then `cable.port` is the server's door."""

    def __init__(self) -> None:
        self.port = 0
        self.pulled = False
        self._server: asyncio.Server | None = None
        self._target = 0
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self, target: int) -> None:
        """Listen, forwarding to `target` on this machine."""
        self._target = target
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    def pull(self) -> None:
        """Silence from now on."""
        self.pulled = True

    def put_back(self) -> None:
        """New connections work; those that hung in the air are gone."""
        self.pulled = False
        self.cut()

    def cut(self) -> None:
        """End every connection at once (a proxy that restarts); new ones work."""
        for writer in tuple(self._writers):
            writer.transport.abort()

    async def stop(self) -> None:
        """End everything."""
        if self._server is not None:
            self._server.close()
        self.cut()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            up_reader, up_writer = await asyncio.open_connection("127.0.0.1", self._target)
            self._writers.add(up_writer)
            try:
                await asyncio.gather(self._pump(reader, up_writer), self._pump(up_reader, writer))
            finally:
                self._writers.discard(up_writer)
                up_writer.close()
        finally:
            self._writers.discard(writer)
            writer.close()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(65_536):
                if not self.pulled:
                    writer.write(data)
                    await writer.drain()
        writer.close()
