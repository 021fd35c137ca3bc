"""Nothing moves by itself, nothing is lost when the window is small, words fit in both languages."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
from playwright.async_api import Page

from tests.browser import people
from tests.browser.conftest import Theatre
from tests.browser.desk_page import Boxes, boxes, clipped, expect, region
from tests.browser.shots import SCENES

pytestmark = pytest.mark.browser


async def _each_scene(theatre: Theatre, page: Page) -> list[tuple[str, Boxes]]:
    seen = []
    for name, scene in SCENES:
        scene(theatre.stage)
        await page.wait_for_timeout(150)
        seen.append((name, await boxes(page)))
    return seen


@pytest.mark.parametrize("width", [1440, 1024])
async def test_regions_are_in_the_same_place_in_every_state(theatre: Theatre, width: int) -> None:
    page = await theatre.desk(viewport={"width": width, "height": 800})
    seen = await _each_scene(theatre, page)
    fixed = ["status", "call", "notice", "offer", "work", "main"] + (["customer"] if width == 1440 else [])
    for name, found in seen:
        assert {key: found[key] for key in fixed} == {key: seen[0][1][key] for key in fixed}, name


async def test_bars_stay_in_place_on_a_telephone(theatre: Theatre) -> None:
    page = await theatre.desk(viewport={"width": 390, "height": 844})
    seen = await _each_scene(theatre, page)
    for name, found in seen:
        for key in ("status", "call", "notice"):
            assert found[key] == seen[0][1][key], (name, key)


@pytest.mark.parametrize("width", [1440, 1024, 390])
async def test_end_is_never_where_accept_was(theatre: Theatre, width: int) -> None:
    page = await theatre.desk(viewport={"width": width, "height": 800})
    theatre.stage.desk.show_offer(people.offer())
    places = []
    for name in ("Answer on your phone", "Decline"):
        places.append(await page.get_by_role("button", name=name).bounding_box())
    theatre.stage.desk.end_offer("o1", "i1", "accepted", "")
    theatre.stage.desk.set_work(people.work())
    end = await page.get_by_role("button", name="End", exact=True).bounding_box()
    assert end is not None
    for place in places:
        assert place is not None
        apart_x = place["x"] + place["width"] <= end["x"] or end["x"] + end["width"] <= place["x"]
        assert apart_x, (place, end)


async def test_a_click_meant_for_what_was_there_does_nothing(theatre: Theatre) -> None:
    page, stage = await theatre.desk(), theatre.stage
    stage.desk.set_work(people.work())
    end = await page.get_by_role("button", name="End", exact=True).bounding_box()
    assert end is not None
    await page.get_by_label("Refund promised").check(force=True)
    await page.mouse.move(end["x"] + 40, end["y"] + 20)
    stage.desk.change_work("i1", phase="wrap_up", wrap_up_until_utc_ms=people.now_ms() + 60_000)
    finish = page.get_by_role("button", name="Finish")
    await finish.wait_for()
    await page.evaluate("performance.now = () => 0")  # no time passes: the button is as good as new
    await page.mouse.down()
    await page.mouse.up()
    await page.wait_for_timeout(100)
    assert [command for command in stage.commands if type(command).__name__ in ("Finish", "Hangup")] == []


@pytest.mark.parametrize("language", ["en", "id"])
@pytest.mark.parametrize("width", [1440, 1024, 720, 390, 320])
async def test_no_control_is_lost_or_cut(
    make_theatre: Callable[..., Awaitable[Theatre]], width: int, language: str
) -> None:
    theatre = await make_theatre(language)
    page = await theatre.desk(
        viewport={"width": width, "height": 640}, locale="id-ID" if language == "id" else "en-GB"
    )
    for name, scene in SCENES:
        scene(theatre.stage)
        await page.wait_for_timeout(150)
        assert await clipped(page) == [], (name, width)
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (name, width)


async def test_on_a_telephone_everything_is_a_tap_away(theatre: Theatre) -> None:
    page, stage = await theatre.desk(viewport={"width": 390, "height": 844}), theatre.stage
    stage.desk.show_offer(people.offer())
    await region(page, "offer").get_by_role("button", name="Siti Rahma (demo)").click()
    await expect(region(page, "customer")).to_contain_text("Refund promised")
    stage.desk.end_offer("o1", "i1", "accepted", "")
    stage.desk.set_work(people.work())
    await expect(region(page, "script")).to_be_visible()
    await page.get_by_role("button", name="Notes", exact=True).click()
    await expect(region(page, "notes")).to_be_visible()
    await page.get_by_role("button", name="Back to the list").click()
    await expect(region(page, "work")).to_contain_text("Siti Rahma")
