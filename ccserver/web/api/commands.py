"""Commands of desks, each carried out once: a repeated id gets the first answer again.

The memory belongs to the session, not to the socket: a client whose socket broke sends again what was not
acknowledged, and a command in flight when the socket breaks is finished. Commands of a session start in the
order they came.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict

import structlog

from ccserver.desk.protocol import Ack, Command
from ccserver.web.ports import Desks, Meter

log = structlog.get_logger()

MAX_IDS = 256
MAX_SESSIONS = 4_096
MAX_ID_CHARS = 64
MAX_IN_FLIGHT = 32
TIMEOUT_S = 10.0


class SessionCommands:
    """The last commands of one session and their answers."""

    def __init__(self) -> None:
        self.answers: OrderedDict[str, asyncio.Task[Ack]] = OrderedDict()

    def in_flight(self) -> int:
        """How many are not answered yet."""
        return sum(not task.done() for task in self.answers.values())


class Commands:
    """All sessions' commands."""

    def __init__(self, desks: Desks, meter: Meter, timeout_s: float = TIMEOUT_S) -> None:
        self._desks = desks
        self._meter = meter
        self._timeout_s = timeout_s
        self._sessions: OrderedDict[str, SessionCommands] = OrderedDict()

    async def carry_out(self, agent: str, session: str, command: Command) -> Ack:
        """The answer to a command, new or repeated. Never raises but for cancellation of the waiting."""
        if not 0 < len(command.id) <= MAX_ID_CHARS:
            return Ack(id="", ok=False, error=f"bad_id: a command id has 1 to {MAX_ID_CHARS} characters")
        memory = self._memory(session)
        task = memory.answers.get(command.id)
        if task is None:
            if memory.in_flight() >= MAX_IN_FLIGHT:
                return Ack(
                    id=command.id, ok=False, error="too_many: wait for the answers to earlier commands"
                )
            task = asyncio.ensure_future(self._once(agent, session, command))
            memory.answers[command.id] = task
            self._forget(memory)
        return await asyncio.shield(task)

    def _memory(self, session: str) -> SessionCommands:
        memory = self._sessions.setdefault(session, SessionCommands())
        self._sessions.move_to_end(session)
        if len(self._sessions) > MAX_SESSIONS:
            self._sessions.popitem(last=False)
        return memory

    @staticmethod
    def _forget(memory: SessionCommands) -> None:
        while len(memory.answers) > MAX_IDS:
            memory.answers.popitem(last=False)

    async def _once(self, agent: str, session: str, command: Command) -> Ack:
        kind = type(command).__name__
        try:
            async with asyncio.timeout(self._timeout_s):
                return await self._desks.command(agent, session, command)
        except TimeoutError:
            log.error("command_timeout", agent=agent, command=kind, after_s=self._timeout_s)
            self._meter.error("command")
            return Ack(id=command.id, ok=False, error="timeout")
        except Exception:
            # The edge of the socket: a fault in one command must not cut the agent off from the call.
            log.exception("command_fault", agent=agent, command=kind)
            self._meter.error("command")
            return Ack(id=command.id, ok=False, error="internal")
