"""The pages on the real server, a real PBX behind it: a shift, a pulled cable, a wallboard, a new user."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest
from playwright.async_api import Browser, Page, expect

from tests.acceptance.centre import PASSWORD, Centre
from tests.acceptance.desk import Frame
from tests.acceptance.steps import BILLING, SITI, STRANGER, remembered
from tests.browser.cable import Cable
from tests.browser.conftest import chromium, wait
from tests.browser.desk_page import note, region

pytestmark = [pytest.mark.pbx, pytest.mark.browser]

CHIEF = "chief"
CABLE_PULLED_MS = 10_000


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One Chromium for the module, and patience for a busy machine."""
    expect.set_options(timeout=20_000)
    stack = AsyncExitStack()
    started = wait(stack.enter_async_context(chromium()))
    yield started
    wait(stack.aclose())


@asynccontextmanager
async def window(browser: Browser, url: str, path: str = "/login") -> AsyncIterator[Page]:
    """A browser of somebody's own, looking at a page."""
    context = await browser.new_context(
        viewport={"width": 1440, "height": 900}, locale="en-GB", reduced_motion="reduce"
    )
    context.set_default_timeout(20_000)
    try:
        page = await context.new_page()
        await page.goto(url + path)
        yield page
    finally:
        await context.close()


async def log_in(page: Page, name: str, phone: str = "", password: str = PASSWORD) -> None:
    """By the page."""
    await page.get_by_label("Name", exact=True).fill(name)
    await page.get_by_label("Password", exact=True).fill(password)
    if phone:
        await page.get_by_label("Your phone").select_option(phone)
    await page.keyboard.press("Enter")


async def go_ready(page: Page) -> None:
    """By keyboard, from the palette."""
    await expect(page.locator("[data-light=net]")).to_contain_text("Net ok")
    await page.keyboard.press("Control+k")
    await page.keyboard.type("ready")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="Ready", exact=True)).to_be_visible()


async def log_out(page: Page) -> None:
    """By the page."""
    await page.get_by_role("button", name="Menu of").click()
    await page.get_by_role("menuitem", name="Log out").click()
    # Polled: the page may go there twice (logged out, and its socket closed), which ends a wait for one load.
    await expect(page).to_have_url(re.compile("/login"))


async def write_and_finish(page: Page, words: str, reason: str = "1") -> None:
    """Wrap-up without a mouse: the note, the reason, done."""
    await expect(region(page, "call")).to_contain_text("Wrap-up")
    await page.keyboard.press("n")
    await expect(note(page)).to_be_focused()
    await page.keyboard.type(words)
    await page.keyboard.press("Control+Enter")  # no reason yet: it goes there
    await expect(page.locator("#reason-1")).to_be_focused()
    await page.keyboard.press(reason)
    await page.keyboard.press("Control+Enter")
    await expect(region(page, "call")).to_contain_text("No call")


async def test_a_shift_at_the_page_with_real_calls(centre: Centre, browser: Browser) -> None:
    async with window(browser, centre.url) as page:
        await log_in(page, "ayu", "Desk 1")
        await page.wait_for_url("**/desk")
        await go_ready(page)
        await centre.world.robot("a1", ring_s=5.0)
        call = await centre.world.call(SITI, BILLING, talk_s=60)
        await expect(region(page, "offer")).to_contain_text("Siti Contoh (test)")
        await expect(region(page, "customer")).to_contain_text("calls from a number we know")
        await expect(region(page, "script")).to_contain_text("Billing, good day, Siti Contoh (test)")
        assert call.heard_at is None, "pop and script were there before anybody answered"
        await expect(region(page, "call")).to_contain_text("Talking")
        await call.until_heard()
        await call.hang_up()
        await write_and_finish(page, "wants a refund until Friday")
        await expect(page.get_by_role("heading", name="Ready", exact=True)).to_be_visible()

        await last_interaction(centre)  # it is written down
        again = await centre.world.call(SITI, BILLING, talk_s=60)
        history = region(page, "customer").get_by_role("listitem").first
        await expect(history).to_contain_text("Refund")
        await expect(history).to_contain_text("wants a refund until Friday")
        await expect(history).to_contain_text("with Ayu (test)")
        assert again.heard_at is None, "the history was there before anybody answered"
        await expect(region(page, "call")).to_contain_text("Talking")
        await again.hang_up()
        await write_and_finish(page, "asked the same again", reason="2")
        await log_out(page)
    (segment,) = (await last_interaction(centre))["segments"]
    assert (segment["agent"], segment["disposition"]) == ("ayu", "resolved")
    assert segment["note"] == "asked the same again"


async def last_interaction(centre: Centre) -> Frame:
    """The one that arrived last, as the API tells it."""
    records = [json.loads(line) for line in (await centre.cli("journal", "export")).splitlines()]
    arrived = [record["facts"] for record in records if record["event"] == "InteractionArrived"]
    return await remembered(centre, arrived[-1]["interaction"])


async def test_the_cable_is_out_for_ten_seconds_and_nothing_is_missed(
    centre: Centre, browser: Browser
) -> None:
    cable = Cable()
    await cable.start(centre.port)
    await centre.world.robot("a2", ring_s=0.3)
    try:
        async with window(browser, f"http://localhost:{cable.port}") as page:
            await log_in(page, "budi", "Desk 2")
            await page.wait_for_url("**/desk")
            await go_ready(page)
            call = await centre.world.call(SITI, BILLING, talk_s=120)
            await expect(region(page, "call")).to_contain_text("Talking")
            await page.keyboard.press("n")
            await page.keyboard.type("before, ")
            cable.pull()
            await page.keyboard.type("while the cable is out, ")
            await call.hang_up()  # the page cannot know
            await page.wait_for_timeout(CABLE_PULLED_MS)
            await expect(region(page, "call")).to_contain_text("Talking")
            await expect(page.locator("[data-light=net]")).not_to_contain_text("Net ok")
            cable.put_back()
            await expect(region(page, "call")).to_contain_text("Wrap-up")
            await expect(note(page)).to_have_value("before, while the cable is out, ")
            await page.keyboard.type("after")
            await page.keyboard.press("Control+Enter")
            await page.keyboard.press("1")
            await page.keyboard.press("Control+Enter")
            await expect(region(page, "call")).to_contain_text("No call")
            await log_out(page)
    finally:
        await cable.stop()
    (segment,) = (await last_interaction(centre))["segments"]
    assert (segment["agent"], segment["note"]) == ("budi", "before, while the cable is out, after")


async def test_the_wallboard_shows_who_talks(centre: Centre, browser: Browser) -> None:
    await centre.world.robot("a3", ring_s=0.2)
    async with window(browser, centre.url) as page:
        await log_in(page, "boss")
        await page.wait_for_url("**/wallboard?view=floor")
        citra = await centre.desk("citra")
        row = page.get_by_role("row", name="Citra (test)")
        await expect(row).to_contain_text("Ready")
        call = await centre.world.call(SITI, BILLING, talk_s=60)
        await citra.until("work", lambda f: f["item"]["phase"] == "talking")
        await expect(row).to_contain_text("Talking")
        await expect(row).to_contain_text("Billing")
        waiting = page.locator("[data-tile=waiting]")
        await expect(waiting).to_contain_text("0")
        held_up = await centre.world.call(STRANGER, BILLING, talk_s=60)
        await expect(waiting).to_contain_text("1")
        await held_up.hang_up()
        await expect(waiting).to_contain_text("0")
        await call.hang_up()
        await expect(row).to_contain_text("Wrap-up")
        await page.get_by_role("link", name="Wallboard").click()
        await expect(page.locator("[data-tile=waiting]")).to_be_visible()


async def test_an_administrator_adds_a_user_who_can_log_in(centre: Centre, browser: Browser) -> None:
    chief = ("user", "add", CHIEF, "--role", "admin", "--name", "Chief (test)", "--language", "en")
    await centre.cli(*chief, "--password-stdin", stdin=PASSWORD + "\n")
    async with window(browser, centre.url) as page:
        await log_in(page, CHIEF)
        await page.wait_for_url("**/admin")
        await page.get_by_role("button", name="Add user").click()
        await page.get_by_label("Login name").fill("rina")
        await page.get_by_label("Name shown to others").fill("Rina (test)")
        await page.get_by_role("radio", name="Supervisor").check()
        await page.get_by_role("button", name="Make one up").click()
        password = await page.get_by_label("New password").input_value()
        await page.get_by_role("button", name="Add", exact=True).click()
        await expect(page.get_by_role("row", name="Rina (test)")).to_contain_text("May log in")
        async with window(browser, centre.url) as hers:
            await log_in(hers, "rina", password=password)
            await hers.wait_for_url("**/wallboard?view=floor")
            await page.get_by_role("button", name="Disable").click()
            await expect(page.get_by_role("row", name="Rina (test)")).to_contain_text("Disabled")
            await hers.reload()
            await expect(hers).to_have_url(re.compile("/login"))
