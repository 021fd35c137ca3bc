"""Call entry's writes in groups: one transaction, everybody told, one bad value spoils only its own call."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from ccserver.store import Store, StoreFault, StoreUnavailable
from ccserver.store.grouped import Grouped
from ccserver.store.rows import ContactRow, InteractionFacts, PastInteraction


def contact(interaction: str) -> ContactRow:
    return ContactRow(interaction, "0812", "+62812", "Somebody", "+62215550101")


class Recorder:
    """A store that notes its groups and refuses what it is told to."""

    def __init__(self) -> None:
        self.groups: list[list[str]] = []
        self.refused = ""
        self.away = False

    async def history(self, customer_id: str, limit: int = 10, except_for: str = "") -> list[PastInteraction]:
        return []

    async def contacts_within(self, customer_id: str, days: int, now_at: int) -> int:
        return 3

    async def save_contact(self, contact: ContactRow) -> None:
        await self.save_entries([contact], [])

    async def save_facts(self, interaction: str, facts: InteractionFacts) -> None:
        await self.save_entries([], [(interaction, facts)])

    async def save_entries(
        self, contacts: Sequence[ContactRow], facts: Sequence[tuple[str, InteractionFacts]]
    ) -> None:
        names = [one.interaction for one in contacts] + [interaction for interaction, _ in facts]
        self.groups.append(names)
        if self.away:
            raise StoreUnavailable("away")
        if self.refused in names:
            raise StoreFault("refused")


async def test_calls_of_one_moment_are_one_group() -> None:
    store = Recorder()
    memory = Grouped(store, linger_s=0.01)
    facts = memory.save_facts("i3", InteractionFacts("inbound"))
    await asyncio.gather(memory.save_contact(contact("i1")), memory.save_contact(contact("i2")), facts)
    await memory.save_contact(contact("i4"))
    assert store.groups == [["i1", "i2", "i3"], ["i4"]]
    assert await memory.contacts_within("c", 7, 0) == 3


async def test_a_refused_value_spoils_only_its_own_call() -> None:
    store = Recorder()
    store.refused = "i2"
    memory = Grouped(store, linger_s=0.01)
    saves = (memory.save_contact(contact(name)) for name in ("i1", "i2", "i3"))
    first, second, third = await asyncio.gather(*saves, return_exceptions=True)
    assert (first, third) == (None, None)
    assert isinstance(second, StoreFault)
    assert store.groups == [["i1", "i2", "i3"], ["i1"], ["i2"], ["i3"]]


async def test_a_database_that_is_away_is_told_to_all_and_asked_again() -> None:
    store = Recorder()
    store.away = True
    memory = Grouped(store, linger_s=0.01)
    saves = (memory.save_contact(contact(name)) for name in ("i1", "i2"))
    assert [type(r) for r in await asyncio.gather(*saves, return_exceptions=True)] == [StoreUnavailable] * 2
    store.away = False
    await memory.save_contact(contact("i3"))
    assert store.groups[-1] == ["i3"]


async def test_who_gives_up_waiting_stops_nobody() -> None:
    store = Recorder()
    memory = Grouped(store, linger_s=0.01)
    gone = asyncio.ensure_future(memory.save_contact(contact("i1")))
    stays = asyncio.ensure_future(memory.save_contact(contact("i2")))
    await asyncio.sleep(0)
    gone.cancel()
    await stays
    with pytest.raises(asyncio.CancelledError):
        await gone


async def test_saved_together_as_if_saved_alone(store: Store) -> None:
    facts = [
        ("i1", InteractionFacts("inbound", "1.1")),
        ("i2", InteractionFacts(ivr_us=7)),
        ("i1", InteractionFacts(ivr_us=9)),
        ("i3", InteractionFacts()),
    ]
    await store.save_entries([contact("i1"), contact("i2")], facts)
    first, second = await store.interaction("i1"), await store.interaction("i2")
    assert first is not None
    assert second is not None
    assert (first.direction, first.leg, first.ivr_us) == ("inbound", "1.1", 9)
    assert second.ivr_us == 7
    assert first.contact == contact("i1")
    assert await store.interaction("i3") is None
