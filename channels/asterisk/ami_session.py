"""One AMI connection from greeting to loss: greets, logs in by MD5 challenge, hands messages on in order.

    GREETING --banner--> CHALLENGED --challenge--> LOGGING_IN --Success--> UP --loss, fault, drop()--> GONE

A session knows the protocol; its owner (`ami_client`) knows what it is for, watches time and dials again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol, cast

from twisted.internet.protocol import Protocol as TwistedProtocol
from twisted.python.failure import Failure

from channels.asterisk.ami_codec import AmiDecoder, AmiLimits, AmiMessage, AmiPeerError, encode_action
from channels.asterisk.ami_endpoint import AmiLogin, Clock

Fields = Iterable[tuple[str, str]]


class Phase(StrEnum):
    """Where one connection stands."""

    GREETING = "greeting"
    CHALLENGED = "challenged"
    LOGGING_IN = "logging in"
    UP = "up"
    GONE = "gone"


@dataclass
class AmiCounts:
    """What happened since the start, for the metrics."""

    connections: int = 0
    messages: int = 0
    dropped: int = 0
    actions: int = 0
    refused: int = 0
    timeouts: int = 0
    late_replies: int = 0
    peer_faults: int = 0
    callback_errors: int = 0


class SessionOwner(Protocol):
    """What a session needs of the client that owns it."""

    name: str
    login: AmiLogin
    clock: Clock
    wanted: frozenset[bytes] | None
    limits: AmiLimits
    counts: AmiCounts

    def session_made(self, session: AmiSession) -> None:
        """TCP (and TLS) stands, nothing was said yet."""

    def session_up(self, session: AmiSession) -> None:
        """Logged in."""

    def message_came(self, message: AmiMessage) -> None:
        """One message of a session that is up."""

    def session_lost(self, session: AmiSession, why: str) -> None:
        """Called last, once."""


class AmiSession(TwistedProtocol):
    """One TCP connection; its owner hears of it by the four calls of SessionOwner."""

    def __init__(self, owner: SessionOwner) -> None:
        self.owner = owner
        self.phase = Phase.GREETING
        self.decoder = AmiDecoder(owner.wanted, owner.limits)
        self.began_at = owner.clock.seconds()
        self.up_at: float | None = None
        self.heard_at = self.began_at
        self.why_gone = ""

    def connectionMade(self) -> None:
        self.owner.session_made(self)

    def dataReceived(self, data: bytes) -> None:
        if self.phase is Phase.GONE:
            return
        counts = self.owner.counts
        seen, dropped = self.decoder.seen, self.decoder.dropped
        try:
            messages = self.decoder.feed(data)
        except AmiPeerError as fault:
            self._take(fault.messages)
            counts.peer_faults += 1
            self.drop(f"peer fault: {fault}")
            return
        counts.dropped += self.decoder.dropped - dropped
        if self.decoder.seen != seen:
            counts.messages += self.decoder.seen - seen
            self.heard_at = self.owner.clock.seconds()
        if self.phase is Phase.GREETING and self.decoder.banner is not None:
            self.phase = Phase.CHALLENGED
            self.write("Challenge", [("AuthType", "MD5"), ("ActionID", "challenge")])
        self._take(messages)

    def _take(self, messages: list[AmiMessage]) -> None:
        for message in messages:
            if self.phase is Phase.UP:
                self.owner.message_came(message)
            elif message.kind == "response":
                self._log_in(message)
            if self.phase is Phase.GONE:
                return

    def _log_in(self, response: AmiMessage) -> None:
        """The two answers that lead to UP; anything else is a refusal."""
        step = (self.phase, response.get("ActionID"), response.name)
        if step == (Phase.CHALLENGED, "challenge", "Success") and response.get("Challenge"):
            self.phase = Phase.LOGGING_IN
            self.write("Login", self._login_fields(response.get("Challenge")))
        elif step == (Phase.LOGGING_IN, "login", "Success"):
            self.phase = Phase.UP
            self.up_at = self.heard_at
            self.owner.session_up(self)
        else:
            said = response.get("Message", response.name)
            hint = f"check user and secret of [pbx.{self.owner.name}] and its manager.conf"
            self.drop(f"login refused ({said}): {hint}")

    def _login_fields(self, challenge: str) -> list[tuple[str, str]]:
        login = self.owner.login
        key = hashlib.md5((challenge + login.secret).encode(), usedforsecurity=False).hexdigest()
        return [
            ("AuthType", "MD5"),
            ("Username", login.user),
            ("Key", key),
            ("Events", login.events),
            ("ActionID", "login"),
        ]

    def write(self, name: str, fields: Fields) -> None:
        cast(Any, self.transport).write(encode_action(name, fields))

    def drop(self, reason: str) -> None:
        """Give the connection up at once. The owner hears of it in connectionLost, which follows."""
        if self.phase is not Phase.GONE:
            self.phase = Phase.GONE
            self.why_gone = reason
            cast(Any, self.transport).abortConnection()

    def connectionLost(self, reason: Failure | None = None) -> None:
        why = self.why_gone or (reason.getErrorMessage() if reason is not None else "connection lost")
        self.phase = Phase.GONE
        self.owner.session_lost(self, why)
