"""Callers of the demo: the invented company's customers and some strangers, at the rhythm of a busy hour."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from ccserver.demo.switchboard import Switchboard

EVERY_S = 4.0
FIRST = 4
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
    count = 0
    while True:
        count += 1
        person = _somebody(people, chance, count)
        number = chance.choice(numbers)
        talk_s, patience_s = chance.uniform(8.0, 40.0), chance.uniform(25.0, 150.0)
        try:
            await board.call(person.number, number, person.name, talk_s, patience_s)
        except Exception as error:  # noqa: BLE001  one call that fails is no end of the demo
            log.warning("a demo caller could not dial", why=str(error)[:200])
        await asyncio.sleep(0.5 if count < FIRST else chance.expovariate(1 / EVERY_S))


def _somebody(people: Sequence[Person], chance: random.Random, count: int) -> Person:
    """Mostly customers; now and then a stranger or a withheld number."""
    if people and (count <= FIRST or chance.random() < 0.85):
        return chance.choice(people)
    if chance.random() < 0.5:
        return Person("anonymous", "")
    return Person(f"+6281200{chance.randrange(10**5):05}", "")
