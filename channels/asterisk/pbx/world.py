"""The outside world of one PBX: a second Asterisk with callers behind the trunk and robots at agents' phones.

    World ──SIP trunk, 127.0.0.4──▶ PBX     callers, started by `World.call` over the world's own AMI
    World ──registrations, 127.0.0.5──▶ PBX one for each robot; the PBX cannot tell it from a desk phone

    call:  dialling -> up (the PBX answered) -> heard (an agent's tone) -> ended
                    └> ended (refused)      └> ended (gave up, or the PBX hung up)

Nothing in ccserver or in the PBX knows that there is a world: callers use the public door, robots SIP.
"""

from __future__ import annotations

import asyncio
import itertools
import re
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Literal

from channels.asterisk.pbx import site_files
from channels.asterisk.pbx.instance import PbxInstance
from channels.asterisk.pbx.link import AmiLink, LinkFailed, Message, open_link
from channels.asterisk.pbx.process import AsteriskProcess, PbxFailed
from channels.asterisk.pbx.provision import project_root
from channels.asterisk.pbx.site_files import AmiAccess, Phone

REGISTER_TIMEOUT_S = 30.0
DIAL_TIMEOUT_S = 60.0
Stage = Literal["dialling", "up", "ended"]
Conduct = Literal["answer", "reject", "ignore"]


@dataclass
class WorldCall:
    """One caller. Times are of `time.monotonic`, None: not (yet) happened."""

    id: str  # Uniqueid of its channel in the world
    from_number: str
    to_number: str
    world: World = field(repr=False)
    channel: str = ""
    started: float = field(default_factory=time.monotonic)
    up_at: float | None = None  # the PBX answered
    heard_at: float | None = None  # an agent's tone was heard: answered by somebody
    ended_at: float | None = None
    gave_up: bool = False  # patience ended before anybody was heard
    cause: int = 0  # of the hangup, as of Q.850
    _changed: asyncio.Event = field(default_factory=asyncio.Event, repr=False)

    @property
    def outcome(self) -> str:
        """`open`, `talked`, `abandoned`, `refused` (never up) or `dropped` (PBX hung up, nobody heard)."""
        if self.ended_at is None:
            return "open"
        if self.heard_at is not None:
            return "talked"
        if self.gave_up:
            return "abandoned"
        return "refused" if self.up_at is None else "dropped"

    async def until_up(self, timeout_s: float = 20.0) -> None:
        """Wait until the PBX has answered (TimeoutError: it did not)."""
        await self._until("up_at", timeout_s)

    async def until_heard(self, timeout_s: float = 60.0) -> None:
        """Wait until an agent is heard (TimeoutError: nobody was)."""
        await self._until("heard_at", timeout_s)

    async def until_ended(self, timeout_s: float = 120.0) -> None:
        """Wait for the end of the call (TimeoutError: it goes on)."""
        await self._until("ended_at", timeout_s)

    async def press(self, digits: str) -> None:
        """Press keys, one after the other, as a person does.

        Raises:
            ValueError: not keys of a telephone.
        """
        if not re.fullmatch(r"[0-9*#A-D]+", digits):
            raise ValueError(f"{digits!r} cannot be pressed on a telephone")
        for digit in digits:
            await self.world.link.require(
                "PlayDTMF", {"Channel": self.channel, "Digit": digit, "Duration": "100"}
            )
            await asyncio.sleep(0.2)

    async def hang_up(self) -> None:
        """The caller hangs up now. Nothing happens when the call is over."""
        if self.ended_at is None:
            await self.world.link.action("Hangup", {"Channel": self.channel or self.id, "Cause": "16"})

    async def record(self, path: Path) -> None:
        """Write what the caller hears to `path` (raw signed 16 bit, 8 kHz), until the call ends."""
        options = f"r({path.absolute()})"
        await self.world.link.require(
            "MixMonitor",
            {"Channel": self.channel, "File": str(path.with_suffix(".mix.sln")), "Options": options},
        )

    async def _until(self, moment: str, timeout_s: float) -> None:
        async with asyncio.timeout(timeout_s):
            while getattr(self, moment) is None:
                self._changed.clear()
                if self.ended_at is not None:
                    raise TimeoutError(f"call {self.from_number} ended ({self.outcome}), never {moment}")
                await self._changed.wait()

    def _note(self, event: Message) -> None:
        now = time.monotonic()
        self.channel = event.get("Channel", self.channel)
        if event["Event"] == "Newstate" and event.get("ChannelStateDesc") == "Up":
            self.up_at = self.up_at or now
        elif event["Event"] == "UserEvent":
            self.heard_at = now if event.get("UserEvent") == "WorldHeard" else self.heard_at
            self.gave_up = self.gave_up or event.get("UserEvent") == "WorldGaveUp"
        elif event["Event"] == "Hangup":
            self.ended_at, self.cause = now, int(event.get("Cause") or 0)
        self._changed.set()


class World:
    """Runs the second Asterisk and drives its callers and robots."""

    def __init__(
        self,
        pbx: PbxInstance,
        robots: Sequence[str] | None = None,
        folder: Path | None = None,
        configuration: Path | None = None,
    ) -> None:
        """`robots`: names of the phones that robots use; None: all but `desk` and browser phones."""
        self.pbx = pbx
        if robots is None:
            robots = [phone.name for phone in pbx.phones if not phone.browser and phone.name != "desk"]
        self.robots: tuple[Phone, ...] = tuple(phone for phone in pbx.phones if phone.name in robots)
        self.process = AsteriskProcess(
            pbx.build, (folder or pbx.folder.with_name(f"{pbx.folder.name}-world")).absolute()
        )
        self.ami = AmiAccess("127.0.0.1", pbx.ports.world_ami, "world", secrets.token_urlsafe(24))
        self.calls: dict[str, WorldCall] = {}
        self._configuration = configuration or project_root() / "config" / "demo" / "world"
        self._registered: set[str] = set()
        self._changed = asyncio.Event()
        self._numbers = itertools.count(1)
        self._expected: list[tuple[str, str, str, asyncio.Future[str]]] = []
        self._link: AmiLink | None = None

    @property
    def link(self) -> AmiLink:
        """The world's own AMI session.

        Raises:
            PbxFailed: the world does not run.
        """
        if self._link is None:
            raise PbxFailed("the world does not run: call start() first")
        return self._link

    async def start(self) -> None:
        """Start the second Asterisk; return when every robot is registered at the PBX.

        Raises:
            PbxFailed: it did not start, or the PBX accepts a robot's registration not in time.
        """
        self.process.configure(self._configuration, self._site_files())
        self._registered.clear()
        await self.process.start()
        self._link = await open_link(self.ami)
        self._link.listeners.append(self._note)
        for robot in self.robots:
            await self.robot(robot.name)
        await self.until_registered()

    async def stop(self) -> None:
        """End it: all callers hang up, all robots are gone."""
        if self._link is not None:
            await self._link.close()
            self._link = None
        await self.process.stop()

    async def __aenter__(self) -> World:
        try:
            await self.start()
        except BaseException:
            await self.stop()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def until_registered(self, timeout_s: float = REGISTER_TIMEOUT_S) -> None:
        """Wait until every robot is registered.

        Raises:
            PbxFailed: one is not, after `timeout_s`.
        """
        names = {robot.name for robot in self.robots}
        try:
            async with asyncio.timeout(timeout_s):
                while not names <= self._registered:
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError as error:
            missing = ", ".join(sorted(names - self._registered))
            raise PbxFailed(f"robots not registered at the PBX: {missing}; see {self.process.log}") from error

    async def robot(
        self, name: str, *, conduct: Conduct = "answer", ring_s: float = 1.0, talk_s: float = 3600.0
    ) -> None:
        """Tell a robot how to treat its next calls.

        `answer` after `ring_s` and hang up after `talk_s` (from when the caller is heard), `reject` at once,
        or let it ring (`ignore`).
        """
        for variable, value in (("DO", conduct), ("RING", f"{ring_s:g}"), ("TALK", f"{talk_s:g}")):
            await self.link.require("Setvar", {"Variable": f"{variable}_{name}", "Value": value})

    async def call(
        self,
        from_number: str,
        to_number: str,
        name: str = "",
        talk_s: float = 5.0,
        patience_s: float = 60.0,
        *,
        listen: bool = True,
    ) -> WorldCall:
        """Somebody dials `to_number`; returns as soon as the call is under way.

        The caller hangs up `talk_s` seconds after hearing an agent, or `patience_s` after the PBX answered.
        `listen=False` saves the tone detector's work under load: then every call ends after `patience_s`.

        Raises:
            LinkFailed: the world's Asterisk refused.
            ValueError: `to_number` is no number.
        """
        if not re.fullmatch(r"\+?[0-9]{1,20}", to_number):
            raise ValueError(f"{to_number!r} is not a number one can dial")
        call = WorldCall(f"world-{next(self._numbers):08}", from_number, to_number, self)
        self.calls[call.id] = call
        variables = f"TALK={talk_s:g},PATIENCE={patience_s:g},LISTEN={int(listen)}"
        fields = {
            "Channel": f"PJSIP/{to_number}@pbx",
            "Context": "caller",
            "Exten": "s",
            "Priority": "1",
            "CallerID": f'"{name}" <{from_number}>',
            "Timeout": str(int(DIAL_TIMEOUT_S * 1000)),
            "Variable": variables,
            "ChannelId": call.id,
            "ActionID": call.id,
            "Async": "true",
        }
        try:
            await self.link.require("Originate", fields)
        except LinkFailed:
            del self.calls[call.id]
            raise
        return call

    def heard_by_robot(self, name: str) -> asyncio.Future[str]:
        """Done when that robot next hears a caller's tone. Ask before the call is connected."""
        return self._expect("RobotHeard", "Robot", name)

    def answered_outside(self) -> asyncio.Future[str]:
        """The number that an agent next reaches outside; done when somebody answers there."""
        return self._expect("WorldAnswered", "Number", "")

    def _expect(self, user_event: str, key: str, value: str) -> asyncio.Future[str]:
        future: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._expected.append((user_event, key, value, future))
        return future

    def _fulfil(self, event: Message) -> None:
        for expected in list(self._expected):
            user_event, key, value, future = expected
            if event.get("UserEvent") == user_event and value in ("", event.get(key)):
                self._expected.remove(expected)
                if not future.done():
                    future.set_result(event.get(key, ""))

    def _note(self, event: Message) -> None:
        if event["Event"] == "UserEvent":
            self._fulfil(event)
        if event["Event"] == "Registry" and event.get("Status") == "Registered":
            self._registered.add(event.get("Username", "").removeprefix("sip:").partition("@")[0])
            self._changed.set()
        if event["Event"] == "OriginateResponse" and event.get("Response") == "Failure":
            event = {**event, "Event": "Hangup", "Uniqueid": event.get("ActionID", "")}
        call = self.calls.get(event.get("Uniqueid", ""))
        if call is not None and event["Event"] in ("Newchannel", "Newstate", "UserEvent", "Hangup"):
            call._note(event)
            if event["Event"] == "Hangup":
                del self.calls[call.id]

    def _site_files(self) -> dict[str, str]:
        return {
            "manager.conf": site_files.manager_conf([self.ami]),
            "pjsip.conf": site_files.world_pjsip_conf(
                (self.pbx.sip_host, self.pbx.sip_port), self.pbx.ports.world_sip, self.robots
            ),
            "rtp.conf": site_files.rtp_conf(self.pbx.ports.world_rtp),
        }
