"""What the real dialplan does when ccserver is away, hangs, and comes back."""

from __future__ import annotations

import asyncio

import pytest

from channels.asterisk.pbx.instance import PbxInstance, PbxSpec, default_phones
from channels.asterisk.pbx.link import open_link
from channels.asterisk.pbx.world import World
from tests.pbx.mini_acd import AgiCall, MiniAcd

pytestmark = pytest.mark.pbx


async def reject_all(world: World) -> None:
    for robot in world.robots:
        await world.robot(robot.name, conduct="reject")


def turns_of(acd: MiniAcd, channel: str) -> list[str]:
    """The bridges that the channel has entered, by their kind."""
    entered = [event for event in acd.events if event["Event"] == "BridgeEnter"]
    return [event["BridgeTechnology"] for event in entered if event["Channel"] == channel]


async def test_nobody_at_the_fastagi_port(world: World, acd: MiniAcd) -> None:
    await acd.die()
    call = await world.call("0812000001", "5001", talk_s=0.5)
    joined = await acd.event("QueueCallerJoin")
    assert joined["Queue"] == "ccserver-fallback"
    await call.until_ended()
    assert call.outcome == "talked"  # a phone of the fallback queue was answered


async def test_a_ccserver_that_hangs_holds_a_caller_for_three_seconds(world: World, acd: MiniAcd) -> None:
    async def hang(call: AgiCall) -> None:
        await call.until_closed()

    acd.on["call"] = hang
    call = await world.call("0812000002", "5001", talk_s=0.5)
    asked = await acd.asks("call")
    await acd.event("QueueCallerJoin", Channel=asked.channel)
    await call.until_ended()
    assert call.outcome == "talked"


async def test_an_answer_that_breaks_off_is_no_answer(world: World, acd: MiniAcd) -> None:
    async def break_off(_call: AgiCall) -> None:
        return  # the connection ends; AGISTATUS says SUCCESS

    acd.on["call"] = break_off
    await world.call("0812000003", "5001")
    await acd.event("QueueCallerJoin", Channel=(await acd.asks("call")).channel)


async def test_waiting_callers_go_to_the_queue_when_the_heart_stops_and_come_back(
    world: World, acd: MiniAcd
) -> None:
    await reject_all(world)
    call = await world.call("0812000004", "5001", patience_s=60)
    channel = (await acd.asks("call")).channel
    await acd.event("BridgeEnter", Channel=channel)
    await acd.die()
    await acd.event("QueueCallerJoin", Channel=channel)
    assert await acd.variable(channel, "ACD_MODE") == "queue"
    await acd.start_agi()
    await acd.start_beat()
    await acd.link.require("QueueWithdrawCaller", {"Queue": "ccserver-fallback", "Caller": channel})
    out = await acd.event("UserEvent", UserEvent="AcdQueueOut", Channel=channel)
    assert out["QueueStatus"] == "WITHDRAW"
    assert out["AcdId"].startswith("i-")
    waited = len(turns_of(acd, channel))
    await acd.until(lambda: len(turns_of(acd, channel)) > waited, "back in the waiting bridge")
    await world.robot("a1", ring_s=0)
    await acd.connect("a1", channel, "leg-000101")
    await call.until_heard()
    await call.hang_up()


async def test_waiting_goes_on_while_the_heart_beats(world: World, acd: MiniAcd) -> None:
    call = await world.call("0812000005", "5001", patience_s=60)
    channel = (await acd.asks("call")).channel
    await acd.until(lambda: len(turns_of(acd, channel)) >= 4, "four turns of the waiting loop")
    assert not [event for event in acd.events if event["Event"] == "QueueCallerJoin"]
    await call.hang_up()


async def test_closed_hours_while_ccserver_is_away(pbx: PbxInstance, world: World, acd: MiniAcd) -> None:
    await acd.die()
    await pbx.set_global("CCSERVER_HOURS", "*,*,31,feb")
    try:
        call = await world.call("0812000006", "5001", patience_s=60)
        await call.until_ended()
        assert call.outcome == "dropped"
        assert not [event for event in acd.events if event["Event"] == "QueueCallerJoin"]
    finally:
        await pbx.set_global("CCSERVER_HOURS", "*,*,*,*")


async def test_a_blocked_number_while_ccserver_is_away(pbx: PbxInstance, world: World, acd: MiniAcd) -> None:
    await acd.die()
    await pbx.database_put("ccserver-block", "0812000007", "1")
    call = await world.call("0812000007", "5001")
    await call.until_ended()
    assert call.outcome == "refused"


async def test_the_pbx_dies_and_comes_back_on_the_same_ports(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    async with PbxInstance(PbxSpec(tmp_path_factory.mktemp("mortal") / "pbx", default_phones(1))) as mortal:
        before = mortal.ami
        await mortal.kill()
        assert not mortal.process.running
        await mortal.start()
        link = await asyncio.wait_for(open_link(before), 20)
        await link.close()
