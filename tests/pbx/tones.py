"""How much of a recording is a given tone (Goertzel's algorithm)."""

from __future__ import annotations

import math
import struct
from pathlib import Path

RATE = 8000


def samples(path: Path) -> tuple[int, ...]:
    """The signed 16 bit samples of a raw recording."""
    data = path.read_bytes()
    return struct.unpack(f"<{len(data) // 2}h", data[: len(data) // 2 * 2])


def share(part: tuple[int, ...], frequency: int) -> float:
    """The part of the energy that is at `frequency`, 0-1; silence is 0."""
    energy = sum(value * value for value in part)
    if not energy:
        return 0.0
    factor = 2 * math.cos(2 * math.pi * frequency / RATE)
    last = before = 0.0
    for value in part:
        last, before = value + factor * last - before, last
    power = last * last + before * before - factor * last * before
    return power / (energy * len(part) / 2)


def seconds_of(path: Path, frequency: int) -> float:
    """For how long the tone is at least nine tenths of what is heard, counted in tenths of a second."""
    heard, step = samples(path), RATE // 10
    parts = (heard[start : start + step] for start in range(0, len(heard) - step, step))
    return sum(share(part, frequency) > 0.9 for part in parts) / 10
