"""Decisions in plain words, for agents without money, for supervisors with it, in both languages."""

from __future__ import annotations

import string
from dataclasses import asdict, replace

import pytest

from ccserver.reports.explain import clock, explain, explanation_of, plain_money, why_line
from ccserver.reports.explain_words import WORDS
from ccserver.store.rows import DecisionRow, InteractionRow, SegmentRow
from routing.eligibility import Standing
from routing.model import Explanation, Medium, OfferState, Outcome, RejectCause

S = 1_000_000
NAMES = {
    "cus_1": "Siti",
    "billing": "Billing",
    "ayu": "Ayu",
    "budi": "Budi",
    "sold": "Sold",
    "i0": "Monday's call",
}
WHY = Explanation(
    rule="longest_idle",
    queue="billing",
    waited_us=48 * S,
    stake_cents=1_500_000,
    stake_credit_us=200 * S,
    key_at=0,
    waiting=4,
    agent_idle_us=75 * S,
    candidates=("ayu", "budi"),
    runner_up="budi",
    excluded=(("not_ready", 3), ("phone_busy", 1)),
)
SEGMENT = SegmentRow("i1.2", "i1", "ayu", "billing", 0, 61 * S, 80 * S, "customer", "sold", True)
INTERACTION = InteractionRow(
    id="i1",
    conversation="i1",
    medium="voice",
    direction="inbound",
    queue="billing",
    customer="cus_1",
    outcome="answered",
    stake_cents=1_500_000,
    arrived_at=0,
    queued_at=0,
    answered_at=0,
    ended_at=0,
    wait_us=48 * S,
    ivr_us=0,
    talk_us=0,
    hold_us=0,
    wrap_up_us=0,
    transfers=0,
    offers_missed=0,
    repeat_of="i0",
    reentered=0,
    pbx="main",
    leg="",
    segments=(SEGMENT,),
)


def decision(why: Explanation = WHY, outcome: str = "ACCEPTED", cause: str = "") -> DecisionRow:
    return DecisionRow("i1.1", 1, "i1", "ayu", "billing", 0, outcome, cause, asdict(why))


def test_the_whole_story_for_a_supervisor() -> None:
    offer = (
        "after 0:48 in Billing: to Ayu, who had been idle longest (1:15) of 2 who fit; "
        "it went before 3 others, since its stake (15,000.00) counts like 3:20 of waiting; "
        "next would have been Budi; not free: 3 not ready, 1 with the phone busy."
    )
    assert explain(INTERACTION, [decision(outcome="EXPIRED"), decision()], NAMES).splitlines() == [
        "Siti came to Billing by phone. At stake: 15,000.00. "
        "It is a repeat of Monday's call, less than a week before.",
        f"Offer 1, {offer} Nobody picked up; back to the old place in line.",
        f"Offer 2, {offer} Taken.",
        "The customer ended it. Ayu talked for 1:01 and wrapped up for 0:19, as “Sold”.",
        "Answered after 0:48 of waiting.",
    ]


@pytest.mark.parametrize("language", ["en", "id"])
def test_an_agent_reads_no_money(language: str) -> None:
    told = explain(INTERACTION, [decision()], NAMES, "agent", language)
    assert "15,000" not in told
    assert "3:20" not in told
    assert "Ayu" in told


def test_the_same_in_indonesian() -> None:
    told = explain(INTERACTION, [decision()], NAMES, language="id")
    assert "Siti masuk ke Billing lewat telepon." in told
    assert "yang paling lama bebas (1:15) dari 2 yang cocok" in told


def test_who_gave_up_was_offered_to_nobody() -> None:
    gone = replace(INTERACTION, outcome="abandoned", segments=(), customer="", repeat_of="")
    assert explain(gone, [], {}, "agent").splitlines() == [
        "Somebody unknown came to billing by phone.",
        "Nobody was offered it.",
        "The customer gave up after 0:48.",
    ]


@pytest.mark.parametrize(
    ("why", "said"),
    [
        (replace(WHY, candidates=("ayu",), runner_up=""), "the only one free who fits (idle 1:15)"),
        (replace(WHY, candidates=("ayu", "budi", "eko")), "of 3 or more who fit"),
        (replace(WHY, rule="next_in_line"), "who became free and for whom this was next in line"),
        (replace(WHY, rule="of_a_later_release"), "of_a_later_release"),
        (replace(WHY, waiting=2), "it went before one other"),
        (replace(WHY, stake_credit_us=-5), "in order of arrival and stake"),
        (replace(WHY, excluded=(("new_filter", 2),)), "not free: 2 new_filter"),
    ],
)
def test_reasons(why: Explanation, said: str) -> None:
    assert said in explain(INTERACTION, [decision(why)], NAMES)


def test_nobody_was_passed_and_nothing_is_said_of_it() -> None:
    alone = replace(WHY, waiting=1, runner_up="", excluded=())
    told = explain(INTERACTION, [decision(alone)], NAMES)
    assert "went before" not in told
    assert "not free" not in told


def test_an_interaction_that_goes_on() -> None:
    talking = replace(SEGMENT, talk_ended_at=None, wrap_up_ended_at=None, ended_by="")
    told = explain(replace(INTERACTION, outcome="", segments=(talking,)), [decision()], NAMES)
    assert told.endswith("Ayu is still talking.\nIt is still open.")


@pytest.mark.parametrize("rule", ["longest_idle", "next_in_line", "of_a_later_release"])
@pytest.mark.parametrize("language", ["en", "id", "xx"])
def test_the_line_on_the_pop_is_neutral(rule: str, language: str) -> None:
    line = why_line(replace(WHY, rule=rule), language, NAMES)
    assert "0:48" in line
    assert not any(word in line for word in ("Budi", "Ayu", "15,000", "stake", "nilai"))


def test_an_explanation_survives_the_database() -> None:
    stored = {**asdict(WHY), "candidates": ["ayu", "budi"], "excluded": [["not_ready", 3], ["phone_busy", 1]]}
    assert explanation_of({**stored, "of_a_later_release": 1}) == WHY


def test_both_languages_say_the_same_things() -> None:
    def blanks(text: str) -> set[str | None]:
        return {field for _, field, _, _ in string.Formatter().parse(text) if field is not None}

    assert WORDS["en"].keys() == WORDS["id"].keys()
    for key, english in WORDS["en"].items():
        assert blanks(english) == blanks(WORDS["id"][key]), key


def test_every_word_of_the_router_has_words() -> None:
    words = WORDS["en"]
    expected = (
        [f"not_{standing}" for standing in Standing if standing is not Standing.AVAILABLE]
        + ["not_skill"]
        + [f"cause_{cause}" for cause in RejectCause]
        + [f"end_{outcome}" for outcome in Outcome]
        + [f"state_{state}" for state in OfferState]
        + [f"medium_{medium}" for medium in Medium]
    )
    assert [key for key in expected if key not in words] == []


@pytest.mark.parametrize(
    ("us", "shown"),
    [(0, "0:00"), (48_900_000, "0:48"), (725 * S, "12:05"), (3_723 * S, "1:02:03"), (-5, "0:00")],
)
def test_clock(us: int, shown: str) -> None:
    assert clock(us) == shown


def test_money() -> None:
    assert plain_money(123_456_789) == "1,234,567.89"
