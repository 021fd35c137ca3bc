"""What the router wants to be woken for. A heap; what is no longer of interest is dropped when due."""

from __future__ import annotations

from enum import StrEnum
from heapq import heapify, heappop, heappush


class Kind(StrEnum):
    """What happens when the time comes."""

    OFFER = "offer"
    CONNECT = "connect"
    WRAP_UP = "wrap_up"
    PENALTY = "penalty"


class Deadlines:
    """At most one live deadline per (kind, id); setting it again replaces it, `clear` forgets it."""

    def __init__(self) -> None:
        self._heap: list[tuple[int, Kind, str]] = []
        self._live: dict[tuple[Kind, str], int] = {}

    def set(self, kind: Kind, thing: str, at: int) -> None:
        """Wake for `thing` at `at` (µs)."""
        self._live[kind, thing] = at
        heappush(self._heap, (at, kind, thing))
        if len(self._heap) > 64 and len(self._heap) > 4 * len(self._live):
            self._heap = [(at, kind, thing) for (kind, thing), at in self._live.items()]
            heapify(self._heap)

    def clear(self, kind: Kind, thing: str) -> None:
        """No longer of interest."""
        self._live.pop((kind, thing), None)

    def next_at(self) -> int | None:
        """The earliest live deadline, µs, or None."""
        while self._heap:
            at, kind, thing = self._heap[0]
            if self._live.get((kind, thing)) == at:
                return at
            heappop(self._heap)
        return None

    def due(self, now: int) -> tuple[Kind, str] | None:
        """Take one deadline that has come, earliest first."""
        at = self.next_at()
        if at is None or at > now:
            return None
        _, kind, thing = heappop(self._heap)
        del self._live[kind, thing]
        return kind, thing

    def live(self) -> tuple[tuple[Kind, str, int], ...]:
        """Every live deadline as (kind, id, at)."""
        return tuple((kind, thing, at) for (kind, thing), at in self._live.items())
