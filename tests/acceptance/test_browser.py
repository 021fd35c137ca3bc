"""The pages on the real server, a real PBX behind it: a shift, a pulled cable, a wallboard, a new user."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest
from playwright.async_api import Browser, Page, expect

from tests.acceptance.centre import PASSWORD, Centre
from tests.acceptance.steps import BILLING, SITI, eventually, remembered
from tests.browser.cable import Cable
from tests.browser.conftest import chromium, wait
from tests.browser.desk_page import note, region

pytestmark = [pytest.mark.pbx, pytest.mark.browser]

CHIEF = "chief"
CABLE_PULLED_MS = 10_000
Open = Callable[..., Awaitable[Page]]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One Chromium for the module."""
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


async def test_a_shift_at_the_page_with_a_real_call(centre: Centre, browser: Browser) -> None:
    async with window(browser, centre.url) as page:
        await log_in(page, "ayu", "Desk 1")
        await page.wait_for_url("**/desk")
        await go_ready(page)
        await centre.world.robot("a1", ring_s=4.0)
        call = await centre.world.call(SITI, BILLING, talk_s=60)
        await expect(region(page, "offer")).to_contain_text("Siti Contoh (test)")
        await page.screenshot(path="/tmp/shots_admin/e2e-offer.png")
        print(await page.locator("body").inner_text())
        assert call.heard_at is None, "the pop was there before anybody answered"
        await expect(region(page, "call")).to_contain_text("Talking")
        await page.screenshot(path="/tmp/shots_admin/e2e-talk.png")
        await call.hang_up()
        await expect(region(page, "call")).to_contain_text("Wrap-up")
        await page.screenshot(path="/tmp/shots_admin/e2e-wrap.png")
        print(await page.locator("body").inner_text())
