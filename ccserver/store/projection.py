"""Skeleton: the projection of the journal into the database."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

from ccserver.store.store import Store
from routing.effects import Effect
from routing.events import Event


class Record(Protocol):
    """What the projection reads of ccserver.journal.JournalRecord."""

    @property
    def seq(self) -> int: ...
    @property
    def at(self) -> int: ...
    @property
    def event(self) -> Event: ...
    @property
    def effects(self) -> tuple[Effect, ...]: ...


@dataclass(frozen=True, slots=True)
class Late:
    """How far the database is behind the journal."""

    records: int
    seconds: float
    last_error: str


class Projector:
    """Feeds the database; `offer` never waits and never fails."""

    def __init__(
        self,
        store: Store,
        epoch: str,
        read_since: Callable[[int], Iterable[Record]],
        clock_us: Callable[[], int],
        backlog: int = 10_000,
        batch: int = 200,
    ) -> None: ...

    def offer(self, record: Record) -> None:
        """From the hub, after the record is written. Loop thread only."""

    async def run(self) -> None:
        """Until cancelled: catches up from the journal first, then follows `offer`."""

    async def drain(self, timeout_s: float) -> bool:
        """Wait until all that was offered is in the database (shutdown, tests). False: it was not in time."""
        raise NotImplementedError

    def late(self) -> Late:
        raise NotImplementedError
