"""The users page: by keyboard and by mouse, in every width; what is wrong stands at its field."""

from __future__ import annotations

import pytest
from playwright.async_api import Page

from tests.browser.conftest import Theatre
from tests.browser.desk_page import clipped, expect, focused
from tests.browser.test_looks import _complaints as complaints
from tests.fakes.web import PASSWORD

pytestmark = pytest.mark.browser
WIDTHS = {1440: 900, 1024: 768, 390: 844}


async def users_page(theatre: Theatre, width: int = 1440, theme: str = "light") -> Page:
    """An administrator looks at the list."""
    page = await theatre.window(viewport={"width": width, "height": WIDTHS[width]}, color_scheme=theme)
    await theatre.login(page, "tono", None)
    await page.goto(f"{theatre.stage.url}/admin")
    await expect(page.get_by_role("heading", name="Users")).to_be_visible()
    return page


async def test_an_administrator_comes_here_after_login_and_can_leave(theatre: Theatre) -> None:
    page = await theatre.window()
    await page.goto(f"{theatre.stage.url}/login")
    await page.get_by_label("Name", exact=True).fill("tono")
    await page.get_by_label("Password", exact=True).fill(PASSWORD)
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/admin")
    await page.get_by_role("button", name="Menu of Tono").click()
    await page.get_by_role("menuitem", name="Log out").click()
    await page.wait_for_url("**/login")
    await page.goto(f"{theatre.stage.url}/admin")
    await page.wait_for_url("**/login?next=/admin")
    assert [fault for fault in theatre.faults if "401" not in fault] == []


async def test_a_user_is_added_by_keyboard_alone(theatre: Theatre) -> None:
    page = await users_page(theatre)
    await page.get_by_role("button", name="Add user").focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_label("Login name")).to_be_focused()
    await page.keyboard.type("Rina")
    await page.keyboard.press("Tab")
    await page.keyboard.type("Rina (demo)")
    await page.keyboard.press("Tab")
    await page.keyboard.press("ArrowDown")
    await expect(page.get_by_role("radio", name="Supervisor")).to_be_checked()
    await page.keyboard.press("Tab")
    await page.keyboard.press("Tab")
    await page.keyboard.type("a long password")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("status").last).to_contain_text("Rina (demo) may log in now.")
    await expect(page.get_by_role("row", name="Rina (demo) rina Supervisor")).to_be_visible()
    other = await theatre.window()
    answer = await other.context.request.post(
        f"{theatre.stage.url}/api/v1/login",
        data={"name": "rina", "password": "a long password"},
        headers={"Origin": theatre.stage.url},
    )
    assert answer.ok
    await page.keyboard.press("Escape")
    assert await focused(page) == "button"
    assert theatre.faults == []


async def test_what_is_wrong_stands_at_its_field(theatre: Theatre) -> None:
    page = await users_page(theatre)
    await page.get_by_role("button", name="Add user").click()
    login, label = page.get_by_label("Login name"), page.get_by_label("Name shown to others")
    password = page.get_by_label("New password")
    await page.get_by_role("button", name="Add", exact=True).click()
    await expect(login).to_have_accessible_description("Enter a login name.")
    await expect(label).to_have_accessible_description("Enter the name that others see.")
    await expect(password).to_have_accessible_description("Too short: 0 of at least 10 characters.")
    await expect(login).to_be_focused()
    await login.fill("ayu")
    await label.fill("Another Ayu (demo)")
    await password.fill("my password is ayu")
    await page.keyboard.press("Enter")
    await expect(password).to_have_accessible_description(
        "It contains the login name. Choose one that does not."
    )
    await password.fill("something else")
    await page.keyboard.press("Enter")
    await expect(login).to_have_accessible_description(
        "Somebody has this login name already. Choose another one."
    )
    await expect(login).to_be_focused()
    await expect(label).to_have_value("Another Ayu (demo)")


async def test_role_language_and_name_are_changed(theatre: Theatre) -> None:
    page = await users_page(theatre)
    await page.get_by_role("button", name="Budi").click()
    save = page.get_by_role("button", name="Save")
    await expect(save).to_be_disabled()
    await page.get_by_label("Name shown to others").fill("Budi S. (demo)")
    await page.get_by_role("radio", name="Supervisor").check()
    await page.get_by_label("Language").select_option("Indonesia")
    await save.click()
    await expect(page.get_by_role("status").last).to_have_text(
        "Saved. Budi S. (demo) logs in again with the new role."
    )
    await expect(page.get_by_role("row", name="Budi S. (demo) budi Supervisor Indonesia")).to_be_visible()
    await page.reload()
    await expect(page.get_by_role("row", name="Budi S. (demo) budi Supervisor Indonesia")).to_be_visible()


async def test_a_password_is_made_up_shown_once_and_set(theatre: Theatre) -> None:
    page = await users_page(theatre)
    await page.get_by_role("button", name="Budi").click()
    await page.get_by_role("button", name="Make one up").click()
    made_up = await page.get_by_label("New password").input_value()
    await page.get_by_role("button", name="Set password").click()
    await expect(page.get_by_role("status").last).to_contain_text("New password set. Tell Budi")
    other = await theatre.window()
    await other.goto(f"{theatre.stage.url}/login")
    await other.get_by_label("Name", exact=True).fill("budi")
    await other.get_by_label("Password", exact=True).fill(made_up)
    await other.get_by_label("Your phone").select_option("Desk 102")
    await other.keyboard.press("Enter")
    await other.wait_for_url("**/desk")


async def test_disabling_can_be_undone(theatre: Theatre) -> None:
    page = await users_page(theatre)
    await page.get_by_role("button", name="Budi").click()
    await page.get_by_role("button", name="Disable").click()
    await expect(page.get_by_role("row", name="Budi")).to_contain_text("Disabled")
    await page.get_by_role("button", name="Undo").click()
    await expect(page.get_by_role("row", name="Budi")).to_contain_text("May log in")
    await expect(page.get_by_role("status").last).to_have_text("Budi may log in again.")


async def test_nobody_locks_themselves_out(theatre: Theatre) -> None:
    page = await users_page(theatre)
    await page.get_by_role("button", name="Tono").last.click()
    await expect(page.get_by_role("radio", name="Agent")).to_be_disabled()
    await expect(page.get_by_role("button", name="Disable")).to_be_disabled()
    await expect(page.get_by_text("You cannot disable yourself; another administrator can.")).to_be_visible()


async def test_a_server_that_is_away_is_said_and_nothing_typed_is_lost(theatre: Theatre) -> None:
    page = await users_page(theatre)
    await page.get_by_role("button", name="Budi").click()
    await page.get_by_label("Name shown to others").fill("Budi S. (demo)")
    await theatre.stage.stop()
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_role("status").last).to_have_text(
        "The server does not answer. Nothing was changed; try again."
    )
    await expect(page.get_by_label("Name shown to others")).to_have_value("Budi S. (demo)")


async def test_who_is_no_administrator_is_told_where_to_go(theatre: Theatre) -> None:
    page = await theatre.window()
    await theatre.login(page, "sari", None)
    await page.goto(f"{theatre.stage.url}/admin")
    await expect(page.get_by_role("heading")).to_have_text("This page is for administrators.")
    await page.get_by_role("link", name="To my desk").click()
    await page.wait_for_url("**/wallboard?view=floor")


async def test_finding_and_the_arrow_keys(theatre: Theatre) -> None:
    page = await users_page(theatre)
    await page.get_by_role("button", name="Ayu").focus()
    await page.keyboard.press("ArrowDown")
    await expect(page.get_by_role("button", name="Budi")).to_be_focused()
    await page.get_by_role("searchbox").fill("sar")
    await expect(page.get_by_role("row")).to_have_count(2)
    await expect(page.get_by_role("status").first).to_have_text("1 users")
    await page.get_by_role("searchbox").fill("zzz")
    await expect(page.get_by_text("Nobody fits “zzz”.")).to_be_visible()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", list(WIDTHS))
async def test_it_fits_and_passes_axe(theatre: Theatre, width: int, theme: str) -> None:
    page = await users_page(theatre, width, theme)
    assert (await clipped(page), await complaints(page)) == ([], [])
    await page.get_by_role("button", name="Add user").click()
    await page.get_by_role("button", name="Add", exact=True).click()
    assert (await clipped(page), await complaints(page)) == ([], [])
    await page.keyboard.press("Escape")
    await page.get_by_role("button", name="Budi").click()
    await page.get_by_role("button", name="Disable").click()
    await page.get_by_role("button", name="Undo").wait_for()
    assert (await clipped(page), await complaints(page)) == ([], [])


async def test_indonesian_fits_too(theatre: Theatre) -> None:
    page = await users_page(theatre, 390)
    await page.get_by_role("button", name="Menu of Tono").click()
    await page.get_by_role("menuitem", name="Indonesia").click()
    await expect(page.get_by_role("heading", name="Pengguna")).to_be_visible()
    assert await clipped(page) == []
    await page.get_by_role("button", name="Tambah pengguna").click()
    await page.get_by_role("button", name="Tambah", exact=True).click()
    assert await clipped(page) == []
