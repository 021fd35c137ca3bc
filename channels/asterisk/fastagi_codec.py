"""FastAGI on the wire, without I/O: bytes in, events out; words in, one command line out.

The wire, from the side of the server (Asterisk is the client, and opens the connection):

    <- agi_network: yes                      the environment: `name: value` lines ...
    <- agi_network_script: call?secret=SECRET&ext=5001
    <- agi_uniqueid: 1763800000.1
    <-                                       ... up to one empty line
    -> SET VARIABLE "ACD_ID" "c-17"          then commands, each one line of at most 2047 bytes
    <- 200 result=1                          and replies, in the order of the commands
    <- 200 result=1 (value)                  with data in brackets (which may hold line breaks)
    <- 510 Invalid or unknown command        or a refusal: 510, 511 (dead channel),
    <- 520-Invalid command syntax.  ...      520 on one line, or from `520-` to `520 `
    <- 520 End of proper usage.
    <- HANGUP                                at any time: the caller is gone

Life of a codec: ENVIRONMENT -> REPLIES (or, by `take_lines()`, -> LINES, each line handed on as it came,
for a dialogue that has a parser of its own). All that comes in is hostile: lines, their number and the
length of the environment and of one reply are limited, and bytes that are no UTF-8 are read as Latin-1.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from urllib.parse import parse_qsl, unquote

MAX_COMMAND_BYTES = 2047  # res_agi reads commands into a buffer of 2048
MAX_QUERY_KEYS = 32

READABLE_FUNCTIONS = frozenset(
    {"CALLERID", "CDR", "CHANNEL", "CONNECTEDLINE", "DIALGROUP", "PJSIP_HEADER", "REDIRECTING"}
)
WRITABLE_FUNCTIONS = frozenset(
    {"CALLERID(name)", "CALLERID(num)", "CHANNEL(language)", "CHANNEL(musicclass)", "TIMEOUT(absolute)"}
)

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,79}")
_FUNCTION = re.compile(r"([A-Z_]{2,40})\([A-Za-z0-9_,.:-]{0,80}\)")
_VERB = re.compile(r"[A-Za-z]+(?: [A-Za-z]+)*")
_APPLICATION = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,79}")
# The data may hold brackets and line breaks, so it ends at the last bracket of the reply.
_REPLY = re.compile(
    r"result=(?P<result>[^\s(]*)(?:\s*\((?P<data>.*)\))?(?:\s+endpos=(?P<endpos>-?\d+).*)?\s*", re.DOTALL
)
_DATA_OPEN = re.compile(r"result=[^\s(]*\s*\(")


class RemoteProtocolError(Exception):
    """Asterisk (or whoever speaks in its place) sent what FastAGI does not allow. Their fault: drop them."""


class LocalProtocolError(ValueError):
    """We were asked to send what must not be sent. Our fault, or the dialogue's: nothing was written."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a peer may send, in bytes and in lines."""

    line_bytes: int = 8_192
    environment_bytes: int = 65_536
    environment_lines: int = 128
    reply_bytes: int = 65_536
    reply_lines: int = 64


DEFAULT_LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class Environment:
    """All `agi_…` lines of a request, names in lower case, values as text."""

    values: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer to one command. `result` and `data` are empty unless `code` is 200."""

    code: int
    result: str
    data: str | None
    endpos: int | None
    text: str


@dataclass(frozen=True, slots=True)
class Line:
    """One raw line (without its end) for a dialogue that parses by itself."""

    data: bytes


@dataclass(frozen=True, slots=True)
class HungUp:
    """Asterisk says that the caller is gone."""


Event = Environment | Reply | Line | HungUp


@dataclass(frozen=True, slots=True)
class Script:
    """The address that the dialplan asked for: `agi://HOST:PORT/ROUTE?secret=SECRET&key=value`."""

    route: str
    secret: str = field(repr=False)
    query: Mapping[str, str]


class _Mode(StrEnum):
    ENVIRONMENT = "environment"
    REPLIES = "replies"
    LINES = "lines"


class FastAgiCodec:
    """Turns the bytes of one FastAGI connection into events; see the module for the wire."""

    def __init__(self, limits: Limits = DEFAULT_LIMITS) -> None:
        self._limits = limits
        self._mode = _Mode.ENVIRONMENT
        self._buffer = bytearray()
        self._searched = 0
        self._environment: dict[str, str] = {}
        self._environment_bytes = 0
        self._environment_lines = 0
        self._open_reply: list[str] = []
        self._events: list[Event] = []

    def take_lines(self) -> None:
        """From now on hand every line on unparsed (`Line`); the environment must be complete."""
        self._switch(_Mode.LINES)

    def take_replies(self) -> None:
        """Parse replies again, after `take_lines`."""
        self._switch(_Mode.REPLIES)

    def _switch(self, mode: _Mode) -> None:
        if self._mode is _Mode.ENVIRONMENT or self._open_reply:
            raise LocalProtocolError("the environment or a reply is not complete yet")
        self._mode = mode

    def receive_data(self, data: bytes) -> list[Event]:
        """Take bytes as they come; return what became complete. Raises RemoteProtocolError."""
        self._buffer += data
        start = 0
        while (end := self._buffer.find(b"\n", max(start, self._searched))) >= 0:
            self._check_line(end - start)
            line = bytes(self._buffer[start:end])
            start = end + 1
            self._take_line(line.removesuffix(b"\r"))
        del self._buffer[:start]
        self._check_line(len(self._buffer))
        self._searched = len(self._buffer)
        events, self._events = self._events, []
        return events

    def _check_line(self, length: int) -> None:
        if length > self._limits.line_bytes:
            raise RemoteProtocolError(f"a line of more than {self._limits.line_bytes} bytes")

    def _take_line(self, line: bytes) -> None:
        if self._mode is _Mode.ENVIRONMENT:
            self._take_environment(line)
        elif line == b"HANGUP" and not self._open_reply:
            self._events.append(HungUp())
        elif self._mode is _Mode.LINES:
            self._events.append(Line(line))
        else:
            self._take_reply(line)

    def _take_environment(self, line: bytes) -> None:
        if not line:
            self._finish_environment()
            return
        self._environment_lines += 1
        self._environment_bytes += len(line)
        if self._environment_lines > self._limits.environment_lines:
            raise RemoteProtocolError(f"more than {self._limits.environment_lines} lines of environment")
        if self._environment_bytes > self._limits.environment_bytes:
            raise RemoteProtocolError(f"more than {self._limits.environment_bytes} bytes of environment")
        name, colon, value = decode(line).partition(":")
        if not colon or not name.startswith("agi_"):
            raise RemoteProtocolError(f"no FastAGI environment line: {shown(decode(line))}")
        self._environment[name.lower()] = value.strip()

    def _finish_environment(self) -> None:
        if "agi_network_script" not in self._environment and "agi_request" not in self._environment:
            raise RemoteProtocolError("the environment names no script")
        self._mode = _Mode.REPLIES
        self._events.append(Environment(MappingProxyType(self._environment)))

    def _take_reply(self, line: bytes) -> None:
        self._open_reply.append(decode(line))
        text = "\n".join(self._open_reply)
        if len(text) > self._limits.reply_bytes or len(self._open_reply) > self._limits.reply_lines:
            raise RemoteProtocolError("a reply that does not end")
        if not reply_is_open(text):
            self._open_reply.clear()
            self._events.append(parse_reply(text))


def reply_is_open(text: str) -> bool:
    """Whether lines of this reply are still to come: usage after `520-`, or data whose bracket is open."""
    if text.startswith("520-"):
        return not text.rpartition("\n")[2].startswith("520 ")
    body = text[4:]
    return text.startswith("200 ") and bool(_DATA_OPEN.match(body)) and not _REPLY.fullmatch(body)


def parse_reply(text: str) -> Reply:
    """One complete reply as Asterisk wrote it. Raises RemoteProtocolError."""
    code = text[:3]
    if code not in {"200", "510", "511", "520"} or text[3:4] not in {" ", "-", ""}:
        raise RemoteProtocolError(f"no FastAGI reply: {shown(text)}")
    if code != "200":
        return Reply(int(code), "", None, None, text[4:])
    match = _REPLY.fullmatch(text[4:])
    if match is None:
        raise RemoteProtocolError(f"a reply without a result: {shown(text)}")
    endpos = match["endpos"]
    return Reply(200, match["result"], match["data"], None if endpos is None else int(endpos), text[4:])


def parse_script(values: Mapping[str, str]) -> Script:
    """The `ROUTE?QUERY` of an environment, percent escapes undone. Raises RemoteProtocolError."""
    text = values.get("agi_network_script") or _script_of_url(values.get("agi_request", ""))
    path, _, query_text = text.partition("?")
    query = _parse_query(query_text)
    secret = query.pop("secret", "")
    return Script(unquote(path).strip("/"), secret, MappingProxyType(query))


def _script_of_url(url: str) -> str:
    return url.partition("://")[2].partition("/")[2]


def _parse_query(query: str) -> dict[str, str]:
    try:
        pairs = parse_qsl(query, keep_blank_values=True, max_num_fields=MAX_QUERY_KEYS)
    except ValueError as error:
        raise RemoteProtocolError(f"more than {MAX_QUERY_KEYS} keys in the query") from error
    found = dict(pairs)
    if len(found) != len(pairs):
        # A dialled number with `&queue=vip` in it must not overrule what the dialplan wrote.
        raise RemoteProtocolError("a key stands twice in the query")
    return found


def render_command(verb: str, *arguments: str) -> bytes:
    """One command line, arguments quoted. Raises LocalProtocolError for CR, LF, NUL or too many bytes."""
    if not _VERB.fullmatch(verb):
        raise LocalProtocolError(f"no AGI command: {shown(verb)}")
    line = " ".join([verb, *map(quote, arguments)])
    return check_command(line.encode("utf-8", "replace") + b"\n")


def check_command(line: bytes) -> bytes:
    """The line itself when it is one command that Asterisk can read. Raises LocalProtocolError."""
    if not line.endswith(b"\n") or len(line) < 2:
        raise LocalProtocolError("an AGI command is one line with an end")
    if any(byte in line[:-1] for byte in (b"\r", b"\n", b"\0")):
        raise LocalProtocolError("an AGI command must not hold CR, LF or NUL")
    if len(line) > MAX_COMMAND_BYTES:
        raise LocalProtocolError(f"an AGI command of more than {MAX_COMMAND_BYTES} bytes")
    return line


def quote(argument: str) -> str:
    """One argument in double quotes, as Asterisk undoes them. Raises LocalProtocolError for CR, LF, NUL."""
    if any(character in argument for character in "\r\n\0"):
        raise LocalProtocolError("an AGI argument must not hold CR, LF or NUL")
    escaped = argument.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def check_variable(name: str, *, writing: bool) -> str:
    """The name itself when it is a plain variable or a listed function. Raises LocalProtocolError."""
    if _VARIABLE.fullmatch(name):
        return name
    function = _FUNCTION.fullmatch(name)
    allowed = name in WRITABLE_FUNCTIONS if writing else function and function[1] in READABLE_FUNCTIONS
    if not allowed:
        raise LocalProtocolError(f"no channel variable that may be used: {shown(name)}")
    return name


def check_application(name: str) -> str:
    """The name itself when it can be a dialplan application. Raises LocalProtocolError."""
    if not _APPLICATION.fullmatch(name):
        raise LocalProtocolError(f"no dialplan application: {shown(name)}")
    return name


def decode(data: bytes) -> str:
    """Bytes of any kind as text: UTF-8, and Latin-1 where it is none."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("latin-1")


def shown(text: str, limit: int = 80) -> str:
    """Foreign text for a log line: escaped, and cut."""
    return repr(text if len(text) <= limit else text[:limit] + "…")
