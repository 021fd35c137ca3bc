"""What the API answers: msgspec shapes, encoded by msgspec and described in OpenAPI from the same classes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from fastapi import FastAPI, Response

from ccserver.desk.protocol import Board, CustomerCard, PastContact
from ccserver.web.errors import ErrorAnswer
from ccserver.web.ports import DemoLogin, DeviceOption, InteractionDetail, Role


class LoginOptions(msgspec.Struct):
    """What the login page offers. `demo` is empty except in the demo."""

    site: str
    languages: list[str]
    devices: list[DeviceOption]
    demo: list[DemoLogin]


class Me(msgspec.Struct):
    """Who is logged in. `csrf` goes into the header X-CSRF-Token of every POST, PATCH and DELETE."""

    agent: str
    name: str
    role: Role
    language: str
    device: str | None
    csrf: str


class UserView(msgspec.Struct):
    """A user as administrators see one: everything but the password."""

    id: str
    name: str
    label: str
    role: Role
    language: str
    disabled: bool


class Users(msgspec.Struct):
    """All users, by name."""

    users: list[UserView]


class Why(msgspec.Struct):
    """The decisions about an interaction, in words, oldest first."""

    interaction: str
    lines: list[str]


class CustomerView(msgspec.Struct):
    """A customer with their contacts, newest first. Money is null where the role may not see it."""

    card: CustomerCard
    contacts: list[PastContact]


SHAPES: tuple[type, ...] = (
    Board,
    CustomerView,
    ErrorAnswer,
    InteractionDetail,
    LoginOptions,
    Me,
    Users,
    UserView,
    Why,
)


def answer(value: object, status: int = 200) -> Response:
    """`value` as JSON."""
    return Response(msgspec.json.encode(value), status, media_type="application/json")


def _reference(shape: type) -> dict[str, Any]:
    return {"content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{shape.__name__}"}}}}


ERRORS = {
    400: "What you sent cannot be; the message says what can.",
    401: "Not logged in, or not any more.",
    403: "Logged in, but your role may not do this; or the CSRF token is missing.",
    404: "It does not exist, or is not yours to see.",
    409: "Somebody else has it.",
    422: "The request does not fit the API.",
    429: "Too many attempts; Retry-After says how many seconds to wait.",
    503: "A part of ours is away; try again.",
}


def documented(shape: type | None, *errors: int, status: int = 200) -> dict[int | str, dict[str, Any]]:
    """`responses=` of a route: what it answers, and which errors it knows."""
    good: dict[str, Any] = {"description": (shape.__doc__ or "").strip() if shape else "Done."}
    if shape is not None:
        good |= _reference(shape)
    answers: dict[int | str, dict[str, Any]] = {status: good}
    for code in errors:
        answers[code] = {"description": ERRORS[code], **_reference(ErrorAnswer)}
    return answers


def describe(app: FastAPI) -> Callable[[], dict[str, Any]]:
    """`app.openapi` with the shapes among its components; made once."""
    plain = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            schema = plain()
            _, components = msgspec.json.schema_components(SHAPES, ref_template="#/components/schemas/{name}")
            schema.setdefault("components", {}).setdefault("schemas", {}).update(components)
            app.openapi_schema = schema
        return app.openapi_schema

    return openapi
