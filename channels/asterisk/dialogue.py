"""Customer-written dialogues: an ordinary blocking Python function per call, run where it can hurt nobody.

    def run(agi, call):                  # a file in the dialogue folder; agi is pyst2's AGI
        number = agi.get_data("custom/your-number", 5000, 8)
        return {"customer_number": number}

Each call gets a thread of its own, at most `threads` at once and for `deadline_s` at most. However it ends,
the caller goes on:

    completed   the function returned: its result is checked and handed to the server
    hungup      the caller hung up meanwhile
    timeout     the deadline came: the streams are closed, so that the thread ends; the connection is dropped
    busy        all threads are taken: the caller goes on without the dialogue
    failed      the function raised, or returned what it may not; the log says file and line

A thread cannot be killed. One that computes without end and never touches the caller keeps its place (it is
counted as `stuck` and logged), so the number of places bounds the harm.
"""

from __future__ import annotations

import asyncio
import logging
import re
import threading
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from asterisk.agi import AGIHangup

from channels.asterisk.dialogue_agi import CommandSink, GuardedAGI, LineFeed
from channels.asterisk.fastagi_codec import LocalProtocolError, shown
from channels.asterisk.fastagi_session import AgiError, AgiRequest, AgiSession, Speaker

MAX_RESULT_KEYS = 16
MAX_RESULT_CHARS = 128
_RESULT_KEY = re.compile(r"[a-z][a-z0-9_]{0,31}")

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class DialogueCall:
    """What a dialogue may know of its call, and the prompts it may speak."""

    pbx: str
    uniqueid: str
    caller_number: str
    caller_name: str
    dialled: str
    language: str
    context: str
    query: Mapping[str, str]
    speaker: Speaker | None = field(repr=False, default=None)

    def say(self, agi: Any, prompt_ids: Sequence[str], language: str = "", escape_digits: str = "") -> str:
        """Speak prompts one after another; ends at once with the digit that was pressed ("" for none)."""
        for name in self.sounds(prompt_ids, language):
            digit: str = agi.stream_file(name, escape_digits)
            if digit:
                return digit
        return ""

    def sounds(self, prompt_ids: Sequence[str], language: str = "") -> Sequence[str]:
        """The sound files of prompts, in this language or the caller's."""
        if self.speaker is None:
            raise LocalProtocolError("this server was given no prompts")
        return self.speaker.sounds(prompt_ids, language or self.language)


DialogueFunction = Callable[[Any, DialogueCall], Mapping[str, str] | None]


@dataclass(frozen=True, slots=True)
class DialogueLimits:
    """How many dialogues at once, and how long one may take; `grace_s` is how long it may take to end."""

    threads: int = 50
    deadline_s: float = 180.0
    grace_s: float = 1.0


@dataclass(frozen=True, slots=True)
class DialogueOutcome:
    """How a dialogue ended (see the module) and what it found out."""

    status: str
    result: Mapping[str, str] = field(default_factory=dict, repr=False)
    seconds: float = 0.0
    error: str = ""


OnOutcome = Callable[[AgiRequest, DialogueOutcome], Awaitable[Mapping[str, str]]]


class DialogueRunner:
    """Runs dialogues by name. `counters` counts outcomes, and `stuck`."""

    def __init__(
        self,
        dialogues: Mapping[str, DialogueFunction],
        loop: asyncio.AbstractEventLoop,
        *,
        limits: DialogueLimits | None = None,
        speaker: Speaker | None = None,
    ) -> None:
        self.dialogues = dict(dialogues)
        self.limits = limits or DialogueLimits()
        self.active = 0
        self.counters: Counter[str] = Counter()
        self._loop = loop
        self._speaker = speaker

    async def run(self, agi: AgiSession, name: str) -> DialogueOutcome:
        """Run one dialogue for one caller. Never raises for what the dialogue or the caller does."""
        if self.active >= self.limits.threads:
            log.warning("dialogue %s not run: all %d threads are taken", name, self.limits.threads)
            return self._count(DialogueOutcome("busy"))
        started = self._loop.time()
        thread = _DialogueThread(self, agi, name)
        try:
            outcome = await thread.finish()
        except AgiError:
            outcome = DialogueOutcome("hungup")
        finally:
            thread.feed.close("the dialogue was cancelled")
        seconds = self._loop.time() - started
        return self._count(DialogueOutcome(outcome.status, outcome.result, seconds, outcome.error))

    def make_call(self, request: AgiRequest) -> DialogueCall:
        """What the dialogue is told about a request."""
        return DialogueCall(
            pbx=request.pbx,
            uniqueid=request.uniqueid,
            caller_number=request.caller_number,
            caller_name=request.caller_name,
            dialled=request.dialled,
            language=request.language,
            context=request.context,
            query=request.query,
            speaker=self._speaker,
        )

    def _count(self, outcome: DialogueOutcome) -> DialogueOutcome:
        self.counters[outcome.status] += 1
        return outcome


class _DialogueThread:
    """One run: a thread, its streams, and the future through which the loop hears of its end."""

    def __init__(self, runner: DialogueRunner, agi: AgiSession, name: str) -> None:
        self._runner = runner
        self._agi = agi
        self._name = name
        self._loop = asyncio.get_running_loop()
        limits = runner.limits
        self.feed = LineFeed(limits.deadline_s + limits.grace_s)
        self._sink = CommandSink(self._send)
        self._done: asyncio.Future[DialogueOutcome] = self._loop.create_future()

    async def finish(self) -> DialogueOutcome:
        """Start the thread and wait for its end, or for the deadline. Raises AgiHangup if it is too late."""
        self._agi.take_lines(self.feed.put, self.feed.close)
        self._runner.active += 1
        threading.Thread(target=self._work, name=f"dialogue-{self._name}", daemon=True).start()
        limits = self._runner.limits
        await asyncio.wait({self._done}, timeout=limits.deadline_s)
        if not self._done.done():
            self.feed.close(f"longer than {limits.deadline_s:g} s")
            await asyncio.wait({self._done}, timeout=limits.grace_s)
            return self._give_up()
        outcome = self._done.result()
        if self._agi.is_gone:
            return outcome
        if self.feed.closed_because or self._sink.unanswered:
            why = self.feed.closed_because or "a command whose result it did not read"
            self._agi.drop(f"dialogue {self._name} ended with {why}")
        else:
            self._agi.take_replies()
        return outcome

    def _give_up(self) -> DialogueOutcome:
        if not self._done.done():
            self._runner.counters["stuck"] += 1
            log.error(
                "dialogue %s computes without end and keeps one of %d threads; look for a loop in its file",
                self._name,
                self._runner.limits.threads,
            )
        self._agi.drop(f"dialogue {self._name} took longer than {self._runner.limits.deadline_s:g} s")
        return DialogueOutcome("timeout")

    def _send(self, line: bytes) -> None:
        """In the thread: the loop is to write this."""
        self._loop.call_soon_threadsafe(self._write, line)

    def _write(self, line: bytes) -> None:
        if not self._agi.is_gone:
            self._agi.write_line(line)

    def _ended(self, outcome: DialogueOutcome) -> None:
        self._runner.active -= 1
        if not self._done.done():
            self._done.set_result(outcome)

    def _work(self) -> None:
        """The thread: run the customer's function, whatever it does, and report."""
        request = self._agi.request
        agi = GuardedAGI(request.env, self.feed, self._sink)
        outcome = self._outcome(agi, self._runner.make_call(request))
        try:
            self._loop.call_soon_threadsafe(self._ended, outcome)
        except RuntimeError:  # the server is gone: a thread that could not be ended outlived it
            log.warning("dialogue %s ended after the server did", self._name)

    def _outcome(self, agi: GuardedAGI, call: DialogueCall) -> DialogueOutcome:
        try:
            return DialogueOutcome("completed", check_result(self._runner.dialogues[self._name](agi, call)))
        except AGIHangup:
            return DialogueOutcome("hungup")
        except SystemExit:  # AGI scripts like to end so
            return DialogueOutcome("hungup" if self.feed.closed_because else "completed")
        except Exception as error:
            if self.feed.closed_because:  # whatever it made of our AGIHangup
                return DialogueOutcome("hungup")
            log.exception("dialogue %s failed; the caller goes on without it", self._name)
            return DialogueOutcome("failed", error=shown(str(error), 200))


def check_result(result: object) -> Mapping[str, str]:
    """The result itself when it is a small table of short texts. Raises ValueError, saying what to do."""
    if result is None:
        return {}
    if not isinstance(result, Mapping):
        raise ValueError(f"return a dict of texts, not {type(result).__name__}")
    if len(result) > MAX_RESULT_KEYS:
        raise ValueError(f"return at most {MAX_RESULT_KEYS} keys, not {len(result)}")
    for key, value in result.items():
        if not isinstance(key, str) or not _RESULT_KEY.fullmatch(key):
            raise ValueError(f"a key must be lower-case letters, digits, _: {shown(str(key))}")
        if not isinstance(value, str) or len(value) > MAX_RESULT_CHARS or not value.isprintable():
            raise ValueError(f"{key} must be a printable text of at most {MAX_RESULT_CHARS} characters")
    return dict(result)


def dialogue_handler(
    runner: DialogueRunner, name: str, on_outcome: OnOutcome
) -> Callable[[AgiSession], Awaitable[None]]:
    """A route for one dialogue: run it, tell the server, set the channel variables that it answers.

    Raises ValueError when there is no such dialogue.
    """
    if name not in runner.dialogues:
        known = ", ".join(sorted(runner.dialogues)) or "none"
        raise ValueError(f"there is no dialogue {name!r}; there are: {known}")

    async def handle(agi: AgiSession) -> None:
        outcome = await runner.run(agi, name)
        variables = await on_outcome(agi.request, outcome)
        if not agi.is_gone:
            await agi.set_variables(variables)

    return handle
