"""A SIP telephone without sound, for tests: one UDP socket, a few calls, everything under the test's hand.

    Softphone "202" --INVITE/200/ACK--> PBX          dial(), until_up(), hold(), refer(), hang_up()
                    <--INVITE/180-----               next_call() -> answer() | reject(486) | forward("203")

    line:  calling | ringing -> early -> up -> gone        (`SipLine.stage`)

Enough of RFC 3261, 3515 (REFER) and 3891 (Replaces) for Asterisk; no registration, no authentication, no
media: the PBX under test knows its phones by user name and fixed address. Every wait has a time-out.
"""

from __future__ import annotations

import asyncio
import itertools
import re
import secrets
from collections.abc import Callable, Iterable

WAIT_S = 20.0
SDP_TYPE = "application/sdp"
_REASONS = {200: "OK", 202: "Accepted", 180: "Ringing", 302: "Moved Temporarily", 480: "Unavailable"}
_REASONS |= {486: "Busy Here", 487: "Request Terminated", 603: "Decline", 481: "No Such Call"}


class SipFailed(Exception):
    """The PBX did not do what the test waited for; the text says what and on which line."""


class SipMessage:
    """A request or response: first line, headers (first of a name counts), body."""

    def __init__(self, text: str) -> None:
        head, _, self.body = text.partition("\r\n\r\n")
        self.first, *lines = head.split("\r\n")
        self.headers = [
            (name.strip(), value.strip()) for name, _, value in (one.partition(":") for one in lines)
        ]

    @property
    def status(self) -> int:
        """The code of a response, 0 for a request."""
        return int(self.first.split()[1]) if self.first.startswith("SIP/2.0") else 0

    @property
    def method(self) -> str:
        """INVITE, BYE, ...; of a response the method it answers."""
        return self["CSeq"].split()[1] if self.status else self.first.split()[0]

    def __getitem__(self, name: str) -> str:
        return next((value for key, value in self.headers if key.lower() == name.lower()), "")

    def all(self, name: str) -> list[str]:
        """Every value of a header."""
        return [value for key, value in self.headers if key.lower() == name.lower()]


class SipLine:
    """One call of a softphone."""

    def __init__(self, phone: Softphone, call_id: str, *, outgoing: bool) -> None:
        self.phone = phone
        self.call_id = call_id
        self.outgoing = outgoing
        self.stage = "calling" if outgoing else "ringing"
        self.status = 0
        self.tag = secrets.token_hex(4)
        self.local = self.remote = self.target = ""
        self.invite: SipMessage | None = None
        self.branch = ""  # of our last INVITE
        self.cseq = 0  # of our last INVITE
        self.asking = False  # it has no final answer yet: another INVITE would be refused
        self.sequence = itertools.count(1)
        self.referred = ""  # the last answer or NOTIFY to our REFER
        self.changed = asyncio.Event()

    async def until(self, *stages: str, timeout_s: float = WAIT_S) -> SipLine:
        """Wait for one of these stages. Raises SipFailed after `timeout_s`."""
        await self.wait(lambda: self.stage in stages, " or ".join(stages), timeout_s)
        return self

    async def wait(self, done: Callable[[], bool], what: str, timeout_s: float = WAIT_S) -> None:
        """Wait until `done`. Raises SipFailed naming `what`."""
        try:
            async with asyncio.timeout(timeout_s):
                while not done():
                    self.changed.clear()
                    await self.changed.wait()
        except TimeoutError as error:
            raise SipFailed(f"{self.phone.user}: {self.stage} ({self.status}), never {what}") from error

    # -- as the one called ---------------------------------------------------------------------------

    def answer(self) -> None:
        """Pick up."""
        assert self.invite is not None
        self.stage = "up"
        self.phone.respond(self.invite, 200, self, self.phone.sdp())

    def reject(self, status: int = 486) -> None:
        """Refuse with this status."""
        assert self.invite is not None
        self.stage = "gone"
        self.phone.respond(self.invite, status, self)

    def forward(self, number: str) -> None:
        """Send the caller to another number (302)."""
        assert self.invite is not None
        self.stage = "gone"
        contact = f"Contact: <sip:{number}@{self.phone.pbx[0]}:{self.phone.pbx[1]}>"
        self.phone.respond(self.invite, 302, self, extra=[contact])

    # -- in the call ---------------------------------------------------------------------------------

    async def hold(self) -> None:
        """Put the other side on hold (re-INVITE, sendonly)."""
        await self._offer("sendonly")

    async def resume(self) -> None:
        """Take it back."""
        await self._offer("sendrecv")

    async def _offer(self, direction: str) -> None:
        self.request("INVITE", self.phone.sdp(direction))
        await self.wait(lambda: not self.asking, f"an answer to {direction}")

    def press(self, digit: str) -> None:
        """Press a key (SIP INFO)."""
        body = f"Signal={digit}\r\nDuration=120\r\n"
        self.request("INFO", body, content="application/dtmf-relay")

    def refer(self, number: str) -> None:
        """Blind transfer."""
        self.request("REFER", extra=[f"Refer-To: <sip:{number}@{self.phone.pbx[0]}:{self.phone.pbx[1]}>"])

    def refer_to(self, other: SipLine) -> None:
        """Attended transfer: join the other side with that of `other`, also while it still rings."""
        tags = f"{other.call_id};to-tag={_tag(other.remote)};from-tag={other.tag}"
        quoted = tags.replace(";", "%3B").replace("=", "%3D").replace("@", "%40")
        uri = other.target.partition(";")[0]
        self.request("REFER", extra=[f"Refer-To: <{uri}?Replaces={quoted}>", f"Referred-By: {self.local}"])

    def hang_up(self) -> None:
        """End the call in whatever way fits."""
        if self.stage in ("calling", "early"):
            self.request("CANCEL")
        elif self.stage == "up":
            self.request("BYE")
        elif self.stage == "ringing":
            self.reject()
        self.stage = "gone"

    def request(
        self, method: str, body: str = "", content: str = "application/sdp", extra: Iterable[str] = ()
    ) -> None:
        """Send a request inside this dialog."""
        self.phone.request(self, method, body, content, extra)


class Softphone(asyncio.DatagramProtocol):
    """One telephone. `open` it, `close` it."""

    def __init__(self, user: str, pbx: tuple[str, int]) -> None:
        self.user = user
        self.pbx = pbx
        self.port = 0
        self.refuse_with = 0  # a status: calls are refused with it at once, without ringing
        self.lines: dict[str, SipLine] = {}
        self.incoming: asyncio.Queue[SipLine] = asyncio.Queue()
        self._transport: asyncio.DatagramTransport | None = None

    async def open(self, host: str = "127.0.0.1") -> Softphone:
        """Bind a free port."""
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_datagram_endpoint(lambda: self, local_addr=(host, 0))
        self.port = self._transport.get_extra_info("sockname")[1]
        return self

    def close(self) -> None:
        """Give the port back."""
        if self._transport is not None:
            self._transport.close()

    def dial(self, number: str, extra: Iterable[str] = (), caller: str = "") -> SipLine:
        """Call a number."""
        line = SipLine(self, f"{secrets.token_hex(8)}@{self.user}", outgoing=True)
        self.lines[line.call_id] = line
        target = f"sip:{number}@{self.pbx[0]}:{self.pbx[1]}"
        line.local = f"<sip:{caller or self.user}@127.0.0.1>;tag={line.tag}"
        line.remote, line.target = f"<{target}>", target
        self.request(line, "INVITE", self.sdp(), extra=extra)
        return line

    async def next_call(self, timeout_s: float = WAIT_S) -> SipLine:
        """The next incoming call, ringing. Raises SipFailed after `timeout_s`."""
        try:
            return await asyncio.wait_for(self.incoming.get(), timeout_s)
        except TimeoutError as error:
            raise SipFailed(f"{self.user}: nobody called in {timeout_s:.0f} s") from error

    def sdp(self, direction: str = "sendrecv") -> str:
        """An offer or answer for sound that never comes."""
        return (
            "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
            f"m=audio {self.port} RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\na={direction}\r\n"
        )

    def request(
        self,
        line: SipLine,
        method: str,
        body: str = "",
        content: str = "application/sdp",
        extra: Iterable[str] = (),
    ) -> None:
        """Write one request of `line`."""
        if method in ("CANCEL", "ACK"):
            sequence, branch = (
                line.cseq,
                line.branch if method == "CANCEL" else f"z9hG4bK{secrets.token_hex(8)}",
            )
        else:
            sequence, branch = next(line.sequence), f"z9hG4bK{secrets.token_hex(8)}"
        if method == "INVITE":
            line.branch, line.cseq, line.asking = branch, sequence, True
        lines = [
            f"{method} {line.target} SIP/2.0",
            f"Via: SIP/2.0/UDP 127.0.0.1:{self.port};branch={branch};rport",
            f"From: {line.local}",
            f"To: {line.remote if method != 'CANCEL' else line.remote.partition(';tag=')[0]}",
            f"Call-ID: {line.call_id}",
            f"CSeq: {sequence} {method}",
            f"Contact: <sip:{self.user}@127.0.0.1:{self.port}>",
            "Max-Forwards: 70",
            "Supported: replaces",
            *extra,
        ]
        self._send(lines, body, content)

    def respond(
        self,
        request: SipMessage,
        status: int,
        line: SipLine | None = None,
        body: str = "",
        extra: Iterable[str] = (),
    ) -> None:
        """Answer a request."""
        to = request["To"]
        if line is not None and "tag=" not in to:
            to += f";tag={line.tag}"
        lines = [
            f"SIP/2.0 {status} {_REASONS.get(status, 'Whatever')}",
            *(f"Via: {via}" for via in request.all("Via")),
            f"From: {request['From']}",
            f"To: {to}",
            f"Call-ID: {request['Call-ID']}",
            f"CSeq: {request['CSeq']}",
            f"Contact: <sip:{self.user}@127.0.0.1:{self.port}>" if status != 302 else "Server: softphone",
            "Supported: replaces",
            "Allow: INVITE, ACK, BYE, CANCEL, OPTIONS, NOTIFY, REFER, INFO, UPDATE",
            *extra,
        ]
        self._send(lines, body, SDP_TYPE)

    def _send(self, lines: list[str], body: str, content: str) -> None:
        if self._transport is None or self._transport.is_closing():
            return
        tail = [f"Content-Type: {content}"] if body else []
        text = "\r\n".join([*lines, *tail, f"Content-Length: {len(body)}", "", body])
        self._transport.sendto(text.encode(), self.pbx)

    # -- what comes ----------------------------------------------------------------------------------

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """One SIP message; only the PBX may speak to this telephone."""
        if addr != self.pbx:
            return
        message = SipMessage(data.decode("utf-8", "replace"))
        line = self.lines.get(message["Call-ID"])
        if message.status:
            if line is not None:
                self._take_response(line, message)
        elif line is None and message.method == "INVITE":
            self._take_call(message)
        elif message.method != "ACK":
            self._take_request(line, message)
        if line is not None:
            line.changed.set()

    def _take_call(self, invite: SipMessage) -> None:
        line = SipLine(self, invite["Call-ID"], outgoing=False)
        self.lines[line.call_id] = line
        line.invite = invite
        line.local, line.remote = f"{invite['To']};tag={line.tag}", invite["From"]
        line.target = _uri(invite["Contact"])
        if self.refuse_with:
            line.reject(self.refuse_with)
            return
        self.respond(invite, 180, line)
        self.incoming.put_nowait(line)

    def _take_request(self, line: SipLine | None, message: SipMessage) -> None:
        method = message.method
        if line is None:
            self.respond(message, 200 if method == "OPTIONS" else 481)
        elif method == "CANCEL":
            self.respond(message, 200, line)
            if line.stage == "ringing" and line.invite is not None:
                self.respond(line.invite, 487, line)
                line.stage = "gone"
        elif method == "INVITE" and line.stage == "ringing":
            pass  # sent again because our answer was slow
        else:
            self.respond(message, 200, line, self.sdp() if method == "INVITE" else "")
            if method == "BYE":
                line.stage = "gone"
            elif method == "NOTIFY":
                line.referred = message.body.strip() or line.referred
                if " 200 " in line.referred:  # the one who transferred leaves, as telephones do
                    line.hang_up()

    def _take_response(self, line: SipLine, message: SipMessage) -> None:
        status, method = message.status, message.method
        if method == "REFER":
            line.referred = line.referred or str(status)
        if method != "INVITE":
            return
        line.status, line.asking = status, status < 200
        if status > 100 and _tag(message["To"]):
            line.remote = message["To"]
        if 100 < status < 200 and line.stage == "calling":
            line.stage = "early"
        elif 200 <= status < 300:
            line.target = _uri(message["Contact"]) or line.target
            self.request(line, "ACK")
            if line.stage in ("calling", "early"):
                line.stage = "up"
        elif status >= 300:
            self._acknowledge(line, message)
            line.stage = "gone"

    def _acknowledge(self, line: SipLine, message: SipMessage) -> None:
        """The ACK of a refusal belongs to the INVITE's own transaction."""
        lines = [
            f"ACK {line.target} SIP/2.0",
            f"Via: SIP/2.0/UDP 127.0.0.1:{self.port};branch={line.branch};rport",
            f"From: {line.local}",
            f"To: {message['To']}",
            f"Call-ID: {line.call_id}",
            f"CSeq: {line.cseq} ACK",
            "Max-Forwards: 70",
        ]
        self._send(lines, "", "")


def _tag(address: str) -> str:
    found = re.search(r";tag=([^;>\s]+)", address)
    return found[1] if found else ""


def _uri(contact: str) -> str:
    found = re.search(r"<([^>]+)>", contact)
    return found[1] if found else contact.partition(";")[0]
