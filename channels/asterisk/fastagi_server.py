"""The FastAGI door: Asterisk connects here for every call that needs a decision.

Life of a connection, each step with a limit of its own:

    connect --> source listed? room for one more? --> environment complete within header_s?
            --> PBX known, its source, its secret (constant time)? --> route known? uniqueid well formed?
            --> confirm(request) (is there such a call on the AMI?) --> handler(session) --> close

FastAGI has no authentication of its own, so whoever fails a step is refused with one log line; rubbish,
half lines, endless lines and silence are dropped with one log line; everybody else is unharmed. When the
connection closes, Asterisk goes on in the dialplan with AGISTATUS=SUCCESS whatever happened: only a variable
that a handler has set tells the dialplan that we took the call.

The secret is a part of the address in the dialplan, `agi://HOST:PORT/PBX/SECRET/ROUTE?key=value`, and is
in no request, log line or error.
"""

from __future__ import annotations

import asyncio
import hmac
import ipaddress
import logging
import typing
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

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
from channels.asterisk.fastagi_session import (
    DEFAULT_TIMES,
    AgiHangup,
    AgiRequest,
    AgiSession,
    AgiTimeout,
    CommandTimes,
    Speaker,
    make_request,
)

Handler = Callable[[AgiSession], Awaitable[None]]
Confirm = Callable[[AgiRequest], Awaitable[bool]]
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class Transport(typing.Protocol):
    """What we use of a Twisted TCP transport."""

    def write(self, data: bytes) -> None: ...
    def setTcpNoDelay(self, enabled: bool) -> None: ...
    def loseConnection(self) -> None: ...
    def abortConnection(self) -> None: ...


MIN_SECRET_CHARS = 16
CLOSE_S = 1.0
LOOPBACK = ("127.0.0.0/8", "::1/128")
_NO_SECRET = "\0" * 32  # compared with when the PBX is unknown, so that both refusals take the same time

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class PbxDoor:
    """One PBX that may ask: its name, its secret, the networks it may come from.

    Raises ValueError when the secret is short or cannot stand in an address, or a network is none.
    """

    name: str
    secret: str = field(repr=False)
    sources: Sequence[str] = LOOPBACK
    networks: tuple[Network, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if len(self.secret) < MIN_SECRET_CHARS or not self.secret.isascii() or not self.secret.isalnum():
            raise ValueError(
                f"the FastAGI secret of PBX {self.name!r} must be at least {MIN_SECRET_CHARS} ASCII letters"
                " and digits; make one with `openssl rand -hex 16`"
            )
        object.__setattr__(self, "networks", tuple(ipaddress.ip_network(text) for text in self.sources))


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
        self.doors = {door.name: door for door in doors}
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
        if not any(is_in(host, door.networks) for door in self.doors.values()):
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
        request = make_request(environment.values, script, self.peer)
        server = self.server
        self._session = AgiSession(request, self, server.loop, server.limits.times, server.speaker)
        self._timer.cancel()
        limit_s = server.limits.session_s
        self._timer = server.loop.call_later(limit_s, self._too_slow, f"longer than {limit_s:g} s")
        self._task = server.loop.create_task(self._run(handler, self._session))

    def _handler(self, script: Script) -> Handler | None:
        """The handler when name, source and secret are right and the route is known; else refused."""
        door = self.server.doors.get(script.pbx)
        secret = door.secret if door else _NO_SECRET
        right = hmac.compare_digest(secret.encode(), script.secret.encode("utf-8", "replace"))
        if door is None:
            # The name is not repeated: who mixes up the order writes the secret there.
            self._refuse("secret", "it names a PBX that is not configured")
        elif not is_in(self.host, door.networks):
            self._refuse("source", f"PBX {door.name} may not come from there; see its `sources`")
        elif not right:
            self._refuse("secret", f"wrong secret for PBX {door.name}; see its dialplan's AGI address")
        elif script.route not in self.server.routes:
            known = ", ".join(sorted(self.server.routes))
            self._refuse("route", f"no route {shown(script.route)}; there are: {known}")
        else:
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


def is_in(host: str, networks: Sequence[Network]) -> bool:
    """Whether an address lies in one of the networks; an IPv4 address in IPv6 clothes counts as IPv4."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    plain = getattr(address, "ipv4_mapped", None) or address
    return any(plain.version == network.version and plain in network for network in networks)
