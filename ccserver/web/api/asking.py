"""Who is asking: cookie, CSRF token and permission, as FastAPI dependencies.

Every route below /api/v1 but `login-options` and `login` declares `Depends(asking(PERMISSION))`; a test goes
through all routes and all roles.
"""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable

from fastapi import Request, Response
from starlette.requests import HTTPConnection

from ccserver.web.access import may
from ccserver.web.accounts import Login
from ccserver.web.errors import ApiError
from ccserver.web.guard import SAFE_METHODS, is_secure
from ccserver.web.ports import WebDeps

CSRF_HEADER = "x-csrf-token"


def deps_of(connection: HTTPConnection) -> WebDeps:
    """What the app was given."""
    deps: WebDeps = connection.app.state.deps
    return deps


def address_of(connection: HTTPConnection) -> str:
    """Where it comes from (the browser, not our trusted proxy)."""
    return connection.client.host if connection.client is not None else ""


def cookie_name(connection: HTTPConnection) -> str:
    """With HTTPS the `__Host-` prefix: no sister domain and no plain HTTP can plant it."""
    return "__Host-ccserver" if is_secure(connection.scope) else "ccserver"


def token_of(connection: HTTPConnection) -> str:
    """The session's token, empty when there is none."""
    return connection.cookies.get(cookie_name(connection), "")


def set_cookie(connection: HTTPConnection, response: Response, token: str, max_age_s: int) -> None:
    """The cookie of a new session (or, with age 0, the end of it)."""
    response.set_cookie(
        cookie_name(connection),
        token,
        max_age=max_age_s,
        path="/",
        secure=is_secure(connection.scope),
        httponly=True,
        samesite="strict",
    )


def asking(permission: str | None) -> Callable[[Request], Awaitable[Login]]:
    """A dependency: the login of who asks, with that permission (None: being logged in is enough)."""

    async def login_of(request: Request) -> Login:
        login = await deps_of(request).accounts.resume(token_of(request))
        if login is None:
            raise ApiError(401, "not_logged_in", "You are not logged in (any more); log in and try again.")
        if request.method not in SAFE_METHODS:
            given = request.headers.get(CSRF_HEADER, "")
            if not hmac.compare_digest(given.encode(), login.csrf.encode()):
                words = "The CSRF token is missing or wrong; reload the page and try again."
                raise ApiError(403, "csrf", words)
        if permission is not None and not may(login.user.role, permission):
            words = f"Your role ({login.user.role}) may not do this; ask an administrator."
            raise ApiError(403, "forbidden", words)
        return login

    return login_of
