"""The ACD's core: facts in, orders out, nothing else.

    effects = router.handle(event, now)      # now: µs of router time, never going back
    wake_at = router.next_deadline()         # call handle(TimePassed(), now) then

One event is handled whole: check against the tables, change, let what is due expire, match whoever can be
matched. An event that makes no sense changes nothing and comes back as `Refused`. What each event does to
an interaction is in `flow.py`; who is offered what is decided here, in `_match`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from routing import events as ev
from routing.agent_state import AGENT, Agent, Slot
from routing.deadlines import Deadlines, Kind
from routing.effects import AgentChanged, Effect, MakeOffer, Refused
from routing.eligibility import Standing, standing
from routing.flow import Flow
from routing.interaction import INTERACTION, Interaction
from routing.match import Pool
from routing.model import (
    US_PER_S,
    AgentProfile,
    AgentStatus,
    DeviceState,
    Explanation,
    Medium,
    Policy,
    Queue,
)
from routing.offer import Offer
from routing.tables import RefusedInput
from routing.waiting import LineKey, Waiting
from routing.worth import stake_credit_us


class Router(Flow):
    """See the module. State is public to read; only `handle` changes it."""

    def __init__(self) -> None:
        self.policy = Policy()
        self.queues: dict[str, Queue] = {}
        self.agents: dict[str, Agent] = {}
        self.devices: dict[str, DeviceState] = {}
        self.device_owner: dict[str, str] = {}
        self.interactions: dict[str, Interaction] = {}
        self.offers: dict[str, Offer] = {}
        self.waiting = Waiting(self.interactions)
        self.pool = Pool()
        self.deadlines = Deadlines()
        self.refused = 0
        self.now = 0
        self._effects: list[Effect] = []
        self._freed: list[tuple[str, Medium]] = []
        self._queued: list[str] = []
        self._handlers: dict[type, Callable[[Any], None]] = {
            ev.PolicySet: self._policy_set,
            ev.SessionOpened: self._session_opened,
            ev.SessionClosed: self._session_closed,
            ev.AgentReadied: self._agent_readied,
            ev.AgentPaused: self._agent_paused,
            ev.DeviceChanged: self._device_changed,
            ev.TimePassed: lambda _: None,
            **self.flow_handlers(),
        }
        self._expiries: dict[Kind, Callable[[str], None]] = {
            Kind.OFFER: self.offer_expired,
            Kind.CONNECT: self.connect_expired,
            Kind.WRAP_UP: self.wrap_up_expired,
            Kind.PENALTY: lambda agent_id: self.restand(self.agents[agent_id]),
        }

    def handle(self, event: ev.Event, now: int) -> list[Effect]:
        """Take one fact. `now` in µs; a `now` before the last one counts as the last one."""
        self.now = max(self.now, now)
        self._effects = []
        try:
            self._handlers[type(event)](event)
        except RefusedInput as refusal:
            self.refused += 1
            self._effects.append(Refused(type(event).__name__, str(refusal)))
        self._expire()
        self._match()
        return self._effects

    def settle(self) -> None:
        """After a restore: those found free are known already, nothing is to be matched."""
        self._freed.clear()
        self._queued.clear()

    def next_deadline(self) -> int | None:
        """When `handle(TimePassed())` is wanted, µs, or None."""
        return self.deadlines.next_at()

    def position(self, interaction_id: str) -> int:
        """The place of a waiting interaction in its queue, from 1 on; 1 for one that waits no longer."""
        found = self.interactions.get(interaction_id)
        return self.waiting.position(found) if found else 1

    # -- agents and devices ---------------------------------------------------------------------------------

    def _policy_set(self, event: ev.PolicySet) -> None:
        self.policy = event.policy
        self.queues |= {queue.id: queue for queue in event.policy.queues}
        profiles = {profile.id: profile for profile in event.policy.agents}
        for agent in self.agents.values():
            agent.retired = agent.id not in profiles
        for profile in profiles.values():
            self._set_profile(profile)
        for agent in self.agents.values():
            self.restand(agent)
        for interaction_id in self.waiting.ids():
            self.rekey(self.interactions[interaction_id])

    def _set_profile(self, profile: AgentProfile) -> None:
        agent = self.agents.get(profile.id)
        if agent is None:
            agent = self.agents[profile.id] = Agent(profile)
        else:
            for medium in {slot.medium for slot in agent.slots}:
                self.pool.forget(agent, medium)
        agent.profile = profile
        kept = [slot for slot in agent.slots if slot.interaction]
        wanted = [Slot(medium) for medium, units in profile.capacity for _ in range(units)]
        for slot in kept:
            same = next((new for new in wanted if new.medium is slot.medium), None)
            if same is not None:
                wanted.remove(same)
        agent.slots = kept + wanted

    def agent_of(self, agent_id: str) -> Agent:
        """The agent, or RefusedInput when the policy knows no such agent."""
        agent = self.agents.get(agent_id)
        if agent is None or agent.retired:
            raise RefusedInput(f"no agent {agent_id!r} in the policy")
        return agent

    def _session_opened(self, event: ev.SessionOpened) -> None:
        agent = self.agent_of(event.agent)
        owner = self.device_owner.get(event.device)
        if owner not in (None, agent.id):
            raise RefusedInput(f"device {event.device} is in use by agent {owner}")
        if agent.device not in ("", event.device) and agent.is_busy():
            raise RefusedInput(f"agent {agent.id} is busy on device {agent.device}")
        status = AGENT.next(agent.status, "session_opened")
        self.device_owner.pop(agent.device, None)
        if event.device:
            self.device_owner[event.device] = agent.id
        agent.session, agent.device = event.session, event.device
        self.set_status(agent, status, agent.reason if status is AgentStatus.READY else "login")

    def _session_closed(self, event: ev.SessionClosed) -> None:
        agent = self.agent_of(event.agent)
        if agent.session != event.session:
            raise RefusedInput(f"session {event.session} of agent {agent.id} was taken over")
        status = AGENT.next(agent.status, "session_closed")
        self.revoke_offers_of(agent, "logged_out")
        self.device_owner.pop(agent.device, None)
        agent.session, agent.device, agent.missed = "", "", 0
        self.set_status(agent, status, event.reason)

    def _agent_readied(self, event: ev.AgentReadied) -> None:
        agent = self.agent_of(event.agent)
        status = AGENT.next(agent.status, "readied")
        if agent.status is not AgentStatus.READY:
            agent.idle_since_at = self.now
        agent.missed = 0
        self.set_status(agent, status, "")

    def _agent_paused(self, event: ev.AgentPaused) -> None:
        agent = self.agent_of(event.agent)
        status = AGENT.next(agent.status, "paused")
        self.revoke_offers_of(agent, "paused")
        self.set_status(agent, status, event.reason)

    def set_status(self, agent: Agent, status: AgentStatus, reason: str) -> None:
        """Announce what the agent now declares, and look at them anew."""
        changed = (agent.status, agent.reason) != (status, reason)
        agent.status, agent.reason = status, reason
        if changed:
            agent.changed_at = self.now
        self._effects.append(AgentChanged(agent.id, agent.session, status, reason, agent.changed_at))
        self.restand(agent)

    def _device_changed(self, event: ev.DeviceChanged) -> None:
        if self.devices.get(event.device) is event.state:
            return
        self.devices[event.device] = event.state
        owner = self.device_owner.get(event.device)
        if owner is not None:
            self.restand(self.agents[owner])

    # -- matching -------------------------------------------------------------------------------------------

    def restand(self, agent: Agent) -> None:
        """Look at `agent` again after anything about them changed."""
        device = self.devices.get(agent.device, DeviceState.UNKNOWN)
        for medium in {slot.medium for slot in agent.slots}:
            if self.pool.place(agent, medium, standing(agent, medium, device, self.now)):
                self._freed.append((agent.id, medium))

    def rekey(self, interaction: Interaction) -> None:
        """Its place in line from its queue, stake and arrival; then it is looked at again."""
        queue = self.queues[interaction.queue]
        credit = stake_credit_us(interaction.stake_cents, queue.handle_time_s, self.policy.stake_doubling_s)
        interaction.key_at = interaction.queued_at - credit
        self.waiting.add(interaction)
        self._queued.append(interaction.id)

    def _match(self) -> None:
        """Offer until nobody who waits can be given to anybody who is free."""
        while self._freed or self._queued:
            while self._freed:
                agent_id, medium = self._freed.pop(0)
                self._serve(self.agents[agent_id], medium)
            if self._queued:
                interaction = self.interactions.get(self._queued.pop(0))
                if interaction is not None and INTERACTION.allows(interaction.state, "offered"):
                    self._place_one(interaction)

    def _serve(self, agent: Agent, medium: Medium) -> None:
        """A free agent: give them the head with the smallest key among the lines they can serve."""
        while self.pool.standing(agent.id, medium) is Standing.AVAILABLE:
            head = self._head_for(agent, medium)
            if head is None:
                return
            self._offer(head, agent, "next_in_line")

    def _place_one(self, interaction: Interaction) -> None:
        """A customer who just came: anybody free who fits? Only the head of a line is asked for."""
        line: LineKey = (interaction.medium, interaction.requirements)
        while (head := self.waiting.head(line)) is not None:
            best = self.pool.best(interaction.medium, interaction.requirements, 1)
            if not best:
                return
            self._offer(head, self.agents[best[0]], "longest_idle")

    def _offer(self, interaction: Interaction, agent: Agent, rule: str) -> None:
        self.waiting.remove(interaction.id)
        why = self._explain(interaction, agent, rule)
        queue = self.queues[interaction.queue]
        interaction.state = INTERACTION.next(interaction.state, "offered")
        slot = agent.idle_slot(interaction.medium)
        if slot is None:
            raise AssertionError(f"{agent.id} was available without a free slot")
        slot.take("reserve")
        agent.busy_since_at = self.now
        slot.interaction, slot.queue = interaction.id, interaction.queue
        interaction.offers += 1
        deadline_at = self.now + queue.offer_timeout_s * US_PER_S
        offer = Offer(f"{interaction.id}.{interaction.offers}", interaction.id, agent.id, deadline_at)
        self.offers[offer.id] = offer
        interaction.offer, interaction.agent = offer.id, agent.id
        self.deadlines.set(Kind.OFFER, offer.id, deadline_at)
        self.restand(agent)
        self._effects.append(
            MakeOffer(
                offer.id,
                interaction.id,
                interaction.medium,
                interaction.queue,
                agent.id,
                agent.session,
                agent.device,
                interaction.queued_at,
                self.now,
                deadline_at,
                why,
            )
        )

    def _explain(self, interaction: Interaction, agent: Agent, rule: str) -> Explanation:
        line = (interaction.medium, interaction.requirements)
        candidates = self.pool.best(*line)
        return Explanation(
            rule=rule,
            queue=interaction.queue,
            waited_us=self.now - interaction.queued_at,
            stake_cents=interaction.stake_cents,
            stake_credit_us=interaction.queued_at - interaction.key_at,
            key_at=interaction.key_at,
            waiting=self.waiting.per_queue[interaction.queue] + 1,
            agent_idle_us=self.now - agent.idle_since_at,
            candidates=tuple(candidates),
            runner_up=next((other for other in candidates if other != agent.id), ""),
            next_in_line=self._next_for(agent, interaction.medium),
            excluded=self.pool.excluded(*line),
            policy=self.policy.hash,
        )

    def _next_for(self, agent: Agent, medium: Medium) -> str:
        """Whom the agent would get now; asked when their interaction is out of line, so: the one after."""
        head = self._head_for(agent, medium)
        return head.id if head else ""

    def _head_for(self, agent: Agent, medium: Medium) -> Interaction | None:
        heads = [
            head
            for line in self.waiting.lines
            if line[0] is medium and self.pool.fits(agent, medium, line[1])
            if (head := self.waiting.head(line)) is not None
        ]
        return min(heads, key=lambda head: (head.key_at, head.id), default=None)

    # -- deadlines ------------------------------------------------------------------------------------------

    def _expire(self) -> None:
        while (due := self.deadlines.due(self.now)) is not None:
            kind, thing = due
            self._expiries[kind](thing)
