"""Records the traces of `tests/traces/ami` on a real PBX: `python -m tests.pbx.record_traces [NAME ...]`.

It starts a plain PBX and softphones (`plain_pbx`), plays each scenario (`plain_scenarios`) and writes what
AMI told to `tests/traces/ami/NAME.txt`. The stories beside them are written by hand; afterwards
`pytest tests/channels/asterisk/test_replay_traces.py` says whether the fold still tells them.
Numbers and people are invented.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.pbx.plain_pbx import PlainPbx
from tests.pbx.plain_scenarios import SCENARIOS

EVENT = b"Event: "
TRACES = Path(__file__).parents[1] / "traces" / "ami"


async def record(names: Sequence[str], target: Path = TRACES) -> None:
    """Play the named scenarios, all of them by default, and write their traces into `target`."""
    with tempfile.TemporaryDirectory(prefix="plain-pbx-") as folder:
        async with PlainPbx(Path(folder)) as pbx:
            for name in names or SCENARIOS:
                trace = await play(pbx, name)
                (target / f"{name}.txt").write_bytes(trace.replace(b"\r\n", b"\n"))
                sys.stdout.write(f"{name}: {trace.count(EVENT)} events\n")


async def play(pbx: PlainPbx, name: str) -> bytes:
    """One scenario on a quiet PBX; its trace."""
    pbx.record()
    for phone in pbx.phones.values():
        while not phone.incoming.empty():
            phone.incoming.get_nowait()
    await SCENARIOS[name](pbx)
    return await pbx.recorded()


if __name__ == "__main__":
    asyncio.run(record(sys.argv[1:]))
