"""The one writer: takes facts in order, asks the router, journals, performs effects, arms one timer.

    post(event) ─▶ inbox ─▶ router.handle ─▶ journal.append ─▶ desks ─▶ performers ─▶ observers ─▶ next event

Everything runs on the loop; an effect's result comes back as a new event through `post`, also from inside a
performer: the inbox is drained to its end before anybody else runs, one event whole after the other. A drain
longer than 5 ms lets the loop breathe and goes on.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from typing import Any, TypeVar, cast

import structlog

from ccserver.clock import RouterClock
from ccserver.journal import Journal, JournalRecord
from ccserver.recovery import recover, save_snapshot
from routing.effects import Effect, Refused
from routing.events import Event, TimePassed
from routing.router import Router

INBOX_LIMIT = 200_000
BREATH_S = 0.005
SNAPSHOT_EVERY = 20_000
log = structlog.get_logger()

E = TypeVar("E", bound=Effect)
Performer = Callable[[Effect], None]
Observer = Callable[[JournalRecord], None]


class Hub:
    """The router's only caller."""

    def __init__(self, router: Router, journal: Journal, clock: RouterClock) -> None:
        self.router, self.journal, self.clock = router, journal, clock
        self.faults = 0
        self._performers: dict[type, list[Performer]] = {}
        self._early: list[Observer] = []
        self._observers: list[Observer] = []
        self._inbox: deque[Event] = deque()
        self._draining = False
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at: int | None = None
        self._snapshot_due = SNAPSHOT_EVERY

    def on_effect(self, kind: type[E], performer: Callable[[E], None]) -> None:
        """Call `performer` with every effect of `kind`. It must not block or raise."""
        self._performers.setdefault(kind, []).append(cast(Performer, performer))

    def on_record(self, observer: Observer, *, before_effects: bool = False) -> None:
        """Call `observer` with every record, after its effects were ordered; or before, for who must be
        first: a desk shows the customer before the phone beside it rings."""
        (self._early if before_effects else self._observers).append(observer)

    def post(self, event: Event) -> None:
        """Take a fact. Loop only; may be called from performers and observers."""
        if len(self._inbox) >= INBOX_LIMIT:
            log.error("hub inbox full, fact dropped: ours", fact=type(event).__name__)
            self.faults += 1
            return
        self._inbox.append(event)
        if not self._draining:
            self._drain()

    def _drain(self) -> None:
        self._draining = True
        breathe_at = time.monotonic() + BREATH_S
        while self._inbox:
            self._one(self._inbox.popleft())
            if self._inbox and time.monotonic() > breathe_at:
                asyncio.get_running_loop().call_soon(self._drain)
                return
        self._draining = False
        self._arm()

    def _one(self, event: Event) -> None:
        at, fault = self.clock(), False
        try:
            effects = tuple(self.router.handle(event, at))
        except Exception as error:  # noqa: BLE001  whatever it was, the calls go on
            effects, fault = self._rebuild(event, error), True
        record = JournalRecord(self.journal.last_seq + 1, at, event, effects, fault)
        self.journal.append(record)
        for observer in self._early:
            self._guarded(observer, record)
        for effect in effects:
            for performer in self._performers.get(type(effect), ()):
                self._guarded(performer, effect)
        for observer in self._observers:
            self._guarded(observer, record)
        self._snapshot_due -= 1

    def _guarded(self, function: Callable[[Any], None], argument: Effect | JournalRecord) -> None:
        try:
            function(argument)
        except Exception:
            self.faults += 1
            log.exception("effect failed: ours", what=type(argument).__name__)

    def _rebuild(self, event: Event, error: Exception) -> tuple[Effect, ...]:
        """Handling raised: the router may be half changed, so take it from the journal again."""
        self.faults += 1
        log.error("fact refused, router rebuilt: ours", fact=type(event).__name__, why=repr(error))
        self.router = recover(self.journal.folder).router
        return (Refused(type(event).__name__, f"fault: {type(error).__name__}"),)

    def _arm(self) -> None:
        """One timer for the router's next deadline; also the place for a snapshot, between two events."""
        if self._snapshot_due <= 0:
            self._snapshot_due = SNAPSHOT_EVERY
            save_snapshot(self.journal.folder, self.router, self.journal.last_seq)
        at = self.router.next_deadline()
        if at == self._timer_at:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer, self._timer_at = None, at
        if at is not None:
            delay_s = max(0, at - self.clock()) / 1_000_000
            self._timer = asyncio.get_running_loop().call_later(delay_s, self._ring)

    def _ring(self) -> None:
        self._timer = self._timer_at = None
        self.post(TimePassed())

    def stop(self) -> None:
        """No more timers; what is posted is still journaled."""
        if self._timer is not None:
            self._timer.cancel()
        save_snapshot(self.journal.folder, self.router, self.journal.last_seq)
