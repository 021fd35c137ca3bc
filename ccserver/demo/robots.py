"""Robot agents: desks on the public socket, as any browser. They log in, go ready, talk, wrap up.

A robot knows nothing but HTTP, the desk protocol and a random generator; its phone is a robot of its own in
the PBX's world. So whatever the demo shows, a person at a browser gets the same.
"""

from __future__ import annotations

import asyncio
import json
import random
from dataclasses import dataclass
from typing import Any

import structlog
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from ccserver.demo.log_in import HttpFailed, post_json

BACK_AFTER_S = 2.0
BREAKS = 1 / 12  # of the calls are followed by one
BREAK_S = (15.0, 40.0)
PAUSE_S = (2.0, 5.0)
NOTES = ("Asked for a copy of the bill.", "Parcel found, arrives tomorrow.", "Wants to be called on Monday.")
log = structlog.get_logger()


@dataclass
class Robot:
    """One agent. `wrap_up_s`: how long they write, from-to."""

    url: str
    name: str
    password: str
    device: str
    chance: random.Random
    wrap_up_s: tuple[float, float] = (3.0, 9.0)

    async def work(self) -> None:
        """Until cancelled; comes back after every loss."""
        while True:
            try:
                await self._shift()
            except (OSError, ConnectionClosed, HttpFailed, TimeoutError) as error:
                log.info("robot lost its desk, comes back", robot=self.name, why=str(error)[:100])
            await asyncio.sleep(BACK_AFTER_S)

    async def _shift(self) -> None:
        body = {"name": self.name, "password": self.password, "device": self.device}
        cookie = await post_json(f"{self.url}/api/v1/login", body)
        socket_url = self.url.replace("http", "ws", 1) + "/ws/desk"
        headers = {"Cookie": cookie}
        async with connect(socket_url, additional_headers=headers, origin=self.url) as socket:  # type: ignore[arg-type]
            await self._send(socket, "ready")
            async for text in socket:
                await self._see(socket, json.loads(text))

    async def _see(self, socket: ClientConnection, frame: dict[str, Any]) -> None:
        kind = frame["type"]
        if kind == "work" and frame["item"]["phase"] in ("wrap_up", "unfinished"):
            await asyncio.sleep(self.chance.uniform(*self.wrap_up_s))
            then = "not_ready" if self.chance.random() < BREAKS else "ready"
            await self._finish(socket, frame["item"]["interaction"], then)
        elif kind == "snapshot":
            for item in frame["work"]:
                if item["phase"] in ("wrap_up", "unfinished"):
                    await self._finish(socket, item["interaction"])
        elif kind == "agent" and frame["state"]["status"] == "NOT_READY":
            on_break = frame["state"]["reason"] == "break"
            await asyncio.sleep(self.chance.uniform(*(BREAK_S if on_break else PAUSE_S)))
            await self._send(socket, "ready")

    async def _finish(self, socket: ClientConnection, interaction: str, then: str = "ready") -> None:
        await self._send(
            socket,
            "finish",
            interaction=interaction,
            disposition=self.chance.choice(("resolved", "sold", "follow_up", "")),
            note=self.chance.choice(NOTES),
            next=then,
        )

    async def _send(self, socket: ClientConnection, command: str, **fields: str) -> None:
        await socket.send(json.dumps({"id": f"r{self.chance.getrandbits(48):x}", "cmd": command, **fields}))
