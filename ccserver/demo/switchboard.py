"""The demo's telephone system: a real Asterisk with an outside world, or the stand-in where none can be had.

Both offer the same three things: an AMI account with its FastAGI secret, phones that robots answer, and
`call`, with which somebody dials in. Nothing behind them knows that it is a demo.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from ccserver.data import shipped
from channels.asterisk.pbx.instance import PbxInstance, PbxSpec, default_phones
from channels.asterisk.pbx.process import PbxFailed
from channels.asterisk.pbx.provision import NoAsterisk, find_asterisk
from channels.asterisk.pbx.world import World
from channels.asterisk.standin.server import StandIn


@dataclass(frozen=True)
class Line:
    """How ccserver reaches the PBX, and how the PBX proves itself. `agi_port` 0: any will do."""

    host: str
    port: int
    user: str
    secret: str = field(repr=False)
    agi_port: int
    agi_secret: str = field(repr=False)


class Switchboard(Protocol):
    """See the module."""

    words: str

    @property
    def line(self) -> Line: ...
    async def start(self) -> None: ...
    async def begin(self, phones: Sequence[str]) -> None: ...
    async def call(self, number: str, to: str, name: str, talk_s: float, patience_s: float) -> None: ...
    async def answer(self, phone: str, ring_s: float) -> None: ...
    async def stop(self) -> None: ...


class RealSwitchboard:
    """Asterisk twice: the PBX, and the world outside with callers and robots' phones."""

    def __init__(self, folder: Path, phones: int, extra_sounds: Path) -> None:
        """Raises NoAsterisk."""
        build = find_asterisk()
        self.words = f"a real {build.version.split('+')[0].split('~')[0]}"
        spec = PbxSpec(
            folder=folder,
            phones=default_phones(phones),
            agi_secret=secrets.token_hex(16),
            extra_sounds=extra_sounds,
            dialplan=shipped("asterisk-dialplan"),
        )
        self.pbx = PbxInstance(spec, build)
        self.world: World | None = None

    @property
    def line(self) -> Line:
        ami = self.pbx.ami
        return Line(ami.host, ami.port, ami.user, ami.secret, self.pbx.agi_port, self.pbx.agi_secret)

    @property
    def sounds(self) -> Path:
        """All sounds that this PBX plays."""
        return self.pbx.folder / "data" / "sounds"

    @property
    def softphone(self) -> str:
        """Where a person's own SIP phone registers."""
        return f"desk at {self.pbx.sip_host}:{self.pbx.sip_port} (UDP)"

    @property
    def accounts_file(self) -> Path:
        """The phones' passwords."""
        return self.pbx.folder / "phones.json"

    async def start(self) -> None:
        """Raises PbxFailed."""
        await self.pbx.start()

    async def begin(self, phones: Sequence[str]) -> None:
        """The world wakes up: robots register with `phones`."""
        world_files = shipped("config") / "demo" / "world"
        self.world = World(self.pbx, phones, configuration=world_files)
        await self.world.start()

    async def call(self, number: str, to: str, name: str, talk_s: float, patience_s: float) -> None:
        if self.world is not None:
            await self.world.call(number, to, name, talk_s, patience_s)

    async def answer(self, phone: str, ring_s: float) -> None:
        if self.world is not None:
            await self.world.robot(phone, ring_s=ring_s)

    async def stop(self) -> None:
        if self.world is not None:
            await self.world.stop()
        await self.pbx.stop()


class StandInSwitchboard:
    """The in-process stand-in; no audio, everything else as the real one."""

    def __init__(self, why: str) -> None:
        self.words = f"a stand-in PBX without audio, because {why}"
        self._agi_secret = secrets.token_hex(16)
        self.pbx = StandIn()

    @property
    def line(self) -> Line:
        pbx = self.pbx
        return Line("127.0.0.1", pbx.ami_port, pbx.user, pbx.secret, 0, self._agi_secret)

    async def start(self) -> None:
        await self.pbx.start()

    def listen_at(self, agi_port: int) -> None:
        """Where ccserver's FastAGI listens, known once it does."""
        self.pbx.agi_url = f"agi://127.0.0.1:{agi_port}/{{route}}?secret={self._agi_secret}"

    async def begin(self, phones: Sequence[str]) -> None:
        for phone in phones:
            self.pbx.phone(phone, answer_after_s=1.0)

    async def call(self, number: str, to: str, name: str, talk_s: float, patience_s: float) -> None:
        await self.pbx.call(number, to, name, talk_s, patience_s)

    async def answer(self, phone: str, ring_s: float) -> None:
        self.pbx.phone(phone, answer_after_s=ring_s)

    async def stop(self) -> None:
        await self.pbx.stop()


AnySwitchboard = RealSwitchboard | StandInSwitchboard


def best_switchboard(folder: Path, phones: int, extra_sounds: Path) -> AnySwitchboard:
    """A real Asterisk where one can be had."""
    try:
        return RealSwitchboard(folder, phones, extra_sounds)
    except (NoAsterisk, PbxFailed) as error:
        return StandInSwitchboard(str(error))
