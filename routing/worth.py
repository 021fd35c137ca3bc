"""What a waiting interaction's stake is worth in waiting time.

key = queued_at − H · log2(stake ÷ handle time), smallest first: "doubling the money at stake, or halving the
time it takes an agent to secure it, is worth H of waiting". The key never changes while the stake does not,
so a heap keeps the order. With all stakes equal it is first in, first out; and since the wait counts second
for second, a stake 2^k times lower is overtaken for at most k · H.

The rule is the index cμ (stake per second of agent) with linear ageing; Mandelbaum & Stolyar 2004 for the
generalised cμ rule that it approximates.
"""

from __future__ import annotations

from math import log2

from routing.model import US_PER_S

_MS_US = 1_000


def stake_credit_us(stake_cents: int, handle_time_s: int, doubling_s: int) -> int:
    """The head start of a stake, µs, whole milliseconds so that no platform's log2 can change an order."""
    per_second = max(stake_cents, 1) / max(handle_time_s, 1)
    return round(doubling_s * US_PER_S * log2(per_second) / _MS_US) * _MS_US
