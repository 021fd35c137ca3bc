"""Phones and callers for the voice benchmarks: as much SIP over UDP as the figures need, and no audio.

A second Asterisk would cost more CPU than the PBX it is to load. This is one asyncio loop: every phone of the
PBX registered from one socket (127.0.0.5), every caller behind the trunk on another (127.0.0.4).

    phone:   REGISTER (digest) ─▶ INVITE in ─▶ 180 ─ring_s─▶ 200 ─ACK─ talk_s ─▶ BYE out, or BYE/CANCEL in
    caller:  INVITE out ─▶ 200 ─▶ ACK ─▶ BYE in (served), or patience ends: BYE/CANCEL out (abandoned)

Times are of `time.perf_counter`, taken before a packet is sent and as soon as one has come.
"""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import random
import re
import socket
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from channels.asterisk.pbx.site_files import Phone

RESEND_S = 0.5
MAX_RESENDS = 20
BUFFER_BYTES = 4 * 1024 * 1024
REGISTER_WITHIN_S = 15.0
_USER = re.compile(r"sips?:([^@;>]*)@")
_URI = re.compile(r"<([^>]+)>")
_PAIR = re.compile(r'(\w+)="?([^",]*)"?')
Address = tuple[str, int]


class Sip:
    """One message, headers by lower-case name."""

    def __init__(self, data: bytes) -> None:
        head = data.partition(b"\r\n\r\n")[0].decode("utf-8", "replace")
        self.start, *lines = head.split("\r\n")
        self.headers: dict[str, list[str]] = {}
        for line in lines:
            name, _, value = line.partition(":")
            self.headers.setdefault(name.strip().lower(), []).append(value.strip())

    def get(self, name: str) -> str:
        """The first header of that name, or nothing."""
        return self.headers.get(name, [""])[0]

    @property
    def status(self) -> int:
        """Of an answer; 0 for a request."""
        return int(self.start.split(" ")[1]) if self.start.startswith("SIP/2.0 ") else 0

    @property
    def method(self) -> str:
        """Of the transaction."""
        return self.get("cseq").rpartition(" ")[2]

    @property
    def branch(self) -> str:
        """Of the transaction."""
        return self.get("via").partition("branch=")[2].partition(";")[0]

    def user(self, header: str) -> str:
        """The user part of an address; of the request line for an empty name."""
        found = _USER.search(self.get(header) if header else self.start)
        return found[1] if found else ""

    def contact(self) -> str:
        """Where requests within the dialogue go."""
        found = _URI.search(self.get("contact"))
        return found[1] if found else ""


class SipSocket(asyncio.DatagramProtocol, ABC):
    """One UDP socket: sends requests until they are answered, answers, and hands on what comes."""

    def __init__(self, local: Address, pbx: Address) -> None:
        self.local, self.pbx = local, pbx
        self.here = f"{local[0]}:{local[1]}"
        self._numbers = itertools.count(1)
        self._open: dict[str, asyncio.TimerHandle] = {}
        self._sink = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)

    async def start(self) -> None:
        """Listen; the audio that the PBX sends goes to a socket that nobody reads."""
        self._loop = asyncio.get_running_loop()
        self._sink.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
        self._sink.bind((self.local[0], 0))
        plain = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER_BYTES)
        plain.bind(self.local)
        self._transport, _ = await self._loop.create_datagram_endpoint(lambda: self, sock=plain)

    def close(self) -> None:
        """No more."""
        for timer in (*self._open.values(), *self.timers()):
            timer.cancel()
        self._transport.close()
        self._sink.close()

    @abstractmethod
    def timers(self) -> list[asyncio.TimerHandle]:
        """Of calls that are still open."""

    @abstractmethod
    def under_way(self) -> int:
        """How many calls are open."""

    async def until_quiet(self, within_s: float = 30.0) -> None:
        """Return when no call is open. Raises TimeoutError."""
        async with asyncio.timeout(within_s):
            while self.under_way():
                await asyncio.sleep(0.05)

    def datagram_received(self, data: bytes, addr: Address) -> None:
        now, message = time.perf_counter(), Sip(data)
        if not message.status:
            self.on_request(message, now)
            return
        timer = self._open.pop(message.branch, None)
        if timer is not None:
            timer.cancel()
        self.on_answer(message, now)

    @abstractmethod
    def on_request(self, request: Sip, now: float) -> None:
        """The other side asks."""

    @abstractmethod
    def on_answer(self, answer: Sip, now: float) -> None:
        """The other side answers what we asked."""

    def new_tag(self) -> str:
        return f"t{next(self._numbers)}"

    def sdp(self) -> str:
        host, port = self._sink.getsockname()
        return (
            f"v=0\r\no=- 1 1 IN IP4 {host}\r\ns=-\r\nc=IN IP4 {host}\r\nt=0 0\r\n"
            f"m=audio {port} RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\na=sendrecv\r\n"
        )

    def request(self, method: str, uri: str, headers: Sequence[str], body: str = "", branch: str = "") -> str:
        """Send a request, again and again until something answers; its branch."""
        # PJSIP knows a transaction by its branch alone: two sockets must never make the same one.
        branch = branch or f"z9hG4bK-{self.local[0]}-{next(self._numbers)}"
        via = f"Via: SIP/2.0/UDP {self.here};branch={branch};rport"
        data = _packet(f"{method} {uri} SIP/2.0", [via, "Max-Forwards: 70", *headers], body)
        self._transport.sendto(data, self.pbx)
        if method != "ACK":
            self._again(branch, data, MAX_RESENDS)
        return branch

    def _again(self, branch: str, data: bytes, left: int) -> None:
        def resend() -> None:
            self._transport.sendto(data, self.pbx)
            self._again(branch, data, left - 1)

        if left:
            self._open[branch] = self._loop.call_later(RESEND_S, resend)

    def answer(self, request: Sip, status: str, tag: str = "", body: str = "") -> bytes:
        """Answer a request; the packet, for when the request comes again."""
        to = request.get("to")
        lines = [*(f"Via: {via}" for via in request.headers["via"]), f"From: {request.get('from')}"]
        lines.append(f"To: {to}" if not tag or ";tag=" in to else f"To: {to};tag={tag}")
        lines += [f"Call-ID: {request.get('call-id')}", f"CSeq: {request.get('cseq')}"]
        lines.append(f"Contact: <sip:{request.user('') or 'x'}@{self.here}>")
        data = _packet(f"SIP/2.0 {status}", lines, body)
        self._transport.sendto(data, self.pbx)
        return data

    def repeat(self, data: bytes) -> None:
        """The same packet once more."""
        self._transport.sendto(data, self.pbx)


def _packet(start: str, lines: Sequence[str], body: str) -> bytes:
    kind = ["Content-Type: application/sdp"] if body else []
    head = "\r\n".join([start, *lines, *kind, f"Content-Length: {len(body)}"])
    return f"{head}\r\n\r\n{body}".encode()


# -- phones -------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class PhoneCall:
    """A call at a phone, from its INVITE on."""

    phone: str
    number: str
    invite: Sip
    tag: str
    invited_at: float
    talking: bool = False
    bye_at: float = 0.0
    last: bytes = b""
    timer: asyncio.TimerHandle | None = None


@dataclass(slots=True)
class Hooks:
    """Who wants to know; each may be replaced."""

    invited: Callable[[PhoneCall], None] = lambda _call: None
    answered: Callable[[PhoneCall], None] = lambda _call: None
    hung_up: Callable[[PhoneCall], None] = lambda _call: None


class Phones(SipSocket):
    """All phones. They answer after `ring_s` and hang up after about `talk_s`, not all at once."""

    def __init__(self, local: Address, pbx: Address, phones: Sequence[Phone]) -> None:
        super().__init__(local, pbx)
        self.phones = {phone.name: phone for phone in phones}
        self.ring_s, self.talk_s = 0.05, 1.0
        self.hooks = Hooks()
        self.calls: dict[str, PhoneCall] = {}
        self._chance = random.Random(1)
        self._registered: set[str] = set()
        self._all_registered = asyncio.Event()

    async def register(self) -> None:
        """Log every phone in. Raises TimeoutError."""
        for name in self.phones:
            self._register(name, 1, "")
        await asyncio.wait_for(self._all_registered.wait(), REGISTER_WITHIN_S)

    def _register(self, name: str, cseq: int, proof: str) -> None:
        host = self.pbx[0]
        lines = [
            f"From: <sip:{name}@{host}>;tag=r-{name}",
            f"To: <sip:{name}@{host}>",
            f"Call-ID: register-{name}@{self.here}",
            f"CSeq: {cseq} REGISTER",
            f"Contact: <sip:{name}@{self.here}>",
            "Expires: 3600",
        ]
        self.request("REGISTER", f"sip:{host}:{self.pbx[1]}", [*lines, *([proof] if proof else [])])

    def timers(self) -> list[asyncio.TimerHandle]:
        return [call.timer for call in self.calls.values() if call.timer is not None]

    def under_way(self) -> int:
        return len(self.calls)

    def on_answer(self, answer: Sip, now: float) -> None:
        if answer.method != "REGISTER":
            return
        name = answer.user("to")
        if answer.status == 401:
            self._register(name, 2, self._proof(name, answer.get("www-authenticate")))
        elif answer.status == 200:
            self._registered.add(name)
            if self._registered == set(self.phones):
                self._all_registered.set()

    def _proof(self, name: str, challenge: str) -> str:
        given = dict(_PAIR.findall(challenge))
        uri = f"sip:{self.pbx[0]}:{self.pbx[1]}"
        one = _md5(f"{name}:{given['realm']}:{self.phones[name].password}")
        two = _md5(f"REGISTER:{uri}")
        middle = ":00000001:bench:auth:" if "qop" in given else ":"
        response = _md5(f"{one}:{given['nonce']}{middle}{two}")
        quality = ',qop=auth,nc=00000001,cnonce="bench"' if "qop" in given else ""
        opaque = f',opaque="{given["opaque"]}"' if "opaque" in given else ""
        return (
            f'Authorization: Digest username="{name}",realm="{given["realm"]}",nonce="{given["nonce"]}",'
            f'uri="{uri}",response="{response}",algorithm=MD5{quality}{opaque}'
        )

    def on_request(self, request: Sip, now: float) -> None:
        method, call = request.method, self.calls.get(request.get("call-id"))
        if method == "INVITE":
            self._invited(request, call, now)
        elif method == "ACK":
            self._acknowledged(call)
        elif method == "CANCEL":
            self.answer(request, "200 OK")
            if call is not None:
                self.answer(call.invite, "487 Request Terminated", call.tag)
                self._forget(call)
        else:
            self.answer(request, "200 OK")
            if method == "BYE" and call is not None:
                self._forget(call)

    def _invited(self, request: Sip, call: PhoneCall | None, now: float) -> None:
        if call is not None:
            self.repeat(call.last) if request.branch == call.invite.branch else self._answer(call, request)
            return
        call = PhoneCall(request.user(""), request.user("from"), request, self.new_tag(), now)
        self.calls[request.get("call-id")] = call
        self.hooks.invited(call)
        call.last = self.answer(request, "180 Ringing", call.tag)
        call.timer = self._loop.call_later(self.ring_s, self._answer, call, request)

    def _answer(self, call: PhoneCall, request: Sip) -> None:
        call.last = self.answer(request, "200 OK", call.tag, self.sdp())

    def _acknowledged(self, call: PhoneCall | None) -> None:
        if call is None or call.talking:
            return
        call.talking = True
        self.hooks.answered(call)
        call.timer = self._loop.call_later(self.talk_s * self._chance.uniform(0.8, 1.2), self.hang_up, call)

    def hang_up(self, call: PhoneCall) -> None:
        """The agent hangs up."""
        invite = call.invite
        lines = [f"From: {invite.get('to')};tag={call.tag}", f"To: {invite.get('from')}"]
        lines += [f"Call-ID: {invite.get('call-id')}", "CSeq: 1 BYE"]
        call.bye_at = time.perf_counter()
        self.request("BYE", invite.contact(), lines)
        self._forget(call)
        self.hooks.hung_up(call)

    def _forget(self, call: PhoneCall) -> None:
        if call.timer is not None:
            call.timer.cancel()
        self.calls.pop(call.invite.get("call-id"), None)


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


# -- callers ------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Call:
    """One caller. `outcome`: served (the PBX ended it), abandoned (we did) or refused."""

    number: str
    to: str
    id: str
    uri: str = ""
    up: bool = False
    outcome: str = ""
    status: int = 0
    begun_at: float = field(default_factory=time.perf_counter)
    remote: str = ""
    branch: str = ""
    timer: asyncio.TimerHandle | None = None


class Callers(SipSocket):
    """All callers; `calls` are those under way."""

    def __init__(self, local: Address, pbx: Address) -> None:
        super().__init__(local, pbx)
        self.calls: dict[str, Call] = {}
        self.ended: Callable[[Call], None] = lambda _call: None

    def call(self, number: str, to: str, patience_s: float = 300.0) -> Call:
        """Dial; gives up when nobody ended the call within `patience_s`."""
        call = Call(number, to, f"call-{next(self._numbers)}@{self.here}")
        call.uri = f"sip:{to}@{self.pbx[0]}:{self.pbx[1]}"
        self.calls[call.id] = call
        lines = [*self._lines(call, "INVITE", 1), f"Contact: <sip:{number}@{self.here}>"]
        call.branch = self.request("INVITE", call.uri, lines, self.sdp())
        call.timer = self._loop.call_later(patience_s, self.hang_up, call)
        return call

    def timers(self) -> list[asyncio.TimerHandle]:
        return [call.timer for call in self.calls.values() if call.timer is not None]

    def under_way(self) -> int:
        return len(self.calls)

    def _lines(self, call: Call, method: str, cseq: int) -> list[str]:
        to = call.remote or f"<{call.uri}>"
        lines = [f"From: <sip:{call.number}@{self.here}>;tag=c", f"To: {to}"]
        return [*lines, f"Call-ID: {call.id}", f"CSeq: {cseq} {method}"]

    def on_answer(self, answer: Sip, now: float) -> None:
        call = self.calls.get(answer.get("call-id"))
        if answer.method != "INVITE" or answer.status < 200:
            return
        if call is not None:
            call.remote = answer.get("to")
        if answer.status < 300 and call is not None:
            self.request("ACK", answer.contact(), self._lines(call, "ACK", 1))
            call.up, call.uri = True, answer.contact()
        elif answer.status >= 300 and call is not None:
            self.request("ACK", call.uri, self._lines(call, "ACK", 1), branch=call.branch)
            call.status = answer.status
            self._end(call, call.outcome or "refused")

    def on_request(self, request: Sip, now: float) -> None:
        call = self.calls.get(request.get("call-id"))
        self.answer(request, "200 OK", body=self.sdp() if request.method == "INVITE" else "")
        if request.method == "BYE" and call is not None:
            self._end(call, "served")

    def hang_up(self, call: Call) -> None:
        """The caller has had enough."""
        if call.id not in self.calls:
            return
        if not call.up:
            call.outcome = "abandoned"
            self.request("CANCEL", call.uri, self._lines(call, "CANCEL", 1), branch=call.branch)
            return
        self.request("BYE", call.uri, self._lines(call, "BYE", 2))
        self._end(call, "abandoned")

    def _end(self, call: Call, outcome: str) -> None:
        if call.timer is not None:
            call.timer.cancel()
        call.outcome = outcome
        del self.calls[call.id]
        self.ended(call)
