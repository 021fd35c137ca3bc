"""Screen pop: from the FastAGI request of a call to the desk's frame, and that beside the phone's INVITE.

20 calls/s at random moments through a real Asterisk, agents always ready. A proxy between Asterisk and
ccserver takes the time when a request's first line comes; the desk's time is when its socket client has the
frame; the phone's, when the INVITE has come. The limit is the way to the phone with a bare AMI script, which
has no desk. No peer: app_queue has no pop.
"""

from __future__ import annotations

import asyncio
import random
import re
import tempfile
import time
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any, cast

from tests.bench.bench_handoff import bare
from tests.bench.centre import BenchCentre
from tests.bench.figures import Row, percentile, row
from tests.bench.rig import NUMBER, Rig
from tests.bench.sip import Hooks, PhoneCall

AGENTS, RATE, SECONDS, WARM_UP = 30, 20.0, 20, 40
TALK_S = 0.4
_CALLER = re.compile(rb"^agi_callerid: (\S+)\n", re.M)


class AgiProxy:
    """Listens where Asterisk asks, passes everything on, notes when each caller's request began."""

    def __init__(self, upstream: int) -> None:
        self.asked_at: dict[str, float] = {}
        self._upstream = upstream

    async def __aenter__(self) -> AgiProxy:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Front(self), "127.0.0.1", 0)
        self.port: int = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        await self._server.wait_closed()

    async def connect(self, front: _Front) -> None:
        """The other side of a new connection."""
        loop = asyncio.get_running_loop()
        await loop.create_connection(lambda: _Back(front), "127.0.0.1", self._upstream)


class _Front(asyncio.Protocol):
    """Asterisk's side."""

    def __init__(self, proxy: AgiProxy) -> None:
        self._proxy, self._begun_at, self._known = proxy, 0.0, False
        self._first = self._held = b""
        self.back: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self._connecting = asyncio.ensure_future(self._proxy.connect(self))

    def data_received(self, data: bytes) -> None:
        self._begun_at = self._begun_at or time.perf_counter()
        if not self._known:
            self._first += data
            found = _CALLER.search(self._first)
            if found:
                self._known = True
                self._proxy.asked_at[found[1].decode()] = self._begun_at
        if self.back is None:
            self._held += data
        else:
            self.back.write(data)

    def up(self, back: asyncio.Transport) -> None:
        """The server has answered: what came before goes on."""
        self.back = back
        back.write(self._held)

    def connection_lost(self, exc: Exception | None) -> None:
        if self.back is not None:
            self.back.close()


class _Back(asyncio.Protocol):
    """ccserver's side."""

    def __init__(self, front: _Front) -> None:
        self._front = front

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._front.up(cast(asyncio.Transport, transport))

    def data_received(self, data: bytes) -> None:
        self._front.transport.write(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self._front.transport.close()


async def _calls(rig: Rig) -> None:
    """RATE calls a second, at random moments of a seeded die."""
    chance = random.Random(2)
    next_at = time.perf_counter()
    for _ in range(int(RATE * SECONDS) + WARM_UP):
        next_at += chance.expovariate(RATE)
        await asyncio.sleep(max(0.0, next_at - time.perf_counter()))
        rig.callers.call(rig.next_number(), NUMBER, patience_s=20)
    await rig.callers.until_quiet()


async def _run(rig: Rig, agi_port: int) -> tuple[dict[str, float], dict[str, float]]:
    """Caller -> when FastAGI was asked, and -> when the agent's phone got the INVITE."""
    invited: dict[str, float] = {}

    def note(call: PhoneCall) -> None:
        invited.setdefault(call.number, call.invited_at)

    rig.phones.hooks = Hooks(invited=note)
    async with AgiProxy(agi_port) as proxy:
        await rig.pbx.set_global("CCSERVER_AGI", f"127.0.0.1:{proxy.port}")
        await _calls(rig)
    await rig.pbx.set_global("CCSERVER_AGI", f"127.0.0.1:{agi_port}")
    asked = dict(list(proxy.asked_at.items())[WARM_UP:])
    return asked, invited


def _ways(who: str, figure: str, ms: list[float], goal: str = "") -> list[Row]:
    shares = (("p50", 0.5), ("p99", 0.99))
    return [
        row("pop", who, f"{figure}, {name}", percentile(ms, share), "ms", goal if name == "p99" else "")
        for name, share in shares
    ]


async def _limit(rig: Rig, contender: AbstractAsyncContextManager[int]) -> list[Row]:
    async with contender:
        asked, invited = await _run(rig, rig.pbx.agi_port)
    ms = [(invited[caller] - at) * 1_000 for caller, at in asked.items() if caller in invited]
    return _ways("bare AMI script (limit)", "FastAGI request -> INVITE", ms)


async def _ours(rig: Rig, folder: Path) -> list[Row]:
    async with BenchCentre(folder, rig.pbx, AGENTS) as centre:
        desks = await centre.log_in_all()
        asked, invited = await _run(rig, rig.pbx.agi_port)
        popped: dict[str, float] = {}
        for desk in desks:
            for number, at in desk.offered_at.items():
                popped[number] = min(at, popped.get(number, at))
    known = [caller for caller in asked if caller in popped and caller in invited]
    after_ms = [(popped[caller] - invited[caller]) * 1_000 for caller in known]
    who = "ccserver"
    before = 100 * sum(ms <= 0 for ms in after_ms) / len(asked)
    soon = 100 * sum(ms <= 10 for ms in after_ms) / len(asked)
    return [
        *_ways(who, "FastAGI request -> desk", [(popped[c] - asked[c]) * 1_000 for c in known], "<= 50"),
        *_ways(who, "FastAGI request -> INVITE", [(invited[c] - asked[c]) * 1_000 for c in known]),
        row("pop", who, "pop before the INVITE", before, "% of calls", ">= 95"),
        row("pop", who, "pop at most 10 ms after the INVITE", soon, "% of calls", ">= 99"),
        row("pop", who, "calls with a pop", 100 * len(known) / len(asked), "% of calls", ">= 100"),
    ]


async def measure() -> list[Row]:
    """The limit, then ccserver."""
    with tempfile.TemporaryDirectory(prefix="ccserver-bench-") as name:
        folder = Path(name)
        async with Rig(folder, AGENTS) as rig:
            rig.phones.talk_s = TALK_S
            return [*await _limit(rig, bare(rig)), *await _ours(rig, folder / "centre")]


def run() -> list[dict[str, Any]]:
    """The table."""
    return asyncio.run(measure())
