"""What an agent may do at the desk, and each refusal by its code."""

from __future__ import annotations

import pytest

from ccserver.desk import protocol as p
from routing import events as ev
from routing.model import AgentStatus, InteractionState
from tests.ccserver.desk.room import AYU, BUDI, Room


async def test_ready_and_not_ready_with_a_reason_of_the_site(room: Room) -> None:
    desk = await room.log_in(AYU, "d1", ready=False)
    assert await room.do(desk, p.Ready(id="1")) == ""
    assert room.hub.router.agents["ayu"].status is AgentStatus.READY
    assert await room.do(desk, p.NotReady(id="2", reason="holiday")) == "unknown_reason"
    assert await room.do(desk, p.NotReady(id="3", reason="break")) == ""
    assert (desk.state.status, desk.state.reason) == ("NOT_READY", "break")


async def test_a_call_is_answered_at_the_phone_and_declined_at_the_desk(room: Room) -> None:
    desk = await room.log_in(AYU, "d1")
    room.arrive("i1")
    assert await room.do(desk, p.Accept(id="1", offer="i1.1")) == "answer_on_phone"
    assert await room.do(desk, p.Decline(id="2", offer="i1.1")) == ""
    assert desk.offer is None
    assert await room.do(desk, p.Decline(id="3", offer="i1.1")) == "no_offer"


async def test_nobody_declines_or_ends_what_is_another_agents(room: Room) -> None:
    await room.log_in(AYU, "d1")
    room.arrive("i1")
    budi = await room.log_in(BUDI, "d2")
    assert await room.do(budi, p.Decline(id="1", offer="i1.1")) == "no_offer"
    room.answer("i1.1")
    assert await room.do(budi, p.Hangup(id="2", interaction="i1")) == "not_yours"
    assert await room.do(budi, p.Transfer(id="3", interaction="i1", queue="sales")) == "not_yours"
    assert await room.do(budi, p.Note(id="4", interaction="i1", text="x")) == "not_yours"
    assert await room.do(budi, p.Finish(id="5", interaction="i1", disposition="", note="")) == "not_yours"
    answers = p.ScriptAnswer(id="6", interaction="i1", step="greeting", answers={})
    assert await room.do(budi, answers) == "not_yours"
    assert room.events == []


async def test_hanging_up_needs_a_talk_and_a_pbx(room: Room) -> None:
    desk = await room.log_in(AYU, "d1")
    room.arrive("i1")
    assert await room.do(desk, p.Hangup(id="1", interaction="i1")) == "not_talking"
    room.answer("i1.1")
    assert await room.do(desk, p.Hangup(id="2", interaction="i1")) == ""
    room.phones.up = False
    assert await room.do(desk, p.Hangup(id="3", interaction="i1")) == "not_talking"
    assert room.events == [("hang_up", "i1"), ("hang_up", "i1")]


async def test_a_transfer_moves_the_caller_and_starts_wrap_up(room: Room) -> None:
    desk = await room.log_in(AYU, "d1")
    room.arrive("i1")
    room.answer("i1.1")
    assert await room.do(desk, p.Transfer(id="1", interaction="i1", queue="nowhere")) == "unknown_queue"
    assert await room.do(desk, p.Transfer(id="2", interaction="i1", queue="sales")) == ""
    moved = room.hub.router.interactions["i1"]
    assert (moved.queue, moved.state) == ("sales", InteractionState.WAITING)
    assert desk.work["i1"].phase == "wrap_up"
    assert room.events == [("send_back", "i1")]


async def test_a_transfer_that_the_pbx_cannot_do_moves_nobody(room: Room) -> None:
    desk = await room.log_in(AYU, "d1")
    room.arrive("i1")
    room.answer("i1.1")
    room.phones.up = False
    assert await room.do(desk, p.Transfer(id="1", interaction="i1", queue="sales")) == "not_talking"
    assert room.hub.router.interactions["i1"].state is InteractionState.ENGAGED


@pytest.mark.parametrize(
    ("number", "refusal"),
    [
        ("0811 (222) 333-4", ""),
        ("+62811", ""),
        ("1", "bad_number"),
        ("0811x", "bad_number"),
        ("", "bad_number"),
    ],
)
async def test_only_numbers_are_dialled(room: Room, number: str, refusal: str) -> None:
    desk = await room.log_in(AYU, "d1", ready=False)
    assert await room.do(desk, p.Dial(id="1", number=number)) == refusal
    assert len(room.events) == (refusal == "")


async def test_dialling_without_a_pbx_is_told(room: Room) -> None:
    desk = await room.log_in(AYU, "d1", ready=False)
    room.phones.up = False
    assert await room.do(desk, p.Dial(id="1", number="0811222333")) == "pbx_away"


async def test_notes_are_kept_while_typing_and_bounded(room: Room) -> None:
    desk = await room.log_in(AYU, "d1")
    room.arrive("i1")
    room.answer("i1.1")
    assert await room.do(desk, p.Note(id="1", interaction="i1", text="wants a refund")) == ""
    assert desk.work["i1"].note == "wants a refund"
    assert room.events == [("note", "i1", "ayu", "wants a refund")]
    long = "x" * (p.MAX_NOTE_CHARS + 1)
    assert await room.do(desk, p.Note(id="2", interaction="i1", text=long)) == "note_too_long"


async def test_what_the_database_cannot_take_is_told_and_stays_on_the_desk(room: Room) -> None:
    desk = await room.log_in(AYU, "d1")
    room.arrive("i1")
    room.answer("i1.1")
    room.memory.away = True
    assert await room.do(desk, p.Note(id="1", interaction="i1", text="kept here")) == "not_saved"
    assert desk.work["i1"].note == "kept here"


async def test_finishing_needs_wrap_up_and_a_disposition_of_the_site(room: Room) -> None:
    desk = await room.log_in(AYU, "d1")
    room.arrive("i1")
    room.answer("i1.1")

    def finish(disposition: str = "refund", note: str = "") -> p.Finish:
        return p.Finish(id="1", interaction="i1", disposition=disposition, note=note)

    assert await room.do(desk, finish()) == "not_wrapping_up"
    room.hub.post(ev.CustomerLeft("i1"))
    assert await room.do(desk, finish("magic")) == "unknown_disposition"
    assert await room.do(desk, finish(note="x" * (p.MAX_NOTE_CHARS + 1))) == "note_too_long"
    assert await room.do(desk, finish(note="done")) == ""
    assert desk.work == {}
    assert room.events == [("note", "i1", "ayu", "done")]
    assert await room.do(desk, finish()) == "not_yours"


async def test_finishing_as_not_ready_takes_the_agent_out(room: Room) -> None:
    desk = await room.log_in(AYU, "d1")
    room.arrive("i1")
    room.answer("i1.1")
    room.hub.post(ev.CustomerLeft("i1"))
    room.arrive("i2")
    last = p.Finish(id="1", interaction="i1", disposition="", note="", next="not_ready")
    assert await room.do(desk, last) == ""
    assert desk.state.status == "NOT_READY"
    assert desk.offer is None, "the one who waits goes to somebody else"


async def test_what_was_left_unfinished_can_be_finished_later(room: Room) -> None:
    desk = await room.log_in(AYU, "d1")
    room.arrive("i1")
    room.answer("i1.1")
    room.hub.post(ev.CustomerLeft("i1"))
    room.clock.at += 31_000_000
    room.hub.post(ev.TimePassed())
    assert desk.work["i1"].phase == "unfinished"
    assert await room.do(desk, p.Extend(id="1", interaction="i1")) == "not_wrapping_up"
    assert await room.do(desk, p.Finish(id="2", interaction="i1", disposition="refund", note="")) == ""
    assert room.events == [("disposition", "i1", "ayu", "refund")]
    assert desk.work == {}


async def test_more_time_is_given_in_wrap_up_only(room: Room) -> None:
    desk = await room.log_in(AYU, "d1")
    room.arrive("i1")
    room.answer("i1.1")
    assert await room.do(desk, p.Extend(id="1", interaction="i1")) == "not_wrapping_up"
    room.hub.post(ev.CustomerLeft("i1"))
    before = desk.work["i1"].wrap_up_until_utc_ms or 0
    assert await room.do(desk, p.Extend(id="2", interaction="i1")) == ""
    assert desk.work["i1"].wrap_up_until_utc_ms == before + 30_000


async def test_the_script_goes_on_with_the_answers_kept(room: Room) -> None:
    desk = await room.log_in(AYU, "d1")
    room.arrive("i1")
    assert desk.offer is not None
    page = desk.offer.script
    assert page is not None
    answers = {b.name: b.choices[0].value if b.choices else "4711" for b in page.blocks if b.name}
    step = p.ScriptAnswer(id="1", interaction="i1", step=page.step, answers=answers)
    assert await room.do(desk, step) == ""
    assert desk.offer.script is not None
    assert desk.offer.script.index >= page.index
    assert [event[0] for event in room.events] == ["answers"]
