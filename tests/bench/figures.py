"""Small things that every benchmark needs: rows of its table, percentiles, what a process used."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

TICKS = os.sysconf("SC_CLK_TCK")
Row = dict[str, Any]


def row(bench: str, who: str, figure: str, value: float, unit: str, goal: str = "") -> Row:
    """One line of a table; `goal` as words, where the issue sets one."""
    found = {"bench": bench, "who": who, "figure": figure, "value": round(value, 3), "unit": unit}
    return found | ({"goal": goal} if goal else {})


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which `share` of the values lie."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def cpu_s(pid: int) -> float:
    """CPU seconds that a process has used, with its threads."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def rss_mb(pid: int) -> float:
    """Resident memory of a process, MB."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError(f"process {pid} has no VmRSS")


def is_met(row: Row) -> bool:
    """Whether the value fits the goal, `<= N` or `>= N`; thousands may be separated by commas."""
    sign, _, limit = row["goal"].partition(" ")
    number = float(limit.replace(",", ""))
    return bool(row["value"] <= number if sign == "<=" else row["value"] >= number)
