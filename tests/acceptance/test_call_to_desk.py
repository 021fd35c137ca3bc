"""The main job: a caller dials in, the right desk knows who it is, two people talk, and it is remembered."""

from __future__ import annotations

import asyncio

import pytest

from tests.acceptance.centre import Centre

pytestmark = pytest.mark.pbx


async def test_a_call_is_recognised_offered_with_pop_and_script_answered_wrapped_up_and_remembered(
    centre: Centre,
) -> None:
    ayu = await centre.desk("ayu")
    await centre.world.robot("a1", ring_s=1.0)
    call = await centre.world.call("081200000001", "+62215550101", talk_s=3)
    offer = (await ayu.until("offer"))["offer"]
    assert offer["pop"]["customer"]["name"] == "Siti Contoh (test)"
    assert offer["pop"]["match"]["kind"] == "known"
    assert offer["pop"]["customer"]["worth_cents"] is None, "an agent sees no money"
    assert offer["script"]["index"] == 1
    assert call.heard_at is None, "the pop came before anybody answered"
    await call.until_heard()
    work = await ayu.until("work", lambda f: f["item"]["phase"] == "talking")
    await call.until_ended()
    assert call.outcome == "talked"
    wrap_up = await ayu.until("work", lambda f: f["item"]["phase"] == "wrap_up")
    interaction = wrap_up["item"]["interaction"]
    assert work["item"]["interaction"] == interaction
    ack = await ayu.do(
        "finish", interaction=interaction, disposition="refund", note="wants her money back", next="ready"
    )
    assert ack["ok"], ack
    await ayu.until("work_gone")
    detail = await remembered(centre, interaction)
    assert detail["outcome"] == "answered"
    assert [(s["agent"], s["disposition"], s["note"]) for s in detail["segments"]] == [
        ("ayu", "refund", "wants her money back")
    ]
    words = " ".join((await centre.get(f"/api/v1/interactions/{interaction}/why"))["lines"])
    assert "Ayu" in words


async def remembered(centre: Centre, interaction: str) -> dict:  # type: ignore[type-arg]
    """The interaction as the API tells it, once the projection has it whole."""
    async with asyncio.timeout(15):
        while True:
            detail = await centre.get(f"/api/v1/interactions/{interaction}")
            if isinstance(detail, dict) and detail["outcome"] and detail["segments"]:
                return detail
            await asyncio.sleep(0.2)


async def test_a_second_call_of_the_same_customer_shows_the_first_one(centre: Centre) -> None:
    ayu = await centre.desk("ayu")
    await centre.world.robot("a1", ring_s=0.3)
    call = await centre.world.call("081200000002", "+62215550101", talk_s=1)
    await ayu.until("work", lambda f: f["item"]["phase"] == "wrap_up")
    await call.until_ended()
    item = ayu.seen("work")[-1]["item"]
    await ayu.do("finish", interaction=item["interaction"], disposition="resolved", note="", next="ready")
    await remembered(centre, item["interaction"])
    await centre.world.call("081200000002", "+62215550101", talk_s=1)
    offer = (await ayu.until("offer"))["offer"]
    pops = [offer["pop"], *(f["pop"] for f in ayu.seen("pop"))]
    if not pops[-1]["contacts"]:
        pops.append((await ayu.until("pop"))["pop"])
    assert pops[-1]["contacts"][0]["disposition"] == "Resolved"
    assert pops[-1]["contacts_7d"] >= 1


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        ("+6281299999999", "unknown"),
        ("anonymous", "withheld"),
        ("+6281200000003", "several"),
    ],
)
async def test_unknown_withheld_and_several_are_answers_shown_as_such(
    centre: Centre, number: str, kind: str
) -> None:
    ayu = await centre.desk("ayu")
    await centre.world.robot("a1", ring_s=2.0)
    await centre.world.call(number, "+62215550101", talk_s=1)
    pop = (await ayu.until("offer"))["offer"]["pop"]
    assert pop["match"]["kind"] == kind
    assert pop["customer"] is None
    if kind == "several":
        assert {c["name"] for c in pop["match"]["candidates"]} == {"Rina Contoh (test)", "Rono Contoh (test)"}


async def test_a_dearer_caller_goes_first_and_the_rest_in_order(centre: Centre) -> None:
    ayu = await centre.desk("ayu", ready=False)
    await centre.world.robot("a1", ring_s=0.2)
    for number in ("+6281299999901", "+6281299999902", "081200000001"):
        await centre.world.call(number, "+62215550101", talk_s=0.5)
        await asyncio.sleep(0.4)
    await ayu.until("queues", lambda f: any(q["waiting"] == 3 for q in f["queues"]))
    await ayu.do("ready")
    order = []
    for _ in range(3):
        offer = (await ayu.until("offer"))["offer"]
        order.append(offer["pop"]["origin"][-4:])
        item = (await ayu.until("work", lambda f: f["item"]["phase"] == "wrap_up"))["item"]
        await ayu.do("finish", interaction=item["interaction"], disposition="", note="", next="ready")
    assert order == ["0001", "9901", "9902"]
