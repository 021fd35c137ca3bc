"""A caller of the stand-in, for tests and the demo: what happened to the call, waiting for it, pressing keys.

The same words as a caller of the real outside world (`pbx.world.WorldCall`), so that a test can use either.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

from channels.asterisk.standin.model import HangUp, Input, Press


class StandInCall:
    """One caller. Times are of the loop's clock; None: not (yet) happened."""

    def __init__(self, from_number: str, to_number: str, feed: Callable[[Input], None]) -> None:
        self.from_number = from_number
        self.to_number = to_number
        self.id = ""  # Uniqueid of the channel
        self.channel = ""
        self.up_at: float | None = None  # the PBX answered
        self.heard_at: float | None = None  # in a conversation with somebody
        self.ended_at: float | None = None
        self.gave_up = False
        self.cause = 0
        self._feed = feed
        self._changed = asyncio.Event()

    @property
    def outcome(self) -> str:
        """`open`, `talked`, `abandoned`, `refused` (never answered) or `dropped` (by us, nobody heard)."""
        if self.ended_at is None:
            return "open"
        if self.heard_at is not None:
            return "talked"
        if self.gave_up:
            return "abandoned"
        return "refused" if self.up_at is None else "dropped"

    async def until_up(self, timeout_s: float = 20.0) -> None:
        """Wait until the PBX has answered (TimeoutError: it did not)."""
        await self._until("up_at", timeout_s)

    async def until_heard(self, timeout_s: float = 60.0) -> None:
        """Wait until somebody is heard (TimeoutError: nobody was)."""
        await self._until("heard_at", timeout_s)

    async def until_ended(self, timeout_s: float = 120.0) -> None:
        """Wait for the end of the call (TimeoutError: it goes on)."""
        await self._until("ended_at", timeout_s)

    async def press(self, digits: str) -> None:
        """Press keys."""
        self._feed(Press(self.id, digits))

    async def hang_up(self) -> None:
        """The caller hangs up now. Nothing happens when the call is over."""
        self._feed(HangUp(self.id))

    def note(self, event: Mapping[str, str], at: float) -> None:
        """Called with each event of this channel."""
        self.channel = event.get("Channel", self.channel)
        name = event["Event"]
        if name == "Newstate" and event["ChannelStateDesc"] == "Up":
            self.up_at = self.up_at or at
        elif name == "BridgeEnter" and event["BridgeTechnology"] != "holding_bridge":
            self.heard_at = self.heard_at or at
        elif name == "HangupRequest":
            self.gave_up = self.heard_at is None
        elif name == "Hangup":
            self.ended_at, self.cause = at, int(event["Cause"])
        self._changed.set()

    async def _until(self, moment: str, timeout_s: float) -> None:
        async with asyncio.timeout(timeout_s):
            while getattr(self, moment) is None:
                self._changed.clear()
                if self.ended_at is not None:
                    raise TimeoutError(f"call {self.from_number} ended ({self.outcome}), never {moment}")
                await self._changed.wait()
