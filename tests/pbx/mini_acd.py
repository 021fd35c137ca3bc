"""The least that can play ccserver towards a real PBX: FastAGI server, heartbeat, bridging command.

The dialplan is tested against this, not against ccserver: a fault in one does not hide a fault in the other.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Callable

from channels.asterisk.pbx.instance import PbxInstance
from channels.asterisk.pbx.link import AmiLink, Message, open_link

Environment = dict[str, str]
WAIT_S = 30.0
BEAT_S = (
    0.2  # waiting callers of the test PBX look every 1-3 s: several beats a turn, on a loaded machine too
)


class AgiCall:
    """One FastAGI connection: its path, what Asterisk said about the call, and commands to it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self.environment: Environment = {}
        self.path = ""
        self.query = ""

    async def read_environment(self) -> None:
        while line := (await self._reader.readline()).decode("utf-8", "replace").strip():
            key, _, value = line.partition(": ")
            self.environment[key] = value
        self.path, _, self.query = self.environment.get("agi_network_script", "").partition("?")

    @property
    def channel(self) -> str:
        return self.environment["agi_channel"]

    async def say(self, command: str) -> str:
        """Send a command, return Asterisk's answer (empty: it hung up)."""
        self._writer.write(command.encode() + b"\n")
        return (await self._reader.readline()).decode("utf-8", "replace").strip()

    async def set(self, **variables: str) -> None:
        for name, value in variables.items():
            await self.say(f'SET VARIABLE {name} "{value}"')

    async def until_closed(self) -> None:
        """Wait until Asterisk ends the connection."""
        while await self._reader.read(1000):
            pass


class MiniAcd:
    """Answers the dialplan's questions and bridges calls. `on[path]` replaces an answer for a test."""

    def __init__(self, pbx: PbxInstance) -> None:
        self.pbx = pbx
        self.on: dict[str, Callable[[AgiCall], object]] = {}
        self.asked: list[AgiCall] = []
        self._beats = itertools.count(time.time_ns())  # a new value each time, over many of us too
        self.events: list[Message] = []
        self._changed = asyncio.Event()
        self._server: asyncio.Server | None = None
        self._link: AmiLink | None = None
        self._beating: asyncio.Task[None] | None = None

    @property
    def link(self) -> AmiLink:
        assert self._link is not None
        return self._link

    async def __aenter__(self) -> MiniAcd:
        self._link = await open_link(self.pbx.ami)
        self._link.listeners.append(self._note)
        await self.start_agi()
        await self.start_beat()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.die()
        if self._link is not None:
            await self._link.close()

    async def start_agi(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.pbx.agi_port)

    async def start_beat(self) -> None:
        await self._beat_once()
        self._beating = asyncio.ensure_future(self._beat())

    async def die(self) -> None:
        """No heartbeat, no FastAGI any more; the AMI session stays, for the test to look."""
        if self._beating is not None:
            self._beating.cancel()
            self._beating = None
        if self._server is not None:
            self._server.close()
            self._server = None

    async def connect(self, phone: str, caller: str, leg: str, options: str = "") -> Message:
        """Ring `phone` and bridge it to the caller's channel when it answers."""
        fields = {
            "Channel": f"PJSIP/{phone}",
            "Application": "Bridge",
            "Data": f"{caller},F(acd-after^s^1){options}",
            "ChannelId": leg,
            "ActionID": leg,
            "Timeout": "20000",
            "Async": "true",
        }
        return await self.link.require("Originate", fields)

    async def until(self, condition: Callable[[], bool], what: str, timeout_s: float = WAIT_S) -> None:
        """Wait for something that an event or a question makes true (TimeoutError names `what`)."""
        try:
            async with asyncio.timeout(timeout_s):
                while not condition():
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError as error:
            raise TimeoutError(f"waited {timeout_s} s for {what}") from error

    async def event(self, name: str, timeout_s: float = WAIT_S, **fields: str) -> Message:
        """The first event of that name with these fields, seen already or still to come."""

        def found() -> Message | None:
            return next((e for e in self.events if e["Event"] == name and fields.items() <= e.items()), None)

        await self.until(lambda: found() is not None, f"{name} {fields}", timeout_s)
        event = found()
        assert event is not None
        return event

    async def asks(self, path: str, timeout_s: float = WAIT_S) -> AgiCall:
        """The last question for `path`, seen already or still to come."""
        await self.until(lambda: any(call.path == path for call in self.asked), f"AGI {path}", timeout_s)
        return next(call for call in reversed(self.asked) if call.path == path)

    async def variable(self, channel: str, name: str) -> str:
        answer = await self.link.require("Getvar", {"Channel": channel, "Variable": name})
        return answer["Value"]

    def _note(self, event: Message) -> None:
        self.events.append(event)
        self._changed.set()

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(BEAT_S)
            await self._beat_once()

    async def _beat_once(self) -> None:
        await self.link.require("Setvar", {"Variable": "ACD_BEAT", "Value": str(next(self._beats))})

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        call = AgiCall(reader, writer)
        try:
            await call.read_environment()
            self.asked.append(call)
            self._changed.set()
            answer = self.on.get(call.path, _default)(call)
            if asyncio.iscoroutine(answer):
                await answer
        except (ConnectionError, asyncio.IncompleteReadError):
            return  # the caller hung up: nothing is left to be said
        finally:
            writer.close()


async def _default(call: AgiCall) -> None:
    if call.path in ("call", "queue"):
        await call.set(ACD_ID=f"i-{call.environment['agi_uniqueid']}", ACD_QUEUE="sales", ACD_DO="wait")
