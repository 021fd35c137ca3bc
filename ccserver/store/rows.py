"""What the store gives and takes: frozen dataclasses, never rows of a table.

Users and web sessions are those of `ccserver.web.ports`.
Instants `_at` are integer µs of router time, `_utc` are aware UTC datetimes, durations `_us` integer µs,
money `_cents` integer minor units of the site's currency. Empty string: not known (there are no None texts).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal


@dataclass(frozen=True, slots=True)
class CustomerRow:
    """One customer with everything the pop shows. `external_id` is the number they know themselves by."""

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
class NoteRow:
    """What an agent wrote about an interaction."""

    interaction: str
    agent: str
    text: str
    saved_at: int


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
    leg: str | None = None
    ivr_us: int | None = None
    hold_us: int | None = None
    reentered: int | None = None


@dataclass(frozen=True, slots=True)
class TodayCounts:
    """An agent's day so far."""

    handled: int
    missed: int


@dataclass(frozen=True, slots=True)
class CustomerDraft:
    """A customer as a file or another system says; `external_id` decides whether it is new."""

    external_id: str
    name: str
    language: str = ""
    tier: str = ""
    worth_cents: int = 0
    churn_per_mille: int = 0
    since: date | None = None
    remarks: str = ""
    numbers: tuple[str, ...] = ()
    emails: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Saved:
    """What saving customers did."""

    added: int = 0
    changed: int = 0
    unchanged: int = 0


@dataclass(frozen=True, slots=True)
class AuditRow:
    """Who did what to which thing, for those who must answer for it."""

    at_utc: datetime
    actor: str
    action: str
    subject: str
    detail: dict[str, object]
