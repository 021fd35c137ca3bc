"""What each fact does to an interaction, its offer and the agent's slot: the bookkeeping of the router.

Split from `router.py` by reason to change: there the choice, here the life cycle. Every handler asks the
tables first (they raise RefusedInput) and changes afterwards.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from routing import events as ev
from routing.agent_state import AGENT, Agent, Slot, on_pbx
from routing.deadlines import Deadlines, Kind
from routing.effects import (
    Connect,
    Disconnect,
    Effect,
    EndOffer,
    InteractionClosed,
    InteractionQueued,
    SegmentEnded,
    SegmentStarted,
    WrapUpStarted,
)
from routing.interaction import INTERACTION, Interaction
from routing.model import (
    US_PER_S,
    AgentStatus,
    InteractionState,
    OfferState,
    Outcome,
    Policy,
    Queue,
    RejectCause,
    Requirement,
    SlotState,
)
from routing.offer import OFFER, Offer
from routing.tables import RefusedInput
from routing.waiting import Waiting

_S = InteractionState


class Flow:
    """The life cycle half of the router; `Router` holds the state and the choice."""

    policy: Policy
    queues: dict[str, Queue]
    agents: dict[str, Agent]
    interactions: dict[str, Interaction]
    offers: dict[str, Offer]
    waiting: Waiting
    deadlines: Deadlines
    now: int
    _effects: list[Effect]

    if TYPE_CHECKING:

        def restand(self, agent: Agent) -> None: ...
        def rekey(self, interaction: Interaction) -> None: ...
        def set_status(self, agent: Agent, status: AgentStatus, reason: str) -> None: ...

    def flow_handlers(self) -> dict[type, Callable[[Any], None]]:
        """Event type to handler."""
        return {
            ev.InteractionArrived: self._arrived,
            ev.InteractionRevalued: self._revalued,
            ev.OfferAccepted: self._accepted,
            ev.OfferRejected: self._rejected,
            ev.ConnectionMade: self._connected,
            ev.ConnectFailed: self._connect_failed,
            ev.CustomerLeft: lambda e: self._over(
                e.interaction, "customer_left", Outcome.ABANDONED, "customer"
            ),
            ev.InteractionFailed: lambda e: self._over(e.interaction, "failed", Outcome.FAILED, "failure"),
            ev.InteractionFlowedOut: lambda e: self._over(
                e.interaction, "flowed_out", Outcome.FLOWED_OUT, "transfer"
            ),
            ev.AgentLeft: self._agent_left,
            ev.InteractionMoved: self._moved,
            ev.WrapUpFinished: self._wrap_up_finished,
            ev.WrapUpExtended: self._wrap_up_extended,
        }

    def _interaction(self, interaction_id: str) -> Interaction:
        found = self.interactions.get(interaction_id)
        if found is None:
            raise RefusedInput(f"no open interaction {interaction_id!r}")
        return found

    def _offer_and_state(self, offer_id: str, given: str) -> tuple[Offer, OfferState]:
        offer = self.offers.get(offer_id)
        if offer is None:
            raise RefusedInput(f"no open offer {offer_id!r}")
        return offer, OFFER.next(offer.state, given)

    # -- arriving -------------------------------------------------------------------------------------------

    def _arrived(self, event: ev.InteractionArrived) -> None:
        if event.interaction in self.interactions:
            raise RefusedInput(f"interaction {event.interaction!r} is here already")
        queue = self.queues.get(event.queue)
        if queue is None:
            raise RefusedInput(f"no queue {event.queue!r} in the policy")
        interaction = Interaction(
            event.interaction,
            event.medium,
            queue.id,
            event.conversation or event.interaction,
            event.customer,
            event.stake_cents or self.policy.default_stake_cents,
            _join(queue.requirements, (*event.requirements, *_reach(event.pbx))),
            self.now if event.queued_at is None else min(event.queued_at, self.now),
            pbx=event.pbx,
        )
        self.interactions[interaction.id] = interaction
        self._enqueue(interaction, again=False)

    def _enqueue(self, interaction: Interaction, *, again: bool) -> None:
        interaction.agent = interaction.offer = ""
        self.rekey(interaction)
        self._effects.append(
            InteractionQueued(
                interaction.id,
                interaction.medium,
                interaction.queue,
                interaction.conversation,
                interaction.customer,
                interaction.stake_cents,
                interaction.queued_at,
                again,
            )
        )

    def _revalued(self, event: ev.InteractionRevalued) -> None:
        interaction = self._interaction(event.interaction)
        interaction.state = INTERACTION.next(interaction.state, "revalued")
        interaction.customer = event.customer
        interaction.stake_cents = event.stake_cents or self.policy.default_stake_cents
        if interaction.state is _S.WAITING:
            self.rekey(interaction)

    # -- the offer ------------------------------------------------------------------------------------------

    def _accepted(self, event: ev.OfferAccepted) -> None:
        offer, state = self._offer_and_state(event.offer, "accept")
        interaction = self.interactions[offer.interaction]
        interaction.state = INTERACTION.next(interaction.state, "accepted")
        offer.state = state
        agent = self.agents[offer.agent]
        agent.missed = 0
        self._take(agent, interaction, "engage")
        self.deadlines.clear(Kind.OFFER, offer.id)
        interaction.connect_by_at = self.now + self.policy.connect_timeout_s * US_PER_S
        self.deadlines.set(Kind.CONNECT, offer.id, interaction.connect_by_at)
        self._effects.append(Connect(offer.id, interaction.id, agent.id, interaction.connect_by_at))
        self.restand(agent)

    def _rejected(self, event: ev.OfferRejected) -> None:
        offer, state = self._offer_and_state(event.offer, "reject")
        agent = self.agents[offer.agent]
        if event.cause is RejectCause.DECLINED:
            self._punish(agent, self.policy.reject_delay_s)
        else:
            agent.missed += 1
            self._punish(agent, self.policy.busy_delay_s)
        self._end_offer(offer, state, event.cause, back=True)

    def offer_expired(self, offer_id: str) -> None:
        """Nobody picked up (RONA): the customer back to the old place, the agent out after too many."""
        offer, state = self._offer_and_state(offer_id, "expire")
        agent = self.agents[offer.agent]
        agent.missed += 1
        self._punish(agent, self.policy.no_answer_delay_s)
        self._end_offer(offer, state, "no_answer", back=True)

    def _punish(self, agent: Agent, delay_s: int) -> None:
        agent.penalty_until_at = self.now + delay_s * US_PER_S
        self.deadlines.set(Kind.PENALTY, agent.id, agent.penalty_until_at)
        if agent.missed >= self.policy.max_missed_offers and AGENT.allows(agent.status, "missed_too_often"):
            agent.missed = 0
            self.set_status(agent, AGENT.next(agent.status, "missed_too_often"), "missed_offers")

    def _end_offer(self, offer: Offer, state: OfferState, cause: str, *, back: bool) -> None:
        """The offer is over without a conversation; `back`: the interaction goes on waiting."""
        offer.state = state
        interaction, agent = self.interactions[offer.interaction], self.agents[offer.agent]
        self.deadlines.clear(Kind.OFFER, offer.id)
        del self.offers[offer.id]
        self._take(agent, interaction, "release")
        self._effects.append(EndOffer(offer.id, interaction.id, agent.id, state, cause))
        if back:
            interaction.state = INTERACTION.next(interaction.state, "offer_ended")
            self._enqueue(interaction, again=True)
        self.restand(agent)

    def revoke_offers_of(self, agent: Agent, cause: str) -> None:
        """The agent goes away: what rings there rings elsewhere."""
        for slot in agent.slots:
            if slot.state is SlotState.RESERVED:
                offer = self.offers[self.interactions[slot.interaction].offer]
                self._end_offer(offer, OFFER.next(offer.state, "revoke"), cause, back=True)

    # -- the conversation -----------------------------------------------------------------------------------

    def _connected(self, event: ev.ConnectionMade) -> None:
        interaction = self._accepted_interaction(event.offer)
        interaction.state = INTERACTION.next(interaction.state, "connected")
        self._forget_offer(event.offer)
        interaction.waited_us = self.now - interaction.queued_at
        self._effects.append(
            SegmentStarted(
                interaction.id,
                event.offer,
                interaction.agent,
                interaction.queue,
                self.now,
                interaction.waited_us,
            )
        )

    def _accepted_interaction(self, offer_id: str) -> Interaction:
        offer = self.offers.get(offer_id)
        if offer is None or offer.state is not OfferState.ACCEPTED:
            raise RefusedInput(f"offer {offer_id!r} is not accepted")
        return self.interactions[offer.interaction]

    def _forget_offer(self, offer_id: str) -> None:
        self.deadlines.clear(Kind.CONNECT, offer_id)
        self.deadlines.clear(Kind.OFFER, offer_id)
        self.offers.pop(offer_id, None)

    def _connect_failed(self, event: ev.ConnectFailed) -> None:
        self._not_connected(event.offer, "connect_failed")

    def connect_expired(self, offer_id: str) -> None:
        """Accepted, and yet nobody reported the two joined."""
        self._not_connected(offer_id, "connect_timeout")

    def _not_connected(self, offer_id: str, cause: str) -> None:
        interaction = self._accepted_interaction(offer_id)
        state = INTERACTION.next(interaction.state, "connect_failed")
        agent = self.agents[interaction.agent]
        self._forget_offer(offer_id)
        self._take(agent, interaction, "release")
        interaction.state = state
        self._punish(agent, self.policy.busy_delay_s)
        self._effects.append(EndOffer(offer_id, interaction.id, agent.id, OfferState.REVOKED, cause))
        self._enqueue(interaction, again=True)
        self.restand(agent)

    def _agent_left(self, event: ev.AgentLeft) -> None:
        interaction = self._interaction(event.interaction)
        if interaction.agent != event.agent:
            raise RefusedInput(f"agent {event.agent!r} is not in interaction {event.interaction!r}")
        interaction.state = INTERACTION.next(interaction.state, "agent_left")
        self._effects.append(Disconnect(interaction.id, event.agent, "agent_left"))
        self._start_wrap_up(interaction, "agent")

    def _over(self, interaction_id: str, given: str, outcome: Outcome, by: str) -> None:
        """The customer is gone, one way or another, in whatever state."""
        interaction = self._interaction(interaction_id)
        before = interaction.state
        after = INTERACTION.next(before, given)
        if before is _S.WRAP_UP:
            return
        interaction.state = after
        if before is _S.ENGAGED:
            self._start_wrap_up(interaction, by)
            return
        if before is _S.OFFERED:
            offer = self.offers[interaction.offer]
            self._end_offer(offer, OFFER.next(offer.state, "revoke"), given, back=False)
        elif before is _S.CONNECTING:
            self._drop_connecting(interaction, given)
        self.waiting.remove(interaction.id)
        interaction.waited_us = self.now - interaction.queued_at
        interaction.ended_at = self.now
        self._close(interaction, outcome)

    def _drop_connecting(self, interaction: Interaction, cause: str) -> None:
        agent = self.agents[interaction.agent]
        self._effects.append(EndOffer(interaction.offer, interaction.id, agent.id, OfferState.REVOKED, cause))
        self._forget_offer(interaction.offer)
        self._take(agent, interaction, "release")
        self.restand(agent)

    def _close(self, interaction: Interaction, outcome: Outcome) -> None:
        interaction.state = _S.CLOSED
        del self.interactions[interaction.id]
        self._effects.append(
            InteractionClosed(
                interaction.id,
                interaction.medium,
                interaction.queue,
                outcome,
                interaction.ended_at,
                interaction.waited_us,
            )
        )

    def _moved(self, event: ev.InteractionMoved) -> None:
        interaction = self._interaction(event.interaction)
        queue = self.queues.get(event.queue)
        if queue is None:
            raise RefusedInput(f"no queue {event.queue!r} in the policy")
        before = interaction.state
        after = INTERACTION.next(before, "moved")
        if before is _S.OFFERED:
            offer = self.offers[interaction.offer]
            self._end_offer(offer, OFFER.next(offer.state, "revoke"), "moved", back=False)
        elif before is _S.ENGAGED:
            self._start_wrap_up(interaction, "transfer")
        interaction.state = after
        interaction.queue = queue.id
        interaction.requirements = _join(queue.requirements, _reach(interaction.pbx))
        if not event.keep_place:
            interaction.queued_at = self.now
        self._enqueue(interaction, again=False)

    # -- wrap-up --------------------------------------------------------------------------------------------

    def _take(self, agent: Agent, interaction: Interaction, given: str) -> None:
        self._slot(agent, interaction).take(given)
        agent.busy_since_at = self.now

    def _slot(self, agent: Agent, interaction: Interaction) -> Slot:
        slot = agent.slot_of(interaction.id)
        if slot is None:
            raise AssertionError(f"{agent.id} has no slot for {interaction.id}")
        return slot

    def _start_wrap_up(self, interaction: Interaction, by: str) -> None:
        agent = self.agents[interaction.agent]
        slot = self._slot(agent, interaction)
        slot.take("wrap_up")
        agent.busy_since_at = self.now
        interaction.ended_at = self.now
        slot.until_at = self.now + self.queues[interaction.queue].wrap_up_s * US_PER_S
        self._effects.append(WrapUpStarted(interaction.id, agent.id, self.now, slot.until_at, by))
        if slot.until_at <= self.now:
            self._end_wrap_up(agent, slot, "", finished=False)
            return
        self.deadlines.set(Kind.WRAP_UP, f"{agent.id}\n{interaction.id}", slot.until_at)
        self.restand(agent)

    def _wrap_up_slot(self, agent_id: str, interaction_id: str) -> tuple[Agent, Slot]:
        agent = self.agents.get(agent_id)
        slot = agent.slot_of(interaction_id) if agent else None
        if agent is None or slot is None or slot.state is not SlotState.WRAP_UP:
            raise RefusedInput(f"agent {agent_id!r} is not wrapping up {interaction_id!r}")
        return agent, slot

    def _wrap_up_finished(self, event: ev.WrapUpFinished) -> None:
        agent, slot = self._wrap_up_slot(event.agent, event.interaction)
        self._end_wrap_up(agent, slot, event.disposition, finished=True)

    def wrap_up_expired(self, thing: str) -> None:
        """Time is up: the agent is free, the item stays on the desk as unfinished."""
        agent, slot = self._wrap_up_slot(*thing.split("\n"))
        self._end_wrap_up(agent, slot, "", finished=False)

    def _wrap_up_extended(self, event: ev.WrapUpExtended) -> None:
        agent, slot = self._wrap_up_slot(event.agent, event.interaction)
        if not 0 < event.by_s <= 600:
            raise RefusedInput(f"wrap-up cannot be extended by {event.by_s} s")
        slot.until_at += event.by_s * US_PER_S
        self.deadlines.set(Kind.WRAP_UP, f"{agent.id}\n{event.interaction}", slot.until_at)
        self._effects.append(WrapUpStarted(event.interaction, agent.id, self.now, slot.until_at, "extended"))

    def _end_wrap_up(self, agent: Agent, slot: Slot, disposition: str, *, finished: bool) -> None:
        interaction_id = slot.interaction
        self.deadlines.clear(Kind.WRAP_UP, f"{agent.id}\n{interaction_id}")
        slot.take("release")
        agent.idle_since_at = agent.busy_since_at = self.now
        self._effects.append(SegmentEnded(interaction_id, agent.id, self.now, disposition, finished))
        interaction = self.interactions.get(interaction_id)
        if interaction is not None and interaction.state is _S.WRAP_UP:
            interaction.state = INTERACTION.next(interaction.state, "wrapped_up")
            self._close(interaction, Outcome.ANSWERED)
        self.restand(agent)


def _reach(pbx: str) -> tuple[tuple[str, int], ...]:
    return ((on_pbx(pbx), 1),) if pbx else ()


def _join(required: tuple[Requirement, ...], further: tuple[tuple[str, int], ...]) -> tuple[Requirement, ...]:
    """The queue's requirements and the interaction's own, the stricter of two on one skill, in one order."""
    levels = {need.skill: need.minimum for need in required}
    for skill, minimum in further:
        levels[skill] = max(minimum, levels.get(skill, 0))
    return tuple(Requirement(skill, levels[skill]) for skill in sorted(levels))
