"""The folded call model: AMI events in, what people did with their telephones out. Pure: no clock, no I/O.

    AMI event --> call_events --> call_graph --> call_story --> [Change, ...]
                  the table       legs, dials,    in words
                  of events       bridges         of people

An event may lack any header, name legs never seen before (the fold was attached to a running PBX), come twice
or out of order: that can make a story poorer, never raise. What is known of a leg comes from any event that
shows it.

    fold = CallFold("main")
    for event in events:
        for change in fold.handle(event): ...
    fold.calls["main/1700000000.1"].state
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from channels.asterisk.call_events import HANDLERS, JOINING, TRANSFERRING
from channels.asterisk.call_graph import CallEvent, CallGraph
from channels.asterisk.call_picture import Call, Change, Leg, Person

__all__ = ["EVENTS", "Call", "CallEvent", "CallFold", "Change", "Leg", "Person"]

# The events that matter; a client need not subscribe to others.
EVENTS = frozenset(HANDLERS)


class CallFold:
    """Feed it every event of one PBX in order. Ids of calls begin with `pbx/` when `pbx` is given.

    After a lost connection the picture cannot be trusted: `reset()`, then feed the rows of CoreShowChannels.
    """

    def __init__(self, pbx: str = "") -> None:
        self._graph = CallGraph(f"{pbx}/" if pbx else "")
        self._story = self._graph.story

    @property
    def calls(self) -> Mapping[str, Call]:
        """The calls under way that were told of, by id."""
        return MappingProxyType(self._story.book.calls)

    def call_of(self, uniqueid: str) -> Call | None:
        """The call that this leg belongs to, told of or not; None for a leg not known or gone."""
        leg = self._graph.living(uniqueid)
        return None if leg is None else leg.call

    def handle(self, event: CallEvent) -> list[Change]:
        """Take one event; the changes it brings, mostly none."""
        story, name = self._story, event.name
        story.book.now += 1
        handler = HANDLERS.get(name)
        if handler is None:
            return []
        if story.due and name not in JOINING:
            story.settle_due()
        if story.resuming and name not in TRANSFERRING:
            story.settle_resumed()
        handler(self._graph, event)
        return self._story.book.take()

    def flush(self) -> list[Change]:
        """Tell what waits for an event that might explain it. Call it when no more events are at hand."""
        self._story.settle_due()
        self._story.settle_resumed()
        self._story.settle_unsure()
        return self._story.book.take()

    def reset(self) -> list[Change]:
        """The connection was lost: every call under way ends as `failed`, all is forgotten."""
        for call in list(self._story.book.calls.values()):
            self._story.end(call, "failed")
        self._story.forget_pending()
        self._graph.clear()
        return self._story.book.take()
