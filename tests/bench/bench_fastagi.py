"""FastAGI: our server beside a dialogue thread with pyst2 and beside the limit, a bare asyncio server.

Each takes a whole request, sets one channel variable, reads the reply and closes; all in one server process
(uvloop, Twisted on asyncio, as in production), asked by this process over loopback. The variable carries the
monotonic time at which the handler was called, so `request to handler` is measured across the two.

    python -c "from tests.bench.bench_fastagi import run; print(run())"
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
CALLS = 2_000
AT_ONCE = 16
WARM_UP = 200
WAIT_S = 120.0
WHO = {
    "call": "ours, handler on the loop",
    "dialogue/it": "ours, pyst2 dialogue in a thread",
    "bare": "bare asyncio streams, no guards (limit)",
}


def serve() -> None:
    """The server process: prints `ROUTE PORT` lines, runs until its stdin closes."""
    import uvloop
    from twisted.internet import asyncioreactor

    loop = uvloop.new_event_loop()
    asyncio.set_event_loop(loop)
    asyncioreactor.install(loop)
    from twisted.internet import reactor

    waiting: list[asyncio.Task[None]] = []
    reactor.callWhenRunning(lambda: waiting.append(loop.create_task(_listen(reactor))))  # type: ignore[attr-defined]
    reactor.run()  # type: ignore[attr-defined]


async def _listen(reactor: Any) -> None:
    from channels.asterisk.fastagi_door import PbxDoor
    from channels.asterisk.fastagi_server import FastAgiFactory
    from tests.fakes.agi_peer import SECRET

    loop = asyncio.get_running_loop()
    factory = FastAgiFactory([PbxDoor("main", SECRET)], _routes(), loop)
    port = reactor.listenTCP(0, factory, backlog=256, interface="127.0.0.1").getHost().port
    bare = await asyncio.start_server(_bare, "127.0.0.1", 0, backlog=256)
    print("call", port, "\ndialogue/it", port, "\nbare", bare.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    reactor.stop()


def _routes() -> dict[str, Any]:
    from channels.asterisk.dialogue import DialogueLimits, DialogueOutcome, DialogueRunner, dialogue_handler
    from channels.asterisk.fastagi_request import AgiRequest
    from channels.asterisk.fastagi_session import AgiSession

    async def call(agi: AgiSession) -> None:
        await agi.set_variable("T", str(time.monotonic_ns()))

    def dialogue(agi: Any, call: object) -> None:
        del call
        agi.set_variable("T", str(time.monotonic_ns()))

    async def on_outcome(request: AgiRequest, outcome: DialogueOutcome) -> Mapping[str, str]:
        del request
        if outcome.status != "completed":
            raise RuntimeError(f"the dialogue ended {outcome.status}")
        return {}

    runner = DialogueRunner({"it": dialogue}, asyncio.get_running_loop(), limits=DialogueLimits(threads=64))
    return {"call": call, "dialogue/it": dialogue_handler(runner, "it", on_outcome)}


async def _bare(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\n\n")
    writer.write(b'SET VARIABLE "T" "%d"\n' % time.monotonic_ns())
    await reader.readline()
    writer.close()


async def _one_call(port: int, request: bytes) -> tuple[float, float]:
    """Ask once: ms until the handler was called, ms until the connection was closed."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    begin = time.monotonic_ns()
    writer.write(request)
    line = await reader.readline()
    called = int(line.rsplit(b'"', 2)[1])
    writer.write(b"200 result=1\n")
    if await reader.read():
        raise RuntimeError("more than one command came")
    end = time.monotonic_ns()
    writer.close()
    return (called - begin) / 1e6, (end - begin) / 1e6


async def _measure(route: str, port: int) -> dict[str, float]:
    from tests.fakes.agi_peer import environment, script

    request = environment(script(route))
    for _ in range(WARM_UP):
        await _one_call(port, request)
    alone = [await _one_call(port, request) for _ in range(CALLS)]
    begin = time.perf_counter()
    await _together(lambda: _one_call(port, request))
    seconds = time.perf_counter() - begin
    to_handler = sorted(first for first, _ in alone)
    return {
        "request to handler p50|ms": to_handler[len(alone) // 2],
        "request to handler p99|ms": to_handler[len(alone) * 99 // 100],
        "whole exchange p50|ms": sorted(whole for _, whole in alone)[len(alone) // 2],
        f"rate, {AT_ONCE} callers at once|calls/s": CALLS / seconds,
    }


async def _together(one: Callable[[], Awaitable[object]]) -> None:
    async def caller() -> None:
        for _ in range(CALLS // AT_ONCE):
            await one()

    async with asyncio.timeout(WAIT_S):
        await asyncio.gather(*(caller() for _ in range(AT_ONCE)))


def run() -> list[dict[str, Any]]:
    """The table: four figures for each of ours, pyst2 in a thread, and the limit."""
    command = [sys.executable, "-c", "from tests.bench.bench_fastagi import serve; serve()"]
    rows: list[dict[str, Any]] = []
    with subprocess.Popen(
        command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdin=-1, stdout=-1, text=True
    ) as server:
        assert server.stdout is not None
        ports = dict(server.stdout.readline().split() for _ in WHO)
        for route, who in WHO.items():
            figures = asyncio.run(_measure(route, int(ports[route])))
            for name, value in figures.items():
                figure, unit = name.split("|")
                rows.append(
                    {"bench": "fastagi", "who": who, "figure": figure, "value": round(value, 3), "unit": unit}
                )
    return rows
