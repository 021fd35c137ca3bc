"""One agent's desk: what it shows, kept as the frames that build it. No I/O but the stream.

The desk is a fold of the hub's effects about this agent: each method here takes one change and pushes the one
frame that tells the browser. `snapshot` is everything at once, for a browser that has nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import msgspec

from ccserver.desk import protocol as p
from ccserver.desk.stream import Stream

MAX_UNFINISHED = 20

Phase = Literal["connecting", "talking", "held", "wrap_up", "unfinished"]
OfferOutcome = Literal["accepted", "rejected", "expired", "revoked"]


@dataclass(frozen=True, slots=True)
class Fixed:
    """What does not change while the desk is open."""

    agent: str
    name: str
    language: str
    role: str
    reasons: tuple[p.Code, ...]
    dispositions: tuple[p.Code, ...]
    all_queues: tuple[p.Code, ...]
    demo: bool


@dataclass(slots=True)
class Desk:
    """See the module. `session` changes when the agent logs in again elsewhere."""

    fixed: Fixed
    session: str
    device: p.DeviceInfo
    state: p.AgentState
    stream: Stream
    pbx: p.PbxStatus
    queues: tuple[p.QueueLine, ...] = ()
    offer: p.OfferCard | None = None
    work: dict[str, p.WorkItem] = field(default_factory=dict)
    today: p.Today = field(default_factory=lambda: p.Today(handled=0, missed=0))

    def snapshot(self, n: int) -> p.Snapshot:
        """The whole desk as of frame `n`."""
        fixed = self.fixed
        return p.Snapshot(
            n=n,
            agent=fixed.agent,
            name=fixed.name,
            language=fixed.language,
            role=fixed.role,
            state=self.state,
            device=self.device,
            offer=self.offer,
            work=tuple(self.work.values()),
            queues=self.queues,
            today=self.today,
            pbx=self.pbx,
            reasons=fixed.reasons,
            dispositions=fixed.dispositions,
            all_queues=fixed.all_queues,
            demo=fixed.demo,
        )

    def set_state(self, state: p.AgentState) -> None:
        self.state = state
        self.stream.push(lambda n: p.AgentFrame(n=n, state=state))

    def set_device(self, state: str) -> None:
        device = self.device = msgspec.structs.replace(self.device, state=state)
        self.stream.push(lambda n: p.DeviceFrame(n=n, device=device))

    def set_pbx(self, status: p.PbxStatus) -> None:
        self.pbx = status
        self.stream.push(lambda n: p.PbxFrame(n=n, pbx=status))

    def set_queues(self, queues: tuple[p.QueueLine, ...]) -> None:
        """Nothing is sent when nothing changed."""
        if queues != self.queues:
            self.queues = queues
            self.stream.push(lambda n: p.QueuesFrame(n=n, queues=queues))

    def set_today(self, handled: int, missed: int) -> None:
        today = self.today = p.Today(handled=handled, missed=missed)
        self.stream.push(lambda n: p.TodayFrame(n=n, today=today))

    def show_offer(self, offer: p.OfferCard) -> None:
        self.offer = offer
        self.stream.push(lambda n: p.OfferFrame(n=n, offer=offer))

    def end_offer(self, offer: str, interaction: str, outcome: OfferOutcome, cause: str) -> None:
        if self.offer is not None and self.offer.offer == offer:
            self.offer = None
        self.stream.push(
            lambda n: p.OfferEndedFrame(
                n=n, offer=offer, interaction=interaction, outcome=outcome, cause=cause
            )
        )

    def set_work(self, item: p.WorkItem) -> None:
        self.work[item.interaction] = item
        self.stream.push(lambda n: p.WorkFrame(n=n, item=item))

    def change_work(self, interaction: str, **changes: object) -> None:
        """Change fields of an item that is on the desk; others are no longer of interest."""
        item = self.work.get(interaction)
        if item is not None:
            self.set_work(msgspec.structs.replace(item, **changes))

    def note_quietly(self, interaction: str, text: str) -> None:
        """The agent's own typing: kept, and not sent back to where it was typed."""
        item = self.work.get(interaction)
        if item is not None:
            self.work[interaction] = msgspec.structs.replace(item, note=text)

    def drop_work(self, interaction: str) -> None:
        if self.work.pop(interaction, None) is not None:
            self.stream.push(lambda n: p.WorkGoneFrame(n=n, interaction=interaction))

    def leave_unfinished(self, interaction: str, since_utc_ms: int) -> None:
        """Wrap-up ran out: the item waits; the oldest goes when there are too many."""
        self.change_work(
            interaction, phase="unfinished", since_utc_ms=since_utc_ms, wrap_up_until_utc_ms=None
        )
        unfinished = [key for key, item in self.work.items() if item.phase == "unfinished"]
        for oldest in unfinished[:-MAX_UNFINISHED]:
            self.drop_work(oldest)

    def show_pop(self, pop: p.Pop) -> None:
        """A better pop for what is on the desk."""
        if self.offer is not None and self.offer.interaction == pop.interaction:
            self.offer = msgspec.structs.replace(self.offer, pop=pop)
        elif pop.interaction in self.work:
            self.work[pop.interaction] = msgspec.structs.replace(self.work[pop.interaction], pop=pop)
        else:
            return
        self.stream.push(lambda n: p.PopFrame(n=n, pop=pop))

    def show_script(self, page: p.ScriptPage) -> None:
        if page.interaction in self.work:
            self.work[page.interaction] = msgspec.structs.replace(self.work[page.interaction], script=page)
        elif self.offer is not None and self.offer.interaction == page.interaction:
            self.offer = msgspec.structs.replace(self.offer, script=page)
        else:
            return
        self.stream.push(lambda n: p.ScriptFrame(n=n, page=page))

    def notice(self, code: str, **params: str) -> None:
        """One line for the notice strip; the words are the browser's, in its language."""
        self.stream.push(lambda n: p.NoticeFrame(n=n, code=code, params=params))
