"""Skeleton: parts of the pop from what the store knows."""

from __future__ import annotations

from collections.abc import Sequence

from ccserver.customers.identity import IdentityMatch
from ccserver.desk import protocol
from ccserver.store.rows import CustomerRow, PastInteraction


def may_see_money(role: str) -> bool:
    raise NotImplementedError


def match_part(match: IdentityMatch, language: str = "en") -> protocol.Match:
    raise NotImplementedError


def pending_part() -> protocol.Match:
    raise NotImplementedError


def customer_part(customer: CustomerRow, role: str, stake_cents: int | None = None) -> protocol.CustomerCard:
    raise NotImplementedError


def contacts_part(history: Sequence[PastInteraction]) -> tuple[protocol.PastContact, ...]:
    raise NotImplementedError
