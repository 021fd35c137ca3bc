"""Hold is summed, a question asked again is counted, and both are saved when the talk is over."""

from __future__ import annotations

from pathlib import Path

from ccserver.contacts import Contact, Contacts
from ccserver.costs import Costs
from ccserver.customers.identity import IdentityMatch, MatchKind, normalise
from ccserver.hub import Hub
from ccserver.journal import Journal
from ccserver.store.rows import InteractionFacts
from routing import events as ev
from routing.model import DeviceState, Medium
from routing.router import Router
from tests.routing.helpers import Floor


class Clock:
    """Router time by hand, µs."""

    def __init__(self) -> None:
        self.now = 1_000_000_000

    def __call__(self) -> int:
        return self.now


class Memory:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.events: list[tuple[str, InteractionFacts]] = []

    async def save_facts(self, interaction: str, facts: InteractionFacts) -> None:
        self.events.append((interaction, facts))


async def test_hold_and_questions_asked_again_are_saved_when_the_talk_is_over(tmp_path: Path) -> None:
    clock, memory, contacts = Clock(), Memory(), Contacts()
    journal = Journal(tmp_path, "e1", "test", 0)
    hub = Hub(Router(), journal, clock)  # type: ignore[arg-type]
    costs = Costs(hub, contacts, memory)
    for event in (
        ev.PolicySet(Floor("ayu").policy),
        ev.DeviceChanged("pbx/a1", DeviceState.NOT_INUSE),
        ev.SessionOpened("ayu", "s1", "pbx/a1"),
        ev.AgentReadied("ayu"),
        ev.InteractionArrived("i1", Medium.VOICE, "billing"),
        ev.OfferAccepted("i1.1"),
        ev.ConnectionMade("i1.1"),
    ):
        hub.post(event)
    origin = normalise("+62812000001", "ID")
    match = IdentityMatch(MatchKind.UNKNOWN, 0.0, ())
    contacts.put(Contact("i1", "voice", origin, "", "en", match, entered=(("customer_number", "1001"),)))
    costs.held("i1", True)
    costs.held("i1", True)
    clock.now += 7_000_000
    costs.held("i1", False)
    costs.held("i1", False)
    costs.answered("i1", {"customer_number": "1001", "caller_name": "Siti (test)", "matter": ""})
    costs.answered("i1", {"customer_number": "1001"})
    costs.held("i1", True)
    clock.now += 2_000_000
    hub.post(ev.CustomerLeft("i1"))
    await costs.close()
    assert memory.events == [("i1", InteractionFacts(hold_us=9_000_000, reentered=1))]
    hub.stop()
    await journal.close()
