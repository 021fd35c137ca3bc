"""Call entry: what happens between "Asterisk asks" and "the router knows".

    /call    number dialled ─▶ blocked? emergency? closed? dialogue? ─▶ ACD_DO
                                        └ wait: identify (50 ms at most) ─▶ InteractionArrived
    /queue   after a dialogue: the same with what the caller entered
    /announce  while waiting: position, or an apology

The caller is queued before the answer to Asterisk is complete, so that an agent's phone rings while the
caller's channel is still being put on hold. A look-up that is slow or fails delays nothing: the call goes on
what is known, and a later answer becomes `InteractionRevalued` and a better pop.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

import structlog

from ccserver.config import Config, Number
from ccserver.contacts import Contact, Contacts
from ccserver.customers.directory import Directory
from ccserver.customers.identity import IdentityMatch, normalise
from ccserver.customers.worth import stake_of
from ccserver.hub import Hub
from ccserver.ids import Ids
from ccserver.store import StoreUnavailable
from ccserver.store.rows import ContactRow, InteractionFacts, InteractionRow, PastInteraction
from channels.asterisk.dialogue import DialogueOutcome
from channels.asterisk.fastagi_session import AgiRequest, AgiSession
from channels.asterisk.prompts import announce_position, compose_wait
from routing.events import InteractionArrived, InteractionRevalued
from routing.model import Medium

PENDING_LIMIT = 10_000
KEEP_AGAIN_AFTER_S = (1, 2, 5, 10, 30, 60, 300, 600)
REPEAT_DAYS = 7
HISTORY = 10
log = structlog.get_logger()


class Memory(Protocol):
    """What is asked of and told to the store, never waited for by a call."""

    async def history(
        self, customer_id: str, limit: int = 10, except_for: str = ""
    ) -> list[PastInteraction]: ...
    async def contacts_within(self, customer_id: str, days: int, now_at: int) -> int: ...
    async def interaction(self, interaction_id: str) -> InteractionRow | None: ...
    async def save_contact(self, contact: ContactRow) -> None: ...
    async def save_facts(self, interaction: str, facts: InteractionFacts) -> None: ...


class Phones(Protocol):
    """The PBX side of a queued caller."""

    def adopt(self, pbx: str, interaction: str, uniqueid: str, shown: str) -> bool: ...
    def position(self, interaction: str) -> int: ...
    def expected_wait_s(self, interaction: str) -> float | None: ...


@dataclass(slots=True)
class _Caller:
    """A caller between the first question and the queue."""

    interaction: str
    number: Number
    since_at: int
    entered: tuple[tuple[str, str], ...] = ()


class CallEntry:
    """The handlers of the FastAGI routes `call`, `queue` and `announce`."""

    def __init__(
        self,
        config: Config,
        hub: Hub,
        ids: Ids,
        contacts: Contacts,
        directory: Directory,
        memory: Memory,
        phones: Phones,
        utc: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._config, self._hub, self._ids, self._contacts = config, hub, ids, contacts
        self._directory, self._memory, self._phones, self._utc = directory, memory, phones, utc
        self._pending: dict[tuple[str, str], _Caller] = {}
        self._background: set[asyncio.Task[None]] = set()

    # -- the routes -----------------------------------------------------------------------------------------

    async def call(self, agi: AgiSession) -> None:
        """A new call: decide what is done with it."""
        request = agi.request
        number = self._config.number_for(request.dialled)
        if number is None:
            log.warning("number not configured, fallback of the PBX takes it", dialled=request.dialled[:20])
            return
        interaction = self._ids.new("i")
        caller = _Caller(interaction, number, self._hub.clock())
        variables = self._turned_away(request, number)
        if variables is None and number.dialogue:
            variables = {"ACD_DO": "ivr", "ACD_IVR": number.dialogue}
        if variables is not None:
            self._remember((request.pbx, request.uniqueid), caller)
        if variables is None:
            variables = await self._enqueue(request, caller)
        await agi.set_variables({"ACD_ID": interaction, **variables})

    async def queue(self, agi: AgiSession) -> None:
        """After a dialogue or a message, whatever came of it: now the caller waits."""
        request = agi.request
        caller = self._pending.pop((request.pbx, request.uniqueid), None)
        if caller is None:
            number = self._config.number_for(request.dialled)
            if number is None:
                return
            caller = _Caller(self._ids.new("i"), number, self._hub.clock())
        variables = await self._enqueue(request, caller)
        await agi.set_variables({"ACD_ID": caller.interaction, **variables})
        ivr = InteractionFacts(ivr_us=self._hub.clock() - caller.since_at)
        self._later(self._memory.save_facts(caller.interaction, ivr))

    async def announce(self, agi: AgiSession) -> None:
        """Say place and expected wait, and set when to say them again."""
        interaction = await agi.get_variable("ACD_ID") or ""
        found = self._hub.router.interactions.get(interaction)
        if found is None:
            return
        contact = self._contacts.get(interaction)
        language = contact.language if contact else self._config.site.language
        await agi.set_variables({"ACD_ANNOUNCE": str(self._next_announcement())})
        await agi.say(*self._announcement(interaction, language), language=language)

    def _announcement(self, interaction: str, language: str) -> list[str]:
        """What the site wishes to be said: place, wait, both, or neither."""
        told = self._config.announce
        wait_s = self._phones.expected_wait_s(interaction) if told.wait else None
        if told.position:
            return announce_position(self._phones.position(interaction), wait_s, language)
        return [] if wait_s is None else ["estimated-wait", *compose_wait(wait_s, language)]

    async def dialogue_ended(self, request: AgiRequest, outcome: DialogueOutcome) -> dict[str, str]:
        """What a dialogue found out, for the `queue` request that follows in any case."""
        caller = self._pending.get((request.pbx, request.uniqueid))
        if caller is not None:
            caller.entered = tuple(sorted(outcome.result.items()))
        return {}

    # -- decisions ------------------------------------------------------------------------------------------

    def _turned_away(self, request: AgiRequest, number: Number) -> dict[str, str] | None:
        """Blocked, emergency or closed: what the dialplan does then; None: welcome."""
        if normalise(request.caller_number, self._config.site.region).e164 in self._config.blocked_numbers:
            return {"ACD_DO": "blocked"}
        emergency = self._config.emergency
        if emergency.active:
            then = "wait" if emergency.then == "wait" else ""
            return {"ACD_DO": "emergency", "ACD_PROMPT": emergency.prompt, "ACD_THEN": then}
        hours = self._config.hours.get(number.hours)
        if hours is not None and not hours.open_at(self._config.site.local(self._utc())):
            return {"ACD_DO": "closed", "ACD_PROMPT": hours.closed_prompt}
        return None

    async def _enqueue(self, request: AgiRequest, caller: _Caller) -> dict[str, str]:
        """Identify within the time there is, queue, and see to the rest later."""
        interaction, number = caller.interaction, caller.number
        origin = normalise(request.caller_number, self._config.site.region)
        entered = dict(caller.entered)
        match, late = await self._directory.identify_within(
            origin, entered=entered.get("customer_number", "")
        )
        stake = stake_of(match, self._config.stake_cents, entered.get("need", ""))
        language = entered.get("language") or number.language or self._config.site.language
        contact = Contact(
            interaction, "voice", origin, number.id, language, match,
            entered=caller.entered, stake_cents=stake.cents,
        )  # fmt: skip
        if not self._phones.adopt(request.pbx, interaction, request.uniqueid, origin.label):
            log.info("caller left before being queued", interaction=interaction)
            return {}
        self._contacts.put(contact)
        self._hub.post(
            InteractionArrived(
                interaction,
                Medium.VOICE,
                number.queue,
                customer=match.customer_id,
                stake_cents=stake.cents,
                pbx=request.pbx,
            )
        )
        self._later(self._keep(request, contact))
        self._later(self._after(contact, late))
        return {
            "ACD_DO": "wait",
            "ACD_QUEUE": number.queue,
            "ACD_SINCE": str(self._hub.clock()),
            "ACD_ANNOUNCE": str(self._next_announcement()),
        }

    def _next_announcement(self) -> int:
        every_s = self._config.announce.every_s
        return int(self._utc().timestamp()) + every_s if every_s else 0

    # -- what no call waits for -----------------------------------------------------------------------------

    async def _after(self, contact: Contact, late: asyncio.Task[IdentityMatch] | None) -> None:
        """A late identity, and the history."""
        if late is not None:
            self._revalue(contact, await late)
        known = self._contacts.get(contact.interaction)
        if known is not None and known.customer_id:
            history = await self._memory.history(known.customer_id, HISTORY, contact.interaction)
            count = await self._memory.contacts_within(known.customer_id, REPEAT_DAYS, self._hub.clock())
            self._contacts.improve(contact.interaction, history=tuple(history), contacts_7d=count)

    async def _keep(self, request: AgiRequest, contact: Contact) -> None:
        """The record of who called; a database that is away gets it when it is back."""
        row = ContactRow(
            contact.interaction,
            contact.origin.raw,
            contact.origin.e164,
            request.caller_name,
            contact.destination,
            contact.entered,
        )
        facts = InteractionFacts("inbound", request.uniqueid)
        for pause_s in (*KEEP_AGAIN_AFTER_S, None):
            try:
                await asyncio.gather(
                    self._memory.save_contact(row), self._memory.save_facts(contact.interaction, facts)
                )
                return
            except StoreUnavailable:
                if pause_s is None or len(self._background) > PENDING_LIMIT:
                    raise
                await asyncio.sleep(pause_s)

    def take_up(self) -> None:
        """After a restart: who the open interactions are, from the store, for the desks to show."""
        for interaction in self._hub.router.interactions:
            self._later(self._recover(interaction))

    async def _recover(self, interaction: str) -> None:
        row = await self._memory.interaction(interaction)
        kept = row.contact if row is not None else None
        if kept is None or interaction in self._contacts:
            return
        origin, entered = normalise(kept.origin_raw, self._config.site.region), dict(kept.entered)
        match = await self._directory.identify(origin, entered.get("customer_number", ""))
        number = self._config.numbers.get(kept.destination)
        language = entered.get("language") or (number and number.language) or self._config.site.language
        found = self._hub.router.interactions.get(interaction)
        if found is None:
            return
        contact = Contact(
            interaction, found.medium.value, origin, kept.destination, language, match,
            entered=kept.entered, stake_cents=found.stake_cents,
        )  # fmt: skip
        self._contacts.put(contact)
        await self._after(contact, None)

    def _revalue(self, contact: Contact, match: IdentityMatch) -> None:
        need = dict(contact.entered).get("need", "")
        stake = stake_of(match, self._config.stake_cents, need)
        if self._contacts.improve(contact.interaction, match=match, stake_cents=stake.cents) is None:
            return
        if contact.interaction in self._hub.router.interactions:
            self._hub.post(InteractionRevalued(contact.interaction, match.customer_id, stake.cents))

    def _remember(self, key: tuple[str, str], caller: _Caller) -> None:
        if len(self._pending) >= PENDING_LIMIT:
            del self._pending[next(iter(self._pending))]
        self._pending[key] = caller

    def _later(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(self._guarded(work))
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    async def _guarded(self, work: Awaitable[None]) -> None:
        try:
            await work
        except Exception as error:  # noqa: BLE001  a call must not suffer for what can come later
            log.warning("remembering a contact failed, the call goes on", why=repr(error))

    async def close(self) -> None:
        """Finish what was begun, for at most two seconds."""
        if not self._background:
            return
        _, late = await asyncio.wait(self._background, timeout=2.0)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)
