"""Errors of the HTTP API: always `{"error": {"code", "message"}}`, in words: whose fault, and what next.

`code` is for programs and translations (and `params` fill a translation); `message` is for people.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import msgspec
import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from ccserver.store import StoreUnavailable
from ccserver.web.passwords import Busy, WeakPassword
from ccserver.web.ports import Meter

log = structlog.get_logger()


class Problem(msgspec.Struct):
    """What went wrong."""

    code: str
    message: str
    params: dict[str, str] = {}


class ErrorAnswer(msgspec.Struct):
    """The body of every answer from 400 up."""

    error: Problem


class ApiError(Exception):
    """Refused; becomes an error answer."""

    def __init__(
        self, status: int, code: str, message: str, params: dict[str, str] | None = None, retry_s: float = 0
    ) -> None:
        super().__init__(message)
        self.status, self.problem, self.retry_s = status, Problem(code, message, params or {}), retry_s


def error_body(code: str, message: str) -> bytes:
    """The body alone, for those who answer without FastAPI."""
    return msgspec.json.encode(ErrorAnswer(Problem(code, message)))


def _answer(error: ApiError) -> Response:
    headers = {"Retry-After": str(int(error.retry_s) + 1)} if error.retry_s else None
    body = msgspec.json.encode(ErrorAnswer(error.problem))
    return Response(body, error.status, headers, "application/json")


HTTP_CODES = {
    404: ("not_found", "There is nothing at this address; the API is described at /api/openapi.json."),
    413: ("too_large", "Your request is too large; send less at once."),
    405: ("method_not_allowed", "This address exists, but not with this method; see /api/openapi.json."),
}


def _translate(error: Exception) -> ApiError:
    match error:
        case ApiError():
            return error
        case RequestValidationError():
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"])
            return ApiError(422, "invalid", f"Your request does not fit the API: {where}: {first['msg']}.")
        case HTTPException():
            code, words = HTTP_CODES.get(error.status_code, ("refused", str(error.detail)))
            return ApiError(error.status_code, code, words)
        case StoreUnavailable():
            words = "Our database does not answer. Calls go on; try again in a few seconds."
            return ApiError(503, "database_away", words, retry_s=5)
        case Busy():
            words = "Too many people are logging in at this moment; try again in a few seconds."
            return ApiError(503, "busy", words, retry_s=3)
        case WeakPassword():
            return ApiError(400, "weak_password", str(error))
        case _:
            return ApiError(500, "internal", "A fault of ours; it was logged. Try again, or tell your admin.")


def install(app: FastAPI, meter: Meter) -> None:
    """All errors of the app in one shape; faults of ours are logged and counted."""

    async def expected(_: Request, error: Exception) -> Response:
        return _answer(_translate(error))

    async def fault(request: Request, error: Exception) -> Response:
        log.error("web_fault", path=request.url.path, method=request.method, exc_info=error)
        meter.error("web")
        return _answer(_translate(error))

    handler: Callable[[Request, Exception], Awaitable[Response]] = expected
    for kind in (ApiError, RequestValidationError, HTTPException, StoreUnavailable, Busy, WeakPassword):
        app.add_exception_handler(kind, handler)
    app.add_exception_handler(Exception, fault)
