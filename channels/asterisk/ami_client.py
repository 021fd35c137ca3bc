"""The connection to one PBX over AMI: asks, listens, notices silence, comes back. One client per PBX.

Life cycle of a connection (`ami_session`); after its end `ClientService` dials again after a pause that grows
with every short life (0.1 s to 10 s, spread at random):

    GREETING --banner--> CHALLENGED --challenge--> LOGGING_IN --Success--> UP --loss, fault, silence--> GONE
        \\________________ refused, nothing for LOGIN_TIMEOUT_S ________________________________________/

Promises to the owner:
- `on_up(pbx)` comes before the first event, `on_down(pbx, reason)` after the last; events come in the order
  of the wire. The callbacks run inside the read: they must be short. What they raise is logged and counted
  and harms nothing.
- Every action ends exactly once: answer, `AmiActionError`, `AmiTimeout` or `AmiDown`. When `AmiTimeout` or
  `AmiDown` comes it may still have been carried out: the PBX must be asked.
- `send_nowait` writes before it returns. Nothing here waits for a peer that does not read: at most
  `MAX_OUTSTANDING` actions are open.
- The secret leaves this process only as the answer to an MD5 challenge, also over TLS; no plain login.

Time comes from `clock`, which must be monotonic (the reactor is not: its timers follow the wall clock); the
reactor only opens connections. A peer that leaves a ping unanswered is given up SILENCE_S after its last
message.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import structlog
from twisted.application.internet import ClientService
from twisted.internet.protocol import Factory

from channels.asterisk.ami_codec import AmiFieldError, AmiLimits, AmiMessage, AmiPeerError, encode_action
from channels.asterisk.ami_endpoint import (
    AmiAddress,
    AmiLogin,
    AmiTls,
    Clock,
    Endpoint,
    LoopClock,
    TimedEndpoint,
    Timer,
    client_endpoint,
)
from channels.asterisk.ami_session import AmiCounts, AmiSession, Fields, Phase

TICK_S = 0.5
PING_EVERY_S = 1.5
SILENCE_S = 3.5
LOGIN_TIMEOUT_S = 5.0
ACTION_TIMEOUT_S = 5.0
MAX_OUTSTANDING = 1_000
MAX_LIST_ROWS = 100_000
# A shorter life counts as a failed attempt, or a faulty peer would be dialled in a circle.
SHORT_LIFE_S = 10.0
STOPPED = "stopped by us"
RETRY_FIRST_S = 0.1
RETRY_MOST_S = 10.0

Reply = AmiMessage | Exception
log = structlog.get_logger()


class AmiError(Exception):
    """An action did not succeed. Subclasses say how."""


class AmiActionError(AmiError):
    """The PBX refused the action; `response` is what it said."""

    def __init__(self, action: str, response: AmiMessage) -> None:
        super().__init__(f"the PBX refused {action}: {response.get('Message', 'no reason given')}")
        self.action = action
        self.response = response


class AmiTimeout(AmiError):
    """No answer in time. The action may still be carried out."""


class AmiDown(AmiError):
    """There is no logged-in connection, or it was lost before the answer (the action may be carried out)."""


class AmiBusy(AmiError):
    """MAX_OUTSTANDING actions wait for an answer already. Nothing was sent."""


@dataclass(eq=False)
class _Pending:
    """An action that waits for its answer; with `rows` for a whole list."""

    action: str
    deadline: float
    on_reply: Callable[[Reply], None] | None
    rows: list[AmiMessage] | None = None
    on_row: Callable[[AmiMessage], None] | None = None


@dataclass
class AmiCallbacks:
    """Who hears what this PBX says. Called in the order of the wire, inside the read."""

    on_event: Callable[[str, AmiMessage], None]
    on_up: Callable[[str], None]
    on_down: Callable[[str, str], None]


class AmiClient:
    """The one to talk to: `start()`, then actions while `up`; it reconnects by itself until `await stop()`.

    `wanted`: names of the events to deliver (None: all). `endpoint` replaces dialling in tests.
    `chance` spreads the pauses between attempts; it gives numbers in [0, 1).
    """

    def __init__(
        self,
        address: AmiAddress,
        login: AmiLogin,
        callbacks: AmiCallbacks,
        *,
        reactor: Any,
        clock: Clock,
        wanted: frozenset[str] | None = None,
        limits: AmiLimits | None = None,
        endpoint: Endpoint | None = None,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self.name = address.name
        self.login = login
        self.callbacks = callbacks
        self.clock = clock
        self.wanted = None if wanted is None else frozenset(name.encode() for name in wanted)
        self.limits = limits or AmiLimits()
        self.counts = AmiCounts()
        self.last_error = "not connected yet"
        self._chance = chance
        self._session: AmiSession | None = None
        self._pending: dict[str, _Pending] = {}
        self._lists = 0
        self._serial = 0
        self._short_lives = 0
        self._ping_sent_at: float | None = None
        self._ping_due_at = 0.0
        self._round_trip_s = 0.0
        self._tick: Timer | None = None
        self._tick_due_at = 0.0
        self._log = log.bind(pbx=address.name, at=f"{address.host}:{address.port}")
        dial: Any = TimedEndpoint(endpoint or client_endpoint(reactor, address), clock, self._attempt_failed)
        factory: Any = Factory.forProtocol(lambda: AmiSession(self))
        timers: Any = clock
        self._service = ClientService(dial, factory, retryPolicy=self._pause_s, clock=timers)

    # -- for the owner ------------------------------------------------------------------------------------

    @property
    def up(self) -> bool:
        """Logged in and, as far as known, alive."""
        return self._session is not None and self._session.phase is Phase.UP

    @property
    def lag_s(self) -> float:
        """Round trip of the last ping in seconds, or the age of one that is still unanswered if longer."""
        if self._ping_sent_at is None:
            return self._round_trip_s
        return max(self._round_trip_s, self.clock.seconds() - self._ping_sent_at)

    @property
    def outstanding(self) -> int:
        """Actions that wait for their answer."""
        return len(self._pending)

    def start(self) -> None:
        """Begin to dial. Call once, on the loop."""
        self._service.startService()

    async def stop(self) -> None:
        """Hang up and dial no more. What is pending fails with AmiDown."""
        if self._session is not None:
            self._session.drop(STOPPED)
        stopped = self._service.stopService()
        await stopped.asFuture(asyncio.get_running_loop())

    def send_nowait(
        self,
        name: str,
        fields: Fields,
        on_reply: Callable[[Reply], None] | None = None,
        timeout_s: float = ACTION_TIMEOUT_S,
    ) -> str:
        """Write an action now and return its ActionID. `on_reply` gets the response (a refusal too) or the
        AmiTimeout or AmiDown, once. Raises AmiDown, AmiBusy or AmiFieldError when nothing was sent.
        """
        return self._send(name, fields, on_reply, timeout_s, None)

    async def action(self, name: str, fields: Fields = (), timeout_s: float = ACTION_TIMEOUT_S) -> AmiMessage:
        """The response to an action. Raises AmiActionError, AmiTimeout, AmiDown, AmiBusy, AmiFieldError."""
        answer: asyncio.Future[AmiMessage] = asyncio.get_running_loop().create_future()
        self._send(name, fields, lambda reply: _settle(answer, name, reply), timeout_s, None)
        return await answer

    async def action_list(
        self,
        name: str,
        fields: Fields = (),
        timeout_s: float = ACTION_TIMEOUT_S,
        on_row: Callable[[AmiMessage], None] | None = None,
    ) -> list[AmiMessage]:
        """The rows of a list action, without its start and end. `on_row` sees each row in its place among
        the events, for who must keep the order. Rows are not given to `on_event`. Raises as `action`, and
        AmiPeerError for more than MAX_LIST_ROWS.
        """
        answer: asyncio.Future[AmiMessage] = asyncio.get_running_loop().create_future()
        pending = _Pending(name, 0.0, lambda reply: _settle(answer, name, reply), [], on_row)
        self._send(name, fields, None, timeout_s, pending)
        await answer
        return pending.rows or []

    # -- sending and answers ------------------------------------------------------------------------------

    def _send(
        self,
        name: str,
        fields: Fields,
        on_reply: Callable[[Reply], None] | None,
        timeout_s: float,
        pending: _Pending | None,
    ) -> str:
        session = self._session
        if session is None or session.phase is not Phase.UP:
            raise AmiDown(f"{self.name} is away: {self.last_error}")
        if len(self._pending) >= MAX_OUTSTANDING:
            raise AmiBusy(f"{MAX_OUTSTANDING} actions wait for {self.name}")
        self._serial += 1
        action_id = f"cc{self._serial}"
        data = encode_action(name, [*fields, ("ActionID", action_id)])
        deadline = self.clock.seconds() + timeout_s
        if pending is None:
            pending = _Pending(name, deadline, on_reply)
        else:
            pending.deadline = deadline
            self._lists += 1
            session.decoder.keep_rows = True
        self._pending[action_id] = pending
        cast(Any, session.transport).write(data)
        self.counts.actions += 1
        return action_id

    def message_came(self, message: AmiMessage) -> None:
        """Called by the session: one message of a connection that is up."""
        if message.kind == "response":
            self._response_came(message)
            return
        if self._lists:
            pending = self._pending.get(message.get("ActionID"))
            if pending is not None and pending.rows is not None:
                self._row_came(pending, message)
                return
            if self.wanted is not None and message.name.encode() not in self.wanted:
                return  # kept by the decoder only because it might have been a row
        self._call(self.callbacks.on_event, self.name, message)

    def _response_came(self, response: AmiMessage) -> None:
        action_id = response.get("ActionID")
        pending = self._pending.get(action_id)
        if pending is None:
            self.counts.late_replies += 1
            return
        refused = response.name == "Error"
        self.counts.refused += refused
        if pending.rows is None or refused or response.get("EventList").lower() != "start":
            self._finish(action_id, response)

    def _row_came(self, pending: _Pending, row: AmiMessage) -> None:
        rows = cast("list[AmiMessage]", pending.rows)
        if row.get("EventList") in ("Complete", "cancelled"):
            self._finish(row.get("ActionID"), row)
        elif len(rows) >= MAX_LIST_ROWS:
            self._finish(row.get("ActionID"), AmiPeerError(f"{pending.action}: over {MAX_LIST_ROWS} rows"))
        else:
            rows.append(row)
            if pending.on_row is not None:
                self._call(pending.on_row, row)

    def _finish(self, action_id: str, reply: Reply) -> None:
        pending = self._pending.pop(action_id)
        if pending.rows is not None:
            self._lists -= 1
            if self._session is not None:
                self._session.decoder.keep_rows = self._lists > 0
        if pending.on_reply is not None:
            self._call(pending.on_reply, reply)

    def _call(self, callback: Callable[..., None], *arguments: object) -> None:
        """Run the owner's code. Its faults are ours, not the peer's: the connection goes on."""
        try:
            callback(*arguments)
        except Exception:  # noqa: BLE001 - whatever it is, the PBX connection must live on
            self.counts.callback_errors += 1
            self._log.exception("ami_callback_failed", callback=getattr(callback, "__qualname__", "?"))

    # -- the connection's life ----------------------------------------------------------------------------

    def session_made(self, session: AmiSession) -> None:
        """Called by the session: TCP (and TLS) stands, nothing was said yet."""
        self._session = session
        self._ping_sent_at = None
        self._schedule_tick()

    def session_up(self, session: AmiSession) -> None:
        """Called by the session: logged in."""
        self.counts.connections += 1
        self._ping_due_at = self.clock.seconds()
        self._log.info("ami_up", banner=session.decoder.banner)
        self._call(self.callbacks.on_up, self.name)

    def session_lost(self, session: AmiSession, why: str) -> None:
        """Called by the session, last."""
        self._session = None
        self.last_error = why
        if self._tick is not None:
            self._tick.cancel()
            self._tick = None
        lived_s = 0.0 if session.up_at is None else self.clock.seconds() - session.up_at
        self._short_lives = 0 if lived_s >= SHORT_LIFE_S else self._short_lives + 1
        tell = self._log.info if why == STOPPED else self._log.warning
        tell("ami_lost", why=why, was_up=session.up_at is not None)
        for action_id in list(self._pending):
            self._finish(action_id, AmiDown(f"{self.name} was lost before it answered: {why}"))
        if session.up_at is not None:
            self._call(self.callbacks.on_down, self.name, why)

    def _attempt_failed(self, why: str) -> None:
        self._short_lives += 1
        if why != self.last_error:  # one line per reason, not one per attempt
            self._log.warning("ami_unreachable", why=why)
        self.last_error = why

    def _pause_s(self, attempt: int) -> float:
        # ClientService forgets failures as soon as TCP stands, so the count is our own.
        del attempt
        longest = min(RETRY_MOST_S, RETRY_FIRST_S * 2.0 ** min(max(self._short_lives - 1, 0), 20))
        return longest * (0.5 + 0.5 * self._chance())

    # -- once in TICK_S: time-outs, ping, silence -----------------------------------------------------------

    def _schedule_tick(self) -> None:
        self._tick_due_at = self.clock.seconds() + TICK_S
        self._tick = self.clock.callLater(TICK_S, self._ticked)

    def _ticked(self) -> None:
        now = self.clock.seconds()
        session = cast(AmiSession, self._session)
        # When we were late ourselves (a stall, a suspended machine), the peer is not to blame for it.
        late_s = max(0.0, now - self._tick_due_at)
        session.heard_at += late_s
        session.began_at += late_s
        self._schedule_tick()
        if late_s < TICK_S:
            self._expire(now)
        if session.phase is not Phase.UP:
            if now - session.began_at > LOGIN_TIMEOUT_S:
                session.drop(f"no login within {LOGIN_TIMEOUT_S} s (still {session.phase})")
            return
        if now - session.heard_at > SILENCE_S:
            session.drop(f"silent for {SILENCE_S} s")
        elif self._ping_sent_at is None and now >= self._ping_due_at:
            self._ping(now)

    def _ping(self, now: float) -> None:
        def answered(reply: Reply) -> None:
            self._ping_sent_at = None
            if isinstance(reply, AmiMessage):
                self._round_trip_s = self.clock.seconds() - now

        if len(self._pending) < MAX_OUTSTANDING:
            self._ping_sent_at, self._ping_due_at = now, now + PING_EVERY_S
            self._send("Ping", (), answered, ACTION_TIMEOUT_S, None)

    def _expire(self, now: float) -> None:
        for action_id, pending in list(self._pending.items()):
            if now >= pending.deadline:
                self.counts.timeouts += 1
                self._finish(action_id, AmiTimeout(f"{self.name} did not answer {pending.action} in time"))


def _settle(answer: asyncio.Future[AmiMessage], action: str, reply: Reply) -> None:
    """Hand the reply to who awaits it, unless that one has been cancelled meanwhile."""
    if answer.done():
        return
    if isinstance(reply, Exception):
        answer.set_exception(reply)
    elif reply.name == "Error":
        answer.set_exception(AmiActionError(action, reply))
    else:
        answer.set_result(reply)


__all__ = [
    "AmiActionError",
    "AmiAddress",
    "AmiBusy",
    "AmiCallbacks",
    "AmiClient",
    "AmiCounts",
    "AmiDown",
    "AmiError",
    "AmiFieldError",
    "AmiLogin",
    "AmiTimeout",
    "AmiTls",
    "LoopClock",
]
