"""Collection by the clock: which generation when, and Python's own ways back at the end."""

from __future__ import annotations

import gc

from ccserver.collector import FULL_EVERY, MIDDLE_EVERY, Collector, generation_in


def test_the_young_mostly_the_old_seldom() -> None:
    rounds = [generation_in(number) for number in range(1, FULL_EVERY + 1)]
    assert rounds[:MIDDLE_EVERY] == [0] * (MIDDLE_EVERY - 1) + [1]
    assert rounds.count(2) == 1
    assert rounds[-1] == 2


async def test_started_it_freezes_and_stopped_it_gives_everything_back() -> None:
    asked: list[int] = []
    collector = Collector(asked.append)
    collector.start()
    try:
        assert not gc.isenabled()
        assert gc.get_freeze_count() > 0
        collector.tick()
        assert asked == [2, 0]
    finally:
        collector.stop()
    assert gc.isenabled()
    assert gc.get_freeze_count() == 0
