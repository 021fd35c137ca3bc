"""The desk without a mouse: a whole shift, typing that nothing disturbs, and keys that cannot do harm."""

from __future__ import annotations

import msgspec
import pytest

from ccserver.desk import protocol as p
from tests.browser import people
from tests.browser.conftest import Theatre
from tests.browser.desk_page import caret, expect, focused, note, region, until

pytestmark = pytest.mark.browser


async def test_a_whole_shift_without_the_mouse(theatre: Theatre) -> None:
    page, stage = await theatre.desk(), theatre.stage
    keys = page.keyboard
    await keys.press("p")  # status menu: Ready, then the reasons
    await keys.press("ArrowDown")
    await keys.press("Enter")
    await until(page, lambda: stage.sent(p.NotReady))
    assert stage.sent(p.NotReady)[0].reason == "break"
    stage.desk.set_state(p.AgentState(status="NOT_READY", reason="break", since_utc_ms=people.now_ms()))
    await expect(region(page, "status")).to_contain_text("Break")
    await keys.press("Control+k")
    await keys.type("ready")
    await keys.press("Enter")
    await until(page, lambda: stage.sent(p.Ready))

    stage.desk.show_offer(people.offer())
    await expect(region(page, "offer")).to_contain_text("Siti Rahma")
    stage.desk.end_offer("o1", "i1", "accepted", "")
    stage.desk.set_work(people.work())
    await expect(page.locator("#item-heading")).to_be_focused()
    await keys.press("Tab")  # the first question of the script
    await keys.press("Space")
    await keys.press("Control+Enter")
    await until(page, lambda: stage.sent(p.ScriptAnswer))
    assert stage.sent(p.ScriptAnswer)[0].answers == {"birth_date": "yes", "number": ""}

    await page.locator("#item-heading").focus()
    await keys.press("n")
    await keys.type("Refund until Friday")
    await keys.press("Shift+F9")
    await expect(region(page, "notice")).to_contain_text("again to end the call")
    assert not stage.sent(p.Hangup)
    await keys.press("Shift+F9")
    await until(page, lambda: stage.sent(p.Hangup))
    stage.desk.change_work("i1", phase="wrap_up", wrap_up_until_utc_ms=people.now_ms() + 60_000)
    await expect(region(page, "call")).to_contain_text("Wrap-up")
    await keys.press("Control+Enter")  # no reason yet: it says so and goes there
    await expect(page.locator("#reason-1")).to_be_focused()
    await keys.press("3")
    await keys.press("Control+Enter")
    await until(page, lambda: stage.sent(p.Finish))
    finish = stage.sent(p.Finish)[0]
    assert (finish.disposition, finish.note, finish.next) == ("bill", "Refund until Friday", "ready")
    stage.desk.drop_work("i1")
    await expect(page.get_by_role("heading", name="Ready")).to_be_visible()


async def test_an_offer_while_typing_disturbs_nothing(theatre: Theatre) -> None:
    page, stage = await theatre.desk(), theatre.stage
    stage.desk.set_work(people.work("i9", "unfinished", label="Budi Hartono (demo)"))
    await note(page).click()
    await page.keyboard.type("Called because of ")
    for i, letter in enumerate("the parcel of Monday"):
        await page.keyboard.press("Space" if letter == " " else letter)
        if i == 5:
            stage.desk.show_offer(people.offer())
    await expect(region(page, "offer")).to_contain_text("Siti Rahma")
    assert await note(page).input_value() == "Called because of the parcel of Monday"
    assert await focused(page) == "note-i9"
    assert (await caret(page))[0] == len("Called because of the parcel of Monday")
    stage.desk.end_offer("o1", "i1", "accepted", "")  # picked up on the phone in mid-word
    stage.desk.set_work(people.work())
    await expect(region(page, "call")).to_contain_text("Talking")
    await page.keyboard.type("!")
    assert await note(page).input_value() == "Called because of the parcel of Monday!"
    await page.keyboard.press("Alt+ArrowDown")
    await expect(page.locator("#item-heading")).to_have_text("Verification")


async def test_escape_never_declines_ends_or_clears(theatre: Theatre) -> None:
    page, stage = await theatre.desk(), theatre.stage
    stage.desk.set_work(people.work())
    stage.desk.show_offer(people.offer("o2", "i2"))
    await note(page).fill("kept")
    await page.keyboard.press("Escape")
    await page.keyboard.press("F9")
    await expect(page.get_by_role("menu")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("menu")).to_have_count(0)
    for _ in range(3):
        await page.keyboard.press("Escape")
    await expect(region(page, "offer")).to_contain_text("Siti Rahma")
    await expect(note(page)).to_have_value("kept")
    assert not stage.sent(p.Decline)
    assert not stage.sent(p.Hangup)


async def test_function_keys_work_from_inside_the_note(theatre: Theatre) -> None:
    page, stage = await theatre.desk(), theatre.stage
    stage.desks.refuse["accept"] = "answer_on_phone"
    stage.desk.set_work(people.work("i9", "unfinished"))
    stage.desk.show_offer(people.offer())
    await expect(region(page, "offer")).to_contain_text("Siti Rahma")
    await note(page).click()
    await page.keyboard.type("f")
    await page.keyboard.press("F2")
    await expect(region(page, "notice")).to_contain_text("Pick up your phone to answer.")
    await page.keyboard.press("Shift+F2")
    await until(page, lambda: stage.sent(p.Decline))
    assert stage.sent(p.Accept)[0].offer == stage.sent(p.Decline)[0].offer == "o1"
    assert await note(page).input_value() == "f"
    assert await focused(page) == "note-i9"


async def test_transfer_lists_the_queues(theatre: Theatre) -> None:
    page, stage = await theatre.desk(), theatre.stage
    stage.desk.set_work(people.work())
    await expect(region(page, "call")).to_contain_text("Talking")
    await page.keyboard.press("F9")
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Enter")
    await until(page, lambda: stage.sent(p.Transfer))
    assert stage.sent(p.Transfer)[0].queue == "support"
    await expect(region(page, "notice")).to_contain_text("Transferred to Support")


async def test_single_keys_can_be_switched_off_and_all_keys_changed(theatre: Theatre) -> None:
    page, stage = await theatre.desk(), theatre.stage
    await page.keyboard.press("?")
    dialog = page.get_by_role("dialog", name="Keys")
    await dialog.get_by_role("button", name="Change the key for Decline the oldest offer").press("Enter")
    await page.keyboard.press("F9")
    await expect(dialog).to_contain_text("F9 is already used for Transfer.")
    await dialog.get_by_role("button", name="Change the key for Decline the oldest offer").press("Enter")
    await page.keyboard.press("F7")
    await dialog.get_by_label("Single-letter keys outside text fields").press("Space")
    await page.keyboard.press("Escape")
    await expect(dialog).to_have_count(0)
    await page.keyboard.press("p")
    await page.keyboard.press("?")
    await expect(page.get_by_role("menu")).to_have_count(0)
    await expect(dialog).to_have_count(0)
    await page.reload()
    stage.desk.show_offer(people.offer())
    await expect(region(page, "offer")).to_contain_text("Siti Rahma")
    await page.keyboard.press("Shift+F2")
    await page.keyboard.press("F7")
    await until(page, lambda: stage.sent(p.Decline))
    assert len(stage.sent(p.Decline)) == 1


async def test_f6_walks_the_regions_and_focus_is_always_visible(theatre: Theatre) -> None:
    page, stage = await theatre.desk(), theatre.stage
    stage.desk.show_offer(people.offer("o2", "i2"))
    stage.desk.set_work(people.work())
    await expect(page.locator("#item-heading")).to_be_focused()
    await page.keyboard.press("Control+Home")
    walked = []
    for _ in range(8):
        await page.keyboard.press("F6")
        walked.append(
            await page.evaluate("document.activeElement.closest('[data-region]')?.dataset.region ?? ''")
        )
        assert await page.evaluate(VISIBLE_FOCUS), walked
    assert walked[:2] == ["notes", "customer"]
    for _ in range(8):
        await page.keyboard.press("Shift+F6")
        walked.append(
            await page.evaluate("document.activeElement.closest('[data-region]')?.dataset.region ?? ''")
        )
    assert {"status", "call", "offer", "work", "script", "notes", "customer"} <= set(walked)


VISIBLE_FOCUS = """() => {
  const e = document.activeElement, r = e.getBoundingClientRect();
  const ring = getComputedStyle(e);
  const at = document.elementFromPoint(r.x + Math.min(8, r.width / 2), r.y + Math.min(8, r.height / 2));
  const ringed = ring.outlineStyle !== 'none' && parseFloat(ring.outlineWidth) >= 2;
  return ringed && (e.contains(at) || at.contains(e));
}"""


async def test_a_screen_reader_hears_an_offer_once_and_no_ticking(theatre: Theatre) -> None:
    page, stage = await theatre.desk(), theatre.stage
    await page.evaluate(
        """() => { window.heard = [];
        for (const spoken of document.querySelectorAll('[role=alert], [role=status]'))
          new MutationObserver(() => spoken.textContent && window.heard.push(spoken.textContent))
            .observe(spoken, { childList: true, characterData: true, subtree: true }); }"""
    )
    offer = people.offer()
    stage.desk.show_offer(msgspec.structs.replace(offer, deadline_utc_ms=offer.made_utc_ms + 8_000))
    await expect(region(page, "offer")).to_contain_text("4 s")
    heard = await page.evaluate("window.heard")
    assert heard == [
        "Incoming call, Siti Rahma (demo), Billing. 8 seconds. Press F2.",
        "5 seconds left for Siti Rahma (demo).",
    ]
    ticking = page.locator("[aria-live=polite] .num, [aria-live=assertive] .num, [role=timer]")
    assert await ticking.count() == 0


async def test_a_number_is_dialled_from_the_strip_and_wrong_ones_are_explained(theatre: Theatre) -> None:
    page, stage = await theatre.desk(), theatre.stage
    stage.desks.refuse["dial"] = "bad_number"
    number = page.get_by_label("Number to call")
    await number.fill("0811 222;333")
    await page.keyboard.press("Enter")
    await expect(region(page, "notice")).to_contain_text("This is no number that can be called.")
    await expect(number).to_have_value("0811 222;333")
    stage.desks.refuse.clear()
    await number.fill("0811 222-333")
    await page.keyboard.press("Enter")
    await expect(region(page, "notice")).to_contain_text("Your phone rings.")
    await expect(number).to_have_value("")
    assert [sent.number for sent in stage.sent(p.Dial)] == ["0811 222;333", "0811 222-333"]
    stage.desk.set_work(people.work())
    await expect(region(page, "call")).to_contain_text("Talking")
    await expect(number).to_have_count(0)
