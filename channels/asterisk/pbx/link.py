"""A small AMI session on asyncio streams, for the world and for tests: independent of the client under test.

    open_link(access) -> Login -> `action` as often as you like; events go to the listeners -> close

An answer is matched by ActionID. The end of the connection fails everything that waits.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Mapping

from channels.asterisk.pbx.site_files import AmiAccess

Message = dict[str, str]
Listener = Callable[[Message], None]
ACTION_TIMEOUT_S = 30.0
MAX_LINE = 65_536


class LinkFailed(Exception):
    """AMI could not be reached, refused the login or went away; the text says which."""


class AmiLink:
    """One logged-in session. `listeners` are called with every event, in order."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.listeners: list[Listener] = []
        self._reader, self._writer = reader, writer
        self._numbers = itertools.count(1)
        self._waiting: dict[str, asyncio.Future[Message]] = {}
        self._failure: LinkFailed | None = None
        self._reading: asyncio.Task[None] = asyncio.ensure_future(self._read())

    async def action(self, name: str, fields: Mapping[str, str] | None = None) -> Message:
        """Send an action and return its response, whether `Success` or `Error`.

        Raises:
            LinkFailed: no answer in time, or the connection is gone.
            ValueError: a field would break out of its line.
        """
        lines = {"Action": name, "ActionID": str(next(self._numbers)), **(fields or {})}
        number = lines["ActionID"]
        if any("\r" in value or "\n" in value for value in lines.values()):
            raise ValueError(f"line break in a field of {name}")
        if self._failure is not None:
            raise self._failure
        answer: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
        self._waiting[number] = answer
        self._writer.write("".join(f"{key}: {value}\r\n" for key, value in lines.items()).encode() + b"\r\n")
        try:
            return await asyncio.wait_for(answer, ACTION_TIMEOUT_S)
        except TimeoutError as error:
            raise LinkFailed(f"no answer to {name} after {ACTION_TIMEOUT_S:.0f} s") from error
        finally:
            self._waiting.pop(number, None)

    async def require(self, name: str, fields: Mapping[str, str] | None = None) -> Message:
        """The same, where only `Success` will do.

        Raises:
            LinkFailed: Asterisk said no.
        """
        answer = await self.action(name, fields)
        if answer.get("Response") != "Success":
            raise LinkFailed(f"{name}: {answer.get('Message', answer)}")
        return answer

    async def close(self) -> None:
        """End the session."""
        self._reading.cancel()
        self._writer.close()
        await asyncio.wait([self._reading])

    async def _read(self) -> None:
        try:
            await self._reader.readline()  # the banner
            while True:
                self._take(await self._message())
        except (OSError, asyncio.IncompleteReadError, ValueError) as error:
            self._fail(LinkFailed(f"AMI went away: {error}"))

    async def _message(self) -> Message:
        message: Message = {}
        while True:
            line = await self._reader.readuntil(b"\n")
            text = line.decode("utf-8", "replace").rstrip("\r\n")
            if not text and message:
                return message
            key, _, value = text.partition(":")
            message[key] = f"{message[key]}\n{value.strip()}" if key in message else value.strip()

    def _take(self, message: Message) -> None:
        if "Response" in message:
            answer = self._waiting.get(message.get("ActionID", ""))
            if answer is not None and not answer.done():
                answer.set_result(message)
        for listener in list(self.listeners) if "Event" in message else ():
            listener(message)

    def _fail(self, error: LinkFailed) -> None:
        self._failure = error
        for answer in self._waiting.values():
            if not answer.done():
                answer.set_exception(error)
        for listener in list(self.listeners):
            listener({"Event": "LinkClosed"})


async def open_link(access: AmiAccess, *, events: str = "on") -> AmiLink:
    """Connect and log in.

    Raises:
        LinkFailed: nobody listens there, or the login was refused.
    """
    try:
        reader, writer = await asyncio.open_connection(access.host, access.port, limit=MAX_LINE)
    except OSError as error:
        raise LinkFailed(f"no AMI at {access.host}:{access.port}: {error}") from error
    link = AmiLink(reader, writer)
    try:
        await link.require("Login", {"Username": access.user, "Secret": access.secret, "Events": events})
    except LinkFailed:
        await link.close()
        raise
    return link
