"""The FastAGI door: Asterisk connects here for every call that needs a decision.

Life of a connection, each step with a limit of its own:

    connect --> source listed? room for one more? --> environment complete within header_s?
            --> whose secret? may that PBX come from there? --> route known? uniqueid well formed?
            --> confirm(request) (is there such a call on the AMI?) --> handler(session) --> close

FastAGI has no authentication of its own, so whoever fails a step is refused with one log line; rubbish,
half lines, endless lines and silence are dropped with one log line; everybody else is unharmed. When the
connection closes, Asterisk goes on in the dialplan with AGISTATUS=SUCCESS whatever happened: only a variable
that a handler has set tells the dialplan that we took the call.

The secret stands in the dialplan's address, `agi://HOST:PORT/ROUTE?secret=SECRET&key=value`. It tells which
PBX asks, so each has its own; it is in no request, log line or error.
"""

from __future__ import annotations

import asyncio
import logging
import typing
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from twisted.internet.interfaces import IAddress
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.python.failure import Failure

from channels.asterisk.fastagi_codec import (
    DEFAULT_LIMITS,
    Environment,
    Event,
    FastAgiCodec,
    HungUp,
    Limits,
    Line,
    RemoteProtocolError,
    Reply,
    Script,
    parse_script,
    shown,
)
from channels.asterisk.fastagi_door import PbxDoor, find_door, is_in
from channels.asterisk.fastagi_request import AgiRequest, make_request
from channels.asterisk.fastagi_session import (
    DEFAULT_TIMES,
    AgiHangup,
    AgiSession,
    AgiTimeout,
    CommandTimes,
    Speaker,
)

Handler = Callable[[AgiSession], Awaitable[None]]
Confirm = Callable[[AgiRequest], Awaitable[bool]]


class Transport(typing.Protocol):
    """What we use of a Twisted TCP transport."""

    def write(self, data: bytes) -> None: ...
    def setTcpNoDelay(self, enabled: bool) -> None: ...
    def loseConnection(self) -> None: ...
    def abortConnection(self) -> None: ...


CLOSE_S = 1.0

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ServerLimits:
    """How many may be connected, and how long each step may take (seconds)."""

    connections: int = 1_000
    connections_per_source: int = 1_000
    header_s: float = 3.0
    confirm_s: float = 2.0
    session_s: float = 600.0
    times: CommandTimes = DEFAULT_TIMES
    codec: Limits = DEFAULT_LIMITS


DEFAULT_SERVER_LIMITS = ServerLimits()


class FastAgiFactory(Factory):
    """Listens for every PBX: give it to `TCP4ServerEndpoint(...).listen(factory)`.

    `counters` counts how connections ended: handled, failed, hung_up, timed_out, dropped, refused_source,
    refused_full, refused_secret, refused_route, refused_unconfirmed.
    """

    noisy = False

    def __init__(
        self,
        doors: Sequence[PbxDoor],
        routes: Mapping[str, Handler],
        loop: asyncio.AbstractEventLoop,
        *,
        confirm: Confirm | None = None,
        speaker: Speaker | None = None,
        limits: ServerLimits = DEFAULT_SERVER_LIMITS,
    ) -> None:
        if len({door.secret for door in doors}) < len(doors):
            raise ValueError(
                "two PBXs have the same FastAGI secret; it tells them apart, so give each its own"
            )
        self.doors = tuple(doors)
        self.routes = dict(routes)
        self.loop = loop
        self.confirm = confirm
        self.speaker = speaker
        self.limits = limits
        self.counters: Counter[str] = Counter()
        self.open: set[FastAgiProtocol] = set()
        self._per_source: Counter[str] = Counter()

    def buildProtocol(self, addr: IAddress | None) -> FastAgiProtocol | None:
        """Refuse at once who may not come in, before a byte is read."""
        host = str(getattr(addr, "host", ""))
        if not any(is_in(host, door.networks) for door in self.doors):
            self._refuse(host, "source", "its address is in no `sources` of a PBX")
            return None
        if len(self.open) >= self.limits.connections:
            self._refuse(host, "full", f"{len(self.open)} connections are open, the limit")
            return None
        if self._per_source[host] >= self.limits.connections_per_source:
            self._refuse(host, "full", f"{self._per_source[host]} connections from there, the limit")
            return None
        protocol = FastAgiProtocol(self, host, int(getattr(addr, "port", 0)))
        self.open.add(protocol)
        self._per_source[host] += 1
        return protocol

    def forget(self, protocol: FastAgiProtocol) -> None:
        """A connection is closed."""
        if protocol in self.open:
            self.open.discard(protocol)
            self._per_source[protocol.host] -= 1
            if not self._per_source[protocol.host]:
                del self._per_source[protocol.host]

    def close_all(self) -> None:
        """Drop every connection: their callers go on in the dialplan."""
        for protocol in tuple(self.open):
            protocol.drop("the server stops", level=logging.INFO)

    def _refuse(self, host: str, kind: str, why: str) -> None:
        self.counters[f"refused_{kind}"] += 1
        log.warning("FastAGI from %s refused: %s", host, why)


class FastAgiProtocol(Protocol):
    """One connection: guards the door, then runs one handler and hands it what Asterisk says."""

    transport: Transport  # type: ignore[assignment]

    def __init__(self, factory: FastAgiFactory, host: str, port: int) -> None:
        self.server = factory
        self.host = host
        self.peer = f"{host}:{port}"
        self._codec = FastAgiCodec(factory.limits.codec)
        self._session: AgiSession | None = None
        self._task: asyncio.Task[None] | None = None
        self._pbx = ""
        self._closed = False
        self._on_line: Callable[[bytes], None] | None = None
        self._on_gone: Callable[[str], None] | None = None
        limit_s = factory.limits.header_s
        self._timer = factory.loop.call_later(limit_s, self._too_slow, f"no whole request in {limit_s:g} s")

    # Twisted calls these.

    def connectionMade(self) -> None:
        self.transport.setTcpNoDelay(True)

    def dataReceived(self, data: bytes) -> None:
        if self._closed:
            return
        try:
            for event in self._codec.receive_data(data):
                self._take(event)
        except RemoteProtocolError as error:
            self.drop(str(error))

    def connectionLost(self, reason: Failure = connectionDone) -> None:  # noqa: ARG002 (Twisted's signature)
        self._timer.cancel()
        self.server.forget(self)
        if not self._closed:
            self._closed = True
            if self._session is None:
                self.server.counters["dropped"] += 1
                log.warning("FastAGI from %s broke off before its request was complete", self.peer)
            self._end("the connection broke off")

    # The session calls these (fastagi_session.Wire).

    def write(self, data: bytes) -> None:
        if not self._closed:
            self.transport.write(data)

    def drop(self, reason: str, level: int = logging.WARNING) -> None:
        """Close at once, with one log line; the handler's next command raises."""
        if not self._closed:
            self.server.counters["dropped"] += 1
            log.log(level, "FastAGI from %s dropped: %s", self.peer, reason)
            self._close(reason)

    def take_lines(self, on_line: Callable[[bytes], None], on_gone: Callable[[str], None]) -> None:
        self._codec.take_lines()
        self._on_line, self._on_gone = on_line, on_gone

    def take_replies(self) -> None:
        self._codec.take_replies()
        self._on_line = self._on_gone = None

    # Within.

    def _take(self, event: Event) -> None:
        if self._closed:
            return
        if isinstance(event, Environment):
            self._admit(event)
        elif isinstance(event, HungUp):
            self._end("the caller hung up")
        elif isinstance(event, Line) and self._on_line is not None:
            self._on_line(event.data)
        elif isinstance(event, Reply) and self._session is not None:
            self._session.take_reply(event)

    def _admit(self, environment: Environment) -> None:
        script = parse_script(environment.values)
        handler = self._handler(script)
        if handler is None:
            return
        request = make_request(environment.values, script, self._pbx, self.peer)
        server = self.server
        self._session = AgiSession(request, self, server.loop, server.limits.times, server.speaker)
        self._timer.cancel()
        limit_s = server.limits.session_s
        self._timer = server.loop.call_later(limit_s, self._too_slow, f"longer than {limit_s:g} s")
        self._task = server.loop.create_task(self._run(handler, self._session))

    def _handler(self, script: Script) -> Handler | None:
        """The handler when secret, source and route are right; else refused."""
        door = find_door(self.server.doors, script.secret)
        if door is None:
            self._refuse(
                "secret", "wrong or no secret; compare the dialplan's AGI address with the configuration"
            )
        elif not is_in(self.host, door.networks):
            self._refuse("source", f"PBX {door.name} may not come from there; see its `sources`")
        elif script.route not in self.server.routes:
            known = ", ".join(sorted(self.server.routes))
            self._refuse("route", f"no route {shown(script.route)}; there are: {known}")
        else:
            self._pbx = door.name
            return self.server.routes[script.route]
        return None

    async def _run(self, handler: Handler, session: AgiSession) -> None:
        try:
            if await self._is_confirmed(session.request):
                await handler(session)
                self.server.counters["handled"] += 1
        except AgiHangup:
            self.server.counters["hung_up"] += 1
        except AgiTimeout:
            self.server.counters["timed_out"] += 1
        except Exception:
            self.server.counters["failed"] += 1
            log.exception(
                "FastAGI handler of %s failed; the caller goes on in the dialplan", session.request.route
            )
        finally:
            self._close("the handler is done")

    async def _is_confirmed(self, request: AgiRequest) -> bool:
        if self.server.confirm is None:
            return True
        try:
            async with asyncio.timeout(self.server.limits.confirm_s):
                confirmed = await self.server.confirm(request)
        except TimeoutError:
            confirmed = False
        if not confirmed:
            self._refuse("unconfirmed", f"PBX {request.pbx} knows no channel {shown(request.uniqueid)}")
        return confirmed

    def _refuse(self, kind: str, why: str) -> None:
        if not self._closed:
            self.server.counters[f"refused_{kind}"] += 1
            log.warning("FastAGI from %s refused: %s", self.peer, why)
            self._close("refused")

    def _too_slow(self, what: str) -> None:
        self.drop(what)
        if self._task is not None:
            self._task.cancel()

    def _end(self, reason: str) -> None:
        """Tell whoever waits that caller or connection is gone."""
        on_gone, self._on_gone = self._on_gone, None
        if self._session is not None:
            self._session.end(AgiHangup(reason))
        if on_gone is not None:
            on_gone(reason)

    def _close(self, reason: str) -> None:
        if self._closed:
            return
        self._closed = True
        self._timer.cancel()
        self._end(reason)
        self.transport.loseConnection()
        # A peer that reads nothing must not keep the connection: what is not out by then is lost.
        self._timer = self.server.loop.call_later(CLOSE_S, self.transport.abortConnection)
