"""The guard at the door: one ASGI middleware before everything else.

For each request, in this order: is the Host ours, is it HTTPS (or loopback), is the Origin ours (every
socket, every unsafe method), is the body small enough, and does it all end in time. Answers get the security
headers. What is refused here never reaches a route; a client that stalls is cut off.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from ipaddress import ip_address
from urllib.parse import urlsplit

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ccserver.web.errors import error_body
from ccserver.web.ports import WebSettings

log = structlog.get_logger()

MAX_BODY_BYTES = 64 * 1024
DEADLINE_S = 30.0
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
ABORT = "ccserver.abort"
"""Extension of the ASGI scope: a call that cuts the connection at once, unsent bytes and all."""
WRITE = "ccserver.write"
"""Extension of a socket's scope: a call that sends texts at once, as long as the peer keeps up."""

SECURITY_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
        "connect-src 'self'; media-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; "
        "frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # Not `no-referrer`: with it browsers send `Origin: null`, and the check below would refuse our own forms.
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "microphone=(self), camera=(), geolocation=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
TOO_LARGE = f"Your request is too large; the limit is {MAX_BODY_BYTES} bytes."
TOO_SLOW = "Your request took too long; check your connection and try again."
HSTS = "max-age=31536000"


class Refusal(Exception):
    """Not let in; becomes an answer."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


class BodyTooLarge(HTTPException):
    """More bytes came than a request may have. An HTTPException, since FastAPI lets only those through."""

    def __init__(self) -> None:
        super().__init__(413, TOO_LARGE, {"Connection": "close"})


def is_secure(scope: Scope) -> bool:
    """Whether the browser's side of this connection is HTTPS."""
    return scope["scheme"] in ("https", "wss")


def is_ip(host: str) -> bool:
    """Whether it is written as an address, not as a name."""
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def is_loopback(host: str) -> bool:
    """Whether only this machine can be meant."""
    return host == "localhost" or (is_ip(host) and ip_address(host).is_loopback)


def _hostname(authority: str) -> str:
    try:
        return (urlsplit(f"//{authority}").hostname or "").rstrip(".")
    except ValueError:
        return ""


class Guard:
    """The middleware."""

    def __init__(self, app: ASGIApp, settings: WebSettings, deadline_s: float = DEADLINE_S) -> None:
        self._app = app
        self._hosts = frozenset(host.lower() for host in settings.hosts)
        self._deadline_s = deadline_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request or socket."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        try:
            self._check(scope)
        except Refusal as refusal:
            log.warning("web_refused", path=scope["path"], client=scope.get("client"), why=refusal.message)
            await self._refuse(refusal, scope, receive, send)
            return
        if scope["type"] == "websocket":
            await self._app(scope, receive, send)
        else:
            await self._http(scope, receive, send)

    def _check(self, scope: Scope) -> None:
        headers = Headers(scope=scope)
        authority = headers.get("host", "").lower()
        host = _hostname(authority)
        if not (is_ip(host) or host == "localhost" or host in self._hosts):
            words = "The address in your browser is none of ours; the administrator lists it under hosts."
            raise Refusal(421, "wrong_host", words)
        client = scope.get("client")
        if not is_secure(scope) and client is not None and not is_loopback(client[0]):
            raise Refusal(403, "https_only", "Passwords travel here: use the HTTPS address.")
        self._check_origin(scope, headers, authority)
        length = headers.get("content-length", "0")
        if not (length.isascii() and length.isdigit()) or int(length) > MAX_BODY_BYTES:
            raise Refusal(413, "too_large", TOO_LARGE)

    def _check_origin(self, scope: Scope, headers: Headers, authority: str) -> None:
        is_socket = scope["type"] == "websocket"
        if not is_socket and scope["method"] in SAFE_METHODS:
            return
        origin = headers.get("origin")
        if origin is None and not is_socket:
            # Browsers send it with every unsafe request: this is a program, with no cookie but its own.
            return
        scheme = "https" if is_secure(scope) else "http"
        if origin is None or not self._is_ours(origin.lower(), scheme, authority):
            words = "This came from another site's page; open our own page and do it there."
            raise Refusal(403, "wrong_origin", words)

    def _is_ours(self, origin: str, scheme: str, authority: str) -> bool:
        if origin == f"{scheme}://{authority}":
            return True
        origin_scheme, _, origin_authority = origin.partition("://")
        return origin_scheme == scheme and _hostname(origin_authority) in self._hosts

    async def _refuse(self, refusal: Refusal, scope: Scope, receive: Receive, send: Send) -> None:
        body = error_body(refusal.code, refusal.message)
        if scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.http.response.start", "status": refusal.status, "headers": []})
            await send({"type": "websocket.http.response.body", "body": body})
            return
        answer = Response(body, refusal.status, {"Connection": "close"}, "application/json")
        await answer(scope, receive, _with_headers(scope, send, lambda: None))

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = False

        def mark() -> None:
            nonlocal started
            started = True

        guarded = _with_headers(scope, send, mark)
        try:
            async with asyncio.timeout(self._deadline_s) as deadline:
                await self._app(scope, _bounded(receive), guarded)
        except TimeoutError:
            if not deadline.expired():
                raise
            log.warning("web_client_stalled", path=scope["path"], client=scope.get("client"))
            if started:
                _abort(scope)
            else:
                await self._refuse(Refusal(408, "too_slow", TOO_SLOW), scope, receive, send)


def _abort(scope: Scope) -> None:
    abort: Callable[[], None] | None = scope.get("extensions", {}).get(ABORT)
    if abort is not None:
        abort()


def _bounded(receive: Receive) -> Receive:
    total = 0

    async def bounded() -> Message:
        nonlocal total
        message = await receive()
        total += len(message.get("body", b""))
        if total > MAX_BODY_BYTES:
            raise BodyTooLarge
        return message

    return bounded


def _with_headers(scope: Scope, send: Send, mark_started: Callable[[], None]) -> Send:
    async def guarded(message: Message) -> None:
        if message["type"] == "http.response.start":
            mark_started()
            headers = MutableHeaders(scope=message)
            for name, value in SECURITY_HEADERS.items():
                headers[name] = value
            if is_secure(scope):
                headers["Strict-Transport-Security"] = HSTS
            headers.setdefault("Cache-Control", "no-store")
        await send(message)

    return guarded
