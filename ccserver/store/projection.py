"""The journal, followed into the database by a task of its own, off the way of calls.

    hub ── offer(record) ──▶ backlog (bounded) ──▶ batches ──▶ one transaction each ──▶ database
                                │ overflow, start                 │ away: again after a pause
                                └────── read_since(seq) ◀─────────┘ the journal has it all

`offer` never waits and never fails: a database that is away delays records and stops nothing. At the start,
and after the backlog overflowed, records are read from the journal again until memory and journal meet. One
record the database refuses for ever is left out, logged and counted; the others of its batch go in.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Protocol, TypeVar

import structlog

from ccserver.journal import JournalDamaged
from ccserver.store.changes import Record, changes_of
from ccserver.store.database import StoreConflict, StoreFault, StoreUnavailable

__all__ = ["Late", "Projector", "Record", "changes_of"]

_log = structlog.get_logger("ccserver.store.projection")

T = TypeVar("T")

_SLICE = 25
"""Records read from the journal without letting others run: well below 5 ms."""
LINGER_S = 0.2  # a transaction more often takes the loop from calls that are coming in
PAUSES_S = (0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)


@dataclass(frozen=True, slots=True)
class Late:
    """How far the database is behind the journal: records, and the age of the oldest of them."""

    records: int
    seconds: float
    last_error: str
    """Empty while the database answers."""


class ProjectionStore(Protocol):
    """Where the records go; `Store` is one. Raises StoreUnavailable, StoreFault, StoreConflict."""

    async def projected(self, epoch: str) -> tuple[int, int]:
        """(sequence number, router time) of the last record there; (-1, 0) at first."""

    async def project(self, epoch: str, records: Sequence[Record]) -> None:
        """All or none; those that are there already are left out."""


class Projector:
    """Follows one epoch of the journal. All methods belong to the loop's thread."""

    def __init__(
        self,
        store: ProjectionStore,
        epoch: str,
        read_since: Callable[[int], Iterable[Record]],
        clock_us: Callable[[], int],
        *,
        backlog: int = 10_000,
        batch: int = 100,
        linger_s: float = LINGER_S,
        pauses_s: tuple[float, ...] = PAUSES_S,
    ) -> None:
        """`read_since(seq)` gives the journal's records after `seq`, in order; `clock_us` is router time.
        `linger_s`: how long a record waits for company, so that a call is not followed write by write."""
        self._store = store
        self._epoch = epoch
        self._read_since = read_since
        self._clock_us = clock_us
        self._batch = batch
        self._linger_s = linger_s
        self._pauses_s = pauses_s
        self._backlog: deque[Record] = deque(maxlen=backlog)
        self._from_journal = True
        self._reader: Iterator[Record] | None = None
        self._reader_gave = False
        self._applied = self._newest = -1
        self._oldest_at: int | None = None
        self._wake = asyncio.Event()
        self._idle = asyncio.Event()
        self._last_error = ""
        self.refused = 0
        """Records left out because the database refused them."""
        self.missing = 0
        """Records that neither the journal nor the memory had: a gap of the journal."""

    def offer(self, record: Record) -> None:
        """From the hub, after the record is written."""
        if len(self._backlog) == self._backlog.maxlen:
            self._from_journal = True  # the oldest falls out of memory; the journal has it
        self._backlog.append(record)
        self._newest = record.seq
        if self._oldest_at is None:
            self._oldest_at = record.at
        self._idle.clear()
        self._wake.set()

    def late(self) -> Late:
        """For /metrics and /readyz."""
        behind = max(0, self._newest - self._applied)
        if not behind or self._oldest_at is None:
            return Late(0, 0.0, self._last_error)
        return Late(behind, max(0, self._clock_us() - self._oldest_at) / 1e6, self._last_error)

    async def drain(self, timeout_s: float) -> bool:
        """Wait until all that was offered is in the database (shutdown, tests). False: it was not in time."""
        try:
            await asyncio.wait_for(self._idle.wait(), timeout_s)
        except TimeoutError:
            return False
        return True

    async def run(self) -> None:
        """Until cancelled."""
        self._applied, _ = await self._until_it_answers(lambda: self._store.projected(self._epoch))
        while True:
            by_memory = not self._from_journal
            batch = self._from_memory() if by_memory else await self._from_the_journal()
            if batch:
                await self._until_it_answers(partial(self._put, batch))
                self._done(batch[-1])
            elif by_memory:
                await self._rest()

    def _done(self, last: Record) -> None:
        self._applied = last.seq
        self._newest = max(self._newest, last.seq)
        waiting = next((record.at for record in self._backlog if record.seq > last.seq), None)
        self._oldest_at = waiting

    async def _rest(self) -> None:
        self._oldest_at = None
        self._idle.set()
        self._wake.clear()
        await self._wake.wait()
        await asyncio.sleep(self._linger_s)

    def _from_memory(self) -> list[Record]:
        batch: list[Record] = []
        while self._backlog and len(batch) < self._batch:
            record = self._backlog.popleft()
            if record.seq > self._applied:
                batch.append(record)
        if batch and self._applied >= 0 and batch[0].seq > self._applied + 1:
            missing = batch[0].seq - self._applied - 1
            self.missing += missing
            _log.error("projection.gap", missing=missing, after=self._applied, hint="the journal has a gap")
        return batch

    async def _from_the_journal(self) -> list[Record]:
        """The next batch; empty when the journal is read to its end, and then memory is next."""
        batch: list[Record] = []
        try:
            await self._read_into(batch)
        except OSError as error:
            self._reader = None
            _log.error("projection.journal_unreadable", error=str(error), after=self._applied)
            await asyncio.sleep(self._pauses_s[-1])
            return batch
        except JournalDamaged as error:
            # What is behind the damage is missing until the file is restored; what is in memory goes on.
            _log.error("projection.journal_damaged", error=str(error), after=self._applied)
            self._reader = iter(())
        if not batch:
            self._from_journal = self._reader_gave and not self._memory_follows()
            self._reader = None
        self._reader_gave = bool(batch)
        return batch

    def _memory_follows(self) -> bool:
        """Whether memory goes on where the database is; else what fell out of it is in the journal by now."""
        following = next((record.seq for record in self._backlog if record.seq > self._applied), None)
        return self._newest <= self._applied if following is None else following == self._applied + 1

    async def _read_into(self, batch: list[Record]) -> None:
        if self._reader is None:
            self._reader = iter(self._read_since(self._applied))
        while len(batch) < self._batch:
            before = len(batch)
            for record in islice(self._reader, min(_SLICE, self._batch - before)):
                batch.append(record)
            if len(batch) == before:
                return  # no pause after the end: nothing may be offered between here and the switch to memory
            await asyncio.sleep(0)

    async def _put(self, batch: list[Record]) -> None:
        try:
            await self._store.project(self._epoch, batch)
        except (StoreFault, StoreConflict) as error:
            if len(batch) > 1:
                for record in batch:
                    await self._put([record])
                return
            self.refused += 1
            _log.error(
                "projection.refused", seq=batch[0].seq, error=str(error), hint="a fault of ours: report it"
            )

    async def _until_it_answers(self, action: Callable[[], Awaitable[T]]) -> T:
        attempt = 0
        while True:
            try:
                result = await action()
            except StoreUnavailable as error:
                if not self._last_error:
                    _log.warning(
                        "projection.database_away", error=str(error), hint="records wait in the journal"
                    )
                self._last_error = str(error)
                await asyncio.sleep(self._pauses_s[min(attempt, len(self._pauses_s) - 1)])
                attempt += 1
                continue
            if self._last_error:
                _log.info("projection.database_back", late=self.late().records)
            self._last_error = ""
            return result
