"""Ids: ours, unique, and in order of time when sorted as text.

i 0kq3v5t0c2 a7f     letter of the kind, µs since 1970 in base 32, three random characters
"""

from __future__ import annotations

import secrets
from collections.abc import Callable

_DIGITS = "0123456789abcdefghjkmnpqrstvwxyz"
_WIDTH = 11


class Ids:
    """Makes ids; two of the same microsecond still differ and keep their order."""

    def __init__(self, clock_us: Callable[[], int]) -> None:
        self._clock_us = clock_us
        self._last = 0

    def new(self, kind: str) -> str:
        """A new id; `kind` is one letter."""
        self._last = max(self._last + 1, self._clock_us())
        tail = "".join(secrets.choice(_DIGITS) for _ in range(3))
        return f"{kind}{_base32(self._last)}{tail}"


def _base32(value: int) -> str:
    digits = ""
    for _ in range(_WIDTH):
        value, digit = divmod(value, 32)
        digits = _DIGITS[digit] + digits
    return digits
