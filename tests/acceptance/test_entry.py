"""The public door: closed, blocked, emergency, dialogue, announcements, and callers who are not nice."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from channels.asterisk.pbx.instance import PbxInstance
from channels.asterisk.pbx.world import WorldCall
from tests.acceptance.centre import Centre
from tests.acceptance.phone import raw_caller
from tests.acceptance.steps import BILLING, STRANGER, Line, eventually, pop_that

pytestmark = pytest.mark.pbx
CLOSED, DIALOGUE = "+62215550103", "+62215550104"
CENTRE = {
    "announce_every_s": 1,
    "more": f"""
[numbers."{CLOSED}"]
queue = "billing"
hours = "never"
[numbers."{DIALOGUE}"]
queue = "billing"
dialogue = "identify"
[hours.never]
closed_prompt = "ccserver/en/closed"
[blocked]
numbers = ["+6281300000666"]
""",
}


def said(line: Line, channel: str = "") -> list[str]:
    """The prompts that FastAGI had played so far (to this channel), by their last word."""
    commands = [
        event["Command"]
        for command in ("STREAM FILE", "GET DATA")
        for event in line.all("AGIExecStart", Command=command, Channel=channel)
    ]
    return [command.split()[2].strip('"').rpartition("/")[2] for command in commands]


async def press_when(call: WorldCall, line: Line, prompt: str, digits: str) -> None:
    """Press keys once that prompt is being played."""
    await eventually(f"{prompt} played", lambda: prompt in said(line))
    await call.press(digits)


async def test_a_caller_outside_the_opening_hours_hears_so_and_is_not_queued(
    centre: Centre, line: Line
) -> None:
    ayu = await centre.desk("ayu")
    call = await centre.world.call(STRANGER, CLOSED)
    await call.until_ended()
    assert call.outcome == "dropped"
    assert not ayu.seen("offer")
    played = [event["AppData"] for event in line.all("Newexten", Application="Playback")]
    assert played == ["ccserver/en/closed"]


async def test_a_blocked_number_is_rejected_unanswered(centre: Centre) -> None:
    ayu = await centre.desk("ayu")
    call = await centre.world.call("081300000666", BILLING)
    await call.until_ended()
    assert call.outcome == "refused"
    assert call.up_at is None, "it costs them nothing"
    assert not ayu.seen("offer")


async def test_the_dialogue_tells_the_desk_language_number_and_need_and_recognises_the_customer(
    centre: Centre, line: Line
) -> None:
    """The number is nobody's; the customer number that was typed is Wati's."""
    ayu = await centre.desk("ayu")
    await centre.world.robot("a1", ring_s=1)
    call = await centre.world.call("+6281377777777", DIALOGUE, talk_s=1)
    await call.until_up()
    await press_when(call, line, "choose-language", "1")
    await press_when(call, line, "enter-customer-number", "4711#")
    await press_when(call, line, "confirm-number", "1")
    await press_when(call, line, "choose-need", "3")
    pop = await pop_that(ayu, lambda pop: pop["customer"] is not None)
    assert pop["customer"]["name"] == "Wati Contoh (test)"
    assert pop["match"] == {**pop["match"], "kind": "known", "confidence": 60}
    assert dict(pop["entered"]) == {
        "Customer number": "4711",
        "Language": "en",
        "Wants": "billing",
    }
    assert "4711" in str(ayu.seen("offer")[0]["offer"]["script"]), (
        "the script knows it too: nobody asks twice"
    )
    await call.until_ended()
    assert call.outcome == "talked"


async def test_a_caller_without_a_customer_number_still_reaches_a_person(centre: Centre, line: Line) -> None:
    """`#` instead of a number; keys that are none of the choices: tests/channels."""
    ayu = await centre.desk("ayu")
    await centre.world.robot("a1", ring_s=0.2)
    call = await centre.world.call("+6281377777776", DIALOGUE, talk_s=0.5)
    await call.until_up()
    await press_when(call, line, "choose-language", "2")
    await press_when(call, line, "enter-customer-number", "#")
    await press_when(call, line, "choose-need", "1")
    pop = (await ayu.until("offer", within_s=40))["offer"]["pop"]
    assert dict(pop["entered"]) == {"Language": "id", "Wants": "sales"}
    assert pop["match"]["kind"] == "unknown"


async def test_a_caller_who_hangs_up_in_the_dialogue_is_never_offered(centre: Centre, line: Line) -> None:
    ayu = await centre.desk("ayu")
    call = await centre.world.call("+6281377777775", DIALOGUE)
    await call.until_up()
    await eventually("the dialogue began", lambda: "welcome" in said(line))
    await call.hang_up()
    await centre.world.robot("a1", ring_s=0.2)
    await centre.world.call(STRANGER, BILLING, talk_s=0.5)
    await ayu.until("offer")
    assert [f["offer"]["pop"]["origin"] for f in ayu.seen("offer")] == [STRANGER]


async def test_waiting_callers_hear_their_place_and_how_long_it_may_take(centre: Centre, line: Line) -> None:
    """Two wait and an agent is logged in; calls of this queue take five minutes by the configuration."""
    await centre.desk("ayu", ready=False)
    first = await centre.world.call("+6281377777774", BILLING)
    await first.until_up()
    await centre.world.call("+6281377777773", BILLING)
    await eventually("the first hears the place", lambda: "you-are-next" in said(line))
    await eventually("the second hears the place", lambda: "in-the-queue" in said(line))
    await eventually("both hear the wait", lambda: said(line).count("minutes") >= 2)
    told = next(event for event in line.all("AGIExecStart") if "you-are-number" in event["Command"])
    words = said(line, told["Channel"])
    assert words[words.index("you-are-number") :][:3] == ["you-are-number", "2", "in-the-queue"]


@pytest.mark.parametrize(
    ("header", "shows"),
    [
        ('"Eve" <sip:%3Cscript%3Ealert(1)%3C%2Fscript%3E@evil.test>', lambda origin: "script" in origin),
        (f'"Eve" <sip:{"9" * 500}@evil.test>', lambda origin: set(origin) <= set("9…") and len(origin) <= 80),
        ('"Jos\xe9" <sip:jos%E9@evil.test>', lambda origin: origin == "jos\xe9"),
        ('"${SHELL(id)}" <sip:$%7BSHELL(id)%7D@evil.test>', lambda origin: "uid=" not in origin),
    ],
    ids=["a script", "500 characters", "Latin-1", "an expression"],
)
async def test_a_hostile_number_is_shown_as_text_and_the_caller_is_served(
    centre: Centre, real_pbx: PbxInstance, header: str, shows: Callable[[str], bool]
) -> None:
    ayu = await centre.desk("ayu")
    caller = await raw_caller(real_pbx)
    try:
        line = caller.call_as(header, BILLING)
        offer = (await ayu.until("offer"))["offer"]
        pop = offer["pop"]
        assert shows(pop["origin"]), pop["origin"]
        assert pop["match"]["kind"] == "malformed"
        assert pop["customer"] is None
        assert len(pop["origin_label"]) <= 80
        await ayu.until("work", lambda f: f["item"]["phase"] == "talking")
        line.hang_up()
        await ayu.until("work", lambda f: f["item"]["phase"] == "wrap_up")
    finally:
        caller.close()


async def test_twenty_callers_at_once_are_all_queued_in_the_order_they_came(centre: Centre) -> None:
    ayu = await centre.desk("ayu", ready=False)
    calls = [await centre.world.call(f"+62813000{n:05}", BILLING, patience_s=20) for n in range(20)]
    await ayu.until("queues", lambda f: any(q["waiting"] == 20 for q in f["queues"]))
    board = await centre.get("/api/v1/wallboard")
    assert board["waiting"] == 20
    await asyncio.gather(*(call.hang_up() for call in calls))

    async def empty() -> bool:
        return bool((await centre.get("/api/v1/wallboard"))["waiting"] == 0)

    await eventually("nobody waits", empty)
