"""Walking: answers and facts decide the way; wrong answers keep the page; circles end."""

from __future__ import annotations

import json
from dataclasses import asdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.engine import (
    MAX_ANSWER_CHARS,
    MAX_TRAIL,
    AnswerProblem,
    Fault,
    Position,
    answer,
    back,
    check,
    start,
)
from scripts.model import Block, BlockKind, Choice, Pattern, Rule, Script, Step, Text, shortest_ways_out


def text(words: str) -> Text:
    return Text((("en", words),))


NEED = Block(
    BlockKind.CHOICE,
    text("Need"),
    "need",
    required=True,
    choices=(Choice("buy", text("Buy")), Choice("ask", text("Ask"))),
)
SCRIPT = Script(
    "sales",
    "v1",
    text("Sales"),
    "greeting",
    (
        Step(
            "greeting",
            text("Greeting"),
            (Block(BlockKind.SAY, text("Good day")),),
            (Rule((("customer.known", ("no",)),), "identify"),),
            "need",
        ),
        Step("identify", text("Who"), (Block(BlockKind.FIELD, text("Name"), "name", True),), goto="need"),
        Step(
            "need",
            text("Need"),
            (NEED,),
            (Rule((("need", ("buy",)), ("customer.tier", ("gold", "silver"))), "upsell"),),
            "more",
        ),
        Step("upsell", text("Up-sell"), (Block(BlockKind.HINT, text("Offer")),), goto="more"),
        Step("more", text("More"), (NEED,), (Rule((("need", ("buy",)),), "need"),)),
    ),
)
KNOWN = {"customer.known": "yes", "customer.tier": "gold"}
UNKNOWN = {"customer.known": "no"}


def go(position: Position, answers: dict[str, str], facts: dict[str, str]) -> Position:
    found = answer(SCRIPT, position, position.step, answers, facts)
    assert isinstance(found, Position), found
    return found


def test_an_unknown_caller_is_taken_to_the_identification() -> None:
    assert go(start(SCRIPT), {}, UNKNOWN).step == "identify"
    assert go(start(SCRIPT), {}, KNOWN).step == "need"


def test_a_valued_customer_who_buys_gets_the_up_sell() -> None:
    need = go(start(SCRIPT), {}, KNOWN)
    assert go(need, {"need": "buy"}, KNOWN).step == "upsell"
    assert go(need, {"need": "ask"}, KNOWN).step == "more"
    assert go(need, {"need": "buy"}, {"customer.tier": "standard"}).step == "more"


def test_answers_are_recorded_and_the_script_ends() -> None:
    position = go(start(SCRIPT), {}, UNKNOWN)
    position = go(position, {"name": "  A. Contoh "}, UNKNOWN)
    position = go(position, {"need": "ask"}, UNKNOWN)
    position = go(position, {"need": "ask"}, UNKNOWN)
    assert position.done
    assert dict(position.answers) == {"name": "A. Contoh", "need": "ask"}
    assert position.trail == ("greeting", "identify", "need")
    assert json.loads(json.dumps(asdict(position)))["step"] == "more"


def test_a_late_identification_changes_the_way() -> None:
    """The facts are asked at each answer: a look-up that came in between counts."""
    position = start(SCRIPT)
    assert go(position, {}, UNKNOWN).step == "identify"
    assert go(position, {}, KNOWN).step == "need"


def test_back_returns_and_keeps_what_was_answered() -> None:
    position = go(go(start(SCRIPT), {}, KNOWN), {"need": "buy"}, KNOWN)
    assert back(position).step == "need"
    assert dict(back(position).answers) == {"need": "buy"}
    assert back(back(position)) == Position("sales", "v1", "greeting", (), (("need", "buy"),))
    assert back(start(SCRIPT)) == start(SCRIPT)


def test_back_from_the_end_opens_the_last_page_again() -> None:
    position = go(go(go(start(SCRIPT), {}, KNOWN), {"need": "ask"}, KNOWN), {"need": "ask"}, KNOWN)
    assert position.done
    assert (back(position).step, back(position).done) == ("more", False)


def test_a_second_answer_to_the_same_page_changes_nothing() -> None:
    position = go(start(SCRIPT), {}, KNOWN)
    assert answer(SCRIPT, position, "greeting", {}, KNOWN) == (AnswerProblem("", Fault.ANOTHER_STEP),)


def test_an_answer_to_another_version_is_refused() -> None:
    old = Position("sales", "v0", "greeting")
    assert answer(SCRIPT, old, "greeting", {}, KNOWN) == (AnswerProblem("", Fault.ANOTHER_VERSION),)


def test_a_circle_ends() -> None:
    position = go(start(SCRIPT), {}, KNOWN)
    facts = {"customer.tier": "standard"}
    for _ in range(MAX_TRAIL):
        found = answer(SCRIPT, position, position.step, {"need": "buy"}, facts)
        if not isinstance(found, Position):
            assert found == (AnswerProblem("", Fault.TOO_MANY_PAGES),)
            break
        position = found
    assert len(position.trail) == MAX_TRAIL - 1


def test_wrong_answers_are_all_named_and_none_is_recorded() -> None:
    position = go(start(SCRIPT), {}, KNOWN)
    assert answer(SCRIPT, position, "need", {"need": "steal", "hack": "1"}, KNOWN) == (
        AnswerProblem("hack", Fault.UNKNOWN_QUESTION),
        AnswerProblem("need", Fault.NOT_A_CHOICE),
    )
    assert answer(SCRIPT, position, "need", {}, KNOWN) == (AnswerProblem("need", Fault.REQUIRED),)
    assert position.answers == ()


@pytest.mark.parametrize(
    ("pattern", "good", "bad", "fault"),
    [
        (Pattern.TEXT, ["anything at all", "123"], ["x" * (MAX_ANSWER_CHARS + 1)], Fault.TOO_LONG),
        (Pattern.DIGITS, ["0", "0123456789"], ["12a", "1 2", "٣", "1" * 41], Fault.NOT_DIGITS),
        (Pattern.AMOUNT, ["5", "1500.00", "3,5"], ["-1", "1.234", "1.2.3", "Rp5"], Fault.NOT_AN_AMOUNT),
        (
            Pattern.DATE,
            ["2026-02-28"],
            ["2026-02-29", "28.2.2026", "20260228", "0000-01-01"],
            Fault.NOT_A_DATE,
        ),
        (Pattern.EMAIL, ["a@b.example"], ["a@b", "a b@c.d", "@b.c", "a@b..c", "a@@b.c"], Fault.NOT_AN_EMAIL),
        (
            Pattern.PHONE,
            ["+62 21 555-0100", "(021) 5550100".lstrip("(")],
            ["call me", "+"],
            Fault.NOT_A_PHONE,
        ),
    ],
)
def test_a_field_takes_what_its_pattern_says(
    pattern: Pattern, good: list[str], bad: list[str], fault: Fault
) -> None:
    step = Step("s", text("S"), (Block(BlockKind.FIELD, text("F"), "f", True, pattern),))
    for value in good:
        assert check(step, {"f": value}) == (), value
    for value in bad:
        assert check(step, {"f": value}) == (AnswerProblem("f", fault),), value
    assert check(step, {"f": "   "}) == (AnswerProblem("f", Fault.REQUIRED),)


def test_an_optional_field_may_stay_empty() -> None:
    step = Step("s", text("S"), (Block(BlockKind.FIELD, text("F"), "f", False, Pattern.DATE),))
    assert check(step, {}) == ()
    assert check(step, {"f": "x"}) == (AnswerProblem("f", Fault.NOT_A_DATE),)


def test_the_shortest_way_out_counts_this_page() -> None:
    assert shortest_ways_out(SCRIPT) == {"greeting": 3, "identify": 3, "need": 2, "upsell": 2, "more": 1}


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["answer", "back", "stale"]),
            st.dictionaries(
                st.sampled_from(["need", "name", "odd"]), st.sampled_from(["buy", "ask", "", "\0"])
            ),
            st.sampled_from([KNOWN, UNKNOWN, {}]),
        ),
        max_size=40,
    )
)
def test_whatever_the_agent_does_the_position_stays_sound(
    moves: list[tuple[str, dict[str, str], dict[str, str]]],
) -> None:
    position = start(SCRIPT)
    known = {step.id for step in SCRIPT.steps}
    for move, answers, facts in moves:
        step = "greeting" if move == "stale" else position.step
        found = back(position) if move == "back" else answer(SCRIPT, position, step, answers, facts)
        if isinstance(found, Position):
            position = found
        assert position.step in known
        assert set(position.trail) <= known
        assert len(position.trail) < MAX_TRAIL
        assert set(dict(position.answers)) <= {"need", "name"}
