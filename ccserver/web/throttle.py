"""How often somebody may try: a token bucket per key, bounded in number. Pure: the time is an argument.

Monotonic time, so that setting the wall clock back locks nobody out.
"""

from __future__ import annotations

from collections import OrderedDict

MAX_KEYS = 10_000


class Throttle:
    """`burst` tries at once, then `per_s` tries a second, for each key."""

    def __init__(self, burst: int, per_s: float) -> None:
        self._burst = burst
        self._per_s = per_s
        self._keys: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, key: str, now_s: float) -> float:
        """One try. 0: allowed (and counted); else the seconds until the next one is."""
        tokens = self._tokens(key, now_s)
        if tokens < 1:
            return (1 - tokens) / self._per_s
        self._put(key, tokens - 1, now_s)
        return 0.0

    def give_back(self, key: str, now_s: float) -> None:
        """The try was a good one: it does not count."""
        if key in self._keys:
            self._put(key, min(self._burst, self._tokens(key, now_s) + 1), now_s)

    def _tokens(self, key: str, now_s: float) -> float:
        tokens, at_s = self._keys.get(key, (float(self._burst), now_s))
        return min(float(self._burst), tokens + (now_s - at_s) * self._per_s)

    def _put(self, key: str, tokens: float, now_s: float) -> None:
        self._keys[key] = (tokens, now_s)
        self._keys.move_to_end(key)
        if len(self._keys) > MAX_KEYS:
            self._keys.popitem(last=False)
