"""The web application, put together in one visible function."""

from __future__ import annotations

import asyncio

from fastapi import FastAPI
from starlette.routing import WebSocketRoute

from ccserver.web import errors
from ccserver.web.api import login, records, sockets, users
from ccserver.web.api.commands import Commands
from ccserver.web.api.fanout import Waker
from ccserver.web.api.seats import Seats
from ccserver.web.api.shapes import describe
from ccserver.web.guard import Guard
from ccserver.web.pages import pages
from ccserver.web.ports import WebDeps
from ccserver.web.probes import probes

DESCRIPTION = """The HTTP API of ccserver.

Log in with `POST /api/v1/login`; the answer sets a cookie and names a CSRF token, which goes into the header
`X-CSRF-Token` of every POST and PATCH. Errors are always `{"error": {"code", "message"}}`."""


def create_app(deps: WebDeps) -> FastAPI:
    """Pages, API, sockets, health and metrics. To be called on the loop that will serve it."""
    app = FastAPI(
        title="ccserver",
        version="1",
        description=DESCRIPTION,
        openapi_url="/api/openapi.json",
        docs_url=None,
        redoc_url=None,
    )
    app.state.deps = deps
    app.state.seats = Seats(deps.desks)
    app.state.commands = Commands(deps.desks, deps.metrics)
    app.state.waker = Waker(asyncio.get_running_loop().call_soon)
    errors.install(app, deps.metrics)
    app.add_middleware(Guard, settings=deps.settings)
    for module in (login, users, records):
        app.include_router(module.router, prefix="/api/v1")
    app.include_router(probes(deps.health, deps.metrics, deps.settings.public_metrics))
    app.include_router(pages(deps.settings.ui))
    app.router.routes.append(WebSocketRoute("/ws/desk", sockets.desk))
    app.router.routes.append(WebSocketRoute("/ws/wallboard", sockets.wallboard))
    app.openapi = describe(app)  # type: ignore[method-assign]
    return app
