"""The stand-in over real sockets: our AMI client, a FastAGI server at its door, trouble on purpose."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import structlog
import uvloop

from channels.asterisk.ami_client import AmiAddress, AmiCallbacks, AmiClient, AmiLogin, LoopClock
from channels.asterisk.standin.model import Phone
from channels.asterisk.standin.server import StandIn, encode, parse_action, split_agi_url

WAIT_S = 20.0


class Owner:
    """Our client on a stand-in, and what it told."""

    def __init__(self, pbx: StandIn, name: str = "main") -> None:
        from twisted.internet import reactor

        self.told: list[str] = []
        self.client = AmiClient(
            AmiAddress(name, pbx.ami_host, pbx.ami_port),
            AmiLogin(pbx.user, pbx.secret),
            AmiCallbacks(
                lambda _pbx, message: self.told.append(message.name),
                lambda _pbx: self.told.append("up"),
                lambda _pbx, why: self.told.append(f"down: {why}"),
            ),
            reactor=reactor,
            clock=LoopClock(asyncio.get_running_loop()),
        )

    async def __aenter__(self) -> Owner:
        self.client.start()
        await until(lambda: self.client.up)
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.client.stop()

    async def beat(self) -> None:
        fields = [("Variable", "ACD_BEAT"), ("Value", str(int(time.time()) + 600))]
        await self.client.action("Setvar", fields)


async def until(true: Callable[[], Any]) -> None:
    async with asyncio.timeout(WAIT_S):
        while not true():
            await asyncio.sleep(0.01)


class Park:
    """A FastAGI server that parks everybody, and remembers what it was told."""

    def __init__(self) -> None:
        self.environments: list[list[bytes]] = []

    async def __aenter__(self) -> str:
        self.server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return f"agi://127.0.0.1:{self.server.sockets[0].getsockname()[1]}/main/secret/{{route}}"

    async def __aexit__(self, *error: object) -> None:
        self.server.close()
        await self.server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        lines = []
        while line := (await reader.readline()).strip():
            lines.append(line)
        self.environments.append(lines)
        for command in (b'SET VARIABLE ACD_ID "i-1"\n', b'SET VARIABLE ACD_DO "wait"\n'):
            writer.write(command)
            await reader.readline()
        writer.close()


async def test_a_call_from_the_door_to_the_agent_and_out() -> None:
    park = Park()
    async with (
        park as agi_url,
        StandIn(agi_url=agi_url, phones=[Phone("a1", "201")]) as pbx,
        Owner(pbx) as owner,
    ):
        await owner.beat()
        call = await pbx.call("0215550101", "1500", "M\udcfcller", talk_s=0.1)
        await call.until_up(WAIT_S)
        assert b"agi_calleridname: M\xfcller" in park.environments[0]
        assert b"agi_network_script: main/secret/call" in park.environments[0]
        (row,) = await owner.client.action_list("Status", [("Variables", "ACD_ID")])
        assert (row["CallerIDName"], row.variables("Variable")["ACD_ID"]) == ("Müller", "i-1")
        pbx.phone("a1", answer_after_s=0.05)
        data = f"{call.channel},F(acd-after^s^1)"
        fields = [("Channel", "PJSIP/a1"), ("Application", "Bridge"), ("Data", data), ("Async", "true")]
        owner.client.send_nowait("Originate", fields)
        await call.until_heard(WAIT_S)
        await call.until_ended(WAIT_S)
        assert (call.outcome, call.cause) == ("talked", 16)
        assert pbx.calls == {}


async def test_without_an_agi_server_the_caller_gets_the_fallback_and_can_leave() -> None:
    async with StandIn(agi_url="agi://127.0.0.1:1/{route}") as pbx, Owner(pbx) as owner:
        call = await pbx.call("0215550101", "1500")
        await call.until_up(WAIT_S)
        await until(lambda: "QueueCallerJoin" in owner.told)
        await call.hang_up()
        await call.until_ended(WAIT_S)
        assert call.outcome == "abandoned"


TROUBLE = {
    "rubbish": b"\x00\xff rubbish\r\n\r\n",
    "a 10 MB line": b"Event: X\r\nData: " + b"x" * 10_000_000,
    "a 10 MB message": b"Event: X\r\n" + b"Data: yyyyyyyyyyyyyy\r\n" * 500_000,
}


@pytest.mark.parametrize("trouble", TROUBLE)
async def test_a_faulty_pbx_is_dropped_with_one_line_and_the_other_unharmed(trouble: str) -> None:
    async with (
        StandIn() as faulty,
        StandIn() as good,
        Owner(faulty, "faulty") as bad,
        Owner(good, "good") as fine,
    ):
        with structlog.testing.capture_logs() as logs:
            faulty.send_raw(TROUBLE[trouble])
            await until(lambda: bad.told.count("up") == 2)
        lost = [line for line in logs if line["event"] == "ami_lost"]
        assert [line["pbx"] for line in lost] == ["faulty"]
        assert "peer fault" in lost[0]["why"]
        assert bad.told[1].startswith("down: peer fault")
        assert fine.told == ["up"]
        assert (await fine.client.action("Ping"))["Ping"] == "Pong"
        assert (await bad.client.action("Ping"))["Ping"] == "Pong"


async def test_a_pbx_that_falls_silent_is_left_and_found_again() -> None:
    async with StandIn() as pbx, Owner(pbx) as owner:
        pbx.go_silent()
        await until(lambda: len(owner.told) > 1)
        assert owner.told == ["up", "down: silent for 3.5 s"]
        pbx.go_silent(False)
        await until(lambda: owner.told.count("up") == 2)


async def test_cut_connections_come_back() -> None:
    async with StandIn() as pbx, Owner(pbx) as owner:
        for times in (2, 3):
            pbx.drop_sessions()
            await until(lambda times=times: owner.told.count("up") == times)  # type: ignore[misc]


async def read_to_the_end(reader: asyncio.StreamReader) -> None:
    """Return when the other side has ended the connection, politely or not."""
    try:
        while await reader.read(1000):
            pass
    except ConnectionResetError:
        return


async def test_a_client_that_sends_without_end_is_cut() -> None:
    async with StandIn() as pbx:
        reader, writer = await asyncio.open_connection(pbx.ami_host, pbx.ami_port)
        assert (await reader.readline()).startswith(b"Asterisk Call Manager/")
        writer.write(b"x" * 100_000)
        async with asyncio.timeout(WAIT_S):
            await read_to_the_end(reader)
        writer.close()


@pytest.mark.parametrize("action", [b"Action: Status", b"Action: Login\r\nUsername: ccserver\r\nSecret: x"])
async def test_nobody_gets_in_without_the_secret(action: bytes) -> None:
    async with StandIn() as pbx:
        reader, writer = await asyncio.open_connection(pbx.ami_host, pbx.ami_port)
        writer.write(action + b"\r\n\r\n")
        async with asyncio.timeout(WAIT_S):
            await reader.readline()
            assert await reader.readline() == b"Response: Error\r\n"
        writer.close()
        await writer.wait_closed()


def test_actions_are_read_as_asterisk_reads_them() -> None:
    fields = parse_action(b"Action:  Originate\r\nVariable: a=1\r\nvariable: b=2\r\nEmpty:")
    assert fields == {"action": ["Originate"], "variable": ["a=1", "b=2"], "empty": [""]}


def test_a_value_cannot_break_out_of_its_line() -> None:
    assert encode([("Event", "X"), ("Name", "a\r\nEvent: Y")]) == b"Event: X\r\nName: aEvent: Y\r\n\r\n"


def test_agi_addresses() -> None:
    assert split_agi_url("agi://127.0.0.1:4573/main/s/call") == ("127.0.0.1", 4573, "main/s/call")
    for wrong in ("http://127.0.0.1:1/x", "agi://127.0.0.1/x", ""):
        with pytest.raises(ValueError, match="not an AGI address"):
            split_agi_url(wrong)


def test_it_runs_on_uvloop_too() -> None:
    """As in production; uvloop's transports are of other classes. In a thread, for this one has a loop."""

    async def greet() -> bytes:
        async with StandIn() as pbx:
            reader, writer = await asyncio.open_connection(pbx.ami_host, pbx.ami_port)
            writer.write(f"Action: Login\r\nUsername: ccserver\r\nSecret: {pbx.secret}\r\n\r\n".encode())
            async with asyncio.timeout(WAIT_S):
                said = await reader.readline() + await reader.readline()
            writer.close()
            return said

    def run() -> bytes:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(greet())

    with ThreadPoolExecutor(1) as pool:
        said = pool.submit(run).result(WAIT_S)
    assert said == b"Asterisk Call Manager/11.0.0\r\nResponse: Success\r\n"
