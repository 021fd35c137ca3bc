"""What many acceptance tests do: take a call, wait for something to become true, hear what the PBX says."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar, overload

import httpx
from websockets.exceptions import ConnectionClosed

from channels.asterisk.pbx.instance import PbxInstance
from channels.asterisk.pbx.link import AmiLink, Message, open_link
from channels.asterisk.pbx.world import WorldCall
from tests.acceptance.centre import Centre
from tests.acceptance.desk import Desk, Frame

WITHIN_S = 30.0
BILLING, SALES = "+62215550101", "+62215550102"
SITI, BUDI, STRANGER = "081200000001", "081200000002", "+6281299999999"

T = TypeVar("T")


@overload
async def eventually(what: str, look: Callable[[], Awaitable[T | None]], within_s: float = ...) -> T: ...
@overload
async def eventually(what: str, look: Callable[[], T | None], within_s: float = ...) -> T: ...
async def eventually(what: str, look: Callable[[], Any], within_s: float = WITHIN_S) -> Any:
    """The first true answer of `look`. AssertionError naming `what` and the last answer."""
    answer: Any = None
    try:
        async with asyncio.timeout(within_s):
            while True:
                answer = look()
                if inspect.isawaitable(answer):
                    answer = await answer
                if answer:
                    return answer
                await asyncio.sleep(0.1)
    except TimeoutError:
        raise AssertionError(f"never {what}; last seen: {answer!r}") from None


async def pop_that(desk: Desk, fits: Callable[[Frame], bool]) -> Frame:
    """The first pop on this desk, with the offer or late, that fits."""

    def look() -> Frame | None:
        pops = [f["offer"]["pop"] for f in desk.seen("offer")] + [f["pop"] for f in desk.seen("pop")]
        return next((pop for pop in pops if fits(pop)), None)

    found = await eventually(f"a pop on {desk.name}'s desk that fits", look)
    assert found is not None
    return found


async def talking(
    centre: Centre, desk: Desk, robot: str = "a1", caller: str = STRANGER, to: str = BILLING, **call: Any
) -> tuple[WorldCall, str]:
    """A caller who is talking with this agent at a robot phone: (call, interaction)."""
    await centre.world.robot(robot, ring_s=0.2)
    dialled = await centre.world.call(caller, to, **{"talk_s": 60, **call})
    work = await desk.until("work", lambda f: f["item"]["phase"] == "talking")
    await dialled.until_heard()
    return dialled, work["item"]["interaction"]


async def finish(desk: Desk, interaction: str, disposition: str = "", note: str = "") -> Frame:
    """End the wrap-up."""
    return await desk.do("finish", interaction=interaction, disposition=disposition, note=note, next="ready")


async def remembered(centre: Centre, interaction: str) -> Frame:
    """The interaction as the API tells it, once the projection has it whole."""

    async def look() -> Frame | None:
        detail = await centre.get(f"/api/v1/interactions/{interaction}")
        return detail if isinstance(detail, dict) and detail["outcome"] else None

    found = await eventually("remembered", look)
    assert found is not None
    return found


async def clear_desks(centre: Centre) -> None:
    """Everybody finishes what they have and goes home."""
    for desk in centre.desks:
        with contextlib.suppress(ConnectionClosed, TimeoutError, httpx.HTTPError):
            if desk.closed is None:
                await _finish_all(desk)
            await desk.http.post("/api/v1/logout")
        await desk.close()
    centre.desks.clear()


async def _finish_all(desk: Desk) -> None:
    """The calls are over at the PBX; the server may hear of it a moment later."""
    for interaction in {frame["item"]["interaction"] for frame in desk.seen("work")}:
        async with asyncio.timeout(5):
            while (await finish(desk, interaction))["error"] == "not_wrapping_up":
                await asyncio.sleep(0.05)


class Line:
    """An administrator's AMI session on the PBX: its events so far, and waiting for more."""

    def __init__(self, pbx: PbxInstance) -> None:
        self.pbx = pbx
        self.events: list[Message] = []
        self.link: AmiLink = None  # type: ignore[assignment]
        self._news = asyncio.Event()

    async def open(self) -> None:
        """Begin to listen."""
        self.link = await open_link(self.pbx.admin)
        self.link.listeners.append(self._take)

    async def close(self) -> None:
        """Stop."""
        await self.link.close()

    def _take(self, event: Message) -> None:
        self.events.append(event)
        self._news.set()

    def all(self, name: str, **fields: str) -> list[Message]:
        """Events so far whose fields begin with these values."""
        return [
            event
            for event in self.events
            if event["Event"] == name and all(event.get(k, "").startswith(v) for k, v in fields.items())
        ]

    async def event(self, name: str, **fields: str) -> Message:
        """The first event, so far or to come, whose fields begin with these values."""
        try:
            async with asyncio.timeout(WITHIN_S):
                while not (found := self.all(name, **fields)):
                    self._news.clear()
                    await self._news.wait()
                return found[0]
        except TimeoutError:
            raise AssertionError(f"the PBX told no {name} with {fields}") from None

    async def channels(self) -> list[str]:
        """Names of the PBX's channels now."""
        rows: list[str] = []
        done = asyncio.Event()

        def take(event: Message) -> None:
            if event["Event"] == "CoreShowChannel":
                rows.append(event["Channel"])
            elif event["Event"] == "CoreShowChannelsComplete":
                done.set()

        self.link.listeners.append(take)
        try:
            await self.link.require("CoreShowChannels")
            await asyncio.wait_for(done.wait(), WITHIN_S)
        finally:
            self.link.listeners.remove(take)
        return rows
