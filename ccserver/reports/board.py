"""The wallboard: the router's state and the day's figures as one frame, pushed when something changed.

At most four frames a second; two streams, with the agents' names for those who may see them and without. The
figures are folded from the hub's records (routing.stats), so they are true from the first call after the
site's midnight, and after a restart again: today's records are folded from the journal.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta

from ccserver.config import Config
from ccserver.desk import protocol as p
from ccserver.desk.stream import Stream, Subscriber
from ccserver.hub import Hub
from ccserver.journal import JournalRecord
from ccserver.web.ports import Meter
from routing.agent_state import Agent
from routing.model import US_PER_S, AgentStatus, Medium, Queue, SlotState
from routing.stats import Stats

PUSH_EVERY_S = 0.25
FRESH_EVERY_S = 2.0
FORMULA = "answered within target ÷ (answered + abandoned after the short limit + flowed out)"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SLOT_WORDS = {SlotState.RESERVED: "RESERVED", SlotState.ENGAGED: "TALKING", SlotState.WRAP_UP: "WRAP_UP"}


class Boards:
    """Implements `ccserver.web.ports.Boards`."""

    def __init__(self, config: Config, hub: Hub, meter: Meter) -> None:
        self._config, self._hub, self._meter = config, hub, meter
        self.stats = Stats()
        self.pbx_up = False
        self._midnight_at, self._next_midnight_at = self._day_of(hub.clock())
        self._streams = {names: Stream(secrets.token_hex(6)) for names in (True, False)}
        self._due: asyncio.TimerHandle | None = None
        self._fresh: asyncio.TimerHandle | None = None
        hub.on_record(self._on_record)

    def begin(self, records: Iterable[JournalRecord]) -> None:
        """Fold today's records of the journal, then keep the board fresh."""
        for record in records:
            if record.at >= self._midnight_at:
                self._fold(record)
        self._keep_fresh()

    def current(self, names: bool) -> p.Board:
        """The board now."""
        self._roll(self._hub.clock())
        return self._board(self._streams[names].n, names)

    def attach(self, names: bool, epoch: str, last: int, wake: Callable[[], None]) -> Subscriber:
        """A screen looks at the board."""
        return self._streams[names].attach(epoch, last, wake, lambda n: self._board(n, names))

    def detach(self, names: bool, subscriber: Subscriber) -> None:
        """A screen is gone."""
        self._streams[names].detach(subscriber)

    def set_pbx(self, up: bool) -> None:
        """The phone system came or went."""
        self.pbx_up = up
        self._soon()

    def stop(self) -> None:
        """No more timers."""
        for timer in (self._due, self._fresh):
            if timer is not None:
                timer.cancel()

    # -- when -----------------------------------------------------------------------------------------------

    def _on_record(self, record: JournalRecord) -> None:
        self._roll(record.at)
        self._fold(record)
        if record.effects:
            self._soon()

    def _roll(self, at: int) -> None:
        """A new day begins at the site's midnight, whether anything happens then or not."""
        if at >= self._next_midnight_at:
            self._midnight_at, self._next_midnight_at = self._day_of(at)
            self.stats.roll()

    def _fold(self, record: JournalRecord) -> None:
        for effect in record.effects:
            self.stats.see(effect, self._hub.router.queues)

    def _soon(self) -> None:
        if self._due is None:
            self._due = asyncio.get_running_loop().call_later(PUSH_EVERY_S, self._push)

    def _push(self) -> None:
        self._due = None
        self._roll(self._hub.clock())
        self._tell_meter()
        for names, stream in self._streams.items():
            if stream.subscribers:
                stream.push(lambda n, names=names: self._board(n, names))  # type: ignore[misc]

    def _keep_fresh(self) -> None:
        """A quiet centre still says that it lives, so that a stale board is known to be stale."""
        self._push()
        self._fresh = asyncio.get_running_loop().call_later(FRESH_EVERY_S, self._keep_fresh)

    def _day_of(self, at: int) -> tuple[int, int]:
        """The site's midnights around `at`, µs; a day may have 23 or 25 hours."""
        before = self._config.site.midnight_before(_EPOCH + timedelta(microseconds=at))
        after = self._config.site.midnight_before(before + timedelta(hours=36))
        return (before - _EPOCH) // timedelta(microseconds=1), (after - _EPOCH) // timedelta(microseconds=1)

    # -- what -----------------------------------------------------------------------------------------------

    def _board(self, n: int, names: bool) -> p.Board:
        oldest = self._hub.router.waiting.oldest()
        queues = tuple(
            self._queue_board(queue, oldest.get(queue.id)) for queue in self._hub.router.queues.values()
        )
        agents = [agent for agent in self._hub.router.agents.values() if not agent.retired]
        staffed = [agent for agent in agents if agent.status is not AgentStatus.LOGGED_OUT]
        days = list(self.stats.days.values())
        answered = sum(day.answered for day in days)
        offered = sum(day.offered for day in days)
        in_target = sum(day.answered_in_target for day in days)
        wait_us = sum(day.answered_wait_us for day in days)
        return p.Board(
            n=n,
            at_utc_ms=self._hub.clock() // 1_000,
            midnight_utc_ms=self._midnight_at // 1_000,
            site=self._config.site.name,
            waiting=sum(queue.waiting for queue in queues),
            oldest_utc_ms=min((q.oldest_utc_ms for q in queues if q.oldest_utc_ms is not None), default=None),
            ready=sum(_word(agent) == "READY" for agent in staffed),
            staffed=len(staffed),
            offered=offered,
            answered=answered,
            abandoned=sum(day.abandoned for day in days),
            service_level=in_target / offered if offered else None,
            service_level_30min=self.stats.recent_level(self._hub.clock(), list(self.stats.days)),
            formula=FORMULA,
            target_s=min((queue.target_s for queue in queues), default=20),
            asa_s=wait_us / answered / US_PER_S if answered else None,
            queues=queues,
            agents=tuple(self._agent_line(agent) for agent in agents) if names else (),
            pbx_up=self.pbx_up,
        )

    def _queue_board(self, queue: Queue, oldest_at: int | None) -> p.QueueBoard:
        router, day = self._hub.router, self.stats.day(queue.id)
        ready, staffed = router.pool.count(Medium.VOICE, queue.requirements)
        return p.QueueBoard(
            id=queue.id,
            label=self._label(queue.id),
            waiting=router.waiting.per_queue[queue.id],
            oldest_utc_ms=None if oldest_at is None else oldest_at // 1_000,
            ready=ready,
            staffed=staffed,
            offered=day.offered,
            answered=day.answered,
            answered_in_target=day.answered_in_target,
            abandoned=day.abandoned,
            short_abandoned=day.short_abandoned,
            service_level=day.service_level,
            target_s=queue.service_level_s,
            asa_s=day.asa_s,
        )

    def _label(self, queue: str) -> str:
        known = self._config.queues.get(queue)
        return known.label.text(self._config.site.language) if known else queue

    def _agent_line(self, agent: Agent) -> p.AgentLine:
        known = self._config.agents.get(agent.id)
        busy = next((slot for slot in agent.slots if slot.state is not SlotState.IDLE), None)
        since_at = max(agent.changed_at, agent.busy_since_at)
        phone = self._config.device_at(agent.device)
        return p.AgentLine(
            agent=agent.id,
            name=known.name if known else agent.id,
            status=_word(agent),
            reason=self._reason(agent),
            since_utc_ms=since_at // 1_000,
            queue_label=self._label(busy.queue) if busy else "",
            device=phone.label if phone else agent.device,
        )

    def _reason(self, agent: Agent) -> str:
        """The site's words for its own codes; the router's codes (`missed_offers`) stay codes."""
        if agent.status is not AgentStatus.NOT_READY:
            return ""
        known = self._config.reasons.get(agent.reason)
        return known.label.text(self._config.site.language) if known else agent.reason

    def _tell_meter(self) -> None:
        now, oldest = self._hub.clock(), self._hub.router.waiting.oldest()
        for queue in self._hub.router.queues.values():
            waiting = self._hub.router.waiting.per_queue[queue.id]
            self._meter.queue(queue.id, waiting, (now - oldest.get(queue.id, now)) / US_PER_S)
        words = [_word(agent) for agent in self._hub.router.agents.values()]
        states = ("LOGGED_OUT", "NOT_READY", "READY", *_SLOT_WORDS.values())
        self._meter.agents({state: words.count(state) for state in states})


def _word(agent: Agent) -> str:
    """One word for an agent: what they are doing, else what they declare."""
    for state, word in _SLOT_WORDS.items():
        if any(slot.state is state for slot in agent.slots):
            return word
    return agent.status.value
