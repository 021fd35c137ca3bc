"""One real PBX and its outside world for all tests of a run; tests play ccserver with a `MiniAcd`.

`pbx` and `world` live for the session (about 2 s); `acd` is new for every test, and before it robots are
reset and left-over calls are ended, so that tests do not depend on each other.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest
import pytest_twisted
from twisted.internet.defer import Deferred

from channels.asterisk.pbx.instance import PbxInstance, PbxSpec, default_phones
from channels.asterisk.pbx.link import LinkFailed, open_link
from channels.asterisk.pbx.world import World
from tests.pbx.mini_acd import MiniAcd


def on_loop(work: Callable[[], Awaitable[object]]) -> None:
    """Run it to its end on the reactor's loop, from a plain fixture."""
    pytest_twisted.blockon(Deferred.fromFuture(asyncio.ensure_future(work())))


@pytest.fixture(scope="session")
def pbx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PbxInstance]:
    """A real Asterisk with phones a1-a6 and desk; waiting callers look for a heartbeat every 1-3 s."""
    spec = PbxSpec(tmp_path_factory.mktemp("pbx") / "main", default_phones(6), admin=True, turn_s=1)
    instance = PbxInstance(spec)
    try:
        on_loop(instance.start)
        yield instance
    finally:
        on_loop(instance.stop)


@pytest.fixture(scope="session")
def world(pbx: PbxInstance) -> Iterator[World]:
    """The outside world of `pbx`, with a robot at each of a1-a6."""
    outside = World(pbx)
    try:
        on_loop(outside.start)
        yield outside
    finally:
        on_loop(outside.stop)


@pytest.fixture
def acd(pbx: PbxInstance, world: World) -> Iterator[MiniAcd]:
    """A stand-in for ccserver, up and beating, on a PBX without calls."""
    playing = MiniAcd(pbx)
    on_loop(lambda: quiet(pbx, world))
    try:
        on_loop(playing.__aenter__)
        yield playing
    finally:
        on_loop(playing.__aexit__)


async def quiet(pbx: PbxInstance, world: World) -> None:
    """End every call, and let robots answer after a moment."""
    for robot in world.robots:
        await world.robot(robot.name, ring_s=0.2)
    for call in list(world.calls.values()):
        await call.hang_up()
    link = await open_link(pbx.admin, events="off")
    try:
        async with asyncio.timeout(20):
            while (await link.require("CoreStatus"))["CoreCurrentCalls"] != "0":
                with contextlib.suppress(LinkFailed):  # none may be left by the time it is read
                    await link.require("Hangup", {"Channel": "/^.*$/"})
                await asyncio.sleep(0.05)
    finally:
        await link.close()


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    """Where a call's audio may be written."""
    return tmp_path / "heard.sln"
