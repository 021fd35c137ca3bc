"""Users, for administrators: /api/v1/users."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from ccserver.web.accounts import BadName, Login
from ccserver.web.api.asking import address_of, asking, deps_of
from ccserver.web.api.seats import seats_of
from ccserver.web.api.shapes import Users, UserView, answer, documented
from ccserver.web.errors import ApiError
from ccserver.web.ports import NameTaken, Role, User

router = APIRouter(prefix="/users", tags=["users"])
Admin = Annotated[Login, Depends(asking("users"))]

Label = Annotated[str, Field(min_length=1, max_length=128)]
Language = Annotated[str, Field(pattern=r"^[a-z]{2}$")]
Secret = Annotated[str, Field(max_length=1024)]


class NewUser(BaseModel):
    """`name` is for the login (and becomes the id), `label` is what others see."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(max_length=128)]
    label: Label
    role: Role
    language: Language = "en"
    password: Secret


class UserChange(BaseModel):
    """What is left out stays. A new password, another role and `disabled` end the user's logins."""

    model_config = ConfigDict(extra="forbid")

    label: Label | None = None
    role: Role | None = None
    language: Language | None = None
    disabled: bool | None = None
    password: Secret | None = None


def _view(user: User) -> UserView:
    return UserView(user.id, user.name, user.label, user.role, user.language, user.disabled)


@router.get("", responses=documented(Users, 401, 403))
async def list_users(request: Request, admin: Admin) -> Response:  # noqa: ARG001 - the check is the use
    """All users."""
    return answer(Users([_view(user) for user in await deps_of(request).accounts.store.users()]))


@router.post("", status_code=201, responses=documented(UserView, 400, 401, 403, 409, 422, status=201))
async def create_user(new: NewUser, request: Request, admin: Admin) -> Response:
    """A new user."""
    try:
        user = await deps_of(request).accounts.create_user(
            new.name,
            new.label,
            new.role,
            new.language,
            new.password,
            by=admin.user.id,
            address=address_of(request),
        )
    except BadName as error:
        raise ApiError(400, "bad_name", str(error)) from None
    except NameTaken:
        raise ApiError(409, "name_taken", "There is a user of that name; choose another.") from None
    return answer(_view(user), 201)


@router.patch("/{user_id}", responses=documented(UserView, 400, 401, 403, 404, 409, 422))
async def change_user(user_id: str, change: UserChange, request: Request, admin: Admin) -> Response:
    """Change label, role, language or password; disable or enable."""
    deps = deps_of(request)
    old = await deps.accounts.store.user_by_id(user_id)
    if old is None:
        raise ApiError(404, "not_found", "There is no such user; reload the list.")
    if old.id == admin.user.id and (change.disabled or change.role not in (None, old.role)):
        words = "You cannot disable yourself or change your own role; another administrator can."
        raise ApiError(409, "own_account", words)
    fields = change.model_dump(exclude_none=True, exclude={"password"})
    new = await deps.accounts.change_user(
        old, replace(old, **fields), change.password, by=admin.user.id, address=address_of(request)
    )
    if new.disabled or new.role != old.role or change.password is not None:
        await seats_of(request).leave_all(new.id, "disabled" if new.disabled else "changed")
    return answer(_view(new))
