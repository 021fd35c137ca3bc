"""Whatever comes, in whatever order: the fold never raises, and its stories keep to their rules."""

from __future__ import annotations

import random
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.asterisk.calls import EVENTS, CallFold, Change, Person
from channels.asterisk.replay import TraceEvent, read_trace
from tests.pbx.stories import TRACES

TRACE_EVENTS = {
    path.stem: read_trace(path.read_text(encoding="utf-8")) for path in sorted(TRACES.glob("*.txt"))
}
NAMES = sorted(TRACE_EVENTS)


def people(change: Change) -> Iterable[Person]:
    to = change.to if isinstance(change.to, tuple) else (change.to,)
    return (one for one in (change.frm, *to, change.by) if one is not None)


def fold_all(events: Iterable[TraceEvent]) -> list[Change]:
    """Fold and check, change by change, what must hold of every story."""
    fold = CallFold()
    changes: list[Change] = []
    for event in events:
        changes += fold.handle(event)
        under_way = {one.call for one in changes} - {one.call for one in changes if one.change == "ended"}
        assert set(fold.calls) == under_way
    changes += fold.flush()
    check(changes)
    return changes


def check(changes: list[Change]) -> None:
    ended: set[str] = set()
    started: set[str] = set()
    for change in changes:
        assert change.call not in ended, "something happened to a call after its end"
        assert (change.change == "started") == (change.call not in started), "started once, and first"
        started.add(change.call)
        if change.change == "ended":
            ended.add(change.call)
        assert not any(person.channel.lower().startswith("local/") for person in people(change))
        if change.change in ("answered", "held", "resumed"):
            assert isinstance(change.to, Person)
            assert change.to.channel
            assert change.frm is not None
        assert (change.by is not None) == (change.change in ("held", "resumed", "transferred"))
        if change.change == "ended":
            assert change.reason in ("completed", "no_answer", "busy", "rejected", "cancelled", "failed")
        elif change.change == "transferred":
            assert change.reason in ("attended", "blind", "blonde")
        else:
            assert change.reason is None


@pytest.mark.parametrize("name", NAMES)
def test_a_whole_trace_ends_what_it_starts(name: str) -> None:
    changes = fold_all(TRACE_EVENTS[name])
    assert {one.call for one in changes} == {one.call for one in changes if one.change == "ended"}


@given(st.sampled_from(NAMES), st.randoms(use_true_random=False))
def test_any_shuffle_is_survived(name: str, chance: random.Random) -> None:
    events = list(TRACE_EVENTS[name])
    chance.shuffle(events)
    fold_all(events)


@given(st.sampled_from(NAMES), st.floats(0, 1), st.floats(0, 1))
def test_any_piece_of_a_trace_is_survived(name: str, begin: float, end: float) -> None:
    events = TRACE_EVENTS[name]
    fold_all(events[int(begin * len(events)) : int(end * len(events))])


@given(st.sampled_from(NAMES), st.randoms(use_true_random=False))
def test_lost_and_doubled_events_are_survived(name: str, chance: random.Random) -> None:
    fold_all(event for event in TRACE_EVENTS[name] for _ in range(chance.choice((0, 1, 1, 1, 2))))


@given(st.sampled_from(NAMES), st.randoms(use_true_random=False))
def test_lost_headers_are_survived(name: str, chance: random.Random) -> None:
    thinned = []
    for event in TRACE_EVENTS[name]:
        headers = [one for one in event.headers() if one[0] == "event" or chance.random() > 0.1]
        thinned.append(TraceEvent(headers))
    fold_all(thinned)


@given(
    st.lists(st.sampled_from(NAMES), min_size=2, max_size=4, unique=True), st.randoms(use_true_random=False)
)
def test_calls_side_by_side_do_not_mix(names: list[str], chance: random.Random) -> None:
    """Traces of separate calls woven into one another: each call ends as it does alone."""
    queues = [list(_apart(index, TRACE_EVENTS[name])) for index, name in enumerate(names)]
    alone = [[_told(one) for one in fold_all(events)] for events in queues]
    woven = []
    rest = [list(reversed(events)) for events in queues]
    while any(rest):
        woven.append(chance.choice([one for one in rest if one]).pop())
    together = [_told(one) for one in fold_all(woven)]
    for index, changes in enumerate(alone):
        mine = [one for one in together if one[1].startswith(f"{index}-")]
        assert [one for one in mine if one[0] == "answered"] == [
            one for one in changes if one[0] == "answered"
        ]
        assert [one for one in mine if one[0] == "transferred"] == [
            one for one in changes if one[0] == "transferred"
        ]


def _told(change: Change) -> tuple[str, str, Person | None, object, Person | None, str | None]:
    return change.change, change.call, change.frm, change.to, change.by, change.reason


def _apart(index: int, events: list[TraceEvent]) -> Iterable[TraceEvent]:
    """The same trace with channels, bridges and ids that no other has."""
    for event in events:
        yield TraceEvent(
            (
                name,
                f"{index}-{value}"
                if name.endswith(("uniqueid", "linkedid", "bridgeid")) and value
                else value,
            )
            if not name.endswith("channel")
            else (name, value.replace("-0", f"-{index}x0"))
            for name, value in event.headers()
        )


values = st.one_of(
    st.sampled_from(["", "1.1", "1.2", "PJSIP/201-1", "Local/1@a-1;1", "Local/1@a-1;2", "5", "6"])
)
headers = st.sampled_from(
    [
        *(
            "Uniqueid",
            "DestUniqueid",
            "Linkedid",
            "Channel",
            "DestChannel",
            "ChannelState",
            "DestChannelState",
        ),
        *(
            "BridgeUniqueid",
            "Uniqueid1",
            "Uniqueid2",
            "Clone",
            "Original",
            "SubEvent",
            "DialStatus",
            "Newname",
        ),
        *(
            "OrigTransfererUniqueid",
            "SecondTransfererUniqueid",
            "TransfererUniqueid",
            "TargetUniqueid",
            "Cause",
        ),
    ]
)


@given(st.lists(st.tuples(st.sampled_from(sorted(EVENTS)), st.dictionaries(headers, values)), max_size=60))
def test_rubbish_is_survived(rows: list[tuple[str, dict[str, str]]]) -> None:
    fold_all(TraceEvent([("Event", name), *fields.items()]) for name, fields in rows)
