"""Looking customers up without ever keeping a call waiting.

    identify_within(origin, 50 ms) ──▶ what is known by then, and a task that will know more (or None)

The call is routed on the first; when the task is done, the pop is updated and the interaction revalued. A
look-up that fails is an answer too: unknown, logged, counted. At most `most_open` look-ups run at once; when
the database is that slow, further calls do not add to its load.
"""

from __future__ import annotations

import asyncio
from typing import Protocol

import structlog

from ccserver.customers.identity import Evidence, IdentityMatch, MatchKind, Origin, OriginKind, match
from ccserver.store import StoreUnavailable
from ccserver.store.rows import CustomerRow

LIMIT_S = 0.05
_log = structlog.get_logger("ccserver.customers.directory")


class CustomerSource(Protocol):
    """What the directory asks; `Store` is one. Raises StoreUnavailable."""

    async def customers_by_number(self, e164: str, limit: int = 5) -> list[CustomerRow]: ...
    async def customer_by_external_id(self, external_id: str) -> CustomerRow | None: ...


class Directory:
    """One per server. The counters are for the metrics."""

    def __init__(self, source: CustomerSource, most_open: int = 200) -> None:
        self._source = source
        self._most_open = most_open
        self._open: set[asyncio.Task[IdentityMatch]] = set()
        self.lookups = 0
        self.late = 0
        """Not there within the limit."""
        self.failures = 0
        self.turned_away = 0
        """Not looked up, because too many look-ups were open."""

    async def warm(self) -> None:
        """Open connections and compile statements now: the first caller should not wait for that."""
        try:
            await self._source.customers_by_number("+0")
            await self._source.customer_by_external_id("0")
        except StoreUnavailable as error:
            _log.warning("directory.lookup_failed", error=str(error), hint="calls will go on as unknown")

    async def identify(self, origin: Origin, entered: str = "") -> IdentityMatch:
        """However long it takes the source to answer or to give up. Never raises for a source that fails."""
        self.lookups += 1
        try:
            by_number = await self._source.customers_by_number(origin.e164) if origin.e164 else []
            by_entered = await self._source.customer_by_external_id(entered) if entered else None
        except StoreUnavailable as error:
            self.failures += 1
            _log.warning("directory.lookup_failed", error=str(error), hint="the call goes on as unknown")
            return nothing_yet(origin, Evidence.LOOKUP_FAILED)
        return match(origin, by_number, entered, by_entered)

    async def identify_within(
        self, origin: Origin, limit_s: float = LIMIT_S, entered: str = ""
    ) -> tuple[IdentityMatch, asyncio.Task[IdentityMatch] | None]:
        """What is known within `limit_s`, and the task that will know more (None: this is all there is)."""
        if not origin.e164 and not entered:
            return match(origin, ()), None
        if len(self._open) >= self._most_open:
            self.turned_away += 1
            return nothing_yet(origin, Evidence.LOOKUP_FAILED), None
        task = asyncio.get_running_loop().create_task(self.identify(origin, entered))
        self._open.add(task)
        task.add_done_callback(self._open.discard)
        await asyncio.wait((task,), timeout=limit_s)
        if task.done():
            return task.result(), None
        self.late += 1
        return nothing_yet(origin, Evidence.LOOKUP_LATE), task

    async def close(self) -> None:
        """Give up the look-ups that are still open."""
        for task in tuple(self._open):
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)


def nothing_yet(origin: Origin, why: Evidence) -> IdentityMatch:
    """What is said of a contact while nobody knows: its number alone."""
    if origin.kind in (OriginKind.WITHHELD, OriginKind.MALFORMED):
        return IdentityMatch(match(origin, ()).kind, 0.0, (*match(origin, ()).evidence, why))
    return IdentityMatch(MatchKind.UNKNOWN, 0.0, (why,))
