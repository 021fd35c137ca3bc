"""What an agent declares, and what each unit of their capacity is doing: two tables.

One state per agent cannot hold two chats and a wrap-up; so the agent has a declared status, and a slot per
unit of medium capacity has its own state (the lesson of OpenACD's `agent_channel`).
"""

from __future__ import annotations

from dataclasses import dataclass, field

from routing.model import AgentProfile, AgentStatus, Medium, SlotState
from routing.tables import Table

_OUT, _AWAY, _READY = AgentStatus.LOGGED_OUT, AgentStatus.NOT_READY, AgentStatus.READY

AGENT = Table(
    "agent",
    _OUT,
    {
        (_OUT, "session_opened"): _AWAY,
        (_AWAY, "session_opened"): _AWAY,
        (_READY, "session_opened"): _READY,
        (_AWAY, "readied"): _READY,
        (_READY, "readied"): _READY,
        (_AWAY, "paused"): _AWAY,
        (_READY, "paused"): _AWAY,
        (_READY, "missed_too_often"): _AWAY,
        (_AWAY, "session_closed"): _OUT,
        (_READY, "session_closed"): _OUT,
    },
)

_IDLE, _RESERVED, _ENGAGED, _WRAP_UP = (
    SlotState.IDLE,
    SlotState.RESERVED,
    SlotState.ENGAGED,
    SlotState.WRAP_UP,
)

SLOT = Table(
    "slot",
    _IDLE,
    {
        (_IDLE, "reserve"): _RESERVED,
        (_RESERVED, "release"): _IDLE,
        (_RESERVED, "engage"): _ENGAGED,
        (_ENGAGED, "release"): _IDLE,
        (_ENGAGED, "wrap_up"): _WRAP_UP,
        (_WRAP_UP, "release"): _IDLE,
    },
)


def on_pbx(pbx: str) -> str:
    """The skill that a phone on `pbx` gives its agent, and that a call on it needs."""
    return f"pbx {pbx}"


@dataclass(slots=True)
class Slot:
    """One unit of capacity; `until_at` is the end of wrap-up."""

    medium: Medium
    state: SlotState = SlotState.IDLE
    interaction: str = ""
    queue: str = ""
    until_at: int = 0

    def take(self, given: str) -> None:
        """Move along the table; leaving for IDLE forgets what was there."""
        self.state = SLOT.next(self.state, given)
        if self.state is SlotState.IDLE:
            self.interaction, self.queue, self.until_at = "", "", 0


@dataclass(slots=True)
class Agent:
    """An agent as the router sees them."""

    profile: AgentProfile
    status: AgentStatus = AgentStatus.LOGGED_OUT
    reason: str = ""
    session: str = ""
    device: str = ""
    slots: list[Slot] = field(default_factory=list)
    idle_since_at: int = 0
    penalty_until_at: int = 0
    missed: int = 0
    changed_at: int = 0
    busy_since_at: int = 0
    """When a slot last changed its state, µs."""
    retired: bool = False
    """No longer in the policy: finishes what they have, gets nothing new."""

    @property
    def id(self) -> str:
        return self.profile.id

    @property
    def skills(self) -> tuple[tuple[str, int], ...]:
        """The profile's, and the phone's reach: a call can be joined with a phone on its own PBX only."""
        pbx, slash, _ = self.device.partition("/")
        return (*self.profile.skills, (on_pbx(pbx), 1)) if slash else self.profile.skills

    def idle_slot(self, medium: Medium) -> Slot | None:
        """A free unit of `medium`, or None while any other medium is being served: one thing at a time."""
        free = None
        for slot in self.slots:
            if slot.medium is not medium:
                if slot.state is not SlotState.IDLE:
                    return None
            elif slot.state is SlotState.IDLE:
                free = free or slot
        return free

    def slot_of(self, interaction: str) -> Slot | None:
        """The slot that holds `interaction`."""
        return next((slot for slot in self.slots if slot.interaction == interaction), None)

    def is_busy(self) -> bool:
        """Whether any slot is reserved or engaged."""
        return any(slot.state in (SlotState.RESERVED, SlotState.ENGAGED) for slot in self.slots)
