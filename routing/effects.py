"""Orders and announcements out. Orders are imperative (`MakeOffer`); announcements are what the router now
holds to be true (`AgentChanged`), for desks, wallboard, projection and statistics.

A shell performs an order under the id it carries, so that doing it twice is harmless, and reports what
happened as an event; it never returns a value and never raises.
"""

from __future__ import annotations

from dataclasses import dataclass

from routing.model import AgentStatus, Explanation, Medium, OfferState, Outcome


@dataclass(frozen=True, slots=True)
class MakeOffer:
    """Ring `device` and show the pop on the desk; give up at `deadline_at`."""

    offer: str
    interaction: str
    medium: Medium
    queue: str
    agent: str
    session: str
    device: str
    queued_at: int
    at: int
    deadline_at: int
    why: Explanation


@dataclass(frozen=True, slots=True)
class EndOffer:
    """The offer is over without acceptance: stop the ringing, clear the desk. `cause` says why."""

    offer: str
    interaction: str
    agent: str
    state: OfferState
    cause: str = ""


@dataclass(frozen=True, slots=True)
class Connect:
    """The offer was accepted: join the two (a phone call joins by itself), report within `deadline_at`."""

    offer: str
    interaction: str
    agent: str
    deadline_at: int


@dataclass(frozen=True, slots=True)
class Disconnect:
    """The router gives up on this customer's connection (the agent left, say): end what is left of it."""

    interaction: str
    agent: str
    reason: str


@dataclass(frozen=True, slots=True)
class AgentChanged:
    """The agent's declared state, `reason` a code of the site or `missed_offers`, `phone_lost`."""

    agent: str
    session: str
    status: AgentStatus
    reason: str
    at: int


@dataclass(frozen=True, slots=True)
class InteractionQueued:
    """Waiting in `queue` since `queued_at`. Sent again when it comes back from a failed offer."""

    interaction: str
    medium: Medium
    queue: str
    conversation: str
    customer: str
    stake_cents: int
    queued_at: int
    again: bool


@dataclass(frozen=True, slots=True)
class SegmentStarted:
    """An agent talks with the customer from now on."""

    interaction: str
    offer: str
    agent: str
    queue: str
    at: int
    waited_us: int


@dataclass(frozen=True, slots=True)
class WrapUpStarted:
    """The conversation is over, the agent writes until `until_at` at the latest."""

    interaction: str
    agent: str
    at: int
    until_at: int
    by: str
    """Who left first: customer, agent, transfer or failure."""


@dataclass(frozen=True, slots=True)
class SegmentEnded:
    """Wrap-up is over; `finished` False when its time ran out before the agent was done."""

    interaction: str
    agent: str
    at: int
    disposition: str
    finished: bool


@dataclass(frozen=True, slots=True)
class InteractionClosed:
    """Gone from the router. `waited_us` is the wait in queue, `at` the end for the customer."""

    interaction: str
    medium: Medium
    queue: str
    outcome: Outcome
    at: int
    waited_us: int


@dataclass(frozen=True, slots=True)
class Refused:
    """The event makes no sense in the present state; nothing was changed."""

    event: str
    why: str


Effect = (
    MakeOffer
    | EndOffer
    | Connect
    | Disconnect
    | AgentChanged
    | InteractionQueued
    | SegmentStarted
    | WrapUpStarted
    | SegmentEnded
    | InteractionClosed
    | Refused
)
