"""What a journal record changes in the database. Pure: `changes_of(record) -> list[RowChange]`.

    Put        make the row or change it; `first` columns keep what they hold already
    Set        change the row if it is there; no later Put of the same row follows
    Add        count one more
    EndTalk, EndWrapUp   close the agent's open segment of an interaction
    SumTimes   talk and wrap-up of an interaction anew from its segments
    LinkRepeats  the customer's interactions around this one know their predecessor anew

Changes of many records may be applied together, in this order of kinds, with the same result as one by one:
that is what `merge` prepares, and what a test compares.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from routing import effects as ef
from routing import events as ev
from routing.model import Explanation, OfferState

Value = str | int | bool | None | datetime | dict[str, Any]
Key = tuple[str, ...] | tuple[int, int]

_EPOCH_UTC = datetime(1970, 1, 1, tzinfo=UTC)


class Record(Protocol):
    """What the projection reads of a journal record. `seq` counts up within the journal's epoch."""

    @property
    def seq(self) -> int: ...
    @property
    def at(self) -> int: ...
    @property
    def event(self) -> ev.Event: ...
    @property
    def effects(self) -> tuple[ef.Effect, ...]: ...
    @property
    def fault(self) -> bool: ...


@dataclass(slots=True)
class Put:
    """Insert or update the row of `table` with primary key `key`."""

    table: str
    key: Key
    values: dict[str, Value] = field(default_factory=dict)
    first: dict[str, Value] = field(default_factory=dict)


@dataclass(slots=True)
class Set:
    """Update the row if it exists."""

    table: str
    key: Key
    values: dict[str, Value]


@dataclass(frozen=True, slots=True)
class Add:
    """One more of `column` of an interaction."""

    interaction: str
    column: str


@dataclass(frozen=True, slots=True)
class EndTalk:
    """The conversation of the agent's open segment ended."""

    interaction: str
    agent: str
    at: int
    by: str


@dataclass(frozen=True, slots=True)
class EndWrapUp:
    """The agent's segment is over."""

    interaction: str
    agent: str
    at: int
    disposition: str
    finished: bool


@dataclass(frozen=True, slots=True)
class SumTimes:
    """Add up the segments."""

    interaction: str


@dataclass(frozen=True, slots=True)
class LinkRepeats:
    """Say of the customer's interactions near this one which other they repeat."""

    interaction: str


RowChange = Put | Set | Add | EndTalk | EndWrapUp | SumTimes | LinkRepeats


def utc_of(at: int) -> datetime:
    """Router time as UTC for people."""
    return _EPOCH_UTC + timedelta(microseconds=at)


def changes_of(record: Record) -> list[RowChange]:
    """All changes of one record; none for what has no place in the database."""
    if record.fault:
        return []  # handling it raised, so it changed nothing
    changes: list[RowChange] = []
    if not any(isinstance(effect, ef.Refused) for effect in record.effects):
        of_event = _EVENTS.get(type(record.event))
        if of_event is not None:
            changes += of_event(record.event, record.at)
    for place, effect in enumerate(record.effects):
        if isinstance(effect, ef.AgentChanged):
            changes.append(_agent_state(effect, record.seq, place))
        elif isinstance(effect, ef.MakeOffer):
            changes.append(_decision(effect, record))
        else:
            of_effect = _EFFECTS.get(type(effect))
            if of_effect is not None:
                changes += of_effect(effect)
    return changes


# -- events --------------------------------------------------------------------------------------------------


def _arrived(event: ev.InteractionArrived, at: int) -> list[RowChange]:
    values: dict[str, Value] = {"medium": event.medium.value, "queue": event.queue}
    if event.pbx:
        values["pbx"] = event.pbx
    return [Put("interactions", (event.interaction,), values, {"arrived_at": at, "arrived_utc": utc_of(at)})]


def _revalued(event: ev.InteractionRevalued, _at: int) -> list[RowChange]:
    values: dict[str, Value] = {"customer_id": event.customer, "stake_cents": event.stake_cents}
    if not event.stake_cents:
        del values["stake_cents"]  # the policy's default, which the row has already
    return [Put("interactions", (event.interaction,), values), LinkRepeats(event.interaction)]


def _moved(event: ev.InteractionMoved, _at: int) -> list[RowChange]:
    # Without a name the system itself moved it: an overflow, no transfer.
    return [Add(event.interaction, "transfers")] if event.by else []


_EVENTS: dict[type, Callable[[Any, int], list[RowChange]]] = {
    ev.InteractionArrived: _arrived,
    ev.InteractionRevalued: _revalued,
    ev.InteractionMoved: _moved,
}


# -- effects -------------------------------------------------------------------------------------------------


def _agent_state(effect: ef.AgentChanged, seq: int, place: int) -> RowChange:
    values: dict[str, Value] = {
        "agent_id": effect.agent,
        "session_id": effect.session,
        "status": effect.status.value,
        "reason": effect.reason,
        "at": effect.at,
    }
    return Put("agent_states", (seq, place), values)


_EXPLANATION = tuple(f.name for f in fields(Explanation))


def _decision(effect: ef.MakeOffer, record: Record) -> RowChange:
    values: dict[str, Value] = {
        "seq": record.seq,
        "interaction_id": effect.interaction,
        "agent_id": effect.agent,
        "queue": effect.queue,
        "made_at": record.at,
        "outcome": OfferState.OPEN.value,
        "cause": "",
        "explanation": {name: getattr(effect.why, name) for name in _EXPLANATION},
    }
    return Put("decisions", (effect.offer,), values)


def _queued(effect: ef.InteractionQueued) -> list[RowChange]:
    values: dict[str, Value] = {
        "medium": effect.medium.value,
        "queue": effect.queue,
        "conversation_id": effect.conversation,
        "stake_cents": effect.stake_cents,
    }
    first: dict[str, Value] = {"queued_at": effect.queued_at, "queued_utc": utc_of(effect.queued_at)}
    conversation = Put("conversations", (effect.conversation,), {}, {"opened_at": effect.queued_at})
    changes: list[RowChange] = [Put("interactions", (effect.interaction,), values, first), conversation]
    if effect.customer:
        values["customer_id"] = effect.customer
        changes.append(LinkRepeats(effect.interaction))
    return changes


def _offer_ended(effect: ef.EndOffer) -> list[RowChange]:
    values: dict[str, Value] = {"outcome": effect.state.value, "cause": effect.cause}
    changes: list[RowChange] = [Set("decisions", (effect.offer,), values)]
    if effect.state is OfferState.EXPIRED:
        changes.append(Add(effect.interaction, "offers_missed"))
    return changes


def _accepted(effect: ef.Connect) -> list[RowChange]:
    return [Set("decisions", (effect.offer,), {"outcome": OfferState.ACCEPTED.value})]


def _segment_started(effect: ef.SegmentStarted) -> list[RowChange]:
    stamp = utc_of(effect.at)
    segment: dict[str, Value] = {
        "interaction_id": effect.interaction,
        "agent_id": effect.agent,
        "queue": effect.queue,
        "answered_at": effect.at,
        "answered_utc": stamp,
    }
    interaction = Put(
        "interactions",
        (effect.interaction,),
        {"wait_us": effect.waited_us},
        {"answered_at": effect.at, "answered_utc": stamp},
    )
    decision = Set("decisions", (effect.offer,), {"outcome": OfferState.ACCEPTED.value})
    return [Put("segments", (effect.offer,), segment), interaction, decision]


def _wrap_up_started(effect: ef.WrapUpStarted) -> list[RowChange]:
    if effect.by == "extended":
        return []
    end = EndTalk(effect.interaction, effect.agent, effect.at, effect.by)
    return [end, SumTimes(effect.interaction)]


def _segment_ended(effect: ef.SegmentEnded) -> list[RowChange]:
    end = EndWrapUp(effect.interaction, effect.agent, effect.at, effect.disposition, effect.finished)
    return [end, SumTimes(effect.interaction)]


def _closed(effect: ef.InteractionClosed) -> list[RowChange]:
    values: dict[str, Value] = {
        "medium": effect.medium.value,
        "queue": effect.queue,
        "outcome": effect.outcome.value,
        "ended_at": effect.at,
        "ended_utc": utc_of(effect.at),
        "wait_us": effect.waited_us,
    }
    return [Put("interactions", (effect.interaction,), values)]


_EFFECTS: dict[type, Callable[[Any], list[RowChange]]] = {
    ef.InteractionQueued: _queued,
    ef.EndOffer: _offer_ended,
    ef.Connect: _accepted,
    ef.SegmentStarted: _segment_started,
    ef.WrapUpStarted: _wrap_up_started,
    ef.SegmentEnded: _segment_ended,
    ef.InteractionClosed: _closed,
}


# -- together ------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Merged:
    """Changes of many records, fit to be applied kind by kind."""

    puts: dict[tuple[str, Key], Put] = field(default_factory=dict)
    sets: dict[tuple[str, Key], Set] = field(default_factory=dict)
    adds: dict[Add, int] = field(default_factory=dict)
    end_talks: list[EndTalk] = field(default_factory=list)
    end_wrap_ups: list[EndWrapUp] = field(default_factory=list)
    sums: dict[str, None] = field(default_factory=dict)
    links: dict[str, None] = field(default_factory=dict)


def merge(changes: Iterable[RowChange]) -> Merged:
    """Changes of one row become one; the order of records is kept where it matters."""
    merged = Merged()
    for change in changes:
        _MERGE[type(change)](merged, change)
    return merged


def _merge_put(merged: Merged, change: Put) -> None:
    place = change.table, change.key
    earlier = merged.puts.get(place)
    if earlier is None:
        earlier = merged.puts[place] = Put(change.table, change.key)
    earlier.values.update(change.values)
    for column, value in change.first.items():
        earlier.first.setdefault(column, value)


def _merge_set(merged: Merged, change: Set) -> None:
    place = change.table, change.key
    put = merged.puts.get(place)
    if put is not None:
        put.values.update(change.values)
        return
    earlier = merged.sets.setdefault(place, Set(change.table, change.key, {}))
    earlier.values.update(change.values)


def _merge_add(merged: Merged, change: Add) -> None:
    merged.adds[change] = merged.adds.get(change, 0) + 1


_MERGE: dict[type, Callable[[Merged, Any], None]] = {
    Put: _merge_put,
    Set: _merge_set,
    Add: _merge_add,
    EndTalk: lambda merged, change: merged.end_talks.append(change),
    EndWrapUp: lambda merged, change: merged.end_wrap_ups.append(change),
    SumTimes: lambda merged, change: merged.sums.setdefault(change.interaction),
    LinkRepeats: lambda merged, change: merged.links.setdefault(change.interaction),
}
