"""What the hub's records say to /metrics, and a look at the connections once a second."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Protocol

from ccserver.hub import Hub
from ccserver.journal import JournalRecord
from ccserver.web.ports import Meter
from channels.asterisk.ami_client import AmiClient
from routing.effects import EndOffer, InteractionClosed, MakeOffer, Refused, SegmentStarted
from routing.model import US_PER_S

LOOK_EVERY_S = 1.0


class Late(Protocol):
    """How far the projection is behind."""

    @property
    def records(self) -> int: ...
    @property
    def seconds(self) -> float: ...


class Meters:
    """Feeds a `Meter`."""

    def __init__(
        self, hub: Hub, meter: Meter, clients: Iterable[AmiClient], late: Callable[[], Late]
    ) -> None:
        self._hub, self._meter, self._clients, self._late = hub, meter, tuple(clients), late
        self._timer: asyncio.TimerHandle | None = None
        self._seen: dict[str, int] = {}
        hub.on_record(self._on_record)
        hub.journal.on_sync = meter.journal

    def _on_record(self, record: JournalRecord) -> None:
        took_s = max(0, self._hub.clock() - record.at) / US_PER_S
        self._meter.event_handled(type(record.event).__name__, took_s)
        for effect in record.effects:
            if isinstance(effect, MakeOffer) and effect.why.rule == "next_in_line":
                self._meter.handoff(took_s)
            elif isinstance(effect, EndOffer):
                self._meter.offer_ended(effect.state.value.lower())
            elif isinstance(effect, SegmentStarted):
                self._meter.offer_ended("accepted")
            elif isinstance(effect, InteractionClosed):
                self._meter.interaction_closed(
                    effect.queue, effect.outcome.value, effect.waited_us / US_PER_S
                )
            elif isinstance(effect, Refused):
                self._meter.event_refused(effect.event)

    def start(self) -> None:
        """Look at the connections from now on."""
        for client in self._clients:
            self._meter.ami(client.name, client.up, client.lag_s)
            messages = self._more(f"{client.name} messages", client.counts.messages)
            if messages:
                self._meter.ami_event(client.name, messages)
            self._errors("ami", client.name, client.counts.peer_faults + client.counts.callback_errors)
        self._errors("hub", "faults", self._hub.faults)
        self._errors("journal", "failed", int(bool(self._hub.journal.failed)))
        late = self._late()
        self._meter.projection(late.records, late.seconds)
        self._timer = asyncio.get_running_loop().call_later(LOOK_EVERY_S, self.start)

    def _errors(self, where: str, what: str, count: int) -> None:
        for _ in range(self._more(f"{where} {what}", count)):
            self._meter.error(where)

    def _more(self, what: str, count: int) -> int:
        """How much a counter grew since the last look."""
        before, self._seen[what] = self._seen.get(what, 0), count
        return max(0, count - before)

    def stop(self) -> None:
        """No more timers."""
        if self._timer is not None:
            self._timer.cancel()
