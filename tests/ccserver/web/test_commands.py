"""Commands are carried out once."""

from __future__ import annotations

import asyncio

from ccserver.desk.protocol import Ack, Command, Ready
from ccserver.web.api.commands import MAX_ID_CHARS, MAX_IDS, MAX_IN_FLIGHT, MAX_SESSIONS, Commands
from ccserver.web.metrics import Metrics
from tests.fakes.web import FakeDesks, user


async def desks_of(*agents: str) -> FakeDesks:
    """Open desks, with nothing recorded yet."""
    desks = FakeDesks([], devices=agents)
    for agent in agents:
        await desks.open(user(agent), f"s-{agent}", agent)
    desks.events.clear()
    return desks


def done(desks: FakeDesks) -> list[object]:
    """(agent, id) of each command carried out."""
    return [(event[1], event[3]) for event in desks.events if isinstance(event, tuple)]


async def test_same_id_again_gets_the_first_answer_and_does_nothing() -> None:
    desks = await desks_of("ayu")
    commands = Commands(desks, Metrics())
    first = await commands.carry_out("ayu", "s-ayu", Ready(id="c1"))
    again = await commands.carry_out("ayu", "s-ayu", Ready(id="c1"))
    assert first == again == Ack(id="c1", ok=True)
    assert done(desks) == [("ayu", "c1")]


async def test_ids_are_the_sessions_own() -> None:
    desks = await desks_of("ayu", "budi")
    commands = Commands(desks, Metrics())
    await commands.carry_out("ayu", "s-ayu", Ready(id="c1"))
    await commands.carry_out("budi", "s-budi", Ready(id="c1"))
    assert done(desks) == [("ayu", "c1"), ("budi", "c1")]


async def test_command_in_flight_survives_its_socket_and_is_not_repeated() -> None:
    desks, gate = await desks_of("ayu"), asyncio.Event()

    async def wait(command: Command) -> None:
        await gate.wait()

    desks.before = wait
    commands = Commands(desks, Metrics())
    cut = asyncio.ensure_future(commands.carry_out("ayu", "s-ayu", Ready(id="c1")))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    cut.cancel()
    again = asyncio.ensure_future(commands.carry_out("ayu", "s-ayu", Ready(id="c1")))
    await asyncio.sleep(0)
    gate.set()
    assert await again == Ack(id="c1", ok=True)
    assert done(desks) == [("ayu", "c1")]


async def test_fault_in_a_command_is_answered_and_counted() -> None:
    desks, metrics = await desks_of("ayu"), Metrics()

    async def fail(command: Command) -> None:
        raise RuntimeError("broken")

    desks.before = fail
    ack = await Commands(desks, metrics).carry_out("ayu", "s-ayu", Ready(id="c1"))
    assert (ack.id, ack.ok, ack.error) == ("c1", False, "internal")
    assert metrics.registry.get_sample_value("ccserver_errors_total", {"where": "command"}) == 1


async def test_command_that_never_ends_is_answered() -> None:
    desks = await desks_of("ayu")

    async def hang(command: Command) -> None:
        await asyncio.Event().wait()

    desks.before = hang
    ack = await Commands(desks, Metrics(), timeout_s=0.01).carry_out("ayu", "s-ayu", Ready(id="c1"))
    assert (ack.ok, ack.error) == (False, "timeout")


async def test_commands_in_flight_are_limited() -> None:
    desks, gate = await desks_of("ayu"), asyncio.Event()

    async def wait(command: Command) -> None:
        await gate.wait()

    desks.before = wait
    commands = Commands(desks, Metrics())
    flying = [
        asyncio.ensure_future(commands.carry_out("ayu", "s-ayu", Ready(id=f"c{i}")))
        for i in range(MAX_IN_FLIGHT)
    ]
    await asyncio.sleep(0)
    refused = await commands.carry_out("ayu", "s-ayu", Ready(id="more"))
    assert refused.error.startswith("too_many")
    gate.set()
    assert all(ack.ok for ack in await asyncio.gather(*flying))
    assert (await commands.carry_out("ayu", "s-ayu", Ready(id="more"))).ok


async def test_ids_of_no_or_absurd_length_are_refused() -> None:
    desks = await desks_of("ayu")
    commands = Commands(desks, Metrics())
    for bad in ("", "x" * (MAX_ID_CHARS + 1)):
        assert (await commands.carry_out("ayu", "s-ayu", Ready(id=bad))).error.startswith("bad_id")
    assert done(desks) == []


async def test_memory_is_bounded() -> None:
    desks = await desks_of("ayu")
    commands = Commands(desks, Metrics())
    for i in range(MAX_IDS + 1):
        await commands.carry_out("ayu", "s-ayu", Ready(id=f"c{i}"))
    assert len(commands._sessions["s-ayu"].answers) == MAX_IDS
    for i in range(MAX_SESSIONS):
        commands._memory(f"other{i}")
    assert len(commands._sessions) == MAX_SESSIONS
