"""What was: interactions, why they went where they went, customers; and the wallboard as JSON."""

from __future__ import annotations

from typing import Annotated

import msgspec
from fastapi import APIRouter, Depends, Request, Response

from ccserver.desk.protocol import Board
from ccserver.web.access import may, may_see
from ccserver.web.accounts import Login
from ccserver.web.api.asking import address_of, asking, deps_of
from ccserver.web.api.shapes import CustomerView, Why, answer, documented
from ccserver.web.errors import ApiError
from ccserver.web.ports import AuditEntry, InteractionDetail

router = APIRouter(tags=["records"])
MAX_ID_CHARS = 128


def _missing(thing: str) -> ApiError:
    # The same answer for what does not exist and for what is not theirs: an answer must not be a search.
    return ApiError(404, "not_found", f"There is no such {thing}, or it is not one of yours to see.")


def _record_read(request: Request, login: Login, what: str, subject: str) -> None:
    deps_of(request).audit.record(AuditEntry(what, login.user.id, address_of(request), subject))


async def _seen_interaction(request: Request, login: Login, interaction: str) -> InteractionDetail:
    detail = None
    if len(interaction) <= MAX_ID_CHARS:
        detail = await deps_of(request).interactions.interaction(interaction)
    if detail is None or not may_see(login.user, "interaction", detail.agents):
        raise _missing("interaction")
    return detail


@router.get("/interactions/{interaction}", responses=documented(InteractionDetail, 401, 404))
async def read_interaction(
    interaction: str, request: Request, login: Annotated[Login, Depends(asking("interaction"))]
) -> Response:
    """One interaction with its segments. Agents see those they worked on."""
    detail = await _seen_interaction(request, login, interaction)
    _record_read(request, login, "interaction_read", interaction)
    return answer(detail)


@router.get("/interactions/{interaction}/why", responses=documented(Why, 401, 404))
async def read_why(
    interaction: str, request: Request, login: Annotated[Login, Depends(asking("interaction"))]
) -> Response:
    """Why it went where it went. Neutral words for those who may not see money."""
    await _seen_interaction(request, login, interaction)
    lines = await deps_of(request).interactions.why(interaction, may(login.user.role, "money"))
    if lines is None:
        raise _missing("interaction")
    return answer(Why(interaction, list(lines)))


@router.get("/customers/{customer}", responses=documented(CustomerView, 401, 404))
async def read_customer(
    customer: str, request: Request, login: Annotated[Login, Depends(asking("customer"))]
) -> Response:
    """One customer. Agents see those they work with, and no money."""
    detail = None
    if len(customer) <= MAX_ID_CHARS:
        detail = await deps_of(request).interactions.customer(customer)
    if detail is None or not may_see(login.user, "customer", detail.agents):
        raise _missing("customer")
    card = detail.card
    if not may(login.user.role, "money"):
        card = msgspec.structs.replace(card, worth_cents=None, stake_cents=None)
    _record_read(request, login, "customer_read", customer)
    return answer(CustomerView(card, list(detail.contacts)))


@router.get("/wallboard", responses=documented(Board, 401))
async def read_wallboard(request: Request, login: Annotated[Login, Depends(asking("wallboard"))]) -> Response:
    """The wallboard now; the agents' lines only for supervisors and administrators."""
    return answer(deps_of(request).boards.current(may(login.user.role, "wallboard_names")))
