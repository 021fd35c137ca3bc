"""A caller's way through the real dialplan while ccserver (here: MiniAcd) is there."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from channels.asterisk.pbx.instance import PbxInstance
from channels.asterisk.pbx.world import World
from tests.pbx.mini_acd import AgiCall, MiniAcd
from tests.pbx.tones import seconds_of

pytestmark = pytest.mark.pbx
AGENT_TONE, CALLER_TONE = 1000, 440


async def waiting_caller(acd: MiniAcd, channel: str) -> None:
    await acd.event("BridgeEnter", Channel=channel, BridgeTechnology="holding_bridge")


async def test_the_dialplan_loads_without_a_complaint(pbx: PbxInstance, world: World) -> None:
    complaints = [line for line in pbx.process.complaints() if "res_agi" not in line]
    assert [line for line in complaints if "pbx_config" in line or "loader" in line or "config" in line] == []
    assert [line for line in world.process.complaints() if "loader" in line or "config" in line] == []


async def test_caller_and_agent_hear_each_other(
    pbx: PbxInstance, world: World, acd: MiniAcd, recording: Path
) -> None:
    call = await world.call("0811000001", "5001", "Budi (invented)", talk_s=1.5)
    asked = await acd.asks("call")
    await waiting_caller(acd, asked.channel)
    await call.record(recording)
    robot_heard = world.heard_by_robot("a1")
    await acd.connect("a1", asked.channel, "leg-000001")
    await asyncio.wait_for(robot_heard, 20)  # the agent heard 440 Hz
    await call.until_heard()
    await call.until_ended()
    assert (call.outcome, call.cause) == ("talked", 16)
    assert seconds_of(recording, AGENT_TONE) > 1.0


async def test_ccserver_learns_who_calls_whom(world: World, acd: MiniAcd, pbx: PbxInstance) -> None:
    call = await world.call("0811000002", "5002", "Siti (invented)", patience_s=5)
    asked = await acd.asks("call")
    await call.hang_up()
    said = asked.environment
    assert (said["agi_callerid"], said["agi_calleridname"], said["agi_extension"], said["agi_dnid"]) == (
        "0811000002",
        "Siti (invented)",
        "5002",
        "5002",
    )
    assert asked.query == f"secret={pbx.agi_secret}"


async def test_an_agent_who_answers_before_the_decision_is_through_gets_the_caller(
    world: World, acd: MiniAcd
) -> None:
    """The caller's line is still ringing, in the AGI with its three seconds: he talks on past them."""

    async def undecided(call: AgiCall) -> None:
        await call.until_closed()

    acd.on["call"] = undecided
    await world.robot("a1", ring_s=0)
    call = await world.call("0811000003", "5001", talk_s=4)
    asked = await acd.asks("call")
    await acd.connect("a1", asked.channel, "leg-000002")
    await call.until_ended()
    assert call.outcome == "talked"
    assert call.heard_at is not None
    assert call.ended_at is not None
    assert call.ended_at - call.heard_at > 3.5


async def test_an_agent_who_answers_ends_the_announcement(world: World, acd: MiniAcd) -> None:
    answers: list[str] = []

    async def decide(call: AgiCall) -> None:
        await call.set(ACD_ID="i-000001", ACD_DO="wait", ACD_ANNOUNCE="1")

    async def talk(call: AgiCall) -> None:
        answers.append(await call.say('STREAM FILE demo-congrats ""'))

    acd.on |= {"call": decide, "announce": talk}
    await world.robot("a1", ring_s=0)
    call = await world.call("0811000004", "5001", talk_s=0.5)
    asked = await acd.asks("announce")
    await acd.connect("a1", asked.channel, "leg-000003")
    await call.until_ended()
    assert call.outcome == "talked"
    assert answers[0].startswith("200 result=-1")


async def test_a_conversation_outlives_the_turn_of_the_waiting_loop(world: World, acd: MiniAcd) -> None:
    call = await world.call("0811000005", "5001", talk_s=4)  # a turn is 1-3 s
    asked = await acd.asks("call")
    await waiting_caller(acd, asked.channel)
    await acd.connect("a1", asked.channel, "leg-000004")
    await call.until_ended()
    assert call.outcome == "talked"


async def test_after_the_agent_hangs_up_the_caller_is_not_offered_again(world: World, acd: MiniAcd) -> None:
    await world.robot("a1", ring_s=0, talk_s=0.5)
    call = await world.call("0811000006", "5001", talk_s=60)
    asked = await acd.asks("call")
    await acd.connect("a1", asked.channel, "leg-000005")
    await call.until_ended()
    hangup = await acd.event("Hangup", Channel=asked.channel)
    assert (call.outcome, hangup["Context"]) == ("talked", "acd-after")
    assert not [event for event in acd.events if event.get("Channel", "").startswith("PJSIP/a2")]


async def test_a_survey_may_follow(world: World, acd: MiniAcd) -> None:
    async def decide(call: AgiCall) -> None:
        await call.set(ACD_ID="i-000002", ACD_DO="wait", ACD_AFTER="survey")

    acd.on["call"] = decide
    await world.robot("a1", ring_s=0, talk_s=0.5)
    call = await world.call("0811000007", "5001", talk_s=60)
    asked = await acd.asks("call")
    await acd.connect("a1", asked.channel, "leg-000006")
    survey = await acd.asks("dialogue/survey")
    assert survey.channel == asked.channel
    await call.until_ended()


async def test_a_caller_who_gives_up(world: World, acd: MiniAcd) -> None:
    call = await world.call("0811000008", "5001", patience_s=1)
    asked = await acd.asks("call")
    hangup = await acd.event("Hangup", Channel=asked.channel)
    await call.until_ended()
    assert (call.outcome, hangup["Cause"]) == ("abandoned", "16")


async def test_an_agent_who_does_not_answer_leaves_the_caller_waiting(world: World, acd: MiniAcd) -> None:
    await world.robot("a1", conduct="reject")
    call = await world.call("0811000009", "5001", patience_s=30)
    asked = await acd.asks("call")
    await waiting_caller(acd, asked.channel)
    await acd.connect("a1", asked.channel, "leg-000007")
    refused = await acd.event("OriginateResponse", ActionID="leg-000007")
    assert refused["Response"] == "Failure"
    assert await acd.variable(asked.channel, "ACD_MODE") == "wait"
    await acd.connect("a2", asked.channel, "leg-000008")
    await call.until_heard()
    await call.hang_up()


async def test_an_agent_who_answers_a_caller_who_is_gone_is_free_at_once(world: World, acd: MiniAcd) -> None:
    await world.robot("a1", ring_s=1)
    call = await world.call("0811000010", "5001")
    asked = await acd.asks("call")
    await acd.connect("a1", asked.channel, "leg-000009")
    await call.hang_up()
    await acd.event("Hangup", Channel=asked.channel)
    await acd.event("Hangup", Uniqueid="leg-000009")
    assert not [
        event for event in acd.events if event["Event"] == "BridgeEnter" and event["Uniqueid"] == "leg-000009"
    ]


async def test_the_agent_passes_the_caller_to_a_colleague(world: World, acd: MiniAcd) -> None:
    """The first agent's leg goes away, the caller rings at the second and is in nobody's queue any more."""
    call = await world.call("0811000011", "5001", talk_s=60)
    asked = await acd.asks("call")
    await waiting_caller(acd, asked.channel)
    await acd.connect("a1", asked.channel, "leg-000010")
    await call.until_heard()
    leg = await acd.event("Newchannel", Uniqueid="leg-000010")
    colleague = world.heard_by_robot("a2")
    answer = await acd.link.require(
        "BlindTransfer", {"Channel": leg["Channel"], "Context": "ccserver-phones", "Exten": "202"}
    )
    assert answer["Response"] == "Success"
    await acd.event("Hangup", Uniqueid="leg-000010")
    await asyncio.wait_for(colleague, 20)
    assert call.outcome == "open"
    await call.hang_up()
    await acd.event("Hangup", Channel=asked.channel)
    assert len(acd.asked) == 1


async def test_a_dialogue_before_the_queue(world: World, acd: MiniAcd) -> None:
    digits: list[str] = []

    async def decide(call: AgiCall) -> None:
        await call.set(ACD_ID="i-000003", ACD_DO="ivr", ACD_IVR="identify")

    async def dialogue(call: AgiCall) -> None:
        digits.append(await call.say("WAIT FOR DIGIT 10000"))

    acd.on |= {"call": decide, "dialogue/identify": dialogue}
    call = await world.call("0811000012", "5001", patience_s=30)
    asked = await acd.asks("dialogue/identify")
    await call.until_up()
    await call.press("7")
    queued = await acd.asks("queue")
    await waiting_caller(acd, asked.channel)
    await call.hang_up()
    assert digits == [f"200 result={ord('7')}"]
    assert queued.environment["agi_dnid"] == "5001"


@pytest.mark.parametrize(
    ("decision", "outcome"),
    [
        ({"ACD_DO": "blocked"}, "refused"),
        ({"ACD_DO": "closed", "ACD_PROMPT": "beep"}, "dropped"),
        ({"ACD_DO": "emergency", "ACD_PROMPT": "beep"}, "dropped"),
        ({"ACD_DO": "direct", "ACD_EXT": "203"}, "talked"),
    ],
)
async def test_other_decisions(world: World, acd: MiniAcd, decision: dict[str, str], outcome: str) -> None:
    async def decide(call: AgiCall) -> None:
        await call.set(ACD_ID="i-000004", **decision)

    acd.on["call"] = decide
    call = await world.call("0811000013", "5001", talk_s=0.5, patience_s=20)
    await call.until_ended()
    assert call.outcome == outcome


async def test_an_emergency_message_may_end_in_the_queue(world: World, acd: MiniAcd) -> None:
    async def decide(call: AgiCall) -> None:
        await call.set(ACD_ID="i-000005", ACD_DO="emergency", ACD_PROMPT="beep", ACD_THEN="wait")

    acd.on["call"] = decide
    call = await world.call("0811000014", "5001", patience_s=30)
    await waiting_caller(acd, (await acd.asks("queue")).channel)
    await call.hang_up()
