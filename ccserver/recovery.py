"""From the journal back to a router: the newest snapshot, then every record after it through the same code.

Replaying compares each record's effects with what this release decides; within one release a difference is a
defect (`replay` reports it), across releases it is news. Live state always follows the effects that were
journaled, by replaying their facts.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import structlog

from ccserver import journal
from ccserver.journal import JournalRecord
from routing import snapshot
from routing.router import Router

KEEP_SNAPSHOTS = 3
log = structlog.get_logger()


@dataclass(slots=True)
class Recovered:
    """A router as it was after record `seq`; `differences` lists records that decide otherwise now."""

    router: Router = field(default_factory=Router)
    seq: int = 0
    at: int = 0
    replayed: int = 0
    differences: list[int] = field(default_factory=list)


def recover(folder: Path) -> Recovered:
    """The state at the end of the journal in `folder`; empty when there is none. Raises JournalDamaged."""
    state = _newest_snapshot(folder)
    replay(state, journal.read(folder, state.seq))
    return state


def replay(state: Recovered, records: Iterator[JournalRecord]) -> None:
    """Feed `records` into `state`."""
    for record in records:
        state.seq, state.at = record.seq, max(state.at, record.at)
        if record.fault:
            continue
        effects = tuple(state.router.handle(record.event, record.at))
        state.replayed += 1
        if effects != record.effects:
            state.differences.append(record.seq)


def save_snapshot(folder: Path, router: Router, seq: int) -> None:
    """Write the state after record `seq`, whole or not at all, and drop old ones."""
    data = msgspec.json.encode({"seq": seq, "state": snapshot.take(router)})
    path = folder / f"snapshot-{seq:012d}.json"
    draft = path.with_suffix(".tmp")
    draft.write_bytes(data)
    os.replace(draft, path)
    for old in _snapshots(folder)[KEEP_SNAPSHOTS:]:
        with contextlib.suppress(FileNotFoundError):
            old.unlink()


def _snapshots(folder: Path) -> list[Path]:
    return sorted(folder.glob("snapshot-*.json"), reverse=True)


def _newest_snapshot(folder: Path) -> Recovered:
    for path in _snapshots(folder):
        try:
            body = msgspec.json.decode(path.read_bytes())
            state = msgspec.convert(body["state"], snapshot.Snapshot)
            return Recovered(snapshot.restore(state), body["seq"], state.at)
        except (OSError, ValueError, KeyError, msgspec.MsgspecError) as error:
            log.warning("snapshot unreadable, an older one is used", file=path.name, why=str(error))
    return Recovered()
