"""`python -m tests.browser.shots FOLDER`: a picture of every state, in all widths and themes."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec
from playwright.async_api import Page

from ccserver.desk import protocol as p
from tests.browser import people
from tests.browser.boards import board, busy
from tests.browser.conftest import Theatre, chromium
from tests.browser.stage import Stage

WIDTHS = {1440: 900, 1024: 768, 390: 844}
Scene = Callable[[Stage], None]


def ringing(stage: Stage) -> None:
    """An offer, and one more caller waiting."""
    stage.desk.set_queues(
        tuple(
            msgspec.structs.replace(queue, waiting=i, oldest_utc_ms=people.now_ms() - 14_000 if i else None)
            for i, queue in enumerate(stage.desk.queues)
        )
    )
    stage.desk.show_offer(people.offer())


def talking(stage: Stage) -> None:
    """The offer was answered 2:41 ago."""
    at = people.now_ms() - 161_000
    stage.desk.end_offer("o1", "i1", "accepted", "")
    stage.desk.set_device("INUSE")
    stage.desk.set_work(people.work(since_utc_ms=at, answered_utc_ms=at))


def wrap_up(stage: Stage) -> None:
    """The caller hung up 18 s ago."""
    stage.desk.set_device("NOT_INUSE")
    at = people.now_ms() - 18_000
    stage.desk.change_work("i1", phase="wrap_up", since_utc_ms=at, wrap_up_until_utc_ms=at + 60_000)


def unfinished(stage: Stage) -> None:
    """Time ran out."""
    stage.desk.leave_unfinished("i1", people.now_ms())


def missed(stage: Stage) -> None:
    """Nobody picked up; the agent is out."""
    stage.desk.drop_work("i1")
    stage.desk.show_offer(people.offer("o2", "i2"))
    stage.desk.end_offer("o2", "i2", "expired", "no_answer")
    stage.desk.notice("missed", customer="Siti Rahma (demo)")
    stage.desk.set_state(people.missed())


def idle(stage: Stage) -> None:
    """As it is after login."""


SCENES: tuple[tuple[str, Scene], ...] = (
    ("1-idle", idle),
    ("2-offer", ringing),
    ("3-talking", talking),
    ("4-wrap-up", wrap_up),
    ("5-unfinished", unfinished),
    ("6-missed", missed),
)


async def _desk(theatre: Theatre, folder: Path, width: int, theme: str, language: str) -> None:
    page = await theatre.desk(
        viewport={"width": width, "height": WIDTHS[width]},
        color_scheme=theme,
        locale="id-ID" if language == "id" else "en-GB",
    )

    async def shoot(name: str) -> None:
        await page.wait_for_timeout(400)
        await page.screenshot(path=folder / f"{name}-{width}-{theme}-{language}.png")

    for name, scene in SCENES:
        scene(theatre.stage)
        if name.startswith("4"):
            await page.wait_for_timeout(300)
            await _write(page)
        await shoot(name)
    theatre.stage.desk.set_state(p.AgentState(status="READY", reason="", since_utc_ms=people.now_ms()))
    talking(theatre.stage)
    await page.wait_for_timeout(300)
    theatre.stage.cable.pull()
    await page.locator("[data-link=lost], [data-link=connecting]").wait_for(state="attached")
    await _write(page)
    await shoot("7-offline")


async def _write(page: Page) -> None:
    await page.evaluate("document.querySelector('#reason-1').click()")
    note = page.locator("textarea")
    if await note.is_visible():
        await note.fill("Double charge of November. Refund of 240,000 promised until Friday.")
        await page.wait_for_timeout(1_200)


async def _boards(folder: Path, theatre: Theatre) -> None:
    page = await theatre.wallboard()
    await page.screenshot(path=folder / "wall-quiet.png")
    theatre.stage.boards.show(**busy())
    page = await theatre.wallboard()
    await page.screenshot(path=folder / "wall-busy.png")
    for width in (1440, 1024, 390):
        floor = await theatre.wallboard("?view=floor", viewport={"width": width, "height": 900})
        await floor.screenshot(path=folder / f"floor-{width}.png")
    login = await theatre.window(viewport={"width": 1024, "height": 768})
    await login.goto(f"{theatre.stage.url}/login")
    await login.locator("#device option").nth(2).wait_for(state="attached")
    await login.screenshot(path=folder / "login.png")


async def main(folder: Path) -> None:
    """Take them all."""
    folder.mkdir(parents=True, exist_ok=True)
    wanted = [(1440, "light", "en"), (1440, "dark", "en"), (1024, "light", "en"), (390, "light", "en")]
    wanted += [(1440, "light", "id"), (390, "dark", "id")]
    async with chromium() as browser:
        for width, theme, language in wanted:
            theatre = Theatre(browser, Stage(board(), language))
            await theatre.stage.start()
            await _desk(theatre, folder, width, theme, language)
            print(width, theme, language, theatre.faults)
            await theatre.close()
        theatre = Theatre(browser, Stage(board()))
        await theatre.stage.start()
        await _boards(folder, theatre)
        print("boards", theatre.faults)
        await theatre.close()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
