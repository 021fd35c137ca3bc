"""The line to the server breaks, the page is reloaded, items come and go: nothing lost, nothing doubled."""

from __future__ import annotations

import pytest

from ccserver.desk import protocol as p
from tests.browser import people
from tests.browser.conftest import Theatre
from tests.browser.desk_page import expect, note, region, until

pytestmark = pytest.mark.browser


async def test_the_cable_is_pulled_and_put_back(theatre: Theatre) -> None:
    page, stage = await theatre.desk(), theatre.stage
    stage.desk.set_work(people.work())
    await note(page).fill("before")
    await until(page, lambda: stage.sent(p.Note))
    stage.cable.pull()
    await expect(region(page, "notice")).to_contain_text("Connection lost", timeout=11_000)
    await expect(page.get_by_role("button", name="End", exact=True)).to_be_disabled()
    await page.keyboard.press("p")
    await note(page).fill("written while away")
    await expect(region(page, "notice")).to_contain_text("1 waiting to be sent")
    await expect(region(page, "notes")).to_contain_text("Kept here")
    stage.desk.change_work("i1", phase="wrap_up", wrap_up_until_utc_ms=people.now_ms() + 90_000)
    stage.desk.set_today(15, 1)
    stage.cable.put_back()
    await expect(region(page, "call")).to_contain_text("Wrap-up")
    await expect(region(page, "notice")).to_contain_text("Back online")
    await until(page, lambda: len(stage.sent(p.Note)) == 2)
    assert [sent.text for sent in stage.sent(p.Note)] == ["before", "written while away"]
    await expect(region(page, "notes")).to_contain_text("Saved")
    await expect(note(page)).to_have_value("written while away")


async def test_a_connection_that_breaks_comes_back_without_a_snapshot(theatre: Theatre) -> None:
    page, stage = await theatre.desk(), theatre.stage
    stage.desk.set_work(people.work())
    await note(page).click()
    await page.keyboard.type("typing on")
    for round_ in range(3):
        stage.cable.cut()
        stage.desk.set_today(20 + round_, 1)
        await expect(region(page, "notice")).to_contain_text("Back online")
        await page.get_by_role("button", name="Dismiss").click()
        await note(page).click()
        await page.keyboard.press("End")
        await page.keyboard.type(f" {round_}")
    assert await note(page).input_value() == "typing on 0 1 2"
    await until(page, lambda: [sent.text for sent in stage.sent(p.Note)][-1:] == ["typing on 0 1 2"])


async def test_notes_stay_with_their_customer(theatre: Theatre) -> None:
    page, stage = await theatre.desk(), theatre.stage
    people_here = {"i1": "Siti", "i2": "Budi", "i3": "Rina"}
    for interaction, name in people_here.items():
        stage.desk.set_work(people.work(interaction, "unfinished", label=f"{name} (demo)"))
    rows = region(page, "work").get_by_role("button")
    await expect(rows).to_have_count(3)
    for turn in range(10):
        name = list(people_here.values())[turn % 3]
        await rows.filter(has_text=name).click()
        await note(page).focus()
        await page.keyboard.press("End")
        await page.keyboard.type(name[0])
    expected = {"Siti": "SSSS", "Budi": "BBB", "Rina": "RRR"}
    await page.reload()
    for name, text in expected.items():
        await rows.filter(has_text=name).click()
        await expect(note(page)).to_have_value(text)
    stage.desk.set_work(people.work("i2", "unfinished", label="Budi (demo)", note="a colleague's words"))
    await rows.filter(has_text="Siti").click()
    await expect(note(page)).to_have_value("SSSS")


async def test_what_is_typed_survives_reload_in_the_same_second(theatre: Theatre) -> None:
    page, stage = await theatre.desk(), theatre.stage
    stage.desk.set_work(people.work())
    await note(page).fill("half a sen")
    await page.reload()
    await expect(note(page)).to_have_value("half a sen")
    await until(page, lambda: [sent.text for sent in stage.sent(p.Note)][-1:] == ["half a sen"])


async def test_what_the_server_refuses_is_said_and_kept(theatre: Theatre) -> None:
    page, stage = await theatre.desk(), theatre.stage
    stage.desks.refuse["finish"] = "not_saved"
    stage.desk.set_work(people.work("i1", "wrap_up"))
    await note(page).fill("kept")
    await page.get_by_label("Complaint").check(force=True)
    await page.wait_for_timeout(600)
    await page.get_by_role("button", name="Finish").click()
    await expect(region(page, "notice")).to_contain_text("The database is away. Your words are kept here")
    await expect(note(page)).to_have_value("kept")
    stage.desks.refuse.clear()
    await page.get_by_role("button", name="Finish").click()
    await until(page, lambda: len(stage.sent(p.Finish)) == 2)


async def test_taken_over_elsewhere_says_so_and_stops(theatre: Theatre) -> None:
    page, stage = await theatre.desk(), theatre.stage
    stage.desk.stream.close(4001, "you logged in elsewhere")
    await expect(region(page, "notice")).to_contain_text("You logged in elsewhere")
    await expect(page.get_by_role("button", name="Log in here again")).to_be_visible()


@pytest.mark.parametrize("how", ["accepted", "declined", "expired", "reload"])
async def test_ringing_stops(theatre: Theatre, how: str) -> None:
    page, stage = await theatre.desk(), theatre.stage
    await page.mouse.click(700, 600)  # sound is allowed from here on
    stage.desk.show_offer(people.offer())
    desk = page.locator("[data-ringing]")
    await expect(desk).to_have_attribute("data-ringing", "true")
    if how == "accepted":
        stage.desk.end_offer("o1", "i1", "accepted", "")
    elif how == "declined":
        await page.keyboard.press("Shift+F2")
    elif how == "expired":
        stage.desk.end_offer("o1", "i1", "expired", "no_answer")
    else:
        stage.desk.offer = None
        await page.reload()
    await expect(desk).to_have_attribute("data-ringing", "false")


async def test_a_ring_can_be_silenced_and_the_offer_stays(theatre: Theatre) -> None:
    page, stage = await theatre.desk(), theatre.stage
    stage.desk.show_offer(people.offer())
    await page.get_by_role("button", name="Stop ringing").click()
    await expect(page.locator("[data-ringing]")).to_have_attribute("data-ringing", "false")
    await expect(region(page, "offer")).to_contain_text("Siti Rahma")


async def test_a_missed_call_says_what_happened_and_what_next(theatre: Theatre) -> None:
    page, stage = await theatre.desk(), theatre.stage
    stage.desk.show_offer(people.offer())
    await expect(region(page, "offer")).to_contain_text("Siti Rahma")
    stage.desk.end_offer("o1", "i1", "expired", "no_answer")
    stage.desk.notice("missed", customer="Siti Rahma (demo)")
    stage.desk.set_state(
        p.AgentState(status="NOT_READY", reason="missed_offers", since_utc_ms=people.now_ms())
    )
    line = region(page, "notice")
    await expect(line).to_contain_text("You missed the call of Siti Rahma (demo). It returned to Billing.")
    await line.get_by_role("button", name="Go ready").click()
    await until(page, lambda: stage.sent(p.Ready))


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("unknown", "Nobody on file has this number"),
        ("withheld", "The caller hides the number"),
        ("malformed", "no telephone number"),
        ("several", "Ask who is calling"),
        ("pending", "Looking up"),
    ],
)
async def test_every_answer_to_who_is_calling_is_shown(theatre: Theatre, kind: str, words: str) -> None:
    page, stage = await theatre.desk(), theatre.stage
    candidates = (
        (p.Candidate(customer="c2", name="Budi Hartono (demo)", tier="Silver"),) if kind == "several" else ()
    )
    match = p.Match(kind=kind, confidence=0, candidates=candidates)  # type: ignore[arg-type]
    label = "<b onclick='x()'>+62</b>" + "9" * 80
    stage.desk.show_offer(people.offer(match=match, customer=None, contacts=(), origin_label=label))
    panel = region(page, "customer")
    await expect(panel).to_contain_text(words)
    await expect(panel.get_by_role("heading", name=label)).to_be_visible()
    assert await panel.locator("b[onclick]").count() == 0
    stage.desk.show_pop(people.pop())
    await expect(panel).to_contain_text("Siti Rahma (demo)")
