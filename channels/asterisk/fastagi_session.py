"""One caller on FastAGI, as a handler sees it: what was asked, and the commands that can be given.

A session takes one command at a time. Asterisk demands it: it reads one line of what has come and leaves the
rest in its buffer until more comes, and it breaks off a playing prompt without a reply as soon as a second
command is there. So several variables are set by one command, `EXEC MSet` (0.4 ms where six single ones
take 1.5), as far as their values are plain.

Whatever ends the call (the caller hangs up, the connection breaks, a time-out) raises in the command that
waits, and in every later one:

    AgiHangup        the caller or the connection is gone: stop, there is nobody to talk to
    AgiTimeout       Asterisk did not answer in time; the connection is dropped
    AgiCommandError  Asterisk refused this one command (510, 520, no such application); the call goes on
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from channels.asterisk.fastagi_codec import (
    LocalProtocolError,
    RemoteProtocolError,
    Reply,
    check_application,
    check_command,
    check_variable,
    render_command,
    shown,
)
from channels.asterisk.fastagi_request import AgiRequest

__all__ = [
    "DEFAULT_TIMES",
    "AgiCommandError",
    "AgiError",
    "AgiHangup",
    "AgiRequest",
    "AgiSession",
    "AgiTimeout",
    "CommandTimes",
    "LocalProtocolError",
    "Speaker",
    "Wire",
]

MAX_PAIRS = 12  # MSet takes 24, and a whole command 2047 bytes
MAX_PLAIN_CHARS = 64
_SOUND = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_./-]{0,199}")
_PLAIN = re.compile(r"[\w .:;+@/=*#?!-]*", re.ASCII)
_DIGITS = re.compile(r"[0-9*#]{0,12}")


class AgiError(Exception):
    """A command had no good end."""


class AgiHangup(AgiError):
    """The caller, or the connection to Asterisk, is gone."""


class AgiTimeout(AgiError):
    """Asterisk did not answer a command in time."""


class AgiCommandError(AgiError):
    """Asterisk refused a command; the call goes on."""


class Speaker(Protocol):
    """Knows where the prompts lie: prompt ids in, names of sound files out."""

    def sounds(self, prompt_ids: Iterable[str], language: str) -> Sequence[str]: ...


class Wire(Protocol):
    """What a session needs from its connection."""

    def write(self, data: bytes) -> None: ...
    def drop(self, reason: str) -> None: ...
    def take_lines(self, on_line: Callable[[bytes], None], on_gone: Callable[[str], None]) -> None: ...
    def take_replies(self) -> None: ...


@dataclass(frozen=True, slots=True)
class CommandTimes:
    """How long Asterisk may take, in seconds: to answer a command, and to play one prompt to its end."""

    reply_s: float = 5.0
    media_s: float = 120.0


DEFAULT_TIMES = CommandTimes()


@dataclass(slots=True)
class _Pending:
    future: asyncio.Future[Reply]
    timer: asyncio.TimerHandle


class AgiSession:
    """The commands for one caller; made by the server, used by one handler."""

    def __init__(
        self,
        request: AgiRequest,
        wire: Wire,
        loop: asyncio.AbstractEventLoop,
        times: CommandTimes,
        speaker: Speaker | None = None,
    ) -> None:
        self.request = request
        self._wire = wire
        self._loop = loop
        self._times = times
        self._speaker = speaker
        self._pending: _Pending | None = None
        self._gone: AgiError | None = None
        self._lines = False

    @property
    def is_gone(self) -> bool:
        """Whether the caller or the connection is known to be gone."""
        return self._gone is not None

    # Commands that only set or read.

    async def set_variable(self, name: str, value: str) -> None:
        """Set one channel variable. Raises LocalProtocolError for a name or value that must not be sent."""
        await self.command("SET VARIABLE", check_variable(name, writing=True), value)

    async def set_variables(self, values: Mapping[str, str]) -> None:
        """Set several channel variables in as few commands as can be; all are checked before the first."""
        for command in assignments(values):
            await self.command(*command)

    async def get_variable(self, name: str) -> str | None:
        """The value of a channel variable or of a listed function; None when it is not set."""
        reply = await self.command("GET VARIABLE", check_variable(name, writing=False))
        return reply.data if reply.result == "1" else None

    async def exec(self, application: str, options: str = "", timeout_s: float | None = None) -> str:
        """Run a dialplan application and wait for its end; returns its result. Never give it caller data."""
        timeout = self._times.media_s if timeout_s is None else timeout_s
        reply = await self.command("EXEC", check_application(application), options, timeout_s=timeout)
        if reply.result == "-2":
            raise AgiCommandError(f"the PBX has no application {application}; load its module")
        return self._alive(reply).result

    async def answer(self) -> None:
        """Answer the call, unless it is answered."""
        self._alive(await self.command("ANSWER"))

    async def hangup(self) -> None:
        """Hang the caller up. Every later command raises AgiHangup."""
        await self.command("HANGUP")
        self.end(AgiHangup("we hung up"))

    # Commands that the caller hears or answers. Digits come back as text, "" for none.

    async def stream_file(self, name: str, escape_digits: str = "") -> str:
        """Play one sound file (no extension) to its end, or to one of the digits, which is returned."""
        line_arguments = (_check_sound(name), _check_digits(escape_digits))
        reply = await self.command("STREAM FILE", *line_arguments, timeout_s=self._times.media_s)
        return _digit(self._alive(reply).result)

    async def play(self, names: Iterable[str], escape_digits: str = "") -> str:
        """Play sound files one after another; ends at once with the digit that was pressed."""
        for name in names:
            digit = await self.stream_file(name, escape_digits)
            if digit:
                return digit
        return ""

    async def say(self, *prompt_ids: str, language: str = "", escape_digits: str = "") -> str:
        """Speak prompts, numbers composed by `channels.asterisk.prompts` too, in the caller's language."""
        if self._speaker is None:
            raise LocalProtocolError("this FastAGI server was given no prompts")
        names = self._speaker.sounds(prompt_ids, language or self.request.language)
        return await self.play(names, escape_digits)

    async def get_data(self, name: str, timeout_ms: int, max_digits: int) -> str:
        """Play a file and collect digits, up to `#`, the number wanted, or so many ms of silence."""
        if not (0 < timeout_ms <= 60_000 and 0 < max_digits <= 64):
            raise LocalProtocolError("get_data waits 1..60000 ms for 1..64 digits")
        allowed_s = self._times.media_s + timeout_ms / 1000 * max_digits
        arguments = (_check_sound(name), str(timeout_ms), str(max_digits))
        reply = await self.command("GET DATA", *arguments, timeout_s=allowed_s)
        return self._alive(reply).result

    async def wait_for_digit(self, timeout_ms: int) -> str:
        """Wait for one digit, so many ms at most."""
        if not 0 < timeout_ms <= 600_000:
            raise LocalProtocolError("wait_for_digit waits 1..600000 ms")
        allowed_s = self._times.reply_s + timeout_ms / 1000
        reply = await self.command("WAIT FOR DIGIT", str(timeout_ms), timeout_s=allowed_s)
        return _digit(self._alive(reply).result)

    async def command(self, verb: str, *arguments: str, timeout_s: float | None = None) -> Reply:
        """Any AGI command; its 200 reply. Raises the errors listed at the top of this module."""
        timeout = self._times.reply_s if timeout_s is None else timeout_s
        return _check(await self._exchange(render_command(verb, *arguments), timeout))

    # A dialogue with a parser of its own takes the lines as they are.

    def take_lines(self, on_line: Callable[[bytes], None], on_gone: Callable[[str], None]) -> None:
        """From now on raw lines go to `on_line`; `on_gone` is told once when caller or connection is gone."""
        self._check_free()
        self._lines = True
        self._wire.take_lines(on_line, on_gone)

    def write_line(self, line: bytes) -> None:
        """Send one raw command line while lines are taken. Raises LocalProtocolError, AgiHangup."""
        if self._gone:
            raise self._gone
        if not self._lines:
            raise LocalProtocolError("lines are not taken")
        self._wire.write(check_command(line))

    def take_replies(self) -> None:
        """Take commands again; the dialogue must have read the reply to its last command."""
        self._lines = False
        self._wire.take_replies()

    def drop(self, reason: str) -> None:
        """Close the connection: the caller goes on in the dialplan."""
        self._wire.drop(reason)

    # Called by the server.

    def take_reply(self, reply: Reply) -> None:
        """One reply came. Raises RemoteProtocolError when nothing was asked."""
        pending, self._pending = self._pending, None
        if pending is None:
            if self._gone is None:
                raise RemoteProtocolError("a reply to no command")
            return
        pending.timer.cancel()
        if not pending.future.done():
            pending.future.set_result(reply)

    def end(self, error: AgiError) -> None:
        """The call is over for this session; the first reason stays."""
        if self._gone is None:
            self._gone = error
        pending, self._pending = self._pending, None
        if pending is not None:
            pending.timer.cancel()
            if not pending.future.done():
                pending.future.set_exception(self._gone)

    def _check_free(self) -> None:
        if self._gone is not None:
            raise self._gone
        if self._pending is not None or self._lines:
            raise LocalProtocolError("the command before this one is still running")

    async def _exchange(self, line: bytes, timeout_s: float) -> Reply:
        self._check_free()
        future: asyncio.Future[Reply] = self._loop.create_future()
        timer = self._loop.call_later(timeout_s, self._expire, timeout_s)
        self._pending = _Pending(future, timer)
        self._wire.write(line)
        return await future

    def _expire(self, timeout_s: float) -> None:
        reason = f"no reply to a command within {timeout_s:g} s"
        self.end(AgiTimeout(reason))
        self._wire.drop(reason)

    def _alive(self, reply: Reply) -> Reply:
        if reply.result == "-1":
            raise AgiHangup("the caller hung up")
        return reply


def _check(reply: Reply) -> Reply:
    if reply.code == 511:
        raise AgiHangup("the channel is dead")
    if reply.code != 200:
        raise AgiCommandError(f"Asterisk refused a command: {reply.code} {shown(reply.text)}")
    return reply


def assignments(values: Mapping[str, str]) -> list[tuple[str, ...]]:
    """The commands that set these variables. Raises LocalProtocolError for a name or value that is unfit."""
    for name, value in values.items():
        render_command("SET VARIABLE", check_variable(name, writing=True), value)
    plain = {name: value for name, value in values.items() if is_plain(value)}
    rest = [("SET VARIABLE", name, value) for name, value in values.items() if name not in plain]
    pairs = [f"{name}={value}" for name, value in plain.items()]
    packs = [",".join(pairs[start : start + MAX_PAIRS]) for start in range(0, len(pairs), MAX_PAIRS)]
    return [*(("EXEC", "MSet", pack) for pack in packs), *rest]


def is_plain(value: str) -> bool:
    """Whether MSet takes the value as it is: short, and without what separates, quotes or nests."""
    return len(value) <= MAX_PLAIN_CHARS and bool(_PLAIN.fullmatch(value)) and value == value.strip()


def _check_sound(name: str) -> str:
    if not _SOUND.fullmatch(name) or ".." in name:
        raise LocalProtocolError(f"no name of a sound file: {shown(name)}")
    return name


def _check_digits(digits: str) -> str:
    if not _DIGITS.fullmatch(digits):
        raise LocalProtocolError(f"no telephone keys: {shown(digits)}")
    return digits


def _digit(result: str) -> str:
    if not result.isdecimal() or int(result) == 0:
        return ""
    digit = chr(int(result)) if int(result) < 128 else ""
    if digit not in "0123456789*#ABCD" or not digit:
        raise RemoteProtocolError(f"no key of a telephone: {shown(result)}")
    return digit
