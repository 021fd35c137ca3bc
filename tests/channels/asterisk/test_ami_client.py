"""The AMI client against a scripted wire and a virtual clock: login, actions, lists, silence, faults."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from typing import Any

import pytest
import structlog
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.error import ConnectionDone, ConnectionRefusedError
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure

from channels.asterisk import ami_client
from channels.asterisk.ami_client import (
    AmiActionError,
    AmiAddress,
    AmiBusy,
    AmiCallbacks,
    AmiClient,
    AmiDown,
    AmiFieldError,
    AmiLogin,
    AmiTimeout,
)
from channels.asterisk.ami_codec import AmiDecoder, AmiMessage, AmiPeerError, encode_message

SECRET = "s3cret-of-the-test"


class Transport(StringTransport):
    """A transport whose abort reaches the protocol, as a socket's does."""

    proto: Any = None

    def abortConnection(self) -> None:
        self.disconnecting = True
        self.lose()

    def loseConnection(self) -> None:
        self.abortConnection()

    def lose(self) -> None:
        proto, self.proto = self.proto, None
        if proto is not None:
            proto.connectionLost(Failure(ConnectionDone()))


class Wire:
    """Stands in for dialling: each attempt gives a new transport, or is refused."""

    def __init__(self) -> None:
        self.attempts = 0
        self.refuse = False
        self.transport = Transport()
        self.protocol: Any = None

    def connect(self, factory: Any) -> Deferred[Any]:
        self.attempts += 1
        if self.refuse:
            return fail(ConnectionRefusedError())
        self.transport = Transport()
        self.protocol = factory.buildProtocol(None)
        self.transport.proto = self.protocol
        self.protocol.makeConnection(self.transport)
        return succeed(self.protocol)

    def say(self, *headers: tuple[str, str]) -> None:
        self.protocol.dataReceived(encode_message(headers))

    def raw(self, data: bytes) -> None:
        self.protocol.dataReceived(data)

    def sent(self) -> list[dict[str, str]]:
        """The actions written since the last look."""
        data = self.transport.value().replace(b"Action: ", b"Event: ")
        self.transport.clear()
        return [dict(message.headers) for message in AmiDecoder(with_banner=False).feed(data)]

    def log_in(self) -> None:
        self.raw(b"Asterisk Call Manager/11.0.0\r\n")
        self.say(("Response", "Success"), ("ActionID", "challenge"), ("Challenge", "4711"))
        self.say(("Response", "Success"), ("ActionID", "login"), ("Message", "Authentication accepted"))
        self.sent()


class World:
    """A client, its wire, its clock, and what it told its owner, in order."""

    def __init__(self, wanted: frozenset[str] | None = None) -> None:
        self.clock: Any = Clock()
        self.wire = Wire()
        self.told: list[tuple[str, ...]] = []
        self.client = AmiClient(
            AmiAddress("main", "pbx.example"),
            AmiLogin("ccserver", SECRET),
            AmiCallbacks(
                on_event=lambda _pbx, message: self.told.append(("event", message.name)),
                on_up=lambda pbx: self.told.append(("up", pbx)),
                on_down=lambda _pbx, why: self.told.append(("down", why)),
            ),
            reactor=None,
            clock=self.clock,
            wanted=wanted,
            endpoint=self.wire,
            chance=lambda: 1.0,
        )

    def up(self) -> World:
        self.client.start()
        self.wire.log_in()
        return self

    def pass_time(self, seconds: float) -> None:
        self.clock.pump([0.25] * int(seconds / 0.25))

    def answer_pings(self, seconds: float) -> None:
        for _ in range(int(seconds / 0.25)):
            self.clock.advance(0.25)
            for action in self.wire.sent():
                if action["Event"] == "Ping":
                    self.wire.say(("Response", "Success"), ("ActionID", action["ActionID"]), ("Ping", "Pong"))


async def waiting(start: Callable[[], Any]) -> asyncio.Task[Any]:
    """Begin a coroutine and let it run to its first wait."""
    task = asyncio.ensure_future(start())
    await asyncio.sleep(0)
    return task


def test_login_answers_the_challenge_and_never_shows_the_secret() -> None:
    world = World()
    world.client.start()
    assert world.wire.sent() == []  # nothing before the greeting
    world.wire.raw(b"Asterisk Call Manager/11.0.0\r\n")
    assert world.wire.sent() == [{"Event": "Challenge", "AuthType": "MD5", "ActionID": "challenge"}]
    world.wire.say(("Response", "Success"), ("ActionID", "challenge"), ("Challenge", "4711"))
    assert SECRET.encode() not in world.wire.transport.value()
    (login,) = world.wire.sent()
    assert login["Key"] == hashlib.md5(("4711" + SECRET).encode()).hexdigest()
    assert login["Username"] == "ccserver"
    assert login["Events"] == "call,user,agent"
    assert not world.client.up
    assert SECRET not in repr(AmiLogin("ccserver", SECRET))


def test_up_is_told_before_the_first_event_even_in_one_read() -> None:
    world = World()
    world.client.start()
    world.wire.raw(b"Asterisk Call Manager/11.0.0\r\n")
    world.wire.say(("Response", "Success"), ("ActionID", "challenge"), ("Challenge", "1"))
    accepted = encode_message([("Response", "Success"), ("ActionID", "login")])
    world.wire.raw(
        accepted + encode_message([("Event", "FullyBooted")]) + encode_message([("Event", "Hangup")])
    )
    assert world.told == [("up", "main"), ("event", "FullyBooted"), ("event", "Hangup")]
    assert world.client.up


async def test_an_end_of_our_own_is_no_warning() -> None:
    world = World().up()
    with structlog.testing.capture_logs() as logs:
        await world.client.stop()
    assert [(line["event"], line["log_level"]) for line in logs] == [("ami_lost", "info")]


def test_refused_login_says_who_must_do_what_and_tries_again_later() -> None:
    world = World()
    with structlog.testing.capture_logs() as logs:
        world.client.start()
        world.wire.raw(b"Asterisk Call Manager/11.0.0\r\n")
        world.wire.say(("Response", "Success"), ("ActionID", "challenge"), ("Challenge", "1"))
        world.wire.say(("Response", "Error"), ("ActionID", "login"), ("Message", "Authentication failed"))
    assert [line["event"] for line in logs] == ["ami_lost"]
    assert "Authentication failed" in logs[0]["why"]
    assert "[pbx.main]" in logs[0]["why"]
    assert SECRET not in str(logs)
    assert world.told == []
    world.pass_time(0.5)
    assert world.wire.attempts == 2


def test_a_challenge_without_content_is_refused() -> None:
    world = World()
    world.client.start()
    world.wire.raw(b"Asterisk Call Manager/11.0.0\r\n")
    world.wire.say(("Response", "Success"), ("ActionID", "challenge"))
    assert world.wire.transport.proto is None
    assert b"Key" not in world.wire.transport.value()


async def test_action_gets_the_response_with_its_id_whatever_the_order() -> None:
    world = World().up()
    first = await waiting(lambda: world.client.action("Getvar", [("Variable", "A")]))
    second = await waiting(lambda: world.client.action("Getvar", [("Variable", "B")]))
    ids = [action["ActionID"] for action in world.wire.sent()]
    world.wire.say(("Response", "Success"), ("ActionID", ids[1]), ("Value", "b"))
    world.wire.say(("Response", "Success"), ("ActionID", ids[0]), ("Value", "a"))
    assert ((await first)["value"], (await second)["Value"]) == ("a", "b")
    assert world.client.outstanding == 0


async def test_refused_action_carries_the_reason() -> None:
    world = World().up()
    task = await waiting(lambda: world.client.action("Hangup", [("Channel", "PJSIP/none")]))
    (action,) = world.wire.sent()
    world.wire.say(("Response", "Error"), ("ActionID", action["ActionID"]), ("Message", "No such channel"))
    with pytest.raises(AmiActionError, match="refused Hangup: No such channel"):
        await task
    assert world.client.counts.refused == 1


async def test_unanswered_action_times_out_and_its_late_answer_is_counted_only() -> None:
    world = World().up()
    task = await waiting(lambda: world.client.action("Status", timeout_s=2))
    (action,) = world.wire.sent()
    world.answer_pings(3)
    with pytest.raises(AmiTimeout):
        await task
    world.wire.say(("Response", "Success"), ("ActionID", action["ActionID"]))
    assert world.client.counts.late_replies == 1
    assert world.client.up


async def test_pending_actions_fail_when_the_connection_is_lost() -> None:
    world = World().up()
    task = await waiting(lambda: world.client.action("Status"))
    world.wire.transport.lose()
    with pytest.raises(AmiDown):
        await task
    with pytest.raises(AmiDown):
        await world.client.action("Status")
    assert world.told[-1][0] == "down"


async def test_a_cancelled_action_disturbs_nobody() -> None:
    world = World().up()
    task = await waiting(lambda: world.client.action("Status"))
    task.cancel()
    await asyncio.sleep(0)
    (action,) = world.wire.sent()
    world.wire.say(("Response", "Success"), ("ActionID", action["ActionID"]))
    assert world.client.counts.callback_errors == 0


async def test_action_list_collects_its_rows_among_the_events() -> None:
    world = World(wanted=frozenset({"Hangup", "DeviceStateChange"})).up()
    order: list[str] = []
    task = await waiting(
        lambda: world.client.action_list("Status", on_row=lambda row: order.append(row["Channel"]))
    )
    (action,) = world.wire.sent()
    row_of = ("ActionID", action["ActionID"])
    world.wire.say(("Response", "Success"), row_of, ("EventList", "start"))
    world.wire.say(("Event", "Status"), row_of, ("Channel", "PJSIP/a"))
    world.wire.say(("Event", "Hangup"), ("Channel", "PJSIP/a"))
    world.wire.say(("Event", "Newexten"), ("Channel", "PJSIP/a"))
    world.wire.say(("Event", "OriginateResponse"), ("ActionID", "another's"))
    world.wire.say(("Event", "Status"), row_of, ("Channel", "PJSIP/b"))
    world.wire.say(("Event", "StatusComplete"), row_of, ("EventList", "Complete"), ("ListItems", "2"))
    rows = await task
    assert [row.get("Channel") for row in rows] == ["PJSIP/a", "PJSIP/b"] == order
    assert world.told == [("up", "main"), ("event", "Hangup")]
    world.wire.say(("Event", "Status"), row_of)
    assert world.told[-1] == ("event", "Hangup")  # the list is over: rows are unwanted events again


async def test_a_list_without_rows_and_a_refused_list() -> None:
    world = World().up()
    empty = await waiting(lambda: world.client.action_list("CoreShowChannels"))
    refused = await waiting(lambda: world.client.action_list("PJSIPShowContacts"))
    ids = [action["ActionID"] for action in world.wire.sent()]
    world.wire.say(("Response", "Success"), ("ActionID", ids[0]), ("EventList", "start"))
    complete = ("EventList", "Complete")
    world.wire.say(("Event", "CoreShowChannelsComplete"), ("ActionID", ids[0]), complete)
    world.wire.say(("Response", "Error"), ("ActionID", ids[1]), ("Message", "No Contacts found"))
    assert await empty == []
    with pytest.raises(AmiActionError, match="No Contacts found"):
        await refused


async def test_a_list_that_does_not_end_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ami_client, "MAX_LIST_ROWS", 3)
    world = World().up()
    task = await waiting(lambda: world.client.action_list("Status"))
    (action,) = world.wire.sent()
    for _ in range(9):
        world.wire.say(("Event", "Status"), ("ActionID", action["ActionID"]))
    with pytest.raises(AmiPeerError, match="over 3 rows"):
        await task
    assert world.client.up


def test_send_nowait_writes_before_it_returns_and_calls_back_in_the_read() -> None:
    world = World().up()
    replies: list[Any] = []
    action_id = world.client.send_nowait("Originate", [("Channel", "PJSIP/a1")], replies.append)
    assert world.wire.sent() == [{"Event": "Originate", "Channel": "PJSIP/a1", "ActionID": action_id}]
    world.wire.say(("Response", "Error"), ("ActionID", action_id), ("Message", "no"))
    assert [reply.name for reply in replies] == ["Error"]
    world.client.send_nowait("Hangup", [("Channel", "x")], replies.append)
    world.wire.transport.lose()
    assert isinstance(replies[1], AmiDown)


def test_a_forged_field_is_refused_and_nothing_is_sent() -> None:
    world = World().up()
    with pytest.raises(AmiFieldError):
        world.client.send_nowait("Originate", [("CallerID", "x\r\nApplication: System")])
    assert world.wire.transport.value() == b""
    assert world.client.outstanding == 0


def test_actions_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ami_client, "MAX_OUTSTANDING", 2)
    world = World().up()
    world.client.send_nowait("Ping", [])
    world.client.send_nowait("Ping", [])
    with pytest.raises(AmiBusy):
        world.client.send_nowait("Ping", [])


def test_silence_is_noticed_within_five_seconds() -> None:
    world = World().up()
    world.answer_pings(20)
    assert world.client.up
    world.pass_time(5)
    assert world.told[-1] == ("down", "silent for 3.5 s")


def test_events_alone_keep_a_busy_peer_but_half_lines_do_not() -> None:
    world = World(wanted=frozenset()).up()
    for _ in range(20):
        world.pass_time(0.5)
        world.wire.say(("Event", "Newexten"))  # unwanted, yet a sign of life
    assert world.client.up
    assert world.client.lag_s > 1  # the ping that is never answered
    for _ in range(10):
        world.pass_time(0.5)
        world.wire.raw(b"half a l")
    assert world.told[-1] == ("down", "silent for 3.5 s")


def test_our_own_stall_is_not_the_peers_fault() -> None:
    world = World().up()
    world.answer_pings(5)
    world.clock.advance(30)  # the loop stood still
    assert world.client.up
    world.answer_pings(5)
    assert world.client.up


def test_lag_is_the_round_trip_of_the_ping() -> None:
    world = World().up()
    world.pass_time(0.5)
    (ping,) = world.wire.sent()
    world.clock.advance(0.125)
    assert world.client.lag_s == pytest.approx(0.125)
    world.wire.say(("Response", "Success"), ("ActionID", ping["ActionID"]), ("Ping", "Pong"))
    world.clock.advance(0.2)
    assert world.client.lag_s == pytest.approx(0.125)


RUBBISH = {
    "no AMI": b"HTTP/1.1 400 Bad Request\r\n\r\n",
    "neither Event nor Response": b"\x00\xff\xfe rubbish\r\n\r\n",
    "line of more than": b"Event: X\r\nData: " + b"x" * 200_000,
    "message of more than": b"Event: X\r\nData: " + b"x" * 10_000_000 + b"\r\n\r\n",
}


@pytest.mark.parametrize("fault", RUBBISH)
def test_rubbish_drops_the_connection_with_one_line_and_comes_back(fault: str) -> None:
    world = World()
    if fault == "no AMI":
        world.client.start()
    else:
        world.up()
    with structlog.testing.capture_logs() as logs:
        world.wire.raw(RUBBISH[fault])
    assert [(line["event"], line["pbx"]) for line in logs] == [("ami_lost", "main")]
    assert fault in logs[0]["why"]
    assert world.client.counts.peer_faults == 1
    world.pass_time(1)
    world.wire.log_in()
    assert world.client.up


def test_what_came_before_the_fault_is_still_delivered() -> None:
    world = World().up()
    world.wire.raw(
        encode_message([("Event", "Hangup")]) + b"rubbish\r\n\r\n" + encode_message([("Event", "A")])
    )
    assert [told[0] for told in world.told] == ["up", "event", "down"]


def test_a_peer_that_never_greets_is_dropped() -> None:
    world = World()
    world.client.start()
    world.pass_time(6)
    assert "no login within" in world.client.last_error
    assert world.wire.attempts == 2


def test_a_callback_that_raises_harms_nobody() -> None:
    world = World().up()

    def broken(pbx: str, message: AmiMessage) -> None:
        raise ZeroDivisionError(message.name)

    world.client.callbacks.on_event = broken
    with structlog.testing.capture_logs() as logs:
        world.wire.say(("Event", "Hangup"))
    assert [line["event"] for line in logs] == ["ami_callback_failed"]
    assert world.client.counts.callback_errors == 1
    assert world.client.up


def test_pauses_grow_while_it_fails_and_start_over_after_a_good_life() -> None:
    world = World()
    world.wire.refuse = True
    with structlog.testing.capture_logs() as logs:
        world.client.start()
        world.pass_time(60)
    assert [line["event"] for line in logs if "pbx" in line] == ["ami_unreachable"]  # once, not per attempt
    assert 9 <= world.wire.attempts <= 14
    world.wire.refuse = False
    while world.wire.protocol is None:
        world.pass_time(0.25)
    world.wire.log_in()
    world.answer_pings(15)
    attempts = world.wire.attempts
    world.wire.transport.lose()
    world.pass_time(0.25)
    assert world.wire.attempts == attempts + 1


async def test_stop_hangs_up_and_stays_away() -> None:
    world = World().up()
    await world.client.stop()
    world.pass_time(60)
    assert world.wire.attempts == 1
    assert world.told[-1] == ("down", "stopped by us")
    assert world.clock.getDelayedCalls() == []
