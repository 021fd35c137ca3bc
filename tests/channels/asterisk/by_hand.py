"""AMI events written by hand, of Asterisk before 12 and after, for the tests of calls."""

from __future__ import annotations

from collections.abc import Iterable

from channels.asterisk.calls import CallFold, Change
from channels.asterisk.replay import TraceEvent


def event(name: str, **headers: str) -> TraceEvent:
    return TraceEvent([("Event", name), *headers.items()])


def fold(events: Iterable[TraceEvent]) -> list[Change]:
    folder = CallFold()
    changes = [change for one in events for change in folder.handle(one)]
    return changes + folder.flush()


# -- Asterisk before 12: Dial, Bridge, Masquerade, Transfer; no Linkedid ---------------------------------

A, B, C = "SIP/201-0a", "SIP/202-0b", "SIP/203-0c"


def old_channel(uid: str, channel: str, number: str = "", exten: str = "", state: str = "0") -> TraceEvent:
    return event(
        "Newchannel",
        Uniqueid=uid,
        Channel=channel,
        ChannelState="0",
        CallerIDNum=number,
        CallerIDName="",
        Exten=exten,
    )


def old_state(uid: str, channel: str, state: int) -> TraceEvent:
    return event("Newstate", Uniqueid=uid, Channel=channel, ChannelState=str(state))


def old_caller(uid: str, channel: str, number: str, exten: str) -> list[TraceEvent]:
    return [old_channel(uid, channel, number, exten), old_state(uid, channel, 4)]


def old_dial(uid: str, channel: str, to_uid: str, to: str, number: str) -> list[TraceEvent]:
    return [
        old_channel(to_uid, to, ""),
        event("NewCallerid", Uniqueid=to_uid, Channel=to, CallerIDNum=number),
        event(
            "Dial",
            SubEvent="Begin",
            Channel=channel,
            UniqueID=uid,
            Destination=to,
            DestUniqueID=to_uid,
        ),
        old_state(to_uid, to, 5),
    ]


def old_dial_end(uid: str, channel: str, status: str) -> TraceEvent:
    return event("Dial", SubEvent="End", Channel=channel, UniqueID=uid, DialStatus=status)


def old_bridge(state: str, uid1: str, channel1: str, uid2: str, channel2: str) -> TraceEvent:
    return event(
        "Bridge", Bridgestate=state, Channel1=channel1, Uniqueid1=uid1, Channel2=channel2, Uniqueid2=uid2
    )


def old_masquerade(clone: str, clone_uid: str, original: str, original_uid: str) -> list[TraceEvent]:
    """The person of `clone` takes over `original_uid`; the zombie of `original` is left with `clone_uid`."""
    return [
        event("Masquerade", Clone=clone, Original=original),
        event("Rename", Uniqueid=clone_uid, Channel=clone, Newname=f"{clone}<MASQ>"),
        event("Rename", Uniqueid=original_uid, Channel=original, Newname=clone),
        event("Rename", Uniqueid=clone_uid, Channel=f"{clone}<MASQ>", Newname=f"{original}<ZOMBIE>"),
    ]


def hangup(uid: str, channel: str, cause: int = 16) -> TraceEvent:
    return event("Hangup", Uniqueid=uid, Channel=channel, Cause=str(cause))


def old_talk() -> list[TraceEvent]:
    """201 talks with 202."""
    return [
        *old_caller("1", A, "201", "202"),
        *old_dial("1", A, "2", B, "202"),
        old_state("2", B, 6),
        old_state("1", A, 6),
        old_bridge("Link", "1", A, "2", B),
    ]


TALK = ["A started 201 -> (202)", "A ringing 201 -> 202", "A answered 201 -> 202"]
