"""Start and size: process begun to /readyz, empty and after a crash; memory with 1,000 callers and agents.

After a crash means: 20,000 records of a random working day in the journal and no snapshot, which is the most
that ever has to be read again. The size is taken with the stand-in PBX, every agent at an open desk, nobody
ready, every caller waiting. The limit of both is a Python process that only imports what the server imports.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

from ccserver.journal import JournalRecord, encode_record
from tests.bench.centre import BenchCentre, StandInPbx
from tests.bench.figures import Row, row, rss_mb
from tests.bench.rig import NUMBER
from tests.ccserver.store.shifts import Shift

STARTS, RECORDS = 3, 20_000
AGENTS, CALLERS, CALLS_PER_S = 1_000, 1_000, 100
IMPORTS = "import ccserver.app, sys; sys.stdout.write('ready\\n'); sys.stdout.flush(); sys.stdin.read()"


def _limit() -> list[Row]:
    """A process that imports the server and waits."""
    took_s, size_mb = [], 0.0
    for _ in range(STARTS):
        begin = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, "-c", IMPORTS], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert process.stdout is not None
        process.stdout.readline()
        took_s.append(time.perf_counter() - begin)
        size_mb = rss_mb(process.pid)
        process.communicate()
    who = "imports only (limit)"
    return [
        row("start", who, "process begun -> ready, median", median(took_s), "s"),
        row("start", who, "memory", size_mb, "MB"),
    ]


async def _starts(centre: BenchCentre, who: str) -> list[Row]:
    took_s = []
    for _ in range(STARTS):
        took_s.append(await centre.seconds_to_ready())
        size_mb = rss_mb(centre.pid)
        await centre.kill()
    return [
        row("start", who, "process begun -> ready, median", median(took_s), "s", "<= 3"),
        row("start", who, "memory", size_mb, "MB"),
    ]


def _write_journal(folder: Path) -> None:
    """What a server leaves that is killed just before its first snapshot."""
    folder.mkdir(parents=True)
    records = Shift(1).work(RECORDS)
    with (folder / "journal-000000000001.log").open("wb") as file:
        for record in records:
            file.write(encode_record(JournalRecord(record.seq, record.at, record.event, record.effects)))


async def _start_rows(folder: Path) -> list[Row]:
    async with StandInPbx(4) as pbx:
        empty = BenchCentre(folder / "empty", pbx, 4)
        empty.write_config()
        await empty.people()
        rows = await _starts(empty, "ccserver, empty")
        crashed = BenchCentre(folder / "crashed", pbx, 4)
        crashed.write_config()
        await crashed.people()
        _write_journal(crashed.folder / "data" / "journal")
        return rows + await _starts(crashed, f"ccserver, {RECORDS:,} records to recover")


async def _size_rows(folder: Path) -> list[Row]:
    async with StandInPbx(AGENTS) as pbx, BenchCentre(folder, pbx, AGENTS) as centre:
        rows = [row("start", f"ccserver, {AGENTS:,} agents configured", "memory", rss_mb(centre.pid), "MB")]
        await centre.log_in_all(ready=False)
        rows.append(row("start", f"ccserver, {AGENTS:,} desks open", "memory", rss_mb(centre.pid), "MB"))
        for number in range(CALLERS):
            await pbx.exchange.call(f"+62812990{number:05}", NUMBER, talk_s=None, patience_s=3_600)
            await asyncio.sleep(1 / CALLS_PER_S)
        await _until_waiting(centre)
        who = f"ccserver, {CALLERS:,} waiting, {AGENTS:,} agents"
        rows.append(row("start", who, "memory", rss_mb(centre.pid), "MB", "<= 200"))
        return rows


async def _until_waiting(centre: BenchCentre) -> None:
    """Every caller waits, and the desks know."""
    async with asyncio.timeout(60):
        while True:
            frames = centre.desks[-1].seen("queues")
            if frames and sum(queue["waiting"] for queue in frames[-1]["queues"]) == CALLERS:
                return
            await asyncio.sleep(0.2)


async def measure() -> list[Row]:
    """Limit, starts, size."""
    with tempfile.TemporaryDirectory(prefix="ccserver-bench-") as name:
        folder = Path(name)
        return [*_limit(), *await _start_rows(folder), *await _size_rows(folder / "size")]


def run() -> list[dict[str, Any]]:
    """The table."""
    return asyncio.run(measure())
