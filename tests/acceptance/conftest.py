"""One PBX and one world for all acceptance tests; a fresh ccserver a module, quiet lines before each test."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from channels.asterisk.pbx.instance import PbxInstance, PbxSpec, default_phones
from channels.asterisk.pbx.world import World
from tests.acceptance.centre import Centre, new_secret
from tests.pbx.conftest import on_loop, quiet

__all__ = ["AsyncIterator"]


@pytest.fixture(scope="session")
def real_pbx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PbxInstance]:
    """A real Asterisk whose dialplan asks ccserver."""
    folder = tmp_path_factory.mktemp("acceptance") / "pbx"
    instance = PbxInstance(PbxSpec(folder, default_phones(6), admin=True, agi_secret=new_secret(), turn_s=1))
    try:
        on_loop(instance.start)
        yield instance
    finally:
        on_loop(instance.stop)


@pytest.fixture(scope="session")
def outside(real_pbx: PbxInstance) -> Iterator[World]:
    """Callers, and robots at the phones."""
    world = World(real_pbx)
    try:
        on_loop(world.start)
        on_loop(world.until_registered)
        yield world
    finally:
        on_loop(world.stop)


@pytest.fixture(scope="module")
def running(
    tmp_path_factory: pytest.TempPathFactory, real_pbx: PbxInstance, outside: World
) -> Iterator[Centre]:
    """ccserver for the tests of one module."""
    centre = Centre(tmp_path_factory.mktemp("centre"), real_pbx, outside)
    try:
        on_loop(centre.__aenter__)
        yield centre
    finally:
        on_loop(centre.stop)


@pytest.fixture
def centre(running: Centre, real_pbx: PbxInstance, outside: World) -> Iterator[Centre]:
    """ccserver on quiet lines, nobody logged in."""
    on_loop(lambda: quiet(real_pbx, outside))
    yield running
    on_loop(lambda: _leave(running))


async def _leave(centre: Centre) -> None:
    for desk in centre.desks:
        await desk.http.post("/api/v1/logout")
        await desk.close()
    centre.desks.clear()
