"""Where a PBX's AMI is and how it is dialled: plain TCP or TLS, with a time-out on a monotonic clock.

    AmiAddress --client_endpoint()--> HostnameEndpoint [-> TLS wrapper] --TimedEndpoint--> ClientService

TLS verifies the certificate and the host name by default: against the CA file given, or else the system's
store. To switch that off (`verify=False`) is the operator's explicit choice.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from OpenSSL.SSL import Connection
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.endpoints import HostnameEndpoint, wrapClientTLS
from twisted.internet.interfaces import IDelayedCall, IOpenSSLClientConnectionCreator, IStreamClientEndpoint
from twisted.internet.ssl import (
    Certificate,
    CertificateOptions,
    optionsForClientTLS,
    trustRootFromCertificates,
)
from twisted.protocols.tls import TLSMemoryBIOProtocol
from twisted.python.failure import Failure
from zope.interface import implementer  # type: ignore[import-untyped]  # ships no types

CONNECT_TIMEOUT_S = 5.0

# Twisted's interfaces are zope's and mean nothing to mypy, hence `Any` where one is passed on.
Endpoint = Any


class Timer(Protocol):
    """What `callLater` returns."""

    def cancel(self) -> object:
        """Not to be called after it fired."""


class Clock(Protocol):
    """Monotonic time and timers, with the names of Twisted's IReactorTime."""

    def seconds(self) -> float:
        """Seconds since some moment; never goes back."""

    def callLater(self, delay: float, callable: Callable[..., object], /) -> Timer:
        """Call once, `delay` seconds from now."""


@implementer(IDelayedCall)
class LoopTimer:
    """A timer of LoopClock: what is used of IDelayedCall (ClientService insists on the name)."""

    def __init__(self, handle: asyncio.TimerHandle, loop: asyncio.AbstractEventLoop) -> None:
        self._handle = handle
        self._loop = loop

    def cancel(self) -> None:
        """Not to be called after it fired."""
        self._handle.cancel()

    def active(self) -> bool:
        """Still to come."""
        return not self._handle.cancelled() and self._handle.when() > self._loop.time()


class LoopClock:
    """The clock of production: asyncio's own monotonic time, untouched by a step of the wall clock."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self.seconds = loop.time

    def callLater(self, delay: float, callable: Callable[..., object], /, *arguments: object) -> LoopTimer:
        """Call once, `delay` seconds from now."""
        return LoopTimer(self._loop.call_later(delay, callable, *arguments), self._loop)


@dataclass(frozen=True)
class AmiTls:
    """AMI over TLS (`tlsenable` in manager.conf). `ca_file`: PEM; `host_name`: what the certificate says."""

    ca_file: Path | None = None
    host_name: str | None = None
    verify: bool = True


@dataclass(frozen=True)
class AmiAddress:
    """One PBX, by the name of its `[pbx.NAME]`."""

    name: str
    host: str
    port: int = 5038
    tls: AmiTls | None = None


@dataclass(frozen=True)
class AmiLogin:
    """The manager account; `events` is the classes asked for. The secret shows in no repr and no log."""

    user: str
    secret: str = field(repr=False)
    events: str = "call,user,agent"


def client_endpoint(reactor: Any, address: AmiAddress) -> Endpoint:
    """How to dial that address. Raises OSError or ValueError for a CA file that cannot be used."""
    plain: Endpoint = HostnameEndpoint(reactor, address.host, address.port, timeout=CONNECT_TIMEOUT_S)
    if address.tls is None:
        return plain
    return wrapClientTLS(_tls_options(address.tls, address.host), plain)


_trust_root: Any = trustRootFromCertificates


def _tls_options(tls: AmiTls, host: str) -> Any:
    if not tls.verify:
        return _Unverified()
    trust = None
    if tls.ca_file is not None:
        trust = _trust_root([Certificate.loadPEM(tls.ca_file.read_bytes())])
    return optionsForClientTLS(tls.host_name or host, trustRoot=trust)


@implementer(IOpenSSLClientConnectionCreator)
class _Unverified:
    """Encryption without knowing to whom; only where the operator says `verify = false`."""

    def clientConnectionForTLS(self, tlsProtocol: TLSMemoryBIOProtocol) -> Connection:
        del tlsProtocol
        return Connection(CertificateOptions().getContext(), None)


@implementer(IStreamClientEndpoint)
class TimedEndpoint:
    """Dials with a time-out on the given clock and tells why an attempt failed, unless we cancelled it."""

    def __init__(self, inner: Endpoint, clock: Clock, on_failure: Callable[[str], None]) -> None:
        self._inner = inner
        self._clock: Any = clock
        self._on_failure = on_failure

    def connect(self, protocolFactory: object) -> Deferred[Any]:
        """As IStreamClientEndpoint.connect."""
        attempt: Deferred[Any] = self._inner.connect(protocolFactory)
        attempt.addTimeout(CONNECT_TIMEOUT_S, self._clock)
        return attempt.addErrback(self._failed)

    def _failed(self, failure: Failure) -> Failure:
        if not isinstance(failure.value, CancelledError):
            self._on_failure(failure.getErrorMessage())
        return failure
