"""Parts of the pop: in the agent's language, money only for those who may see it."""

from __future__ import annotations

import pytest

from ccserver.customers.directory import nothing_yet
from ccserver.customers.identity import Evidence, match, normalise
from ccserver.customers.pop_parts import (
    EVIDENCE_WORDS,
    contacts_part,
    customer_part,
    match_part,
    may_see_money,
)
from ccserver.store.rows import PastInteraction
from tests.ccserver.customers.people import JOKO, SITI

ANI = normalise("+6284055500001", "ID")


@pytest.mark.parametrize(
    ("role", "sees"), [("agent", False), ("supervisor", True), ("admin", True), ("", False)]
)
def test_money_is_for_those_who_may_see_it(role: str, sees: bool) -> None:
    card = customer_part(SITI, role, 123)
    assert may_see_money(role) is sees
    assert (card.worth_cents, card.stake_cents) == ((SITI.worth_cents, 123) if sees else (None, None))


def test_the_card_says_who_they_are() -> None:
    card = customer_part(SITI, "agent", label_of=lambda number: number[-4:])
    assert (card.name, card.tier, card.since, card.numbers, card.email, card.remarks) == (
        "Siti Contoh (demo)",
        "gold",
        "2019-04-01",
        ("0001",),
        "siti@contoh.example",
        "prefers mornings",
    )
    assert (customer_part(JOKO, "agent").since, customer_part(JOKO, "agent").email) == ("", "")


def test_a_match_in_the_agents_language() -> None:
    part = match_part(match(ANI, [SITI]), "id")
    assert (part.kind, part.confidence, part.evidence) == (
        "known",
        80,
        ("menelepon dari nomor yang kita kenal",),
    )
    assert match_part(match(ANI, [SITI]), "xx").evidence == ("calls from a number we know",)


def test_several_are_shown_as_candidates_without_money() -> None:
    part = match_part(match(ANI, [SITI, JOKO]))
    assert [(c.customer, c.name, c.tier) for c in part.candidates] == [
        ("cus_siti", SITI.name, "gold"),
        ("cus_joko", JOKO.name, "standard"),
    ]


def test_a_late_look_up_is_pending() -> None:
    part = match_part(nothing_yet(ANI, Evidence.LOOKUP_LATE))
    assert (part.kind, part.evidence) == ("pending", ("still looking",))
    assert match_part(nothing_yet(ANI, Evidence.LOOKUP_FAILED)).kind == "unknown"


def test_every_evidence_has_words_in_every_language() -> None:
    for language, words in EVIDENCE_WORDS.items():
        assert set(words) == set(Evidence), language


def test_past_contacts() -> None:
    past = PastInteraction(
        "i1", 1_763_337_600_000_999, "voice", "sales", "answered", "sold", "ayu", "", "x" * 900
    )
    (part,) = contacts_part([past])
    assert (part.at_utc_ms, part.agent, len(part.note)) == (1_763_337_600_000, "ayu", 500)
