"""Peers that send rubbish, half lines, endless lines or nothing; look-ups that are slow; a clock set back."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.acceptance.centre import Centre, free_port, new_secret
from tests.acceptance.steps import BILLING, SITI, STRANGER, eventually, pop_that, talking

pytestmark = pytest.mark.pbx
BAD_PORT = free_port()
CENTRE = {
    "wrap_up_s": 1,
    "more": f'[pbx.bad]\nhost = "127.0.0.1"\nport = {BAD_PORT}\nuser = "ccserver"\n',
    "env": {"CCSERVER_PBX__BAD__SECRET": "secret", "CCSERVER_PBX__BAD__FASTAGI_SECRET": new_secret()},
}
BANNER = b"Asterisk Call Manager/11.0.0\r\n"
Peer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def bad_pbx(peer: Peer) -> AsyncIterator[None]:
    """Somebody at the port of the second PBX."""

    async def met(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            await peer(reader, writer)
        writer.close()

    server = await asyncio.start_server(met, "127.0.0.1", BAD_PORT, limit=1 << 20)
    try:
        yield
    finally:
        server.close()


async def rubbish(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(os.urandom(50_000))
    await writer.drain()
    await asyncio.sleep(30)


async def half_a_line(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(BANNER + b"Response: Succ")
    await asyncio.sleep(30)


async def an_endless_line(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(BANNER + b"Event: " + b"x" * 10_000_000)
    await writer.drain()
    await asyncio.sleep(30)


async def nothing(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(30)


async def logged_in_then_rubbish(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(BANNER)
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"Response: Success\r\nActionID: challenge\r\nChallenge: 1\r\n\r\n")
    await reader.readuntil(b"\r\n\r\n")
    writer.write(
        b"Response: Success\r\nActionID: login\r\nMessage: ok\r\n\r\n\xff\xfe\r\n\r\nnonsense\r\n\r\n"
    )
    await asyncio.sleep(30)


def warnings(centre: Centre, words: str, since: int = 0) -> list[str]:
    """Log lines that are warnings and contain `words`."""
    lines = centre.log.read_text(errors="replace").splitlines()[since:]
    return [line for line in lines if words in line and json.loads(line)["level"] == "warning"]


def lines_so_far(centre: Centre) -> int:
    return len(centre.log.read_text(errors="replace").splitlines())


@pytest.mark.parametrize(
    "peer", [rubbish, half_a_line, an_endless_line, nothing, logged_in_then_rubbish], ids=lambda p: p.__name__
)
async def test_an_ami_peer_gone_mad_is_dropped_with_a_clear_line_and_calls_elsewhere_go_on(
    centre: Centre, peer: Peer
) -> None:
    ayu = await centre.desk("ayu")
    since = lines_so_far(centre)
    async with bad_pbx(peer):
        told = await eventually("a line about it", lambda: warnings(centre, '"ami_lost"', since))
        assert all('"pbx": "bad"' in line and json.loads(line)["why"] for line in told)
        call, _ = await talking(centre, ayu)
        await call.hang_up()
    assert await centre.is_ready(), "one PBX that is up is enough to serve"


async def test_foreign_and_rubbish_fastagi_peers_are_refused_with_one_line_each_and_calls_go_on(
    centre: Centre,
) -> None:
    ayu = await centre.desk("ayu")
    port, secret = centre.pbx.agi_port, centre.pbx.agi_secret
    true_looking = (
        "agi_network: yes\nagi_network_script: call?secret={}\nagi_request: agi://127.0.0.1/call?secret={}\n"
        "agi_channel: PJSIP/trunk-1\nagi_uniqueid: 1700000000.1\nagi_callerid: 0811\nagi_extension: 100\n\n"
    )
    wrong = true_looking.format("x" * 32, "x" * 32).encode()
    unknown_channel = true_looking.format(secret, secret).encode()
    for sent, words in (
        (wrong, "refused: wrong or no secret"),
        (unknown_channel, "knows no channel"),
        (b"\x00\xff" * 2_000 + b"\n\n", "FastAGI from"),
        (b"agi_request: " + b"x" * 10_000_000, "FastAGI from"),
        (b"agi_netw", "FastAGI from"),
        (b"", "FastAGI from"),
    ):
        since = lines_so_far(centre)
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        with contextlib.suppress(OSError):
            writer.write(sent)
            await writer.drain()
            assert await asyncio.wait_for(reader.read(), 20) == b"", "nothing is told to a stranger"
        writer.close()
        told = await eventually("a line about it", lambda w=words, s=since: warnings(centre, w, s))  # type: ignore[misc]
        assert len([line for line in told if "FastAGI" in line]) == 1
        assert secret not in "".join(told)
    call, _ = await talking(centre, ayu)
    await call.hang_up()


async def test_a_fastagi_peer_from_a_foreign_address_is_refused_before_a_byte_is_read(
    centre: Centre, people: Path
) -> None:
    """A second centre that lets 127.0.0.9 in, and nobody else."""
    other = Centre(centre.folder / "other", centre.pbx, centre.world, more=CENTRE["more"])  # type: ignore[arg-type]
    other.settle(people)
    other.env = dict(CENTRE["env"])  # type: ignore[call-overload]
    other.write_config()
    port = free_port()
    text = other.config_file.read_text().replace(
        f"port = {centre.pbx.agi_port}\n", f'port = {port}\nallow = ["127.0.0.9/32"]\n'
    )
    other.config_file.write_text(text)
    await other.start()
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        assert await asyncio.wait_for(reader.read(), 20) == b""
        writer.close()
        (told,) = warnings(other, "FastAGI from 127.0.0.1 refused")
        assert "sources" in told
    finally:
        await other.stop()


async def test_calls_go_on_while_the_database_is_locked_by_another_process(centre: Centre) -> None:
    """SQLite lets readers read; the journal takes what the database cannot, and the database follows."""
    ayu = await centre.desk("ayu")
    holder = sqlite3.connect(centre.folder / "data" / "ccserver.db", isolation_level=None, timeout=10)
    holder.execute("BEGIN EXCLUSIVE")
    try:
        call, interaction = await talking(centre, ayu, caller=SITI)
        await call.hang_up()
        await ayu.until("work", lambda f: f["item"]["phase"] == "unfinished")
    finally:
        holder.execute("ROLLBACK")
        holder.close()

    async def known() -> bool:
        detail = await centre.get(f"/api/v1/interactions/{interaction}")
        return isinstance(detail, dict) and detail["outcome"] == "answered" and bool(detail["origin"])

    await eventually("the database has it all", known)


async def test_a_look_up_that_fails_routes_the_call_as_unknown_and_the_next_one_is_known(
    centre: Centre,
) -> None:
    """The table of customers' numbers is away for one call. (Slow look-ups: test_postgres.)"""
    ayu = await centre.desk("ayu", ready=False)
    file = centre.folder / "data" / "ccserver.db"
    with contextlib.closing(sqlite3.connect(file, timeout=10)) as other:
        other.execute("ALTER TABLE customer_numbers RENAME TO customer_numbers_away")
        other.commit()
        call = await centre.world.call(SITI, BILLING)
        await centre.world.robot("a1", ring_s=2)
        await ayu.do("ready")
        pop = (await ayu.until("offer"))["offer"]["pop"]
        assert pop["customer"] is None
        assert pop["match"]["kind"] == "unknown"
        await call.until_heard()
        await call.hang_up()
        other.execute("ALTER TABLE customer_numbers_away RENAME TO customer_numbers")
        other.commit()
    await ayu.until("work", lambda f: f["item"]["phase"] == "unfinished")
    again, _ = await talking(centre, ayu, caller=SITI)
    await pop_that(ayu, lambda pop: pop["customer"] is not None)
    await again.hang_up()


async def test_hundreds_of_bad_commands_from_one_desk_hurt_nobody_else(centre: Centre) -> None:
    ayu, budi = await centre.desk("ayu", ready=False), await centre.desk("budi")
    await ayu.send_raw(*["{not json"] * 200)
    await eventually("the socket is closed", lambda: ayu.closed)
    await centre.world.robot("a2", ring_s=0.2)
    await centre.world.call(STRANGER, BILLING, talk_s=0.5)
    await budi.until("offer")
