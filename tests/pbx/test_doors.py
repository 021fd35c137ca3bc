"""What must not be possible: AMI beyond ccserver's rights, toll fraud, phones beyond their number plan."""

from __future__ import annotations

import asyncio

import pytest

from channels.asterisk.pbx.instance import PbxInstance
from channels.asterisk.pbx.link import LinkFailed, open_link
from channels.asterisk.pbx.site_files import AmiAccess
from channels.asterisk.pbx.world import World
from tests.pbx.mini_acd import AgiCall, MiniAcd
from tests.pbx.sip_probe import status_of_register

pytestmark = pytest.mark.pbx

REFUSED = [
    ("Command", {"Command": "core show version"}),
    ("Originate", {"Channel": "PJSIP/a1", "Application": "System", "Data": "true", "Async": "true"}),
    ("Originate", {"Channel": "PJSIP/a1", "Application": "TrySystem", "Data": "true", "Async": "true"}),
    ("GetConfig", {"Filename": "manager.conf"}),
    ("UpdateConfig", {"SrcFilename": "manager.conf", "DstFilename": "manager.conf"}),
    ("DBPut", {"Family": "ps", "Key": "auth", "Val": "x"}),
    ("Reload", {}),
    ("PJSIPShowEndpoints", {}),
    ("MixMonitor", {"Channel": "PJSIP/a1", "File": "x.wav"}),
    ("Filter", {"Operation": "Add", "Filter": "action(include),name(VarSet)"}),
]


@pytest.mark.parametrize(("action", "fields"), REFUSED)
async def test_ccservers_account_has_no_more_rights_than_it_needs(
    acd: MiniAcd, action: str, fields: dict[str, str]
) -> None:
    answer = await acd.link.action(action, fields)
    assert (answer["Response"], answer["Message"]) in [
        ("Error", "Permission denied"),
        ("Error", "Originate Access Forbidden: app or data blacklisted"),
    ]


async def test_dangerous_functions_cannot_be_read_or_set(acd: MiniAcd) -> None:
    for variable in ("SHELL(id)", "FILE(/etc/passwd)", "STAT(s,/etc/passwd)"):
        answer = await acd.link.action("Getvar", {"Variable": variable})
        assert answer.get("Value", "") == ""


async def test_the_states_of_phones_are_told(world: World, acd: MiniAcd) -> None:
    await world.robot("a4", conduct="ignore")
    await dial_from(acd, "a4", "205")
    await acd.event("DeviceStateChange", Device="PJSIP/a4", State="BUSY")  # from the first ring on
    leg = await acd.event("DialBegin", DialString="a4")
    await acd.link.require("Hangup", {"Channel": leg["DestChannel"]})
    await acd.event("DeviceStateChange", Device="PJSIP/a4", State="NOT_INUSE")


async def test_a_wrong_secret_is_refused(pbx: PbxInstance) -> None:
    with pytest.raises(LinkFailed, match="Authentication failed"):
        await open_link(AmiAccess(pbx.ami.host, pbx.ami.port, "ccserver", "wrong"))


async def test_events_that_nobody_reads_are_not_sent(world: World, acd: MiniAcd) -> None:
    call = await world.call("0813000001", "5001")
    channel = (await acd.asks("call")).channel
    await acd.event("BridgeEnter", Channel=channel)
    await call.hang_up()
    await acd.event("Hangup", Channel=channel)
    names = {event["Event"] for event in acd.events}
    assert not names & {
        "VarSet",
        "Newexten",
        "RTCPSent",
        "RTCPReceived",
        "Cdr",
        "NewAccountCode",
        "AGIExecStart",
    }
    assert {"Newchannel", "Newstate", "BridgeEnter", "MusicOnHoldStart", "Hangup"} <= names


@pytest.mark.parametrize("number", ["201", "08111", "00123456789"])
async def test_a_caller_cannot_reach_what_phones_can_dial(world: World, acd: MiniAcd, number: str) -> None:
    """Whatever number comes in by the trunk, it is a question to ccserver and never a call to somewhere."""
    call = await world.call("0813000002", number, patience_s=10)
    asked = await acd.asks("call")
    assert asked.environment["agi_context"] == "ccserver-in"
    await acd.event("BridgeEnter", Channel=asked.channel)
    await call.hang_up()
    assert not [event for event in acd.events if event["Event"] == "DialBegin"]


@pytest.mark.parametrize("extension", ["201&PJSIP/a1", "PJSIP/a1", "0811@trunk", "203)&(", '"$[1+1]"'])
async def test_nothing_of_a_decision_can_break_into_a_dial_string(
    world: World, acd: MiniAcd, extension: str
) -> None:
    """Even where a decision carries rubbish, only digits are taken of an internal number."""

    async def decide(call: AgiCall) -> None:
        await call.say(f'SET VARIABLE ACD_EXT "{extension.replace(chr(34), "")}"')
        await call.set(ACD_ID="i-000201", ACD_DO="direct")

    acd.on["call"] = decide
    for robot in world.robots:
        await world.robot(robot.name, conduct="reject")
    call = await world.call("0813000003", "5001", patience_s=1)
    await acd.asks("call")
    await call.until_ended()
    dialled = {event["DialString"] for event in acd.events if event["Event"] == "DialBegin"}
    phones = {robot.name for robot in world.robots}
    assert dialled <= phones | {f"PJSIP/{name}" for name in phones}  # by Dial, by the fallback queue


async def test_a_caller_with_a_hostile_number_and_name(world: World, acd: MiniAcd) -> None:
    call = await world.call("${SHELL(id)}", "5001", "<script>|&,Dial(PJSIP/a1)", patience_s=3)
    asked = await acd.asks("call")
    assert asked.environment["agi_calleridname"].startswith("<script>")
    assert "uid=" not in asked.environment["agi_callerid"]
    await call.hang_up()


async def dial_from(acd: MiniAcd, phone: str, number: str) -> None:
    """The phone goes off hook (its robot answers) and dials through the number plan of phones."""
    fields = {
        "Channel": f"PJSIP/{phone}",
        "Context": "ccserver-phones",
        "Exten": number,
        "Priority": "1",
        "Async": "true",
        "Timeout": "20000",
    }
    await acd.link.require("Originate", fields)


async def test_an_agents_phone_calls_a_colleague(world: World, acd: MiniAcd) -> None:
    await world.robot("a2", ring_s=0)
    await dial_from(acd, "a2", "203")
    rung = await acd.event("DialBegin", DialString="a3")
    assert rung["Channel"].startswith("PJSIP/a2-")
    await acd.event("DialEnd", DestChannel=rung["DestChannel"], DialStatus="ANSWER")


async def test_an_agents_phone_calls_outside_through_the_number_plan_only(world: World, acd: MiniAcd) -> None:
    outside = world.answered_outside()
    await dial_from(acd, "a2", "0811222333")
    assert await asyncio.wait_for(outside, 20) == "0811222333"
    answer = await acd.link.action(
        "Originate",
        {"Channel": "PJSIP/a3", "Context": "ccserver-phones", "Exten": "1900555", "Priority": "1"},
    )
    assert (answer["Response"], answer["Message"]) == ("Error", "Extension does not exist.")


async def test_phones_need_their_password(pbx: PbxInstance) -> None:
    assert await status_of_register(pbx, "a1") == 401
