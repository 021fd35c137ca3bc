"""Callers of the demo: the invented company's customers and some strangers, at the rhythm of a busy hour.

The rhythm swings: for a while everybody is talking and callers wait, then agents wait for callers. On average
five robots are busy for four fifths of their time, and nearly nobody gives up (worked out by simulation, then
seen on the wallboard).
"""

from __future__ import annotations

import asyncio
import math
import random
from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from ccserver.demo.switchboard import Switchboard

EVERY_S = 7.5
TIDE = 0.25
TIDE_S = 240.0
EVENNESS = 3
"""1: as random as calls can be; more: the gaps between calls differ less."""
FIRST = 4
TALK_S = (8.0, 40.0)
PATIENCE_S = (40.0, 180.0)
log = structlog.get_logger()


@dataclass(frozen=True)
class Person:
    """Somebody who may call."""

    number: str
    name: str


async def keep_calling(
    board: Switchboard, people: Sequence[Person], numbers: Sequence[str], chance: random.Random
) -> None:
    """Until cancelled: somebody calls every few seconds; a few at once at the start, so that it lives."""
    began_at = asyncio.get_running_loop().time()
    count = 0
    while True:
        count += 1
        person = _somebody(people, chance, count)
        number = chance.choice(numbers)
        try:
            await board.call(
                person.number, number, person.name, chance.uniform(*TALK_S), chance.uniform(*PATIENCE_S)
            )
        except Exception as error:  # noqa: BLE001  one call that fails is no end of the demo
            log.warning("a demo caller could not dial", why=str(error)[:200])
        running_s = asyncio.get_running_loop().time() - began_at
        await asyncio.sleep(0.5 if count < FIRST else gap_s(running_s, chance))


def gap_s(running_s: float, chance: random.Random) -> float:
    """Seconds until the next call."""
    swing = 1 + TIDE * math.sin(2 * math.pi * running_s / TIDE_S)
    return chance.gammavariate(EVENNESS, EVERY_S / EVENNESS) / swing


def _somebody(people: Sequence[Person], chance: random.Random, count: int) -> Person:
    """Mostly customers; now and then a stranger or a withheld number."""
    if people and (count <= FIRST or chance.random() < 0.85):
        return chance.choice(people)
    if chance.random() < 0.5:
        return Person("anonymous", "")
    return Person(f"+6281200{chance.randrange(10**5):05}", "")
