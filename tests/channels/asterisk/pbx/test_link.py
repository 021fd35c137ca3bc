"""The small AMI session against a peer that a test scripts."""

from __future__ import annotations

import asyncio

import pytest

from channels.asterisk.pbx.link import LinkFailed, Message, open_link
from channels.asterisk.pbx.site_files import AmiAccess


class Peer:
    """Answers every action with `Response: <reply>`, and sends what a test wants."""

    def __init__(self, reply: str = "Success") -> None:
        self.reply = reply
        self.seen: list[str] = []
        self.writer: asyncio.StreamWriter | None = None

    async def start(self) -> AmiAccess:
        self.server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return AmiAccess("127.0.0.1", self.server.sockets[0].getsockname()[1], "me", "secret")

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writer = writer
        writer.write(b"Asterisk Call Manager/11.0.0\r\n")
        while line := (await reader.readline()).decode().strip():
            fields = [line]
            while line := (await reader.readline()).decode().strip():
                fields.append(line)
            self.seen.append(fields[0])
            number = next(field for field in fields if field.startswith("ActionID"))
            writer.write(f"Response: {self.reply}\r\n{number}\r\nMessage: so\r\n\r\n".encode())
        writer.close()


async def test_answers_and_events_find_their_way() -> None:
    peer = Peer()
    link = await open_link(await peer.start())
    events: list[Message] = []
    link.listeners.append(events.append)
    assert peer.writer is not None
    peer.writer.write(b"Event: Hello\r\nVariable: a\r\nVariable: b\r\nName: caf\xe9\r\n\r\n")
    assert (await link.action("Ping"))["Message"] == "so"
    assert events == [{"Event": "Hello", "Variable": "a\nb", "Name": "caf\ufffd"}]
    assert peer.seen == ["Action: Login", "Action: Ping"]
    await link.close()
    peer.server.close()


async def test_a_refusal_is_an_error() -> None:
    peer = Peer("Error")
    with pytest.raises(LinkFailed, match="Login: so"):
        await open_link(await peer.start())
    peer.server.close()


async def test_a_line_break_in_a_field_is_refused() -> None:
    peer = Peer()
    link = await open_link(await peer.start())
    with pytest.raises(ValueError, match="line break"):
        await link.action("Ping", {"Name": "x\r\nAction: Command"})
    await link.close()
    peer.server.close()


async def test_an_end_of_the_connection_fails_who_waits() -> None:
    peer = Peer()
    link = await open_link(await peer.start())
    events: list[Message] = []
    link.listeners.append(events.append)
    assert peer.writer is not None
    peer.writer.close()
    async with asyncio.timeout(20):
        while not events:
            await asyncio.sleep(0.01)
    assert events == [{"Event": "LinkClosed"}]
    with pytest.raises(LinkFailed, match="went away"):
        await link.action("Ping")
    await link.close()
    peer.server.close()


async def test_nobody_there() -> None:
    peer = Peer()
    access = await peer.start()
    peer.server.close()
    await peer.server.wait_closed()
    with pytest.raises(LinkFailed, match="no AMI at"):
        await open_link(access)
