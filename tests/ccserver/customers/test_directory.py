"""Looking customers up without keeping a call waiting."""

from __future__ import annotations

import asyncio

from ccserver.customers.directory import Directory
from ccserver.customers.identity import Evidence, MatchKind, normalise
from ccserver.store import StoreUnavailable
from ccserver.store.rows import CustomerRow
from tests.ccserver.customers.people import JOKO, SITI

ANI = normalise("+6284055500001", "ID")
WITHHELD = normalise("anonymous", "ID")
AT_ONCE_S = 30.0


class Book:
    """Customers by number, given out when the gate is open."""

    def __init__(self) -> None:
        self.gate = asyncio.Event()
        self.gate.set()
        self.fails = False
        self.asked: list[str] = []

    async def customers_by_number(self, e164: str, limit: int = 5) -> list[CustomerRow]:
        return [SITI][:limit] if await self._ask(e164) == "+6284055500001" else []

    async def customer_by_external_id(self, external_id: str) -> CustomerRow | None:
        return JOKO if await self._ask(external_id) == "1002" else None

    async def _ask(self, what: str) -> str:
        self.asked.append(what)
        await self.gate.wait()
        if self.fails:
            raise StoreUnavailable("away")
        return what


async def test_what_is_there_in_time_is_all_there_is() -> None:
    directory = Directory(Book())
    found, late = await directory.identify_within(ANI, AT_ONCE_S)
    assert (found.customer, late) == (SITI, None)
    assert (directory.lookups, directory.late, directory.failures) == (1, 0, 0)


async def test_what_is_late_comes_later() -> None:
    book = Book()
    book.gate.clear()
    directory = Directory(book)
    found, late = await directory.identify_within(ANI, 0.001)
    assert (found.kind, found.evidence) == (MatchKind.UNKNOWN, (Evidence.LOOKUP_LATE,))
    assert late is not None
    book.gate.set()
    assert (await late).customer == SITI
    assert directory.late == 1


async def test_a_look_up_that_fails_is_an_answer_and_counted() -> None:
    book = Book()
    book.fails = True
    directory = Directory(book)
    found, late = await directory.identify_within(ANI, AT_ONCE_S)
    assert (found.kind, found.evidence, late) == (MatchKind.UNKNOWN, (Evidence.LOOKUP_FAILED,), None)
    assert directory.failures == 1


async def test_nothing_to_look_up_asks_nobody() -> None:
    book = Book()
    directory = Directory(book)
    found, late = await directory.identify_within(WITHHELD)
    assert (found.kind, late, book.asked, directory.lookups) == (MatchKind.WITHHELD, None, [], 0)


async def test_a_withheld_number_is_still_withheld_while_the_entered_one_is_looked_up() -> None:
    book = Book()
    book.gate.clear()
    directory = Directory(book)
    found, late = await directory.identify_within(WITHHELD, 0.001, "1002")
    assert (found.kind, found.evidence) == (MatchKind.WITHHELD, (Evidence.NO_NUMBER, Evidence.LOOKUP_LATE))
    book.gate.set()
    assert late is not None
    assert (await late).customer == JOKO


async def test_a_slow_database_is_not_asked_by_everybody() -> None:
    book = Book()
    book.gate.clear()
    directory = Directory(book, most_open=3)
    for _ in range(5):
        await directory.identify_within(ANI, 0.001)
    assert (directory.late, directory.turned_away, len(book.asked)) == (3, 2, 3)
    book.gate.set()
    found, _ = await directory.identify_within(normalise("anonymous", "ID"))
    assert found.kind is MatchKind.WITHHELD
    await directory.close()


async def test_closing_gives_up_what_is_open() -> None:
    book = Book()
    book.gate.clear()
    directory = Directory(book)
    _, late = await directory.identify_within(ANI, 0.001)
    await directory.close()
    assert late is not None
    assert late.cancelled()
