"""The stand-in's sockets: an AMI server, and the client of our FastAGI server. The rest is in the model.

    ccserver ──AMI, MD5 challenge──▶ StandIn ──agi://HOST:PORT/.../ROUTE──▶ ccserver's FastAGI

    async with StandIn(agi_url="agi://127.0.0.1:4573/main/SECRET/{route}", secret="...") as pbx:
        pbx.phone("a1", answer_after_s=0.3)
        call = await pbx.call("0215550101", "1500", "Somebody", talk_s=5)
        await call.until_heard()

The wire is that of Asterisk; `go_silent`, `drop_sessions` and `send_raw` play a PBX in trouble.
"""

from __future__ import annotations

import asyncio
import hashlib
import secrets
import time
from collections.abc import Iterable
from dataclasses import replace
from types import TracebackType
from typing import cast

import structlog

from channels.asterisk.standin import model
from channels.asterisk.standin.assembly import new_exchange
from channels.asterisk.standin.calls import StandInCall
from channels.asterisk.standin.exchange import Exchange
from channels.asterisk.standin.model import Headers, Input, Phone

BANNER = b"Asterisk Call Manager/11.0.0\r\n"
MAX_ACTION_BYTES = 65_536
AGI_CONNECT_S = 3.0
CLASSES = frozenset({"call", "user", "agent"})
log = structlog.get_logger()


class StandIn:
    """One PBX. Start it on the running loop; `ami_port` is known then."""

    def __init__(
        self,
        *,
        agi_url: str = "",
        ami_host: str = "127.0.0.1",
        ami_port: int = 0,
        user: str = "ccserver",
        secret: str | None = None,
        phones: Iterable[Phone] = (),
    ) -> None:
        """`agi_url` has `{route}` where the dialplan writes call, queue, announce or dialogue/NAME; empty:
        nobody answers, as with a server that is down. `secret` None: made up. `ami_port` 0: any."""
        self.agi_url = agi_url
        self.ami_host = ami_host
        self.ami_port = ami_port
        self.user = user
        self.secret = secret or secrets.token_urlsafe(24)
        self.calls: dict[str, StandInCall] = {}
        self.sessions: dict[int, AmiSession] = {}
        self.silent = False
        self._phones = tuple(phones)
        self._agis: dict[str, AgiClient] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self._timer: asyncio.TimerHandle | None = None

    # -- life -----------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Listen. Raises OSError when the port is taken."""
        self._loop = asyncio.get_running_loop()
        self._began_at = self._loop.time()
        self.exchange: Exchange = new_exchange(time.time(), self._phones)
        self._server = await self._loop.create_server(lambda: AmiSession(self), self.ami_host, self.ami_port)
        self.ami_port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Close everything."""
        if self._timer is not None:
            self._timer.cancel()
        if self._server is not None:
            self._server.close()
        for client in list(self._agis.values()):
            client.close()
        self.drop_sessions()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._server is not None:
            await self._server.wait_closed()

    async def __aenter__(self) -> StandIn:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    # -- people ---------------------------------------------------------------------------------------------

    def phone(
        self,
        name: str,
        number: str | None = None,
        *,
        answer_after_s: float | None = 0.5,
        reject: bool = False,
        registered: bool = True,
        talk_s: float | None = None,
    ) -> Phone:
        """Add a phone or change it. `answer_after_s` None: it rings for ever. `reject`: refuses each call."""
        known = self.exchange.phones.get(name, Phone(name, f"2{len(self.exchange.phones) + 1:02}"))
        phone = replace(
            known,
            number=number or known.number,
            answer_after_s=answer_after_s,
            reject_cause=21 if reject else None,
            registered=registered,
            talk_s=talk_s,
        )
        self.feed(model.Register(phone))
        return phone

    async def call(
        self,
        from_number: str,
        to_number: str,
        name: str = "",
        talk_s: float | None = 5.0,
        patience_s: float = 60.0,
        digits: str = "",
    ) -> StandInCall:
        """Somebody dials in. Hangs up `talk_s` after hearing an agent (None: never) or `patience_s` after
        dialling if nobody was heard. `digits` are pressed when a dialogue asks.
        """
        call = StandInCall(from_number, to_number, self.feed)
        self.feed(model.CallIn(from_number, to_number, name, talk_s, patience_s, digits), call)
        return call

    # -- trouble --------------------------------------------------------------------------------------------

    def drop_sessions(self) -> None:
        """Cut every AMI connection."""
        for session in list(self.sessions.values()):
            session.cut()

    def go_silent(self, silent: bool = True) -> None:
        """Stay connected and say nothing more (what happens meanwhile is lost), or speak again."""
        self.silent = silent

    def send_raw(self, data: bytes) -> None:
        """Put these bytes on every AMI connection, whatever they are."""
        for session in self.sessions.values():
            session.write(data)

    # -- between model and sockets --------------------------------------------------------------------------

    def feed(self, item: Input, newcomer: StandInCall | None = None) -> None:
        """One input for the model; sends what comes out of it and sets the timer anew."""
        for output in self.exchange.handle(item, self._loop.time() - self._began_at):
            self._send(output, newcomer)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        deadline = self.exchange.next_deadline()
        if deadline is not None:
            self._timer = self._loop.call_at(self._began_at + deadline, self.feed, model.Tick())

    def _send(self, output: model.Output, newcomer: StandInCall | None) -> None:
        match output:
            case model.Event(privilege, headers):
                self._note(headers, newcomer)
                data = encode(headers)
                for session in list(self.sessions.values()):
                    if privilege in session.classes:
                        session.write(data)
            case model.Answer(number, headers):
                if number in self.sessions:
                    self.sessions[number].write(encode(headers))
            case model.OpenAgi(uniqueid, route, environment):
                task = self._loop.create_task(self._open_agi(uniqueid, route, environment))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
            case model.AgiReply(uniqueid, line):
                if uniqueid in self._agis:
                    self._agis[uniqueid].reply(line)
            case model.CloseAgi(uniqueid):
                client = self._agis.pop(uniqueid, None)
                if client is not None:
                    client.hang_up()

    def _note(self, headers: Headers, newcomer: StandInCall | None) -> None:
        """Let the call see what happened to it."""
        values = dict(headers)
        uniqueid = values.get("Uniqueid", "")
        if newcomer is not None and not newcomer.id and values["Event"] == "Newchannel":
            newcomer.id = uniqueid
            self.calls[uniqueid] = newcomer
        call = self.calls.get(uniqueid)
        if call is not None:
            call.note(values, self._loop.time())
            if call.ended_at is not None:
                del self.calls[uniqueid]

    async def _open_agi(self, uniqueid: str, route: str, environment: Headers) -> None:
        """Connect as Asterisk does; whatever goes wrong, the dialplan goes on."""
        try:
            url = self.agi_url.format(route=route)
            host, port, script = split_agi_url(url)
            connecting = self._loop.create_connection(lambda: AgiClient(self, uniqueid), host, port)
            _, client = await asyncio.wait_for(connecting, AGI_CONNECT_S)
        except (OSError, ValueError, TimeoutError) as error:
            log.info("standin_agi_unreachable", why=str(error), route=route)
            self.feed(model.AgiEnded(uniqueid))
            return
        channel = self.exchange.channels.get(uniqueid)
        if channel is None or channel.after_agi is None:
            client.close()  # hung up, or too late, meanwhile
            return
        self._agis[uniqueid] = client
        address = [("agi_network", "yes"), ("agi_network_script", script), ("agi_request", url)]
        client.begin([*address, *environment])

    def agi_closed(self, client: AgiClient) -> None:
        """The server closed an AGI connection."""
        if self._agis.get(client.uniqueid) is client:
            del self._agis[client.uniqueid]
            self.feed(model.AgiEnded(client.uniqueid))


class AmiSession(asyncio.Protocol):
    """One AMI connection: Challenge and Login here, the rest in the model."""

    def __init__(self, pbx: StandIn) -> None:
        self._pbx = pbx
        self._buffer = bytearray()
        self._challenge = ""
        self.logged_in = False
        self.classes: frozenset[str] = frozenset()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's own is no subclass
        self._pbx.sessions[id(self)] = self
        self.write(BANNER)

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self._pbx.sessions.pop(id(self), None)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            packet = bytes(self._buffer[:end])
            del self._buffer[: end + 4]
            self._take(model.Action(id(self), parse_action(packet)))
        if len(self._buffer) > MAX_ACTION_BYTES:
            self.cut()

    def write(self, data: bytes) -> None:
        if not self._pbx.silent:
            self._transport.write(data)

    def cut(self) -> None:
        """End the connection now."""
        self._transport.abort()

    def _take(self, action: model.Action) -> None:
        name = action.get("Action").lower()
        own = [("ActionID", action.get("ActionID"))] if action.get("ActionID") else []
        if name == "challenge":
            self._challenge = str(secrets.randbelow(10**9))
            self.write(encode([("Response", "Success"), *own, ("Challenge", self._challenge)]))
        elif name == "login":
            self._log_in(action, own)
        elif name == "logoff":
            text = ("Message", "Thanks for all the fish.")
            self.write(encode([("Response", "Goodbye"), *own, text]))
            self._transport.close()
        elif not self.logged_in:
            self.write(encode([("Response", "Error"), *own, ("Message", "Permission denied")]))
        else:
            self._pbx.feed(action)

    def _log_in(self, action: model.Action, own: Headers) -> None:
        expected = hashlib.md5(
            (self._challenge + self._pbx.secret).encode(), usedforsecurity=False
        ).hexdigest()
        by_key = self._challenge != "" and secrets.compare_digest(
            action.get("Key").encode(), expected.encode()
        )
        by_secret = secrets.compare_digest(action.get("Secret").encode(), self._pbx.secret.encode())
        if action.get("Username") != self._pbx.user or not (by_key or by_secret):
            self.write(encode([("Response", "Error"), *own, ("Message", "Authentication failed")]))
            self._transport.close()
            return
        self.logged_in = True
        wanted = frozenset(action.get("Events", "on").lower().split(","))
        self.classes = CLASSES if wanted & {"on", "all"} else CLASSES & wanted
        self.write(encode([("Response", "Success"), *own, ("Message", "Authentication accepted")]))


class AgiClient(asyncio.Protocol):
    """One connection to the AGI server, for one channel."""

    def __init__(self, pbx: StandIn, uniqueid: str) -> None:
        self._pbx = pbx
        self._buffer = bytearray()
        self.uniqueid = uniqueid

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's own is no subclass

    def begin(self, environment: Headers) -> None:
        """Send what Asterisk sends first."""
        lines = "".join(f"{key}: {value}\n" for key, value in environment) + "\n"
        self._transport.write(lines.encode("utf-8", "surrogateescape"))

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (end := self._buffer.find(b"\n")) >= 0:
            line = self._buffer[:end].decode("utf-8", "surrogateescape").rstrip("\r")
            del self._buffer[: end + 1]
            self._pbx.feed(model.AgiLine(self.uniqueid, line))
        if len(self._buffer) > MAX_ACTION_BYTES:
            self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self._pbx.agi_closed(self)

    def reply(self, line: str) -> None:
        """One reply line."""
        self._transport.write(f"{line}\n".encode("utf-8", "surrogateescape"))

    def hang_up(self) -> None:
        """The channel is gone: Asterisk says so and closes."""
        self._transport.write(b"HANGUP\n")
        self._transport.close()

    def close(self) -> None:
        self._transport.abort()


def parse_action(packet: bytes) -> dict[str, list[str]]:
    """An action's headers by lower-case name; Asterisk skips blanks after the colon."""
    fields: dict[str, list[str]] = {}
    for line in packet.decode("utf-8", "surrogateescape").split("\r\n"):
        key, _, value = line.partition(":")
        fields.setdefault(key.strip().lower(), []).append(value.strip())
    return fields


def encode(headers: Headers) -> bytes:
    """A message as Asterisk writes it: whatever bytes a caller's name had, go out as they came."""
    text = "".join(f"{key}: {_one_line(value)}\r\n" for key, value in headers) + "\r\n"
    return text.encode("utf-8", "surrogateescape")


def _one_line(value: str) -> str:
    return value.replace("\r", "").replace("\n", "")


def split_agi_url(url: str) -> tuple[str, int, str]:
    """Host, port and script of `agi://HOST:PORT/SCRIPT`. Raises ValueError."""
    address, _, script = url.removeprefix("agi://").partition("/")
    host, _, port = address.rpartition(":")
    if not url.startswith("agi://") or not host or not port.isdigit():
        raise ValueError(f"not an AGI address: {address!r}")
    return host, int(port), script
