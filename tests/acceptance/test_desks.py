"""Desks under bad luck: two on one phone, one agent twice, a cable pulled, a lease that runs out."""

from __future__ import annotations

import asyncio

import pytest

from tests.acceptance.centre import PASSWORD, Centre
from tests.acceptance.desk import Desk, Frame
from tests.acceptance.steps import BILLING, STRANGER, eventually, finish, talking

pytestmark = pytest.mark.pbx
CENTRE = {"lease_s": 12}


async def state_of(centre: Centre, agent: str) -> str:
    """One word for the agent, as the supervisor's wallboard has it."""
    board = await centre.get("/api/v1/wallboard")
    return next(str(line["status"]) for line in board["agents"] if line["agent"] == agent)


def numbers(desk: Desk) -> list[int]:
    """The numbers of the frames that change the desk, as they came."""
    return [frame["n"] for frame in desk.frames if "n" in frame and frame["type"] != "snapshot"]


async def test_a_second_agent_on_the_same_phone_is_refused_and_told_who_has_it(centre: Centre) -> None:
    ayu = await centre.desk("ayu")
    budi = Desk(centre.url, "budi", PASSWORD, "d1")
    centre.desks.append(budi)
    refusal = await budi.try_log_in()
    assert refusal.status_code == 409
    error = refusal.json()["error"]
    assert error["code"] == "device_in_use"
    assert "Ayu (test)" in error["message"]
    told = await ayu.until("notice")
    assert (told["code"], told["params"]) == ("device_wanted", {"who": "Budi (test)"})
    await centre.world.robot("a1", ring_s=0.2)
    await centre.world.call(STRANGER, BILLING, talk_s=2)
    await ayu.until("work", lambda f: f["item"]["phase"] == "talking")
    assert len(ayu.seen("offer")) == 1


async def test_an_agent_logging_in_twice_during_an_offer_has_one_offer_and_both_desks_are_told(
    centre: Centre,
) -> None:
    first = await centre.desk("ayu")
    await centre.world.robot("a1", ring_s=2)
    await centre.world.call(STRANGER, BILLING, talk_s=3)
    offer = (await first.until("offer"))["offer"]
    second = await centre.desk("ayu", ready=False)
    assert (await first.until("notice"))["code"] == "taken_over"
    await eventually("the first desk is closed", lambda: first.closed)
    assert first.closed is not None
    assert first.closed[0] == 4001
    snapshot = second.seen("snapshot") or [await second.until("snapshot")]
    assert snapshot[0]["offer"]["offer"] == offer["offer"]
    assert snapshot[0]["state"]["status"] == "READY"
    ended = await second.until("offer_ended")
    assert (ended["offer"], ended["outcome"]) == (offer["offer"], "accepted")
    await second.until("work", lambda f: f["item"]["phase"] == "talking")
    assert not first.seen("work")


async def test_a_desk_that_reconnects_during_an_offer_has_one_offer_and_one_answer(centre: Centre) -> None:
    ayu = await centre.desk("ayu")
    await centre.world.robot("a1", ring_s=2)
    await centre.world.call(STRANGER, BILLING, talk_s=3)
    offer = (await ayu.until("offer"))["offer"]
    await ayu.cut()
    hello = await ayu.connect()
    assert hello["resumed"]
    ended = await ayu.until("offer_ended")
    assert (ended["offer"], ended["outcome"]) == (offer["offer"], "accepted")
    await ayu.until("work", lambda f: f["item"]["phase"] == "talking")
    assert len(ayu.seen("offer")) == 1
    assert numbers(ayu) == list(range(numbers(ayu)[0], numbers(ayu)[-1] + 1))


async def test_a_cable_pulled_for_ten_seconds_loses_no_frame_and_doubles_none(centre: Centre) -> None:
    """A whole call happens while nobody can see the desk."""
    ayu = await centre.desk("ayu")
    await centre.world.robot("a1", ring_s=0.5)
    began = asyncio.get_running_loop().time()
    await ayu.cut()
    call = await centre.world.call(STRANGER, BILLING, talk_s=4)
    await call.until_ended()
    await asyncio.sleep(max(0.0, began + 10 - asyncio.get_running_loop().time()))
    hello = await ayu.connect()
    assert hello["resumed"], "ten seconds are within the lease"
    await ayu.until("work", lambda f: f["item"]["phase"] == "wrap_up")
    assert not ayu.seen("snapshot")[1:], "nothing had to be sent whole"
    seen = numbers(ayu)
    assert seen == list(range(seen[0], seen[-1] + 1)), "contiguous, exactly once, in order"
    assert [f["item"]["phase"] for f in ayu.seen("work")] == ["connecting", "talking", "wrap_up"]
    assert ayu.seen("agent")[-1]["state"]["status"] == "READY"


async def test_a_command_sent_twice_with_one_id_is_carried_out_once(centre: Centre) -> None:
    ayu = await centre.desk("ayu")
    call, interaction = await talking(centre, ayu)
    await call.hang_up()
    await ayu.until("work", lambda f: f["item"]["phase"] == "wrap_up")
    before: list[Frame] = []
    for _ in range(2):
        before.append(
            await ayu.again("x1", "finish", interaction=interaction, disposition="", note="", next="ready")
        )
    assert [ack["ok"] for ack in before] == [True, True]
    assert len(ayu.seen("work_gone")) == 1


async def test_a_desk_that_stays_away_longer_than_its_lease_is_logged_out(centre: Centre) -> None:
    """The agent is nobody's then, and comes back as not ready."""
    ayu = await centre.desk("ayu")
    await ayu.cut()
    assert await state_of(centre, "ayu") == "READY"

    async def is_out() -> bool:
        return await state_of(centre, "ayu") == "LOGGED_OUT"

    await eventually("logged out", is_out)
    hello = await ayu.connect()
    assert not hello["resumed"]
    snapshot = await ayu.until("snapshot", lambda f: f["state"]["status"] == "NOT_READY")
    assert snapshot["offer"] is None


async def test_a_caller_talks_on_while_the_agents_desk_is_lost(centre: Centre) -> None:
    ayu = await centre.desk("ayu")
    call, interaction = await talking(centre, ayu)
    await ayu.cut()
    hello = await ayu.connect()
    assert hello["resumed"]
    assert call.ended_at is None
    assert (await ayu.do("note", interaction=interaction, text="typed after the cable"))["ok"]
    await call.hang_up()
    await ayu.until("work", lambda f: f["item"]["phase"] == "wrap_up")
    assert (await finish(ayu, interaction, "resolved", "typed after the cable"))["ok"]
