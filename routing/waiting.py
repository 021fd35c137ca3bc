"""Who waits, in order: one line per (requirements, medium), each a heap by key.

Everyone in a line can be served by the same agents, so the head is the only one worth looking at; entries
whose interaction has moved on are dropped when they come to the head.
"""

from __future__ import annotations

from collections import Counter
from heapq import heapify, heappop, heappush

from routing.interaction import Interaction
from routing.model import InteractionState, Medium, Requirement

LineKey = tuple[Medium, tuple[Requirement, ...]]
_Entry = tuple[int, str]


class Waiting:
    """All waiting interactions."""

    def __init__(self, interactions: dict[str, Interaction]) -> None:
        self._interactions = interactions
        self._lines: dict[LineKey, list[_Entry]] = {}
        self._members: dict[str, tuple[LineKey, int, str]] = {}
        self.per_queue: Counter[str] = Counter()

    def __len__(self) -> int:
        return len(self._members)

    @property
    def lines(self) -> list[LineKey]:
        """Lines that may have somebody in them."""
        return list(self._lines)

    def add(self, interaction: Interaction) -> None:
        """Put it in line by its key; one that waits already moves to its new place."""
        self.remove(interaction.id)
        line = (interaction.medium, interaction.requirements)
        heappush(self._lines.setdefault(line, []), (interaction.key_at, interaction.id))
        self._members[interaction.id] = (line, interaction.key_at, interaction.queue)
        self.per_queue[interaction.queue] += 1

    def remove(self, interaction_id: str) -> None:
        """Out of line; its heap entry is left behind and dropped later."""
        member = self._members.pop(interaction_id, None)
        if member is None:
            return
        line, _, queue = member
        self.per_queue[queue] -= 1
        self._tidy(line)

    def head(self, line: LineKey) -> Interaction | None:
        """The first in `line`, or None."""
        heap = self._lines.get(line, [])
        while heap:
            key_at, interaction_id = heap[0]
            if self._is_live(line, key_at, interaction_id):
                return self._interactions[interaction_id]
            heappop(heap)
        self._lines.pop(line, None)
        return None

    def _is_live(self, line: LineKey, key_at: int, interaction_id: str) -> bool:
        member = self._members.get(interaction_id)
        return member is not None and member[0] == line and member[1] == key_at

    def _tidy(self, line: LineKey) -> None:
        """Rebuild a heap that is mostly left-behind entries, so that memory follows the waiting."""
        heap = self._lines.get(line, [])
        if len(heap) > 64 and len(heap) > 4 * len(self._members):
            heap[:] = [entry for entry in heap if self._is_live(line, *entry)]
            heapify(heap)

    def oldest(self) -> dict[str, int]:
        """Arrival of the one who has waited longest, µs, of every queue where somebody waits."""
        found: dict[str, int] = {}
        for interaction_id, (_, _, queue) in self._members.items():
            queued_at = self._interactions[interaction_id].queued_at
            if queued_at < found.get(queue, queued_at + 1):
                found[queue] = queued_at
        return found

    def position(self, interaction: Interaction) -> int:
        """How many of its queue go before it, and one."""
        key = (interaction.key_at, interaction.id)
        return 1 + sum(m[2] == interaction.queue and (m[1], i) < key for i, m in self._members.items())

    def ids(self) -> list[str]:
        """Everyone in line, in no order."""
        return list(self._members)

    def check(self) -> None:
        """For tests: who is in line is WAITING, and nobody else."""
        waiting = {i.id for i in self._interactions.values() if i.state is InteractionState.WAITING}
        assert waiting == set(self._members)
