"""Skeleton: what is at stake. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from ccserver.customers.identity import IdentityMatch


@dataclass(frozen=True, slots=True)
class Stake:
    """`cents` is what is lost if this contact fails; `reasons` are (code, value) pairs for supervisors."""

    cents: int
    reasons: tuple[tuple[str, int], ...]


def stake_of(match: IdentityMatch, need: str = "", default_cents: int = 5_000) -> Stake:
    raise NotImplementedError
