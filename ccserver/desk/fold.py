"""What each effect of the router means on a desk: one small function per kind of effect, in a table."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, cast

from ccserver.config import Config
from ccserver.contacts import Contact, Contacts
from ccserver.desk import protocol as p
from ccserver.desk.desk import Desk, OfferOutcome
from ccserver.desk.screen_pop import bare_contact_pop, make_pop
from ccserver.hub import Hub
from ccserver.journal import JournalRecord
from ccserver.web.ports import Meter
from routing import effects as ef
from routing.eligibility import has_skills
from routing.model import Explanation, InteractionState, OfferState, Queue, SlotState
from routing.offer import Offer
from routing.router import Router

_S = InteractionState


class ScriptBook(Protocol):
    """The first page of the script for an interaction on a desk; None: its queue has no script."""

    def first_page(self, desk: Desk, interaction: str, queue: str) -> p.ScriptPage | None: ...


class QueueLines:
    """The waiting lines at one moment: counted once, put together once for all agents of one skill set."""

    def __init__(self, config: Config, router: Router) -> None:
        self._config, self._router = config, router
        self._oldest_at = router.waiting.oldest()
        self._known: dict[tuple[Any, str], tuple[p.QueueLine, ...]] = {}

    def for_desk(self, desk: Desk) -> tuple[p.QueueLine, ...]:
        """Those that its agent can serve."""
        skills, language = self._router.agents[desk.fixed.agent].profile.skills, desk.fixed.language
        lines = self._known.get((skills, language))
        if lines is None:
            have = dict(skills)
            lines = self._known[skills, language] = tuple(
                self._line(queue, language)
                for queue in self._router.queues.values()
                if has_skills(have, queue.requirements)
            )
        return lines

    def _line(self, queue: Queue, language: str) -> p.QueueLine:
        known = self._config.queues.get(queue.id)
        oldest_at = self._oldest_at.get(queue.id)
        return p.QueueLine(
            id=queue.id,
            label=(known.label.text(language) if known else "") or queue.id,
            waiting=self._router.waiting.per_queue[queue.id],
            oldest_utc_ms=None if oldest_at is None else oldest_at // 1_000,
        )


class DeskFold:
    """Applies effects to desks."""

    def __init__(
        self, config: Config, hub: Hub, contacts: Contacts, scripts: ScriptBook, meter: Meter
    ) -> None:
        self.config, self.hub, self.contacts, self.scripts, self.meter = config, hub, contacts, scripts, meter
        self._why: dict[str, Explanation] = {}
        self._handlers: dict[type, Callable[[Desk, Any, JournalRecord], None]] = {
            ef.AgentChanged: self._agent_changed,
            ef.MakeOffer: self._offered,
            ef.EndOffer: self._offer_ended,
            ef.Connect: self._connecting,
            ef.SegmentStarted: self._talking,
            ef.WrapUpStarted: self._wrap_up,
            ef.SegmentEnded: self._ended,
        }

    def apply(self, desk: Desk, effect: ef.Effect, record: JournalRecord) -> None:
        """Show on `desk` what `effect` says."""
        handler = self._handlers.get(type(effect))
        if handler is not None:
            handler(desk, effect, record)

    def _agent_changed(self, desk: Desk, effect: ef.AgentChanged, _record: JournalRecord) -> None:
        desk.set_state(
            p.AgentState(
                status=cast(Any, effect.status.value), reason=effect.reason, since_utc_ms=effect.at // 1_000
            )
        )

    def _offered(self, desk: Desk, effect: ef.MakeOffer, record: JournalRecord) -> None:
        self._why[effect.interaction] = effect.why
        desk.show_offer(self._card(desk, effect.offer, effect.interaction, record.at, effect.deadline_at))
        self.meter.pop(max(0, self.hub.clock() - record.at) / 1_000_000)

    def _card(self, desk: Desk, offer: str, interaction: str, made_at: int, deadline_at: int) -> p.OfferCard:
        found = self.hub.router.interactions[interaction]
        return p.OfferCard(
            offer=offer,
            interaction=interaction,
            medium=found.medium.value,
            made_utc_ms=made_at // 1_000,
            deadline_utc_ms=deadline_at // 1_000,
            pop=self.pop(desk, interaction),
            script=self.scripts.first_page(desk, interaction, found.queue),
        )

    def pop(self, desk: Desk, interaction: str) -> p.Pop:
        """The pop of an open interaction, as this desk may see it."""
        found = self.hub.router.interactions[interaction]
        contact = self.contacts.get(interaction)
        language = desk.fixed.language
        if contact is None:
            return bare_contact_pop(
                interaction, found.medium.value, found.queue, found.queued_at, self.config, language
            )
        why = self._why.get(interaction)
        return make_pop(contact, found.queue, found.queued_at, why, desk.fixed.role, language, self.config)

    def refresh_pop(self, desk: Desk, contact: Contact) -> None:
        """A late look-up, or a second one."""
        if contact.interaction in self.hub.router.interactions:
            desk.show_pop(self.pop(desk, contact.interaction))

    def _offer_ended(self, desk: Desk, effect: ef.EndOffer, _record: JournalRecord) -> None:
        outcome = cast(OfferOutcome, effect.state.value.lower())
        desk.end_offer(effect.offer, effect.interaction, outcome, effect.cause)
        desk.drop_work(effect.interaction)
        contact = self.contacts.get(effect.interaction)
        label = contact.label if contact else ""
        if effect.state is OfferState.EXPIRED:
            desk.set_today(desk.today.handled, desk.today.missed + 1)
            desk.notice("missed", customer=label)
        elif effect.cause == "customer_left":
            desk.notice("caller_left", customer=label)

    def _connecting(self, desk: Desk, effect: ef.Connect, record: JournalRecord) -> None:
        script = desk.offer.script if desk.offer and desk.offer.offer == effect.offer else None
        desk.end_offer(effect.offer, effect.interaction, "accepted", "")
        desk.set_work(self._item(desk, effect.interaction, "connecting", record.at, script))

    def _item(
        self, desk: Desk, interaction: str, phase: Any, at: int, script: p.ScriptPage | None
    ) -> p.WorkItem:
        found = self.hub.router.interactions[interaction]
        pop = self.pop(desk, interaction)
        contact = self.contacts.get(interaction)
        return p.WorkItem(
            interaction=interaction,
            medium=found.medium.value,
            phase=phase,
            label=contact.label if contact else pop.origin_label,
            queue_label=pop.queue_label,
            since_utc_ms=at // 1_000,
            answered_utc_ms=at // 1_000,
            pop=pop,
            script=script,
        )

    def _talking(self, desk: Desk, effect: ef.SegmentStarted, _record: JournalRecord) -> None:
        at_ms = effect.at // 1_000
        desk.change_work(effect.interaction, phase="talking", since_utc_ms=at_ms, answered_utc_ms=at_ms)
        desk.set_today(desk.today.handled + 1, desk.today.missed)

    def held(self, desk: Desk, interaction: str, held: bool) -> None:
        """The phone put the customer on hold, or took them back."""
        item = desk.work.get(interaction)
        if item is not None and item.phase in ("talking", "held"):
            phase = "held" if held else "talking"
            desk.change_work(interaction, phase=phase, since_utc_ms=self.hub.clock() // 1_000)

    def _wrap_up(self, desk: Desk, effect: ef.WrapUpStarted, _record: JournalRecord) -> None:
        until_ms = effect.until_at // 1_000
        if effect.by == "extended":
            desk.change_work(effect.interaction, wrap_up_until_utc_ms=until_ms)
            return
        desk.change_work(
            effect.interaction,
            phase="wrap_up",
            since_utc_ms=effect.at // 1_000,
            wrap_up_until_utc_ms=until_ms,
        )

    def _ended(self, desk: Desk, effect: ef.SegmentEnded, _record: JournalRecord) -> None:
        self._why.pop(effect.interaction, None)
        if effect.finished:
            desk.drop_work(effect.interaction)
        else:
            desk.leave_unfinished(effect.interaction, effect.at // 1_000)

    def queue_lines(self) -> QueueLines:
        """The waiting lines as they are now, for any desk."""
        return QueueLines(self.config, self.hub.router)

    def restore(self, desk: Desk) -> None:
        """A desk that opens while its agent has something in hand (a restart, a lost browser): show it."""
        router = self.hub.router
        for slot in router.agents[desk.fixed.agent].slots:
            found = router.interactions.get(slot.interaction)
            if found is None or found.agent != desk.fixed.agent or slot.interaction in desk.work:
                continue
            if slot.state is SlotState.RESERVED and desk.offer is None:
                offer: Offer = router.offers[found.offer]
                desk.offer = self._card(desk, offer.id, found.id, found.queued_at, offer.deadline_at)
            elif slot.state is not SlotState.RESERVED:
                phase = {_S.CONNECTING: "connecting", _S.ENGAGED: "talking"}.get(found.state, "wrap_up")
                script = self.scripts.first_page(desk, found.id, found.queue)
                item = self._item(desk, found.id, phase, found.queued_at + found.waited_us, script)
                if phase == "wrap_up":
                    item.wrap_up_until_utc_ms = slot.until_at // 1_000
                desk.work[found.id] = item
