"""Calls by hand-made events: what no trace of a newer Asterisk shows, and the picture beside the changes."""

from __future__ import annotations

import pytest

from channels.asterisk import call_graph
from channels.asterisk.calls import EVENTS, CallFold
from channels.asterisk.replay import TraceEvent
from tests.channels.asterisk.by_hand import (
    TALK,
    A,
    B,
    event,
    fold,
    hangup,
    old_caller,
    old_dial,
    old_state,
    old_talk,
)
from tests.pbx.stories import tell


def leg(uid: str, channel: str, number: str, link: str = "", state: str = "4", exten: str = "") -> TraceEvent:
    return event(
        "Newchannel",
        Uniqueid=uid,
        Channel=channel,
        CallerIDNum=number,
        CallerIDName="<unknown>",
        ChannelState=state,
        Linkedid=link or uid,
        Exten=exten,
    )


def enters(uid: str, channel: str, bridge: str, technology: str = "simple_bridge") -> TraceEvent:
    return event(
        "BridgeEnter",
        Uniqueid=uid,
        Channel=channel,
        BridgeUniqueid=bridge,
        BridgeTechnology=technology,
        ChannelState="6",
    )


def leaves(uid: str, channel: str, bridge: str) -> TraceEvent:
    return event("BridgeLeave", Uniqueid=uid, Channel=channel, BridgeUniqueid=bridge)


def test_an_agent_who_stays_on_the_line_talks_with_one_caller_after_the_other() -> None:
    agent = "PJSIP/301-1"
    events = [
        leg("1", agent, "301", exten="*77"),
        event("Newstate", Uniqueid="1", Channel=agent, ChannelState="6"),
        event("AgentLogin", Uniqueid="1", Channel=agent, Agent="1001"),
        enters("1", agent, "pool", "holding_bridge"),
    ]
    for uid, number in (("2", "0215550111"), ("3", "0215550112")):
        caller = f"PJSIP/trunk-{uid}"
        events += [
            leg(uid, caller, number, exten="600"),
            event("QueueCallerJoin", Uniqueid=uid, Channel=caller, Queue="sales"),
            leaves("1", agent, "pool"),
            enters(uid, caller, f"b{uid}"),
            enters("1", agent, f"b{uid}"),
            hangup(uid, caller),
            leaves("1", agent, f"b{uid}"),
            enters("1", agent, "pool", "holding_bridge"),
        ]
    events.append(hangup("1", agent))
    assert tell(fold(events)) == [
        "A started 301 -> (*77)",
        "B started 0215550111 -> (600)",
        "B answered 0215550111 -> 301",
        "B ended 0215550111 -> 301 completed",
        "C started 0215550112 -> (600)",
        "C answered 0215550112 -> 301",
        "C ended 0215550112 -> 301 completed",
        "A ended 301 -> (*77) completed",
    ]


def test_early_media_rings_too_and_only_once() -> None:
    target, caller = "PJSIP/trunk-2", "PJSIP/201-1"
    ids = {"Uniqueid": "1", "Channel": caller, "DestUniqueid": "2", "DestChannel": target}
    events = [
        leg("1", caller, "201", exten="0215550100"),
        leg("2", target, "0215550100", link="1", state="0"),
        event("DialBegin", **ids),
        event("DialState", **ids, DialStatus="PROGRESS"),
        event("DialState", **ids, DialStatus="RINGING"),
        event("Newstate", Uniqueid="2", Channel=target, ChannelState="5"),
        event("DialEnd", **ids, DialStatus="CANCEL"),
        hangup("2", target),
        hangup("1", caller),
    ]
    assert tell(fold(events)) == [
        "A started 201 -> (0215550100)",
        "A ringing 201 -> 0215550100",
        "A ended 201 -> 0215550100 cancelled",
    ]


def through_local(*people: tuple[str, str, int], caller_cause: int) -> list[TraceEvent]:
    """201 calls a group of Local channels; each of `people` (number, DialStatus, cause) ends its own way."""
    caller = "PJSIP/201-1"
    events = [leg("1", caller, "201", exten="600")]
    ends = []
    for index, (number, status, cause) in enumerate(people, 1):
        one, two, phone = (
            f"Local/{number}@x-{index};1",
            f"Local/{number}@x-{index};2",
            f"PJSIP/{number}-{index}",
        )
        to_local = {"Uniqueid": "1", "Channel": caller, "DestUniqueid": f"{index}1", "DestChannel": one}
        to_phone = {
            "Uniqueid": f"{index}2",
            "Channel": two,
            "DestUniqueid": f"{index}3",
            "DestChannel": phone,
        }
        events += [
            leg(f"{index}1", one, "600", link="1", state="0"),
            leg(f"{index}2", two, "201", link="1"),
            event("DialBegin", **to_local),
            leg(f"{index}3", phone, number, link="1", state="0"),
            event("DialBegin", **to_phone),
            event("Newstate", Uniqueid=f"{index}3", Channel=phone, ChannelState="5"),
        ]
        ends += [
            event("DialEnd", **to_phone, DialStatus=status),
            hangup(f"{index}3", phone, cause),
            event("DialEnd", **to_local, DialStatus="NOANSWER"),
            hangup(f"{index}2", two, 19),
            hangup(f"{index}1", one, 19),
        ]
    return [*events, *ends, hangup("1", caller, caller_cause)]


@pytest.mark.parametrize(
    ("people", "caller_cause", "reason"),
    [
        ([("202", "BUSY", 21)], 19, "rejected"),
        ([("202", "BUSY", 17)], 19, "busy"),
        ([("202", "CANCEL", 16)], 19, "no_answer"),
        ([("202", "BUSY", 17), ("203", "BUSY", 21)], 19, "no_answer"),
        ([("202", "BUSY", 17), ("203", "BUSY", 17)], 17, "busy"),
        ([("202", "BUSY", 17), ("203", "BUSY", 21)], 16, "rejected"),
    ],
)
def test_why_people_behind_local_channels_were_not_reached(
    people: list[tuple[str, str, int]], caller_cause: int, reason: str
) -> None:
    assert fold(through_local(*people, caller_cause=caller_cause))[-1].reason == reason


def test_a_dial_without_an_end_was_cancelled() -> None:
    events = [
        *old_caller("1", A, "201", "202"),
        *old_dial("1", A, "2", B, "202"),
        hangup("2", B),
        hangup("1", A),
    ]
    assert fold(events)[-1].reason == "cancelled"


def test_ringing_may_be_told_before_the_dial() -> None:
    caller, target = "PJSIP/201-1", "PJSIP/202-2"
    events = [
        leg("1", caller, "201", exten="202"),
        leg("2", target, "202", link="1", state="0"),
        event("Newstate", Uniqueid="2", Channel=target, ChannelState="5"),
        event("DialBegin", Uniqueid="1", Channel=caller, DestUniqueid="2", DestChannel=target),
    ]
    assert tell(fold(events)) == ["A started 201 -> (202)", "A ringing 201 -> 202"]


def test_a_person_without_caller_id_is_known_by_the_telephone() -> None:
    events = [
        leg("1", "PJSIP/201-1", "<unknown>", exten="202"),
        leg("2", "PJSIP/line-5-2", "", link="1", state="0"),
        event(
            "DialBegin", Uniqueid="1", Channel="PJSIP/201-1", DestUniqueid="2", DestChannel="PJSIP/line-5-2"
        ),
        event("Newstate", Uniqueid="2", Channel="PJSIP/line-5-2", ChannelState="5"),
    ]
    ringing = fold(events)[-1]
    assert ringing.frm is not None
    assert (ringing.frm.number, ringing.frm.name) == ("201", "")
    assert not isinstance(ringing.to, tuple)
    assert ringing.to is not None
    assert (ringing.to.number, ringing.to.channel) == ("", "PJSIP/line-5-2")


def test_music_that_comes_late_is_no_second_hold() -> None:
    events = [
        *old_talk(),
        event("Hold", Channel=B, Uniqueid="2"),
        event("Unhold", Channel=B, Uniqueid="2"),
        event("MusicOnHoldStart", Channel=A, Uniqueid="1"),
        event("MusicOnHoldStop", Channel=A, Uniqueid="1"),
    ]
    assert tell(fold(events)) == [*TALK, "A held 201 -> 202 by 202", "A resumed 201 -> 202 by 202"]


def test_a_late_event_does_not_revive_the_dead() -> None:
    events = [*old_talk(), hangup("2", B), hangup("1", A)]
    folder = CallFold()
    for one in events:
        folder.handle(one)
    assert folder.handle(old_state("1", A, 6)) == []
    assert folder.call_of("1") is None
    assert folder.flush() == []


def test_the_picture_follows() -> None:
    folder = CallFold("main")
    seen = []
    for one in [*old_talk(), event("Hold", Channel=B, Uniqueid="2", Status="On"), hangup("2", B)]:
        folder.handle(one)
        call = folder.call_of("1")
        assert call is not None
        seen.append((call.state, call.since))
    assert [state for state, _ in dict.fromkeys(seen)] == [
        "setup",
        "setup",
        "ringing",
        "talking",
        "held",
        "setup",
    ]
    call = folder.calls["main/1"]
    assert call is folder.call_of("1")
    assert call.frm is not None
    assert (call.frm.number, call.to) == ("201", call.last_to[0].person())
    assert [one.channel for one in call.people] == [A]


def test_reset_ends_all_calls() -> None:
    folder = CallFold()
    for one in old_talk():
        folder.handle(one)
    assert tell(folder.reset()) == ["A ended 201 -> 202 failed"]
    assert not folder.calls
    assert folder.call_of("1") is None
    assert folder.reset() == []


def test_legs_that_never_hang_up_are_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(call_graph, "MAX_LEGS", 10)
    folder = CallFold()
    changes = []
    for number in range(100):
        uid, channel = str(number), f"PJSIP/{number}-1"
        changes += folder.handle(leg(uid, channel, str(number)))
        changes += folder.handle(event("QueueCallerJoin", Uniqueid=uid, Channel=channel))
        assert len(folder.calls) <= 10
    assert [one.reason for one in changes if one.change == "ended"] == ["failed"] * 90


def test_unwanted_events_are_known_by_name() -> None:
    assert {"Newchannel", "BridgeEnter", "Hangup", "AttendedTransfer", "Masquerade"} <= EVENTS
    assert not {"VarSet", "RTCPSent", "Newexten", "PeerStatus"} & EVENTS
