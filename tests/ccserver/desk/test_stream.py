"""The stream: numbers, resumption, limits. No loop needed."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from ccserver.desk.protocol import NoticeFrame
from ccserver.desk.stream import SUBSCRIBER_FRAMES, TOO_SLOW, MakeFrame, Stream, Subscriber


def notice(words: str = "x") -> MakeFrame:
    return lambda n: NoticeFrame(n=n, code="hello", params={"words": words})


def snapshot(n: int) -> NoticeFrame:
    return NoticeFrame(n=n, code="snapshot", params={})


def drain(subscriber: Subscriber) -> list[tuple[str, int]]:
    """(code, n) of everything queued."""
    found = []
    while (text := subscriber.take()) is not None:
        frame = json.loads(text)
        found.append((frame["code"], frame["n"]))
    return found


def attach(stream: Stream, epoch: str = "", last: int = 0) -> Subscriber:
    return stream.attach(epoch, last, lambda: None, snapshot)


def test_first_contact_gets_a_snapshot_and_then_every_frame() -> None:
    stream = Stream("e")
    stream.push(notice())
    subscriber = attach(stream)
    stream.push(notice())
    assert (subscriber.resumed, subscriber.n, subscriber.epoch) == (False, 1, "e.0")
    assert drain(subscriber) == [("snapshot", 1), ("hello", 2)]


def test_frame_is_encoded_once_for_all() -> None:
    stream = Stream("e")
    first, second = attach(stream), attach(stream)
    drain(first), drain(second)
    text = stream.push(notice())
    assert first.take() is text
    assert second.take() is text


@given(st.lists(st.integers(0, 5), max_size=12))
def test_cuts_anywhere_lose_and_double_nothing(gaps: list[int]) -> None:
    stream = Stream("e")
    seen = [n for _, n in drain(attach(stream))]
    epoch = stream.epoch
    for gap in gaps:
        for _ in range(gap):
            stream.push(notice())
        back = attach(stream, epoch, seen[-1])
        assert back.resumed
        seen += [n for _, n in drain(back)]
    assert seen == list(range(stream.n + 1))


def test_nothing_missed_is_a_resumption_with_nothing_queued() -> None:
    stream = Stream("e")
    stream.push(notice())
    back = attach(stream, "e.0", 1)
    assert back.resumed
    assert drain(back) == []


def test_too_far_behind_gets_a_snapshot_under_a_new_epoch() -> None:
    stream = Stream("e", limit=2)
    for _ in range(5):
        stream.push(notice())
    assert stream.resume("e.0", 3) is not None
    assert stream.resume("e.0", 2) is None
    back = attach(stream, "e.0", 2)
    assert (back.resumed, back.epoch) == (False, "e.1")
    assert drain(back) == [("snapshot", 5)]


def test_others_resume_across_a_renewal() -> None:
    stream = Stream("e", limit=2)
    for _ in range(5):
        stream.push(notice())
    attach(stream, "e.0", 1)
    assert attach(stream, "e.0", 4).resumed


def test_foreign_or_silly_epochs_and_numbers_get_a_snapshot() -> None:
    stream = Stream("e")
    stream.push(notice())
    for epoch, last in [("", 0), ("f.0", 0), ("e", 0), ("e.", 0), ("e.x", 1), ("e.0", 2), ("e.0", -1)]:
        assert stream.resume(epoch, last) is None, (epoch, last)


def test_kept_frames_are_bounded_in_size() -> None:
    stream = Stream("e", limit_chars=1000)
    for _ in range(10):
        stream.push(notice("x" * 300))
    assert stream.resume("e.0", 8) is not None
    assert stream.resume("e.0", 5) is None


def test_frame_larger_than_the_limit_is_sent_but_not_kept() -> None:
    stream = Stream("e", limit_chars=100)
    subscriber = attach(stream)
    stream.push(notice("x" * 300))
    assert drain(subscriber) == [("snapshot", 0), ("hello", 1)]
    assert stream.resume("e.0", 0) is None
    assert stream.resume("e.0", 1) == []


def test_slow_subscriber_is_dropped_and_the_others_are_not() -> None:
    stream = Stream("e")
    slow, quick = attach(stream), attach(stream)
    for _ in range(SUBSCRIBER_FRAMES + 1):
        stream.push(notice())
        drain(quick)
    assert slow.closed is not None
    assert slow.closed[0] == TOO_SLOW
    assert slow.take() is None
    assert quick.closed is None
    assert stream.epoch == "e.0"


def test_slow_subscriber_is_dropped_by_size_too() -> None:
    stream = Stream("e")
    slow = attach(stream)
    for _ in range(9):
        stream.push(notice("x" * 64 * 1024))
    assert slow.closed is not None


def test_wake_is_called_when_the_queue_fills_and_on_close_but_not_for_each_frame() -> None:
    woken: list[str] = []
    stream = Stream("e")
    subscriber = stream.attach("", 0, lambda: woken.append("wake"), snapshot)
    stream.push(notice())
    assert woken == ["wake"]
    drain(subscriber)
    stream.push(notice())
    assert woken == ["wake"] * 2
    stream.close(4001, "taken over")
    stream.push(notice())
    assert woken == ["wake"] * 3
    assert subscriber.closed == (4001, "taken over")
    assert drain(subscriber) == [("hello", 2)]


def test_detached_subscriber_gets_nothing() -> None:
    stream = Stream("e")
    subscriber = attach(stream)
    drain(subscriber)
    stream.detach(subscriber)
    stream.detach(subscriber)
    stream.push(notice())
    assert subscriber.take() is None
    assert stream.subscribers == 0


def test_refused_frame_takes_no_number() -> None:
    def fails(n: int) -> NoticeFrame:
        raise ValueError("no frame")

    stream = Stream("e")
    try:
        stream.push(fails)
    except ValueError:
        stream.push(notice())
    assert stream.n == 1
