"""Router time: integer microseconds, UTC at the start, then advanced by the monotonic clock.

Waits survive a restart, a reboot and a step of the wall clock; a start never goes before the last journal
record.
"""

from __future__ import annotations

import time
from collections.abc import Callable


class RouterClock:
    """Calling it gives now, µs."""

    def __init__(
        self,
        not_before_us: int = 0,
        utc_us: Callable[[], int] = lambda: time.time_ns() // 1_000,
        monotonic_us: Callable[[], int] = lambda: time.monotonic_ns() // 1_000,
    ) -> None:
        self._monotonic_us = monotonic_us
        self._offset_us = max(utc_us(), not_before_us) - monotonic_us()

    def __call__(self) -> int:
        """Now, µs of router time."""
        return self._offset_us + self._monotonic_us()
