"""ccserver stops, dies and comes back: the PBX serves callers meanwhile, and nobody loses their place."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest

from channels.asterisk.pbx.instance import PbxInstance
from tests.acceptance.centre import Centre
from tests.acceptance.steps import (
    BILLING,
    SITI,
    STRANGER,
    Line,
    eventually,
    finish,
    pop_that,
    remembered,
    talking,
)
from tests.pbx.conftest import on_loop

pytestmark = pytest.mark.pbx
CENTRE = {"wrap_up_s": 20, "lease_s": 8}


@pytest.fixture
def patient(real_pbx: PbxInstance) -> Iterator[None]:
    """Waiting callers look for a sign of life every 30 s: longer than a restart takes on a busy machine."""
    on_loop(lambda: real_pbx.set_global("CCSERVER_TURN", "30"))
    yield
    on_loop(lambda: real_pbx.set_global("CCSERVER_TURN", str(real_pbx.spec.turn_s)))


async def waiting(centre: Centre) -> int:
    """How many wait, as the wallboard has it."""
    return int((await centre.get("/api/v1/wallboard"))["waiting"])


async def restart(centre: Centre, how: signal.Signals) -> None:
    """Stop it like this, and start it again at once."""
    await centre.stop(how)
    await centre.start()


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL], ids=["SIGTERM", "kill -9"])
async def test_a_waiting_caller_outlives_a_restart_with_the_old_place_and_a_name(
    centre: Centre, patient: None, how: signal.Signals
) -> None:
    ayu = await centre.desk("ayu", ready=False)
    call = await centre.world.call(SITI, BILLING)
    await ayu.until("queues", lambda f: any(q["waiting"] == 1 for q in f["queues"]))
    later = await centre.world.call(STRANGER, BILLING)
    await ayu.until("queues", lambda f: any(q["waiting"] == 2 for q in f["queues"]))
    board = await centre.get("/api/v1/wallboard")
    queued = board["oldest_utc_ms"]
    await restart(centre, how)
    assert call.ended_at is None
    assert await waiting(centre) == 2
    budi = await centre.desk("budi")
    await centre.world.robot("a2", ring_s=0.2)
    offer = (await budi.until("offer"))["offer"]
    assert offer["pop"]["queued_utc_ms"] == queued
    pop = await pop_that(budi, lambda pop: pop["customer"] is not None)
    assert pop["customer"]["name"] == "Siti Contoh (test)"
    await call.until_heard()
    await call.hang_up()
    work = await budi.until("work", lambda f: f["item"]["phase"] == "wrap_up")
    await finish(budi, work["item"]["interaction"])
    second = (await budi.until("offer"))["offer"]
    assert second["pop"]["origin_label"].replace(" ", "").replace("-", "").endswith("99999999")
    await later.until_heard()


async def test_a_caller_who_hangs_up_while_ccserver_is_dead_is_not_offered_afterwards(
    centre: Centre, patient: None
) -> None:
    ayu = await centre.desk("ayu", ready=False)
    call = await centre.world.call(STRANGER, BILLING)
    await ayu.until("queues", lambda f: any(q["waiting"] == 1 for q in f["queues"]))
    await call.until_up()
    await centre.stop(signal.SIGKILL)
    await call.hang_up()
    await call.until_ended()
    await centre.start()

    async def nobody() -> bool:
        return await waiting(centre) == 0

    await eventually("nobody waits", nobody)
    budi = await centre.desk("budi")
    await centre.world.robot("a2", ring_s=0.2)
    await centre.world.call("+6281299999993", BILLING, talk_s=0.5)
    assert (await budi.until("offer"))["offer"]["pop"]["origin"].endswith("993")


async def test_two_who_talk_go_on_through_a_kill_and_the_desk_has_the_call_again(centre: Centre) -> None:
    ayu = await centre.desk("ayu")
    call, interaction = await talking(centre, ayu)
    await restart(centre, signal.SIGKILL)
    assert call.ended_at is None
    again = await centre.desk("ayu", ready=False)
    snapshot = (again.seen("snapshot") or [await again.until("snapshot")])[0]
    assert snapshot["state"]["status"] == "READY", "the lease kept the state"
    assert [item["phase"] for item in snapshot["work"]] == ["talking"]
    await call.hang_up()
    await again.until("work", lambda f: f["item"]["phase"] == "wrap_up")
    assert (await finish(again, interaction, "refund", "through a kill"))["ok"]
    detail = await remembered(centre, interaction)
    assert [(s["agent"], s["disposition"], s["note"]) for s in detail["segments"]] == [
        ("ayu", "refund", "through a kill")
    ]


async def test_without_ccserver_new_and_waiting_callers_reach_the_pbxs_own_queue_and_with_it_ours_again(
    centre: Centre, line: Line
) -> None:
    """A new caller at once; one who waits after two turns of the waiting loop at the latest (3-5 s each)."""
    ayu = await centre.desk("ayu", ready=False)
    await centre.world.robot("a1", ring_s=0.2)
    waits = await centre.world.call(STRANGER, BILLING, talk_s=1)
    await ayu.until("queues", lambda f: any(q["waiting"] == 1 for q in f["queues"]))
    await centre.stop()
    new = await centre.world.call("+6281299999992", BILLING, talk_s=1)
    await line.event("QueueCallerJoin", CallerIDNum="+6281299999992")
    await new.until_heard()
    await line.event("QueueCallerJoin", CallerIDNum=STRANGER)
    await waits.until_heard()
    await new.until_ended()
    await waits.until_ended()
    await centre.start()
    budi = await centre.desk("budi")
    await centre.world.call("+6281299999991", BILLING, talk_s=1)
    assert (await budi.until("offer"))["offer"]["pop"]["origin"].endswith("991")


async def test_agents_who_do_not_come_back_within_their_lease_are_logged_out(centre: Centre) -> None:
    await centre.desk("ayu")
    await restart(centre, signal.SIGKILL)

    async def is_out() -> bool:
        board = await centre.get("/api/v1/wallboard")
        return bool(board["staffed"] == 0)

    assert (await centre.get("/api/v1/wallboard"))["staffed"] == 1
    await eventually("logged out", is_out)


async def kick(line: Line) -> None:
    """The PBX ends ccserver's AMI session, as a broken network would."""
    shown = await line.link.require("Command", {"Command": "manager show connected"})
    (descriptor,) = [row.split()[4] for row in shown["Output"].splitlines() if row.startswith("ccserver")]
    await line.link.require("Command", {"Command": f"manager kick session {descriptor}"})


async def test_a_lost_line_to_the_pbx_ends_no_call_loses_no_place_and_comes_back_by_itself(
    centre: Centre, patient: None, line: Line
) -> None:
    ayu = await centre.desk("ayu")
    call, interaction = await talking(centre, ayu)
    waits = await centre.world.call(SITI, BILLING)
    await ayu.until("queues", lambda f: any(q["waiting"] == 1 for q in f["queues"]))
    gone = await centre.world.call("+6281299999990", BILLING)
    await ayu.until("queues", lambda f: any(q["waiting"] == 2 for q in f["queues"]))
    await gone.until_up()
    await kick(line)
    await gone.hang_up()
    await ayu.until("pbx", lambda f: not f["pbx"]["up"])
    await ayu.until("pbx", lambda f: f["pbx"]["up"])

    async def one_waits() -> bool:
        return await waiting(centre) == 1

    await eventually("who hung up meanwhile is not waited for", one_waits)
    assert (call.ended_at, waits.ended_at) == (None, None)
    assert ayu.seen("work")[-1]["item"]["phase"] == "talking"
    await call.hang_up()
    await ayu.until("work", lambda f: f["item"]["phase"] == "wrap_up")
    await finish(ayu, interaction)
    assert (await ayu.until("offer"))["offer"]["pop"]["customer"]["name"] == "Siti Contoh (test)"
