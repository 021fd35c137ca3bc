"""What the store gives and takes: frozen dataclasses, never rows of a table.

Instants `_at` are integer µs of router time, `_utc` are timezone-aware UTC datetimes, durations `_us` integer
µs, money `_cents` integer minor units of the site's currency. Empty string: not known (there are no None texts).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal

Role = Literal["agent", "supervisor", "admin"]
ROLES: tuple[Role, ...] = ("agent", "supervisor", "admin")


@dataclass(frozen=True, slots=True)
class CustomerRow:
    """One customer with everything the pop shows. `external_id` is the customer number they know themselves by."""

    id: str
    external_id: str
    name: str
    language: str
    tier: str
    worth_cents: int
    churn_per_mille: int
    """Propensity to leave within a year, 0 to 1000."""
    since: date | None
    remarks: str
    numbers: tuple[str, ...] = ()
    emails: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ContactRow:
    """Who was at the other end of one interaction: personal data, apart from the interaction, erasable."""

    interaction: str
    origin_raw: str
    origin_e164: str
    origin_name: str
    destination: str
    entered: tuple[tuple[str, str], ...] = ()
    """What the customer told the machine: (field, value)."""


@dataclass(frozen=True, slots=True)
class SegmentRow:
    """One agent's part of an interaction."""

    offer: str
    interaction: str
    agent: str
    queue: str
    answered_at: int
    talk_ended_at: int | None
    wrap_up_ended_at: int | None
    ended_by: str
    disposition: str
    """What was saved late wins over what the wrap-up ended with."""
    finished: bool


@dataclass(frozen=True, slots=True)
class InteractionRow:
    """One interaction as the database knows it (the journal is ahead of it by some milliseconds)."""

    id: str
    conversation: str
    medium: str
    direction: str
    queue: str
    customer: str
    outcome: str
    """Empty while it is open."""
    stake_cents: int
    arrived_at: int | None
    queued_at: int | None
    answered_at: int | None
    ended_at: int | None
    wait_us: int
    ivr_us: int
    talk_us: int
    hold_us: int
    wrap_up_us: int
    transfers: int
    offers_missed: int
    repeat_of: str
    """The same customer's last interaction within the seven days before, or empty."""
    reentered: int
    """How many things we asked for again although we knew them."""
    pbx: str
    leg: str
    contact: ContactRow | None = None
    segments: tuple[SegmentRow, ...] = ()


@dataclass(frozen=True, slots=True)
class PastInteraction:
    """One line of a customer's history."""

    interaction: str
    at: int
    medium: str
    queue: str
    outcome: str
    disposition: str
    agent: str
    agent_name: str
    note: str


@dataclass(frozen=True, slots=True)
class DecisionRow:
    """One offer and why it was made. `outcome` is OPEN, ACCEPTED, REJECTED, EXPIRED or REVOKED."""

    offer: str
    seq: int
    interaction: str
    agent: str
    queue: str
    made_at: int
    outcome: str
    cause: str
    explanation: dict[str, object]
    """The fields of routing.model.Explanation; `explanation_of` in ccserver.reports.explain gives it back."""


@dataclass(frozen=True, slots=True)
class InteractionFacts:
    """What the router does not know: measured by the channel and the desk. None: leave as it is."""

    direction: Literal["inbound", "outbound"] | None = None
    pbx: str | None = None
    leg: str | None = None
    ivr_us: int | None = None
    hold_us: int | None = None
    reentered: int | None = None


@dataclass(frozen=True, slots=True)
class UserRow:
    """Somebody who logs in. `id` is the agent id in the router's events; `name` is typed at the login."""

    id: str
    name: str
    display_name: str
    role: Role
    language: str
    password_hash: str = field(repr=False)
    failed_logins: int
    locked_until_utc: datetime | None
    disabled: bool


@dataclass(frozen=True, slots=True)
class WebSessionRow:
    """One login in one browser. The token itself is nowhere, only its hash."""

    token_hash: str = field(repr=False)
    user: str
    csrf: str = field(repr=False)
    device: str
    created_utc: datetime
    seen_utc: datetime
    expires_utc: datetime


@dataclass(frozen=True, slots=True)
class TodayCounts:
    """An agent's day so far."""

    handled: int
    missed: int


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import did. With any error nothing was imported."""

    added: int
    changed: int
    unchanged: int
    errors: tuple[str, ...]
    """One sentence each, beginning with the line."""


@dataclass(frozen=True, slots=True)
class AuditRow:
    """Who did what to which thing, for those who must answer for it."""

    at_utc: datetime
    actor: str
    action: str
    subject: str
    detail: dict[str, object]
