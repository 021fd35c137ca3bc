"""The life of an interaction, as a table, and what the router keeps of one."""

from __future__ import annotations

from dataclasses import dataclass

from routing.model import InteractionState, Medium, Requirement
from routing.tables import Table

_S = InteractionState

INTERACTION = Table(
    "interaction",
    _S.WAITING,
    {
        (_S.WAITING, "revalued"): _S.WAITING,
        (_S.WAITING, "moved"): _S.WAITING,
        (_S.WAITING, "offered"): _S.OFFERED,
        (_S.WAITING, "customer_left"): _S.CLOSED,
        (_S.WAITING, "failed"): _S.CLOSED,
        (_S.WAITING, "flowed_out"): _S.CLOSED,
        (_S.OFFERED, "revalued"): _S.OFFERED,
        (_S.OFFERED, "moved"): _S.WAITING,
        (_S.OFFERED, "accepted"): _S.CONNECTING,
        (_S.OFFERED, "offer_ended"): _S.WAITING,
        (_S.OFFERED, "customer_left"): _S.CLOSED,
        (_S.OFFERED, "failed"): _S.CLOSED,
        (_S.OFFERED, "flowed_out"): _S.CLOSED,
        (_S.CONNECTING, "revalued"): _S.CONNECTING,
        (_S.CONNECTING, "connected"): _S.ENGAGED,
        (_S.CONNECTING, "connect_failed"): _S.WAITING,
        (_S.CONNECTING, "customer_left"): _S.CLOSED,
        (_S.CONNECTING, "failed"): _S.CLOSED,
        (_S.ENGAGED, "revalued"): _S.ENGAGED,
        (_S.ENGAGED, "moved"): _S.WAITING,
        (_S.ENGAGED, "agent_left"): _S.WRAP_UP,
        (_S.ENGAGED, "customer_left"): _S.WRAP_UP,
        (_S.ENGAGED, "failed"): _S.WRAP_UP,
        (_S.ENGAGED, "flowed_out"): _S.WRAP_UP,
        (_S.WRAP_UP, "customer_left"): _S.WRAP_UP,
        (_S.WRAP_UP, "failed"): _S.WRAP_UP,
        (_S.WRAP_UP, "wrapped_up"): _S.CLOSED,
    },
)


@dataclass(slots=True)
class Interaction:
    """One customer communication on one medium. `key_at` orders the waiting, smallest first."""

    id: str
    medium: Medium
    queue: str
    conversation: str
    customer: str
    stake_cents: int
    requirements: tuple[Requirement, ...]
    queued_at: int
    key_at: int = 0
    state: InteractionState = InteractionState.WAITING
    agent: str = ""
    offers: int = 0
    offer: str = ""
    waited_us: int = 0
    connect_by_at: int = 0
    ended_at: int = 0
    pbx: str = ""
    """For voice: at which PBX the customer's leg is."""
