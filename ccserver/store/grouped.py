"""What call entry remembers of each caller, written in groups: one transaction for all calls of a moment.

    save_contact ─┐                       ┌─▶ everybody in the group is told how it went
    save_facts  ──┴─▶ group (100 ms) ─▶ one transaction

A transaction a call and table costs the loop a millisecond each, and SQLite's one writer cannot follow 50
calls a second on a busy disk. Nobody waits for these writes, so they can wait for each other. A group that
the database refuses is tried again one by one, so that one bad value spoils only its own call.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Protocol

from ccserver.store.database import StoreFault
from ccserver.store.rows import ContactRow, InteractionFacts, InteractionRow, PastInteraction

LINGER_S = 0.1
Entry = ContactRow | tuple[str, InteractionFacts]


class EntryStore(Protocol):
    """What is used of `Store`. Everything raises StoreUnavailable, writing also StoreFault."""

    async def history(
        self, customer_id: str, limit: int = 10, except_for: str = ""
    ) -> list[PastInteraction]: ...
    async def contacts_within(self, customer_id: str, days: int, now_at: int) -> int: ...
    async def interaction(self, interaction_id: str) -> InteractionRow | None: ...
    async def save_contact(self, contact: ContactRow) -> None: ...
    async def save_facts(self, interaction: str, facts: InteractionFacts) -> None: ...
    async def save_entries(
        self, contacts: Sequence[ContactRow], facts: Sequence[tuple[str, InteractionFacts]]
    ) -> None: ...


class Grouped:
    """Call entry's memory. Each save returns when its group is written, or raises what the store raised."""

    def __init__(self, store: EntryStore, linger_s: float = LINGER_S) -> None:
        self._store, self._linger_s = store, linger_s
        self._waiting: list[tuple[Entry, asyncio.Future[None]]] = []
        self._writing: asyncio.Task[None] | None = None

    async def history(self, customer_id: str, limit: int = 10, except_for: str = "") -> list[PastInteraction]:
        """The store's own."""
        return await self._store.history(customer_id, limit, except_for)

    async def contacts_within(self, customer_id: str, days: int, now_at: int) -> int:
        """The store's own."""
        return await self._store.contacts_within(customer_id, days, now_at)

    async def interaction(self, interaction_id: str) -> InteractionRow | None:
        """The store's own."""
        return await self._store.interaction(interaction_id)

    async def save_contact(self, contact: ContactRow) -> None:
        """As `Store.save_contact`, with others."""
        await self._join(contact)

    async def save_facts(self, interaction: str, facts: InteractionFacts) -> None:
        """As `Store.save_facts`, with others."""
        await self._join((interaction, facts))

    async def _join(self, entry: Entry) -> None:
        loop = asyncio.get_running_loop()
        done: asyncio.Future[None] = loop.create_future()
        self._waiting.append((entry, done))
        if self._writing is None or self._writing.done():
            self._writing = loop.create_task(self._write())
        await done

    async def _write(self) -> None:
        while self._waiting:
            await asyncio.sleep(self._linger_s)
            group, self._waiting = self._waiting, []
            try:
                await self._put([entry for entry, _ in group])
            except StoreFault:
                for entry, done in group:
                    await self._put_alone(entry, done)
            except Exception as error:  # noqa: BLE001  whatever it is, those who wait are told
                for _, done in group:
                    _settle(done, error)
            for _, done in group:
                _settle(done, None)

    async def _put(self, group: list[Entry]) -> None:
        contacts = [entry for entry in group if isinstance(entry, ContactRow)]
        facts = [entry for entry in group if not isinstance(entry, ContactRow)]
        await self._store.save_entries(contacts, facts)

    async def _put_alone(self, entry: Entry, done: asyncio.Future[None]) -> None:
        try:
            await self._put([entry])
        except Exception as error:  # noqa: BLE001  told to the one who waits
            _settle(done, error)


def _settle(done: asyncio.Future[None], error: Exception | None) -> None:
    """Once; whoever gave up waiting is not told."""
    if done.done():
        return
    if error is None:
        done.set_result(None)
    else:
        done.set_exception(error)
