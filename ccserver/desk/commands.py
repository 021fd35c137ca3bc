"""What an agent can do at the desk: one function per command, checked against what the router holds true.

A refusal is `Ack(ok=False, error=CODE)`; the browser has the words for each code: unknown_reason,
answer_on_phone, no_offer, not_yours, not_talking, unknown_queue, unknown_disposition, bad_number, pbx_away,
not_wrapping_up, no_script, note_too_long, not_saved.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

import structlog

from ccserver.config import Config
from ccserver.desk import protocol as p
from ccserver.desk.desk import Desk
from ccserver.desk.scripting import Scripting
from ccserver.hub import Hub
from routing import events as ev
from routing.model import InteractionState, Medium, RejectCause

EXTEND_S = 30
_NUMBER = re.compile(r"\+?[0-9]{2,15}")
log = structlog.get_logger()


class Refusal(Exception):
    """The command cannot be carried out; the message is the code of the reason."""


class Phones(Protocol):
    """The PBXs, as a desk uses them."""

    def hang_up_agent(self, interaction: str) -> bool: ...
    def send_back(self, interaction: str) -> bool: ...
    def dial(self, device: str, number: str) -> bool: ...


class Memory(Protocol):
    """Where notes, answers and late dispositions are kept. May raise StoreUnavailable."""

    async def save_note(self, interaction: str, agent: str, text: str, at: int) -> None: ...
    async def save_disposition(self, interaction: str, agent: str, disposition: str, at: int) -> None: ...
    async def save_script_answers(
        self, interaction: str, agent: str, script: str, version: str, answers: dict[str, str], at: int
    ) -> None: ...


class Commands:
    """Carries out commands; `DeskSessions.commander` is `carry_out`."""

    def __init__(
        self, config: Config, hub: Hub, phones: Phones, memory: Memory, scripting: Scripting
    ) -> None:
        self._config, self._hub, self._phones, self._memory = config, hub, phones, memory
        self._scripting = scripting
        self._handlers: dict[type, Callable[[Desk, Any], Awaitable[None]]] = {
            p.Ready: self._ready,
            p.NotReady: self._not_ready,
            p.Accept: self._accept,
            p.Decline: self._decline,
            p.Hangup: self._hangup,
            p.Transfer: self._transfer,
            p.Dial: self._dial,
            p.ScriptAnswer: self._script,
            p.Note: self._note,
            p.Finish: self._finish,
            p.Extend: self._extend,
        }

    async def carry_out(self, desk: Desk, command: p.Command) -> p.Ack:
        """Do it, or say why not."""
        try:
            await self._handlers[type(command)](desk, command)
        except Refusal as refusal:
            return p.Ack(id=command.id, ok=False, error=str(refusal))
        return p.Ack(id=command.id, ok=True)

    async def _ready(self, desk: Desk, _command: p.Ready) -> None:
        self._hub.post(ev.AgentReadied(desk.fixed.agent))

    async def _not_ready(self, desk: Desk, command: p.NotReady) -> None:
        if command.reason not in self._config.reasons:
            raise Refusal("unknown_reason")
        self._hub.post(ev.AgentPaused(desk.fixed.agent, command.reason))

    def _offer_of(self, desk: Desk, offer: str) -> Any:
        found = self._hub.router.offers.get(offer)
        if found is None or found.agent != desk.fixed.agent:
            raise Refusal("no_offer")
        return found

    async def _accept(self, desk: Desk, command: p.Accept) -> None:
        found = self._offer_of(desk, command.offer)
        if self._hub.router.interactions[found.interaction].medium is Medium.VOICE:
            raise Refusal("answer_on_phone")
        self._hub.post(ev.OfferAccepted(command.offer))

    async def _decline(self, desk: Desk, command: p.Decline) -> None:
        self._offer_of(desk, command.offer)
        self._hub.post(ev.OfferRejected(command.offer, RejectCause.DECLINED))

    def _talking(self, desk: Desk, interaction: str) -> None:
        found = self._hub.router.interactions.get(interaction)
        if found is None or found.agent != desk.fixed.agent:
            raise Refusal("not_yours")
        if found.state is not InteractionState.ENGAGED:
            raise Refusal("not_talking")

    async def _hangup(self, desk: Desk, command: p.Hangup) -> None:
        self._talking(desk, command.interaction)
        if not self._phones.hang_up_agent(command.interaction):
            raise Refusal("not_talking")

    async def _transfer(self, desk: Desk, command: p.Transfer) -> None:
        self._talking(desk, command.interaction)
        if command.queue not in self._hub.router.queues:
            raise Refusal("unknown_queue")
        if not self._phones.send_back(command.interaction):
            raise Refusal("not_talking")
        self._hub.post(ev.InteractionMoved(command.interaction, command.queue, desk.fixed.agent))

    async def _dial(self, desk: Desk, command: p.Dial) -> None:
        digits = re.sub(r"[ ()./-]", "", command.number)
        if not _NUMBER.fullmatch(digits):
            raise Refusal("bad_number")
        device = self._config.devices[desk.device.id]
        if not self._phones.dial(device.address, digits):
            raise Refusal("pbx_away")

    async def _script(self, desk: Desk, command: p.ScriptAnswer) -> None:
        item = desk.work.get(command.interaction)
        offered = desk.offer is not None and desk.offer.interaction == command.interaction
        if item is None and not offered:
            raise Refusal("not_yours")
        found = self._hub.router.interactions.get(command.interaction)
        queue = found.queue if found else ""
        result = self._scripting.answer(
            desk, command.interaction, queue, command.step, command.answers, back=command.back
        )
        if result is None:
            raise Refusal("no_script")
        page, answers = result
        desk.show_script(page)
        script, version = self._scripting.script_of(desk.fixed.agent, command.interaction)
        agent, at = desk.fixed.agent, self._hub.clock()
        await self._save(
            self._memory.save_script_answers(command.interaction, agent, script, version, answers, at)
        )

    async def _note(self, desk: Desk, command: p.Note) -> None:
        if command.interaction not in desk.work:
            raise Refusal("not_yours")
        if len(command.text) > p.MAX_NOTE_CHARS:
            raise Refusal("note_too_long")
        desk.note_quietly(command.interaction, command.text)
        await self._keep_note(desk, command.interaction, command.text)

    async def _keep_note(self, desk: Desk, interaction: str, text: str) -> None:
        if text:
            await self._save(self._memory.save_note(interaction, desk.fixed.agent, text, self._hub.clock()))

    async def _save(self, saving: Awaitable[None]) -> None:
        """The desk keeps what the store could not take; the agent is told, and types on."""
        try:
            await saving
        except Exception as error:
            log.warning("desk input not saved: the database", why=str(error))
            raise Refusal("not_saved") from error

    async def _finish(self, desk: Desk, command: p.Finish) -> None:
        item = desk.work.get(command.interaction)
        if item is None:
            raise Refusal("not_yours")
        if item.phase not in ("wrap_up", "unfinished"):
            raise Refusal("not_wrapping_up")
        if command.disposition and command.disposition not in self._config.dispositions:
            raise Refusal("unknown_disposition")
        if len(command.note) > p.MAX_NOTE_CHARS:
            raise Refusal("note_too_long")
        await self._keep_note(desk, command.interaction, command.note)
        await self._end_item(desk, item, command)

    async def _end_item(self, desk: Desk, item: p.WorkItem, command: p.Finish) -> None:
        agent = desk.fixed.agent
        if command.next == "not_ready":
            self._hub.post(ev.AgentPaused(agent, next(iter(self._config.reasons), "after_wrap_up")))
        if item.phase == "wrap_up":
            self._hub.post(ev.WrapUpFinished(item.interaction, agent, command.disposition))
        if item.interaction in desk.work:
            at = self._hub.clock()
            await self._save(self._memory.save_disposition(item.interaction, agent, command.disposition, at))
            desk.drop_work(item.interaction)
        self._scripting.forget(agent, item.interaction)

    async def _extend(self, desk: Desk, command: p.Extend) -> None:
        item = desk.work.get(command.interaction)
        if item is None or item.phase != "wrap_up":
            raise Refusal("not_wrapping_up")
        self._hub.post(ev.WrapUpExtended(command.interaction, desk.fixed.agent, EXTEND_S))
