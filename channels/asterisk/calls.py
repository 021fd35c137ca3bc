"""The folded call model: AMI events in, what people did with their telephones out. Pure: no clock, no I/O.

    AMI event --> graph of legs, bridges, dials --> CallStory --> [Change, ...]
                  (this file, call_picture)         (call_story)

The event table at the end of this file names every event that matters; all others are ignored. An event may
lack any header, name legs never seen before (the fold was attached to a running PBX), come twice or out of
order: that can make a story poorer, never raise. What is known of a leg comes from whatever event shows it.

Two generations of AMI are read: BridgeEnter/DialBegin/AttendedTransfer (Asterisk 12 and later) and
Bridge/Dial/Masquerade/Transfer before it.

Memory is bounded: an ended call is forgotten with its legs, the last TOMBSTONES uniqueids are kept so that
late events do not revive them, and beyond MAX_LEGS legs the oldest call is given up as `failed`.
"""

from __future__ import annotations

import itertools
from collections import OrderedDict
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Protocol

from channels.asterisk.call_picture import (
    AST_RING,
    AST_RINGING,
    AST_UP,
    GATHERINGS,
    NOT_DIALLED,
    Bridge,
    Call,
    Change,
    Leg,
    Person,
    dialler,
    hearers,
    swap_places,
)
from channels.asterisk.call_reasons import dial_verdict
from channels.asterisk.call_story import CallStory

__all__ = ["Call", "CallEvent", "CallFold", "Change", "Person"]

TOMBSTONES = 10_000
MAX_LEGS = 50_000
UNKNOWN = frozenset({"", "<unknown>", "<null>", "(null)", "unknown"})
# What may come between the answer of a pickup and its taking over: none of it proves a call of its own.
PICKUP_TAIL = frozenset(
    {
        "Newstate",
        "Pickup",
        "Rename",
        "NewCallerid",
        "NewConnectedLine",
        "NewAccountCode",
        "DialBegin",
        "DialEnd",
        "VarSet",
        "BridgeEnter",
        "Hangup",
    }
)


class CallEvent(Protocol):
    """One AMI event: its name, and its headers by name ("" for a missing one). Names ignore case."""

    @property
    def name(self) -> str: ...

    def get(self, name: str, default: str = "") -> str: ...


class CallFold:
    """Feed it every event of one PBX in order. Ids of calls begin with `pbx/` when `pbx` is given.

    `calls` are those under way, by id; `call_of` finds the call of one leg. After a lost connection the
    picture cannot be trusted: `reset()`, then feed the rows of CoreShowChannels or Status.
    """

    def __init__(self, pbx: str = "") -> None:
        self._story = CallStory(f"{pbx}/" if pbx else "", self._forget, self._relink)
        self._legs: dict[str, Leg] = {}
        self._by_channel: dict[str, Leg] = {}
        self._bridges: dict[str, Bridge] = {}
        self._links: dict[str, Call] = {}  # by Linkedid
        self._orders = itertools.count()
        self._tombs: OrderedDict[str, None] = OrderedDict()
        self.calls: Mapping[str, Call] = MappingProxyType(self._story.calls)

    def handle(self, event: CallEvent) -> list[Change]:
        """Take one event; the changes it brings, mostly none."""
        story = self._story
        story.now += 1
        name = event.name
        if story.due and name not in PICKUP_TAIL:
            self._start_due(event.get("Uniqueid"))
        handler = _HANDLERS.get(name)
        if handler is not None:
            handler(self, event)
        return self._take()

    def flush(self) -> list[Change]:
        """Tell what waits for an event that would explain it. Call it when no more events are at hand."""
        for call in list(self._story.due.values()):
            self._story.start(call)
        self._story.settle_unsure()
        return self._take()

    def reset(self) -> list[Change]:
        """The connection was lost: every call under way ends as `failed`, all is forgotten."""
        for call in list(self._story.calls.values()):
            self._story.end(call, "failed")
        for table in (self._legs, self._by_channel, self._bridges, self._links, self._story.due):
            table.clear()
        return self._take()

    def call_of(self, uniqueid: str) -> Call | None:
        """The call that this leg belongs to, told or not; None for a leg not known or gone."""
        leg = self._legs.get(uniqueid)
        return None if leg is None or leg.gone else leg.call

    # -- legs ------------------------------------------------------------------------------------------

    def _seen(self, event: CallEvent, prefix: str = "", channel: str = "") -> Leg | None:
        """The living leg that these headers show, brought up to date; None without one, or for a dead one."""
        uid = event.get(f"{prefix}Uniqueid")
        if uid in UNKNOWN or uid in self._tombs:
            return None
        leg = self._legs.get(uid)
        name = event.get(channel or f"{prefix}Channel")
        if leg is None:
            if name in UNKNOWN:
                return None
            leg = self._new_leg(uid, name, event.get(f"{prefix}Linkedid"))
        if leg.gone:
            return None
        self._update(leg, event, prefix, name)
        return leg

    def _new_leg(self, uid: str, channel: str, link: str) -> Leg:
        if len(self._legs) >= MAX_LEGS:
            self._story.end(next(iter(self._legs.values())).call, "failed")
        link = uid if link in UNKNOWN else link
        other_half = self._by_channel.get(_other_half(channel))
        call = self._links.get(link) or (other_half.call if other_half else None)
        if call is None or call.state == "ended":
            call = self._story.new_call(link)
        self._links[link] = call
        call.links.add(link)
        leg = Leg(uid, next(self._orders), call, channel)
        call.legs.append(leg)
        self._legs[uid] = leg
        if other_half is not None:
            leg.pair, other_half.pair = other_half, leg
        return leg

    def _update(self, leg: Leg, event: CallEvent, prefix: str, channel: str) -> None:
        if channel not in UNKNOWN and "<" not in channel:
            leg.channel = channel
            self._by_channel[channel] = leg
        number, name = event.get(f"{prefix}CallerIDNum"), event.get(f"{prefix}CallerIDName")
        leg.number = leg.number if number in UNKNOWN else number
        leg.name = leg.name if name in UNKNOWN else name
        exten = event.get(f"{prefix}Exten")
        if not leg.dialled and exten not in NOT_DIALLED:
            leg.dialled = exten
        state = event.get(f"{prefix}ChannelState")
        if state.isdigit():
            self._enter_state(leg, int(state))

    def _enter_state(self, leg: Leg, state: int) -> None:
        if leg.state == state:
            return
        leg.state = state
        call = leg.call
        if state == AST_RING and leg.is_person and leg.dialled_by is None and call.caller is None:
            call.caller = leg
        elif state == AST_RINGING:
            self._story.ring(leg)
        elif state == AST_UP:
            self._story.up(leg)

    def _known(self, event: CallEvent, prefix: str) -> Leg | None:
        """The leg that these headers name, gone or not, if a person is behind it."""
        leg = self._legs.get(event.get(f"{prefix}Uniqueid"))
        return leg if leg is not None and leg.is_person else None

    def _shown(self, event: CallEvent) -> None:
        self._seen(event)

    def _listed(self, event: CallEvent) -> None:
        """A row of CoreShowChannels or Status: a channel as it is now."""
        leg = self._seen(event)
        if leg is None:
            return
        application = event.get("Application")
        if application in ("Dial", "Queue") and leg.is_person and leg.call.caller is None:
            leg.call.caller = leg
        bridge = event.get("BridgeId")
        if bridge not in UNKNOWN:
            self._join(leg, bridge, silent=application in ("BridgeWait", "ConfBridge", "Park"))

    def _hangup(self, event: CallEvent) -> None:
        leg = self._legs.get(event.get("Uniqueid"))
        if leg is None or leg.gone:
            return
        self._story.settle_unsure()
        cause = event.get("Cause")
        leg.cause = int(cause) if cause.isdigit() else leg.cause
        self._leave(leg)
        leg.gone = True
        self._story.gone(leg)

    def _renamed(self, event: CallEvent) -> None:
        """A plain rename. Those of a masquerade pass through `<MASQ>`, and their net effect is none."""
        leg = self._legs.get(event.get("Uniqueid"))
        new = event.get("Newname")
        if leg is not None and "<" not in new and new not in UNKNOWN and new not in self._by_channel:
            leg.channel = new
            self._by_channel[new] = leg

    def _masqueraded(self, event: CallEvent) -> None:
        """Before Asterisk 12: the person of `Clone` takes the place of `Original`."""
        clone = self._by_channel.get(event.get("Clone"))
        original = self._by_channel.get(event.get("Original"))
        if clone is None or original is None or clone is original:
            return
        picks_up = original.alerting
        for leg in original.call.legs:
            if leg.dialled_by is original:
                leg.dialled_by = clone
        swap_places(clone, original)
        self._legs[clone.uid], self._legs[original.uid] = clone, original
        if picks_up and clone.call is not original.call:
            self._take_over(clone, original)
        self._look_around(clone)

    # -- Local pairs, dials ----------------------------------------------------------------------------

    def _local_pair(self, event: CallEvent) -> None:
        one = self._seen(event, "LocalOne") or self._legs.get(event.get("Uniqueid1"))
        two = self._seen(event, "LocalTwo") or self._legs.get(event.get("Uniqueid2"))
        if one is None or two is None:
            return
        one.pair, two.pair = two, one
        if one.call is not two.call:
            self._adopt(two, one.call)
        self._look_around(one)

    def _dial_begin(self, event: CallEvent) -> None:
        self._dial(self._seen(event), self._seen(event, "Dest"))

    def _dial(self, source: Leg | None, target: Leg | None) -> None:
        if target is None or source is target:
            return
        target.dial, target.dialled_by = "open", source
        if source is None:
            target.originated = True
        else:
            self._adopt(target, source.call)
        call = target.call
        call.verdicts.pop(target, None)
        call.abandoned = False
        if source is not None and source.is_person:
            call.caller = call.caller or source
        self._story.consult(target)
        if call.caller is not None and call.caller is not target:
            call.tried = True
            self._story.start(call)
        if target.state == AST_RINGING:
            self._story.ring(target)

    def _dial_state(self, event: CallEvent) -> None:
        target = self._seen(event, "Dest")
        if target is not None and event.get("DialStatus").upper() in ("RINGING", "PROGRESS"):
            self._story.ring(target)

    def _dial_end(self, event: CallEvent) -> None:
        source, target = self._seen(event), self._seen(event, "Dest")
        if target is not None:
            forwarded = event.get("Forward") not in UNKNOWN
            self._dial_over(source, target, "" if forwarded else event.get("DialStatus"))

    def _dial_over(self, source: Leg | None, target: Leg, status: str) -> None:
        target.dial = "over"
        call = target.call
        verdict = dial_verdict(status)
        if verdict:
            call.verdicts.setdefault(target, verdict)
        if status == "CANCEL" and source is not None and source.is_person and not call.heard:
            call.abandoned = True

    def _old_dial(self, event: CallEvent) -> None:
        """`Dial` before Asterisk 12; its end names only the one who dialled."""
        if event.get("SubEvent").lower() == "begin":
            self._dial(self._seen(event), self._seen(event, "Dest", "Destination"))
        elif event.get("SubEvent").lower() == "end":
            source = self._seen(event)
            for leg in list(source.call.legs) if source is not None else ():
                if leg.dialled_by is source and leg.dial == "open":
                    self._dial_over(source, leg, event.get("DialStatus"))

    def _agent_called(self, event: CallEvent) -> None:
        """A queue rings a member. Before Asterisk 12 this, not Dial, tells; and by channel names."""
        source = self._by_channel.get(event.get("ChannelCalling")) or self._seen(event)
        target = self._by_channel.get(event.get("DestinationChannel")) or self._seen(event, "Dest")
        if target is not None and target.dial == "none":
            self._dial(source, target)

    def _adopt(self, leg: Leg, call: Call) -> None:
        """`leg`, and its whole call if that has nobody else, belongs to `call`."""
        old = leg.call
        if old is call:
            return
        if all(one is leg or one is leg.pair or one.gone for one in old.legs):
            self._story.absorb(old, call)
        else:
            self._story.move(leg, call)

    # -- bridges ---------------------------------------------------------------------------------------

    def _bridge_enter(self, event: CallEvent) -> None:
        leg = self._seen(event)
        if leg is not None:
            technology, creator = event.get("BridgeTechnology"), event.get("BridgeCreator").lower()
            self._join(
                leg, event.get("BridgeUniqueid"), technology == "holding_bridge" or creator in GATHERINGS
            )

    def _join(self, leg: Leg, uid: str, silent: bool = False) -> None:
        bridge = self._bridges.get(uid)
        if bridge is None:
            bridge = self._bridges[uid] = Bridge(uid)
        bridge.silent = silent
        if leg.bridge is not bridge:
            self._leave(leg)
            leg.bridge = bridge
            bridge.legs.append(leg)
        self._look_around(leg)

    def _bridge_leave(self, event: CallEvent) -> None:
        leg = self._seen(event)
        if leg is not None and leg.bridge is not None and leg.bridge.uid == event.get("BridgeUniqueid"):
            self._leave(leg)

    def _leave(self, leg: Leg) -> None:
        bridge = leg.bridge
        if bridge is None:
            return
        if not bridge.silent:
            self._story.left(leg)
        leg.bridge = None
        bridge.legs.remove(leg)
        if bridge.legs:
            self._look_around(bridge.legs[0])
        else:
            self._bridges.pop(bridge.uid, None)

    def _bridge_gone(self, event: CallEvent) -> None:
        bridge = self._bridges.get(event.get("BridgeUniqueid"))
        for leg in list(bridge.legs) if bridge is not None else ():
            self._leave(leg)

    def _old_bridge(self, event: CallEvent) -> None:
        """`Bridge`, `Link` and `Unlink` before Asterisk 12: two legs at a time."""
        legs = [self._legs.get(event.get(f"Uniqueid{number}")) for number in (1, 2)]
        one, two = (leg if leg is None or not leg.gone else None for leg in legs)
        if one is None or two is None or one is two:
            return
        if event.name == "Unlink" or event.get("Bridgestate").lower() == "unlink":
            self._leave(one)
            self._leave(two)
        elif one.bridge is None or one.bridge is not two.bridge:
            self._join(one, f"{one.uid}+{two.uid}")
            self._join(two, f"{one.uid}+{two.uid}")

    def _look_around(self, leg: Leg) -> None:
        """Somebody joined or left: who talks now, and for whom do telephones ring?"""
        self._story.heard(leg)
        group = hearers(leg)
        for call in {one.call: None for one in group}:
            for one in call.legs:
                if one.state == AST_RINGING and one.alerting and not one.rung:
                    self._story.ring(one)
            if call.state == "ringing" and call.caller is not None and call.caller not in group:
                self._check_dialler(call, group)

    def _check_dialler(self, call: Call, group: list[Leg]) -> None:
        """A telephone rings for another person now than for the one who dialled: a blonde transfer."""
        ringing = [leg for leg in call.last_to if leg.alerting]
        who = dialler(ringing[0]) if ringing else None
        if who is not None and who in group and who is not call.caller and who.call is not call:
            self._story.blonde(who, ringing, call.caller)

    # -- what people do --------------------------------------------------------------------------------

    def _attended(self, event: CallEvent) -> None:
        if event.get("Result", "Success") not in ("", "Success"):
            return
        by, second = self._known(event, "OrigTransferer"), self._known(event, "SecondTransferer")
        transferee = self._known(event, "Transferee") or (by.call.partner(by) if by else None)
        if by is not None and second is not None and transferee is not None:
            self._join_two(transferee, second, self._known(event, "TransferTarget"))

    def _join_two(self, transferee: Leg, second: Leg, target: Leg | None) -> None:
        """`second` is the leg with which the one who leaves spoke to, or rang, the target."""
        other = self._consultation(transferee.call, second)
        ringing = [leg for leg in other.people if leg.alerting and leg is not second]
        target = target or other.partner(second)
        if ringing and not other.heard:
            self._story.blonde(transferee, ringing, second)
        elif target is not None and target is not transferee:
            self._story.attended(transferee, target, second)

    def _consultation(self, call: Call, by: Leg) -> Call:
        """The call in which `by` consulted: its own, or one held over the same telephone."""
        if by.call is not call:
            return by.call
        children = (one for one in self._story.calls.values() if one.consult_of is call and one.caller is by)
        return next(children, call)

    def _blind(self, event: CallEvent) -> None:
        by = self._known(event, "Transferer")
        if by is not None and event.get("Result", "Success") in ("", "Success"):
            transferee = self._known(event, "Transferee") or by.call.partner(by)
            self._story.hand_over(by.call, by, transferee, "blind")

    def _old_transfer(self, event: CallEvent) -> None:
        """`Transfer` before Asterisk 12."""
        by, other = self._known(event, ""), self._known(event, "Target")
        if by is None:
            return
        if event.get("TransferType").lower() == "blind":
            self._story.hand_over(by.call, by, by.call.partner(by) or other, "blind")
            return
        transferee = by.call.partner(by)
        if transferee is not None and other is not None:
            self._join_two(transferee, other, None)

    def _picked_up(self, event: CallEvent) -> None:
        picker, target = self._seen(event), self._known(event, "Target")
        if picker is not None and target is not None and picker.call is not target.call:
            self._take_over(picker, target)

    def _take_over(self, picker: Leg, target: Leg) -> None:
        """`picker` answers instead of `target`."""
        self._adopt(picker, target.call)
        target.dial = "over"

    def _hold(self, event: CallEvent) -> None:
        leg = self._seen(event)
        if leg is not None and event.get("Status").lower() == "off":
            self._story.resumed(leg)
        elif leg is not None:
            self._story.held(leg)

    def _unhold(self, event: CallEvent) -> None:
        leg = self._seen(event)
        if leg is not None:
            self._story.resumed(leg)

    def _music(self, event: CallEvent) -> None:
        """Somebody hears music: the other one holds, where the PBX tells of no hold as such."""
        leg = self._seen(event)
        partner = leg.call.partner(leg) if leg is not None else None
        if leg is None or partner is None or leg.bridge is None or leg.bridge.silent:
            return
        if event.name == "MusicOnHoldStop" or event.get("State").lower() == "stop":
            self._story.resumed(partner, by_music=True)
        elif partner in hearers(leg):
            self._story.held(partner, by_music=True)

    def _queued(self, event: CallEvent) -> None:
        leg = self._seen(event)
        if leg is not None and leg.is_person:
            leg.call.caller = leg.call.caller or leg
            self._story.start(leg.call)

    def _abandoned(self, event: CallEvent) -> None:
        leg = self._known(event, "")
        if leg is not None and not leg.call.heard:
            leg.call.abandoned = True

    def _agent_stands(self, event: CallEvent) -> None:
        leg = self._seen(event)
        if leg is not None:
            leg.standing = event.name == "AgentLogin"

    # -- housekeeping ----------------------------------------------------------------------------------

    def _take(self) -> list[Change]:
        changes, self._story.changes = self._story.changes, []
        return changes

    def _start_due(self, uid: str) -> None:
        call = self._story.due.get(uid)
        if call is not None:
            self._story.start(call)

    def _relink(self, other: Call, call: Call) -> None:
        for link in other.links:
            self._links[link] = call
        call.links |= other.links

    def _forget(self, call: Call) -> None:
        for link in call.links:
            if self._links.get(link) is call:
                del self._links[link]
        for leg in call.legs:
            leg.gone = True
            if leg.bridge is not None:
                leg.bridge.legs.remove(leg)
                leg.bridge = None
            if leg.pair is not None:
                leg.pair.pair = None
            self._legs.pop(leg.uid, None)
            if self._by_channel.get(leg.channel) is leg:
                del self._by_channel[leg.channel]
            self._tombs[leg.uid] = None
        while len(self._tombs) > TOMBSTONES:
            self._tombs.popitem(last=False)


def _other_half(channel: str) -> str:
    """The name of the other half of a Local channel; empty for others."""
    if channel[:6].lower() == "local/" and channel[-2:] in (";1", ";2", ",1", ",2"):
        return channel[:-1] + ("2" if channel.endswith("1") else "1")
    return ""


Handler = Callable[[CallFold, CallEvent], None]
_HANDLERS: dict[str, Handler] = {
    "Newchannel": CallFold._shown,
    "Newstate": CallFold._shown,
    "NewCallerid": CallFold._shown,
    "NewConnectedLine": CallFold._shown,
    "CoreShowChannel": CallFold._listed,
    "Status": CallFold._listed,
    "BridgeInfoChannel": CallFold._shown,
    "Hangup": CallFold._hangup,
    "Rename": CallFold._renamed,
    "Masquerade": CallFold._masqueraded,
    "LocalBridge": CallFold._local_pair,
    "DialBegin": CallFold._dial_begin,
    "DialState": CallFold._dial_state,
    "DialEnd": CallFold._dial_end,
    "Dial": CallFold._old_dial,
    "AgentCalled": CallFold._agent_called,
    "BridgeEnter": CallFold._bridge_enter,
    "BridgeLeave": CallFold._bridge_leave,
    "BridgeDestroy": CallFold._bridge_gone,
    "Bridge": CallFold._old_bridge,
    "Link": CallFold._old_bridge,
    "Unlink": CallFold._old_bridge,
    "AttendedTransfer": CallFold._attended,
    "BlindTransfer": CallFold._blind,
    "Transfer": CallFold._old_transfer,
    "Pickup": CallFold._picked_up,
    "Hold": CallFold._hold,
    "Unhold": CallFold._unhold,
    "MusicOnHold": CallFold._music,
    "MusicOnHoldStart": CallFold._music,
    "MusicOnHoldStop": CallFold._music,
    "QueueCallerJoin": CallFold._queued,
    "Join": CallFold._queued,
    "QueueCallerAbandon": CallFold._abandoned,
    "AgentLogin": CallFold._agent_stands,
    "AgentLogoff": CallFold._agent_stands,
}
EVENTS = frozenset(_HANDLERS)
