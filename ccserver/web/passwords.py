"""Passwords: argon2id in a thread, never on the loop.

One verification holds a core for 50 to 200 ms, so two at once at most, and a short line of those who wait;
beyond it `Busy` is raised instead of a queue that grows.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError, VerifyMismatchError

THREADS = 2
MAX_WAITING = 64
MIN_CHARS = 10
MAX_CHARS = 256

T = TypeVar("T")


class Busy(Exception):
    """More people log in at this moment than can be checked; the client tries again in a few seconds."""


class WeakPassword(ValueError):
    """The password to be set is no good; the message says what is."""


def production_hasher() -> PasswordHasher:
    """argon2id, 3 passes over 32 MiB: two at once stay far below the memory budget of the server."""
    return PasswordHasher(time_cost=3, memory_cost=32 * 1024, parallelism=1)


def check_strength(password: str, name: str) -> None:
    """Raises WeakPassword."""
    if not MIN_CHARS <= len(password) <= MAX_CHARS:
        raise WeakPassword(f"A password has {MIN_CHARS} to {MAX_CHARS} characters; choose a longer one.")
    if name.casefold() in password.casefold():
        raise WeakPassword("The password contains the login name; choose one that does not.")


class Passwords:
    """Hashing and verification off the loop. `close` at the end."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or production_hasher()
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="password")
        self._waiting = 0
        # Checked when there is no such user, so that the answer takes as long as for one who exists.
        self._nobody = self._hasher.hash("nobody has this password")

    async def hash(self, password: str) -> str:
        """The PHC string to store. Raises Busy."""
        return await self._run(lambda: self._hasher.hash(password))

    async def verify(self, password_hash: str | None, password: str) -> bool:
        """Whether it fits; None (no such user) takes the same time and never fits. Raises Busy."""
        fits = await self._run(lambda: self._fits(password_hash or self._nobody, password))
        return fits and password_hash is not None

    def is_outdated(self, password_hash: str) -> bool:
        """Whether the hash was made with other parameters than today's."""
        return self._hasher.check_needs_rehash(password_hash)

    def close(self) -> None:
        """Lets go of the threads; what runs is finished."""
        self._threads.shutdown(wait=True, cancel_futures=True)

    def _fits(self, password_hash: str, password: str) -> bool:
        try:
            return self._hasher.verify(password_hash, password)
        except VerifyMismatchError:
            return False
        except (VerificationError, InvalidHashError):
            # A stored hash that is no argon2 string fits nothing; an administrator sets a new password.
            return False

    async def _run(self, work: Callable[[], T]) -> T:
        if self._waiting >= MAX_WAITING:
            raise Busy
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        finally:
            self._waiting -= 1
