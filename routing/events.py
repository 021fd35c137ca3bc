"""Facts in: everything that may change a decision, past tense, ids only (never a number, name or text)."""

from __future__ import annotations

from dataclasses import dataclass

from routing.model import DeviceState, Medium, Policy, RejectCause


@dataclass(frozen=True, slots=True)
class PolicySet:
    """The site's policy, whole. Agents and queues that vanish finish what they have."""

    policy: Policy


@dataclass(frozen=True, slots=True)
class SessionOpened:
    """An agent logged in on a device. NOT_READY until they say otherwise."""

    agent: str
    session: str
    device: str


@dataclass(frozen=True, slots=True)
class SessionClosed:
    """An agent logged out, or the lease of their lost desk ran out."""

    agent: str
    session: str
    reason: str = "logout"


@dataclass(frozen=True, slots=True)
class AgentReadied:
    """The agent wants work."""

    agent: str


@dataclass(frozen=True, slots=True)
class AgentPaused:
    """The agent wants no new work; `reason` is a code of the site. What they have goes on."""

    agent: str
    reason: str


@dataclass(frozen=True, slots=True)
class DeviceChanged:
    """The PBX says what a phone is doing. `device` is `pbx/endpoint`."""

    device: str
    state: DeviceState


@dataclass(frozen=True, slots=True)
class InteractionArrived:
    """A customer is at the door of a queue. `queued_at` is set when they had a place before (µs)."""

    interaction: str
    medium: Medium
    queue: str
    conversation: str = ""
    customer: str = ""
    stake_cents: int = 0
    """What is lost if this contact fails; 0: not known, the policy's default is used."""
    requirements: tuple[tuple[str, int], ...] = ()
    queued_at: int | None = None
    pbx: str = ""


@dataclass(frozen=True, slots=True)
class InteractionRevalued:
    """A late look-up says more about who this is. The place in the queue is computed again."""

    interaction: str
    customer: str
    stake_cents: int


@dataclass(frozen=True, slots=True)
class OfferAccepted:
    """The agent took the offer (for voice: the phone was picked up)."""

    offer: str


@dataclass(frozen=True, slots=True)
class OfferRejected:
    """The offer failed on the agent's side."""

    offer: str
    cause: RejectCause


@dataclass(frozen=True, slots=True)
class ConnectionMade:
    """Customer and agent are talking."""

    offer: str


@dataclass(frozen=True, slots=True)
class ConnectFailed:
    """Accepted, but the two were never joined: back to the old place in the queue."""

    offer: str


@dataclass(frozen=True, slots=True)
class CustomerLeft:
    """The customer hung up or closed the chat, wherever the interaction was."""

    interaction: str


@dataclass(frozen=True, slots=True)
class AgentLeft:
    """The agent ended their part of a conversation."""

    interaction: str
    agent: str


@dataclass(frozen=True, slots=True)
class InteractionMoved:
    """Transferred to a queue; `keep_place` keeps the original arrival."""

    interaction: str
    queue: str
    by: str = ""
    keep_place: bool = True


@dataclass(frozen=True, slots=True)
class InteractionFailed:
    """The medium broke under it (PBX killed, say)."""

    interaction: str
    reason: str


@dataclass(frozen=True, slots=True)
class InteractionFlowedOut:
    """Left for another way: the PBX's own queue, voicemail, a number outside."""

    interaction: str
    to: str


@dataclass(frozen=True, slots=True)
class WrapUpFinished:
    """The agent is done writing. `disposition` is a code of the site, empty when none was picked."""

    interaction: str
    agent: str
    disposition: str = ""


@dataclass(frozen=True, slots=True)
class WrapUpExtended:
    """The agent asked for more time."""

    interaction: str
    agent: str
    by_s: int


@dataclass(frozen=True, slots=True)
class TimePassed:
    """A deadline that the router asked for (`next_deadline`) has come."""


Event = (
    PolicySet
    | SessionOpened
    | SessionClosed
    | AgentReadied
    | AgentPaused
    | DeviceChanged
    | InteractionArrived
    | InteractionRevalued
    | OfferAccepted
    | OfferRejected
    | ConnectionMade
    | ConnectFailed
    | CustomerLeft
    | AgentLeft
    | InteractionMoved
    | InteractionFailed
    | InteractionFlowedOut
    | WrapUpFinished
    | WrapUpExtended
    | TimePassed
)
