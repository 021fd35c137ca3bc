"""Calls of AMI before Asterisk 12: Dial, Bridge, Masquerade, Transfer. No trace can be recorded here."""

from __future__ import annotations

import pytest

from channels.asterisk.replay import TraceEvent
from tests.channels.asterisk.by_hand import (
    TALK,
    A,
    B,
    C,
    event,
    fold,
    hangup,
    old_bridge,
    old_caller,
    old_channel,
    old_dial,
    old_dial_end,
    old_masquerade,
    old_state,
    old_talk,
)
from tests.pbx.stories import tell


def test_old_call() -> None:
    events = [
        *old_talk(),
        old_bridge("Unlink", "1", A, "2", B),
        hangup("2", B),
        old_dial_end("1", A, "ANSWER"),
        hangup("1", A),
    ]
    assert tell(fold(events)) == [*TALK, "A ended 201 -> 202 completed"]


@pytest.mark.parametrize(
    ("status", "cause", "reason"),
    [
        ("BUSY", 17, "busy"),
        ("BUSY", 21, "rejected"),
        ("NOANSWER", 0, "no_answer"),
        ("CANCEL", 0, "cancelled"),
        ("CONGESTION", 34, "failed"),
    ],
)
def test_old_call_that_nobody_answers(status: str, cause: int, reason: str) -> None:
    events = [
        *old_caller("1", A, "201", "202"),
        *old_dial("1", A, "2", B, "202"),
        hangup("2", B, cause),
        old_dial_end("1", A, status),
        hangup("1", A),
    ]
    if status == "CANCEL":  # the caller's leg asks first
        events[-3:] = [old_dial_end("1", A, status), hangup("2", B, cause), hangup("1", A)]
    assert tell(fold(events))[-1] == f"A ended 201 -> 202 {reason}"


def test_old_call_through_a_local_channel_that_goes_away() -> None:
    one, two = "Local/203@x-1;1", "Local/203@x-1;2"
    events = [
        *old_caller("1", A, "201", "203"),
        old_channel("7", one),
        old_channel("8", two),
        event("LocalBridge", Channel1=one, Uniqueid1="7", Channel2=two, Uniqueid2="8"),
        event("Dial", SubEvent="Begin", Channel=A, UniqueID="1", Destination=one, DestUniqueID="7"),
        *old_dial("8", two, "3", C, "203"),
        old_state("3", C, 6),
        old_bridge("Link", "8", two, "3", C),
        old_bridge("Link", "1", A, "7", one),
        *old_masquerade(C, "3", one, "7"),
        event("NewCallerid", Uniqueid="7", Channel=C, CallerIDNum="203"),
        hangup("8", two),
        hangup("3", f"{one}<ZOMBIE>"),
        old_bridge("Unlink", "1", A, "7", C),
        hangup("7", C),
        hangup("1", A),
    ]
    assert tell(fold(events)) == [
        "A started 201 -> (203)",
        "A ringing 201 -> 203",
        "A answered 201 -> 203",
        "A ended 201 -> 203 completed",
    ]


CONSULT = "SIP/202-0d"


def old_consult(*, answered: bool) -> list[TraceEvent]:
    """202 calls 203 on a second line."""
    rings = [*old_caller("4", CONSULT, "202", "203"), *old_dial("4", CONSULT, "3", C, "203")]
    talks = [old_state("3", C, 6), old_state("4", CONSULT, 6), old_bridge("Link", "4", CONSULT, "3", C)]
    return rings + talks if answered else rings


def old_transfer(kind: str, channel: str, uid: str, target: str, target_uid: str) -> TraceEvent:
    return event(
        "Transfer",
        TransferMethod="SIP",
        TransferType=kind,
        Channel=channel,
        Uniqueid=uid,
        TargetChannel=target,
        TargetUniqueid=target_uid,
    )


def old_end_of_transfer() -> list[TraceEvent]:
    return [
        old_bridge("Unlink", "1", f"{CONSULT}<ZOMBIE>", "2", B),
        hangup("2", B),
        old_dial_end("1", f"{CONSULT}<ZOMBIE>", "ANSWER"),
        hangup("1", f"{CONSULT}<ZOMBIE>"),
    ]


def test_old_attended_transfer() -> None:
    events = [
        *old_talk(),
        event("MusicOnHold", State="Start", Channel=A, UniqueID="1"),
        *old_consult(answered=True),
        old_transfer("Attended", B, "2", CONSULT, "4"),
        event("MusicOnHold", State="Stop", Channel=A, UniqueID="1"),
        *old_masquerade(A, "1", CONSULT, "4"),
        *old_end_of_transfer(),
        old_bridge("Unlink", "4", A, "3", C),
        hangup("3", C),
        hangup("4", A),
    ]
    changes = fold(events)
    assert tell(changes) == [
        *TALK,
        "A held 201 -> 202 by 202",
        "B started 202 -> (203)",
        "B ringing 202 -> 203",
        "B answered 202 -> 203",
        "A transferred 201 -> 203 by 202 attended",
        "B ended 202 -> 203 completed",
        "A ended 201 -> 203 completed",
    ]
    transferred = changes[-3]
    assert transferred.by is not None
    assert transferred.by.channel == CONSULT


def test_old_attended_transfer_without_a_transfer_event() -> None:
    """The masquerade alone joins the two: who left is the one both had talked with."""
    events = [
        *old_talk(),
        *old_consult(answered=True),
        *old_masquerade(A, "1", CONSULT, "4"),
        *old_end_of_transfer(),
        hangup("3", C),
        hangup("4", A),
    ]
    assert "A transferred 201 -> 203 by 202 attended" in tell(fold(events))


def test_old_blonde_transfer() -> None:
    events = [
        *old_talk(),
        *old_consult(answered=False),
        old_transfer("Attended", B, "2", CONSULT, "4"),
        *old_masquerade(A, "1", CONSULT, "4"),
        *old_end_of_transfer(),
        old_state("3", C, 6),
        old_bridge("Link", "4", A, "3", C),
        hangup("3", C),
        hangup("4", A),
    ]
    assert tell(fold(events))[3:] == [
        "B started 202 -> (203)",
        "B ringing 202 -> 203",
        "A transferred 201 -> 203 by 202 blonde",
        "B ended 202 -> 203 completed",
        "A answered 201 -> 203",
        "A ended 201 -> 203 completed",
    ]


def test_old_blind_transfer_of_the_one_called() -> None:
    """The one sent on gets a new channel to run the dialplan in, and takes its place."""
    goto = f"AsyncGoto/{B}"
    events = [
        *old_talk(),
        old_transfer("Blind", A, "1", B, "2"),
        old_channel("9", goto),
        *old_masquerade(B, "2", goto, "9"),
        old_bridge("Unlink", "1", A, "2", f"{goto}<ZOMBIE>"),
        hangup("2", f"{goto}<ZOMBIE>"),
        hangup("1", A),
        *old_dial("9", B, "3", C, "203"),
        old_state("3", C, 6),
        old_bridge("Link", "9", B, "3", C),
        hangup("3", C),
        hangup("9", B),
    ]
    assert tell(fold(events))[3:] == [
        "A transferred 202 -> 203 by 201 blind",
        "A answered 202 -> 203",
        "A ended 202 -> 203 completed",
    ]


def test_old_pickup() -> None:
    events = [
        *old_caller("1", A, "201", "202"),
        *old_dial("1", A, "2", B, "202"),
        *old_caller("3", C, "203", "*8"),
        old_state("3", C, 6),
        *old_masquerade(C, "3", B, "2"),
        hangup("3", f"{B}<ZOMBIE>"),
        old_bridge("Link", "1", A, "2", C),
        hangup("2", C),
        hangup("1", A),
    ]
    assert tell(fold(events)) == [
        "A started 201 -> (202)",
        "A ringing 201 -> 202",
        "A answered 201 -> 203",
        "A ended 201 -> 203 completed",
    ]


def test_old_queue_tells_its_members_by_agent_called_only() -> None:
    events = [
        *old_caller("1", A, "201", "600"),
        old_state("1", A, 6),
        event("Join", Channel=A, Uniqueid="1", Queue="sales"),
        old_channel("2", B, "202"),
        event("AgentCalled", Queue="sales", ChannelCalling=A, DestinationChannel=B, Uniqueid="1"),
        old_state("2", B, 5),
        old_state("2", B, 6),
        old_bridge("Link", "1", A, "2", B),
        hangup("1", A),
        hangup("2", B),
    ]
    assert tell(fold(events)) == [
        "A started 201 -> (600)",
        "A ringing 201 -> 202",
        "A answered 201 -> 202",
        "A ended 201 -> 202 completed",
    ]


# -- what no scenario plays ------------------------------------------------------------------------------
