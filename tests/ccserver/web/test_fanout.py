"""Waking many, a hundred at a time."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from ccserver.web.api.fanout import BATCH, HURRIED, Waker


class Turns:
    """A loop whose turns are taken by hand."""

    def __init__(self) -> None:
        self.due: deque[Callable[[], None]] = deque()

    def turn(self) -> None:
        """What is due now; what it makes due is for the next turn."""
        for _ in range(len(self.due)):
            self.due.popleft()()


def test_hundred_a_turn_in_order() -> None:
    turns, woken = Turns(), []
    waker = Waker(turns.due.append)
    for i in range(2 * BATCH + 1):
        waker.soon(lambda i=i: woken.append(i))  # type: ignore[misc]
    sizes = []
    while turns.due:
        turns.turn()
        sizes.append(len(woken))
    assert sizes == [BATCH, 2 * BATCH, 2 * BATCH + 1]
    assert woken == list(range(2 * BATCH + 1))


def test_in_a_hurry_a_few_come_at_once_and_the_rest_in_their_turn() -> None:
    turns, woken = Turns(), []
    waker = Waker(turns.due.append)
    for i in range(HURRIED + 2):
        waker.soon(lambda i=i: woken.append(i))  # type: ignore[misc]
    waker.hurry()
    assert woken == list(range(HURRIED))
    turns.turn()
    assert woken == list(range(HURRIED + 2))
    assert not turns.due
    waker.hurry()
    waker.soon(lambda: woken.append(99))
    turns.turn()
    assert woken[-1] == 99


def test_idle_waker_arms_itself_again() -> None:
    turns, woken = Turns(), []
    waker = Waker(turns.due.append)
    for i in range(3):
        waker.soon(lambda i=i: woken.append(i))  # type: ignore[misc]
        turns.turn()
    assert woken == [0, 1, 2]
    assert not turns.due


def test_wake_during_waking_is_not_lost() -> None:
    turns, woken = Turns(), []
    waker = Waker(turns.due.append)
    waker.soon(lambda: waker.soon(lambda: woken.append("inner")))
    turns.turn()
    turns.turn()
    assert woken == ["inner"]
