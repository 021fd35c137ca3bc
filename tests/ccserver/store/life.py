"""Journal records as the router would write them, for tests: a life of calls in a few words each."""

from __future__ import annotations

from dataclasses import dataclass, field

from routing import effects as ef
from routing import events as ev
from routing.model import AgentStatus, Explanation, Medium, OfferState, Outcome

S = 1_000_000
DAY = 24 * 3600 * S
MONDAY = 1_763_337_600 * S

WHY = Explanation(
    rule="longest_idle",
    queue="sales",
    waited_us=10 * S,
    stake_cents=5_000,
    stake_credit_us=0,
    key_at=MONDAY,
    waiting=1,
    agent_idle_us=30 * S,
    candidates=("ayu", "budi"),
    runner_up="budi",
    excluded=(("not_ready", 3),),
)


@dataclass(frozen=True, slots=True)
class Written:
    """A journal record."""

    seq: int
    at: int
    event: ev.Event
    effects: tuple[ef.Effect, ...]
    fault: bool = False


def make_offer(offer: str, interaction: str, agent: str, now: int) -> ef.MakeOffer:
    return ef.MakeOffer(
        offer=offer,
        interaction=interaction,
        medium=Medium.VOICE,
        queue="sales",
        agent=agent,
        session="s",
        device="main/d",
        queued_at=now,
        at=now,
        deadline_at=now + 20 * S,
        why=WHY,
    )


@dataclass
class Life:
    """Time goes on by itself: each step takes ten seconds, and calls follow each other."""

    now: int = MONDAY
    seq: int = 0
    records: list[Written] = field(default_factory=list)

    def step(self, event: ev.Event, *effects: ef.Effect, after: int = 10 * S) -> None:
        self.seq += 1
        self.records.append(Written(self.seq, self.now, event, effects))
        self.now += after

    def taken(self) -> list[Written]:
        """What happened since the last time."""
        records, self.records = self.records, []
        return records

    def arrives(self, i: str, customer: str = "", queue: str = "sales") -> None:
        event = ev.InteractionArrived(i, Medium.VOICE, queue, "", customer, 5_000, pbx="main")
        queued = ef.InteractionQueued(i, Medium.VOICE, queue, i, customer, 5_000, self.now, False)
        self.step(event, queued)

    def offered(self, i: str, agent: str, n: int, after: int = 0) -> None:
        offer = make_offer(f"{i}.{n}", i, agent, self.now)
        self.step(ev.AgentReadied(agent), offer, after=after)

    def talks(self, i: str, agent: str, n: int, disposition: str, waited: int = 10 * S) -> None:
        offer = f"{i}.{n}"
        self.step(ev.OfferAccepted(offer), ef.Connect(offer, i, agent, self.now + 10 * S), after=0)
        started = ef.SegmentStarted(i, offer, agent, "sales", self.now, waited)
        self.step(ev.ConnectionMade(offer), started, after=60 * S)
        ended_at = self.now
        wrap_up = ef.WrapUpStarted(i, agent, self.now, self.now + 60 * S, "customer")
        self.step(ev.CustomerLeft(i), wrap_up, after=20 * S)
        self.step(
            ev.WrapUpFinished(i, agent, disposition),
            ef.SegmentEnded(i, agent, self.now, disposition, True),
            ef.InteractionClosed(i, Medium.VOICE, "sales", Outcome.ANSWERED, ended_at, waited),
        )

    def answered(self, i: str, agent: str, disposition: str, customer: str = "") -> list[Written]:
        self.arrives(i, customer)
        self.offered(i, agent, 1)
        self.talks(i, agent, 1, disposition)
        return self.taken()

    def missed_then_answered(self, i: str, first: str, second: str) -> list[Written]:
        self.arrives(i)
        self.offered(i, first, 1, after=20 * S)
        ended = ef.EndOffer(f"{i}.1", i, first, OfferState.EXPIRED, "no_answer")
        again = ef.InteractionQueued(i, Medium.VOICE, "sales", i, "", 5_000, self.now - 30 * S, True)
        out = ef.AgentChanged(first, "s", AgentStatus.NOT_READY, "missed_offers", self.now)
        self.step(ev.TimePassed(), ended, again, out, after=0)
        self.offered(i, second, 2)
        self.talks(i, second, 2, "resolved", 40 * S)
        return self.taken()

    def abandoned(self, i: str, customer: str = "") -> list[Written]:
        self.arrives(i, customer)
        closed = ef.InteractionClosed(i, Medium.VOICE, "sales", Outcome.ABANDONED, self.now, 10 * S)
        self.step(ev.CustomerLeft(i), closed)
        return self.taken()
