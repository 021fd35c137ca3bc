"""What each effect of the router shows on a desk."""

from __future__ import annotations

from ccserver.customers.identity import match
from routing import events as ev
from routing.model import RejectCause
from tests.ccserver.desk.room import AYU, BUDI, SITI, Room


def frames(room: Room, agent: str) -> list[str]:
    """Types of the frames that a desk's stream kept, in order."""
    desk = room.sessions.find(agent)
    assert desk is not None
    return [text.split('"type":"')[1].split('"')[0] for text in desk.stream._kept]


async def test_an_offer_comes_with_pop_and_first_page_in_the_agents_language(room: Room) -> None:
    desk = await room.log_in(BUDI, "d2")
    room.arrive("i1")
    assert desk.offer is not None
    assert desk.offer.pop.customer is not None
    assert desk.offer.pop.customer.name == SITI.name
    assert desk.offer.pop.queue_label == "Tagihan"
    assert desk.offer.script is not None
    assert desk.offer.deadline_utc_ms - desk.offer.made_utc_ms == 20_000


async def test_an_agent_sees_no_money_a_supervisor_does(room: Room) -> None:
    ayu, budi = await room.log_in(AYU, "d1"), await room.log_in(BUDI, "d2", ready=False)
    room.arrive("i1")
    assert ayu.offer is not None
    assert ayu.offer.pop.customer is not None
    assert (ayu.offer.pop.customer.worth_cents, ayu.offer.pop.customer.stake_cents) == (None, None)
    pop = room.fold.pop(budi, "i1")
    assert pop.customer is not None
    assert (pop.customer.worth_cents, pop.customer.stake_cents) == (900, 77)


async def test_a_call_from_offer_to_the_end_is_one_row_of_frames(room: Room) -> None:
    desk = await room.log_in(AYU, "d1")
    room.arrive("i1")
    room.answer("i1.1")
    assert (desk.offer, desk.work["i1"].phase, desk.today.handled) == (None, "talking", 1)
    room.fold.held(desk, "i1", True)
    assert desk.work["i1"].phase == "held"
    room.fold.held(desk, "i1", False)
    room.hub.post(ev.CustomerLeft("i1"))
    assert desk.work["i1"].phase == "wrap_up"
    room.fold.held(desk, "i1", True)
    assert desk.work["i1"].phase == "wrap_up", "a late hold changes nothing"
    room.hub.post(ev.WrapUpFinished("i1", "ayu", "refund"))
    assert desk.work == {}
    shown = [kind for kind in frames(room, "ayu") if kind in ("offer", "offer_ended", "work", "work_gone")]
    assert shown == ["offer", "offer_ended", "work", "work", "work", "work", "work", "work_gone"]


async def test_a_missed_call_counts_and_is_told_a_callers_leaving_is_told(room: Room) -> None:
    desk = await room.log_in(AYU, "d1")
    room.arrive("i1")
    room.clock.at += 20_000_000
    room.hub.post(ev.TimePassed())
    assert (desk.offer, desk.today.missed) == (None, 1)
    assert "missed" in desk.stream._kept[-1]
    room.clock.at += 5_000_000
    room.hub.post(ev.TimePassed())
    assert desk.offer is not None
    room.hub.post(ev.CustomerLeft("i1"))
    assert desk.offer is None
    assert "caller_left" in desk.stream._kept[-1]
    assert desk.today.missed == 1


async def test_a_connection_that_failed_leaves_nothing_on_the_desk(room: Room) -> None:
    desk = await room.log_in(AYU, "d1")
    room.arrive("i1")
    room.hub.post(ev.OfferAccepted("i1.1"))
    assert desk.work["i1"].phase == "connecting"
    room.hub.post(ev.ConnectFailed("i1.1"))
    assert desk.work == {}


async def test_a_late_look_up_makes_the_pop_better_wherever_it_is_shown(room: Room) -> None:
    desk = await room.log_in(AYU, "d1")
    room.arrive("i1", known=False)
    assert desk.offer is not None
    assert desk.offer.pop.customer is None
    contact = room.contacts.get("i1")
    assert contact is not None
    room.contacts.improve("i1", match=match(contact.origin, (), "k1", SITI))
    assert desk.offer.pop.customer is not None
    room.answer("i1.1")
    room.contacts.improve("i1", contacts_7d=3)
    pop = desk.work["i1"].pop
    assert pop is not None
    assert pop.contacts_7d == 3


async def test_a_call_whose_contact_is_lost_still_rings_with_its_queue(room: Room) -> None:
    desk = await room.log_in(AYU, "d1", ready=False)
    room.arrive("i1")
    room.contacts.drop("i1")
    room.hub.post(ev.AgentReadied("ayu"))
    assert desk.offer is not None
    assert (desk.offer.pop.queue_label, desk.offer.pop.match.kind) == ("Billing", "pending")


async def test_a_desk_opened_in_the_middle_of_a_call_shows_it(room: Room) -> None:
    await room.log_in(AYU, "d1")
    room.arrive("i1")
    seat = room.sessions._seats.pop("ayu")
    opened = await room.log_in(AYU, "d1", ready=False)
    assert opened.offer is not None
    assert opened.offer.offer == "i1.1"
    room.answer("i1.1")
    room.sessions._seats.pop("ayu")
    again = await room.log_in(AYU, "d1", ready=False)
    assert again.work["i1"].phase == "talking"
    room.hub.post(ev.CustomerLeft("i1"))
    room.sessions._seats.pop("ayu")
    last = await room.log_in(AYU, "d1", ready=False)
    assert last.work["i1"].phase == "wrap_up"
    assert last.work["i1"].wrap_up_until_utc_ms is not None
    assert seat.desk is not last


async def test_queues_are_those_the_agent_can_serve(room: Room) -> None:
    ayu, budi = await room.log_in(AYU, "d1", ready=False), await room.log_in(BUDI, "d2", ready=False)
    room.arrive("i1")
    room.sessions._refresh_queues()
    assert [(line.id, line.waiting) for line in ayu.queues] == [("billing", 1)]
    assert [(line.label, line.waiting) for line in budi.queues] == [("Tagihan", 1), ("Sales", 0)]


async def test_a_rejection_at_the_phone_clears_the_offer(room: Room) -> None:
    desk = await room.log_in(AYU, "d1")
    room.arrive("i1")
    room.hub.post(ev.OfferRejected("i1.1", RejectCause.BUSY))
    assert desk.offer is None
    assert '"cause":"busy"' in "".join(desk.stream._kept)
