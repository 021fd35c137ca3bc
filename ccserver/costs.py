"""What a contact cost and what was asked twice: measured at the phone and the desk, told to the store.

Hold is summed from the phone's own hold and unhold. A question counts as asked again when the agent writes
down what the machine had been told already, or what we knew from the customer's record. Both are saved when
the conversation is over; the router needs neither.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

import structlog

from ccserver.contacts import Contacts
from ccserver.hub import Hub
from ccserver.journal import JournalRecord
from ccserver.store.rows import InteractionFacts
from routing.effects import InteractionClosed, WrapUpStarted

KNOWN_OF_A_CUSTOMER = frozenset({"customer_number", "caller_name"})
LIMIT = 20_000
log = structlog.get_logger()


class Memory(Protocol):
    """Where the figures go."""

    async def save_facts(self, interaction: str, facts: InteractionFacts) -> None: ...


@dataclass(slots=True)
class _Cost:
    hold_us: int = 0
    held_since_at: int | None = None
    again: set[str] = field(default_factory=set)


class Costs:
    """One per server."""

    def __init__(self, hub: Hub, contacts: Contacts, memory: Memory) -> None:
        self._hub, self._contacts, self._memory = hub, contacts, memory
        self._open: dict[str, _Cost] = {}
        self._saving: set[asyncio.Task[None]] = set()
        hub.on_record(self._on_record)

    def held(self, interaction: str, held: bool) -> None:
        """The customer was put on hold, or taken back."""
        cost, now = self._cost(interaction), self._hub.clock()
        if held and cost.held_since_at is None:
            cost.held_since_at = now
        elif not held:
            self._end_hold(cost, now)

    def answered(self, interaction: str, answers: Mapping[str, str]) -> None:
        """What the agent wrote into the script."""
        contact = self._contacts.get(interaction)
        if contact is None:
            return
        known = {name for name, _ in contact.entered}
        if contact.customer_id:
            known |= KNOWN_OF_A_CUSTOMER
        again = {name for name, value in answers.items() if value and name in known}
        if again:
            self._cost(interaction).again |= again

    def _cost(self, interaction: str) -> _Cost:
        if len(self._open) >= LIMIT and interaction not in self._open:
            del self._open[next(iter(self._open))]
        return self._open.setdefault(interaction, _Cost())

    def _end_hold(self, cost: _Cost, now: int) -> None:
        if cost.held_since_at is not None:
            cost.hold_us += now - cost.held_since_at
            cost.held_since_at = None

    def _on_record(self, record: JournalRecord) -> None:
        for effect in record.effects:
            if isinstance(effect, WrapUpStarted | InteractionClosed) and effect.interaction in self._open:
                cost = self._open[effect.interaction]
                self._end_hold(cost, record.at)
                self._save(
                    effect.interaction, InteractionFacts(hold_us=cost.hold_us, reentered=len(cost.again))
                )
                if isinstance(effect, InteractionClosed):
                    del self._open[effect.interaction]

    def _save(self, interaction: str, facts: InteractionFacts) -> None:
        task = asyncio.ensure_future(self._keep(interaction, facts))
        self._saving.add(task)
        task.add_done_callback(self._saving.discard)

    async def _keep(self, interaction: str, facts: InteractionFacts) -> None:
        try:
            await self._memory.save_facts(interaction, facts)
        except Exception as error:  # noqa: BLE001  a figure less, and the log says which
            log.warning("cost of a contact not stored", interaction=interaction, why=str(error))

    async def close(self) -> None:
        """Finish what was begun, for at most two seconds."""
        if self._saving:
            await asyncio.wait(self._saving, timeout=2.0)
