"""A desk without a browser: logs in over HTTP, speaks the desk protocol over the socket, keeps all frames."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

Frame = dict[str, Any]
WITHIN_S = 20.0


class Desk:
    """`log_in`, `connect`, `do` commands, wait `until` frames."""

    connection: type[ClientConnection] = ClientConnection

    def __init__(self, url: str, name: str, password: str, device: str | None) -> None:
        self.url, self.name, self.password, self.device = url, name, password, device
        self.http = httpx.AsyncClient(base_url=url, headers={"Origin": url}, timeout=20)
        self.frames: list[Frame] = []
        self.hello: Frame = {}
        self.closed: tuple[int, str] | None = None
        self._socket: ClientConnection | None = None
        self._reading: asyncio.Task[None] | None = None
        self._news = asyncio.Event()
        self._ids = itertools.count(1)
        self._read_upto = 0

    async def log_in(self) -> httpx.Response:
        """POST /api/v1/login; raises for a refusal."""
        answer = await self.try_log_in()
        answer.raise_for_status()
        self.http.headers["X-CSRF-Token"] = answer.json()["csrf"]
        return answer

    async def try_log_in(self) -> httpx.Response:
        body = {"name": self.name, "password": self.password, "device": self.device}
        return await self.http.post("/api/v1/login", json=body)

    async def connect(self) -> Frame:
        """Open the socket, resuming after the last frame seen; the hello."""
        epoch, last = self.hello.get("epoch", ""), self.last
        query = f"?epoch={epoch}&last={last}" if epoch else ""
        cookie = "; ".join(f"{k}={v}" for k, v in self.http.cookies.items())
        socket_url = self.url.replace("http", "ws", 1) + "/ws/desk" + query
        self.closed = None
        self._socket = await connect(
            socket_url,
            additional_headers={"Cookie": cookie},
            origin=self.url,  # type: ignore[arg-type]
            create_connection=self.connection,
        )
        self.hello = json.loads(await asyncio.wait_for(self._socket.recv(), WITHIN_S))
        self._reading = asyncio.ensure_future(self._read(self._socket))
        return self.hello

    @property
    def last(self) -> int:
        """The number of the last numbered frame."""
        return max((frame["n"] for frame in self.frames if "n" in frame), default=0)

    async def _read(self, socket: ClientConnection) -> None:
        try:
            async for text in socket:
                self.frames.append({**json.loads(text), "_at": asyncio.get_running_loop().time()})
                self.took(self.frames[-1])
                self._news.set()
        except ConnectionClosed:
            pass
        self.closed = (socket.close_code or 0, socket.close_reason or "")
        self._news.set()

    def took(self, frame: Frame) -> None:
        """A frame has come; for who wants to look at once."""

    async def cut(self) -> None:
        """Pull the cable: no goodbye."""
        if self._socket is not None:
            self._socket.transport.abort()
        if self._reading is not None:
            await self._reading

    async def until(
        self, kind: str, test: Callable[[Frame], bool] = lambda _: True, within_s: float = WITHIN_S
    ) -> Frame:
        """The first frame of that kind, among those not yet waited past, that fits."""
        try:
            async with asyncio.timeout(within_s):
                while True:
                    for index in range(self._read_upto, len(self.frames)):
                        frame = self.frames[index]
                        if frame["type"] == kind and test(frame):
                            self._read_upto = index + 1
                            return frame
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            seen = [(f["type"], f.get("n")) for f in self.frames]
            raise AssertionError(f"{self.name} saw no {kind} that fits; saw {seen}") from None

    async def do(self, command: str, **fields: Any) -> Frame:
        """Send a command; its ack."""
        return await self.again(f"c{next(self._ids)}", command, **fields)

    async def again(self, command_id: str, command: str, **fields: Any) -> Frame:
        """Send a command under this id, perhaps not for the first time; its next ack."""
        assert self._socket is not None
        seen = self._acks(command_id)
        await self._socket.send(json.dumps({"id": command_id, "cmd": command, **fields}))
        async with asyncio.timeout(WITHIN_S):
            while len(acks := self._acks(command_id)) == len(seen):
                self._news.clear()
                await self._news.wait()
        return acks[-1]

    def _acks(self, command_id: str) -> list[Frame]:
        return [frame for frame in self.seen("ack") if frame["id"] == command_id]

    async def send_raw(self, *texts: str) -> None:
        """Send what need not be a command, until the server has had enough."""
        assert self._socket is not None
        with suppress(ConnectionClosed):
            for text in texts:
                await self._socket.send(text)

    def seen(self, kind: str) -> list[Frame]:
        """All frames of a kind so far."""
        return [frame for frame in self.frames if frame["type"] == kind]

    async def close(self) -> None:
        """Close the socket and the HTTP client."""
        if self._socket is not None:
            await self._socket.close()
        if self._reading is not None:
            await asyncio.wait({self._reading}, timeout=5)
        await self.http.aclose()
