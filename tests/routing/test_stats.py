"""The day's figures: each definition, at its edges."""

from __future__ import annotations

import pytest

from routing.effects import Effect, InteractionClosed, SegmentStarted
from routing.model import US_PER_S, Medium, Outcome, Queue
from routing.stats import RECENT_US, Stats

QUEUE = Queue("billing", service_level_s=20, short_abandon_s=5)
QUEUES = {"billing": QUEUE, "sales": Queue("sales")}


def answered(wait_s: float, at: int = 0, queue: str = "billing") -> Effect:
    return SegmentStarted("i", "i.1", "ayu", queue, at, round(wait_s * US_PER_S))


def closed(outcome: Outcome, wait_s: float, at: int = 0) -> Effect:
    return InteractionClosed("i", Medium.VOICE, "billing", outcome, at, round(wait_s * US_PER_S))


def after(*effects: Effect) -> Stats:
    stats = Stats()
    for effect in effects:
        stats.see(effect, QUEUES)
    return stats


def test_nothing_happened_is_no_figure_instead_of_a_perfect_one() -> None:
    day = Stats().day("billing")
    assert (day.offered, day.service_level, day.asa_s) == (0, None, None)


@pytest.mark.parametrize(("wait_s", "within"), [(0, 1), (20, 1), (20.000001, 0)])
def test_an_answer_counts_within_the_target_up_to_its_last_microsecond(wait_s: float, within: int) -> None:
    day = after(answered(wait_s)).day("billing")
    assert (day.answered, day.answered_in_target, day.offered) == (1, within, 1)


@pytest.mark.parametrize(("wait_s", "short"), [(0, 1), (5, 1), (5.000001, 0)])
def test_a_short_abandon_is_not_offered(wait_s: float, short: int) -> None:
    day = after(closed(Outcome.ABANDONED, wait_s)).day("billing")
    assert (day.short_abandoned, day.abandoned, day.offered) == (short, 1 - short, 1 - short)


def test_service_level_is_answered_in_target_of_answered_abandoned_and_flowed_out() -> None:
    day = after(
        answered(1),
        answered(30),
        closed(Outcome.ABANDONED, 60),
        closed(Outcome.ABANDONED, 1),
        closed(Outcome.FLOWED_OUT, 60),
        closed(Outcome.FAILED, 60),
        closed(Outcome.ANSWERED, 60),
    ).day("billing")
    assert (day.offered, day.failed) == (4, 1)
    assert day.service_level == 1 / 4


def test_asa_leaves_abandons_out() -> None:
    day = after(answered(2), answered(4), closed(Outcome.ABANDONED, 600)).day("billing")
    assert day.asa_s == 3


def test_midnight_empties_the_day_and_keeps_the_last_half_hour() -> None:
    stats = after(*[answered(1, at=US_PER_S)] * 10)
    stats.roll()
    assert stats.day("billing").answered == 0
    assert stats.recent_level(2 * US_PER_S, ["billing"]) == 1.0


def test_the_last_half_hour_needs_ten_and_forgets_what_is_older() -> None:
    stats = after(*[answered(1, at=0)] * 9)
    assert stats.recent_level(0, ["billing"]) is None
    stats.see(answered(30, at=RECENT_US), QUEUES)
    assert stats.recent_level(RECENT_US, ["billing"]) == 9 / 10
    assert stats.recent_level(RECENT_US + 1, ["billing"]) is None


def test_queues_are_counted_apart_and_together() -> None:
    stats = after(*[answered(1)] * 5, *[answered(60, queue="sales")] * 5)
    assert stats.day("billing").service_level == 1
    assert stats.recent_level(0, ["billing", "sales"]) == 0.5
