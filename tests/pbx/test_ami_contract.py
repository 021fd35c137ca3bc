"""One contract, two PBXs: what our AMI client relies on is true of a real Asterisk and of the stand-in.

Each test runs on both with the same words; the stand-in cannot drift from what is asserted here. Orders are
those that hold in every run of Asterisk 22; where two of its threads race, nothing is asserted.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

import pytest
import pytest_twisted
from twisted.internet.defer import Deferred

from channels.asterisk.ami_client import (
    AmiActionError,
    AmiAddress,
    AmiCallbacks,
    AmiClient,
    AmiFieldError,
    AmiLogin,
    LoopClock,
)
from channels.asterisk.ami_codec import AmiMessage
from channels.asterisk.pbx.instance import PbxInstance, PbxSpec, Phone
from channels.asterisk.pbx.world import World
from channels.asterisk.standin.model import Phone as StandInPhone
from channels.asterisk.standin.server import StandIn

WAIT_S = 30.0
NUMBER = "0215550199"


class Call(Protocol):
    """A caller outside."""

    async def until_up(self, timeout_s: float = ...) -> None: ...
    async def until_ended(self, timeout_s: float = ...) -> None: ...
    async def hang_up(self) -> None: ...
    async def press(self, digits: str) -> None: ...


class AgiServer:
    """The least that parks a caller: runs `script`, keeps the replies, then says `wait` to every question."""

    def __init__(self) -> None:
        self.script: list[str] = []
        self.replies: list[str] = []
        self.environment: dict[str, str] = {}

    async def start(self, port: int = 0) -> int:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", port)
        return int(self._server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        self._server.close()
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.environment = {}
        while line := (await reader.readline()).decode().strip():
            key, _, value = line.partition(":")
            self.environment[key] = value.strip()
        script, self.script = self.script, []
        for command in script:
            writer.write(f"{command}\n".encode())
            self.replies.append((await reader.readline()).decode().strip())
        for name, value in (("ACD_ID", "i-17"), ("ACD_DO", "wait"), ("ACD_SINCE", "123")):
            writer.write(f'SET VARIABLE {name} "{value}"\n'.encode())
            await reader.readline()
        writer.close()


class Side(Protocol):
    """One PBX with phones a1, a2 (registered) and a9 (not), people outside, and an AGI server that parks."""

    login: tuple[str, int, str, str]
    agi: AgiServer

    async def start(self) -> None: ...
    async def stop(self) -> None: ...
    async def robot(self, name: str, conduct: str, ring_s: float, talk_s: float) -> None: ...
    async def call(self, number: str, patience_s: float) -> Call: ...


class RealSide:
    """Asterisk 22 of our own, and a second one as the outside world."""

    def __init__(self, folder: Path) -> None:
        phones = (Phone("a1", "201"), Phone("a2", "202"), Phone("a9", "209"))
        self.pbx = PbxInstance(PbxSpec(folder=folder / "pbx", phones=phones))
        self.world = World(self.pbx, robots=("a1", "a2"))
        self.agi = AgiServer()
        access = self.pbx.ami
        self.login = (access.host, access.port, access.user, access.secret)

    async def start(self) -> None:
        await self.agi.start(self.pbx.agi_port)
        await self.pbx.start()
        await self.world.start()

    async def stop(self) -> None:
        await self.world.stop()
        await self.pbx.stop()
        await self.agi.stop()

    async def robot(self, name: str, conduct: Any, ring_s: float, talk_s: float) -> None:
        await self.world.robot(name, conduct=conduct, ring_s=ring_s, talk_s=talk_s)

    async def call(self, number: str, patience_s: float) -> Call:
        return await self.world.call(NUMBER, number, "Contract Caller", 60, patience_s)


class StandInSide:
    """The stand-in."""

    def __init__(self, _folder: Path) -> None:
        phones = [StandInPhone("a1", "201"), StandInPhone("a2", "202")]
        self.pbx = StandIn(phones=[*phones, StandInPhone("a9", "209", registered=False)])
        self.agi = AgiServer()

    async def start(self) -> None:
        port = await self.agi.start()
        self.pbx.agi_url = f"agi://127.0.0.1:{port}/main/secret/{{route}}"
        await self.pbx.start()
        self.login = (self.pbx.ami_host, self.pbx.ami_port, self.pbx.user, self.pbx.secret)

    async def stop(self) -> None:
        await self.pbx.stop()
        await self.agi.stop()

    async def robot(self, name: str, conduct: str, ring_s: float, talk_s: float) -> None:
        answers = ring_s if conduct == "answer" else None
        self.pbx.phone(name, answer_after_s=answers, reject=conduct == "reject", talk_s=talk_s)

    async def call(self, number: str, patience_s: float) -> Call:
        return await self.pbx.call(NUMBER, number, "Contract Caller", 60, patience_s)


def on_loop(work: Callable[[], Awaitable[None]]) -> None:
    """Run it to its end on the reactor's loop, from a plain fixture."""
    pytest_twisted.blockon(Deferred.fromFuture(asyncio.ensure_future(work())))


@pytest.fixture(
    scope="module", params=[pytest.param(RealSide, marks=pytest.mark.pbx, id="asterisk"), StandInSide]
)
def side(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Side]:
    chosen: Side = request.param(tmp_path_factory.mktemp("contract"))
    try:
        on_loop(chosen.start)
        yield chosen
    finally:
        on_loop(chosen.stop)


class Desk:
    """Our client on that PBX, its heartbeat, and everything it heard."""

    def __init__(self, side: Side, secret: str | None = None) -> None:
        from twisted.internet import reactor

        self.side = side
        self.heard: list[AmiMessage] = []
        self.lost: list[str] = []
        self.news = asyncio.Event()
        host, port, user, right_secret = side.login
        self.client = AmiClient(
            AmiAddress("main", host, port),
            AmiLogin(user, secret or right_secret),
            AmiCallbacks(self._event, lambda _pbx: self.news.set(), lambda _pbx, why: self.lost.append(why)),
            reactor=reactor,
            clock=LoopClock(asyncio.get_running_loop()),
        )

    def _event(self, _pbx: str, message: AmiMessage) -> None:
        self.heard.append(message)
        self.news.set()

    async def __aenter__(self) -> Desk:
        self.client.start()
        await self.until(lambda: self.client.up)
        self._beating = asyncio.ensure_future(self._beat())
        return self

    async def __aexit__(self, *error: object) -> None:
        self._beating.cancel()
        for row in await self.client.action_list("CoreShowChannels"):
            self.client.send_nowait("Hangup", [("Channel", row["Channel"])])
        await self.until_idle()
        await self.client.stop()

    async def _beat(self) -> None:
        while True:
            self.client.send_nowait("Setvar", [("Variable", "ACD_BEAT"), ("Value", str(int(time.time())))])
            await asyncio.sleep(1)

    async def until(self, true: Callable[[], Any]) -> Any:
        """Wait until `true()`; returns what it gave."""
        async with asyncio.timeout(WAIT_S):
            while not (found := true()):
                self.news.clear()
                await asyncio.wait([asyncio.ensure_future(self.news.wait())], timeout=0.2)
        return found

    async def until_idle(self) -> None:
        async with asyncio.timeout(WAIT_S):
            while await self.client.action_list("CoreShowChannels"):
                await asyncio.sleep(0.05)

    def find(self, name: str, **headers: str) -> AmiMessage | None:
        """The first event of that name with these headers."""
        wanted = headers.items()
        for message in self.heard:
            if message.name == name and all(message.get(key) == value for key, value in wanted):
                return message
        return None

    async def event(self, name: str, **headers: str) -> AmiMessage:
        found: AmiMessage = await self.until(lambda: self.find(name, **headers))
        return found

    async def parked(self, patience_s: float = 60) -> tuple[Call, AmiMessage]:
        """A caller who waits in the holding bridge."""
        call = await self.side.call("1500", patience_s)
        start = await self.event("MusicOnHoldStart", CallerIDNum=NUMBER)
        return call, start

    def offer(self, caller: AmiMessage, device: str, leg: str, timeout_s: float = 20) -> str:
        """The product's hot action."""
        return self.client.send_nowait(
            "Originate",
            [
                ("Channel", f"PJSIP/{device}"),
                ("Application", "Bridge"),
                ("Data", f"{caller['Channel']},F(acd-after^s^1)"),
                ("ChannelId", leg),
                ("Timeout", str(int(timeout_s * 1000))),
                ("CallerID", '"Contract Caller" <0215550199>'),
                ("Async", "true"),
            ],
        )

    def story(self, uniqueid: str) -> list[str]:
        """Names of what happened to that leg, in order, without what races or only decorates."""
        shown = {"Newchannel", "DialBegin", "DialEnd", "Newstate", "HangupRequest", "Hangup", "BridgeEnter"}
        return [
            message.name
            for message in self.heard
            if message.name in shown and uniqueid in (message.get("Uniqueid"), message.get("DestUniqueid"))
        ]


def leg_id(side: Side, what: str) -> str:
    return f"leg-{what}-{time.monotonic_ns()}"


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
