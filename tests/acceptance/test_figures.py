"""Figures are what happened; who may see what; and everything a monitor or an administrator asks for."""

from __future__ import annotations

import asyncio
import json

import pytest
from websockets.asyncio.client import connect

from channels.asterisk.pbx.world import WorldCall
from tests.acceptance.centre import PASSWORD, Centre, free_port
from tests.acceptance.desk import Desk, Frame
from tests.acceptance.steps import BILLING, SALES, SITI, STRANGER, eventually, finish, remembered, talking

pytestmark = pytest.mark.pbx
METRICS_PORT = free_port()
CENTRE = {"server": f"metrics_port = {METRICS_PORT}", "wrap_up_s": 30}


async def board_pushed(centre: Centre, who: str = "boss", device: str | None = None) -> Frame:
    """The first board that the wallboard's socket sends."""
    viewer = Desk(centre.url, who, PASSWORD, device)
    await viewer.log_in()
    try:
        cookie = "; ".join(f"{key}={value}" for key, value in viewer.http.cookies.items())
        url = centre.url.replace("http", "ws", 1) + "/ws/wallboard"
        async with connect(url, additional_headers={"Cookie": cookie}, origin=centre.url) as socket:  # type: ignore[arg-type]
            async with asyncio.timeout(20):
                while True:
                    frame: Frame = json.loads(await socket.recv())
                    if frame["type"] == "board":
                        return frame
    finally:
        await viewer.http.post("/api/v1/logout")
        await viewer.close()


async def test_the_wallboard_counts_exactly_what_happened(centre: Centre) -> None:
    """Answered at once, answered late, given up late, given up at once; and one in the other queue."""
    ayu = await centre.desk("ayu")
    call, interaction = await talking(centre, ayu)
    at_once = await remembered_wait(centre, ayu, call, interaction)
    await ayu.do("not_ready", reason="break")
    await finish(ayu, interaction)
    await ayu.do("not_ready", reason="break")
    short = await centre.world.call("+6281300000001", BILLING)
    await short.until_up()
    await short.hang_up()
    gives_up = await centre.world.call("+6281300000002", BILLING, patience_s=7)
    await gives_up.until_ended()
    late = await centre.world.call("+6281300000003", BILLING)
    await late.until_up()
    await asyncio.sleep(2)
    await ayu.do("ready")
    await late.until_heard()
    item = (await ayu.until("work", lambda f: f["item"]["phase"] == "talking"))["item"]
    waited_late = await remembered_wait(centre, ayu, late, item["interaction"])
    await finish(ayu, item["interaction"])
    last, interaction = await talking(centre, ayu, to=SALES)

    async def settled() -> Frame | None:
        board: Frame = await centre.get("/api/v1/wallboard")
        return board if board["answered"] == 3 else None

    board = await eventually("three answered", settled)
    assert board is not None
    billing = next(queue for queue in board["queues"] if queue["id"] == "billing")
    assert (billing["offered"], billing["answered"], billing["abandoned"], billing["short_abandoned"]) == (
        3,
        2,
        1,
        1,
    )
    assert billing["answered_in_target"] == 2
    assert billing["service_level"] == pytest.approx(2 / 3)
    assert billing["asa_s"] == pytest.approx((at_once + waited_late) / 2_000, abs=0.01)
    assert board["offered"] == 4
    assert board["service_level"] == pytest.approx(3 / 4)
    assert "answered within target" in board["formula"]
    assert next(a["status"] for a in board["agents"] if a["agent"] == "ayu") == "TALKING"
    assert board["midnight_utc_ms"] <= board["at_utc_ms"]
    pushed = await board_pushed(centre)
    assert (pushed["offered"], pushed["answered"], pushed["abandoned"]) == (4, 3, 1)
    await remembered_wait(centre, ayu, last, interaction)
    await finish(ayu, interaction)
    await restarted_figures_are_the_same(centre, pushed)


async def remembered_wait(centre: Centre, desk: Desk, call: WorldCall, interaction: str) -> int:
    """Hang up, and the queue wait in ms as the database has it once the interaction is closed."""
    await call.hang_up()
    await desk.until("work", lambda f: f["item"]["phase"] == "wrap_up")
    detail = await eventually("a wait", lambda: _waited(centre, interaction))
    return int(detail or 0)


async def _waited(centre: Centre, interaction: str) -> int | None:
    detail = await centre.get(f"/api/v1/interactions/{interaction}")
    return int(detail["waited_ms"]) if isinstance(detail, dict) and detail["segments"] else None


async def restarted_figures_are_the_same(centre: Centre, before: Frame) -> None:
    await centre.stop()
    await centre.start()
    after = await centre.get("/api/v1/wallboard")
    names = ("offered", "answered", "abandoned", "service_level", "asa_s")
    assert {name: after[name] for name in names} == {name: before[name] for name in names}


async def test_agents_see_no_money_and_no_names_on_the_wallboard_supervisors_see_both(centre: Centre) -> None:
    ayu = await centre.desk("ayu")
    call, interaction = await talking(centre, ayu, caller=SITI)
    pop = ayu.seen("offer")[-1]["offer"]["pop"]
    assert pop["customer"]["worth_cents"] is None
    assert pop["customer"]["stake_cents"] is None
    customer = pop["customer"]["id"]
    mine = (await ayu.http.get(f"/api/v1/customers/{customer}")).json()
    assert mine["card"]["worth_cents"] is None
    theirs = await centre.get(f"/api/v1/customers/{customer}")
    assert theirs["card"]["worth_cents"] == 900000000
    why = " ".join((await ayu.http.get(f"/api/v1/interactions/{interaction}/why")).json()["lines"])
    assert "IDR" not in why
    assert "900" not in why
    assert (await ayu.http.get("/api/v1/wallboard")).json()["agents"] == []
    assert (await centre.get("/api/v1/wallboard"))["agents"] != []
    budi = await centre.desk("budi", ready=False)
    assert (await budi.http.get(f"/api/v1/interactions/{interaction}")).status_code == 404, "not theirs"
    assert (await ayu.http.get("/api/v1/users")).status_code in (403, 404)
    await call.hang_up()


async def test_explain_and_replay_tell_the_story_of_a_call(centre: Centre) -> None:
    ayu = await centre.desk("ayu")
    call, interaction = await talking(centre, ayu, caller=SITI)
    await call.hang_up()
    await ayu.until("work", lambda f: f["item"]["phase"] == "wrap_up")
    await finish(ayu, interaction, "refund")
    await remembered(centre, interaction)
    english = await centre.cli("explain", interaction)
    assert "Ayu (test)" in english
    indonesian = await centre.cli("explain", interaction, "--language", "id")
    assert indonesian != english
    replayed = await centre.cli("replay", str(centre.folder / "data" / "journal"))
    assert "decides the same in all of them" in replayed
    exported = await centre.cli("journal", "export")
    assert interaction in exported
    assert "81200000001" not in exported
    assert "ayu" not in exported


async def test_a_monitor_finds_health_readiness_metrics_and_the_api_described(centre: Centre) -> None:
    ayu = await centre.desk("ayu")
    call, _ = await talking(centre, ayu)
    await call.hang_up()
    http = ayu.http
    assert (await http.get("/healthz")).json() == {"alive": True}
    ready = (await http.get("/readyz")).json()
    assert ready["ready"]
    assert {check["name"] for check in ready["checks"]} == {"pbx main", "journal", "database"}
    assert (await http.get("/metrics")).status_code == 404, "not for everybody outside the demo"
    metrics = (await http.get(f"http://127.0.0.1:{METRICS_PORT}/metrics")).text
    for name in (
        'ccserver_ami_up{pbx="main"} 1.0',
        "ccserver_queue_waiting",
        "ccserver_agents",
        "ccserver_event_seconds",
        "ccserver_pop_latency_seconds",
        "ccserver_offers_total",
        "ccserver_ami_lag_seconds",
        "ccserver_ami_events_total",
        "ccserver_journal_sync_seconds",
        "ccserver_errors_total",
    ):
        assert name in metrics, name
    described = (await http.get("/api/openapi.json")).json()
    assert described["openapi"].startswith("3.1")
    assert "/api/v1/interactions/{interaction}" in described["paths"]
    for page in ("/desk", "/wallboard", "/login"):
        assert (await http.get(page)).status_code == 200


async def test_what_was_entered_twice_and_who_called_again_is_recorded(centre: Centre) -> None:
    """The same stranger calls twice within seven days: known customers count, strangers cannot."""
    ayu = await centre.desk("ayu")
    for turn in range(2):
        call, interaction = await talking(centre, ayu, caller="081200000002")
        await call.hang_up()
        await ayu.until("work", lambda f: f["item"]["phase"] == "wrap_up")
        await finish(ayu, interaction, "resolved")
        await remembered(centre, interaction)
        if turn == 1:
            pops = [f["offer"]["pop"] for f in ayu.seen("offer")] + [f["pop"] for f in ayu.seen("pop")]
            assert max(pop["contacts_7d"] for pop in pops) >= 1
    assert STRANGER not in str(ayu.seen("offer"))
