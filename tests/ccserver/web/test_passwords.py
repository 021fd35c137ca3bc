"""Passwords: off the loop, the same work for nobody, bounded."""

from __future__ import annotations

import asyncio
import threading

import pytest
from argon2 import PasswordHasher

from ccserver.web import passwords
from ccserver.web.passwords import Busy, Passwords, WeakPassword, check_strength, production_hasher


class RecordingHasher(PasswordHasher):
    """A cheap hasher that records what it verified, and in which thread; waits for `gate` before."""

    def __init__(self) -> None:
        super().__init__(time_cost=1, memory_cost=8, parallelism=1)
        self.verified: list[str] = []
        self.threads: set[str] = set()
        self.gate = threading.Event()
        self.gate.set()

    def verify(self, hash: str | bytes, password: str | bytes) -> bool:
        self.gate.wait(20)
        self.verified.append(str(hash))
        self.threads.add(threading.current_thread().name)
        return super().verify(hash, password)


async def test_right_password_fits_and_wrong_does_not() -> None:
    kept = Passwords(RecordingHasher())
    hashed = await kept.hash("correct horse 7")
    assert await kept.verify(hashed, "correct horse 7")
    assert not await kept.verify(hashed, "wrong horse 7")
    kept.close()


async def test_nobody_takes_the_same_work_and_never_fits() -> None:
    hasher = RecordingHasher()
    kept = Passwords(hasher)
    assert not await kept.verify(None, "nobody has this password")
    assert len(hasher.verified) == 1
    kept.close()


async def test_work_is_done_off_the_loop() -> None:
    hasher = RecordingHasher()
    kept = Passwords(hasher)
    await kept.verify(None, "x")
    assert threading.current_thread().name not in hasher.threads
    kept.close()


async def test_stored_rubbish_fits_nothing() -> None:
    kept = Passwords(RecordingHasher())
    assert not await kept.verify("plain text", "plain text")
    kept.close()


async def test_line_of_those_who_wait_is_bounded() -> None:
    hasher = RecordingHasher()
    kept = Passwords(hasher)
    hasher.gate.clear()
    waiting = [asyncio.ensure_future(kept.verify(None, "x")) for _ in range(passwords.MAX_WAITING)]
    await asyncio.sleep(0)
    with pytest.raises(Busy):
        await kept.verify(None, "x")
    hasher.gate.set()
    assert not any(await asyncio.gather(*waiting))
    assert not await kept.verify(None, "x")
    kept.close()


def test_hash_of_other_parameters_is_outdated() -> None:
    kept = Passwords(RecordingHasher())
    assert kept.is_outdated(production_hasher().hash("x"))
    assert production_hasher().hash("x").startswith("$argon2id$")
    kept.close()


@pytest.mark.parametrize("bad", ["", "short", "x" * 257, "Ayu-Lestari-2026"])
def test_weak_passwords_are_refused_with_what_would_do(bad: str) -> None:
    with pytest.raises(WeakPassword, match="choose"):
        check_strength(bad, "ayu-lestari")


def test_long_one_without_the_name_will_do() -> None:
    check_strength("correct horse 7", "ayu")
