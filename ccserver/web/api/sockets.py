"""`/ws/desk` and `/ws/wallboard`: the shells around the streams. The frames are those of desk/protocol.py.

    accept ─▶ who is it? ─▶ attach to the stream ─▶ hello, missed frames or snapshot ─▶ pump ∥ listen ∥ watch

Frames and answers leave in one order: at once while the peer keeps up (`flush`), else one by one as it reads
(`pump`, and never both at a time). `listen` reads commands; what is no command gets an error answer, the
fifth ends the socket. `watch` asks every minute whether the session still stands (which also keeps it alive).
Whichever ends first ends the others. A client that does not read is cut off when its queue overflows, and one
that does not answer pings by uvicorn; both come back and resume.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, Protocol

import structlog
from starlette.websockets import WebSocket, WebSocketDisconnect

from ccserver.desk.protocol import Ack, BadCommand, Command, Hello, Ping, Pong, decode_command, encode
from ccserver.desk.stream import TOO_SLOW, Subscriber
from ccserver.store import StoreUnavailable
from ccserver.web.access import may
from ccserver.web.accounts import Login
from ccserver.web.api.asking import deps_of, token_of
from ccserver.web.api.commands import Commands
from ccserver.web.api.fanout import Waker
from ccserver.web.api.seats import TakenOver, seats_of
from ccserver.web.guard import ABORT, WRITE
from ccserver.web.ports import (
    DEVICE_IN_USE,
    FORBIDDEN,
    NOT_LOGGED_IN,
    TAKEN_OVER,
    DeviceInUse,
    NotAnAgent,
    UnknownDevice,
    WebDeps,
)
from ccserver.web.throttle import Throttle

log = structlog.get_logger()

WATCH_EVERY_S = 60.0
MAX_STRIKES = 5
COMMANDS_BURST = 100
COMMANDS_PER_S = 50.0
BAD_DATA = 1003
POLICY = 1008
INTERNAL = 1011
TRY_LATER = 1013


class Close(Exception):
    """End this socket with a code and a reason."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code, self.reason = code, reason


class View(Protocol):
    """What a socket looks at, and what it may order there."""

    kind: str

    async def attach(self, login: Login, epoch: str, last: int, wake: Callable[[], None]) -> Subscriber: ...

    def detach(self, login: Login, subscriber: Subscriber) -> None: ...

    async def command(self, login: Login, command: Command) -> Ack: ...


class DeskView:
    """An agent's desk."""

    kind = "desk"

    def __init__(self, websocket: WebSocket) -> None:
        self._deps = deps_of(websocket)
        self._seats = seats_of(websocket)
        self._commands: Commands = websocket.app.state.commands

    async def attach(self, login: Login, epoch: str, last: int, wake: Callable[[], None]) -> Subscriber:
        """The agent's stream. Raises Close."""
        if login.device is None:
            raise Close(FORBIDDEN, "you logged in without a phone: log in again with one")
        try:
            return await self._seats.attach(login, login.device, epoch, last, wake)
        except TakenOver:
            raise Close(TAKEN_OVER, "you logged in elsewhere") from None
        except DeviceInUse as error:
            raise Close(DEVICE_IN_USE, f"phone in use by {error.label}"[:120]) from None
        except UnknownDevice:
            raise Close(DEVICE_IN_USE, "your phone was removed: log in with another one") from None
        except NotAnAgent:
            raise Close(FORBIDDEN, "you are not among the agents of the configuration") from None

    def detach(self, login: Login, subscriber: Subscriber) -> None:
        """The lease begins, if this was the last socket."""
        self._deps.desks.detach(login.user.id, login.session, subscriber)

    async def command(self, login: Login, command: Command) -> Ack:
        """Carried out once."""
        return await self._commands.carry_out(login.user.id, login.session, command)


class BoardView:
    """The wallboard; nothing can be ordered there."""

    kind = "wallboard"

    def __init__(self, websocket: WebSocket) -> None:
        self._boards = deps_of(websocket).boards

    async def attach(self, login: Login, epoch: str, last: int, wake: Callable[[], None]) -> Subscriber:
        """With names or without, by role."""
        return self._boards.attach(may(login.user.role, "wallboard_names"), epoch, last, wake)

    def detach(self, login: Login, subscriber: Subscriber) -> None:
        """The socket is gone."""
        self._boards.detach(may(login.user.role, "wallboard_names"), subscriber)

    async def command(self, login: Login, command: Command) -> Ack:  # noqa: ARG002 - the port's shape
        """Refused."""
        return Ack(id=command.id[:64], ok=False, error="not_here: the wallboard takes no commands but ping")


class Socket:
    """One connection, from accept to close."""

    def __init__(self, websocket: WebSocket, view: View) -> None:
        self._websocket = websocket
        self._view = view
        self._deps: WebDeps = deps_of(websocket)
        self._waker: Waker = websocket.app.state.waker
        self._ready = asyncio.Event()
        self._pumping = True
        self._subscriber: Subscriber | None = None
        self._strikes = 0
        self._answers: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Serve until either side ends it."""
        await self._websocket.accept()
        self._deps.metrics.socket_opened(self._view.kind)
        code = 0
        try:
            login = await self._who()
            await self._serve(login)
        except Close as close:
            code = close.code
            log.info("socket_closed", kind=self._view.kind, code=code, why=close.reason)
            await self._close(code, close.reason)
        except StoreUnavailable:
            code = TRY_LATER
            await self._close(code, "database away: try again")
        except WebSocketDisconnect:
            log.debug("socket_gone", kind=self._view.kind)
        except Exception:
            # The edge: a fault of ours ends this socket only, and says so.
            code = INTERNAL
            log.exception("socket_fault", kind=self._view.kind)
            self._deps.metrics.error("socket")
            await self._close(code, "a fault of ours: come back")
        finally:
            self._deps.metrics.socket_closed(self._view.kind, code)

    async def _close(self, code: int, reason: str) -> None:
        """Say why; a client that left at the same moment need not hear it."""
        with suppress(WebSocketDisconnect):
            await self._websocket.close(code, reason)

    async def _who(self) -> Login:
        login = await self._deps.accounts.resume(token_of(self._websocket))
        if login is None:
            raise Close(NOT_LOGGED_IN, "log in first")
        if not may(login.user.role, self._view.kind):
            raise Close(FORBIDDEN, "not for your role")
        return login

    async def _serve(self, login: Login) -> None:
        epoch, last = _resume_point(self._websocket)
        subscriber = await self._view.attach(login, epoch, last, self._wake)
        self._subscriber = subscriber
        try:
            now_ms = self._deps.utc_ms()
            hello = Hello(
                epoch=subscriber.epoch, resumed=subscriber.resumed, n=subscriber.n, server_utc_ms=now_ms
            )
            await self._websocket.send_text(encode(hello).decode())
            await _first_of(self._pump(subscriber), self._listen(login, subscriber), self._watch(login))
        finally:
            self._view.detach(login, subscriber)
            for task in self._answers:
                task.cancel()

    def _wake(self) -> None:
        subscriber = self._subscriber
        if subscriber is not None and subscriber.closed is not None and subscriber.closed[0] == TOO_SLOW:
            # The pump hangs in a send that will not end: only cutting the connection frees it.
            self._websocket.scope["extensions"][ABORT]()
        self._waker.soon(self._flush)

    def _flush(self) -> None:
        """Send what is queued. What the peer cannot take now, and the end, are left to the pump."""
        subscriber = self._subscriber
        if self._pumping or subscriber is None:
            return
        self._websocket.scope["extensions"][WRITE](subscriber.take)
        if subscriber.queued or subscriber.closed is not None:
            self._pumping = True
            self._ready.set()

    async def _pump(self, subscriber: Subscriber) -> None:
        while True:
            while (text := subscriber.take()) is not None:
                await self._websocket.send({"type": "websocket.send", "text": text})
            if subscriber.closed is not None:
                raise Close(*subscriber.closed)
            self._ready.clear()
            self._pumping = False
            await self._ready.wait()

    async def _watch(self, login: Login) -> None:
        while True:
            await asyncio.sleep(WATCH_EVERY_S)
            try:
                now = await self._deps.accounts.resume(token_of(self._websocket))
            except StoreUnavailable:
                # Calls go on while the database is away; the session is judged when it is back.
                continue
            if now is None or now.session != login.session:
                raise Close(NOT_LOGGED_IN, "your session is over: log in again")

    async def _listen(self, login: Login, subscriber: Subscriber) -> None:
        throttle = Throttle(COMMANDS_BURST, COMMANDS_PER_S)
        now_s = asyncio.get_running_loop().time
        while True:
            message = await self._websocket.receive()
            if message["type"] == "websocket.disconnect":
                return
            if throttle.take("", now_s()):
                raise Close(POLICY, f"more than {COMMANDS_PER_S:.0f} commands a second")
            self._hear(message.get("text"), login, subscriber)

    def _hear(self, text: str | None, login: Login, subscriber: Subscriber) -> None:
        try:
            if text is None:
                raise BadCommand("binary message; commands are JSON text")
            command = decode_command(text)
        except BadCommand as error:
            self._strike(error, login, subscriber)
            return
        if isinstance(command, Ping):
            subscriber.put(encode(Pong(server_utc_ms=self._deps.utc_ms())).decode())
            return
        task = asyncio.ensure_future(self._answer(login, command, subscriber))
        self._answers.add(task)
        task.add_done_callback(self._answers.discard)

    def _strike(self, error: BadCommand, login: Login, subscriber: Subscriber) -> None:
        self._strikes += 1
        words = str(error)[:300]
        log.warning(
            "bad_command", kind=self._view.kind, agent=login.user.id, strikes=self._strikes, why=words
        )
        subscriber.put(encode(Ack(id="", ok=False, error=f"bad_command: {words}")).decode())
        if self._strikes >= MAX_STRIKES:
            raise Close(BAD_DATA, "too many messages that are no commands")

    async def _answer(self, login: Login, command: Command, subscriber: Subscriber) -> None:
        ack = await self._view.command(login, command)
        subscriber.put(encode(ack).decode())


def _resume_point(websocket: WebSocket) -> tuple[str, int]:
    """(epoch, last number seen) as the client says; what makes no sense means a first contact."""
    epoch, last = websocket.query_params.get("epoch", ""), websocket.query_params.get("last", "")
    if len(epoch) > 64 or not (last.isascii() and last.isdigit() and len(last) <= 15):
        return "", 0
    return epoch, int(last)


async def _first_of(*coroutines: Coroutine[Any, Any, None]) -> None:
    """Run all until the first ends; raise what it raised."""
    tasks = [asyncio.ensure_future(coroutine) for coroutine in coroutines]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
    for task in done:
        task.result()


async def desk(websocket: WebSocket) -> None:
    """`/ws/desk`."""
    await Socket(websocket, DeskView(websocket)).run()


async def wallboard(websocket: WebSocket) -> None:
    """`/ws/wallboard`."""
    await Socket(websocket, BoardView(websocket)).run()
