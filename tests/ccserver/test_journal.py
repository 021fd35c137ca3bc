"""The journal keeps every record, drops a torn end, refuses damage, and brings the router back."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given, settings

from ccserver.clock import RouterClock
from ccserver.hub import Hub
from ccserver.journal import (
    Journal,
    JournalDamaged,
    JournalRecord,
    decode_line,
    decode_record,
    encode_record,
    files,
    read,
)
from ccserver.recovery import recover, save_snapshot
from routing import events as ev
from routing.effects import MakeOffer
from routing.model import DeviceState, Medium
from routing.router import Router
from tests.routing.helpers import Floor
from tests.routing.test_properties import AGENTS, STEPS


def records_of(steps: list[tuple[ev.Event, float]]) -> list[JournalRecord]:
    """What a day of `steps` leaves in the journal, policy and logins included."""
    floor, records = Floor(), []
    router = Router()
    plain = [(ev.PolicySet(_policy()), 0.0), *_logins(), *steps]
    for seq, (event, after_s) in enumerate(plain, 1):
        floor.at_s += after_s
        records.append(JournalRecord(seq, floor.now, event, tuple(router.handle(event, floor.now))))
    return records


def _policy() -> ev.Policy:
    return Floor(*AGENTS).policy


def _logins() -> list[tuple[ev.Event, float]]:
    steps: list[tuple[ev.Event, float]] = []
    for name in AGENTS:
        steps += [
            (ev.DeviceChanged(f"pbx/{name}", DeviceState.NOT_INUSE), 0.0),
            (ev.SessionOpened(name, f"s-{name}", f"pbx/{name}"), 0.0),
            (ev.AgentReadied(name), 1.0),
        ]
    return steps


@given(STEPS)
@settings(max_examples=60)
def test_every_record_comes_back_as_it_was(steps: list[tuple[ev.Event, float]]) -> None:
    for record in records_of(steps):
        assert decode_record(decode_line(encode_record(record))) == record


async def _write(folder: Path, records: list[JournalRecord]) -> None:
    journal = Journal(folder, "e1", "test", 0)
    for record in records:
        journal.append(record)
    await journal.durable(journal.last_seq)
    await journal.close()


CALLS = [
    (ev.InteractionArrived(f"i{n}", Medium.VOICE, "billing", stake_cents=100 * n), 1.0) for n in range(1, 9)
]


async def test_recovery_replays_to_the_same_router_and_finds_no_difference(tmp_path: Path) -> None:
    records = records_of(CALLS)
    await _write(tmp_path, records)
    state = recover(tmp_path)
    assert (state.seq, state.replayed, state.differences) == (len(records), len(records), [])
    assert sorted(state.router.waiting.ids()) == ["i4", "i5", "i6", "i7", "i8"]


async def test_a_snapshot_shortens_recovery_and_decides_as_the_router_it_was_taken_from(
    tmp_path: Path,
) -> None:
    records = records_of(CALLS)
    await _write(tmp_path, records)
    whole = recover(tmp_path)
    save_snapshot(tmp_path, whole.router, whole.seq)
    short = recover(tmp_path)
    assert (short.replayed, short.seq) == (0, whole.seq)
    for event in (ev.CustomerLeft("i1"), ev.AgentLeft("i2", "budi"), ev.TimePassed()):
        at = whole.at + 60_000_000
        assert short.router.handle(event, at) == whole.router.handle(event, at)


async def test_a_broken_snapshot_is_passed_over(tmp_path: Path) -> None:
    records = records_of(CALLS)
    await _write(tmp_path, records)
    (tmp_path / "snapshot-000000000009.json").write_text("{")
    assert recover(tmp_path).replayed == len(records)


async def test_a_torn_end_is_dropped_and_written_over(tmp_path: Path) -> None:
    records = records_of(CALLS)
    await _write(tmp_path, records)
    (_, path) = files(tmp_path)[0]
    os.truncate(path, path.stat().st_size - 7)
    assert [r.seq for r in read(tmp_path)] == list(range(1, len(records)))
    journal = Journal(tmp_path, "e1", "test", len(records) - 1)
    journal.append(records[-1])
    await journal.close()
    assert list(read(tmp_path)) == records


async def test_damage_in_the_middle_is_refused_with_file_and_line(tmp_path: Path) -> None:
    await _write(tmp_path, records_of(CALLS))
    (_, path) = files(tmp_path)[0]
    lines = path.read_bytes().splitlines(keepends=True)
    lines[4] = lines[4].replace(b'"at":1', b'"at":2', 1)
    path.write_bytes(b"".join(lines))
    with pytest.raises(JournalDamaged, match=r"journal-000000000001.log:5: checksum"):
        list(read(tmp_path))


async def test_a_full_disk_stops_nothing_and_leaves_a_marked_gap(tmp_path: Path) -> None:
    records = records_of(CALLS)
    journal = Journal(tmp_path, "e1", "test", 0)
    journal.append(records[0])
    os.close(journal._fd)
    journal._fd = os.open("/dev/full", os.O_WRONLY)
    journal.append(records[1])
    assert "No space" in journal.failed
    journal._retry_at = 0.0
    journal.append(records[2])
    assert journal.failed == ""
    await journal.close()
    assert [r.seq for r in read(tmp_path)] == [1, 3]
    assert any(b'"gap":{"from":2,"to":2' in path.read_bytes() for _, path in files(tmp_path))


async def test_the_hub_journals_before_it_acts_and_takes_results_as_facts(tmp_path: Path) -> None:
    journal = Journal(tmp_path, "e1", "test", 0)
    hub = Hub(Router(), journal, RouterClock())
    seen: list[str] = []

    def ring(effect: MakeOffer) -> None:
        assert journal.path().read_bytes().count(b"InteractionArrived") == 1
        seen.append(effect.offer)
        hub.post(ev.OfferAccepted(effect.offer))

    hub.on_effect(MakeOffer, ring)
    hub.on_record(lambda record: seen.append(type(record.event).__name__))
    for event, _ in [(ev.PolicySet(_policy()), 0.0), *_logins()[:3]]:
        hub.post(event)
    seen.clear()
    hub.post(ev.InteractionArrived("i1", Medium.VOICE, "billing"))
    assert seen == ["i1.1", "InteractionArrived", "OfferAccepted"]
    hub.stop()
    await journal.close()


async def test_a_fact_that_raises_is_refused_and_the_router_goes_on(tmp_path: Path) -> None:
    journal = Journal(tmp_path, "e1", "test", 0)
    hub = Hub(Router(), journal, RouterClock())
    hub.post(ev.PolicySet(_policy()))
    hub.post("nonsense")  # type: ignore[arg-type]
    hub.post(ev.InteractionArrived("i1", Medium.VOICE, "billing"))
    assert hub.faults == 1
    assert hub.router.waiting.ids() == ["i1"]
    hub.stop()
    await journal.close()


def test_router_time_never_goes_before_the_last_record_and_ignores_the_wall_clock() -> None:
    wall, mono = [5_000_000], [100]
    clock = RouterClock(9_000_000, lambda: wall[0], lambda: mono[0])
    assert clock() == 9_000_000
    wall[0] -= 3_600_000_000
    mono[0] += 250
    assert clock() == 9_000_250
