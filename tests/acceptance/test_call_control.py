"""What an agent does with a call, at the desk and at the phone; and that both hear each other."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from channels.asterisk.pbx.instance import PbxInstance
from tests.acceptance.centre import Centre
from tests.acceptance.desk import Desk
from tests.acceptance.phone import DeskPhone, desk_phone
from tests.acceptance.steps import BILLING, STRANGER, Line, eventually, finish, remembered, talking
from tests.pbx.conftest import on_loop
from tests.pbx.softphone import SipLine
from tests.pbx.tones import seconds_of

pytestmark = pytest.mark.pbx
AGENT_TONE = 1000


@pytest.fixture
def phone(real_pbx: PbxInstance) -> Iterator[DeskPhone]:
    """A softphone of the test's, registered as the phone of device d9."""
    made: list[DeskPhone] = []

    async def make() -> None:
        made.append(await desk_phone(real_pbx))

    on_loop(make)
    yield made[0]
    on_loop(lambda: made[0].register(0))
    made[0].close()


@asynccontextmanager
async def call_at(
    centre: Centre, phone: DeskPhone, **call: float
) -> AsyncIterator[tuple[Desk, SipLine, str]]:
    """Ayu talks with a caller at the softphone: (desk, line, interaction)."""
    ayu = await centre.desk("ayu", "d9", ready=False)
    await eventually("the phone is free", lambda: _state(ayu) == "NOT_INUSE")
    await ayu.do("ready")
    await centre.world.call(STRANGER, BILLING)
    line = await phone.next_call()
    line.answer()
    work = await ayu.until("work", lambda f: f["item"]["phase"] == "talking")
    yield ayu, line, work["item"]["interaction"]
    line.hang_up()


def still_there(centre: Centre) -> bool:
    """Whether the caller is on the line."""
    return any(call.ended_at is None for call in centre.world.calls.values())


def _state(desk: Desk) -> str:
    frames = desk.seen("device") or desk.seen("snapshot")
    return str(frames[-1]["device"]["state"]) if frames else ""


async def test_caller_and_agent_hear_each_other(centre: Centre, tmp_path: Path) -> None:
    ayu = await centre.desk("ayu")
    agent_hears = centre.world.heard_by_robot("a1")
    call, _ = await talking(centre, ayu)
    await agent_hears
    heard = tmp_path / "heard.sln"
    await call.record(heard)
    await eventually(
        "a second of the agent's tone", lambda: heard.exists() and seconds_of(heard, AGENT_TONE) > 1
    )
    await call.hang_up()
    wrap_up = await ayu.until("work", lambda f: f["item"]["phase"] == "wrap_up")
    assert wrap_up["item"]["wrap_up_until_utc_ms"] > wrap_up["item"]["since_utc_ms"]


async def test_hanging_up_at_the_desk_ends_the_call_and_starts_wrap_up(centre: Centre) -> None:
    ayu = await centre.desk("ayu")
    call, interaction = await talking(centre, ayu)
    assert (await ayu.do("hangup", interaction=interaction))["ok"]
    await ayu.until("work", lambda f: f["item"]["phase"] == "wrap_up")
    await call.until_ended()
    assert not (await ayu.do("hangup", interaction=interaction))["ok"]
    assert (await finish(ayu, interaction))["ok"]
    assert (await remembered(centre, interaction))["outcome"] == "answered"


async def test_a_transfer_to_the_other_queue_keeps_the_place_and_the_caller_on_the_line(
    centre: Centre,
) -> None:
    ayu = await centre.desk("ayu")
    call, interaction = await talking(centre, ayu)
    first = ayu.seen("offer")[-1]["offer"]
    budi = await centre.desk("budi")
    await centre.world.robot("a2", ring_s=0.5)
    refused = await ayu.do("transfer", interaction=interaction, queue="nowhere")
    assert refused["error"] == "unknown_queue"
    assert (await ayu.do("transfer", interaction=interaction, queue="sales"))["ok"]
    await ayu.until("work", lambda f: f["item"]["phase"] == "wrap_up")
    offer = (await budi.until("offer"))["offer"]
    assert offer["interaction"] == interaction
    assert offer["pop"]["queue"] == "sales"
    assert offer["pop"]["queued_utc_ms"] == first["pop"]["queued_utc_ms"]
    assert offer["script"]["script"] == "sales"
    again = centre.world.heard_by_robot("a2")
    await budi.until("work", lambda f: f["item"]["phase"] == "talking")
    await again
    assert call.ended_at is None
    await finish(ayu, interaction, "refund")
    await call.hang_up()
    await budi.until("work", lambda f: f["item"]["phase"] == "wrap_up")
    await finish(budi, interaction, "resolved")
    detail = await remembered(centre, interaction)
    assert [(s["agent"], s["queue"], s["disposition"]) for s in detail["segments"]] == [
        ("ayu", "billing", "refund"),
        ("budi", "sales", "resolved"),
    ]


async def test_click_to_dial_rings_the_agents_own_phone_and_then_the_number(centre: Centre) -> None:
    ayu = await centre.desk("ayu", ready=False)
    await centre.world.robot("a1", ring_s=0.1)
    reached = centre.world.answered_outside()
    assert (await ayu.do("dial", number="0811 222-333"))["ok"]
    assert await reached == "0811222333"
    assert (await ayu.do("dial", number="0811;rm -rf /"))["error"] == "bad_number"


async def test_hold_at_the_phone_is_shown_on_the_desk_until_the_caller_is_taken_back(
    centre: Centre, phone: DeskPhone
) -> None:
    async with call_at(centre, phone) as (ayu, line, interaction):
        await line.hold()
        held = await ayu.until("work", lambda f: f["item"]["phase"] == "held")
        assert held["item"]["interaction"] == interaction
        await line.resume()
        await ayu.until("work", lambda f: f["item"]["phase"] == "talking")


async def test_a_blind_transfer_at_the_phone_lets_the_caller_go_on_talking(
    centre: Centre, phone: DeskPhone, line: Line
) -> None:
    async with call_at(centre, phone) as (ayu, leg, interaction):
        await centre.world.robot("a5", ring_s=0.2)
        heard = centre.world.heard_by_robot("a5")
        leg.refer("205")
        await heard
        await ayu.until("work", lambda f: f["item"]["phase"] == "wrap_up")
        assert [call for call in centre.world.calls.values() if call.ended_at is None], (
            "the caller was hung up"
        )
        await finish(ayu, interaction)
        assert (await remembered(centre, interaction))["outcome"] == "answered"
        assert [name for name in await line.channels() if name.startswith("PJSIP/a5-")]


async def test_an_attended_transfer_at_the_phone_joins_caller_and_colleague(
    centre: Centre, phone: DeskPhone, line: Line
) -> None:
    async with call_at(centre, phone) as (ayu, leg, interaction):
        await centre.world.robot("a5", ring_s=0.2)
        await leg.hold()
        second = await phone.dial("205").until("up")
        heard = centre.world.heard_by_robot("a5")
        leg.refer_to(second)
        await heard
        await ayu.until("work", lambda f: f["item"]["phase"] == "wrap_up")
        assert [call for call in centre.world.calls.values() if call.ended_at is None], (
            "the caller was hung up"
        )
        await finish(ayu, interaction)
        assert [name for name in await line.channels() if name.startswith("PJSIP/a5-")]


@pytest.mark.parametrize(("status", "cause"), [(486, "busy"), (603, "declined")])
async def test_a_phone_that_says_busy_or_no_is_told_from_one_that_is_silent(
    centre: Centre, phone: DeskPhone, status: int, cause: str
) -> None:
    ayu = await centre.desk("ayu", "d9", ready=False)
    await eventually("the phone is free", lambda: _state(ayu) == "NOT_INUSE")
    await ayu.do("ready")
    await centre.world.call(STRANGER, BILLING)
    (await phone.next_call()).reject(status)
    ended = await ayu.until("offer_ended")
    assert (ended["outcome"], ended["cause"]) == ("rejected", cause)


async def test_a_caller_whose_agent_loses_the_phone_before_they_are_joined_keeps_the_place(
    centre: Centre, phone: DeskPhone
) -> None:
    """The phone is picked up and thrown away at once."""
    ayu = await centre.desk("ayu", "d9", ready=False)
    await eventually("the phone is free", lambda: _state(ayu) == "NOT_INUSE")
    await ayu.do("ready")
    call = await centre.world.call(STRANGER, BILLING)
    offer = (await ayu.until("offer"))["offer"]
    (await phone.next_call()).reject(480)
    await phone.register(0)
    budi = await centre.desk("budi")
    await centre.world.robot("a2", ring_s=0.2)
    again = (await budi.until("offer"))["offer"]
    assert again["pop"]["queued_utc_ms"] == offer["pop"]["queued_utc_ms"]
    await call.until_heard()
