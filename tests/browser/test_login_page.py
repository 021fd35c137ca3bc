"""Logging in: by hand, in one click in the demo, and with everything that can be wrong."""

from __future__ import annotations

import pytest

from tests.browser.conftest import Theatre
from tests.browser.desk_page import clipped, expect
from tests.fakes.web import PASSWORD

pytestmark = pytest.mark.browser


async def test_by_hand_with_a_phone(theatre: Theatre) -> None:
    page = await theatre.window()
    await page.goto(f"{theatre.stage.url}/desk")
    await page.wait_for_url("**/login?next=/desk")
    await page.get_by_label("Name", exact=True).fill("ayu")
    await page.get_by_label("Password", exact=True).fill("wrong")
    await page.get_by_label("Your phone").select_option("Desk 101")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("alert")).to_have_text(
        "Name or password is wrong. Check both and try again."
    )
    await page.get_by_label("Password", exact=True).fill(PASSWORD)
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/desk")
    await expect(page.get_by_role("heading", name="Ready")).to_be_visible()


async def test_the_demo_takes_one_click_and_logging_out_leads_back(theatre: Theatre) -> None:
    page = await theatre.window()
    await page.goto(f"{theatre.stage.url}/login")
    await page.get_by_role("button", name="ayu").click()
    await page.wait_for_url("**/desk")
    await page.get_by_role("button", name="Menu of Ayu").click()
    await page.get_by_role("menuitem", name="Log out").click()
    await page.wait_for_url("**/login")
    await page.get_by_role("button", name="sari").click()
    await page.wait_for_url("**/wallboard?view=floor")


async def test_an_agent_without_a_phone_is_told_to_choose_one(theatre: Theatre) -> None:
    page = await theatre.window()
    await page.goto(f"{theatre.stage.url}/login")
    await page.get_by_label("Name", exact=True).fill("ayu")
    await page.get_by_label("Password", exact=True).fill(PASSWORD)
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("alert")).to_have_text("Choose the phone you sit at.")


async def test_a_server_that_is_away_is_said(theatre: Theatre) -> None:
    page = await theatre.window()
    await page.goto(f"{theatre.stage.url}/login")
    await page.get_by_label("Name", exact=True).fill("ayu")
    await page.get_by_label("Password", exact=True).fill(PASSWORD)
    await theatre.stage.stop()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("alert")).to_contain_text("The server does not answer.")


@pytest.mark.parametrize("width", [1024, 390, 320])
async def test_it_fits_in_both_languages(theatre: Theatre, width: int) -> None:
    page = await theatre.window(viewport={"width": width, "height": 800})
    await page.goto(f"{theatre.stage.url}/login")
    await page.get_by_role("button", name="ayu").wait_for()
    assert await clipped(page) == []
    await page.get_by_role("button", name="Indonesia").click()
    await expect(page.get_by_role("heading", name="Demo", exact=True)).to_be_visible()
    assert await clipped(page) == []
