"""What is in the stand-in's exchange, what goes in and what comes out. Pure data.

    CallIn, HangUp, Press, Action, AgiLine, AgiEnded, Tick    in:  callers, one AMI action, one AGI line, time
    Event, Answer, OpenAgi, AgiReply, CloseAgi                out: to all sessions, to one, to the AGI server

Headers and their order are those recorded from Asterisk 22.10.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum

Headers = list[tuple[str, str]]
UNKNOWN = "<unknown>"


class State(IntEnum):
    """ChannelState of AMI."""

    DOWN = 0
    RING = 4
    RINGING = 5
    UP = 6


@dataclass
class Phone:
    """A phone and its user. `answer_after_s` None: lets it ring; `talk_s` None: never hangs up."""

    name: str
    number: str = ""
    answer_after_s: float | None = 0.5
    reject_cause: int | None = None
    registered: bool = True
    talk_s: float | None = None

    @property
    def device(self) -> str:
        return f"PJSIP/{self.name}"


@dataclass(eq=False)
class Bridge:
    """A holding bridge for those who wait, or a conversation."""

    id: str
    holding: bool
    members: list[Channel] = field(default_factory=list)

    def headers(self) -> Headers:
        """As in every Bridge… event."""
        return [
            ("BridgeUniqueid", self.id),
            ("BridgeType", "base" if self.holding else "basic"),
            ("BridgeTechnology", "holding_bridge" if self.holding else "simple_bridge"),
            ("BridgeCreator", "BridgeWait" if self.holding else UNKNOWN),
            ("BridgeName", "acd" if self.holding else UNKNOWN),
            ("BridgeNumChannels", str(len(self.members))),
            ("BridgeVideoSourceMode", "none"),
        ]


@dataclass(eq=False)
class Leg:
    """An outgoing channel that is not answered yet, and what to do when it is, or never will be."""

    on_answer: Callable[[], None]
    on_failure: Callable[[int], None]  # gets OriginateResponse's Reason: 3 no answer, 0 anything else
    dialler: Channel | None = None  # the channel whose Dial this is; None for an Originate


@dataclass(eq=False)
class Channel:
    """One leg, as Asterisk sees it."""

    name: str
    uniqueid: str
    linkedid: str
    device: str
    state: State
    number: str
    caller_name: str
    context: str
    exten: str
    born_at: float
    priority: int = 1
    connected: tuple[str, str] = ("", "")
    dnid: str = ""
    variables: dict[str, str] = field(default_factory=dict)
    application: str = ""
    data: str = ""
    bridge: Bridge | None = None
    leg: Leg | None = None
    on_unbridged: Callable[[], None] | None = None
    after_agi: Callable[[], None] | None = None
    on_digit: Callable[[], None] | None = None
    digits: deque[str] = field(default_factory=deque)
    patience_s: float = 0.0
    talk_s: float | None = None
    turn: int = 0
    alive: bool = True
    heard: bool = False  # was in a conversation

    def headers(self, prefix: str = "") -> Headers:
        """As in every event about a channel."""
        connected_number, connected_name = self.connected
        pairs = [
            ("Channel", self.name),
            ("ChannelState", str(int(self.state))),
            ("ChannelStateDesc", self.state.name.capitalize()),
            ("CallerIDNum", self.number or UNKNOWN),
            ("CallerIDName", self.caller_name or UNKNOWN),
            ("ConnectedLineNum", connected_number or UNKNOWN),
            ("ConnectedLineName", connected_name or UNKNOWN),
            ("Language", "en"),
            ("AccountCode", ""),
            ("Context", self.context),
            ("Exten", self.exten),
            ("Priority", str(self.priority)),
            ("Uniqueid", self.uniqueid),
            ("Linkedid", self.linkedid),
        ]
        return [(prefix + key, value) for key, value in pairs]


@dataclass(frozen=True)
class CallIn:
    """Somebody dials in over the trunk. `digits` are pressed when a dialogue asks."""

    from_number: str
    to_number: str
    name: str = ""
    talk_s: float | None = None
    patience_s: float = 60.0
    digits: str = ""


@dataclass(frozen=True)
class HangUp:
    """The person on that channel hangs up."""

    uniqueid: str


@dataclass(frozen=True)
class Press:
    """The person on that channel presses keys."""

    uniqueid: str
    digits: str


@dataclass(frozen=True)
class Register:
    """A phone appears, disappears or changes its behaviour."""

    phone: Phone


@dataclass(frozen=True)
class Action:
    """One AMI action of a logged-in session. `fields`: lower-case name to values."""

    session: int
    fields: Mapping[str, list[str]]

    def get(self, name: str, default: str = "") -> str:
        """The last value, as Asterisk takes it."""
        return self.fields.get(name.lower(), [default])[-1]


@dataclass(frozen=True)
class AgiLine:
    """One command from the AGI server for that channel."""

    uniqueid: str
    line: str


@dataclass(frozen=True)
class AgiEnded:
    """The AGI connection of that channel is over, or could not be made."""

    uniqueid: str


@dataclass(frozen=True)
class Tick:
    """Time has passed."""


@dataclass(frozen=True)
class Event:
    """To every session that asked for this class."""

    privilege: str
    headers: Headers


@dataclass(frozen=True)
class Answer:
    """One message to the session that sent an action."""

    session: int
    headers: Headers


@dataclass(frozen=True)
class OpenAgi:
    """Connect to the AGI server: `route` is call, queue, announce or dialogue/NAME."""

    uniqueid: str
    route: str
    environment: Headers


@dataclass(frozen=True)
class AgiReply:
    """One reply line of that channel's AGI."""

    uniqueid: str
    line: str


@dataclass(frozen=True)
class CloseAgi:
    """The channel left its AGI."""

    uniqueid: str


Input = CallIn | HangUp | Press | Register | Action | AgiLine | AgiEnded | Tick
Output = Event | Answer | OpenAgi | AgiReply | CloseAgi
