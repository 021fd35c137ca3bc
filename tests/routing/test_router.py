"""The router's promises, one a test, in virtual time."""

from __future__ import annotations

import pytest

from routing import events as ev
from routing.effects import AgentChanged, EndOffer, InteractionClosed, MakeOffer, Refused, SegmentStarted
from routing.model import AgentStatus, DeviceState, Medium, OfferState, Outcome, RejectCause
from tests.routing.helpers import Floor


def test_a_free_agent_is_offered_the_call_at_once() -> None:
    floor = Floor("ayu")
    floor.arrive("i1")
    assert floor.offers == [("i1", "ayu")]


def test_the_agent_idle_longest_is_offered_first() -> None:
    floor = Floor("ayu", "budi")
    floor.do(ev.AgentPaused("ayu", "break"))
    floor.do(ev.AgentReadied("ayu"), after_s=10)
    floor.arrive("i1")
    assert floor.offers == [("i1", "budi")]
    why = next(e.why for e in floor.effects if isinstance(e, MakeOffer))
    assert (why.rule, why.runner_up, why.candidates) == ("longest_idle", "ayu", ("budi", "ayu"))


def test_equal_stakes_are_first_in_first_out_and_a_higher_stake_buys_waiting_time() -> None:
    floor = Floor("ayu")
    floor.arrive("busy")
    floor.answer("busy.1")
    for name, stake in (("first", 1_000), ("second", 1_000), ("dear", 2_000)):
        floor.do(ev.TimePassed(), after_s=50)
        floor.arrive(name, stake_cents=stake)
    order = []
    for _ in range(3):
        floor.do(ev.AgentLeft(floor.router.agents["ayu"].slots[0].interaction, "ayu"))
        floor.wait(30)
        offer = next(e for e in floor.effects if isinstance(e, MakeOffer))
        order.append(offer.interaction)
        floor.answer(offer.offer)
    assert order == ["dear", "first", "second"]  # 100 s later, but worth 120 s


def test_no_answer_puts_the_caller_back_in_the_old_place_and_the_agent_out_after_two_misses() -> None:
    floor = Floor("ayu", max_missed_offers=2)
    floor.arrive("i1")
    queued_at = floor.now
    floor.wait(20)
    ended = next(e for e in floor.effects if isinstance(e, EndOffer))
    assert (ended.state, ended.cause) == (OfferState.EXPIRED, "no_answer")
    floor.wait(5)
    again = next(e for e in floor.effects if isinstance(e, MakeOffer))
    assert (again.offer, again.queued_at) == ("i1.2", queued_at)
    floor.wait(20)
    out = next(e for e in floor.effects if isinstance(e, AgentChanged))
    assert (out.status, out.reason) == (AgentStatus.NOT_READY, "missed_offers")
    assert len(floor.router.waiting) == 1


def test_a_caller_who_hangs_up_while_it_rings_frees_the_agent_at_once() -> None:
    floor = Floor("ayu")
    floor.arrive("i1")
    floor.do(ev.CustomerLeft("i1"))
    closed = next(e for e in floor.effects if isinstance(e, InteractionClosed))
    assert floor.names() == ["EndOffer", "InteractionClosed"]
    assert closed.outcome is Outcome.ABANDONED
    floor.arrive("i2")
    assert floor.offers == [("i2", "ayu")]


@pytest.mark.parametrize(
    "state", [s for s in DeviceState if s is not DeviceState.NOT_INUSE], ids=lambda s: s.value
)
def test_a_phone_that_is_away_ringing_or_in_any_call_is_not_rung(state: DeviceState) -> None:
    floor = Floor("ayu")
    floor.do(ev.DeviceChanged("pbx/ayu", state))
    floor.arrive("i1")
    assert floor.offers == []
    floor.do(ev.DeviceChanged("pbx/ayu", DeviceState.NOT_INUSE))
    assert floor.offers == [("i1", "ayu")]


def test_wrap_up_holds_the_agent_until_finished_or_its_time_is_up() -> None:
    floor = Floor("ayu", wrap_up_s=30)
    floor.arrive("i1")
    floor.answer("i1.1")
    floor.do(ev.CustomerLeft("i1"), after_s=60)
    floor.arrive("i2")
    assert floor.offers == []
    floor.do(ev.WrapUpExtended("i1", "ayu", 30))
    floor.wait(59)
    assert floor.offers == []
    floor.wait(1)
    assert floor.offers == [("i2", "ayu")]
    floor.answer("i2.1")
    floor.do(ev.CustomerLeft("i2"))
    floor.arrive("i3")
    floor.do(ev.WrapUpFinished("i2", "ayu", "refund"))
    assert floor.offers == [("i3", "ayu")]


def test_an_accepted_offer_whose_leg_fails_keeps_the_callers_place() -> None:
    floor = Floor("ayu", "budi")
    floor.arrive("i1")
    queued_at = floor.now
    floor.do(ev.OfferAccepted("i1.1"), after_s=3)
    floor.do(ev.ConnectFailed("i1.1"))
    again = next(e for e in floor.effects if isinstance(e, MakeOffer))
    assert (again.agent, again.queued_at) == ("budi", queued_at)


def test_a_connection_nobody_reports_is_given_up_so_that_no_agent_leaks() -> None:
    floor = Floor("ayu")
    floor.arrive("i1")
    floor.do(ev.OfferAccepted("i1.1"))
    floor.wait(20)
    assert ("i1", "ayu") in floor.offers


def test_a_rejection_by_the_phone_counts_as_missed_a_decline_does_not() -> None:
    floor = Floor("ayu", max_missed_offers=1)
    floor.arrive("i1")
    floor.do(ev.OfferRejected("i1.1", RejectCause.DECLINED))
    assert floor.router.agents["ayu"].status is AgentStatus.READY
    floor.wait(5)
    floor.do(ev.OfferRejected("i1.2", RejectCause.BUSY))
    assert floor.router.agents["ayu"].status is AgentStatus.NOT_READY


def test_two_agents_on_one_device_the_second_is_refused() -> None:
    floor = Floor("ayu", "budi")
    floor.do(ev.SessionOpened("budi", "s2", "pbx/ayu"))
    assert floor.effects == [Refused("SessionOpened", "device pbx/ayu is in use by agent ayu")]


def test_an_agent_logging_in_twice_goes_on_in_the_new_session() -> None:
    floor = Floor("ayu")
    floor.do(ev.SessionOpened("ayu", "s2", "pbx/ayu"))
    floor.do(ev.SessionClosed("ayu", "s-ayu"))
    assert isinstance(floor.effects[0], Refused)
    floor.arrive("i1")
    offer = next(e for e in floor.effects if isinstance(e, MakeOffer))
    assert offer.session == "s2"


def test_a_transfer_to_a_queue_keeps_the_place_and_leaves_the_agent_in_wrap_up() -> None:
    floor = Floor("ayu")
    floor.arrive("i1")
    queued_at = floor.now
    floor.answer("i1.1")
    floor.add("BUDI")
    floor.do(ev.InteractionMoved("i1", "sales", "ayu"), after_s=100)
    offer = next(e for e in floor.effects if isinstance(e, MakeOffer))
    assert (offer.agent, offer.queue, offer.queued_at) == ("BUDI", "sales", queued_at)
    floor.answer(offer.offer)
    floor.do(ev.WrapUpFinished("i1", "ayu"))
    assert floor.router.interactions["i1"].agent == "BUDI"


def test_a_late_look_up_moves_the_caller_forward() -> None:
    floor = Floor("ayu")
    floor.arrive("busy")
    floor.answer("busy.1")
    floor.arrive("first", stake_cents=100)
    floor.arrive("second", stake_cents=100)
    floor.do(ev.InteractionRevalued("second", "c2", 100_000))
    floor.do(ev.AgentLeft("busy", "ayu"))
    floor.wait(30)
    assert floor.offers == [("second", "ayu")]


def test_logging_out_or_pausing_while_it_rings_offers_the_caller_elsewhere() -> None:
    floor = Floor("ayu", "budi")
    floor.arrive("i1")
    floor.do(ev.AgentPaused("ayu", "break"))
    assert floor.offers == [("i1", "budi")]
    floor.do(ev.SessionClosed("budi", "s-budi"))
    assert floor.router.waiting.ids() == ["i1"]


def test_a_call_is_only_offered_to_phones_on_its_own_pbx() -> None:
    floor = Floor("ayu")
    floor.do(ev.InteractionArrived("i1", Medium.VOICE, "billing", pbx="other"))
    assert floor.offers == []
    floor.do(ev.DeviceChanged("other/x", DeviceState.NOT_INUSE))
    floor.do(ev.SessionOpened("ayu", "s2", "other/x"))
    assert floor.offers == [("i1", "ayu")]
    floor.do(ev.InteractionArrived("i2", Medium.VOICE, "billing", pbx="pbx"))
    floor.answer("i1.1")
    floor.do(ev.InteractionMoved("i1", "sales", "ayu"))
    assert floor.router.interactions["i1"].requirements[0].skill == "pbx other"


def test_nonsense_is_refused_and_changes_nothing() -> None:
    floor = Floor("ayu")
    for event in (
        ev.OfferAccepted("none.1"),
        ev.CustomerLeft("none"),
        ev.ConnectionMade("none.1"),
        ev.AgentReadied("nobody"),
        ev.WrapUpFinished("none", "ayu"),
        ev.InteractionMoved("none", "sales"),
    ):
        floor.do(event)
        assert floor.names() == ["Refused"]
    floor.arrive("i1", queue="nowhere")
    assert floor.names() == ["Refused"]
    assert floor.router.refused == 7


def test_the_wait_is_counted_from_arrival_to_the_first_word() -> None:
    floor = Floor("ayu")
    floor.arrive("i1")
    floor.do(ev.OfferAccepted("i1.1"), after_s=4)
    floor.do(ev.ConnectionMade("i1.1"))
    started = next(e for e in floor.effects if isinstance(e, SegmentStarted))
    assert started.waited_us == 4_000_000


def test_a_clock_that_goes_back_does_not_take_time_away() -> None:
    floor = Floor("ayu")
    floor.arrive("i1")
    deadline_at = floor.router.next_deadline()
    floor.do(ev.TimePassed(), after_s=-3_600)
    assert floor.router.next_deadline() == deadline_at
    floor.do(ev.CustomerLeft("i1"))
    closed = next(e for e in floor.effects if isinstance(e, InteractionClosed))
    assert closed.waited_us == 0
