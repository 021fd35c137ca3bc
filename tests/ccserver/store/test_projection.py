"""The journal in the database: the same in one piece or in many, twice or once, late or in time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest
from sqlalchemy import delete, select

from ccserver.journal import JournalDamaged
from ccserver.store import Store, StoreFault, StoreUnavailable
from ccserver.store.projection import Late, Projector, Record
from ccserver.store.schema import metadata
from tests.ccserver.store.life import DAY, MONDAY, Life, S, Written
from tests.ccserver.store.shifts import Shift

PATIENCE_S = 30.0


async def dump(store: Store) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table."""
    tables: dict[str, list[tuple[Any, ...]]] = {}
    async with store.reading() as connection:
        for table in metadata.sorted_tables:
            rows = (await connection.execute(select(table))).all()
            tables[table.name] = sorted((tuple(row) for row in rows), key=repr)
    return tables


async def empty(store: Store) -> None:
    async with store.writing() as connection:
        for table in reversed(metadata.sorted_tables):
            await connection.execute(delete(table))


@pytest.mark.parametrize("seed", range(4))
async def test_batches_of_any_size_give_the_same_tables(store: Store, seed: int) -> None:
    records = Shift(seed).work(250)
    dumps = []
    for size in (1, 7, 250):
        await empty(store)
        for start in range(0, len(records), size):
            await store.project("e1", records[start : start + size])
        dumps.append(await dump(store))
    assert dumps[0] == dumps[1] == dumps[2]
    assert len(dumps[0]["interactions"]) > 10
    assert len(dumps[0]["segments"]) > 3


async def test_records_that_are_there_already_change_nothing(store: Store) -> None:
    records = Life().missed_then_answered("i1", "ayu", "budi")
    await store.project("e1", records)
    once = await dump(store)
    await store.project("e1", records)
    await store.project("e1", records[3:])
    await store.project("e1", [])
    assert await dump(store) == once
    assert await store.projected("e1") == (records[-1].seq, records[-1].at)
    assert await store.projected("e2") == (-1, 0)


async def test_every_open_interaction_ends_as_the_router_says(store: Store) -> None:
    shift = Shift(11)
    await store.project("e1", shift.work(400))
    for interaction in shift.floor.router.interactions.values():
        found = await store.interaction(interaction.id)
        assert found is not None
        assert (found.outcome, found.queue, found.customer) == ("", interaction.queue, interaction.customer)
        assert (found.queued_at or 0) >= 0


async def test_a_repeat_names_the_contact_before_it_within_a_week(store: Store) -> None:
    life = Life()
    first = life.abandoned("i1", "cus_1")
    second = life.abandoned("i2", "cus_1")
    life.now += 8 * DAY
    third = life.abandoned("i3", "cus_1")
    await store.project("e1", [*first, *second, *third, *life.abandoned("i4", "cus_2")])
    assert [await repeat_of(store, f"i{n}") for n in (1, 2, 3, 4)] == ["", "i1", "", ""]


async def test_a_late_look_up_links_the_contacts_after_it_too(store: Store) -> None:
    from routing import events as ev

    life = Life()
    await store.project("e1", [*life.abandoned("i1"), *life.abandoned("i2", "cus_1")])
    assert await repeat_of(store, "i2") == ""
    life.step(ev.InteractionRevalued("i1", "cus_1", 1))
    await store.project("e1", life.taken())
    assert await repeat_of(store, "i2") == "i1"
    life.step(ev.InteractionRevalued("i1", "cus_2", 1))
    await store.project("e1", life.taken())
    assert await repeat_of(store, "i2") == ""


async def repeat_of(store: Store, interaction: str) -> str:
    found = await store.interaction(interaction)
    assert found is not None
    return found.repeat_of


# -- the task ------------------------------------------------------------------------------------------------


class Journal:
    """What is on disk."""

    def __init__(self, records: Sequence[Written] = ()) -> None:
        self.records = list(records)
        self.reads: list[int] = []

    def read_since(self, seq: int) -> Iterator[Record]:
        self.reads.append(seq)
        for record in tuple(self.records):
            if record.seq > seq:
                yield record


class Recorder:
    """A database that can be away, and remembers what it was given."""

    def __init__(self) -> None:
        self.seqs: list[int] = []
        self.batches: list[int] = []
        self.away = False
        self.poison: set[int] = set()
        self.tries = 0

    async def projected(self, epoch: str) -> tuple[int, int]:
        assert epoch == "e1"
        self._answer()
        return (self.seqs[-1] if self.seqs else -1, 0)

    async def project(self, epoch: str, records: Sequence[Record]) -> None:
        assert epoch == "e1"
        self._answer()
        if self.poison.intersection(record.seq for record in records):
            raise StoreFault("a value does not fit")
        self.seqs += [record.seq for record in records]
        self.batches.append(len(records))

    def _answer(self) -> None:
        self.tries += 1
        if self.away:
            raise StoreUnavailable("away")


@asynccontextmanager
async def running(projector: Projector) -> AsyncIterator[Projector]:
    task = asyncio.ensure_future(projector.run())
    try:
        yield projector
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def projector_of(store: Any, journal: Journal, **options: Any) -> Projector:
    options = {"linger_s": 0.0, "pauses_s": (0.001,), **options}
    return Projector(store, "e1", journal.read_since, lambda: MONDAY + 1_000 * S, **options)


def happen(journal: Journal, projector: Projector, records: Iterable[Written]) -> None:
    """As the hub does it: written first."""
    for record in records:
        journal.records.append(record)
        projector.offer(record)


async def until(condition: Any) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not condition():
            await asyncio.sleep(0.001)


def calls(count: int) -> list[Written]:
    life = Life()
    return [record for n in range(count) for record in life.abandoned(f"i{n}")]


async def test_it_catches_up_and_follows(store: Store) -> None:
    records = calls(20)
    journal = Journal(records[:25])
    async with running(projector_of(store, journal)) as projector:
        assert await projector.drain(PATIENCE_S)
        happen(journal, projector, records[25:])
        assert await projector.drain(PATIENCE_S)
    assert await store.projected("e1") == (40, records[-1].at)
    assert projector.late() == Late(0, 0.0, "")
    assert (projector.refused, projector.missing) == (0, 0)


async def test_it_goes_on_after_a_restart_where_the_database_is() -> None:
    store, records = Recorder(), calls(10)
    journal = Journal(records)
    store.seqs = [record.seq for record in records[:12]]
    async with running(projector_of(store, journal)) as projector:
        assert await projector.drain(PATIENCE_S)
    assert store.seqs == [record.seq for record in records]
    assert journal.reads[0] == 12


async def test_a_database_away_delays_and_loses_nothing() -> None:
    store, journal, records = Recorder(), Journal(), calls(50)
    async with running(projector_of(store, journal, batch=10)) as projector:
        assert await projector.drain(PATIENCE_S)
        store.away = True
        happen(journal, projector, records)
        await until(lambda: projector.late().last_error)
        assert projector.late() == Late(101, 1_000.0, "away")
        assert not await projector.drain(0.01)
        store.away = False
        assert await projector.drain(PATIENCE_S)
    assert store.seqs == [record.seq for record in records]
    assert projector.late().last_error == ""


async def test_it_waits_for_a_database_that_is_away_at_the_start() -> None:
    store, journal = Recorder(), Journal(calls(3))
    store.away = True
    async with running(projector_of(store, journal)) as projector:
        await until(lambda: store.tries > 3)
        store.away = False
        assert await projector.drain(PATIENCE_S)
    assert store.seqs == [1, 2, 3, 4, 5, 6]


async def test_memory_is_bounded_and_the_journal_has_the_rest() -> None:
    store, journal, records = Recorder(), Journal(), calls(100)
    async with running(projector_of(store, journal, backlog=20, batch=8)) as projector:
        assert await projector.drain(PATIENCE_S)
        store.away = True
        happen(journal, projector, records)
        assert len(projector._backlog) == 20
        store.away = False
        assert await projector.drain(PATIENCE_S)
        happen(journal, projector, Life(seq=200).abandoned("later"))
        assert await projector.drain(PATIENCE_S)
    assert store.seqs == list(range(1, 203))
    assert projector.missing == 0
    assert max(store.batches) <= 8


async def test_records_keep_coming_while_it_reads_the_journal() -> None:
    store, journal, records = Recorder(), Journal(), calls(300)
    projector = projector_of(store, journal, backlog=10, batch=50)
    happen(journal, projector, records[:400])
    async with running(projector):
        for record in records[400:]:
            happen(journal, projector, [record])
            await asyncio.sleep(0)
        assert await projector.drain(PATIENCE_S)
    assert store.seqs == list(range(1, 601))


async def test_one_bad_record_is_left_out_and_counted_the_others_go_in() -> None:
    store, journal = Recorder(), Journal(calls(10))
    store.poison = {7}
    async with running(projector_of(store, journal)) as projector:
        assert await projector.drain(PATIENCE_S)
    assert store.seqs == [seq for seq in range(1, 21) if seq != 7]
    assert projector.refused == 1


async def test_a_gap_of_the_journal_is_counted_and_passed() -> None:
    store, journal, records = Recorder(), Journal(), calls(10)
    async with running(projector_of(store, journal, backlog=5)) as projector:
        assert await projector.drain(PATIENCE_S)
        happen(journal, projector, records[:4])
        assert await projector.drain(PATIENCE_S)
        for record in records[4:]:
            projector.offer(record)  # the journal could not be written
        assert await projector.drain(PATIENCE_S)
    assert store.seqs == [1, 2, 3, 4, 16, 17, 18, 19, 20]
    assert projector.missing == 11


async def test_a_damaged_journal_stops_nothing_new() -> None:
    store, records = Recorder(), calls(4)

    def damaged(seq: int) -> Iterator[Record]:
        yield from (record for record in records[:2] if record.seq > seq)
        if seq < 2:
            raise JournalDamaged("journal-000000000001.log:3")

    projector = Projector(store, "e1", damaged, lambda: MONDAY, linger_s=0.0)
    async with running(projector):
        await until(lambda: store.seqs == [1, 2])
        for record in records[2:]:
            projector.offer(record)
        assert await projector.drain(PATIENCE_S)
    assert store.seqs == list(range(1, 9))


async def test_records_wait_for_company() -> None:
    store, journal, records = Recorder(), Journal(), calls(10)
    async with running(projector_of(store, journal, linger_s=0.02)) as projector:
        assert await projector.drain(PATIENCE_S)
        for record in records:
            happen(journal, projector, [record])
            await asyncio.sleep(0)
        assert await projector.drain(PATIENCE_S)
    assert store.seqs == list(range(1, 21))
    assert len(store.batches) < 10
