"""Skeleton: look-ups with a bound."""

from __future__ import annotations

import asyncio
from typing import Protocol

from ccserver.customers.identity import IdentityMatch, Origin
from ccserver.store.rows import CustomerRow


class CustomerSource(Protocol):
    """What the directory asks; `Store` is one."""

    async def customers_by_number(self, e164: str, limit: int = 5) -> list[CustomerRow]: ...
    async def customer_by_external_id(self, external_id: str) -> CustomerRow | None: ...


class Directory:
    """Counts `lookups`, `failures`, `late`, `refused` for the metrics."""

    def __init__(self, source: CustomerSource) -> None:
        self.lookups = self.failures = self.late = self.refused = 0

    async def identify(self, origin: Origin, entered: str = "") -> IdentityMatch:
        """Never raises for a look-up that fails: unknown, logged, counted."""
        raise NotImplementedError

    async def identify_within(
        self, origin: Origin, limit_s: float = 0.05, entered: str = ""
    ) -> tuple[IdentityMatch, asyncio.Task[IdentityMatch] | None]:
        """What is known within `limit_s`, and the task that will know more (None: this is all)."""
        raise NotImplementedError
