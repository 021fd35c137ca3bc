"""AMI without I/O: bytes in, messages out; actions to bytes. It knows no socket, no clock and no log.

The wire. Asterisk greets with one line, then both sides send messages of `Key: value` lines, each ended by
CR LF, each message ended by an empty line:

    Asterisk Call Manager/11.0.0                                    the banner, once
    Event: Newchannel | Privilege: call,all | Channel: PJSIP/a1-1   something happened
    Response: Success | ActionID: 7 | Message: Originate ...        the answer to our action 7
    Event: Status | ActionID: 7 | ...                               one row of the list action 7 asked for

Keys can repeat (`Variable`, `ChanVariable`, `Output`) and every one is kept. Values can hold any byte: UTF-8
is read as such, a value that is not UTF-8 as Latin-1; nothing a peer sends can raise a decoding error.
`Response: Follows` (Asterisk before 14) carries bare lines up to `--END COMMAND--`; they become `Output`.

Speed. A busy PBX sends far more than anyone here reads: an event whose name is not wanted costs one split and
one set look-up, and the headers of a wanted one are taken apart when the first of them is asked for.

Faults. `AmiPeerError` says what the peer did; the connection cannot be trusted after it. `AmiFieldError` says
what we were about to send and must not.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

BANNER_START = b"Asterisk Call Manager/"
_END = b"\r\n\r\n"
_EVENT = b"Event: "
_RESPONSE = b"Response: "
_FOLLOWS = b"Response: Follows"
_COMMAND_END = b"--END COMMAND--"
_ACTION_ID = b"\r\nActionID: "
# Asterisk reads actions into 1,025 bytes and throws the whole action away when a line does not fit.
MAX_ACTION_LINE_BYTES = 1024
# Asterisk's AST_MAX_MANHEADERS; it ignores the headers after these without a word.
MAX_ACTION_HEADERS = 128

Kind = Literal["event", "response"]


class AmiPeerError(Exception):
    """The peer broke the protocol or a limit. `messages` are the whole ones that came before the fault."""

    def __init__(self, fault: str) -> None:
        super().__init__(fault)
        self.messages: list[AmiMessage] = []


class AmiFieldError(ValueError):
    """Our side was about to send a field that would break, or forge, an action. Nothing was sent."""


@dataclass(frozen=True)
class AmiLimits:
    """What one peer may make us hold, in bytes and headers. A command's output counts as one message."""

    line_bytes: int = 16_384
    message_bytes: int = 262_144
    headers: int = 2_048


class AmiMessage:
    """One event or response. Header names are case-insensitive; `get` gives the first of a repeated one."""

    __slots__ = ("_by_lower", "_by_name", "_headers", "_raw", "kind", "name")

    def __init__(self, kind: Kind, name: str, raw: bytes) -> None:
        self.kind: Kind = kind
        self.name = name
        self._raw = raw
        self._by_name: dict[str, str] | None = None
        self._by_lower: dict[str, str] | None = None
        self._headers: list[tuple[str, str]] | None = None

    @property
    def raw(self) -> bytes:
        """The bytes as they came, without the empty line at the end."""
        return self._raw

    @property
    def headers(self) -> list[tuple[str, str]]:
        """Every header in order as (name as spelled by the peer, value), repeated ones included."""
        if self._headers is None:
            self._headers = _parse_headers(self._raw)
        return self._headers

    def get(self, name: str, default: str = "") -> str:
        """The first header of that name, or `default`."""
        by_name = self._by_name
        if by_name is None:
            by_name = self._by_name = _index(self._raw)
        value = by_name.get(name)
        if value is None:
            value = self._lowered().get(name.lower(), default)
        return value

    def __getitem__(self, name: str) -> str:
        """The first header of that name; KeyError when there is none."""
        if name not in self:
            raise KeyError(name)
        return self.get(name)

    def __contains__(self, name: str) -> bool:
        return name.lower() in self._lowered()

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self.headers)

    def all(self, name: str) -> list[str]:
        """Every value of a header that may repeat, in order."""
        wanted = name.lower()
        return [value for key, value in self.headers if key.lower() == wanted]

    def variables(self, header: str = "ChanVariable") -> dict[str, str]:
        """`name=value` headers (`ChanVariable`, `Variable`) as a table; `ChanVariable(channel)` too."""
        wanted = header.lower()
        found: dict[str, str] = {}
        for key, value in self.headers:
            if key.lower().partition("(")[0] == wanted:
                name, _, content = value.partition("=")
                found.setdefault(name, content)
        return found

    def _lowered(self) -> dict[str, str]:
        if self._by_lower is None:
            self._by_lower = {key.lower(): value for key, value in reversed(self.headers)}
        return self._by_lower

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, AmiMessage):
            return NotImplemented
        return self.kind == other.kind and self.headers == other.headers

    def __hash__(self) -> int:
        return hash(self._raw)

    def __repr__(self) -> str:
        return f"AmiMessage({self.kind} {self.name!r}, {len(self._raw)} bytes)"


class AmiDecoder:
    """Cuts one peer's byte stream into messages.

    `wanted`: names of the events to give out, None for all; responses always come through. While `keep_rows`
    is set, events that carry an ActionID come through too, whatever their name (rows of an action list).
    `with_banner`: the stream begins with Asterisk's greeting; a recorded trace may not.
    """

    def __init__(
        self,
        wanted: frozenset[bytes] | None = None,
        limits: AmiLimits | None = None,
        *,
        with_banner: bool = True,
    ) -> None:
        self.wanted = wanted
        self.limits = limits or AmiLimits()
        self.keep_rows = False
        self.banner: str | None = None
        self.seen = 0  # packets (what stands between empty lines) that arrived
        self.dropped = 0  # of these, events nobody wanted
        self._greeted = not with_banner
        self._tail = bytearray()
        self._check_above = self.limits.line_bytes
        self._held = b""  # the beginning of an old-style command output, which may hold empty lines

    def feed(self, data: bytes) -> list[AmiMessage]:
        """Take bytes as they come and return the messages they complete.

        Raises AmiPeerError naming the fault; its `messages` are those completed before it.
        """
        tail = self._tail
        search_from = max(0, len(tail) - 3)
        tail += data
        if not self._greeted:
            if not self._take_banner():
                return []
            search_from = 0
        if tail.find(_END, search_from) < 0:
            self._check_unfinished(self._tail)
            return []
        packets = bytes(tail).split(_END)
        self._tail = bytearray(packets.pop())
        self._check_above = self.limits.line_bytes
        messages: list[AmiMessage] = []
        try:
            self._sort_out(packets, messages)
            self._check_unfinished(self._tail)
        except AmiPeerError as fault:
            fault.messages = messages
            raise
        return messages

    def _sort_out(self, packets: list[bytes], messages: list[AmiMessage]) -> None:
        """Keep what is wanted. This is the hot loop: everything rare is in a method of its own."""
        wanted, limits, keep_rows = self.wanted, self.limits, self.keep_rows
        line_bytes = limits.line_bytes
        self.seen += len(packets)
        for packet in packets:
            if len(packet) > line_bytes:
                self._check_size(packet)
            if packet.startswith(_EVENT) and not self._held:
                name = packet[7 : packet.find(b"\r\n", 7)] if b"\r\n" in packet else packet[7:]
                if (
                    wanted is not None
                    and name not in wanted
                    and not (keep_rows and packet.find(_ACTION_ID, 7) > 0)
                ):
                    self.dropped += 1
                    continue
                if packet.count(b"\r\n") >= limits.headers:
                    raise AmiPeerError(f"message of more than {limits.headers} headers")
                messages.append(AmiMessage("event", _text(name), packet))
            else:
                message = self._uncommon(packet)
                if message is not None:
                    messages.append(message)

    def _uncommon(self, packet: bytes) -> AmiMessage | None:
        """A response, a piece of old command output, a stray empty line, or rubbish."""
        if self._held:
            packet = self._held + _END + packet
            self._check_size(packet)
        packet = packet.lstrip(b"\r\n")
        if not packet:
            return None
        if packet.startswith(_FOLLOWS) and not packet.rstrip().endswith(_COMMAND_END):
            self._held = packet
            return None
        self._held = b""
        if packet.startswith(_EVENT):  # behind a stray empty line
            kind: Kind = "event"
        elif packet.startswith(_RESPONSE):
            kind = "response"
        else:
            raise AmiPeerError(f"neither Event nor Response: {_shown(packet)}")
        if packet.count(b"\r\n") >= self.limits.headers:
            raise AmiPeerError(f"message of more than {self.limits.headers} headers")
        name = packet.partition(b"\r\n")[0].partition(b": ")[2]
        if kind == "event" and self.wanted is not None and name not in self.wanted:
            self.dropped += 1
            return None
        return AmiMessage(kind, _text(name), packet)

    def _take_banner(self) -> bool:
        """True once the greeting is complete; a peer that greets otherwise is no AMI."""
        tail = self._tail
        if not tail.startswith(BANNER_START[: len(tail)]):
            raise AmiPeerError(f"no AMI here: the peer greets with {_shown(bytes(tail[:80]))}")
        end = tail.find(b"\r\n")
        if end < 0 and len(tail) > 200:
            raise AmiPeerError("the greeting line does not end")
        if end < 0:
            return False
        self.banner = _text(bytes(tail[:end]))
        del tail[: end + 2]
        self._greeted = True
        return True

    def _check_unfinished(self, tail: bytearray) -> None:
        """A message that is still coming must not grow without end either."""
        if len(tail) > self._check_above:
            self._check_size(bytes(tail))
            # Not again for every byte of a slow peer: the cost would grow with the square.
            self._check_above = len(tail) + self.limits.line_bytes

    def _check_size(self, packet: bytes) -> None:
        limits = self.limits
        if len(packet) > limits.message_bytes:
            raise AmiPeerError(f"message of more than {limits.message_bytes} bytes")
        if any(len(line) > limits.line_bytes for line in packet.split(b"\r\n")):
            raise AmiPeerError(f"line of more than {limits.line_bytes} bytes")


def encode_action(name: str, fields: Iterable[tuple[str, str]]) -> bytes:
    """One action as bytes. Raises AmiFieldError for a field that would break out of its line, or not fit."""
    lines = [_encode_line("Action", name)]
    lines += [_encode_line(key, value) for key, value in fields]
    if len(lines) > MAX_ACTION_HEADERS:
        raise AmiFieldError(f"action {name!r} has {len(lines)} headers, Asterisk reads {MAX_ACTION_HEADERS}")
    return b"".join(lines) + b"\r\n"


def encode_message(headers: Iterable[tuple[str, str]]) -> bytes:
    """An event or response as a PBX sends it (for the stand-in and tests). Raises AmiFieldError as above."""
    return b"".join(_encode_line(key, value, limit=None) for key, value in headers) + b"\r\n"


def _encode_line(key: str, value: str, limit: int | None = MAX_ACTION_LINE_BYTES) -> bytes:
    if not key.isascii() or not key.isprintable() or not key or ":" in key or key != key.strip():
        raise AmiFieldError(f"not a header name: {key!r}")
    if "\r" in value or "\n" in value or "\0" in value:
        raise AmiFieldError(f"CR, LF or NUL in the value of {key}")
    try:
        line = f"{key}: {value}\r\n".encode()
    except UnicodeEncodeError as error:
        raise AmiFieldError(f"the value of {key} is not Unicode text") from error
    if limit is not None and len(line) > limit:
        raise AmiFieldError(f"{key} makes a line of {len(line)} bytes, Asterisk reads {limit}")
    return line


def _lines(raw: bytes) -> list[str]:
    try:
        return raw.decode().split("\r\n")
    except UnicodeDecodeError:
        return [_text(line) for line in raw.split(b"\r\n")]


def _index(raw: bytes) -> dict[str, str]:
    """Headers by name as the peer spells them: callers spell as Asterisk does, so this mostly answers."""
    if raw.startswith(_FOLLOWS):
        return dict(reversed(_parse_headers(raw)))
    found = {}
    # Backwards, so that the first of a repeated header stays.
    for line in _lines(raw)[::-1]:
        key, _, value = line.partition(": ")
        found[key] = value
    return found


def _parse_headers(raw: bytes) -> list[tuple[str, str]]:
    lines = _lines(raw)
    if raw.startswith(_FOLLOWS):
        return _parse_follows(lines)
    headers = []
    for line in lines:
        key, found, value = line.partition(": ")
        headers.append((key, value) if found else _parse_odd_line(line))
    return headers


def _parse_odd_line(line: str) -> tuple[str, str]:
    """`Key:value`, `Key:`, or a bare line of output, kept whole."""
    key, found, value = line.partition(":")
    if found and " " not in key:
        return key, value
    return "Output", line


def _parse_follows(lines: list[str]) -> list[tuple[str, str]]:
    """Old command output: a few headers, then bare lines (ended by LF alone) up to the end mark."""
    headers: list[tuple[str, str]] = []
    names = ("response", "privilege", "actionid", "message")
    in_head = True
    for line in "\r\n".join(lines).replace("\r\n", "\n").split("\n"):
        key, found, value = line.partition(": ")
        in_head = in_head and bool(found) and key.lower() in names
        if in_head:
            headers.append((key, value))
        elif line != _COMMAND_END.decode():
            headers.append(("Output", line))
    return headers


def _text(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")


def _shown(packet: bytes) -> str:
    """The beginning of what a peer sent, safe to log."""
    return repr(packet[:60])
