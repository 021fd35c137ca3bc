"""Offers that do not become conversations: nobody loses their place, nobody is rung for nothing."""

from __future__ import annotations

import asyncio

import pytest

from tests.acceptance.centre import Centre
from tests.acceptance.steps import BILLING, STRANGER, Line, eventually, talking

pytestmark = pytest.mark.pbx
CENTRE = {"offer_timeout_s": 3, "wrap_up_s": 1}


async def test_no_answer_puts_the_caller_back_in_the_old_place_and_the_agent_out_after_two_misses(
    centre: Centre,
) -> None:
    ayu = await centre.desk("ayu")
    await centre.world.robot("a1", conduct="ignore")
    call = await centre.world.call(STRANGER, BILLING)
    first = (await ayu.until("offer"))["offer"]
    ended = await ayu.until("offer_ended")
    assert (ended["outcome"], ended["cause"]) == ("expired", "no_answer")
    assert (await ayu.until("notice"))["code"] == "missed"
    second = (await ayu.until("offer"))["offer"]
    assert second["interaction"] == first["interaction"]
    assert second["pop"]["queued_utc_ms"] == first["pop"]["queued_utc_ms"]
    out = await ayu.until("agent", lambda f: f["state"]["status"] == "NOT_READY")
    assert out["state"]["reason"] == "missed_offers"
    assert ayu.seen("today")[-1]["today"]["missed"] == 2
    budi = await centre.desk("budi")
    third = (await budi.until("offer"))["offer"]
    assert third["pop"]["queued_utc_ms"] == first["pop"]["queued_utc_ms"]
    await call.until_heard()


async def test_a_call_declined_at_the_desk_stops_ringing_and_goes_to_the_next_agent(
    centre: Centre, line: Line
) -> None:
    ayu = await centre.desk("ayu")
    await centre.world.robot("a1", conduct="ignore")
    call = await centre.world.call(STRANGER, BILLING)
    offer = (await ayu.until("offer"))["offer"]
    budi = await centre.desk("budi")
    rung = await line.event("Newchannel", Channel="PJSIP/a1-")
    await line.event("Newstate", Uniqueid=rung["Uniqueid"], ChannelStateDesc="Ringing")
    assert (await ayu.do("decline", offer=offer["offer"]))["ok"]
    assert (await ayu.until("offer_ended"))["outcome"] == "rejected"
    await line.event("Hangup", Uniqueid=rung["Uniqueid"])
    again = (await budi.until("offer"))["offer"]
    assert again["pop"]["queued_utc_ms"] == offer["pop"]["queued_utc_ms"]
    await call.until_heard()
    assert not ayu.seen("work")


async def test_a_call_rejected_at_the_phone_goes_to_the_next_agent(centre: Centre) -> None:
    ayu = await centre.desk("ayu")
    await centre.world.robot("a1", conduct="reject")
    call = await centre.world.call(STRANGER, BILLING)
    assert (await ayu.until("offer_ended"))["outcome"] == "rejected"
    budi = await centre.desk("budi")
    await budi.until("offer")
    await call.until_heard()


async def test_a_caller_who_gives_up_while_waiting_is_offered_to_nobody(centre: Centre, line: Line) -> None:
    ayu = await centre.desk("ayu", ready=False)
    call = await centre.world.call(STRANGER, BILLING)
    await ayu.until("queues", lambda f: any(q["waiting"] == 1 for q in f["queues"]))
    await call.until_up()
    await call.hang_up()
    await ayu.until("queues", lambda f: all(q["waiting"] == 0 for q in f["queues"]))
    await ayu.do("ready")
    await centre.world.robot("a1", ring_s=0.2)
    await centre.world.call("+6281299999998", BILLING, talk_s=1)
    offer = (await ayu.until("offer"))["offer"]
    assert offer["pop"]["origin"].endswith("998")
    assert len(ayu.seen("offer")) == 1


async def test_a_caller_who_gives_up_while_it_rings_silences_the_phone_and_frees_the_agent_at_once(
    centre: Centre, line: Line
) -> None:
    ayu = await centre.desk("ayu")
    await centre.world.robot("a1", conduct="ignore")
    call = await centre.world.call(STRANGER, BILLING)
    await ayu.until("offer")
    rung = await line.event("Newchannel", Channel="PJSIP/a1-")
    await line.event("Newstate", Uniqueid=rung["Uniqueid"], ChannelStateDesc="Ringing")
    await call.until_up()
    await call.hang_up()
    ended = await ayu.until("offer_ended")
    assert (ended["outcome"], ended["cause"]) == ("revoked", "customer_left")
    assert (await ayu.until("notice"))["code"] == "caller_left"
    await line.event("Hangup", Uniqueid=rung["Uniqueid"])
    await centre.world.robot("a1", ring_s=0.2)
    await centre.world.call("+6281299999997", BILLING, talk_s=1)
    offer = (await ayu.until("offer"))["offer"]
    assert offer["pop"]["origin"].endswith("997")
    assert ayu.seen("agent")[-1]["state"]["status"] == "READY", "a caller who leaves is no miss"


async def test_callers_who_die_between_decision_and_command_leak_no_agent(centre: Centre, line: Line) -> None:
    """Each caller is hung up on the PBX at the very moment at which the offer goes out."""
    ayu = await centre.desk("ayu")
    await centre.world.robot("a1", ring_s=0.1)
    killing: list[asyncio.Future[dict[str, str]]] = []

    def kill(event: dict[str, str]) -> None:
        if event["Event"] == "Newchannel" and event["Channel"].startswith("PJSIP/trunk-"):
            killing.append(asyncio.ensure_future(line.link.action("Hangup", {"Channel": event["Channel"]})))

    line.link.listeners.append(kill)
    for number in range(10):
        await centre.world.call(f"+62812888{number:05}", BILLING, talk_s=1, patience_s=5)
        await asyncio.sleep(0.05 * number)
    line.link.listeners.remove(kill)
    await asyncio.gather(*killing)
    last = await centre.world.call("+6281299999996", BILLING, talk_s=1)
    await ayu.until("offer", lambda f: f["offer"]["pop"]["origin"].endswith("996"))
    await last.until_heard()

    async def empty() -> bool:
        board = await centre.get("/api/v1/wallboard")
        return bool(board["waiting"] == 0)

    await eventually("nobody waits", empty)


async def test_a_phone_in_a_call_of_its_own_is_not_rung_and_gets_the_next_call_when_it_is_free(
    centre: Centre, line: Line
) -> None:
    """a1 and a5 talk with each other; the caller goes to a2, and a1 is offered again when it hung up."""
    ayu, budi = await centre.desk("ayu"), await centre.desk("budi", ready=False)
    await centre.world.robot("a5", ring_s=0.1)
    fields = {"Channel": "PJSIP/a1", "Context": "ccserver-phones", "Exten": "205", "Priority": "1"}
    await line.link.require("Originate", {**fields, "Async": "true", "Timeout": "20000"})
    await ayu.until("device", lambda f: f["device"]["state"] != "NOT_INUSE")
    await centre.world.call(STRANGER, BILLING, talk_s=60)
    await budi.until("queues", lambda f: any(q["waiting"] == 1 for q in f["queues"]))
    assert not ayu.seen("offer")
    await budi.do("ready")
    assert (await budi.until("offer"))["offer"]["pop"]["origin"] == STRANGER
    assert not ayu.seen("offer"), "a phone in a call of its own must not ring"
    await centre.world.call("+6281299999995", BILLING, talk_s=60)
    await budi.until("queues", lambda f: any(q["waiting"] == 1 for q in f["queues"]))
    mine = next(name for name in await line.channels() if name.startswith("PJSIP/a1-"))
    await line.link.require("Hangup", {"Channel": mine})
    assert (await ayu.until("offer"))["offer"]["pop"]["origin"].endswith("995")


async def test_a_phone_that_is_ringing_already_is_not_rung(centre: Centre, line: Line) -> None:
    ayu = await centre.desk("ayu")
    await centre.world.robot("a1", conduct="ignore")
    await centre.world.robot("a5", ring_s=0.1)
    fields = {"Channel": "PJSIP/a5", "Context": "ccserver-phones", "Exten": "201", "Priority": "1"}
    await line.link.require("Originate", {**fields, "Async": "true", "Timeout": "20000"})
    await ayu.until("device", lambda f: f["device"]["state"] != "NOT_INUSE")
    await centre.world.call(STRANGER, BILLING)
    await ayu.until("queues", lambda f: any(q["waiting"] == 1 for q in f["queues"]))
    assert not ayu.seen("offer")
    ringing = next(name for name in await line.channels() if name.startswith("PJSIP/a1-"))
    await line.link.require("Hangup", {"Channel": ringing})
    await ayu.until("offer")


async def test_a_phone_that_is_not_registered_is_offered_nothing(centre: Centre) -> None:
    """Nobody is registered at the softphone `desk`."""
    ayu = await centre.desk("ayu", "d9")
    assert ayu.seen("snapshot")[0]["device"]["state"] == "UNAVAILABLE"
    await centre.world.call(STRANGER, BILLING)
    await ayu.until("queues", lambda f: any(q["waiting"] == 1 for q in f["queues"]))
    budi = await centre.desk("budi")
    await budi.until("offer")
    assert not ayu.seen("offer")


async def test_the_same_agent_gets_the_next_caller_after_wrap_up_ran_out(centre: Centre) -> None:
    ayu = await centre.desk("ayu")
    call, interaction = await talking(centre, ayu)
    await centre.world.call("+6281299999994", BILLING, talk_s=1)
    await call.hang_up()
    left = await ayu.until("work", lambda f: f["item"]["phase"] == "unfinished")
    assert left["item"]["interaction"] == interaction
    await ayu.until("offer", lambda f: f["offer"]["pop"]["origin"].endswith("994"))
    late = await ayu.do("finish", interaction=interaction, disposition="refund", note="", next="ready")
    assert late["ok"], late
