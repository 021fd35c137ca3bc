"""`python -m channels.asterisk.replay FILE`: a recorded AMI trace in, one JSON line per change out.

A trace is raw AMI text as captured from the socket, or JSON: a list of event objects, an object that holds
one under `events`, or one event object a line. `-` reads standard input. People record in many ways, so
raw text may use bare line feeds, begin in the middle, hold answers and actions between the events, comment
lines (`#`, `;`, `//`), and a time stamp or an arrow before each line; what is no header is passed over.

    {"change": "answered", "call": "1700000000.1", "from": {"number": "201", "name": "Ani", "channel": ...},
     "to": {...}, "by": null, "reason": null}

Exit status: 0 when the trace was read, 2 when the file cannot be read or holds no event.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from channels.asterisk.calls import CallEvent, CallFold, Change

# A header line, perhaps behind a time stamp in any spelling and an arrow.
_LINE = re.compile(
    r"^(?:[\[(]?\d[\d:.,+/TZ \-]*[\])]?[:|]?\s+)?"
    r"(?:(?:<-+|-+>|[<>|])\s*)?"
    r"([A-Za-z][\w.-]*(?:\([^)]*\))?):(?:[ \t](.*)|)$"
)
_COMMENT = ("#", ";", "//", "--- ", "===")


class NoTrace(Exception):
    """The file holds no AMI event; the text says what was looked for."""


class TraceEvent:
    """One event of a trace. Header names ignore case; the first of a repeated header counts."""

    __slots__ = ("_headers", "name")

    def __init__(self, headers: Iterable[tuple[str, str]]) -> None:
        self._headers: dict[str, str] = {}
        for name, value in headers:
            self._headers.setdefault(name.lower(), value)
        self.name = self._headers.get("event", "")

    def get(self, name: str, default: str = "") -> str:
        """The value of a header, or `default`."""
        return self._headers.get(name.lower(), default)

    def headers(self) -> Iterator[tuple[str, str]]:
        """Every header once, its name in lower case."""
        yield from self._headers.items()


def read_trace(text: str) -> list[TraceEvent]:
    """The events of a trace, in order.

    Raises:
        NoTrace: there is none.
    """
    start = text.lstrip("\ufeff \t\r\n")
    events = list(_json_events(start) if start[:1] in ("[", "{") else [])
    if not events:
        events = list(_raw_events(text))
    if not events:
        raise NoTrace("no AMI event in it: neither raw AMI text nor a JSON list of event objects")
    return events


def replay(events: Iterable[CallEvent], pbx: str = "") -> Iterator[Change]:
    """Fold a whole trace."""
    fold = CallFold(pbx)
    for event in events:
        yield from fold.handle(event)
    yield from fold.flush()


def _json_events(text: str) -> Iterator[TraceEvent]:
    try:
        documents = [json.loads(text)]
    except ValueError:
        documents = [_json_line(line) for line in text.splitlines()]
    for document in documents:
        rows = document.get("events", [document]) if isinstance(document, Mapping) else document
        for row in rows if isinstance(rows, list) else ():
            if isinstance(row, Mapping):
                event = TraceEvent(_flat(row))
                if event.name:
                    yield event


def _json_line(line: str) -> Any:
    try:
        return json.loads(line.strip().rstrip(","))
    except ValueError:
        return None


def _flat(row: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Headers as text: numbers are written out, of a list the first counts."""
    for name, value in row.items():
        if isinstance(value, list):
            value = value[0] if value else ""
        if value is not None and not isinstance(value, dict):
            yield name, str(value)


def _raw_events(text: str) -> Iterator[TraceEvent]:
    packet: list[tuple[str, str]] = []
    for line in [*text.splitlines(), ""]:
        line = line.strip("\0 \t\r")
        if line.startswith(_COMMENT):
            continue
        header = _LINE.match(line)
        # An empty line ends a packet, and so does the next one's first line where empty lines were lost.
        if (not line or (header and header[1].lower() in ("event", "response", "action"))) and packet:
            event = TraceEvent(packet)
            packet = []
            if event.name:
                yield event
        if header:
            packet.append((header[1], (header[2] or "").strip()))


def main(arguments: Sequence[str]) -> int:
    """Replay the named file to standard output; the exit status."""
    if len(arguments) != 1 or arguments[0] in ("-h", "--help"):
        sys.stderr.write("usage: python -m channels.asterisk.replay FILE    (- for standard input)" + "\n")
        return 2
    try:
        raw = sys.stdin.buffer.read() if arguments[0] == "-" else Path(arguments[0]).read_bytes()
        events = read_trace(_text(raw))
    except (OSError, NoTrace) as error:
        sys.stderr.write(f"replay: {arguments[0]}: {error}" + "\n")
        return 2
    for change in replay(events):
        sys.stdout.write(json.dumps(change.as_dict(), ensure_ascii=False) + "\n")
    return 0


def _text(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("latin-1")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
