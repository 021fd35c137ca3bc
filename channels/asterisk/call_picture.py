"""The parts of the call picture: legs, bridges, calls, and who can hear whom. No events, no output.

A **leg** is one Asterisk channel. Most legs are a person's telephone; a Local half, a recorder or an
announcer is nobody. Legs are joined in three ways, and the people of a call are found by walking along them:

    A --dials--> L;1 ==pair== L;2 --dials--> C          while it rings: who rings C?   `dialler(C)`  is A
    A  [bridge]  L;1 ==pair== L;2  [bridge]  C          while they talk: who hears A?  `hearers(A)`  is A, C

A bridge that only holds people (parking, waiting) or gathers them (a conference) lets nobody hear anybody
here: it is an application to its callers, as a voice menu is.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

State = Literal["setup", "ringing", "talking", "held", "ended"]
Dial = Literal["none", "open", "over"]
Kind = Literal["started", "ringing", "answered", "held", "resumed", "transferred", "ended"]

# Channel technologies behind which no human being sits.
NOBODY = frozenset(
    {
        "agent",
        "announcer",
        "asyncgoto",
        "audiosocket",
        "bridge",
        "cbann",
        "cbrec",
        "confbridge",
        "externalmedia",
        "local",
        "message",
        "multicastrtp",
        "null",
        "outgoingspoolfailed",
        "parked",
        "recorder",
        "snoop",
        "surrogate",
        "unicastrtp",
        "websocket",
    }
)
# Who made a bridge in which people do not talk two by two.
GATHERINGS = frozenset({"confbridge", "bridgewait", "parking", "agentpool"})
# Extensions that are dialplan machinery, not what somebody dialled.
NOT_DIALLED = frozenset({"", "s", "h", "i", "t", "T", "o", "a", "e", "failed", "<unknown>", "*"})
AST_RING, AST_RINGING, AST_UP = 4, 5, 6


@dataclass(frozen=True)
class Person:
    """One end of a call as shown to people. `channel` is empty for somebody who is only a dialled number."""

    number: str
    name: str = ""
    channel: str = ""


@dataclass(frozen=True)
class Change:
    """One line of the story of a call. `to` is a tuple when a group rings."""

    change: Kind
    call: str
    frm: Person | None
    to: Person | tuple[Person, ...] | None
    by: Person | None = None
    reason: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """The shape of the replay contract: every key present, absent values None."""
        return {
            "change": self.change,
            "call": self.call,
            "from": _plain(self.frm),
            "to": [_plain(one) for one in self.to] if isinstance(self.to, tuple) else _plain(self.to),
            "by": _plain(self.by),
            "reason": self.reason,
        }


def _plain(person: Person | None) -> dict[str, str] | None:
    return (
        None if person is None else {"number": person.number, "name": person.name, "channel": person.channel}
    )


@dataclass(eq=False, slots=True)
class Leg:
    """One channel. `call` is the call it was last known to belong to."""

    uid: str
    order: int
    call: Call
    channel: str = ""
    number: str = ""
    name: str = ""
    exten: str = ""  # the first real extension it was in: of a caller, what it dialled
    state: int = 0
    pair: Leg | None = None  # the other half of a Local channel
    bridge: Bridge | None = None
    dialled_by: Leg | None = None
    dial: Dial = "none"  # towards it
    originated: bool = False  # dialled by the PBX itself (click to dial, call-back)
    standing: bool = False  # an agent who stays on the line between calls
    requested: bool = False  # made on behalf of a call that was there: to be dialled
    rung: bool = False  # its ringing was told
    tells_holds: bool = False  # the PBX tells when it holds: music need not be asked
    hung_up: bool = False  # the person hung up, not the PBX
    gone: bool = False
    cause: int = 0

    @property
    def is_person(self) -> bool:
        """Whether a human being may be at the other end of this channel."""
        return self.channel.partition("/")[0].lower() not in NOBODY

    @property
    def is_local(self) -> bool:
        """Whether it is half of a Local channel."""
        return self.channel[:6].lower() == "local/"

    @property
    def device(self) -> str:
        """The channel without its number: the telephone it belongs to."""
        return self.channel.rpartition("-")[0].lower()

    @property
    def alerting(self) -> bool:
        """Whether somebody's telephone rings, or is about to, because of this leg."""
        if self.gone or self.state == AST_UP:
            return False
        return self.dial == "open" or (self.dial == "none" and self.state == AST_RINGING)

    @property
    def about_to_ring(self) -> bool:
        """Whether it waits for its turn in a group that is being dialled."""
        return self.requested and self.dial == "none" and self.state == 0 and not self.gone

    def person(self) -> Person:
        """This leg as people see it; the telephone's own number stands in for a missing caller id."""
        number = self.number
        if not number:
            endpoint = self.channel.partition("/")[2].rpartition("-")[0].partition("@")[0]
            number = endpoint if endpoint.lstrip("+").isdigit() else ""
        return Person(number, self.name, self.channel)


@dataclass(eq=False, slots=True)
class Bridge:
    """What joins legs. `silent`: nobody in it talks with another one of it."""

    uid: str
    silent: bool = False
    legs: list[Leg] = field(default_factory=list)


@dataclass(eq=False, slots=True)
class Call:
    """What people would call one telephone call. Read it; only the fold writes.

    `since` is the count of events the fold had seen when `state` last changed.
    """

    id: str
    order: int
    state: State = "setup"
    since: int = 0
    caller: Leg | None = None
    dialled: str = ""  # the number the caller dialled, as far as known
    talking: tuple[Leg, Leg] | None = None  # the two who talk, or talked last
    legs: list[Leg] = field(default_factory=list)
    links: set[str] = field(default_factory=set)  # Linkedids under which its legs come
    started: bool = False
    heard: bool = False  # two people talked since the last transfer
    tried: bool = False  # somebody was dialled for the caller
    abandoned: bool = False  # the caller left before anybody answered
    held_by: Leg | None = None
    held_by_music: bool = False
    first_out: Leg | None = None  # who left the conversation first
    handed: tuple[Leg | None, str] | None = None  # a transfer under way: by whom, and how
    handed_told: bool = False
    consult_of: Call | None = None
    last_to: tuple[Leg, ...] = ()
    verdicts: dict[Leg, str] = field(default_factory=dict)  # how the dials of the latest attempt ended

    @property
    def frm(self) -> Person | None:
        """Who calls."""
        return self.caller.person() if self.caller else None

    @property
    def to(self) -> Person | tuple[Person, ...] | None:
        """Who is called: the person talked with, those who ring, or else the number dialled."""
        legs = self.last_to
        if len(legs) > 1:
            return tuple(leg.person() for leg in legs)
        if legs:
            return legs[0].person()
        return Person(self.dialled) if self.dialled else None

    @property
    def people(self) -> list[Leg]:
        """The living legs with a person."""
        return [leg for leg in self.legs if leg.is_person and not leg.gone]

    @property
    def alive(self) -> bool:
        """Whether a person is there, or a Local channel that may yet bring one."""
        return any(not leg.gone and (leg.is_person or leg.is_local) for leg in self.legs)

    def partner(self, leg: Leg) -> Leg | None:
        """With whom `leg` talks, or talked last; None when it is not one of the two."""
        if self.talking is None or leg not in self.talking:
            return None
        return self.talking[1] if self.talking[0] is leg else self.talking[0]


def hearers(leg: Leg) -> list[Leg]:
    """Everybody who hears `leg`, itself included, in order of appearance: along bridges and Local pairs."""
    seen = {leg}
    todo = [leg]
    while todo:
        one = todo.pop()
        near: Iterable[Leg] = one.bridge.legs if one.bridge and not one.bridge.silent else ()
        for other in (*near, *((one.pair,) if one.pair else ())):
            if other not in seen and not other.gone:
                seen.add(other)
                todo.append(other)
    return sorted(seen, key=_order)


def people_heard(leg: Leg) -> list[Leg]:
    """The people among `hearers(leg)` that are really joined: one alone at the far end of nothing is none."""
    return [one for one in hearers(leg) if one.is_person and one.bridge and not one.bridge.silent]


def dialler(leg: Leg) -> Leg | None:
    """The person because of whom `leg` rings, walking back through Local pairs; None when nobody is found."""
    source = leg.dialled_by
    seen: set[Leg] = set()
    while source is not None and source not in seen:
        if source.is_person:
            return source
        seen.add(source)
        joined = [one for one in people_heard(source) if one is not leg]
        if joined:
            return joined[0]
        source = source.pair.dialled_by if source.pair else None
    return None


def swap_places(one: Leg, other: Leg) -> None:
    """A masquerade: two people change places, each takes the other's bridge, dial and uniqueid."""
    one.uid, other.uid = other.uid, one.uid
    one.dial, other.dial = other.dial, one.dial
    one.dialled_by, other.dialled_by = other.dialled_by, one.dialled_by
    one.bridge, other.bridge = other.bridge, one.bridge
    for bridge in {one.bridge, other.bridge} - {None}:
        assert bridge is not None
        bridge.legs[:] = [other if leg is one else one if leg is other else leg for leg in bridge.legs]


def _order(leg: Leg) -> int:
    return leg.order
