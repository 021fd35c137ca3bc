"""One PBX and one world for all acceptance tests; a fresh ccserver a module, quiet lines before each test.

A module may set `CENTRE` (settings of its centre) and `EXPECTED_FAULTS` (words of log lines it provokes):
any other error in the server's log fails the module.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from channels.asterisk.pbx.instance import PbxInstance, PbxSpec, default_phones
from channels.asterisk.pbx.provision import project_root
from channels.asterisk.pbx.world import World
from tests.acceptance.centre import Centre, new_secret
from tests.acceptance.steps import Line, clear_desks
from tests.pbx.conftest import on_loop, quiet


@pytest.fixture(scope="session")
def real_pbx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PbxInstance]:
    """A real Asterisk whose dialplan asks ccserver."""
    sounds = project_root() / ".cache" / "test-sounds"  # spoken once, for all runs
    sounds.mkdir(parents=True, exist_ok=True)
    spec = PbxSpec(
        tmp_path_factory.mktemp("acceptance") / "pbx",
        default_phones(6),
        admin=True,
        agi_secret=new_secret(),
        extra_sounds=sounds,
        turn_s=3,
    )
    instance = PbxInstance(spec)
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


@pytest.fixture(scope="session")
def people(tmp_path_factory: pytest.TempPathFactory, real_pbx: PbxInstance, outside: World) -> Path:
    """The data folder of a centre with its users and customers, made once by the command line."""
    centre = Centre(tmp_path_factory.mktemp("people"), real_pbx, outside)
    centre.write_config()
    on_loop(centre.people)
    return centre.folder / "data"


@pytest.fixture(scope="module")
def running(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    real_pbx: PbxInstance,
    outside: World,
    people: Path,
) -> Iterator[Centre]:
    """ccserver for the tests of one module; at the end its log must hold no fault of ours."""
    settings = getattr(request.module, "CENTRE", {})
    centre = Centre(tmp_path_factory.mktemp("centre"), real_pbx, outside, **settings)
    centre.settle(people)
    centre.write_config()
    try:
        on_loop(centre.start)
        yield centre
    finally:
        on_loop(centre.stop)
    expected = getattr(request.module, "EXPECTED_FAULTS", ())
    faults = [line for line in centre.faults() if not any(words in line for words in expected)]
    assert not faults, "the server logged faults of ours:\n" + "\n".join(faults[:5])


@pytest.fixture
def centre(running: Centre, real_pbx: PbxInstance, outside: World) -> Iterator[Centre]:
    """ccserver on quiet lines, nobody logged in."""
    on_loop(lambda: quiet(real_pbx, outside))
    yield running
    on_loop(lambda: quiet(real_pbx, outside))
    on_loop(lambda: clear_desks(running))


@pytest.fixture
def line(real_pbx: PbxInstance) -> Iterator[Line]:
    """What the PBX says, heard by an administrator."""
    listening = Line(real_pbx)
    on_loop(listening.open)
    yield listening
    on_loop(listening.close)
