"""Which AMI event means what to the graph of legs: a small function each, and the table of all (`HANDLERS`).

Two generations of AMI are read: BridgeEnter, DialBegin, AttendedTransfer of Asterisk 12 and later, and
Bridge, Dial, Masquerade, Transfer before it. A header that is missing makes a function do less, never raise.
"""

from __future__ import annotations

from collections.abc import Callable

from channels.asterisk.call_graph import UNKNOWN, CallEvent, CallGraph
from channels.asterisk.call_picture import GATHERINGS, Call, Leg, hearers

Handler = Callable[[CallGraph, CallEvent], None]
SUCCESS = ("", "Success")


# -- legs ----------------------------------------------------------------------------------------------


def _shown(graph: CallGraph, event: CallEvent) -> None:
    graph.seen(event)


def _listed(graph: CallGraph, event: CallEvent) -> None:
    """A row of CoreShowChannels or Status: a channel as it is now."""
    leg = graph.seen(event)
    if leg is None:
        return
    application = event.get("Application")
    if application in ("Dial", "Queue") and leg.is_person and leg.call.caller is None:
        leg.call.caller = leg
    if event.get("BridgeId") not in UNKNOWN:
        graph.join(leg, event.get("BridgeId"), silent=application in ("BridgeWait", "ConfBridge", "Park"))


def _hangs_up(graph: CallGraph, event: CallEvent) -> None:
    leg = graph.seen(event)
    if leg is not None:
        leg.hung_up = True


def _hangup(graph: CallGraph, event: CallEvent) -> None:
    leg = graph.living(event.get("Uniqueid"))
    if leg is not None:
        graph.story.settle_unsure()
        graph.hang_up(leg, event.get("Cause"))


def _renamed(graph: CallGraph, event: CallEvent) -> None:
    leg = graph.living(event.get("Uniqueid"))
    if leg is not None and event.get("Newname") not in graph.by_channel:
        graph.rename(leg, event.get("Newname"))


def _masqueraded(graph: CallGraph, event: CallEvent) -> None:
    clone = graph.by_channel.get(event.get("Clone"))
    original = graph.by_channel.get(event.get("Original"))
    if clone is not None and original is not None and clone is not original:
        graph.change_places(clone, original)


def _local_pair(graph: CallGraph, event: CallEvent) -> None:
    one = graph.seen(event, "LocalOne") or graph.living(event.get("Uniqueid1"))
    two = graph.seen(event, "LocalTwo") or graph.living(event.get("Uniqueid2"))
    if one is not None and two is not None and one is not two:
        graph.pair(one, two)


# -- dials ---------------------------------------------------------------------------------------------


def _dial_begin(graph: CallGraph, event: CallEvent) -> None:
    source, target = graph.seen(event), graph.seen(event, "Dest")
    if target is not None:
        graph.dial(source, target)


def _dial_state(graph: CallGraph, event: CallEvent) -> None:
    target = graph.seen(event, "Dest")
    if target is not None and event.get("DialStatus").upper() in ("RINGING", "PROGRESS"):
        graph.story.ring(target)


def _dial_end(graph: CallGraph, event: CallEvent) -> None:
    source, target = graph.seen(event), graph.seen(event, "Dest")
    if target is not None:
        forwarded = event.get("Forward") not in UNKNOWN
        graph.dial_over(source, target, "" if forwarded else event.get("DialStatus").upper())


def _old_dial(graph: CallGraph, event: CallEvent) -> None:
    """Its end names only the one who dialled."""
    source, part = graph.seen(event), event.get("SubEvent").lower()
    target = graph.seen(event, "Dest", "Destination")
    if part == "begin" and target is not None:
        graph.dial(source, target)
    elif part == "end" and source is not None:
        for leg in list(source.call.legs):
            if leg.dialled_by is source and leg.dial == "open":
                graph.dial_over(source, leg, event.get("DialStatus").upper())


def _agent_called(graph: CallGraph, event: CallEvent) -> None:
    """A queue rings a member: before Asterisk 12 only this tells, and by channel names."""
    source = graph.by_channel.get(event.get("ChannelCalling")) or graph.seen(event)
    target = graph.by_channel.get(event.get("DestinationChannel")) or graph.seen(event, "Dest")
    if source is not None and target is not None and target.dial == "none" and not target.gone:
        graph.dial(source, target)


# -- bridges -------------------------------------------------------------------------------------------


def _bridge_enter(graph: CallGraph, event: CallEvent) -> None:
    leg = graph.seen(event)
    if leg is not None:
        holding = event.get("BridgeTechnology") == "holding_bridge"
        gathers = event.get("BridgeCreator").lower() in GATHERINGS
        graph.join(leg, event.get("BridgeUniqueid"), silent=holding or gathers)


def _bridge_leave(graph: CallGraph, event: CallEvent) -> None:
    leg = graph.seen(event)
    if leg is not None and leg.bridge is not None and leg.bridge.uid == event.get("BridgeUniqueid"):
        graph.leave(leg)


def _bridge_gone(graph: CallGraph, event: CallEvent) -> None:
    graph.dissolve(event.get("BridgeUniqueid"))


def _old_bridge(graph: CallGraph, event: CallEvent) -> None:
    """Two legs at a time; the bridge has no name."""
    one, two = graph.living(event.get("Uniqueid1")), graph.living(event.get("Uniqueid2"))
    if one is None or two is None or one is two:
        return
    if event.name == "Unlink" or event.get("Bridgestate").lower() == "unlink":
        graph.leave(one)
        graph.leave(two)
    elif one.bridge is None or one.bridge is not two.bridge:
        graph.join(one, f"{one.uid}+{two.uid}")
        graph.join(two, f"{one.uid}+{two.uid}")


# -- transfers, pickups --------------------------------------------------------------------------------


def _attended(graph: CallGraph, event: CallEvent) -> None:
    by, second = graph.known(event, "OrigTransferer"), graph.known(event, "SecondTransferer")
    if by is None or second is None or event.get("Result") not in SUCCESS:
        return
    transferee = graph.known(event, "Transferee") or by.call.partner(by)
    if transferee is not None:
        _join_two(graph, transferee, second, graph.known(event, "TransferTarget"))


def _join_two(graph: CallGraph, transferee: Leg, second: Leg, target: Leg | None) -> None:
    """`second` is the leg with which the one who leaves spoke to, or rang, the target."""
    other = _consultation(graph, transferee.call, second)
    ringing = [leg for leg in other.people if leg.alerting and leg is not second]
    target = target or other.partner(second)
    if ringing and not other.heard:
        graph.story.blonde(transferee, ringing, second)
    elif target is not None and target is not transferee:
        graph.story.attended(transferee, target, second)


def _consultation(graph: CallGraph, call: Call, by: Leg) -> Call:
    """The call in which `by` consulted: its own, or one held over the same telephone."""
    if by.call is not call:
        return by.call
    calls = graph.story.book.calls.values()
    return next((one for one in calls if one.consult_of is call and one.caller is by), call)


def _blind(graph: CallGraph, event: CallEvent) -> None:
    by = graph.known(event, "Transferer")
    if by is not None and event.get("Result") in SUCCESS:
        transferee = graph.known(event, "Transferee") or by.call.partner(by)
        graph.story.hand_over(by.call, by, transferee, "blind")


def _old_transfer(graph: CallGraph, event: CallEvent) -> None:
    by, other = graph.known(event), graph.known(event, "Target")
    if by is None:
        return
    transferee = by.call.partner(by)
    if event.get("TransferType").lower() == "blind":
        graph.story.hand_over(by.call, by, transferee or other, "blind")
    elif transferee is not None and other is not None:
        _join_two(graph, transferee, other, None)


def _picked_up(graph: CallGraph, event: CallEvent) -> None:
    picker, target = graph.seen(event), graph.known(event, "Target")
    if picker is not None and target is not None and picker is not target:
        graph.take_over(picker, target)


# -- hold, queues, agents ------------------------------------------------------------------------------


def _hold(graph: CallGraph, event: CallEvent) -> None:
    leg = graph.seen(event)
    if leg is None:
        return
    leg.tells_holds = True
    if event.get("Status").lower() == "off":
        graph.story.resumed(leg)
    else:
        graph.story.held(leg)


def _unhold(graph: CallGraph, event: CallEvent) -> None:
    leg = graph.seen(event)
    if leg is not None:
        graph.story.resumed(leg)


def _music(graph: CallGraph, event: CallEvent) -> None:
    """Somebody hears music: the other one holds, where the PBX tells of no hold as such."""
    leg = graph.seen(event)
    partner = leg.call.partner(leg) if leg is not None else None
    if leg is None or partner is None or leg.bridge is None or leg.bridge.silent:
        return
    if event.name == "MusicOnHoldStop" or event.get("State").lower() == "stop":
        graph.story.resumed(partner, by_music=True)
    elif partner in hearers(leg) and not partner.tells_holds:
        graph.story.held(partner, by_music=True)


def _queued(graph: CallGraph, event: CallEvent) -> None:
    leg = graph.seen(event)
    if leg is not None and leg.is_person:
        leg.call.caller = leg.call.caller or leg
        graph.story.start(leg.call)


def _abandoned(graph: CallGraph, event: CallEvent) -> None:
    """Newer Asterisks say this of a queue's own time-out too, where nobody answered."""
    leg = graph.known(event)
    if leg is not None and not leg.call.heard and (leg.hung_up or not leg.call.verdicts):
        leg.call.abandoned = True


def _agent_stands(graph: CallGraph, event: CallEvent) -> None:
    leg = graph.seen(event)
    if leg is not None:
        leg.standing = event.name == "AgentLogin"


HANDLERS: dict[str, Handler] = {
    "Newchannel": _shown,
    "Newstate": _shown,
    "NewCallerid": _shown,
    "NewConnectedLine": _shown,
    "BridgeInfoChannel": _shown,
    "CoreShowChannel": _listed,
    "Status": _listed,
    "HangupRequest": _hangs_up,
    "Hangup": _hangup,
    "Rename": _renamed,
    "Masquerade": _masqueraded,
    "LocalBridge": _local_pair,
    "DialBegin": _dial_begin,
    "DialState": _dial_state,
    "DialEnd": _dial_end,
    "Dial": _old_dial,
    "AgentCalled": _agent_called,
    "BridgeEnter": _bridge_enter,
    "BridgeLeave": _bridge_leave,
    "BridgeDestroy": _bridge_gone,
    "Bridge": _old_bridge,
    "Link": _old_bridge,
    "Unlink": _old_bridge,
    "AttendedTransfer": _attended,
    "BlindTransfer": _blind,
    "Transfer": _old_transfer,
    "Pickup": _picked_up,
    "Hold": _hold,
    "Unhold": _unhold,
    "MusicOnHold": _music,
    "MusicOnHoldStart": _music,
    "MusicOnHoldStop": _music,
    "QueueCallerJoin": _queued,
    "Join": _queued,
    "QueueCallerAbandon": _abandoned,
    "ConfbridgeJoin": _shown,
    "MeetmeJoin": _shown,
    "AgentLogin": _agent_stands,
    "AgentLogoff": _agent_stands,
}
# What may come between the answer of a pickup, or of a leg about to be bridged, and its joining a call.
JOINING = frozenset(
    {
        "Bridge",
        "BridgeDestroy",
        "BridgeEnter",
        "BridgeLeave",
        "DialBegin",
        "DialEnd",
        "Hangup",
        "Masquerade",
        "MusicOnHoldStop",
        "NewCallerid",
        "NewConnectedLine",
        "Newstate",
        "Pickup",
        "Rename",
    }
)
# What may come between the end of a hold and the transfer that ended it.
TRANSFERRING = (JOINING - {"Hangup"}) | {
    "AttendedTransfer",
    "BlindTransfer",
    "MusicOnHold",
    "Transfer",
    "Unhold",
}
