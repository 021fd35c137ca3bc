"""What is remembered of interactions, written by people and channels."""

from __future__ import annotations

import pytest

from ccserver.store import Store
from ccserver.store.projection import Record
from ccserver.store.rows import ContactRow, InteractionFacts, PastInteraction, TodayCounts
from ccserver.web.ports import Role, User
from tests.ccserver.store.life import DAY, Life, S

AYU = User("ayu", "ayu", "Ayu Contoh", Role.AGENT, "id", "hash")


async def lived(store: Store, records: list[Record]) -> None:
    await store.project("e1", records)


async def test_everything_about_one_interaction(store: Store) -> None:
    life = Life()
    await lived(store, life.answered("i1", "ayu", "sold", customer="cus_1"))
    contact = ContactRow("i1", "+62840", "+6284055500001", "Siti", "+62215550101", (("need", "billing"),))
    await store.save_contact(contact)
    facts = InteractionFacts(leg="1763.7", ivr_us=12 * S, hold_us=3 * S, reentered=2)
    await store.save_facts("i1", facts)
    found = await store.interaction("i1")
    assert found is not None
    assert found.contact == contact
    assert (found.customer, found.conversation, found.medium, found.queue) == (
        "cus_1",
        "i1",
        "voice",
        "sales",
    )
    assert (found.outcome, found.direction, found.pbx, found.leg) == ("answered", "inbound", "main", "1763.7")
    assert (found.ivr_us, found.hold_us, found.reentered) == (12 * S, 3 * S, 2)
    assert (found.wait_us, found.talk_us, found.wrap_up_us) == (10 * S, 60 * S, 20 * S)
    assert [(s.agent, s.disposition, s.finished, s.ended_by) for s in found.segments] == [
        ("ayu", "sold", True, "customer")
    ]


async def test_what_people_write_may_come_before_the_projection(store: Store) -> None:
    await store.save_facts("i1", InteractionFacts(direction="outbound", ivr_us=5))
    await store.save_note("i1", "ayu", "call back on Monday", 1)
    await store.save_disposition("i1", "ayu", "resolved", 2)
    await lived(store, Life().answered("i1", "ayu", "", customer="cus_1"))
    found = await store.interaction("i1")
    assert found is not None
    assert (found.direction, found.ivr_us, found.outcome) == ("outbound", 5, "answered")
    assert found.segments[0].disposition == "resolved"
    (past,) = await store.history("cus_1")
    assert (past.note, past.disposition) == ("call back on Monday", "resolved")


async def test_an_unknown_interaction_is_none(store: Store) -> None:
    assert await store.interaction("nope") is None
    assert await store.decisions("nope") == []
    assert await store.notes("nope") == []


async def test_facts_of_none_leave_what_is_there(store: Store) -> None:
    await store.save_facts("i1", InteractionFacts(ivr_us=7, leg="a"))
    await store.save_facts("i1", InteractionFacts(hold_us=8))
    await store.save_facts("i1", InteractionFacts())
    found = await store.interaction("i1")
    assert found is not None
    assert (found.ivr_us, found.hold_us, found.leg) == (7, 8, "a")


async def test_a_note_is_one_per_agent_and_the_newest_counts(store: Store) -> None:
    await store.save_note("i1", "ayu", "first", 1)
    await store.save_note("i1", "ayu", "second", 2)
    await store.save_note("i1", "budi", "x" * 20_000, 3)
    assert [(n.agent, len(n.text)) for n in await store.notes("i1")] == [("ayu", 6), ("budi", 8_000)]


async def test_script_answers_are_kept_by_question(store: Store) -> None:
    await store.save_script_answers("i1", "ayu", "sales", "3", {"need": "lamp", "size": "60\x00"}, 1)
    await store.save_script_answers("i1", "ayu", "sales", "3", {"need": "two lamps"}, 2)
    await store.save_script_answers("i1", "ayu", "sales", "3", {}, 3)
    assert await store.script_answers("i1") == {"need": "two lamps", "size": "60"}


async def test_history_is_newest_first_and_names_the_last_agent(store: Store) -> None:
    await store.create_user(AYU)
    life = Life()
    await lived(store, life.answered("i1", "ayu", "sold", customer="cus_1"))
    await lived(store, life.abandoned("i2", customer="cus_1"))
    await lived(store, life.answered("i3", "budi", "", customer="cus_1"))
    await lived(store, life.answered("i4", "ayu", "", customer="cus_2"))
    past = await store.history("cus_1", except_for="i3")
    assert [(p.interaction, p.outcome, p.agent, p.agent_name, p.disposition) for p in past] == [
        ("i2", "abandoned", "", "", ""),
        ("i1", "answered", "ayu", "Ayu Contoh", "sold"),
    ]
    assert len(await store.history("cus_1", limit=1)) == 1
    assert isinstance(past[0], PastInteraction)
    assert await store.agents_of_customer("cus_1") == {"ayu", "budi"}


async def test_contacts_of_the_last_days(store: Store) -> None:
    life = Life()
    await lived(store, life.abandoned("i1", customer="cus_1"))
    life.now += 8 * DAY
    await lived(store, life.abandoned("i2", customer="cus_1"))
    await lived(store, life.abandoned("i3", customer="cus_1"))
    assert await store.contacts_within("cus_1", 7, life.now) == 2
    assert await store.contacts_within("cus_1", 30, life.now) == 3


async def test_an_agents_day(store: Store) -> None:
    life = Life()
    await lived(store, life.answered("i1", "ayu", "sold"))
    midnight = life.now
    await lived(store, life.missed_then_answered("i2", "ayu", "budi"))
    assert await store.today_counts("ayu", midnight) == TodayCounts(handled=0, missed=1)
    assert await store.today_counts("budi", midnight) == TodayCounts(handled=1, missed=0)
    assert await store.today_counts("ayu", 0) == TodayCounts(handled=1, missed=1)


async def test_decisions_keep_their_explanation(store: Store) -> None:
    life = Life()
    await lived(store, life.missed_then_answered("i1", "ayu", "budi"))
    first, second = await store.decisions("i1")
    assert (first.agent, first.outcome, first.cause) == ("ayu", "EXPIRED", "no_answer")
    assert (second.agent, second.outcome) == ("budi", "ACCEPTED")
    assert first.explanation["rule"] == "longest_idle"
    assert first.explanation["excluded"] == [["not_ready", 3]]


@pytest.mark.parametrize(
    "origin", ["<script>", "x" * 500, "caf\xe9", "\x00\ud800", "'; DROP TABLE notes; --"]
)
async def test_hostile_origins_are_kept_as_text(store: Store, origin: str) -> None:
    await store.save_contact(ContactRow("i1", origin, "", origin, origin, ((origin, origin),)))
    await store.save_facts("i1", InteractionFacts(leg=origin))
    found = await store.interaction("i1")
    assert found is not None
    assert found.contact is not None
    assert len(found.contact.origin_raw) <= 500
