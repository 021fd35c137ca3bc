"""Hand-off: an agent hangs up, the next waiting caller's INVITE reaches that agent's phone.

8 agents, 25 callers always waiting, 300 hand-offs each; ccserver with journal, database and desks on, beside
Asterisk's own queue and beside a bare AMI script, all on one Asterisk in one run. Taken at the phone: from
before its BYE is sent until its next INVITE has come.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

from tests.bench.centre import BenchCentre
from tests.bench.figures import Row, cpu_s, percentile, row
from tests.bench.rig import Rig
from tests.bench.sip import Hooks, PhoneCall

AGENTS, WAITING, HANDOFFS, WARM_UP = 8, 25, 300, 20
TALK_S = 0.8
WITHIN_S = 150.0
GOALS = {"p50": "<= 8", "p99": "<= 25"}


@contextlib.asynccontextmanager
async def bare(rig: Rig) -> AsyncIterator[int]:
    """The bare script as a process; its pid."""
    ami = rig.pbx.ami
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.bench.bare_script", str(ami.port), ami.user),
        *(str(rig.pbx.agi_port), *rig.phones.phones),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stdin is not None
    process.stdin.write(f"{ami.secret}\n".encode())
    await asyncio.wait_for(process.stdout.readline(), 10)
    try:
        yield process.pid
    finally:
        process.terminate()
        await process.wait()


@contextlib.asynccontextmanager
async def ours(rig: Rig, folder: Path) -> AsyncIterator[int]:
    """ccserver with a desk for each agent; its pid."""
    async with BenchCentre(folder, rig.pbx, len(rig.phones.phones)) as centre:
        await centre.log_in_all()
        yield centre.pid


@contextlib.asynccontextmanager
async def nobody() -> AsyncIterator[int]:
    """Nobody routes: the dialplan takes callers to Asterisk's own queue."""
    yield 0


class Handoffs(Hooks):
    """Times them, ms."""

    def __init__(self, wanted: int) -> None:
        super().__init__(invited=self._invited, hung_up=self._hung_up)
        self.ms: list[float] = []
        self.wanted, self.done = wanted, asyncio.Event()
        self._free_since: dict[str, float] = {}

    def _hung_up(self, call: PhoneCall) -> None:
        self._free_since[call.phone] = call.bye_at

    def _invited(self, call: PhoneCall) -> None:
        since = self._free_since.pop(call.phone, None)
        if since is not None:
            self.ms.append((call.invited_at - since) * 1_000)
        if len(self.ms) >= self.wanted:
            self.done.set()


async def time_handoffs(rig: Rig, wanted: int) -> list[float]:
    """`wanted` hand-offs, the first of all that were timed left out. Raises TimeoutError."""
    handoffs = Handoffs(wanted + WARM_UP)
    rig.phones.hooks = handoffs
    rig.feed(AGENTS + WAITING)
    try:
        await asyncio.wait_for(handoffs.done.wait(), WITHIN_S)
    except TimeoutError:
        raise TimeoutError(f"{len(handoffs.ms)} of {wanted} hand-offs within {WITHIN_S:.0f} s") from None
    finally:
        await rig.stop_feeding()
        rig.phones.hooks = Hooks()
    return handoffs.ms[WARM_UP:]


async def _measure(rig: Rig, who: str, contender: AbstractAsyncContextManager[int]) -> list[Row]:
    async with contender as pid:
        begin = asyncio.get_running_loop().time()
        asterisk, own = cpu_s(rig.pbx.pid), cpu_s(pid) if pid else 0.0
        ms = await time_handoffs(rig, HANDOFFS)
        took_s = asyncio.get_running_loop().time() - begin
        goals = GOALS if who == "ccserver" else {}
        rows = [
            row("handoff", who, name, percentile(ms, share), "ms", goals.get(name, ""))
            for name, share in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99))
        ]
        rows.append(row("handoff", who, "hand-offs a second", len(ms) / took_s, "1/s"))
        rows.append(
            row("handoff", who, "Asterisk CPU", 100 * (cpu_s(rig.pbx.pid) - asterisk) / took_s, "% of a core")
        )
        if pid:
            rows.append(row("handoff", who, "own CPU", 100 * (cpu_s(pid) - own) / took_s, "% of a core"))
    return rows


async def measure() -> list[Row]:
    """All three, one after the other."""
    with tempfile.TemporaryDirectory(prefix="ccserver-bench-") as name:
        folder = Path(name)
        async with Rig(folder, AGENTS) as rig:
            rig.phones.talk_s = TALK_S
            rows = await _measure(rig, "bare AMI script (limit)", bare(rig))
            rows += await _measure(rig, "ccserver", ours(rig, folder / "centre"))
            rows += await _measure(rig, "app_queue (peer)", nobody())
            return rows


def run() -> list[dict[str, Any]]:
    """The table."""
    return asyncio.run(measure())
