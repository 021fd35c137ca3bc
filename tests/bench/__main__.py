"""`make bench`: every benchmark in turn, its table printed, all figures in `bench/results.json`.

    python -m tests.bench [NAME...]      names: handoff pop ami desk load start fastagi store; none: all

One that raises prints its fault; the others still run, and the exit code is 1. A goal that is missed is
marked and is no fault: what the machine did besides is not ours to know.
"""

from __future__ import annotations

import gc
import json
import logging
import os
import platform
import sys
import time
import traceback
from importlib import import_module
from pathlib import Path
from typing import Any

from tests.bench.figures import Row, is_met

NAMES = ("handoff", "pop", "ami", "desk", "load", "start", "fastagi", "store")
RESULTS = Path("bench") / "results.json"


def machine() -> dict[str, Any]:
    """What it ran on, and how busy that was already."""
    model = "unknown"
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        lines = [line for line in cpuinfo.read_text().splitlines() if line.startswith("model name")]
        model = lines[0].partition(":")[2].strip() if lines else model
    return {
        "cores": os.cpu_count(),
        "cpu": model,
        "python": platform.python_version(),
        "system": platform.system(),
        "load": [round(value, 2) for value in os.getloadavg()],
        "utc": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }


def table(rows: list[Row]) -> str:
    """Aligned columns: who, figure, value, unit, goal."""
    cells = [("who", "figure", "value", "unit", "goal")]
    for row in rows:
        goal = row.get("goal", "")
        mark = "" if not goal else f"{goal} {'met' if is_met(row) else 'MISSED'}"
        cells.append((row["who"], row["figure"], f"{row['value']:,}", row["unit"], mark))
    widths = [max(len(line[column]) for line in cells) for column in range(5)]
    lines = []
    for who, figure, value, unit, goal in cells:
        left = f"  {who:<{widths[0]}}  {figure:<{widths[1]}}"
        lines.append(f"{left}  {value:>{widths[2]}} {unit:<{widths[3]}}  {goal}".rstrip())
    return "\n".join(lines)


def measure(name: str) -> dict[str, Any]:
    """One benchmark: its rows, or its fault."""
    begin, load = time.perf_counter(), os.getloadavg()[0]
    result: dict[str, Any] = {"load_before": round(load, 2), "rows": []}
    gc.collect()
    gc.disable()  # a collection in the one who takes the times would count as somebody's delay
    try:
        result["rows"] = import_module(f"tests.bench.bench_{name}").run()
    except Exception as error:  # noqa: BLE001  told below; the other benchmarks still run
        result["fault"] = f"{type(error).__name__}: {error}"
        traceback.print_exc()
    gc.enable()
    result["took_s"] = round(time.perf_counter() - begin, 1)
    return result


def main(names: list[str]) -> int:
    """The exit code."""
    unknown = [name for name in names if name not in NAMES]
    if unknown:
        print(f"no benchmark {', '.join(unknown)}; there are: {' '.join(NAMES)}", file=sys.stderr)
        return 2
    # A stand-in that talks to a server which was just killed is no news here.
    logging.getLogger("asyncio").setLevel(logging.ERROR)
    found = machine()
    print(f"{found['cores']} cores of {found['cpu']}, Python {found['python']}, load {found['load'][0]}")
    results: dict[str, Any] = {}
    for name in names or NAMES:
        print(f"\n{name} ...", flush=True)
        results[name] = result = measure(name)
        print(table(result["rows"]) if "fault" not in result else f"  FAULT: {result['fault']}")
        print(f"  ({result['took_s']} s; load before: {result['load_before']})", flush=True)
    keep(found, results)
    return 1 if any("fault" in result for result in results.values()) else 0


def keep(found: dict[str, Any], results: dict[str, Any]) -> None:
    """Into the file of results; those of benchmarks that did not run now stay, each with its own machine."""
    RESULTS.parent.mkdir(exist_ok=True)
    before = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    now = {name: {"machine": found, **result} for name, result in results.items()}
    RESULTS.write_text(json.dumps(before | now, indent=1) + "\n")
    print(f"\nkept in {RESULTS}")


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
