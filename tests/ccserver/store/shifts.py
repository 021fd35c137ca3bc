"""A random working day of the real router as journal records: all that can happen, in a likely order."""

from __future__ import annotations

from random import Random

from routing import events as ev
from routing.model import InteractionState, Medium, OfferState, RejectCause
from tests.ccserver.store.life import MONDAY, Written
from tests.routing.helpers import Floor

AGENTS = ("ayu", "budi", "CICI", "DEWI")
CUSTOMERS = ("", "cus_1", "cus_2", "cus_3")


class Shift:
    """Ask for records until there are enough."""

    def __init__(self, seed: int, customers: tuple[str, ...] = CUSTOMERS) -> None:
        self.customers = customers
        self.dice = Random(seed)
        self.floor = Floor(*AGENTS)
        self.records: list[Written] = []
        self.arrived = 0

    def work(self, records: int) -> list[Written]:
        while len(self.records) < records:
            due = self.floor.router.next_deadline()
            at_s = self.floor.at_s + self.dice.choice([0, 0.5, 3, 11])
            if due is not None and due <= at_s * 1_000_000:
                self.floor.at_s = due / 1_000_000
                self.do(ev.TimePassed())
            self.floor.at_s = max(self.floor.at_s, at_s)
            self.do(self.something())
        return self.records

    def do(self, event: ev.Event) -> None:
        effects = tuple(self.floor.do(event))
        self.records.append(Written(len(self.records) + 1, MONDAY + self.floor.now, event, effects))

    def something(self) -> ev.Event:
        dice, router = self.dice, self.floor.router
        agent = dice.choice(AGENTS)
        choices: list[ev.Event] = [self.arrival(), ev.AgentReadied(agent)]
        if dice.random() < 0.2:
            choices += [ev.AgentPaused(agent, "break"), ev.SessionClosed(agent, f"s-{agent}")]
            choices.append(ev.SessionOpened(agent, f"s-{agent}", f"pbx/{agent}"))
        for interaction in router.interactions.values():
            choices += self.about(interaction.id, interaction.state, interaction.agent)
        for offer in router.offers.values():
            if offer.state is OfferState.OPEN:
                choices += [
                    ev.OfferAccepted(offer.id),
                    ev.OfferRejected(offer.id, dice.choice(list(RejectCause))),
                ]
            else:
                choices += [
                    ev.ConnectionMade(offer.id),
                    ev.ConnectionMade(offer.id),
                    ev.ConnectFailed(offer.id),
                ]
        return dice.choice(choices)

    def arrival(self) -> ev.Event:
        self.arrived += 1
        queue = self.dice.choice(["billing", "sales"])
        customer = self.dice.choice(self.customers)
        stake = self.dice.randrange(10_000)
        return ev.InteractionArrived(f"i{self.arrived}", Medium.VOICE, queue, "", customer, stake, pbx="pbx")

    def about(self, interaction: str, state: InteractionState, agent: str) -> list[ev.Event]:
        queue = self.dice.choice(["billing", "sales"])
        events: list[ev.Event] = [
            ev.InteractionRevalued(interaction, self.dice.choice(self.customers[1:]), 7)
        ]
        if self.dice.random() < 0.3:
            events += [ev.CustomerLeft(interaction), ev.InteractionMoved(interaction, queue, agent)]
        if state is InteractionState.ENGAGED:
            events += [ev.AgentLeft(interaction, agent), ev.InteractionMoved(interaction, queue, agent)]
        if state is InteractionState.WRAP_UP:
            events += [
                ev.WrapUpFinished(interaction, agent, "sold"),
                ev.WrapUpExtended(interaction, agent, 30),
            ]
        if self.dice.random() < 0.05:
            events += [
                ev.InteractionFailed(interaction, "pbx"),
                ev.InteractionFlowedOut(interaction, "voicemail"),
            ]
        return events
