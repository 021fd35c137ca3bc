"""One contract, two PBXs: login, answers, variables and AGI are the same on a real Asterisk and the stand-in.

Each test runs on both with the same words; the stand-in cannot drift from what is asserted here (calls:
`test_ami_contract_calls.py`).
"""

from __future__ import annotations

import asyncio
import time

import pytest

from channels.asterisk.ami_client import AmiActionError, AmiFieldError
from tests.pbx.both_sides import NUMBER, WAIT_S, Desk, Side, side

__all__ = ["side"]


async def test_login_ping_and_lag(side: Side) -> None:
    async with Desk(side) as desk:
        answer = await desk.client.action("Ping")
        assert answer["Ping"] == "Pong"
        assert desk.lost == []


async def test_wrong_secret_is_refused_and_said(side: Side) -> None:
    desk = Desk(side, secret="wrong")
    desk.client.start()
    await desk.until(lambda: "Authentication failed" in desk.client.last_error)
    assert not desk.client.up
    await desk.client.stop()


@pytest.mark.parametrize(
    ("action", "fields", "message"),
    [
        ("Hangup", [("Channel", "PJSIP/none-1")], "No such channel"),
        ("Getvar", [("Channel", "none"), ("Variable", "X")], "No such channel"),
        ("Setvar", [("Channel", "none"), ("Variable", "X"), ("Value", "1")], "No such channel"),
        ("Status", [("Channel", "none")], "No such channel"),
        (
            "Redirect",
            [("Channel", "none"), ("Context", "acd-wait"), ("Exten", "s"), ("Priority", "1")],
            "Channel does not exist: none",
        ),
        ("Bridge", [("Channel1", "none"), ("Channel2", "none")], "Channel1 does not exist: none"),
        (
            "BlindTransfer",
            [("Channel", "none"), ("Context", "ccserver-internal"), ("Exten", "201")],
            "Channel specified does not exist",
        ),
        (
            "QueueWithdrawCaller",
            [("Queue", "ccserver-fallback"), ("Caller", "none")],
            "Unable to request withdraw from queue: No such caller",
        ),
        ("Originate", [("Application", "Bridge"), ("Data", "x")], "Channel not specified"),
        (
            "Originate",
            [("Channel", "PJSIP/a1"), ("Application", "System"), ("Data", "ls"), ("Async", "true")],
            "Originate Access Forbidden: app or data blacklisted",
        ),
        ("Command", [("Command", "core show version")], "Permission denied"),
        ("DBPut", [("Family", "x"), ("Key", "y"), ("Val", "z")], "Permission denied"),
        ("Nonsense", [], "Invalid/unknown command: Nonsense."),
    ],
)
async def test_refusals_in_the_same_words(
    side: Side, action: str, fields: list[tuple[str, str]], message: str
) -> None:
    async with Desk(side) as desk:
        with pytest.raises(AmiActionError) as refused:
            await desk.client.action(action, fields)
    assert refused.value.response["Message"].startswith(message)


async def test_a_field_that_would_forge_an_action_never_leaves(side: Side) -> None:
    async with Desk(side) as desk:
        with pytest.raises(AmiFieldError):
            await desk.client.action("Setvar", [("Variable", "X"), ("Value", "1\r\n\r\nAction: Logoff")])
        assert (await desk.client.action("Ping"))["Ping"] == "Pong"


async def test_the_longest_line_we_allow_is_read(side: Side) -> None:
    value = "x" * (1024 - len("Value: \r\n"))
    async with Desk(side) as desk:
        await desk.client.action("Setvar", [("Variable", "LONG"), ("Value", value)])
        answer = await desk.client.action("Getvar", [("Variable", "LONG")])
        assert len(answer["Value"]) == len(value)


async def test_device_states(side: Side) -> None:
    async with Desk(side) as desk:
        rows = await desk.client.action_list("DeviceStateList")
        states = {row["Device"]: row["State"] for row in rows}
        assert [states[f"PJSIP/{name}"] for name in ("a1", "a2", "a9")] == [
            "NOT_INUSE",
            "NOT_INUSE",
            "UNAVAILABLE",
        ]


async def test_a_caller_waits_and_can_be_found(side: Side) -> None:
    async with Desk(side) as desk:
        call, caller = await desk.parked()
        assert desk.find("Newchannel", Uniqueid=caller["Uniqueid"], Exten="1500", ChannelStateDesc="Ring")
        assert desk.find("BridgeEnter", Uniqueid=caller["Uniqueid"], BridgeTechnology="holding_bridge")
        names = ("Variables", "ACD_ID,ACD_SINCE,ACD_MODE,ACD_QUEUE")
        (row,) = await desk.client.action_list("Status", [names])
        assert row.variables("Variable") == {
            "ACD_ID": "i-17",
            "ACD_SINCE": "123",
            "ACD_MODE": "wait",
            "ACD_QUEUE": "(null)",
        }
        assert (row["Application"], row["CallerIDNum"], row["DNID"]) == ("BridgeWait", NUMBER, "1500")
        assert row["BridgeID"] != ""
        await call.hang_up()
        assert (await desk.event("Hangup", Uniqueid=caller["Uniqueid"]))["Cause"] == "16"
        assert desk.story(caller["Uniqueid"]) == [
            "Newchannel",
            "Newstate",
            "BridgeEnter",
            "HangupRequest",
            "Hangup",
        ]


async def test_variables_of_a_channel_and_of_all(side: Side) -> None:
    async with Desk(side) as desk:
        _, caller = await desk.parked()
        channel = ("Channel", caller["Channel"])
        await desk.client.action("Setvar", [channel, ("Variable", "ACD_QUEUE"), ("Value", "sales ü")])
        answer = await desk.client.action("Getvar", [channel, ("Variable", "ACD_QUEUE")])
        assert answer["Value"] == "sales ü"
        answer = await desk.client.action("Getvar", [channel, ("Variable", "UNSET")])
        assert answer.get("Value") == ""
        answer = await desk.client.action("Getvar", [("Variable", "ACD_BEAT")])
        assert abs(int(answer["Value"]) - time.time()) < 60


AGI_WORDS = [
    ("GET VARIABLE UNSET", "200 result=0"),
    ('SET VARIABLE X "a b"', "200 result=1"),
    ("GET VARIABLE X", "200 result=1 (a b)"),
    ("GET VARIABLE CALLERID(num)", f"200 result=1 ({NUMBER})"),
    ("CHANNEL STATUS", "200 result=4"),
    ("NONSENSE", "510 Invalid or unknown command"),
    ("NOOP", "200 result=0"),
    ('VERBOSE "hello" 1', "200 result=1"),
    ("ANSWER", "200 result=0"),
    ("CHANNEL STATUS", "200 result=6"),
    ("EXEC Set Y=1", "200 result=0"),
    ("EXEC NoSuchApplication x", "200 result=-2"),
    ("GET VARIABLE Y", "200 result=1 (1)"),
    ('STREAM FILE beep "12"', "200 result=0 endpos="),
    ('SAY DIGITS 1 ""', "200 result=0"),
    ("WAIT FOR DIGIT 50", "200 result=0"),
    ("GET DATA beep 50 4", "200 result= (timeout)"),
]


async def test_agi_commands_and_their_replies(side: Side) -> None:
    side.agi.replies.clear()
    side.agi.script = [command for command, _ in AGI_WORDS]
    async with Desk(side) as desk:
        await desk.parked()
    for (command, expected), reply in zip(AGI_WORDS, side.agi.replies, strict=True):
        exact = not expected.endswith("endpos=")
        assert (reply if exact else reply[: len(expected)]) == expected, command


async def test_agi_environment(side: Side) -> None:
    async with Desk(side) as desk:
        _, caller = await desk.parked()
    told = side.agi.environment
    assert told["agi_network"] == "yes"
    assert (told["agi_uniqueid"], told["agi_channel"]) == (caller["Uniqueid"], caller["Channel"])
    assert (told["agi_callerid"], told["agi_calleridname"]) == (NUMBER, "Contract Caller")
    assert (told["agi_dnid"], told["agi_extension"]) == ("1500", "1500")
    names = "request channel language type uniqueid version callerid calleridname callingpres callingani2"
    names += " callington callingtns dnid rdnis context extension priority enhanced accountcode threadid"
    assert set(told) == {f"agi_{name}" for name in ("network", "network_script", *names.split())}


async def test_keys_that_a_caller_presses_reach_the_dialogue(side: Side) -> None:
    side.agi.replies.clear()
    side.agi.script = ["ANSWER", "GET DATA beep 10000 6", "WAIT FOR DIGIT 10000"]
    async with Desk(side):
        call = await side.call("1500", 60)
        await call.until_up()
        await asyncio.sleep(0.5)  # a person hears the prompt first
        await call.press("2580#")
        await asyncio.sleep(0.5)
        await call.press("7")
        async with asyncio.timeout(WAIT_S):
            while len(side.agi.replies) < 3:
                await asyncio.sleep(0.05)
    assert side.agi.replies == ["200 result=0", "200 result=2580", f"200 result={ord('7')}"]
