"""The voice channel of one PBX: `VoiceModel` with an AMI connection around it.

Its owner gives it the AMI client, posts the facts it finds and hands it the router's effects. It beats the
heart that keeps callers out of the fallback (`ACD_BEAT`, once a second), and after every (re)connect lays
the PBX's own list of channels beside its picture.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

import structlog

from channels.asterisk.ami_client import AmiError, Reply
from channels.asterisk.ami_codec import AmiFieldError, AmiMessage
from channels.asterisk.ami_session import Fields
from channels.asterisk.voice_legs import Action, OpenCall
from channels.asterisk.voice_model import VoiceModel
from routing.effects import Effect
from routing.events import DeviceChanged, Event
from routing.model import DeviceState

BEAT_EVERY_S = 1.0
CONFIRM_WITHIN_S = 1.0
log = structlog.get_logger()


class Ami(Protocol):
    """What is used of `AmiClient`."""

    @property
    def up(self) -> bool: ...
    def send_nowait(
        self,
        name: str,
        fields: Fields,
        on_reply: Callable[[Reply], None] | None = None,
        timeout_s: float = 5.0,
    ) -> str: ...
    async def action_list(
        self,
        name: str,
        fields: Fields = (),
        timeout_s: float = 5.0,
        on_row: Callable[[AmiMessage], None] | None = None,
    ) -> list[AmiMessage]: ...


class Voice:
    """One PBX's calls. All methods are called on the loop."""

    def __init__(self, pbx: str, phones: Iterable[str], post: Callable[[Event], None]) -> None:
        self.pbx = pbx
        self.model = VoiceModel(pbx, phones)
        self.ami: Ami | None = None
        self.open_calls: Callable[[], Mapping[str, OpenCall]] = dict
        self.on_status: Callable[[str, bool], None] = lambda _pbx, _up: None
        self._post = post
        self._confirm: dict[str, list[asyncio.Future[bool]]] = {}
        self._ending = False
        self._beating: asyncio.Task[None] | None = None
        self._comparing: asyncio.Task[None] | None = None

    # -- what the PBX says ----------------------------------------------------------------------------------

    def on_event(self, _pbx: str, message: AmiMessage) -> None:
        """One AMI event, in the order of the wire."""
        self._tell(self.model.handle(message))
        if message.name == "Newchannel":
            for future in self._confirm.pop(message.get("Uniqueid"), ()):
                if not future.done():
                    future.set_result(True)

    def _tell(self, facts: Iterable[Event]) -> None:
        for fact in facts:
            self._post(fact)
        while self.model.due:
            self._send(self.model.due.pop(0))

    def on_up(self, pbx: str) -> None:
        """Logged in: say that we live, then compare pictures."""
        log.info("PBX connected", pbx=pbx)
        loop = asyncio.get_running_loop()
        self._beating = loop.create_task(self._beat())
        self._comparing = loop.create_task(self._compare())
        self.on_status(self.pbx, True)

    def on_down(self, pbx: str, reason: str) -> None:
        """The line to the PBX is gone: its phones may not be rung until it is back and has told."""
        tell = log.info if self._ending else log.warning
        tell("PBX away, calls there go on without us", pbx=pbx, why=reason)
        for task in (self._beating, self._comparing):
            if task is not None:
                task.cancel()
        for endpoint in sorted(self.model.phones):
            self._post(DeviceChanged(f"{self.pbx}/{endpoint}", DeviceState.UNKNOWN))
        self.on_status(self.pbx, False)

    async def _beat(self) -> None:
        while True:
            self._send(Action("Setvar", (("Variable", "ACD_BEAT"), ("Value", str(int(time.time()))))))
            await asyncio.sleep(BEAT_EVERY_S)

    async def _compare(self) -> None:
        """Rows are taken in their place among the events, so that neither overtakes the other."""
        if self.ami is None:
            return
        variables = ("Variables", "ACD_ID,ACD_MODE")
        try:
            self.model.begin_compare()
            calls = self.open_calls()
            await self.ami.action_list("Status", [variables], on_row=lambda row: self._take_row(row, calls))
            self._tell(self.model.end_compare(self.open_calls()))
            for row in await self.ami.action_list("DeviceStateList"):
                self._tell(self.model.handle(row))
        except AmiError as error:
            log.warning("PBX picture not compared, next connection will", pbx=self.pbx, why=str(error))

    def _take_row(self, row: AmiMessage, calls: Mapping[str, OpenCall]) -> None:
        """A channel of the list, perhaps a caller of ours from before a restart of this server."""
        interaction = row.variables("Variable").get("ACD_ID", "")
        call = calls.get(interaction)
        self._tell(self.model.take_row(row, interaction, call))

    async def confirm(self, uniqueid: str) -> bool:
        """Whether AMI knows this channel too, now or within a second."""
        if uniqueid in self.model.channels:
            return True
        future: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._confirm.setdefault(uniqueid, []).append(future)
        try:
            return await asyncio.wait_for(future, CONFIRM_WITHIN_S)
        except TimeoutError:
            return uniqueid in self.model.channels
        finally:
            self._confirm.pop(uniqueid, None)

    # -- what the router wants ------------------------------------------------------------------------------

    def perform(self, effect: Effect) -> None:
        """Send what an effect asks for; at once, in this call."""
        for action in self.model.order(effect):
            self._send(action)

    def hang_up_agent(self, interaction: str) -> bool:
        """End the agent's part; False when there is no such leg here."""
        return self._all(self.model.hang_up_agent(interaction))

    def send_back(self, interaction: str) -> bool:
        """Let the caller wait again; False when they are not talking to an agent here."""
        return self._all(self.model.send_back(interaction))

    def dial(self, endpoint: str, number: str) -> bool:
        """Click to dial; False when this is no phone of ours or the PBX is away."""
        return self.ami is not None and self.ami.up and self._all(self.model.dial(endpoint, number))

    def _all(self, actions: list[Action]) -> bool:
        for action in actions:
            self._send(action)
        return bool(actions)

    def _send(self, action: Action) -> None:
        try:
            if self.ami is None or not action.name:
                raise AmiFieldError("the phone and the caller are not both on this PBX")
            self.ami.send_nowait(action.name, action.fields, lambda reply: self._replied(action, reply))
        except (AmiError, AmiFieldError) as error:
            self._failed(action, str(error))

    def _replied(self, action: Action, reply: Reply) -> None:
        if isinstance(reply, Exception):
            self._failed(action, str(reply))
        elif reply.get("Response") == "Error":
            self._failed(action, reply.get("Message"))

    def _failed(self, action: Action, why: str) -> None:
        """A leg that is gone already is no news when it was to be hung up."""
        if action.name != "Hangup":
            log.warning("PBX did not carry out an order", pbx=self.pbx, order=action.name, why=why)
        if action.offer:
            loop = asyncio.get_running_loop()
            loop.call_soon(lambda: self._tell(self.model.originate_failed(action.offer)))

    async def stop(self) -> None:
        """No more beats: callers who wait too long go to the PBX's own queue."""
        self._ending = True
        for task in (self._beating, self._comparing):
            if task is not None:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
