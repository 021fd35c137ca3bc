"""Asterisk's side of FastAGI on a real socket: a peer that a test leads, and a caller who follows a script.

peer = await AgiPeer.call(port, "call?secret=...")       the request is sent
assert await peer.command() == ["SET VARIABLE", ...]     what we were told to do
peer.say("200 result=1")                                 what Asterisk answers

caller = Caller(peer, {"enter-customer-number": ["4711"], "confirm-number": ["1"]})
await caller.follow()                                    until the connection closes
assert caller.heard == [...]                             prompt ids, in order
"""

from __future__ import annotations

import asyncio
import shlex
from collections.abc import Mapping, Sequence

WAIT_S = 20.0
SECRET = "a-secret-of-tests-0001"
ENVIRONMENT = {
    "agi_network": "yes",
    "agi_channel": "PJSIP/trunk-00000001",
    "agi_language": "en",
    "agi_type": "PJSIP",
    "agi_uniqueid": "1763800000.1",
    "agi_version": "22.10.1",
    "agi_callerid": "+62215550101",
    "agi_calleridname": "unknown",
    "agi_dnid": "1500",
    "agi_context": "ccserver-in",
    "agi_extension": "1500",
    "agi_priority": "4",
    "agi_enhanced": "0.0",
    "agi_accountcode": "",
    "agi_threadid": "140000000000000",
}
_VERBS = ("SET VARIABLE", "GET VARIABLE", "STREAM FILE", "GET DATA", "WAIT FOR DIGIT", "DATABASE GET")


def environment(script: str, changes: Mapping[str, str] | None = None) -> bytes:
    """The lines of a request, as Asterisk 22 writes them."""
    values = {"agi_network_script": script, "agi_request": f"agi://127.0.0.1/{script}"} | ENVIRONMENT
    lines = [f"{name}: {value}\n" for name, value in (values | dict(changes or {})).items()]
    return "".join(lines).encode() + b"\n"


def script(route: str, query: str = "", secret: str = SECRET) -> str:
    """The path and query of an AGI address, with the tests' secret."""
    return f"{route}?secret={secret}{query}"


class AgiPeer:
    """One FastAGI connection, as Asterisk holds it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    @classmethod
    async def connect(cls, port: int) -> AgiPeer:
        """Connected, with nothing sent."""
        async with asyncio.timeout(WAIT_S):
            return cls(*await asyncio.open_connection("127.0.0.1", port))

    @classmethod
    async def call(cls, port: int, address: str, changes: Mapping[str, str] | None = None) -> AgiPeer:
        """Connected, with a whole request sent."""
        peer = await cls.connect(port)
        peer.writer.write(environment(address, changes))
        return peer

    async def command(self) -> list[str]:
        """The next command: its verb, then its arguments without quotes; [] when the connection is closed."""
        async with asyncio.timeout(WAIT_S):
            line = (await self.reader.readline()).decode()
        if not line:
            self.writer.close()
            return []
        assert line.endswith("\n")
        verb = next((verb for verb in _VERBS if line.startswith(verb + " ")), line.split()[0])
        return [verb, *shlex.split(line[len(verb) :])]

    def say(self, *lines: str) -> None:
        """Write lines."""
        self.writer.write("".join(f"{line}\n" for line in lines).encode())

    async def closed(self) -> bytes:
        """Everything that still comes until the server closes."""
        async with asyncio.timeout(WAIT_S):
            try:
                rest = await self.reader.read()
            except ConnectionError:
                rest = b""
        self.writer.close()
        return rest


class Caller:
    """Answers commands as a PBX does whose caller presses keys when a certain prompt plays.

    `keys[prompt_id]` holds one entry for each time it plays: a key or digits, "" for nothing, or "hangup".
    """

    def __init__(self, peer: AgiPeer, keys: Mapping[str, Sequence[str]] | None = None) -> None:
        self.peer = peer
        self.heard: list[str] = []
        self.variables: dict[str, str] = {}
        self._keys = {prompt: list(answers) for prompt, answers in (keys or {}).items()}

    async def follow(self) -> Caller:
        """Answer everything until the connection closes."""
        while command := await self.peer.command():
            if not self._answer(command[0], command[1:]):
                self.peer.say("HANGUP")
                await self.peer.closed()
                break
        return self

    def _answer(self, verb: str, arguments: list[str]) -> bool:
        key = ""
        if verb in ("STREAM FILE", "GET DATA"):
            prompt = arguments[0].rpartition("/")[2]
            self.heard.append(prompt)
            key = self._keys[prompt].pop(0) if self._keys.get(prompt) else ""
        if key == "hangup":
            return False
        if verb == "SET VARIABLE":
            self.variables[arguments[0]] = arguments[1]
        if verb == "EXEC" and arguments[0] == "MSet":
            self.variables |= dict(pair.split("=", 1) for pair in arguments[1].split(","))
        self.peer.say(self._reply(verb, key))
        return True

    def _reply(self, verb: str, key: str) -> str:
        if verb == "STREAM FILE":
            return f"200 result={ord(key) if key else 0} endpos=1600"
        if verb == "GET DATA":
            return f"200 result={key}" if key else "200 result= (timeout)"
        return "200 result=0" if verb in ("WAIT FOR DIGIT", "ANSWER") else "200 result=1"
