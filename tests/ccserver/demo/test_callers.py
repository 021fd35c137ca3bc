"""The rhythm of the demo's callers."""

from __future__ import annotations

import asyncio
import random
from contextlib import suppress

from ccserver.demo.callers import EVERY_S, TIDE_S, Person, gap_s, keep_calling
from ccserver.demo.switchboard import StandInSwitchboard


def test_calls_come_as_often_as_promised_and_swing_like_a_tide() -> None:
    chance = random.Random(7)
    gaps = {
        at: sum(gap_s(at, chance) for _ in range(20_000)) / 20_000 for at in (0.0, TIDE_S / 4, TIDE_S * 0.75)
    }
    assert abs(gaps[0.0] - EVERY_S) < 0.1
    assert gaps[TIDE_S / 4] < EVERY_S < gaps[TIDE_S * 0.75]


class Refusing(StandInSwitchboard):
    """A switchboard on which every second call fails."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, str]] = []

    async def call(self, number: str, to: str, name: str, talk_s: float, patience_s: float) -> None:
        self.calls.append((number, to))
        if len(self.calls) % 2:
            raise OSError("busy here")


async def test_a_call_that_fails_is_no_end_of_the_demo() -> None:
    board = Refusing()
    people = [Person("+6281200000001", "Siti Contoh (demo)")]
    calling = asyncio.ensure_future(keep_calling(board, people, ["+62215550101"], random.Random(1)))
    async with asyncio.timeout(20):
        while len(board.calls) < 3:
            await asyncio.sleep(0.02)
    calling.cancel()
    with suppress(asyncio.CancelledError):
        await calling
    assert set(board.calls) == {("+6281200000001", "+62215550101")}
