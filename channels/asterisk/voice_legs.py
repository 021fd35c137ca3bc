"""The parts of `voice_model`: channels and legs as they are kept, actions as they are sent, AMI's words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from routing.model import DeviceState, RejectCause

LEG_PREFIX = "cc-"
UP = "6"
_BUSY_CAUSES = frozenset({"17"})
_DECLINE_CAUSES = frozenset({"21"})
WANTED = frozenset(
    {
        "Newchannel",
        "Newstate",
        "Rename",
        "BridgeEnter",
        "BridgeLeave",
        "Hangup",
        "OriginateResponse",
        "DeviceStateChange",
        "BlindTransfer",
        "AttendedTransfer",
        "Hold",
        "Unhold",
        "UserEvent",
    }
)


class Message(Protocol):
    """What is read of an AMI event."""

    @property
    def name(self) -> str: ...
    def get(self, name: str, default: str = "") -> str: ...


@dataclass(frozen=True, slots=True)
class Action:
    """An AMI action to send. `offer`: whose OriginateResponse this will be."""

    name: str
    fields: tuple[tuple[str, str], ...]
    offer: str = ""


@dataclass(slots=True)
class Channel:
    """One live Asterisk channel."""

    uniqueid: str
    name: str
    bridge: str = ""
    up: bool = False


@dataclass(slots=True)
class AgentLeg:
    """The leg that an offer makes."""

    offer: str
    interaction: str
    agent: str
    seen: bool = False
    accepted: bool = False
    joined: bool = False
    moved: bool = False


@dataclass(frozen=True, slots=True)
class OpenCall:
    """A call as the router has it, to be compared with what the PBX has. `offer`: the last one made, empty
    while nobody has it; `agent`: to whom; `engaged`: the two talk."""

    interaction: str
    offer: str = ""
    agent: str = ""
    accepted: bool = False
    engaged: bool = False


def device_state(text: str) -> DeviceState:
    """Asterisk's words; RINGINUSE and whatever is new count as busy, INVALID as unknown."""
    if text == "INVALID":
        return DeviceState.UNKNOWN
    return DeviceState(text) if text in DeviceState.__members__ else DeviceState.BUSY


def reject_cause(cause: str) -> RejectCause:
    """Why a leg ended before it was answered, from its Q.850 cause."""
    if cause in _DECLINE_CAUSES:
        return RejectCause.DECLINED
    return RejectCause.BUSY if cause in _BUSY_CAUSES else RejectCause.UNREACHABLE
