"""SIP telephones with a password, and callers who may say anything: softphones of tests/pbx for this PBX.

`DeskPhone` registers as the phone of a desk, so it can put on hold and transfer as people do.
`RawCaller` comes from the trunk's address with whatever From header a test gives it.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
import secrets
from collections.abc import Iterable

from channels.asterisk.pbx.instance import PbxInstance
from channels.asterisk.pbx.site_files import CALLERS_ADDRESS
from tests.pbx.softphone import SipLine, SipMessage, Softphone

WITHIN_S = 20.0


class DeskPhone(Softphone):
    """`await phone.register()`, then as a Softphone."""

    def __init__(self, name: str, password: str, pbx: tuple[str, int]) -> None:
        super().__init__(name, pbx)
        self._password = password
        self._sent: dict[str, tuple[str, str, list[str]]] = {}
        self._registered: asyncio.Future[int] | None = None

    async def register(self, expires_s: int = 300) -> None:
        """Be reachable at the PBX; 0: no longer."""
        self._registered = asyncio.get_running_loop().create_future()
        line = SipLine(self, f"{secrets.token_hex(8)}@register", outgoing=True)
        self.lines[line.call_id] = line
        line.local = f"<sip:{self.user}@{self.pbx[0]}>;tag={line.tag}"
        line.remote, line.target = f"<sip:{self.user}@{self.pbx[0]}>", f"sip:{self.pbx[0]}:{self.pbx[1]}"
        self.request(line, "REGISTER", extra=[f"Expires: {expires_s}"])
        assert await asyncio.wait_for(self._registered, WITHIN_S) == 200

    def request(
        self, line: SipLine, method: str, body: str = "", content: str = "", extra: Iterable[str] = ()
    ) -> None:
        """Remembered, to be repeated with the password."""
        kept = list(extra)
        if method in ("INVITE", "REGISTER", "REFER"):
            self._sent.setdefault(line.call_id + method, (body, content, kept))
        super().request(line, method, body, content or "application/sdp", kept)

    def _take_response(self, line: SipLine, message: SipMessage) -> None:
        method = message.method
        sent = self._sent.get(line.call_id + method)
        if message.status in (401, 407) and sent is not None:
            if method == "INVITE":
                self._acknowledge(line, message)
            body, content, extra = self._sent.pop(line.call_id + method)
            proof = self._proof(message, method, line.target)
            super().request(line, method, body, content or "application/sdp", [*extra, proof])
        elif method == "REGISTER":
            if self._registered is not None and not self._registered.done() and message.status >= 200:
                self._registered.set_result(message.status)
        else:
            super()._take_response(line, message)

    def _proof(self, message: SipMessage, method: str, uri: str) -> str:
        """The answer to a digest challenge (RFC 2617, MD5, with or without qop)."""
        challenge = message["WWW-Authenticate"] or message["Proxy-Authenticate"]
        given = dict(re.findall(r'(\w+)="?([^",]*)"?', challenge))
        who, nonce = self.user, given["nonce"]
        first, second = _md5(f"{who}:{given['realm']}:{self._password}"), _md5(f"{method}:{uri}")
        cnonce, tail = secrets.token_hex(8), ""
        if "qop" in given:
            answer = _md5(f"{first}:{nonce}:00000001:{cnonce}:auth:{second}")
            tail = f', qop=auth, nc=00000001, cnonce="{cnonce}"'
        else:
            answer = _md5(f"{first}:{nonce}:{second}")
        opaque = f', opaque="{given["opaque"]}"' if "opaque" in given else ""
        return (
            f'Authorization: Digest username="{who}", realm="{given["realm"]}", nonce="{nonce}", '
            f'uri="{uri}", response="{answer}", algorithm=MD5{opaque}{tail}'
        )


class RawCaller(Softphone):
    """A caller at the trunk whose From header is the test's; bytes go out as Latin-1."""

    def call_as(self, from_header: str, number: str) -> SipLine:
        """Dial with this From header (without tag)."""
        line = SipLine(self, f"{secrets.token_hex(8)}@raw", outgoing=True)
        self.lines[line.call_id] = line
        target = f"sip:{number}@{self.pbx[0]}:{self.pbx[1]}"
        line.local = f"{from_header};tag={line.tag}"
        line.remote, line.target = f"<{target}>", target
        self.request(line, "INVITE", self.sdp())
        return line

    def _send(self, lines: list[str], body: str, content: str) -> None:
        assert self._transport is not None
        tail = [f"Content-Type: {content}"] if body else []
        text = "\r\n".join([*lines, *tail, f"Content-Length: {len(body)}", "", body])
        self._transport.sendto(text.encode("latin-1", "replace"), self.pbx)


async def desk_phone(pbx: PbxInstance, name: str = "desk") -> DeskPhone:
    """A registered phone of that name."""
    password = next(phone.password for phone in pbx.phones if phone.name == name)
    phone = DeskPhone(name, password, (pbx.sip_host, pbx.sip_port))
    await phone.open()
    await phone.register()
    return phone


async def raw_caller(pbx: PbxInstance) -> RawCaller:
    """A caller from the trunk's address."""
    caller = RawCaller("raw", (pbx.sip_host, pbx.sip_port))
    await caller.open(CALLERS_ADDRESS)
    return caller


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
