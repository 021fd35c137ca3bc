"""The router's whole state as plain data, and back: what bounds recovery.

Only what cannot be derived is kept: policy, agents, devices, interactions, offers, live deadlines. The lines
and the pool are built anew from those; both are ordered by total keys, so a restored router decides as the
one it was taken from.
"""

from __future__ import annotations

from dataclasses import dataclass

from routing.agent_state import Agent
from routing.deadlines import Kind
from routing.interaction import Interaction
from routing.model import DeviceState, InteractionState, Policy, Queue
from routing.offer import Offer
from routing.router import Router


@dataclass(frozen=True, slots=True)
class Snapshot:
    """See the module. `at` is router time, µs."""

    at: int
    policy: Policy
    queues: tuple[Queue, ...]
    agents: tuple[Agent, ...]
    devices: dict[str, DeviceState]
    device_owner: dict[str, str]
    interactions: tuple[Interaction, ...]
    offers: tuple[Offer, ...]
    deadlines: tuple[tuple[Kind, str, int], ...]
    refused: int


def take(router: Router) -> Snapshot:
    """The state between two events. Shares its records: write it out before the next event."""
    return Snapshot(
        router.now,
        router.policy,
        tuple(router.queues.values()),
        tuple(router.agents.values()),
        dict(router.devices),
        dict(router.device_owner),
        tuple(router.interactions.values()),
        tuple(router.offers.values()),
        router.deadlines.live(),
        router.refused,
    )


def restore(snapshot: Snapshot) -> Router:
    """A router that goes on where `take` was called."""
    router = Router()
    router.now = snapshot.at
    router.policy, router.refused = snapshot.policy, snapshot.refused
    router.queues |= {queue.id: queue for queue in snapshot.queues}
    router.agents |= {agent.id: agent for agent in snapshot.agents}
    router.devices |= snapshot.devices
    router.device_owner |= snapshot.device_owner
    router.interactions |= {interaction.id: interaction for interaction in snapshot.interactions}
    router.offers |= {offer.id: offer for offer in snapshot.offers}
    for kind, thing, at in snapshot.deadlines:
        router.deadlines.set(kind, thing, at)
    for interaction in snapshot.interactions:
        if interaction.state is InteractionState.WAITING:
            router.waiting.add(interaction)
    for agent in snapshot.agents:
        router.restand(agent)
    router.settle()
    return router
