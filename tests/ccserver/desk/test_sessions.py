"""Desks opened, taken over, looked at, left and lost."""

from __future__ import annotations

import asyncio

import pytest

from ccserver.web.ports import (
    NOT_LOGGED_IN,
    TAKEN_OVER,
    DeviceInUse,
    NoDesk,
    NotAnAgent,
    Role,
    UnknownDevice,
    User,
)
from routing import events as ev
from routing.model import AgentStatus, DeviceState
from tests.ccserver.desk.room import AYU, BUDI, Room


def nothing() -> None:
    """A socket that need not be woken."""


async def test_opening_the_same_desk_again_changes_nothing(room: Room) -> None:
    desk = await room.log_in(AYU, "d1")
    assert await room.log_in(AYU, "d1", ready=False) is desk
    assert desk.state.status == "READY"


async def test_a_phone_belongs_to_one_agent_and_its_owner_is_told_who_wanted_it(room: Room) -> None:
    desk = await room.log_in(AYU, "d1")
    socket = room.sessions.attach("ayu", "ayu-s1", "", 0, nothing)
    with pytest.raises(DeviceInUse) as refused:
        await room.log_in(BUDI, "d1")
    assert refused.value.label == "Ayu"
    frames = list(iter(socket.take, None))
    assert '"code":"device_wanted"' in frames[-1]
    assert "Budi (test)" in frames[-1]
    assert room.sessions.find("budi") is None
    assert desk.state.status == "READY"


async def test_strangers_and_unknown_phones_have_no_desk(room: Room) -> None:
    with pytest.raises(UnknownDevice):
        await room.log_in(AYU, "d9")
    with pytest.raises(NotAnAgent):
        await room.log_in(User("eve", "eve", "Eve", Role.AGENT, "en", ""), "d1")


async def test_a_second_login_takes_offer_work_and_state_over(room: Room) -> None:
    first = await room.log_in(AYU, "d1")
    socket = room.sessions.attach("ayu", "ayu-s1", "", 0, nothing)
    room.arrive("i1")
    second = await room.log_in(AYU, "d1", "s2", ready=False)
    assert second.offer == first.offer
    assert second.state.status == "READY"
    assert socket.closed == (TAKEN_OVER, "logged in elsewhere")
    with pytest.raises(NoDesk):
        room.sessions.attach("ayu", "ayu-s1", "", 0, nothing)
    room.answer("i1.1")
    assert second.work["i1"].phase == "talking"
    assert first.work == {} or first.work is second.work


async def test_an_agent_in_a_call_cannot_move_to_another_phone(room: Room) -> None:
    await room.log_in(AYU, "d1")
    room.arrive("i1")
    room.answer("i1.1")
    with pytest.raises(DeviceInUse):
        await room.log_in(AYU, "d2", "s2")


async def test_logging_out_closes_the_sockets_and_offers_the_caller_elsewhere(room: Room) -> None:
    await room.log_in(AYU, "d1")
    socket = room.sessions.attach("ayu", "ayu-s1", "", 0, nothing)
    room.arrive("i1")
    budi = await room.log_in(BUDI, "d2")
    await room.sessions.close("ayu", "ayu-s0", "logout")
    assert socket.closed is None, "another session's logout"
    await room.sessions.close("ayu", "ayu-s1", "logout")
    assert socket.closed is not None
    assert socket.closed[0] == NOT_LOGGED_IN
    assert room.hub.router.agents["ayu"].status is AgentStatus.LOGGED_OUT
    assert budi.offer is not None


async def test_the_lease_runs_while_nobody_looks_and_stops_when_somebody_does(room: Room) -> None:
    await room.log_in(AYU, "d1")
    seat = room.sessions._seats["ayu"]
    assert seat.lease is not None, "from the login until the first socket"
    one = room.sessions.attach("ayu", "ayu-s1", "", 0, nothing)
    two = room.sessions.attach("ayu", "ayu-s1", "", 0, nothing)
    assert seat.lease is None
    room.sessions.detach("ayu", "ayu-s1", one)
    assert seat.lease is None, "one still looks"
    room.sessions.detach("ayu", "ayu-s1", two)
    assert seat.lease is not None
    assert seat.lease.when() > asyncio.get_running_loop().time() + 4
    room.sessions._lease_over("ayu", seat)
    assert room.sessions.find("ayu") is None
    assert room.hub.router.agents["ayu"].reason == "desk_lost"


async def test_a_lease_of_a_desk_that_was_taken_over_ends_nothing(room: Room) -> None:
    await room.log_in(AYU, "d1")
    old = room.sessions._seats["ayu"]
    await room.log_in(AYU, "d1", "s2", ready=False)
    room.sessions._lease_over("ayu", old)
    assert room.sessions.find("ayu") is not None


async def test_phones_are_free_when_nobody_sits_there_and_the_pbx_can_reach_them(room: Room) -> None:
    await room.log_in(AYU, "d1")
    room.hub.post(ev.DeviceChanged("main/PJSIP/a2", DeviceState.UNAVAILABLE))
    assert [(option.id, option.free) for option in room.sessions.devices()] == [("d1", False), ("d2", False)]
    room.hub.post(ev.DeviceChanged("main/PJSIP/a2", DeviceState.NOT_INUSE))
    assert [(option.id, option.free) for option in room.sessions.devices()] == [("d1", False), ("d2", True)]


async def test_the_state_of_the_phone_and_of_the_pbx_are_shown(room: Room) -> None:
    desk = await room.log_in(AYU, "d1")
    room.hub.post(ev.DeviceChanged("main/PJSIP/a1", DeviceState.UNAVAILABLE))
    assert desk.device.state == "UNAVAILABLE"
    room.sessions.set_pbx(True)
    assert desk.pbx.up


async def test_a_supervisor_can_take_an_agent_out(room: Room) -> None:
    desk = await room.log_in(AYU, "d1")
    room.sessions.pause("ayu", "break")
    assert (desk.state.status, desk.state.reason) == ("NOT_READY", "break")
