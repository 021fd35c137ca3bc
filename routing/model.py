"""What exists: media, queues, skills, the policy, and the words for states and outcomes.

Instants (`_at`) are integer microseconds of router time (UTC at start, then monotonic); durations `_s` are
whole seconds; money is integer minor units of the site's currency.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

US_PER_S = 1_000_000


class Medium(StrEnum):
    """How a customer reaches us."""

    VOICE = "voice"
    EMAIL = "email"
    CHAT = "chat"


class AgentStatus(StrEnum):
    """What the agent declares (or the router declares for one who does not answer)."""

    LOGGED_OUT = "LOGGED_OUT"
    NOT_READY = "NOT_READY"
    READY = "READY"


class SlotState(StrEnum):
    """One unit of an agent's capacity on one medium."""

    IDLE = "IDLE"
    RESERVED = "RESERVED"
    ENGAGED = "ENGAGED"
    WRAP_UP = "WRAP_UP"


class OfferState(StrEnum):
    """An offer ends exactly once."""

    OPEN = "OPEN"
    ACCEPTED = "ACCEPTED"
    REJECTED = "REJECTED"
    EXPIRED = "EXPIRED"
    REVOKED = "REVOKED"


class InteractionState(StrEnum):
    """Where an interaction is; it is in exactly one of these."""

    WAITING = "WAITING"
    OFFERED = "OFFERED"
    CONNECTING = "CONNECTING"
    ENGAGED = "ENGAGED"
    WRAP_UP = "WRAP_UP"
    CLOSED = "CLOSED"


class DeviceState(StrEnum):
    """What the PBX says of a phone. Only NOT_INUSE may be rung."""

    NOT_INUSE = "NOT_INUSE"
    INUSE = "INUSE"
    BUSY = "BUSY"
    RINGING = "RINGING"
    ONHOLD = "ONHOLD"
    UNAVAILABLE = "UNAVAILABLE"
    UNKNOWN = "UNKNOWN"


class Outcome(StrEnum):
    """How the system saw an interaction end."""

    ANSWERED = "answered"
    ABANDONED = "abandoned"
    FLOWED_OUT = "flowed_out"
    FAILED = "failed"


class RejectCause(StrEnum):
    """Why an offer did not become a conversation, as seen from the agent's side."""

    DECLINED = "declined"
    BUSY = "busy"
    UNREACHABLE = "unreachable"


@dataclass(frozen=True, slots=True)
class Requirement:
    """A skill with its minimum level (1-10)."""

    skill: str
    minimum: int = 1


@dataclass(frozen=True, slots=True)
class Queue:
    """A named waiting line with its policy."""

    id: str
    requirements: tuple[Requirement, ...] = ()
    offer_timeout_s: int = 20
    wrap_up_s: int = 60
    service_level_s: int = 20
    short_abandon_s: int = 5
    handle_time_s: int = 300
    """Expected talk, hold and wrap-up; dear interactions that end sooner go first."""


@dataclass(frozen=True, slots=True)
class AgentProfile:
    """Who may be offered what: skill levels and the units of each medium at once."""

    id: str
    skills: tuple[tuple[str, int], ...] = ()
    capacity: tuple[tuple[Medium, int], ...] = ((Medium.VOICE, 1),)


@dataclass(frozen=True, slots=True)
class Policy:
    """Everything the site decides. Enters the router as an event, so that a replay has it too."""

    queues: tuple[Queue, ...] = ()
    agents: tuple[AgentProfile, ...] = ()
    stake_doubling_s: int = 120
    """Doubling the stake is worth this much waiting."""
    max_missed_offers: int = 2
    reject_delay_s: int = 5
    busy_delay_s: int = 10
    no_answer_delay_s: int = 5
    connect_timeout_s: int = 10
    lease_s: int = 60
    """How long a lost desk keeps its agent's state."""
    default_stake_cents: int = 5_000
    hash: str = ""


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why this interaction went to this agent; constant size. `python -m ccserver explain` words it.

    `key_at` is the order key (µs): arrival less the credit for the stake. `runner_up` is the agent next in
    line; `next_in_line` the interaction that would have gone next. `excluded` counts agents by the hard
    filter that removed them.
    """

    rule: str
    queue: str
    waited_us: int
    stake_cents: int
    stake_credit_us: int
    key_at: int
    waiting: int
    agent_idle_us: int
    candidates: tuple[str, ...] = ()
    runner_up: str = ""
    next_in_line: str = ""
    excluded: tuple[tuple[str, int], ...] = ()
    policy: str = field(default="")
