"""A desk while the PBX talks: command sent to ack received, with 5,000 AMI events a second flowing in.

ccserver is a process with its journal and database; the PBX is the stand-in, here, putting the events of
`bench_ami` on the AMI connection 50 times a second. The desk goes ready and not ready, so every command
passes the hub, the router and the journal. The limit is the same without events.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.acceptance.desk import Desk
from tests.bench.bench_ami import events
from tests.bench.centre import BenchCentre, StandInPbx
from tests.bench.figures import Row, cpu_s, percentile, row

EVENTS_PER_S, PIECES_PER_S = 5_000, 50
PREPARED = 50_000
COMMANDS, COMMANDS_PER_S, WARM_UP = 600, 30, 30


async def _flow(pbx: StandInPbx, pieces: list[bytes]) -> None:
    """Until cancelled: a piece every 20 ms, made up for when one was late."""
    loop = asyncio.get_running_loop()
    next_at, number = loop.time(), 0
    while True:
        pbx.exchange.send_raw(pieces[number % len(pieces)])
        number, next_at = number + 1, next_at + 1 / PIECES_PER_S
        await asyncio.sleep(max(0.0, next_at - loop.time()))


async def _round_trips(desk: Desk) -> list[float]:
    """ms from command to ack."""
    ms = []
    for number in range(COMMANDS + WARM_UP):
        begin = time.perf_counter()
        command = ("ready", {}) if number % 2 else ("not_ready", {"reason": "break"})
        ack = await desk.do(command[0], **command[1])
        ms.append((time.perf_counter() - begin) * 1_000)
        if not ack["ok"]:
            raise RuntimeError(f"{command[0]} refused: {ack}")
        desk.frames.clear()
        await asyncio.sleep(1 / COMMANDS_PER_S)
    return ms[WARM_UP:]


async def _measure(who: str, centre: BenchCentre, desk: Desk, goal: str) -> list[Row]:
    begin, own = time.perf_counter(), cpu_s(centre.pid)
    ms = await _round_trips(desk)
    share = 100 * (cpu_s(centre.pid) - own) / (time.perf_counter() - begin)
    return [
        row("desk", who, "desk command -> ack, p50", percentile(ms, 0.5), "ms"),
        row("desk", who, "desk command -> ack, p99", percentile(ms, 0.99), "ms", goal),
        row("desk", who, "desk command -> ack, longest", max(ms), "ms"),
        row("desk", who, "ccserver CPU", share, "% of a core"),
    ]


async def measure() -> list[Row]:
    """Without events, then with."""
    per_piece = EVENTS_PER_S // PIECES_PER_S
    story = list(events(PREPARED))
    pieces = [b"".join(story[at : at + per_piece]) for at in range(0, PREPARED, per_piece)]
    with tempfile.TemporaryDirectory(prefix="ccserver-bench-") as name:
        async with StandInPbx(1) as pbx, BenchCentre(Path(name), pbx, 1) as centre:
            desk = (await centre.log_in_all())[0]
            rows = await _measure("no events (limit)", centre, desk, "")
            flowing = asyncio.ensure_future(_flow(pbx, pieces))
            try:
                rows += await _measure(f"{EVENTS_PER_S:,} events/s", centre, desk, "<= 20")
            finally:
                flowing.cancel()
                await asyncio.gather(flowing, return_exceptions=True)
            return rows


def run() -> list[dict[str, Any]]:
    """The table."""
    return asyncio.run(measure())
