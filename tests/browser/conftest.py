"""Chromium for the pages, and the stage they play on. Where there is no Chromium the tests are named and left
out, except where everything is asked for (CCSERVER_TEST_REQUIRE_ALL=1)."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import pytest
import pytest_twisted
from playwright.async_api import Browser, ConsoleMessage, Page, async_playwright
from twisted.internet.defer import Deferred

from channels.asterisk.pbx.apt import NoPackages, ensure_debian_packages
from tests.browser.boards import board
from tests.browser.stage import Stage
from tests.fakes.web import PASSWORD

CHROMIUM = Path("/usr/bin/chromium")
DIST = Path(__file__).parents[2] / "ccserver/web/ui/dist"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--force-color-profile=srgb",
]
T = TypeVar("T")


def _why_not() -> str | None:
    """Why the browser tests cannot run here; None when they can."""
    if not (DIST / "desk.html").is_file():
        return "the pages are not built: run `make setup`"
    if CHROMIUM.exists():
        return None
    try:
        ensure_debian_packages(["chromium"])
    except NoPackages as error:
        return str(error)
    return None if CHROMIUM.exists() else f"no {CHROMIUM}"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what needs Chromium where there is none, saying so; or refuse to go on without."""
    wanted = [item for item in items if item.get_closest_marker("browser")]
    why = _why_not() if wanted else None
    if why is None:
        return
    if os.environ.get("CCSERVER_TEST_REQUIRE_ALL") == "1":
        raise pytest.UsageError(f"browser tests must run here: {why}")
    items[:] = [item for item in items if item not in wanted]
    config.hook.pytest_deselected(items=wanted)
    config.issue_config_time_warning(UserWarning(f"{len(wanted)} browser tests left out: {why}"), 2)


def wait(awaitable: Awaitable[T]) -> T:
    """From a fixture: run it on the reactor's loop."""
    result: T = pytest_twisted.blockon(Deferred.fromFuture(asyncio.ensure_future(awaitable)))
    return result


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """A browser of its own."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        try:
            yield browser
        finally:
            await browser.close()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One Chromium for all tests; each test has windows of its own."""
    stack = AsyncExitStack()
    started = wait(stack.enter_async_context(chromium()))
    yield started
    wait(stack.aclose())


@dataclass
class Theatre:
    """A stage and the windows that look at it."""

    browser: Browser
    stage: Stage

    async def window(self, **options: Any) -> Page:
        """A browser window with nobody logged in. Options are Playwright's for a context."""
        context = await self.browser.new_context(
            **(
                {"viewport": {"width": 1440, "height": 900}, "locale": "en-GB", "reduced_motion": "reduce"}
                | options
            )
        )
        context.set_default_timeout(20_000)
        page = await context.new_page()
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        page.on("console", self._console)
        return page

    def __post_init__(self) -> None:
        self.faults: list[str] = []
        """Errors of the pages: exceptions, and what the content policy refused."""

    def _console(self, message: ConsoleMessage) -> None:
        if "Content Security Policy" in message.text:
            self.faults.append(message.text)

    async def login(self, page: Page, name: str = "ayu", device: str | None = "d1") -> None:
        """Log in without the page."""
        answer = await page.context.request.post(
            f"{self.stage.url}/api/v1/login",
            data={"name": name, "password": PASSWORD, "device": device},
            headers={"Origin": self.stage.url},
        )
        assert answer.ok, await answer.text()

    async def desk(self, **options: Any) -> Page:
        """Ayu's desk, loaded and connected."""
        page = await self.window(**options)
        await self.login(page)
        await page.goto(f"{self.stage.url}/desk")
        await page.locator("[data-light=net]").wait_for(state="attached")
        return page

    async def wallboard(self, query: str = "", **options: Any) -> Page:
        """The wallboard as a supervisor sees it, with numbers on it."""
        page = await self.window(**({"viewport": {"width": 1920, "height": 1080}} | options))
        await self.login(page, "sari", None)
        await page.goto(f"{self.stage.url}/wallboard{query}")
        await page.locator("[data-tile]").first.wait_for()
        return page

    async def close(self) -> None:
        """End it all."""
        for context in self.browser.contexts:
            await context.close()
        await self.stage.stop()


@pytest.fixture
def make_theatre(browser: Browser) -> Iterator[Callable[..., Awaitable[Theatre]]]:
    """`await make_theatre(language="id")`. No page may throw, nor try what the content policy forbids."""
    made: list[Theatre] = []

    async def make(language: str = "en") -> Theatre:
        stage = Stage(board(), language)
        await stage.start()
        made.append(Theatre(browser, stage))
        return made[-1]

    yield make
    for theatre in made:
        wait(theatre.close())
    assert [fault for theatre in made for fault in theatre.faults] == []


@pytest.fixture
def theatre(make_theatre: Callable[..., Awaitable[Theatre]]) -> Theatre:
    """An English stage."""
    return wait(make_theatre())
