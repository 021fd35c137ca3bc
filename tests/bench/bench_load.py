"""Load: 50 calls/s for a minute through a real Asterisk, none lost; CPU beside Asterisk's own queue.

Every caller is counted three times: by the generator (served, abandoned, refused), at the phones (answered),
and by whoever routed: ccserver's journal, and Asterisk's own count of calls. Lost: a caller who was neither
answered nor gave up.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections import Counter
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ccserver import journal
from routing.effects import InteractionClosed, SegmentStarted
from routing.events import InteractionArrived
from tests.bench.bench_handoff import nobody, ours
from tests.bench.figures import Row, cpu_s, percentile, row
from tests.bench.rig import NUMBER, Rig
from tests.bench.sip import Call, Hooks, PhoneCall

AGENTS, RATE, SECONDS = 50, 50.0, 60
TALK_S, RING_S, PATIENCE_S = 0.3, 0.02, 30.0


@dataclass
class Counted:
    """What the generator saw."""

    begun: dict[str, float] = field(default_factory=dict)
    invited: dict[str, float] = field(default_factory=dict)
    answered: set[str] = field(default_factory=set)
    ends: dict[str, str] = field(default_factory=dict)

    def at_phone(self, call: PhoneCall) -> None:
        self.invited.setdefault(call.number, call.invited_at)

    def spoken(self, call: PhoneCall) -> None:
        self.answered.add(call.number)

    def ended(self, call: Call) -> None:
        self.ends[call.number] = call.outcome

    @property
    def lost(self) -> int:
        """Callers neither answered nor gone by themselves."""
        left = {number for number, end in self.ends.items() if end == "abandoned"}
        return len(self.begun.keys() - self.answered - left)


async def _calls(rig: Rig) -> Counted:
    """The minute, and until the last caller is gone."""
    counted = Counted()
    rig.phones.hooks = Hooks(invited=counted.at_phone, answered=counted.spoken)
    rig.callers.ended = counted.ended
    begin = time.perf_counter()
    for number in range(int(RATE * SECONDS)):
        await asyncio.sleep(max(0.0, begin + number / RATE - time.perf_counter()))
        caller = rig.next_number()
        counted.begun[caller] = rig.callers.call(caller, NUMBER, patience_s=PATIENCE_S).begun_at
    await rig.callers.until_quiet(PATIENCE_S + 10)
    return counted


async def _measure(rig: Rig, who: str, contender: AbstractAsyncContextManager[int]) -> list[Row]:
    async with contender as pid:
        processed = await rig.calls_processed()
        begin, asterisk, own = time.perf_counter(), cpu_s(rig.pbx.pid), cpu_s(pid) if pid else 0.0
        counted = await _calls(rig)
        took_s = time.perf_counter() - begin
        shares = [("Asterisk CPU", cpu_s(rig.pbx.pid) - asterisk)]
        if pid:
            shares.append(("own CPU", cpu_s(pid) - own))
        processed = await rig.calls_processed() - processed
    ms = [(at - counted.begun[number]) * 1_000 for number, at in counted.invited.items()]
    abandoned = sum(end == "abandoned" for end in counted.ends.values())
    return [
        row("load", who, "calls a second", len(counted.begun) / SECONDS, "1/s"),
        row("load", who, "offered", len(counted.begun), "calls"),
        row("load", who, "answered, at the phones", len(counted.answered), "calls"),
        row("load", who, "abandoned", abandoned, "calls"),
        row("load", who, "lost", counted.lost, "calls", "<= 0" if pid else ""),
        row("load", who, "calls, as Asterisk counts them", processed, "calls"),
        row("load", who, "caller's INVITE -> agent's INVITE, p50", percentile(ms, 0.5), "ms"),
        row("load", who, "caller's INVITE -> agent's INVITE, p99", percentile(ms, 0.99), "ms"),
        *(row("load", who, name, 100 * used / took_s, "% of a core") for name, used in shares),
    ]


def _journaled(folder: Path) -> list[Row]:
    """The same calls as ccserver's journal has them."""
    counts: Counter[str] = Counter()
    for record in journal.read(folder):
        counts["arrived"] += isinstance(record.event, InteractionArrived)
        for effect in record.effects:
            counts["answered"] += isinstance(effect, SegmentStarted)
            if isinstance(effect, InteractionClosed):
                counts[f"closed as {effect.outcome.value.lower()}"] += 1
    return [
        row("load", "ccserver", f"journal: {name}", count, "calls") for name, count in sorted(counts.items())
    ]


async def measure() -> list[Row]:
    """ccserver, then Asterisk's own queue."""
    with tempfile.TemporaryDirectory(prefix="ccserver-bench-") as name:
        folder = Path(name)
        async with Rig(folder, AGENTS) as rig:
            rig.phones.talk_s, rig.phones.ring_s = TALK_S, RING_S
            rows = await _measure(rig, "ccserver", ours(rig, folder / "centre"))
            rows += _journaled(folder / "centre" / "data" / "journal")
            rows += await _measure(rig, "app_queue (peer)", nobody())
            return rows


def run() -> list[dict[str, Any]]:
    """The table."""
    return asyncio.run(measure())
