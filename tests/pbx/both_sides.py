"""Two PBXs, one contract: a real Asterisk and the stand-in behind the same words, and our AMI client on them.

    Side (RealSide | StandInSide)   phones a1, a2 (registered), a9 (not), people outside, an AGI that parks
Desk                            our AmiClient on that side, its heartbeat, and everything it heard
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

import pytest
import pytest_twisted
from twisted.internet.defer import Deferred

from channels.asterisk.ami_client import AmiAddress, AmiCallbacks, AmiClient, AmiLogin, LoopClock
from channels.asterisk.ami_codec import AmiMessage
from channels.asterisk.pbx.instance import PbxInstance, PbxSpec, Phone
from channels.asterisk.pbx.world import World
from channels.asterisk.standin.model import Phone as StandInPhone
from channels.asterisk.standin.server import StandIn

WAIT_S = 30.0
NUMBER = "0215550199"


class Call(Protocol):
    """A caller outside."""

    async def until_up(self, timeout_s: float = ...) -> None: ...
    async def until_ended(self, timeout_s: float = ...) -> None: ...
    async def hang_up(self) -> None: ...
    async def press(self, digits: str) -> None: ...


class AgiServer:
    """The least that parks a caller: runs `script`, keeps the replies, then says `wait` to every question."""

    def __init__(self) -> None:
        self.script: list[str] = []
        self.replies: list[str] = []
        self.environment: dict[str, str] = {}

    async def start(self, port: int = 0) -> int:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", port)
        return int(self._server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        self._server.close()
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.environment = {}
        while line := (await reader.readline()).decode().strip():
            key, _, value = line.partition(":")
            self.environment[key] = value.strip()
        script, self.script = self.script, []
        for command in script:
            writer.write(f"{command}\n".encode())
            self.replies.append((await reader.readline()).decode().strip())
        for name, value in (("ACD_ID", "i-17"), ("ACD_DO", "wait"), ("ACD_SINCE", "123")):
            writer.write(f'SET VARIABLE {name} "{value}"\n'.encode())
            await reader.readline()
        writer.close()


class Side(Protocol):
    """One PBX with phones a1, a2 (registered) and a9 (not), people outside, and an AGI server that parks."""

    login: tuple[str, int, str, str]
    agi: AgiServer

    async def start(self) -> None: ...
    async def stop(self) -> None: ...
    async def robot(self, name: str, conduct: str, ring_s: float, talk_s: float) -> None: ...
    async def call(self, number: str, patience_s: float) -> Call: ...


class RealSide:
    """Asterisk 22 of our own, and a second one as the outside world."""

    def __init__(self, folder: Path) -> None:
        phones = (Phone("a1", "201"), Phone("a2", "202"), Phone("a9", "209"))
        self.pbx = PbxInstance(PbxSpec(folder=folder / "pbx", phones=phones))
        self.world = World(self.pbx, robots=("a1", "a2"))
        self.agi = AgiServer()
        access = self.pbx.ami
        self.login = (access.host, access.port, access.user, access.secret)

    async def start(self) -> None:
        await self.agi.start(self.pbx.agi_port)
        await self.pbx.start()
        await self.world.start()

    async def stop(self) -> None:
        await self.world.stop()
        await self.pbx.stop()
        await self.agi.stop()

    async def robot(self, name: str, conduct: Any, ring_s: float, talk_s: float) -> None:
        await self.world.robot(name, conduct=conduct, ring_s=ring_s, talk_s=talk_s)

    async def call(self, number: str, patience_s: float) -> Call:
        return await self.world.call(NUMBER, number, "Contract Caller", 60, patience_s)


class StandInSide:
    """The stand-in."""

    def __init__(self, _folder: Path) -> None:
        phones = [StandInPhone("a1", "201"), StandInPhone("a2", "202")]
        self.pbx = StandIn(phones=[*phones, StandInPhone("a9", "209", registered=False)])
        self.agi = AgiServer()

    async def start(self) -> None:
        port = await self.agi.start()
        self.pbx.agi_url = f"agi://127.0.0.1:{port}/main/secret/{{route}}"
        await self.pbx.start()
        self.login = (self.pbx.ami_host, self.pbx.ami_port, self.pbx.user, self.pbx.secret)

    async def stop(self) -> None:
        await self.pbx.stop()
        await self.agi.stop()

    async def robot(self, name: str, conduct: str, ring_s: float, talk_s: float) -> None:
        answers = ring_s if conduct == "answer" else None
        self.pbx.phone(name, answer_after_s=answers, reject=conduct == "reject", talk_s=talk_s)

    async def call(self, number: str, patience_s: float) -> Call:
        return await self.pbx.call(NUMBER, number, "Contract Caller", 60, patience_s)


def on_loop(work: Callable[[], Awaitable[None]]) -> None:
    """Run it to its end on the reactor's loop, from a plain fixture."""
    pytest_twisted.blockon(Deferred.fromFuture(asyncio.ensure_future(work())))


@pytest.fixture(
    scope="module", params=[pytest.param(RealSide, marks=pytest.mark.pbx, id="asterisk"), StandInSide]
)
def side(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Side]:
    chosen: Side = request.param(tmp_path_factory.mktemp("contract"))
    try:
        on_loop(chosen.start)
        yield chosen
    finally:
        on_loop(chosen.stop)


class Desk:
    """Our client on that PBX, its heartbeat, and everything it heard."""

    def __init__(self, side: Side, secret: str | None = None) -> None:
        from twisted.internet import reactor

        self.side = side
        self.heard: list[AmiMessage] = []
        self.lost: list[str] = []
        self.news = asyncio.Event()
        host, port, user, right_secret = side.login
        self.client = AmiClient(
            AmiAddress("main", host, port),
            AmiLogin(user, secret or right_secret),
            AmiCallbacks(self._event, lambda _pbx: self.news.set(), lambda _pbx, why: self.lost.append(why)),
            reactor=reactor,
            clock=LoopClock(asyncio.get_running_loop()),
        )

    def _event(self, _pbx: str, message: AmiMessage) -> None:
        self.heard.append(message)
        self.news.set()

    async def __aenter__(self) -> Desk:
        self.client.start()
        await self.until(lambda: self.client.up)
        self._beating = asyncio.ensure_future(self._beat())
        return self

    async def __aexit__(self, *error: object) -> None:
        self._beating.cancel()
        for row in await self.client.action_list("CoreShowChannels"):
            self.client.send_nowait("Hangup", [("Channel", row["Channel"])])
        await self.until_idle()
        await self.client.stop()

    async def _beat(self) -> None:
        while True:
            self.client.send_nowait("Setvar", [("Variable", "ACD_BEAT"), ("Value", str(int(time.time())))])
            await asyncio.sleep(1)

    async def until(self, true: Callable[[], Any]) -> Any:
        """Wait until `true()`; returns what it gave."""
        async with asyncio.timeout(WAIT_S):
            while not (found := true()):
                self.news.clear()
                await asyncio.wait([asyncio.ensure_future(self.news.wait())], timeout=0.2)
        return found

    async def until_idle(self) -> None:
        async with asyncio.timeout(WAIT_S):
            while await self.client.action_list("CoreShowChannels"):
                await asyncio.sleep(0.05)

    def find(self, name: str, **headers: str) -> AmiMessage | None:
        """The first event of that name with these headers."""
        wanted = headers.items()
        for message in self.heard:
            if message.name == name and all(message.get(key) == value for key, value in wanted):
                return message
        return None

    async def event(self, name: str, **headers: str) -> AmiMessage:
        found: AmiMessage = await self.until(lambda: self.find(name, **headers))
        return found

    async def parked(self, patience_s: float = 60) -> tuple[Call, AmiMessage]:
        """A caller who waits in the holding bridge."""
        call = await self.side.call("1500", patience_s)
        start = await self.event("MusicOnHoldStart", CallerIDNum=NUMBER)
        return call, start

    def offer(self, caller: AmiMessage, device: str, leg: str, timeout_s: float = 20) -> str:
        """The product's hot action."""
        return self.client.send_nowait(
            "Originate",
            [
                ("Channel", f"PJSIP/{device}"),
                ("Application", "Bridge"),
                ("Data", f"{caller['Channel']},F(acd-after^s^1)"),
                ("ChannelId", leg),
                ("Timeout", str(int(timeout_s * 1000))),
                ("CallerID", '"Contract Caller" <0215550199>'),
                ("Async", "true"),
            ],
        )

    def story(self, uniqueid: str) -> list[str]:
        """Names of what happened to that leg, in order, without what races or only decorates."""
        shown = {"Newchannel", "DialBegin", "DialEnd", "Newstate", "HangupRequest", "Hangup", "BridgeEnter"}
        return [
            message.name
            for message in self.heard
            if message.name in shown and uniqueid in (message.get("Uniqueid"), message.get("DestUniqueid"))
        ]


def leg_id(side: Side, what: str) -> str:
    return f"leg-{what}-{time.monotonic_ns()}"
