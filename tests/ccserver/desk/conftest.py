"""A room with two desks for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ccserver.desk.room import Room
from tests.pbx.conftest import on_loop


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    """Nobody logged in."""
    made = Room(tmp_path)
    on_loop(made.open)
    yield made
    on_loop(made.close)
