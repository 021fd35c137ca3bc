"""The day's figures per queue, folded from effects: service level, ASA, abandons. Definitions:

- offered = answered + long abandons + flowed out
- service level = answered within the target ÷ offered (0-1; None when nothing was offered)
- ASA = Σ queue wait of answered ÷ answered, s
- an abandon is short when the wait was at most the queue's `short_abandon_s`; short ones are not offered

An answer is booked when the two talk, everything else when the interaction is closed. A transfer to another
queue counts there as a new offer with its wait from the original arrival when it kept its place.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from routing.effects import Effect, InteractionClosed, SegmentStarted
from routing.model import US_PER_S, Outcome, Queue

RECENT_US = 30 * 60 * US_PER_S
_RECENT_LIMIT = 100_000


@dataclass(slots=True)
class QueueDay:
    """Counts since the site's midnight."""

    answered: int = 0
    answered_in_target: int = 0
    abandoned: int = 0
    short_abandoned: int = 0
    flowed_out: int = 0
    failed: int = 0
    answered_wait_us: int = 0
    recent: deque[tuple[int, bool]] = field(default_factory=lambda: deque(maxlen=_RECENT_LIMIT))
    """(at, answered within target) of what was offered in the last half hour."""

    @property
    def offered(self) -> int:
        return self.answered + self.abandoned + self.flowed_out

    @property
    def service_level(self) -> float | None:
        return self.answered_in_target / self.offered if self.offered else None

    @property
    def asa_s(self) -> float | None:
        return self.answered_wait_us / self.answered / US_PER_S if self.answered else None


class Stats:
    """Fold effects with `see`; call `roll` at midnight."""

    def __init__(self) -> None:
        self.days: dict[str, QueueDay] = {}

    def roll(self) -> None:
        """A new day; the last half hour stays."""
        self.days = {queue: QueueDay(recent=day.recent) for queue, day in self.days.items()}

    def day(self, queue: str) -> QueueDay:
        """The figures of `queue`."""
        return self.days.setdefault(queue, QueueDay())

    def see(self, effect: Effect, queues: dict[str, Queue]) -> None:
        """Take one effect."""
        if isinstance(effect, SegmentStarted):
            self._answered(effect, queues[effect.queue])
        elif isinstance(effect, InteractionClosed):
            self._closed(effect, queues[effect.queue])

    def _answered(self, effect: SegmentStarted, queue: Queue) -> None:
        day = self.day(queue.id)
        in_target = effect.waited_us <= queue.service_level_s * US_PER_S
        day.answered += 1
        day.answered_in_target += in_target
        day.answered_wait_us += effect.waited_us
        day.recent.append((effect.at, in_target))

    def _closed(self, effect: InteractionClosed, queue: Queue) -> None:
        day = self.day(queue.id)
        if effect.outcome is Outcome.ABANDONED:
            if effect.waited_us <= queue.short_abandon_s * US_PER_S:
                day.short_abandoned += 1
                return
            day.abandoned += 1
            day.recent.append((effect.at, False))
        elif effect.outcome is Outcome.FLOWED_OUT:
            day.flowed_out += 1
            day.recent.append((effect.at, False))
        elif effect.outcome is Outcome.FAILED:
            day.failed += 1

    def recent_level(self, now: int, queues: list[str], minimum: int = 10) -> float | None:
        """Service level of the last 30 minutes over `queues`, None below `minimum` offered."""
        offered = good = 0
        for queue in queues:
            recent = self.day(queue).recent
            while recent and recent[0][0] < now - RECENT_US:
                recent.popleft()
            offered += len(recent)
            good += sum(in_target for _, in_target in recent)
        return good / offered if offered >= minimum else None
