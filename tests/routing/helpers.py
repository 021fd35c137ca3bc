"""A small floor to route on: one queue per skill, agents by name, time in whole seconds."""

from __future__ import annotations

from dataclasses import replace

from routing import events as ev
from routing.effects import Effect, MakeOffer
from routing.model import (
    US_PER_S,
    AgentProfile,
    DeviceState,
    Medium,
    Policy,
    Queue,
    Requirement,
)
from routing.router import Router


class Floor:
    """A router with billing and sales; effects of the last event in `effects`."""

    def __init__(self, *agents: str, wrap_up_s: int = 30, **policy: int) -> None:
        self.router = Router()
        self.effects: list[Effect] = []
        self.at_s = 1_000.0
        queues = (
            Queue("billing", (Requirement("billing"),), wrap_up_s=wrap_up_s),
            Queue("sales", (Requirement("sales"),), wrap_up_s=wrap_up_s),
        )
        self.policy = Policy(queues, hash="p1", **policy)
        self.add(*agents)

    def add(self, *names: str) -> None:
        """More agents: billing for all, sales too for names in capitals."""
        profiles = tuple(
            AgentProfile(name, (("billing", 5), ("sales", 5)) if name.isupper() else (("billing", 5),))
            for name in names
        )
        self.policy = replace(self.policy, agents=self.policy.agents + profiles)
        self.do(ev.PolicySet(self.policy))
        for name in names:
            self.log_in(name)

    def do(self, event: ev.Event, after_s: float = 0.0) -> list[Effect]:
        """Let `after_s` pass, then the event happens."""
        self.at_s += after_s
        self.effects = self.router.handle(event, self.now)
        return self.effects

    def wait(self, seconds: float) -> list[Effect]:
        """Let time pass, waking the router whenever it asked for it."""
        end_s, seen = self.at_s + seconds, []
        while (at := self.router.next_deadline()) is not None and at <= end_s * US_PER_S:
            self.at_s = at / US_PER_S
            seen += self.do(ev.TimePassed())
        self.at_s = end_s
        self.effects = seen
        return seen

    @property
    def now(self) -> int:
        return round(self.at_s * US_PER_S)

    def log_in(self, name: str) -> None:
        self.do(ev.DeviceChanged(f"pbx/{name}", DeviceState.NOT_INUSE))
        self.do(ev.SessionOpened(name, f"s-{name}", f"pbx/{name}"))
        self.do(ev.AgentReadied(name))

    def arrive(self, interaction: str, queue: str = "billing", stake_cents: int = 0) -> list[Effect]:
        return self.do(ev.InteractionArrived(interaction, Medium.VOICE, queue, stake_cents=stake_cents))

    def answer(self, offer: str) -> None:
        self.do(ev.OfferAccepted(offer))
        self.do(ev.ConnectionMade(offer))

    @property
    def offers(self) -> list[tuple[str, str]]:
        """(interaction, agent) of the offers in the last effects."""
        return [(e.interaction, e.agent) for e in self.effects if isinstance(e, MakeOffer)]

    def names(self) -> list[str]:
        return [type(effect).__name__ for effect in self.effects]
