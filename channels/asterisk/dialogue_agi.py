"""pyst2's `AGI` made safe for a thread of its own behind FastAGI.

    Twisted loop                                   thread of one dialogue
    ------------                                   ----------------------
    line from Asterisk --> LineFeed.put ..... LineFeed.readline --> GuardedAGI.get_result
    connection.write <-- call_soon_threadsafe ....... CommandSink.write <-- GuardedAGI.send_command
    hangup, deadline --> LineFeed.close ..... the waiting readline raises AGIHangup, and so does all after it

What pyst2 0.5.1 does that must not happen here, and what happens instead: it installs a signal handler
(impossible in a thread), writes every line, keys pressed too, to stderr (nothing is written), lets CR and LF
into commands (refused), takes a broken connection for a ValueError (AGIHangup), and loses its place when the
value of a variable has a line break or reads "hangup" (our own parser reads the replies).
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

from asterisk.agi import (
    AGI,
    AGIAppError,
    AGIDBError,
    AGIHangup,
    AGIInvalidCommand,
    AGIUnknownError,
    AGIUsageError,
)

from channels.asterisk.fastagi_codec import (
    DEFAULT_LIMITS,
    RemoteProtocolError,
    check_command,
    decode,
    parse_reply,
    quote,
    reply_is_open,
)

MAX_WAITING_LINES = 256
MAX_READS_AFTER_END = 8


class LineFeed:
    """The dialogue's stdin: lines come from the loop, a thread waits for them; closing wakes it for good."""

    def __init__(self, patience_s: float) -> None:
        self.closed_because = ""
        self._patience_s = patience_s
        self._lines: deque[str] = deque()
        self._changed = threading.Condition()
        self._reads_after_end = 0

    def put(self, line: bytes) -> None:
        """One line without its end; called on the loop, never waits."""
        with self._changed:
            if len(self._lines) >= MAX_WAITING_LINES:
                self.closed_because = self.closed_because or "more lines than the dialogue reads"
            else:
                self._lines.append(decode(line) + "\n")
            self._changed.notify_all()

    def close(self, because: str) -> None:
        """No more lines: whoever reads gets AGIHangup. The first reason stays."""
        with self._changed:
            self.closed_because = self.closed_because or because
            self._changed.notify_all()

    def readline(self) -> str:
        """The next line with its end. Raises AGIHangup when the call is over for the dialogue."""
        with self._changed:
            self._changed.wait_for(lambda: self._lines or self.closed_because, self._patience_s)
            self.check()
            if not self._lines:
                raise AGIHangup("Asterisk does not answer")
            return self._lines.popleft()

    def check(self) -> None:
        """Raise AGIHangup when closed; a dialogue that swallows it again and again is ended."""
        if not self.closed_because:
            return
        self._reads_after_end += 1
        if self._reads_after_end > MAX_READS_AFTER_END:
            raise SystemExit(f"the dialogue goes on after its end: {self.closed_because}")
        raise AGIHangup(self.closed_because)


class CommandSink:
    """The dialogue's stdout: whole command lines go to the loop, one at a time."""

    def __init__(self, send: Callable[[bytes], None]) -> None:
        self.unanswered = 0
        self._send = send

    def write(self, text: str) -> None:
        """Send one command. Raises LocalProtocolError when it is none, AGIUsageError out of turn."""
        line = check_command(text.encode("utf-8", "replace"))
        if self.unanswered:
            raise AGIUsageError("read the result of a command before you send the next")
        self.unanswered += 1
        self._send(line)

    def flush(self) -> None:
        """Commands are sent at once."""


class _Silence:
    """stderr of a dialogue: digits that callers press are in no log."""

    def write(self, text: str) -> None:
        """Forget it."""


class GuardedAGI(AGI):  # type: ignore[misc]  # pyst2 has no types
    """pyst2's AGI over a FastAGI session; every method of pyst2 is there and means the same."""

    def __init__(self, env: Mapping[str, str], stdin: LineFeed, stdout: CommandSink) -> None:
        # super().__init__ is not called: it installs a signal handler and logs the environment.
        self.stdin = stdin
        self.stdout = stdout
        self.stderr = _Silence()
        self.env = dict(env)
        self._got_sighup = False
        self._asks_status = False

    def test_hangup(self) -> None:
        """Raise AGIHangup when the call is over."""
        self.stdin.check()

    def send_command(self, command: str, *args: object) -> None:
        """Send one command line; arguments as they are. Raises LocalProtocolError for CR, LF or NUL."""
        self._asks_status = command.strip().upper() == "CHANNEL STATUS"
        self.stdout.write(" ".join([command.strip(), *map(str, args)]).strip() + "\n")
        self.stdout.flush()

    def get_result(self, stdin: object = None) -> dict[str, tuple[str, str]]:  # noqa: ARG002 (pyst2's signature)
        """The reply to the last command, as pyst2 gives it: `{"result": (value, data)}`."""
        text = self._read_reply()
        self.stdout.unanswered = 0
        try:
            reply = parse_reply(text)
        except RemoteProtocolError as error:
            raise AGIUnknownError(0, str(error)) from error
        if reply.code == 511:
            raise AGIHangup("the channel is dead")
        if reply.code == 510:
            raise AGIInvalidCommand(reply.text)
        if reply.code != 200:
            raise AGIUsageError(reply.text)
        if reply.result == "-1":
            # With AGIEXITONHANGUP this is all that Asterisk says of a hangup, so it counts as one. AGIHangup
            # is an AGIAppError; only the status of another channel is -1 while the caller is there.
            kind = AGIAppError if self._asks_status else AGIHangup
            raise kind("Error executing application, or hangup")
        found = {"result": (reply.result, reply.data or "")}
        if reply.endpos is not None:
            found["endpos"] = (str(reply.endpos), "")
        return found

    def _read_reply(self) -> str:
        lines = [self.stdin.readline().rstrip("\n")]
        while reply_is_open("\n".join(lines)):
            if len(lines) >= DEFAULT_LIMITS.reply_lines:
                raise AGIUnknownError(0, "a reply that does not end")
            lines.append(self.stdin.readline().rstrip("\n"))
        return "\n".join(lines)

    def _quote(self, string: object) -> str:
        return quote(str(string))

    def database_get(self, family: str, key: str) -> Any:
        """The value of a key in Asterisk's database; AGIDBError when it is not there (pyst2 quotes twice)."""
        result, value = self.execute("DATABASE GET", self._quote(family), self._quote(key))["result"]
        if result != "1":
            raise AGIDBError(f"Key not found in database: family={family}, key={key}")
        return value
