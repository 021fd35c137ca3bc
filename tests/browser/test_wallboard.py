"""Six numbers that can be read from six metres, that say when they are bad, and when they are old."""

from __future__ import annotations

import pytest

from tests.browser.boards import busy
from tests.browser.conftest import Theatre
from tests.browser.desk_page import expect
from tests.browser.people import now_ms

pytestmark = pytest.mark.browser

SIZES = """() => [...document.querySelectorAll('.wall *')]
  .filter(e => [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim()))
  .map(e => [e.tagName === 'SPAN' ? e.className.split(' ')[0] : e.tagName,
             parseFloat(getComputedStyle(e).fontSize)])"""
OVERFLOW = """async () => {
  await document.fonts.ready;
  const out = e => {
    const box = e.closest('[data-tile], header, footer').getBoundingClientRect();
    const cut = e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).display !== 'inline';
    return cut || e.getBoundingClientRect().right > box.right + 1;
  };
  const all = document.querySelectorAll('.wall [data-tile] *, .wall header *, .wall footer');
  return [...all].filter(out).map(e => e.textContent.trim());
}"""


async def test_six_numbers_in_the_sizes_of_the_brief(theatre: Theatre) -> None:
    theatre.stage.boards.show(**busy())
    page = await theatre.wallboard()
    await expect(page.locator("[data-tile]")).to_have_count(6)
    await expect(page.locator(".figure")).to_have_count(6)
    sizes = [(name, round(size)) for name, size in await page.evaluate(SIZES)]
    assert {size for name, size in sizes if name == "figure"} == {172}
    assert {size for name, size in sizes if name == "H2"} == {76}
    assert min(size for _, size in sizes) >= 61


@pytest.mark.parametrize("language", ["en-GB", "id-ID"])
@pytest.mark.parametrize("state", ["quiet", "busy", "long"])
async def test_nothing_runs_out_of_its_tile(theatre: Theatre, language: str, state: str) -> None:
    if state != "quiet":
        theatre.stage.boards.show(**busy())
    if state == "long":
        theatre.stage.boards.show(waiting=128, oldest_utc_ms=now_ms() - 3_000_000, staffed=120, asa_s=702.0)
        theatre.stage.boards.show(service_level_30min=0.69, offered=1_200, abandoned=84, ready=0)
    page = await theatre.wallboard(locale=language)
    assert await page.evaluate(OVERFLOW) == []
    sizes = [round(size) for _, size in await page.evaluate(SIZES)]
    assert min(sizes) >= 61


@pytest.mark.parametrize("width", [390, 320])
async def test_it_fits_a_telephone_too(theatre: Theatre, width: int) -> None:
    theatre.stage.boards.show(**busy())
    page = await theatre.wallboard(viewport={"width": width, "height": 844})
    assert await page.evaluate(OVERFLOW) == []


async def test_states_have_a_shape_and_a_word(theatre: Theatre) -> None:
    theatre.stage.boards.show(**busy())
    page = await theatre.wallboard()
    levels = {"waiting": "act", "longest": "watch", "level": "watch", "ready": "act", "abandoned": "act"}
    for tile, level in levels.items():
        box = page.locator(f"[data-tile={tile}]")
        await expect(box).to_have_attribute("data-level", level)
        await expect(box).to_contain_text(level.title())
        await expect(box.locator(f"[data-shape={level}]")).to_have_count(1)
    await expect(page.locator("footer")).to_contain_text("Nobody ready, 3 waiting")


async def test_too_few_calls_give_no_number(theatre: Theatre) -> None:
    theatre.stage.boards.show(service_level_30min=None, offered=9, abandoned=3, asa_s=None)
    page = await theatre.wallboard()
    for tile in ("level", "abandoned", "asa"):
        await expect(page.locator(f"[data-tile={tile}]")).to_contain_text("few calls")
    await expect(page.locator("footer")).to_contain_text("answered within 20 s ÷ offered")


async def test_old_numbers_say_that_they_are_old(theatre: Theatre) -> None:
    page = await theatre.wallboard()
    await expect(page.locator("header")).to_contain_text("live")
    theatre.stage.cable.pull()
    await expect(page.locator("header")).to_contain_text("No data since", timeout=15_000)
    theatre.stage.cable.put_back()
    await expect(page.locator("header")).to_contain_text("live", timeout=15_000)


async def test_the_floor_lists_people_by_name_and_who_needs_me(theatre: Theatre) -> None:
    page = await theatre.wallboard("?view=floor", viewport={"width": 1440, "height": 900})
    rows = page.locator(".agents tbody tr")
    await expect(rows).to_have_count(8)
    names = await rows.locator("th").all_inner_texts()
    assert names == sorted(names)
    await page.get_by_role("button", name="Needs me").click()
    await expect(rows).to_have_count(3)
    await expect(page.locator(".queues")).to_contain_text("answered within 20 s ÷")


async def test_an_agent_sees_no_names(theatre: Theatre) -> None:
    page = await theatre.window()
    await theatre.login(page)
    await page.goto(f"{theatre.stage.url}/wallboard?view=floor")
    await expect(page.get_by_text("Names are shown to supervisors only.")).to_be_visible()
    assert await page.get_by_text("Dewi (demo)").count() == 0


async def test_one_queue_can_have_a_wallboard_of_its_own(theatre: Theatre) -> None:
    page = await theatre.wallboard("?queue=support")
    await expect(page.locator("h1")).to_have_text("Support")
    await expect(page.locator("[data-tile=waiting] .figure")).to_have_text("0")
