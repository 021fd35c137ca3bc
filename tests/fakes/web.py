"""Everything behind the web shell, recorded in one `events` list; and the shell around it, with or without
sockets."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import httpx
from argon2 import PasswordHasher
from fastapi import FastAPI

from ccserver.desk.protocol import (
    Ack,
    AgentState,
    Board,
    Command,
    CustomerCard,
    DeviceInfo,
    Note,
    NoticeFrame,
    PbxStatus,
    Snapshot,
    Today,
)
from ccserver.desk.stream import Stream, Subscriber
from ccserver.web.accounts import Accounts
from ccserver.web.app import create_app
from ccserver.web.metrics import Metrics
from ccserver.web.passwords import Passwords
from ccserver.web.ports import (
    NOT_LOGGED_IN,
    TAKEN_OVER,
    AuditEntry,
    Check,
    CustomerDetail,
    DeviceInUse,
    DeviceOption,
    InteractionDetail,
    NoDesk,
    NotAnAgent,
    Role,
    UnknownDevice,
    User,
    WebDeps,
    WebSettings,
)
from ccserver.web.server import WebServer
from tests.fakes.users import MemoryUsers

ORIGIN = "http://localhost"
PASSWORD = "correct horse 7"
HASHER = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
PASSWORDS = Passwords(HASHER)
PASSWORD_HASH = HASHER.hash(PASSWORD)
PEOPLE = (("ayu", Role.AGENT), ("budi", Role.AGENT), ("sari", Role.SUPERVISOR), ("tono", Role.ADMIN))


def user(name: str, role: Role = Role.AGENT) -> User:
    """An invented user whose password is PASSWORD."""
    return User(name, name, name.title(), role, "en", PASSWORD_HASH)


@dataclass
class Desk:
    """One agent's desk."""

    user: User
    session: str
    device: str
    stream: Stream


class FakeDesks:
    """`Desks` with nothing behind it: opens, attaches, acknowledges, and records."""

    def __init__(self, events: list[object], devices: Sequence[str] = ("d1", "d2", "d3")) -> None:
        self.events = events
        self.desks: dict[str, Desk] = {}
        self.agents = {name for name, _ in PEOPLE}
        self.before: Callable[[Command], Awaitable[None]] | None = None
        """What happens before a command is acknowledged: a wait, a fault."""
        self._devices = devices
        self._opened = 0

    def devices(self) -> Sequence[DeviceOption]:
        taken = {desk.device for desk in self.desks.values()}
        return [DeviceOption(device, f"Desk {device}", device not in taken) for device in self._devices]

    async def open(self, user: User, session: str, device: str) -> None:
        if device not in self._devices:
            raise UnknownDevice(device)
        if user.id not in self.agents:
            raise NotAnAgent(user.id)
        before = self.desks.get(user.id)
        if before is not None and (before.session, before.device) == (session, device):
            return
        for desk in self.desks.values():
            if desk.device == device and desk.user.id != user.id:
                raise DeviceInUse(device, desk.user.id, desk.user.label)
        if before is not None:
            before.stream.push(lambda n: NoticeFrame(n=n, code="taken_over", params={}))
            before.stream.close(TAKEN_OVER, "you logged in elsewhere")
        self._opened += 1
        self.desks[user.id] = Desk(user, session, device, Stream(f"e{self._opened}"))
        self.events.append(("open", user.id, device))

    async def close(self, agent: str, session: str, reason: str) -> None:
        desk = self.desks.get(agent)
        if desk is not None and desk.session == session:
            desk.stream.close(NOT_LOGGED_IN, reason)
            del self.desks[agent]
            self.events.append(("close", agent, reason))

    def attach(self, agent: str, session: str, epoch: str, last: int, wake: Callable[[], None]) -> Subscriber:
        desk = self.desks.get(agent)
        if desk is None or desk.session != session:
            raise NoDesk(agent)
        self.events.append(("attach", agent))
        return desk.stream.attach(epoch, last, wake, lambda n: snapshot(desk, n))

    def detach(self, agent: str, session: str, subscriber: Subscriber) -> None:
        desk = self.desks.get(agent)
        if desk is not None and desk.session == session:
            desk.stream.detach(subscriber)
        self.events.append(("detach", agent))

    async def command(self, agent: str, session: str, command: Command) -> Ack:
        assert self.desks[agent].session == session
        self.events.append(("command", agent, type(command).__name__, command.id))
        if self.before is not None:
            await self.before(command)
        if isinstance(command, Note):
            self.notice(agent, command.text)
        return Ack(id=command.id, ok=True)

    def notice(self, agent: str, words: str) -> None:
        """Something happens at the agent's desk."""
        self.desks[agent].stream.push(lambda n: NoticeFrame(n=n, code="words", params={"words": words}))


def snapshot(desk: Desk, n: int) -> Snapshot:
    """A desk with nothing on it."""
    return Snapshot(
        n=n,
        agent=desk.user.id,
        name=desk.user.label,
        language="en",
        role=desk.user.role,
        state=AgentState(status="NOT_READY", reason="login", since_utc_ms=0),
        device=DeviceInfo(id=desk.device, label=desk.device, state="NOT_INUSE"),
        offer=None,
        work=(),
        queues=(),
        today=Today(handled=0, missed=0),
        pbx=PbxStatus(up=True, since_utc_ms=0),
        reasons=(),
        dispositions=(),
        all_queues=(),
    )


def board(n: int, waiting: int = 0) -> Board:
    """A wallboard without queues and agents."""
    return Board(
        n=n,
        at_utc_ms=0,
        midnight_utc_ms=0,
        site="Invented Ltd",
        waiting=waiting,
        oldest_utc_ms=None,
        ready=0,
        staffed=0,
        offered=0,
        answered=0,
        abandoned=0,
        service_level=None,
        service_level_30min=None,
        formula="",
        target_s=20,
        asa_s=None,
        queues=(),
        agents=(),
        pbx_up=True,
    )


class FakeBoards:
    """`Boards`: two streams. The one with names says 1 waiting, so that a test can tell them apart."""

    def __init__(self) -> None:
        self.streams = {True: Stream("names"), False: Stream("plain")}

    def current(self, names: bool) -> Board:
        return board(self.streams[names].n, int(names))

    def attach(self, names: bool, epoch: str, last: int, wake: Callable[[], None]) -> Subscriber:
        return self.streams[names].attach(epoch, last, wake, lambda n: board(n, int(names)))

    def detach(self, names: bool, subscriber: Subscriber) -> None:
        self.streams[names].detach(subscriber)


class FakeInteractions:
    """`Interactions`: interaction `i1` and customer `c1` are ayu's."""

    async def interaction(self, interaction: str) -> InteractionDetail | None:
        if interaction != "i1":
            return None
        return InteractionDetail(
            id="i1",
            conversation="v1",
            medium="voice",
            queue="sales",
            state="CLOSED",
            outcome="answered",
            origin="+620000001",
            destination="100",
            customer="c1",
            arrived_utc_ms=1,
            ended_utc_ms=2,
            waited_ms=1,
            segments=(),
            agents=frozenset({"ayu"}),
        )

    async def why(self, interaction: str, money: bool) -> Sequence[str] | None:
        return [f"longest idle{', stake 5000' if money else ''}"] if interaction == "i1" else None

    async def customer(self, customer: str) -> CustomerDetail | None:
        if customer != "c1":
            return None
        card = CustomerCard(
            id="c1",
            name="Invented Person",
            tier="gold",
            language="id",
            since="2020",
            worth_cents=9,
            stake_cents=5,
        )
        return CustomerDetail(card, (), frozenset({"ayu"}))


class FakeHealth:
    """`Health`: set `bad` to the names that are."""

    def __init__(self) -> None:
        self.bad: set[str] = set()

    def checks(self) -> Sequence[Check]:
        needed = {"pbx": True, "journal": True, "database": False}
        return [Check(name, name not in self.bad, need, "as set") for name, need in needed.items()]


class RecordingAudit:
    """`Audit`."""

    def __init__(self) -> None:
        self.entries: list[AuditEntry] = []

    def record(self, entry: AuditEntry) -> None:
        self.entries.append(entry)


class Clock:
    """Time that stands until it is moved."""

    def __init__(self) -> None:
        self.now_s = 1_800_000_000.0

    def utc_ms(self) -> int:
        return int(self.now_s * 1000)

    def monotonic_s(self) -> float:
        return self.now_s


@dataclass
class Rig:
    """The shell and everything behind it."""

    settings: WebSettings = field(default_factory=lambda: WebSettings(site="Invented Ltd", port=0))
    events: list[object] = field(default_factory=list)
    clock: Clock = field(default_factory=Clock)

    def __post_init__(self) -> None:
        self.users = MemoryUsers(*(user(name, role) for name, role in PEOPLE))
        self.desks = FakeDesks(self.events)
        self.boards = FakeBoards()
        self.health = FakeHealth()
        self.audit = RecordingAudit()
        self.metrics = Metrics()
        self.accounts = Accounts(
            self.users,
            PASSWORDS,
            self.settings,
            self.audit,
            self.clock.utc_ms,
            self.clock.monotonic_s,
        )
        self.deps = WebDeps(
            settings=self.settings,
            accounts=self.accounts,
            desks=self.desks,
            boards=self.boards,
            interactions=FakeInteractions(),
            health=self.health,
            metrics=self.metrics,
            audit=self.audit,
            utc_ms=self.clock.utc_ms,
        )

    def with_settings(self, **changes: Any) -> Rig:
        """Another rig, like this one but for its settings."""
        return Rig(settings=replace(self.settings, **changes))

    def app(self) -> FastAPI:
        """The application; to be called on the loop."""
        return create_app(self.deps)


class Browser(httpx.AsyncClient):
    """A client that keeps the cookie and sends the CSRF token of its last login."""

    async def login(self, name: str, device: str | None = None, password: str = PASSWORD) -> httpx.Response:
        body = {"name": name, "password": password, "device": device}
        answer = await self.post("/api/v1/login", json=body)
        if answer.status_code == 200:
            self.headers["X-CSRF-Token"] = answer.json()["csrf"]
        return answer

    @property
    def cookie(self) -> str:
        """The Cookie header for a socket."""
        return "; ".join(f"{name}={value}" for name, value in self.cookies.items())


@asynccontextmanager
async def browser(rig: Rig, app: FastAPI | None = None, base_url: str = ORIGIN) -> AsyncIterator[Browser]:
    """A browser at the application, without sockets."""
    transport = httpx.ASGITransport(app or rig.app())
    async with Browser(transport=transport, base_url=base_url, headers={"Origin": base_url}) as client:
        yield client


@asynccontextmanager
async def served(rig: Rig) -> AsyncIterator[WebServer]:
    """The application on a real port."""
    server = WebServer(rig.app(), rig.deps)
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


@asynccontextmanager
async def surfer(server: WebServer) -> AsyncIterator[Browser]:
    """A browser at a real port."""
    async with Browser(base_url=server.url, headers={"Origin": server.url}, timeout=20) as client:
        yield client
