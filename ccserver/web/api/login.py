"""Logging in and out: /api/v1/login-options, login, me, logout."""

from __future__ import annotations

from typing import Annotated, NoReturn

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from ccserver.web.access import may
from ccserver.web.accounts import Login, TooManyAttempts, WrongLogin
from ccserver.web.api.asking import address_of, asking, deps_of, set_cookie, token_of
from ccserver.web.api.seats import seats_of
from ccserver.web.api.shapes import LoginOptions, Me, answer, documented
from ccserver.web.errors import ApiError
from ccserver.web.ports import DeviceInUse, NotAnAgent, UnknownDevice, User, WebDeps, WebSession

router = APIRouter(tags=["login"])


class Credentials(BaseModel):
    """`device` is one of login-options; supervisors and administrators may leave it out."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(min_length=1, max_length=128)]
    password: Annotated[str, Field(min_length=1, max_length=1024)]
    device: Annotated[str | None, Field(max_length=128)] = None


def me_of(login: Login) -> Me:
    """Who this is, for their page."""
    user = login.user
    return Me(user.id, user.label, user.role, user.language, login.device, login.csrf)


@router.get("/login-options", responses=documented(LoginOptions))
async def login_options(request: Request) -> Response:
    """What the login page offers; the only thing told to those who are not logged in."""
    deps = deps_of(request)
    return answer(
        LoginOptions(
            deps.settings.site, list(deps.settings.languages), list(deps.desks.devices()), list(deps.demo)
        )
    )


@router.post("/login", responses=documented(Me, 400, 401, 403, 409, 422, 429, 503))
async def login(credentials: Credentials, request: Request) -> Response:
    """Log in; sets the session's cookie. An agent who is logged in elsewhere takes their desk over."""
    deps, address = deps_of(request), address_of(request)
    user = await _checked_user(deps, credentials, address)
    device = credentials.device or None
    if device is None and not may(user.role, "login_without_device"):
        raise ApiError(400, "device_needed", "Choose the phone you will work with, then log in again.")
    token, session = deps.accounts.new_session(user, device, address)
    await _take_seat(request, user, session)
    made = await _kept(request, user, token, session)
    deps.metrics.login("ok")
    response = answer(me_of(made))
    set_cookie(request, response, token, deps.settings.session_absolute_s)
    return response


async def _checked_user(deps: WebDeps, credentials: Credentials, address: str) -> User:
    try:
        return await deps.accounts.check(credentials.name, credentials.password, address)
    except WrongLogin:
        deps.metrics.login("wrong")
        words = "Name or password is wrong; try again, or ask your administrator for a new password."
        raise ApiError(401, "wrong_login", words) from None
    except TooManyAttempts as error:
        deps.metrics.login("throttled")
        words = f"Too many attempts; wait {int(error.retry_s) + 1} seconds, then try again."
        raise ApiError(429, "too_many_attempts", words, retry_s=error.retry_s) from None


async def _take_seat(request: Request, user: User, session: WebSession) -> None:
    try:
        await seats_of(request).take(user, session.id, session.device)
    except DeviceInUse as error:
        deps_of(request).metrics.login("device_in_use")
        _refuse_device(error)
    except UnknownDevice:
        words = "There is no such phone; choose one of the list, then log in again."
        raise ApiError(400, "unknown_device", words) from None
    except NotAnAgent:
        words = "You are no agent of the configuration: log in without a phone, or ask your administrator."
        raise ApiError(403, "not_an_agent", words) from None


def _refuse_device(error: DeviceInUse) -> NoReturn:
    words = f"{error.label} is logged in on this phone; choose another one, or ask them to log out."
    raise ApiError(409, "device_in_use", words, {"who": error.label, "device": error.device})


async def _kept(request: Request, user: User, token: str, session: WebSession) -> Login:
    deps = deps_of(request)
    try:
        made = await deps.accounts.keep(user, token, session)
        # The browser's session before this one ends here; its cookie is about to be replaced.
        before = await deps.accounts.resume(token_of(request))
    except Exception:
        await seats_of(request).leave(user.id, session.id, "login_failed")
        raise
    if before is not None:
        await deps.accounts.end(before, address_of(request))
        await seats_of(request).leave(before.user.id, before.session, "logout")
    return made


@router.get("/me", responses=documented(Me, 401))
async def me(login: Annotated[Login, Depends(asking(None))]) -> Response:
    """Who is logged in, and the CSRF token, for a page that was reloaded."""
    return answer(me_of(login))


@router.post("/logout", status_code=204, responses=documented(None, 401, 403, status=204))
async def logout(request: Request, login: Annotated[Login, Depends(asking(None))]) -> Response:
    """End the session and close the desk."""
    deps = deps_of(request)
    await deps.accounts.end(login, address_of(request))
    await seats_of(request).leave(login.user.id, login.session, "logout")
    response = Response(status_code=204)
    set_cookie(request, response, "", 0)
    return response
