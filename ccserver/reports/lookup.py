"""What was, for pages and the command line: interactions, their reasons, customers; from the store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from ccserver.config import Config
from ccserver.customers.pop_parts import contacts_part, customer_part
from ccserver.reports.explain import explain
from ccserver.store.rows import (
    CustomerRow,
    DecisionRow,
    InteractionRow,
    NoteRow,
    PastInteraction,
    SegmentRow,
)
from ccserver.web.ports import CustomerDetail, InteractionDetail, SegmentDetail

HISTORY = 50
MS_US = 1_000


class Memory(Protocol):
    """What is asked of the store."""

    async def interaction(self, interaction_id: str) -> InteractionRow | None: ...
    async def decisions(self, interaction_id: str) -> list[DecisionRow]: ...
    async def notes(self, interaction: str) -> list[NoteRow]: ...
    async def customer(self, customer_id: str) -> CustomerRow | None: ...
    async def history(
        self, customer_id: str, limit: int = 10, except_for: str = ""
    ) -> list[PastInteraction]: ...
    async def agents_of_customer(self, customer_id: str, limit: int = 200) -> frozenset[str]: ...


class Lookup:
    """Implements `ccserver.web.ports.Interactions`."""

    def __init__(self, config: Config, memory: Memory) -> None:
        self._config, self._memory = config, memory

    async def interaction(self, interaction: str) -> InteractionDetail | None:
        """One interaction with its segments and notes."""
        row = await self._memory.interaction(interaction)
        if row is None:
            return None
        decisions = await self._memory.decisions(interaction)
        notes = {note.agent: note.text for note in await self._memory.notes(interaction)}
        made = {decision.offer: decision.made_at for decision in decisions}
        return InteractionDetail(
            id=row.id,
            conversation=row.conversation,
            medium=row.medium,
            queue=row.queue,
            state="closed" if row.outcome else "open",
            outcome=row.outcome,
            origin=row.contact.origin_raw if row.contact else "",
            destination=row.contact.destination if row.contact else "",
            customer=row.customer or None,
            arrived_utc_ms=(row.arrived_at or row.queued_at or 0) // MS_US,
            ended_utc_ms=_ms(row.ended_at),
            waited_ms=row.wait_us // MS_US,
            segments=tuple(self._segment(segment, made, notes) for segment in row.segments),
            agents=frozenset(d.agent for d in decisions) | frozenset(s.agent for s in row.segments),
        )

    def _segment(
        self, segment: SegmentRow, made: Mapping[str, int], notes: Mapping[str, str]
    ) -> SegmentDetail:
        return SegmentDetail(
            agent=segment.agent,
            agent_label=self._names().get(segment.agent, segment.agent),
            queue=segment.queue,
            offered_utc_ms=made.get(segment.offer, segment.answered_at) // MS_US,
            answered_utc_ms=segment.answered_at // MS_US,
            ended_utc_ms=_ms(segment.talk_ended_at),
            disposition=segment.disposition,
            note=notes.get(segment.agent, ""),
        )

    async def why(self, interaction: str, money: bool, language: str = "en") -> Sequence[str] | None:
        """The story of an interaction, a line a step; neutral words without `money`."""
        row = await self._memory.interaction(interaction)
        if row is None:
            return None
        decisions = await self._memory.decisions(interaction)
        names = self._names()
        if row.customer and (customer := await self._memory.customer(row.customer)) is not None:
            names[row.customer] = customer.name
        return explain(row, decisions, names, "supervisor" if money else "agent", language).splitlines()

    async def customer(self, customer: str) -> CustomerDetail | None:
        """The card with money in it; the web takes it out where it may not be seen."""
        row = await self._memory.customer(customer)
        if row is None:
            return None
        history = await self._memory.history(customer, HISTORY)
        agents = await self._memory.agents_of_customer(customer)
        return CustomerDetail(customer_part(row, "admin"), contacts_part(history), agents)

    def _names(self) -> dict[str, str]:
        queues = {
            queue.id: queue.label.text(self._config.site.language) for queue in self._config.queues.values()
        }
        return queues | {agent.id: agent.name for agent in self._config.agents.values()}


def _ms(at: int | None) -> int | None:
    return None if at is None else at // MS_US
