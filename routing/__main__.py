"""`python -m routing`: the router over JSON lines, one reply line per event line, virtual seconds.

In: `init` (classes, agents), `arrive`, `abandon`, `ready`, `notready`, `finished`, `wake`, `end`.
Out: `{"assign": [[interaction, agent], ...], "wake": seconds or null}`. An assignment is taken at once:
whoever drives this models no ringing. Bad input is answered with `{"error": ...}` and changes nothing.
"""

from __future__ import annotations

import json
import sys
from typing import Any, TextIO

from routing import events as ev
from routing.effects import Effect, MakeOffer
from routing.model import US_PER_S, AgentProfile, DeviceState, Medium, Policy, Queue, Requirement
from routing.router import Router

_CAPACITY = ((Medium.VOICE, 1), (Medium.EMAIL, 1))


def _us(seconds: float) -> int:
    return round(seconds * US_PER_S)


class Session:
    """One run of the protocol over a fresh router."""

    def __init__(self) -> None:
        self.router = Router()
        self._ids: dict[str, Any] = {}
        self._agents: dict[str, Any] = {}
        self._holder: dict[str, str] = {}
        self._queues: list[str] = []

    def reply(self, line: str) -> dict[str, Any] | None:
        """The answer to one line, or None after `end`."""
        message = json.loads(line)
        kind = message["e"]
        if kind == "end":
            return None
        now = _us(message["t"])
        assigned: list[list[Any]] = []
        for event in self._events(kind, message):
            assigned += self._take(self.router.handle(event, now), now)
        wake_at = self.router.next_deadline()
        return {"assign": assigned, "wake": None if wake_at is None else wake_at / US_PER_S}

    def _take(self, effects: list[Effect], now: int) -> list[list[Any]]:
        """Accept each offer at once, and whatever follows from that."""
        taken: list[list[Any]] = []
        for effect in effects:
            if isinstance(effect, MakeOffer):
                taken.append([self._ids[effect.interaction], self._agents[effect.agent]])
                self._holder[effect.interaction] = effect.agent
                taken += self._take(self.router.handle(ev.OfferAccepted(effect.offer), now), now)
                taken += self._take(self.router.handle(ev.ConnectionMade(effect.offer), now), now)
        return taken

    def _events(self, kind: str, message: dict[str, Any]) -> list[ev.Event]:
        if kind == "init":
            return self._init(message["public"])
        if kind == "arrive":
            return [self._arrive(message)]
        if kind in ("abandon", "finished"):
            return [ev.CustomerLeft(f"i{message['id']}")]
        if kind == "ready":
            return [ev.AgentReadied(f"a{message['agent']}")]
        if kind == "notready":
            return [ev.AgentPaused(f"a{message['agent']}", "notready")]
        if kind == "wake":
            return [ev.TimePassed()]
        raise ValueError(f"unknown event {kind!r}")

    def _init(self, public: dict[str, Any]) -> list[ev.Event]:
        queues = tuple(_queue(index, cls) for index, cls in enumerate(public["classes"]))
        self._queues = [queue.id for queue in queues]
        capacity = (*_CAPACITY, (Medium.CHAT, int(public.get("chat_max", 1))))
        profiles: list[AgentProfile] = []
        events: list[ev.Event] = []
        for index, agent in enumerate(public["agents"]):
            agent_id = f"a{index}"
            self._agents[agent_id] = index
            skills = tuple(sorted((f"s{skill}", int(level)) for skill, level in agent["skills"].items()))
            profiles.append(AgentProfile(agent_id, skills, capacity))
            events += [
                ev.DeviceChanged(f"d{index}", DeviceState.NOT_INUSE),
                ev.SessionOpened(agent_id, f"s{index}", f"d{index}"),
            ]
        return [ev.PolicySet(Policy(queues, tuple(profiles))), *events]

    def _arrive(self, message: dict[str, Any]) -> ev.Event:
        interaction = f"i{message['id']}"
        self._ids[interaction] = message["id"]
        return ev.InteractionArrived(
            interaction,
            Medium(message["channel"]),
            self._queues[message["cls"]],
            stake_cents=max(1, round(message["value"] * 100)),
        )


def _queue(index: int, cls: dict[str, Any]) -> Queue:
    """A class of the protocol is a queue: one skill, wrap-up inside `finished`."""
    handle_s = cls.get("mean_handle", cls.get("handle", 300))
    return Queue(
        f"q{index}", (Requirement(f"s{cls['skill']}"),), wrap_up_s=0, handle_time_s=max(1, round(handle_s))
    )


def main(source: TextIO, sink: TextIO) -> None:
    """Answer every line of `source` on `sink` until `end` or the end of input."""
    session = Session()
    for line in source:
        try:
            answer = session.reply(line)
        except (ValueError, KeyError, TypeError, IndexError) as error:
            answer = {"error": f"bad event: {error!r}"}
        if answer is None:
            return
        sink.write(json.dumps(answer, separators=(",", ":")) + "\n")
        sink.flush()


if __name__ == "__main__":
    main(sys.stdin, sys.stdout)
