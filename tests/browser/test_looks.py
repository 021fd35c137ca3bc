"""Contrast, names and roles by axe-core in both themes; a shape and a word beside every colour."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page, Response

from tests.browser.boards import busy
from tests.browser.conftest import DIST, Theatre
from tests.browser.shots import SCENES

pytestmark = pytest.mark.browser
AXE = DIST.parent / "node_modules/axe-core/axe.min.js"


async def _complaints(page: Page) -> list[Any]:
    """What axe finds, as (rule, where)."""
    await page.evaluate(Path(AXE).read_text())
    found = await page.evaluate("axe.run(document, { resultTypes: ['violations'] })")
    return [(one["id"], node["html"][:120]) for one in found["violations"] for node in one["nodes"]]


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
async def test_the_desk_passes_axe_in_every_state(theatre: Theatre, theme: str, width: int) -> None:
    page = await theatre.desk(color_scheme=theme, viewport={"width": width, "height": 900})
    for name, scene in SCENES:
        scene(theatre.stage)
        await page.wait_for_timeout(150)
        assert await _complaints(page) == [], name


@pytest.mark.parametrize("keys", ["Control+k", "?", "p"])
async def test_windows_and_menus_pass_axe(theatre: Theatre, keys: str) -> None:
    page = await theatre.desk()
    await page.keyboard.press(keys)
    assert await _complaints(page) == []


@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_the_other_pages_pass_axe(theatre: Theatre, theme: str) -> None:
    theatre.stage.boards.show(**busy())
    for query in ("", "?view=floor"):
        page = await theatre.wallboard(query, color_scheme=theme)
        assert await _complaints(page) == [], query
    login = await theatre.window(color_scheme=theme)
    await login.goto(f"{theatre.stage.url}/login")
    await login.get_by_role("heading", name="Demo", exact=True).wait_for()
    assert await _complaints(login) == []


async def test_no_colour_is_alone(theatre: Theatre) -> None:
    page = await theatre.desk()
    shapes = {"1-idle": "ready", "3-talking": "talking", "4-wrap-up": "wrapup", "6-missed": "break"}
    words = {"1-idle": "Ready", "3-talking": "Talking", "4-wrap-up": "Wrap-up", "6-missed": "Missed a call"}
    for name, scene in SCENES:
        scene(theatre.stage)
        await page.wait_for_timeout(150)
        if name in shapes:
            assert await page.locator(f"[data-shape={shapes[name]}]").count() > 0, name
            assert await page.get_by_text(words[name]).count() > 0, name


TOKENS = {
    "light": {"--text": "#1a1d23", "--muted": "#565e6b", "--accent": "#0b5cad", "--act": "#8e0b16"},
    "dark": {"--text": "#e8eaed", "--muted": "#a7afbc", "--accent": "#6cb4ff", "--act": "#f06055"},
}


@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_the_colours_are_those_of_the_brief(theatre: Theatre, theme: str) -> None:
    page = await theatre.desk(color_scheme=theme)
    for token, value in TOKENS[theme].items():
        found = await page.evaluate(f"getComputedStyle(document.documentElement).getPropertyValue('{token}')")
        assert found == value


async def test_light_or_dark_is_remembered_and_so_is_the_language(theatre: Theatre) -> None:
    page = await theatre.desk(color_scheme="light")
    await page.get_by_role("button", name="Menu of Ayu").click()
    await page.get_by_role("menuitem", name="Settings").click()
    await page.get_by_label("Dark").check()
    await page.get_by_label("Indonesia").check()
    await page.reload()
    await page.get_by_role("heading", name="Siap").wait_for()
    assert await page.evaluate("document.documentElement.dataset.theme") == "dark"
    assert await page.evaluate("document.documentElement.lang") == "id"


async def test_the_first_script_is_small(theatre: Theatre) -> None:
    page = await theatre.window()
    await theatre.login(page)
    sizes: list[int] = []

    def count(answer: Response) -> None:
        if ".js" in answer.url:
            sizes.append(int(answer.headers.get("content-length", "0")))

    page.on("response", count)
    await page.goto(f"{theatre.stage.url}/desk")
    await page.locator("[data-light=net]").wait_for(state="attached")
    assert 0 < sum(sizes) < 150_000
