"""Hard filters: may this agent be offered this at all? Each agent has one standing per medium.

The standing names the first filter that removes them, so that "3 not ready, 1 phone busy" adds up to
everybody; AVAILABLE passes all filters but skill, which depends on who is waiting.
"""

from __future__ import annotations

from enum import StrEnum

from routing.agent_state import Agent
from routing.model import AgentStatus, DeviceState, Medium, Requirement, SlotState


class Standing(StrEnum):
    """Why an agent is not available, or that they are."""

    AVAILABLE = "available"
    LOGGED_OUT = "logged_out"
    NOT_READY = "not_ready"
    NO_CAPACITY = "no_capacity"
    OFFERED = "offered"
    ENGAGED = "engaged"
    WRAP_UP = "wrap_up"
    PENALTY = "penalty"
    PHONE_AWAY = "phone_away"
    PHONE_BUSY = "phone_busy"


def has_skills(skills: dict[str, int], requirements: tuple[Requirement, ...]) -> bool:
    """Whether every requirement is met."""
    return all(skills.get(need.skill, 0) >= need.minimum for need in requirements)


def standing(agent: Agent, medium: Medium, device: DeviceState, now: int) -> Standing:
    """The first filter that keeps `agent` from being offered anything of `medium`."""
    if agent.status is AgentStatus.LOGGED_OUT or agent.retired:
        return Standing.LOGGED_OUT
    if agent.status is AgentStatus.NOT_READY:
        return Standing.NOT_READY
    if agent.idle_slot(medium) is None:
        return _what_holds(agent)
    if agent.penalty_until_at > now:
        return Standing.PENALTY
    if medium is Medium.VOICE:
        return _phone(device)
    return Standing.AVAILABLE


def _what_holds(agent: Agent) -> Standing:
    states = {slot.state for slot in agent.slots}
    if SlotState.ENGAGED in states:
        return Standing.ENGAGED
    if SlotState.RESERVED in states:
        return Standing.OFFERED
    if SlotState.WRAP_UP in states:
        return Standing.WRAP_UP
    return Standing.NO_CAPACITY


def _phone(device: DeviceState) -> Standing:
    """Only a phone that is registered, not ringing and in no call may be rung."""
    if device is DeviceState.NOT_INUSE:
        return Standing.AVAILABLE
    if device in (DeviceState.UNAVAILABLE, DeviceState.UNKNOWN):
        return Standing.PHONE_AWAY
    return Standing.PHONE_BUSY
