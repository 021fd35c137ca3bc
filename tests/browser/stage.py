"""The real web shell with one scripted desk and one scripted wallboard behind it.

    Chromium ── Cable ── WebServer (guard, login, sockets, built pages) ── StageDesks ── Desk + Stream

Everything the browser meets is the product's own; only what happens on the desk is written by the test:
`stage.desk.show_offer(...)`. Commands are recorded in `stage.commands` and acknowledged, or refused with
`stage.refuse = {"accept": "answer_on_phone"}`.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from ccserver.desk import protocol as p
from ccserver.desk.desk import Desk, Fixed
from ccserver.desk.stream import Stream, Subscriber
from ccserver.web.app import create_app
from ccserver.web.ports import DemoLogin, DeviceOption, Role, User, WebSettings
from ccserver.web.server import WebServer
from tests.browser import people
from tests.browser.cable import Cable
from tests.fakes.web import PASSWORD, Clock, Rig

DEVICES = (
    DeviceOption("d1", "Desk 101", True),
    DeviceOption("d2", "Desk 102", True),
    DeviceOption("d3", "Desk 103", False),
)
DEMO = (
    DemoLogin("ayu", PASSWORD, Role.AGENT, "d1"),
    DemoLogin("budi", PASSWORD, Role.AGENT, "d2"),
    DemoLogin("sari", PASSWORD, Role.SUPERVISOR, None),
)


class WallClock(Clock):
    """Time as it is: browsers have a clock of their own."""

    def utc_ms(self) -> int:
        return people.now_ms()

    def monotonic_s(self) -> float:
        return time.monotonic()


class StageDesks:
    """`ccserver.web.ports.Desks` with real desks that only the test moves."""

    def __init__(self) -> None:
        self.desks: dict[str, Desk] = {}
        self.commands: list[p.Command] = []
        self.refuse: dict[str, str] = {}
        self.opened = 0

    def devices(self) -> Sequence[DeviceOption]:
        return DEVICES

    async def open(self, user: User, session: str, device: str) -> None:
        self.opened += 1
        desk = self.desks.get(user.id)
        if desk is None:
            self.desks[user.id] = new_desk(user, session, device, Stream(f"e{self.opened}"))
        else:
            desk.session = session

    async def close(self, agent: str, session: str, reason: str) -> None:
        desk = self.desks.get(agent)
        if desk is not None and desk.session == session:
            desk.stream.close(1000, reason)

    def attach(self, agent: str, session: str, epoch: str, last: int, wake: Callable[[], None]) -> Subscriber:
        desk = self.desks[agent]
        return desk.stream.attach(epoch, last, wake, desk.snapshot)

    def detach(self, agent: str, session: str, subscriber: Subscriber) -> None:
        self.desks[agent].stream.detach(subscriber)

    async def command(self, agent: str, session: str, command: p.Command) -> p.Ack:
        self.commands.append(command)
        code = self.refuse.get(command.__struct_config__.tag, "")  # type: ignore[arg-type]
        desk = self.desks[agent]
        if isinstance(command, p.Note) and not code:
            desk.note_quietly(command.interaction, command.text)
        return p.Ack(id=command.id, ok=not code, error=code)


def new_desk(user: User, session: str, device: str, stream: Stream) -> Desk:
    """A desk with nothing on it yet, ready."""
    indonesian = user.language == "id"
    fixed = Fixed(
        agent=user.id,
        name=user.label,
        language=user.language,
        role=user.role,
        reasons=people.REASONS_ID if indonesian else people.REASONS,
        dispositions=people.DISPOSITIONS_ID if indonesian else people.DISPOSITIONS,
        all_queues=people.QUEUES_ID if indonesian else people.QUEUES,
        demo=True,
    )
    queues = tuple(
        p.QueueLine(id=queue.code, label=queue.label, waiting=0, oldest_utc_ms=None)
        for queue in fixed.all_queues
    )
    return Desk(
        fixed,
        session,
        p.DeviceInfo(id=device, label="Desk 101", state="NOT_INUSE"),
        p.AgentState(status="READY", reason="", since_utc_ms=people.now_ms() - 192_000),
        stream,
        p.PbxStatus(up=True, since_utc_ms=0),
        queues,
        today=p.Today(handled=14, missed=1),
    )


class StageBoards:
    """`ccserver.web.ports.Boards`: one board for everybody, changed by the test."""

    def __init__(self, board: p.Board) -> None:
        self.board = board
        self.stream = Stream("board")

    def current(self, names: bool) -> p.Board:
        return msgspec.structs.replace(self.board, agents=self.board.agents if names else ())

    def attach(self, names: bool, epoch: str, last: int, wake: Callable[[], None]) -> Subscriber:
        return self.stream.attach(
            epoch, last, wake, lambda n: msgspec.structs.replace(self.current(names), n=n)
        )

    def detach(self, names: bool, subscriber: Subscriber) -> None:
        self.stream.detach(subscriber)

    def show(self, **changes: Any) -> None:
        """The board as it is now, to everybody."""
        self.board = msgspec.structs.replace(self.board, **changes)
        self.stream.push(lambda n: msgspec.structs.replace(self.board, n=n))


class Stage:
    """A server with one agent's desk; `await start()`, `await stop()`."""

    def __init__(self, board: p.Board, language: str = "en") -> None:
        self.desks = StageDesks()
        self.boards = StageBoards(board)
        self.cable = Cable()
        rig = Rig(settings=WebSettings(site="Nusantara Parcel (demo)", port=0), clock=WallClock())
        rig.users._users = {
            user.id: dataclasses.replace(user, language=language) for user in rig.users._users.values()
        }
        self.rig = rig
        self._deps = dataclasses.replace(rig.deps, desks=self.desks, boards=self.boards, demo=DEMO)
        self._server: WebServer | None = None

    @property
    def url(self) -> str:
        """What the browser opens."""
        return f"http://localhost:{self.cable.port}"

    @property
    def desk(self) -> Desk:
        """Ayu's desk; there is one once she has logged in."""
        return self.desks.desks["ayu"]

    @property
    def commands(self) -> list[p.Command]:
        """What the page asked for, in order."""
        return self.desks.commands

    def sent(self, kind: type[p.Wire]) -> list[Any]:
        """The commands of one kind."""
        return [command for command in self.commands if isinstance(command, kind)]

    async def start(self) -> None:
        """Listen."""
        self._server = WebServer(create_app(self._deps), self._deps)
        await self._server.start()
        await self.cable.start(self._server.port)

    async def stop(self) -> None:
        """End all connections."""
        await self.cable.stop()
        if self._server is not None:
            await self._server.stop()
