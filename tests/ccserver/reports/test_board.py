"""The wallboard: the router's state and the day's figures, and a new day at the site's midnight."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ccserver.journal import JournalRecord
from ccserver.reports.board import Boards
from routing import events as ev
from routing.model import US_PER_S
from tests.ccserver.desk.room import AYU, BUDI, Room
from tests.pbx.conftest import on_loop

NOON_UTC = int(datetime(2027, 1, 15, 12, tzinfo=UTC).timestamp()) * US_PER_S
MIDNIGHT_UTC = int(datetime(2027, 1, 15, 17, tzinfo=UTC).timestamp()) * US_PER_S
"""Of Jakarta, seven hours ahead."""


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    """At seven in the evening in Jakarta."""
    made = Room(tmp_path, NOON_UTC)
    on_loop(made.open)
    yield made
    on_loop(made.close)


async def answered_and_abandoned(room: Room) -> None:
    """One answered after 4 s, one who gave up after 10 s."""
    await room.log_in(AYU, "d1")
    room.arrive("i1")
    room.clock.at += 4 * US_PER_S
    room.answer("i1.1")
    room.arrive("i2")
    room.clock.at += 10 * US_PER_S
    room.hub.post(ev.CustomerLeft("i2"))


async def test_an_empty_board_promises_nothing(room: Room) -> None:
    board = room.boards.current(True)
    assert (board.waiting, board.offered, board.service_level, board.asa_s) == (0, 0, None, None)
    assert board.oldest_utc_ms is None
    assert board.midnight_utc_ms == MIDNIGHT_UTC // 1_000 - 86_400_000


async def test_the_board_counts_what_the_router_told(room: Room) -> None:
    await answered_and_abandoned(room)
    room.arrive("i3", "sales")
    board = room.boards.current(True)
    assert (board.waiting, board.offered, board.answered, board.abandoned) == (1, 2, 1, 1)
    assert (board.service_level, board.asa_s) == (0.5, 4.0)
    assert board.oldest_utc_ms == room.clock.at // 1_000
    billing, sales = board.queues
    assert (billing.ready, billing.staffed, sales.ready, sales.staffed, sales.waiting) == (0, 1, 0, 0, 1)


async def test_agents_are_one_word_each_and_only_where_names_may_be_seen(room: Room) -> None:
    await room.log_in(AYU, "d1")
    await room.log_in(BUDI, "d2")
    room.hub.post(ev.AgentPaused("budi", "break"))
    room.arrive("i1")
    lines = {line.agent: (line.status, line.reason) for line in room.boards.current(True).agents}
    assert lines == {"ayu": ("RESERVED", ""), "budi": ("NOT_READY", "Break")}
    room.answer("i1.1")
    assert room.boards.current(True).agents[0].status == "TALKING"
    room.hub.post(ev.CustomerLeft("i1"))
    assert room.boards.current(True).agents[0].status == "WRAP_UP"
    assert room.boards.current(False).agents == ()


async def test_a_new_day_begins_at_the_sites_midnight_though_nothing_happens(room: Room) -> None:
    await answered_and_abandoned(room)
    room.clock.at = MIDNIGHT_UTC - 1
    assert room.boards.current(True).answered == 1
    room.clock.at = MIDNIGHT_UTC
    board = room.boards.current(True)
    assert (board.answered, board.abandoned, board.service_level) == (0, 0, None)
    assert board.midnight_utc_ms == MIDNIGHT_UTC // 1_000
    room.clock.at += 86_400 * US_PER_S
    assert room.boards.current(True).midnight_utc_ms == MIDNIGHT_UTC // 1_000 + 86_400_000


async def test_after_a_restart_todays_records_are_counted_again_and_yesterdays_are_not(room: Room) -> None:
    records: list[JournalRecord] = []
    room.hub.on_record(records.append)
    await answered_and_abandoned(room)
    yesterday = [replace(record, at=record.at - 86_400 * US_PER_S) for record in records]
    again = Boards(room.config, room.hub, room.metrics)
    again.begin([*yesterday, *records])
    board = again.current(True)
    again.stop()
    assert (board.offered, board.answered, board.abandoned, board.asa_s) == (2, 1, 1, 4.0)


async def test_a_screen_gets_a_frame_when_something_changed(room: Room) -> None:
    woken: list[int] = []
    screen = room.boards.attach(True, "", 0, lambda: woken.append(1))
    assert screen.take() is not None
    room.boards.set_pbx(True)
    room.boards._push()
    text = screen.take()
    assert text is not None
    assert '"pbx_up":true' in text
    room.boards.detach(True, screen)
    room.boards._push()
    assert screen.take() is None
