"""uvicorn inside our loop: its listeners, its limits, its end.

uvicorn starts no loop and takes no signal here (`_serve`, not `serve`). Sockets are bound by us, so that a
port in use is an error with words and not an exit. What uvicorn lacks is added by two small subclasses: a
limit and a time-out for request heads, a limit of connections, and a way to cut a connection whose peer
stopped reading.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from asyncio import BaseTransport, TimerHandle, Transport
from collections.abc import Callable
from ipaddress import ip_network
from typing import Any, cast

import structlog
import uvicorn
from fastapi import FastAPI
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from ccserver.desk.protocol import MAX_COMMAND_BYTES
from ccserver.web.guard import ABORT, WRITE, is_loopback
from ccserver.web.ports import WebDeps, WebSettings
from ccserver.web.probes import probes

log = structlog.get_logger()

MAX_HEAD_BYTES = 32 * 1024
HEAD_TIMEOUT_S = 15.0
KEEP_ALIVE_S = 30
PING_EVERY_S = 10.0
PING_TIMEOUT_S = 10.0
START_TIMEOUT_S = 10.0
WRITE_BYTES = 16 * 1024


class WebRefused(Exception):
    """The web server cannot be started like this; the message says what to write instead."""


def check_settings(settings: WebSettings) -> None:
    """Raises WebRefused for what would be unsafe or cannot work."""
    if (settings.tls_certificate is None) != (settings.tls_key is None):
        raise WebRefused("server: HTTPS needs tls_certificate and tls_key, both; only one is given")
    for proxy in settings.trusted_proxies:
        try:
            ip_network(proxy)
        except ValueError:
            raise WebRefused(f"server.trusted_proxies: {proxy!r} is no address or network") from None
    if settings.tls_certificate is None and not settings.trusted_proxies and not is_loopback(settings.host):
        raise WebRefused(
            f"server.host = {settings.host!r}: plain HTTP beyond this machine is refused, passwords travel "
            "here. Give tls_certificate and tls_key, or name the HTTPS proxy in front in trusted_proxies, "
            'or write host = "127.0.0.1".'
        )


class GuardedHttp(HttpToolsProtocol):
    """HTTP with limits on the head and on connections. Attributes of uvicorn's class are used as they are."""

    max_connections = 4_000
    _head_bytes = 0
    _head_timer: TimerHandle | None = None

    def connection_made(self, transport: BaseTransport) -> None:
        """A new connection; beyond the limit it is cut before it costs anything."""
        super().connection_made(cast(Transport, transport))
        if len(self.connections) > self.max_connections:
            log.warning("web_connections_full", limit=self.max_connections, client=self.client)
            self.transport.abort()
            return
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Gone."""
        self._head_done()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Bytes; while they belong to a request's head they are counted."""
        if self._head_timer is not None:
            self._head_bytes += len(data)
            # A packet may hold the end of the head and part of the body: one packet more is let through.
            if self._head_bytes > MAX_HEAD_BYTES + len(data):
                self._cut("web_head_too_large", limit=MAX_HEAD_BYTES)
                return
        super().data_received(data)

    def on_message_begin(self) -> None:
        """A request begins."""
        super().on_message_begin()
        cast(dict[str, Any], self.scope)["extensions"] = {ABORT: self.transport.abort}
        if self._head_timer is None:
            self._await_head()

    def on_headers_complete(self) -> None:
        """The head is whole."""
        self._head_done()
        super().on_headers_complete()

    def _await_head(self) -> None:
        self._head_bytes = 0
        self._head_timer = self.loop.call_later(HEAD_TIMEOUT_S, self._cut, "web_head_too_slow")

    def _head_done(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _cut(self, event: str, **details: object) -> None:
        log.warning(event, client=self.client, **details)
        self.transport.abort()


class GuardedWebSocket(WebSocketsSansIOProtocol):
    """Sockets that can be cut (a peer that stopped reading never lets an ordinary close through), and written
    to at once, without a task to be woken: half the cost of a message."""

    async def run_asgi(self) -> None:
        """The application, with both calls in its scope."""
        extensions = cast(dict[str, Any], self.scope)["extensions"]
        extensions[ABORT] = self.transport.abort
        extensions[WRITE] = self.write_text
        await super().run_asgi()

    def write_text(self, next_text: Callable[[], str | None]) -> None:
        """Send what `next_text` gives, until it gives None or the peer is behind."""
        while self.writable.is_set() and not (self.close_sent or self.disconnected):
            data = self._frames(next_text)
            if not data:
                return
            self.transport.write(data)

    def _frames(self, next_text: Callable[[], str | None]) -> bytes:
        """The frames of the next texts in one piece: a packet for all that happened in one moment."""
        size = 0
        while size < WRITE_BYTES and (text := next_text()) is not None:
            self.conn.send_text(text.encode())
            size += len(text)
        return b"".join(self.conn.data_to_send())

    def keepalive_timeout(self) -> None:
        """No pong: whoever is there does not answer, so nothing is waited for."""
        super().keepalive_timeout()
        self.transport.abort()


class _Server(uvicorn.Server):
    """uvicorn that says when it is up."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.up = asyncio.Event()
        self._ending = asyncio.Event()

    async def main_loop(self) -> None:
        """Until `end`: renew the Date header every second (uvicorn's own loop wakes up ten times as much)."""
        while not await self.on_tick(0):
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._ending.wait(), 1.0)

    def end(self) -> None:
        """Stop, now."""
        self.should_exit = True
        self._ending.set()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.up.set()


class Listener:
    """One uvicorn on one port."""

    def __init__(self, app: ASGIApp, settings: WebSettings, host: str, port: int, secure: bool) -> None:
        self._settings = settings
        self._host = host
        self._port = port
        self._secure = secure
        self._server = _Server(self._config(app))
        self._task: asyncio.Task[None] | None = None

    def _config(self, app: ASGIApp) -> uvicorn.Config:
        settings = self._settings
        http = type("_Http", (GuardedHttp,), {"max_connections": settings.max_connections})
        return uvicorn.Config(
            cast(Any, app),
            loop="none",
            http=http,
            ws=GuardedWebSocket,
            ws_max_size=2 * MAX_COMMAND_BYTES,
            ws_ping_interval=PING_EVERY_S,
            ws_ping_timeout=PING_TIMEOUT_S,
            ws_per_message_deflate=False,
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=bool(settings.trusted_proxies),
            forwarded_allow_ips=list(settings.trusted_proxies),
            timeout_keep_alive=KEEP_ALIVE_S,
            timeout_graceful_shutdown=settings.stop_timeout_s,
            ssl_certfile=settings.tls_certificate if self._secure else None,
            ssl_keyfile=settings.tls_key if self._secure else None,
        )

    async def start(self) -> int:
        """Listen; the port. Raises WebRefused."""
        self._load_certificate()
        listening = self._bind()
        self._task = asyncio.ensure_future(self._server._serve([listening]))
        up = asyncio.ensure_future(self._server.up.wait())
        try:
            done, _ = await asyncio.wait(
                {self._task, up}, timeout=START_TIMEOUT_S, return_when=asyncio.FIRST_COMPLETED
            )
        finally:
            up.cancel()
        if self._task in done:
            self._task.result()
        if up not in done:
            raise WebRefused(f"server: uvicorn was not up within {START_TIMEOUT_S:.0f} s")
        port: int = listening.getsockname()[1]
        return port

    def _load_certificate(self) -> None:
        try:
            self._server.config.load()
        except (OSError, ssl.SSLError) as error:
            where = f"{self._settings.tls_certificate} with {self._settings.tls_key}"
            raise WebRefused(f"server.tls_certificate: {where} cannot be used: {error}") from error

    def _bind(self) -> socket.socket:
        try:
            found = socket.getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM)
            return socket.create_server(found[0][4][:2], family=found[0][0], backlog=1024)
        except OSError as error:
            words = f"server: cannot listen on {self._host} port {self._port}: {error.strerror or error}"
            raise WebRefused(f"{words}. Another program has it, or the address is not ours.") from error

    async def stop(self) -> None:
        """Stop listening, let requests end, close sockets with 1012, cut what is left. Bounded in time."""
        if self._task is None:
            return
        self._server.end()
        _, late = await asyncio.wait({self._task}, timeout=self._settings.stop_timeout_s + 2)
        for connection in tuple(self._server.server_state.connections):
            if connection.transport is not None:
                connection.transport.abort()
        for task in late:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        self._task = None


class WebServer:
    """The web shell on its listeners.

    `app = create_app(deps); server = WebServer(app, deps); await server.start(); …; await server.stop()`
    """

    def __init__(self, app: FastAPI, deps: WebDeps) -> None:
        settings = deps.settings
        check_settings(settings)
        self._settings = settings
        self.port = 0
        """The port in use, after `start`."""
        self.metrics_port = 0
        secure = settings.tls_certificate is not None
        self._main = Listener(app, settings, settings.host, settings.port, secure)
        self._metrics: Listener | None = None
        if settings.metrics_port is not None:
            metrics_app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
            metrics_app.include_router(probes(deps.health, deps.metrics, with_metrics=True))
            self._metrics = Listener(
                metrics_app, settings, settings.metrics_host, settings.metrics_port, secure=False
            )

    @property
    def url(self) -> str:
        """Where a browser on this machine finds it."""
        scheme = "https" if self._settings.tls_certificate is not None else "http"
        host = self._settings.host
        host = "localhost" if host in ("0.0.0.0", "::", "") else f"[{host}]" if ":" in host else host
        return f"{scheme}://{host}:{self.port}"

    async def start(self) -> None:
        """Listen. Raises WebRefused, and then nothing listens."""
        self.port = await self._main.start()
        if self._metrics is not None:
            try:
                self.metrics_port = await self._metrics.start()
            except BaseException:
                await self._main.stop()
                raise

    async def stop(self) -> None:
        """End all connections; bounded in time."""
        stops: list[Callable[[], Any]] = [self._main.stop]
        if self._metrics is not None:
            stops.append(self._metrics.stop)
        await asyncio.gather(*(stop() for stop in stops))
