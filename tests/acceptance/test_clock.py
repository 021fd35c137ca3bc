"""The wall clock is set back an hour under a running server: waits, order and deadlines stay true.

The server runs with a clock whose wall time the test can shift (what Python reads of it; the monotonic clock
of the machine goes on, as it does when an administrator sets the time).
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from channels.asterisk.pbx.instance import PbxInstance
from channels.asterisk.pbx.world import World
from tests.acceptance.centre import Centre
from tests.acceptance.steps import BILLING, STRANGER, clear_desks, remembered
from tests.pbx.conftest import on_loop, quiet

pytestmark = pytest.mark.pbx
HOUR_S = 3600
SHIFTABLE = """
import os, pathlib, time
_file, _time, _time_ns = pathlib.Path(os.environ["SHIFT_FILE"]), time.time, time.time_ns
def _shift():
    try:
        return int(_file.read_text() or 0)
    except (OSError, ValueError):
        return 0
time.time = lambda: _time() + _shift()
time.time_ns = lambda: _time_ns() + _shift() * 1_000_000_000
"""


@pytest.fixture
def shift(tmp_path: Path) -> Path:
    """Seconds by which the server's wall clock is off."""
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(SHIFTABLE)
    return tmp_path / "shift"


@pytest.fixture
def centre(
    tmp_path: Path, real_pbx: PbxInstance, outside: World, people: Path, shift: Path
) -> Iterator[Centre]:
    """A server whose wall clock can be set."""
    path = os.pathsep.join([str(tmp_path / "site"), os.environ.get("PYTHONPATH", "")])
    env = {"PYTHONPATH": path.rstrip(os.pathsep), "SHIFT_FILE": str(shift)}
    made = Centre(tmp_path / "centre", real_pbx, outside, offer_timeout_s=3, env=env)
    made.settle(people)
    made.write_config()
    on_loop(lambda: quiet(real_pbx, outside))
    try:
        on_loop(made.start)
        yield made
    finally:
        on_loop(lambda: quiet(real_pbx, outside))
        on_loop(lambda: clear_desks(made))
        on_loop(made.stop)
    assert made.faults() == []


async def test_a_wall_clock_set_back_an_hour_changes_no_wait_no_order_and_no_deadline(
    centre: Centre, shift: Path
) -> None:
    ayu = await centre.desk("ayu", ready=False)
    await centre.world.robot("a1", conduct="ignore")
    loop = asyncio.get_running_loop()
    began = loop.time()
    first = await centre.world.call(STRANGER, BILLING)
    await ayu.until("queues", lambda f: any(q["waiting"] == 1 for q in f["queues"]))
    shift.write_text(str(-HOUR_S))
    second = await centre.world.call("+6281299999981", BILLING)
    await ayu.until("queues", lambda f: any(q["waiting"] == 2 for q in f["queues"]))
    await ayu.do("ready")
    offer = (await ayu.until("offer"))["offer"]
    assert offer["pop"]["origin"] == STRANGER, "who came first goes first"
    assert offer["deadline_utc_ms"] - offer["made_utc_ms"] == 3_000
    ended = await ayu.until("offer_ended", within_s=15)
    assert ended["outcome"] == "expired", "the deadline came in time"
    await centre.world.robot("a1", ring_s=0.2)
    again = (await ayu.until("offer"))["offer"]
    assert again["pop"]["queued_utc_ms"] == offer["pop"]["queued_utc_ms"]
    await first.until_heard()
    waited_ms = 1_000 * (loop.time() - began)
    await first.hang_up()
    await second.hang_up()
    await ayu.until("work", lambda f: f["item"]["phase"] == "wrap_up")
    await ayu.do("finish", interaction=again["interaction"], disposition="", note="", next="ready")
    detail = await remembered(centre, again["interaction"])
    assert 3_000 < detail["waited_ms"] <= waited_ms, "as long as it really was"
    board = await centre.get("/api/v1/wallboard")
    assert 3 < board["asa_s"] * 1 <= waited_ms / 1_000


async def test_a_restart_after_the_clock_was_set_back_keeps_the_waits(
    centre: Centre, real_pbx: PbxInstance, shift: Path
) -> None:
    """Router time never goes before the last record of the journal."""
    await real_pbx.set_global("CCSERVER_TURN", "30")
    try:
        ayu = await centre.desk("ayu", ready=False)
        call = await centre.world.call(STRANGER, BILLING)
        await ayu.until("queues", lambda f: any(q["waiting"] == 1 for q in f["queues"]))
        oldest = (await centre.get("/api/v1/wallboard"))["oldest_utc_ms"]
        shift.write_text(str(-HOUR_S))
        await centre.stop()
        await centre.start()
        board = await centre.get("/api/v1/wallboard")
        assert board["oldest_utc_ms"] == oldest
        assert board["at_utc_ms"] >= oldest
        assert call.ended_at is None
    finally:
        await real_pbx.set_global("CCSERVER_TURN", str(real_pbx.spec.turn_s))
