"""The FastAGI door over real sockets: who comes in, what a handler can do, and what happens to the rest."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable

import pytest
from twisted.internet import reactor
from twisted.internet.address import IPv4Address, IPv6Address

from channels.asterisk.fastagi_codec import render_command
from channels.asterisk.fastagi_door import PbxDoor, is_in
from channels.asterisk.fastagi_request import AgiRequest
from channels.asterisk.fastagi_server import Confirm, FastAgiFactory, Handler, ServerLimits
from channels.asterisk.fastagi_session import (
    AgiCommandError,
    AgiError,
    AgiHangup,
    AgiSession,
    AgiTimeout,
    CommandTimes,
    LocalProtocolError,
    assignments,
)
from tests.fakes.agi_peer import SECRET, WAIT_S, AgiPeer, environment, script

DOOR = PbxDoor("main", SECRET)


@contextlib.asynccontextmanager
async def serving(
    handler: Handler,
    *,
    doors: tuple[PbxDoor, ...] = (DOOR,),
    limits: ServerLimits | None = None,
    confirm: Confirm | None = None,
) -> AsyncIterator[tuple[FastAgiFactory, int]]:
    factory = FastAgiFactory(
        doors,
        {"call": handler},
        asyncio.get_running_loop(),
        confirm=confirm,
        limits=limits or ServerLimits(),
    )
    port = reactor.listenTCP(0, factory, interface="127.0.0.1")  # type: ignore[attr-defined]
    try:
        yield factory, port.getHost().port
    finally:
        await port.stopListening().asFuture(asyncio.get_running_loop())
        factory.close_all()
        await until(lambda: not factory.open)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(WAIT_S):
        while not condition():
            await asyncio.sleep(0.005)


async def wait_forever(agi: AgiSession) -> None:
    await asyncio.Event().wait()


async def set_id(agi: AgiSession) -> None:
    await agi.set_variable("ACD_ID", "c-1")


async def is_served(port: int) -> None:
    """A caller in order is answered."""
    peer = await AgiPeer.call(port, script("call"))
    assert await peer.command() == ["SET VARIABLE", "ACD_ID", "c-1"]
    peer.say("200 result=1")
    assert await peer.closed() == b""


async def test_a_handler_is_told_about_the_call_but_not_the_secret() -> None:
    seen: list[AgiRequest] = []

    async def handler(agi: AgiSession) -> None:
        seen.append(agi.request)

    async with serving(handler) as (factory, port):
        peer = await AgiPeer.call(port, script("call", "&ext=%2B6221"), {"agi_arg_1": "one", "agi_arg_2": ""})
        assert await peer.closed() == b""
        await until(lambda: not factory.open)
        assert factory.counters == {"handled": 1}
    (request,) = seen
    assert (request.pbx, request.route, dict(request.query)) == ("main", "call", {"ext": "+6221"})
    assert (request.uniqueid, request.channel) == ("1763800000.1", "PJSIP/trunk-00000001")
    assert (request.caller_number, request.caller_name) == ("+62215550101", "")
    assert (request.dialled, request.language, request.context) == ("1500", "en", "ccserver-in")
    assert request.arguments == ("one", "")
    assert SECRET not in repr(request) + repr(dict(request.env)) + repr(DOOR)


async def test_several_variables_are_set_by_one_command() -> None:
    async def handler(agi: AgiSession) -> None:
        odd = {"NAME": 'Ani, "Budi" (x)', "EMPTY": ""}
        await agi.set_variables({"ACD_ID": "c-1", "ACD_DO": "wait", "CHANNEL(language)": "id"} | odd)
        assert await agi.get_variable("CALLERID(num)") == "62"
        assert await agi.get_variable("NOT_SET") is None
        await agi.set_variables({})

    async with serving(handler) as (factory, port):
        peer = await AgiPeer.call(port, script("call"))
        assert await peer.command() == ["EXEC", "MSet", "ACD_ID=c-1,ACD_DO=wait,CHANNEL(language)=id,EMPTY="]
        peer.say("200 result=0")
        assert await peer.command() == ["SET VARIABLE", "NAME", 'Ani, "Budi" (x)']
        peer.say("200 result=1")
        assert await peer.command() == ["GET VARIABLE", "CALLERID(num)"]
        peer.say("200 result=1 (62)")
        await peer.command()
        peer.say("200 result=0")
        assert await peer.closed() == b""
        await until(lambda: factory.counters["handled"] == 1)


@pytest.mark.parametrize("value", ["a,b", 'a"b', "a\\b", "(a", "a]", " a", "a ", "x" * 65, "é", "a$b", "a'b"])
def test_only_plain_values_are_packed(value: str) -> None:
    assert assignments({"A": value}) == [("SET VARIABLE", "A", value)]


def test_packs_stay_within_what_asterisk_reads() -> None:
    commands = assignments({f"{'N' * 78}{number:02}": "v" * 64 for number in range(30)})
    assert [len(command[2].split(",")) for command in commands] == [12, 12, 6]
    assert all(len(render_command(*command)) < 2_000 for command in commands)
    for name, value in (("A;B", "x"), ("SHELL(x)", "x"), ("A", "x\ny"), ("A", "x" * 3_000)):
        with pytest.raises(LocalProtocolError):
            assignments({"ACD_ID": "c-1", name: value})


async def test_sounds_keys_and_applications() -> None:
    got: list[str] = []

    async def handler(agi: AgiSession) -> None:
        await agi.answer()
        got.append(await agi.play(["ccserver/en/welcome", "en/digits/1", "beep"], "12"))
        got.append(await agi.get_data("beep", 3_000, 4))
        got.append(await agi.wait_for_digit(1_000))
        got.append(await agi.exec("Playback", "beep"))
        with pytest.raises(AgiCommandError, match="no application NoSuch"):
            await agi.exec("NoSuch")
        with pytest.raises(AgiCommandError, match="510"):
            await agi.command("NONSENSE")
        await agi.hangup()
        with pytest.raises(AgiHangup):
            await agi.answer()

    replies = {
        "ANSWER": ["200 result=0"],
        "STREAM FILE": ["200 result=0 endpos=1", "200 result=50 endpos=1"],
        "GET DATA": ["200 result=4711"],
        "WAIT FOR DIGIT": ["200 result=0"],
        "EXEC": ["200 result=0", "200 result=-2"],
        "NONSENSE": ["510 Invalid or unknown command"],
        "HANGUP": ["200 result=1"],
    }
    async with serving(handler) as (factory, port):
        peer = await AgiPeer.call(port, script("call"))
        while command := await peer.command():
            peer.say(replies[command[0]].pop(0))
        await until(lambda: factory.counters["handled"] == 1)
    assert got == ["2", "4711", "", "0"]
    assert not any(replies.values())


async def test_hangup_raises_in_the_command_that_waits() -> None:
    ends: list[str] = []

    async def handler(agi: AgiSession) -> None:
        try:
            await agi.wait_for_digit(60_000)
        except AgiError as error:
            ends.append(f"{type(error).__name__}: {error}")
            raise

    async with serving(handler) as (factory, port):
        said_so = await AgiPeer.call(port, script("call"))
        await said_so.command()
        said_so.say("HANGUP")
        assert await said_so.closed() == b""
        broke_off = await AgiPeer.call(port, script("call"))
        await broke_off.command()
        broke_off.writer.close()
        dead = await AgiPeer.call(port, script("call"))
        await dead.command()
        dead.say("511 Command Not Permitted on a dead channel or intercept routine")
        assert await dead.closed() == b""
        await until(lambda: factory.counters["hung_up"] == 3)
    assert sorted(ends) == [
        "AgiHangup: the caller hung up",
        "AgiHangup: the channel is dead",
        "AgiHangup: the connection broke off",
    ]


async def test_a_peer_that_does_not_answer_a_command_is_dropped(caplog: pytest.LogCaptureFixture) -> None:
    async def handler(agi: AgiSession) -> None:
        with pytest.raises(AgiTimeout):
            await agi.answer()

    limits = ServerLimits(times=CommandTimes(reply_s=0.05))
    async with serving(handler, limits=limits) as (factory, port):
        peer = await AgiPeer.call(port, script("call"))
        await peer.command()
        assert await peer.closed() == b""
        await until(lambda: factory.counters == {"dropped": 1, "handled": 1})
    assert lines_of(caplog, "dropped") == 1


async def test_a_handler_without_end_is_cancelled() -> None:
    async with serving(wait_forever, limits=ServerLimits(session_s=0.05)) as (factory, port):
        peer = await AgiPeer.call(port, script("call"))
        assert await peer.closed() == b""
        await until(lambda: not factory.open)


async def test_a_handler_that_fails_lets_the_caller_go_on(caplog: pytest.LogCaptureFixture) -> None:
    async def handler(agi: AgiSession) -> None:
        raise KeyError("bug")

    async with serving(handler) as (factory, port):
        assert await (await AgiPeer.call(port, script("call"))).closed() == b""
        await until(lambda: factory.counters == {"failed": 1})
    assert lines_of(caplog, "handler of call failed") == 1


async def test_two_commands_at_once_are_our_own_fault() -> None:
    errors: list[BaseException | None] = []

    async def handler(agi: AgiSession) -> None:
        first = asyncio.ensure_future(agi.answer())
        await asyncio.sleep(0)
        with pytest.raises(LocalProtocolError, match="still running"):
            await agi.answer()
        await first
        errors.append(None)

    async with serving(handler) as (_, port):
        peer = await AgiPeer.call(port, script("call"))
        await peer.command()
        peer.say("200 result=0")
        assert await peer.closed() == b""
    assert errors == [None]


def lines_of(caplog: pytest.LogCaptureFixture, words: str) -> int:
    assert SECRET not in caplog.text
    return sum(words in record.getMessage() for record in caplog.records)


@pytest.mark.parametrize(
    ("address", "counter"),
    [
        (script("call", secret="wrong-secret-of-tests"), "refused_secret"),
        ("call", "refused_secret"),
        (f"{SECRET}/call", "refused_secret"),
        (script("call", secret=SECRET[:-1]), "refused_secret"),
        (script("call", secret="é" * 20), "refused_secret"),
        (script("nowhere"), "refused_route"),
        (script("call/../call"), "refused_route"),
    ],
)
async def test_wrong_secret_or_route_is_refused(
    address: str, counter: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with serving(set_id) as (factory, port):
        assert await (await AgiPeer.call(port, address)).closed() == b""
        await until(lambda: not factory.open)
        assert factory.counters == {counter: 1}
        assert lines_of(caplog, "refused") == 1
        await is_served(port)


async def test_the_secret_tells_which_pbx_asks_and_where_it_may_come_from(
    caplog: pytest.LogCaptureFixture,
) -> None:
    seen: list[str] = []

    async def handler(agi: AgiSession) -> None:
        seen.append(agi.request.pbx)

    second = PbxDoor("second", "another-secret-of-tests")
    far = PbxDoor("far", "a-secret-from-far-away", sources=("192.0.2.0/24",))
    async with serving(handler, doors=(DOOR, second, far)) as (factory, port):
        await (await AgiPeer.call(port, script("call", secret=second.secret))).closed()
        await (await AgiPeer.call(port, script("call"))).closed()
        await (await AgiPeer.call(port, script("call", secret=far.secret))).closed()
        await until(lambda: factory.counters == {"handled": 2, "refused_source": 1})
    assert seen == ["second", "main"]
    assert lines_of(caplog, "PBX far may not come from there") == 1


async def test_a_foreign_address_is_refused_before_it_says_anything(caplog: pytest.LogCaptureFixture) -> None:
    far = PbxDoor("far", SECRET, sources=("192.0.2.0/24",))
    async with serving(set_id, doors=(far,)) as (factory, port):
        assert await (await AgiPeer.connect(port)).closed() == b""
        assert factory.counters == {"refused_source": 1}
        assert factory.buildProtocol(IPv4Address("TCP", "198.51.100.7", 1)) is None
        inside = factory.buildProtocol(IPv6Address("TCP", "::ffff:192.0.2.9", 1))
        assert inside is not None
        factory.forget(inside)
    assert lines_of(caplog, "refused") == 2


async def test_the_call_must_be_known(caplog: pytest.LogCaptureFixture) -> None:
    asked: list[str] = []

    async def confirm(request: AgiRequest) -> bool:
        asked.append(request.uniqueid)
        if request.uniqueid == "slow.1":
            await asyncio.Event().wait()
        return request.uniqueid == "1763800000.1"

    async with serving(set_id, confirm=confirm, limits=ServerLimits(confirm_s=0.05)) as (factory, port):
        for uniqueid in ("1.2", "slow.1"):
            peer = await AgiPeer.call(port, script("call"), {"agi_uniqueid": uniqueid})
            assert await peer.closed() == b""
        await is_served(port)
        await until(lambda: factory.counters == {"refused_unconfirmed": 2, "handled": 1})
    assert asked == ["1.2", "slow.1", "1763800000.1"]
    assert lines_of(caplog, "knows no channel") == 2


@pytest.mark.parametrize(
    "raw",
    [
        b"\x00\xff rubbish \r\n" * 40,
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"agi_network_script: call?secr",
        b"agi_network_script: call\n" * 500,
        b"x" * 10_000_000,
        b"agi_x: " + b"y" * 10_000_000 + b"\n",
        b"",
        environment(script("call"), {"agi_uniqueid": "<script>"}),
        environment(script("call", "&a=1&a=2")),
        environment(script("call")) + b"200 result=1\n" * 3,
        environment(script("call")) + b"rubbish\n",
    ],
    ids=range(11),
)
async def test_rubbish_is_dropped_with_one_line_and_others_are_unharmed(
    raw: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    async def handler(agi: AgiSession) -> None:
        await set_id(agi)

    limits = ServerLimits(header_s=0.3, times=CommandTimes(reply_s=WAIT_S))
    async with serving(handler, limits=limits) as (factory, port):
        good = await AgiPeer.call(port, script("call"))
        assert await good.command() == ["SET VARIABLE", "ACD_ID", "c-1"]
        bad = await AgiPeer.connect(port)
        bad.writer.write(raw)
        await bad.closed()
        await until(lambda: len(factory.open) == 1)
        assert factory.counters["dropped"] == 1
        assert lines_of(caplog, "dropped") == 1
        good.say("200 result=1")
        assert await good.closed() == b""
        await is_served(port)


async def test_a_connection_that_breaks_off_early_is_told(caplog: pytest.LogCaptureFixture) -> None:
    async with serving(set_id) as (factory, port):
        peer = await AgiPeer.connect(port)
        peer.writer.write(b"agi_network: yes\n")
        peer.writer.close()
        await until(lambda: factory.counters == {"dropped": 1})
    assert lines_of(caplog, "broke off before") == 1


async def test_more_connections_than_allowed_are_refused(caplog: pytest.LogCaptureFixture) -> None:
    for limits in (ServerLimits(connections=2), ServerLimits(connections_per_source=2)):
        async with serving(wait_forever, limits=limits) as (factory, port):
            peers = [await AgiPeer.call(port, script("call")) for _ in range(2)]
            await until(lambda: len(factory.open) == 2)
            third = await AgiPeer.connect(port)
            assert await third.closed() == b""
            assert factory.counters == {"refused_full": 1}
            peers[0].writer.close()
            await until(lambda: len(factory.open) == 1)
            factory.close_all()
            await until(lambda: not factory.open)
            peers[1].writer.close()
    assert lines_of(caplog, "refused") == 2


async def test_many_callers_at_once() -> None:
    async with serving(set_id) as (factory, port):
        await asyncio.gather(*(is_served(port) for _ in range(50)))
        await until(lambda: factory.counters == {"handled": 50})


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", "a b", "x\ny", "", "a|b"])
async def test_only_names_of_sounds_are_played(name: str) -> None:
    errors: list[Exception] = []

    async def handler(agi: AgiSession) -> None:
        try:
            await agi.stream_file(name)
        except LocalProtocolError as error:
            errors.append(error)

    async with serving(handler) as (_, port):
        assert await (await AgiPeer.call(port, script("call"))).closed() == b""
    assert len(errors) == 1


def test_a_door_must_be_closed_well() -> None:
    with pytest.raises(ValueError, match="openssl rand"):
        PbxDoor("main", "short")
    with pytest.raises(ValueError, match="openssl rand"):
        PbxDoor("main", "with spaces and & signs")
    with pytest.raises(ValueError, match="192"):
        PbxDoor("main", SECRET, sources=("192.0.2.0/240",))
    loop = asyncio.new_event_loop()
    try:
        with pytest.raises(ValueError, match="same FastAGI secret"):
            FastAgiFactory([DOOR, PbxDoor("second", SECRET)], {}, loop)
    finally:
        loop.close()


def test_addresses_that_are_none_are_in_no_network() -> None:
    assert is_in("127.0.0.9", DOOR.networks)
    assert is_in("::1", DOOR.networks)
    assert not is_in("", DOOR.networks)
    assert not is_in("localhost", DOOR.networks)


@pytest.fixture(autouse=True)
def _log_level(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
