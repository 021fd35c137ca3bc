"""Customers: found by number, kept by import."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from ccserver.store import Store, StoreFault
from ccserver.store.rows import CustomerDraft, Saved

ANI = "+6284055500001"
SITI = CustomerDraft(
    external_id="K-1001",
    name="Siti Contoh (demo)",
    language="id",
    tier="gold",
    worth_cents=2_000_000_000,
    churn_per_mille=250,
    since=date(2019, 4, 1),
    remarks="prefers mornings",
    numbers=(ANI, "+6284055500002"),
    emails=("siti@contoh.example",),
)
JOKO = CustomerDraft(external_id="K-1002", name="Joko Contoh (demo)", worth_cents=5_000_000, numbers=(ANI,))


async def test_a_customer_is_found_by_any_of_their_numbers(store: Store) -> None:
    assert await store.save_customers([SITI]) == Saved(added=1)
    for number in SITI.numbers:
        (found,) = await store.customers_by_number(number)
        assert (found.name, found.numbers, found.emails) == (SITI.name, SITI.numbers, SITI.emails)
        assert (found.since, found.worth_cents) == (SITI.since, SITI.worth_cents)


async def test_a_number_may_belong_to_several_the_worthiest_first_and_few_enough(store: Store) -> None:
    others = [replace(JOKO, external_id=f"K-{n}", worth_cents=n) for n in range(20)]
    await store.save_customers([SITI, *others])
    found = await store.customers_by_number(ANI, limit=3)
    assert [customer.external_id for customer in found] == ["K-1001", "K-19", "K-18"]


async def test_nobody_is_an_answer(store: Store) -> None:
    assert await store.customers_by_number("+6284099999999") == []
    assert await store.customer("cus_x") is None
    assert await store.customer_by_external_id("") is None


async def test_one_is_found_by_id_and_by_the_number_they_know_themselves_by(store: Store) -> None:
    await store.save_customers([SITI])
    found = await store.customer_by_external_id("K-1001")
    assert found is not None
    assert found == await store.customer(found.id)


async def test_saving_again_changes_what_changed_and_keeps_the_id(store: Store) -> None:
    await store.save_customers([SITI, JOKO])
    before = await store.customer_by_external_id("K-1001")
    moved = replace(SITI, numbers=("+6284055500009",), remarks="")
    assert await store.save_customers([moved, JOKO]) == Saved(changed=1, unchanged=1)
    after = await store.customer_by_external_id("K-1001")
    assert before is not None
    assert after is not None
    assert (after.id, after.numbers, after.remarks) == (before.id, moved.numbers, "")
    assert [c.external_id for c in await store.customers_by_number(ANI)] == ["K-1002"]


async def test_thousands_at_once(store: Store) -> None:
    drafts = [replace(JOKO, external_id=f"K-{n}", numbers=(f"+62840{n:08}",)) for n in range(1_000)]
    assert await store.save_customers(drafts) == Saved(added=1_000)
    assert await store.save_customers(drafts) == Saved(unchanged=1_000)


async def test_all_or_none(store: Store) -> None:
    too_much = replace(JOKO, external_id="K-3", worth_cents=2**70)
    with pytest.raises(StoreFault):
        await store.save_customers([SITI, too_much])
    assert await store.customer_by_external_id("K-1001") is None


@pytest.mark.parametrize("nasty", ["\x00", "'; DROP TABLE customers; --", "\ud800", "é\udcff", "x" * 10_000])
async def test_hostile_texts_are_only_texts(store: Store, nasty: str) -> None:
    await store.save_customers([replace(SITI, name=nasty, remarks=nasty)])
    assert len((await store.customers_by_number(ANI))[0].name) <= 200
    assert await store.customers_by_number(nasty) == []
