"""One contract, two PBXs: offers, talks, transfers and their ends, as the product's hot path relies on them.

Orders are those that hold in every run of Asterisk 22; where two of its threads race, nothing is asserted.
"""

from __future__ import annotations

import pytest

from channels.asterisk.ami_codec import AmiMessage
from tests.pbx.both_sides import NUMBER, WAIT_S, Desk, Side, leg_id, side

__all__ = ["side"]


async def test_offer_answered_talk_and_agent_hangs_up(side: Side) -> None:
    await side.robot("a1", "answer", 0.3, 1.0)
    leg = leg_id(side, "talk")
    async with Desk(side) as desk:
        call, caller = await desk.parked()
        action_id = desk.offer(caller, "a1", leg)
        response = await desk.event("OriginateResponse", Uniqueid=leg)
        assert (response["Response"], response["Reason"]) == ("Success", "4")
        assert response["ActionID"] == action_id
        await desk.event("Hangup", Uniqueid=caller["Uniqueid"])
        await desk.event("Hangup", Uniqueid=leg)
        await desk.event("DeviceStateChange", Device="PJSIP/a1", State="NOT_INUSE")
        await call.until_ended(WAIT_S)
    assert desk.story(leg) == [
        "Newchannel",
        "DialBegin",
        "Newstate",
        "Newstate",
        "DialEnd",
        "BridgeEnter",
        "HangupRequest",
        "Hangup",
    ]
    assert desk.story(caller["Uniqueid"]) == [
        "Newchannel",
        "Newstate",
        "BridgeEnter",
        "BridgeEnter",
        "Hangup",
    ]
    check_talk(desk, leg, caller)


def check_talk(desk: Desk, leg: str, caller: AmiMessage) -> None:
    """The headers that the product reads."""
    begin = desk.find("DialBegin", DestUniqueid=leg)
    assert begin is not None
    assert (begin["DialString"], begin.get("Uniqueid")) == ("a1", "")
    assert desk.find("Newstate", Uniqueid=leg, ChannelStateDesc="Ringing", CallerIDNum=NUMBER)
    assert desk.find("DialEnd", DestUniqueid=leg, DialStatus="ANSWER")
    talks = [
        message
        for message in desk.heard
        if message.name == "BridgeEnter" and message["BridgeTechnology"] != "holding_bridge"
    ]
    assert {message["Uniqueid"] for message in talks} == {leg, caller["Uniqueid"]}
    assert len({message["BridgeUniqueid"] for message in talks}) == 1
    assert talks[-1]["Linkedid"] == caller["Uniqueid"]  # the leg became part of the caller's call
    assert desk.find("DeviceStateChange", Device="PJSIP/a1", State="BUSY")
    over = desk.find("Hangup", Uniqueid=caller["Uniqueid"])
    assert over is not None
    assert over["Context"] == "acd-after"  # where F() sent the caller


async def test_caller_hangs_up_in_talk(side: Side) -> None:
    await side.robot("a1", "answer", 0.1, 60)
    leg = leg_id(side, "bye")
    async with Desk(side) as desk:
        call, caller = await desk.parked()
        desk.offer(caller, "a1", leg)
        await desk.event("BridgeEnter", Uniqueid=leg)
        await call.hang_up()
        ended = await desk.event("Hangup", Uniqueid=leg)
        assert ended["Cause"] == "16"
        await desk.event("Hangup", Uniqueid=caller["Uniqueid"], Cause="16")
    assert desk.story(caller["Uniqueid"])[-2:] == ["HangupRequest", "Hangup"]
    assert "HangupRequest" not in desk.story(leg)


async def test_we_hang_up_the_agent_in_talk(side: Side) -> None:
    await side.robot("a1", "answer", 0.1, 60)
    leg = leg_id(side, "cut")
    async with Desk(side) as desk:
        _, caller = await desk.parked()
        desk.offer(caller, "a1", leg)
        await desk.event("BridgeEnter", Uniqueid=leg)
        answer = await desk.client.action("Hangup", [("Channel", leg), ("Cause", "16")])
        assert answer["Message"] == "Channel Hungup"
        await desk.event("Hangup", Uniqueid=leg, Cause="16")
        await desk.event("Hangup", Uniqueid=caller["Uniqueid"], Cause="16")


@pytest.mark.parametrize("conduct", ["reject", "ignore"])
async def test_offer_refused_or_not_answered(side: Side, conduct: str) -> None:
    await side.robot("a2", conduct, 0, 0)
    leg = leg_id(side, conduct)
    reason, cause = {"reject": ("0", "21"), "ignore": ("3", "19")}[conduct]
    async with Desk(side) as desk:
        _, caller = await desk.parked()
        desk.offer(caller, "a2", leg, timeout_s=1)
        response = await desk.event("OriginateResponse", Uniqueid=leg)
        assert (response["Response"], response["Reason"]) == ("Failure", reason)
        ended = await desk.event("Hangup", Uniqueid=leg)
        assert ended["Cause"] == cause
        (row,) = await desk.client.action_list("CoreShowChannels")
        assert row["Uniqueid"] == caller["Uniqueid"]  # the caller still waits
    assert ("HangupRequest" in desk.story(leg)) == (conduct == "reject")


@pytest.mark.parametrize("device", ["a9", "unheard-of"])
async def test_offer_to_a_phone_that_is_not_there(side: Side, device: str) -> None:
    leg = leg_id(side, "nobody")
    async with Desk(side) as desk:
        _, caller = await desk.parked()
        desk.offer(caller, device, leg)
        response = await desk.event("OriginateResponse", Uniqueid=leg)
        assert (response["Response"], response["Reason"]) == ("Failure", "0")
    assert desk.story(leg) == []  # there never was a channel


async def test_offer_revoked_while_it_rings(side: Side) -> None:
    await side.robot("a2", "ignore", 0, 0)
    leg = leg_id(side, "revoked")
    async with Desk(side) as desk:
        _, caller = await desk.parked()
        desk.offer(caller, "a2", leg)
        await desk.event("DeviceStateChange", Device="PJSIP/a2", State="BUSY")
        await desk.client.action("Hangup", [("Channel", leg)])
        response = await desk.event("OriginateResponse", Uniqueid=leg)
        assert (response["Response"], response["Reason"]) == ("Failure", "0")
        assert (await desk.event("Hangup", Uniqueid=leg))["Cause"] == "0"
        await desk.event("DeviceStateChange", Device="PJSIP/a2", State="NOT_INUSE")
    assert desk.story(leg) == ["Newchannel", "DialBegin", "Newstate", "DialEnd", "Hangup"]


async def test_a_caller_who_gives_up_leaves_the_ringing_leg_alone(side: Side) -> None:
    await side.robot("a2", "ignore", 0, 0)
    leg = leg_id(side, "abandoned")
    async with Desk(side) as desk:
        call, caller = await desk.parked()
        desk.offer(caller, "a2", leg)
        await desk.event("DeviceStateChange", Device="PJSIP/a2", State="BUSY")
        await call.hang_up()
        await desk.event("Hangup", Uniqueid=caller["Uniqueid"], Cause="16")
        (row,) = await desk.client.action_list("CoreShowChannels")
        assert row["Uniqueid"] == leg  # it is ours to hang up


async def test_an_offer_for_a_caller_who_is_gone_ends_at_the_answer(side: Side) -> None:
    await side.robot("a1", "answer", 0.1, 60)
    leg = leg_id(side, "late")
    async with Desk(side) as desk:
        call, caller = await desk.parked()
        await call.hang_up()
        await desk.event("Hangup", Uniqueid=caller["Uniqueid"])
        desk.offer(caller, "a1", leg)
        await desk.event("OriginateResponse", Uniqueid=leg, Response="Success")
        await desk.event("Hangup", Uniqueid=leg, Cause="0")
    assert "BridgeEnter" not in desk.story(leg)


async def test_redirect_takes_a_caller_out_of_talk(side: Side) -> None:
    await side.robot("a1", "answer", 0.1, 60)
    leg = leg_id(side, "redirected")
    async with Desk(side) as desk:
        _, caller = await desk.parked()
        desk.offer(caller, "a1", leg)
        await desk.event("BridgeEnter", Uniqueid=leg)
        desk.heard.clear()
        where = [("Context", "acd-wait"), ("Exten", "s"), ("Priority", "1")]
        await desk.client.action("Redirect", [("Channel", caller["Channel"]), *where])
        await desk.event("Hangup", Uniqueid=leg)
        back = await desk.event("BridgeEnter", Uniqueid=caller["Uniqueid"])
        assert back["BridgeTechnology"] == "holding_bridge"


async def test_blind_transfer_to_another_phone(side: Side) -> None:
    await side.robot("a1", "answer", 0.1, 60)
    await side.robot("a2", "answer", 0.1, 60)
    leg = leg_id(side, "blind")
    async with Desk(side) as desk:
        _, caller = await desk.parked()
        desk.offer(caller, "a1", leg)
        own = await desk.event("BridgeEnter", Uniqueid=leg)
        where = [("Context", "ccserver-internal"), ("Exten", "202")]
        await desk.client.action("BlindTransfer", [("Channel", own["Channel"]), *where])
        moved = await desk.event("BlindTransfer", TransfererUniqueid=leg)
        assert (moved["TransfereeUniqueid"], moved["Extension"]) == (caller["Uniqueid"], "202")
        await desk.event("Hangup", Uniqueid=leg)
        dialled = await desk.event("DialBegin", Uniqueid=caller["Uniqueid"], DialString="a2")
        ended = await desk.event("BridgeEnter", Uniqueid=dialled["DestUniqueid"])
        assert ended["Linkedid"] == caller["Uniqueid"]


async def test_a_call_from_the_desk_to_a_colleague(side: Side) -> None:
    await side.robot("a1", "answer", 0.1, 60)
    await side.robot("a2", "answer", 0.1, 60)
    leg = leg_id(side, "click")
    async with Desk(side) as desk:
        await desk.client.action(
            "Originate",
            [
                ("Channel", "PJSIP/a1"),
                ("Context", "ccserver-phones"),
                ("Exten", "202"),
                ("Priority", "1"),
                ("ChannelId", leg),
                ("Async", "true"),
            ],
        )
        await desk.event("OriginateResponse", Uniqueid=leg, Response="Success")
        begin = await desk.event("DialBegin", Uniqueid=leg, DialString="a2")
        await desk.event("DialEnd", DestUniqueid=begin["DestUniqueid"], DialStatus="ANSWER")
        await desk.event("BridgeEnter", Uniqueid=leg)
