"""Legs, pairs, dials and bridges as the PBX has them now; what that means to people is the story's affair.

    event headers --seen()--> Leg --+-- dial(), dial_over()      who rings for whom
                                    +-- join(), leave()          who is in which bridge
                                    +-- adopt()                  to which call it belongs
                                    +-- hang_up()                gone; the call with its last leg

A leg belongs to the call of its Linkedid when it appears, to that of its dialler when it is dialled, and to
the one it talks in.

Memory is bounded: an ended call is forgotten with its legs, the last TOMBSTONES uniqueids are kept so that
late events do not revive them, and beyond MAX_LEGS legs the oldest call is given up as failed.
"""

from __future__ import annotations

import itertools
from collections import OrderedDict
from typing import Protocol

from channels.asterisk.call_picture import (
    AST_RING,
    AST_RINGING,
    AST_UP,
    NOT_DIALLED,
    Bridge,
    Call,
    Leg,
    dialler,
    hearers,
    swap_places,
)
from channels.asterisk.call_reasons import dial_verdict
from channels.asterisk.call_story import CallStory

TOMBSTONES = 10_000
MAX_LEGS = 50_000
UNKNOWN = frozenset({"", "<unknown>", "<null>", "(null)", "unknown"})


class CallEvent(Protocol):
    """One AMI event: its name, and its headers by name ("" for a missing one). Names ignore case."""

    @property
    def name(self) -> str: ...

    def get(self, name: str, default: str = "") -> str: ...


class CallGraph:
    """The picture of one PBX. `story` is told whatever matters to people."""

    def __init__(self, prefix: str = "") -> None:
        self.story = CallStory(prefix, self._forget, self._relink)
        self.legs: dict[str, Leg] = {}  # also those gone, while their call lasts
        self.by_channel: dict[str, Leg] = {}
        self._bridges: dict[str, Bridge] = {}
        self._links: dict[str, Call] = {}  # by Linkedid
        self._orders = itertools.count()
        self._tombs: OrderedDict[str, None] = OrderedDict()

    def clear(self) -> None:
        """Forget everything."""
        for table in (self.legs, self.by_channel, self._bridges, self._links):
            table.clear()

    # -- legs ------------------------------------------------------------------------------------------

    def seen(self, event: CallEvent, prefix: str = "", channel: str = "") -> Leg | None:
        """The living leg that these headers show, brought up to date; None without one, or for a dead one."""
        uid = event.get(f"{prefix}Uniqueid")
        if uid in UNKNOWN or uid in self._tombs:
            return None
        leg = self.legs.get(uid)
        name = event.get(channel or f"{prefix}Channel")
        if leg is None:
            if name in UNKNOWN:
                return None
            leg = self._new_leg(uid, name, event.get(f"{prefix}Linkedid"))
        if leg.gone:
            return None
        self._update(leg, event, prefix, name)
        return leg

    def known(self, event: CallEvent, prefix: str = "") -> Leg | None:
        """The leg that these headers name, gone or not, if a person is behind it."""
        leg = self.legs.get(event.get(f"{prefix}Uniqueid"))
        return leg if leg is not None and leg.is_person else None

    def living(self, uid: str) -> Leg | None:
        """The leg of this uniqueid that is not gone."""
        leg = self.legs.get(uid)
        return None if leg is None or leg.gone else leg

    def rename(self, leg: Leg, channel: str) -> None:
        """A plain rename. The names of a masquerade pass through `<MASQ>`, and their net effect is none."""
        if channel not in UNKNOWN and "<" not in channel and leg.channel != channel:
            if self.by_channel.get(leg.channel) is leg:
                del self.by_channel[leg.channel]
            leg.channel = channel
        self.by_channel[leg.channel] = leg

    def hang_up(self, leg: Leg, cause: str) -> None:
        """`leg` is no more."""
        leg.cause = int(cause) if _is_number(cause) else leg.cause
        self.leave(leg)
        leg.gone = True
        self.story.gone(leg)

    def _new_leg(self, uid: str, channel: str, link: str) -> Leg:
        while len(self.legs) >= MAX_LEGS:
            self.story.end(next(iter(self.legs.values())).call, "failed")
        link = uid if link in UNKNOWN else link
        other_half = self.by_channel.get(_other_half(channel))
        call = self._links.get(link) or (other_half.call if other_half else None)
        if call is None or call.state == "ended":
            call = self.story.book.new_call(link)
        self._links[link] = call
        call.links.add(link)
        leg = Leg(uid, next(self._orders), call, channel, requested=link != uid)
        call.legs.append(leg)
        self.legs[uid] = leg
        if other_half is not None:
            leg.pair, other_half.pair = other_half, leg
        return leg

    def _update(self, leg: Leg, event: CallEvent, prefix: str, channel: str) -> None:
        self.rename(leg, channel)
        number, name = event.get(f"{prefix}CallerIDNum"), event.get(f"{prefix}CallerIDName")
        leg.number = leg.number if number in UNKNOWN else number
        leg.name = leg.name if name in UNKNOWN else name
        exten = event.get(f"{prefix}Exten")
        if not leg.exten and exten not in NOT_DIALLED:
            leg.exten = exten
        state = event.get(f"{prefix}ChannelState")
        if _is_number(state):
            self._enter_state(leg, int(state))

    def _enter_state(self, leg: Leg, state: int) -> None:
        if leg.state == state:
            return
        leg.state = state
        call = leg.call
        if state == AST_RING and leg.is_person and leg.dialled_by is None and call.caller is None:
            call.caller = leg
        elif state == AST_RINGING:
            self.story.ring(leg)
        elif state == AST_UP:
            self.story.up(leg)

    # -- calls -----------------------------------------------------------------------------------------

    def adopt(self, leg: Leg, call: Call) -> None:
        """`leg`, and its whole call if that has nobody else, belongs to `call`."""
        old = leg.call
        if old is call:
            return
        if all(one is leg or one is leg.pair or one.gone for one in old.legs):
            self.story.absorb(old, call)
        else:
            self.story.move(leg, call)

    def pair(self, one: Leg, two: Leg) -> None:
        """These are the halves of a Local channel."""
        one.pair, two.pair = two, one
        self.adopt(two, one.call)
        self.look_around(one)

    def take_over(self, picker: Leg, target: Leg) -> None:
        """`picker` answers instead of `target`."""
        self.adopt(picker, target.call)
        target.dial = "over"

    def change_places(self, clone: Leg, original: Leg) -> None:
        """Masquerade, before Asterisk 12: the person of `clone` takes the place of `original`."""
        picks_up = original.alerting
        for leg in original.call.legs:
            if leg.dialled_by is original:
                leg.dialled_by = clone
        swap_places(clone, original)
        self.legs[clone.uid], self.legs[original.uid] = clone, original
        if picks_up:
            self.take_over(clone, original)
        self.look_around(clone)

    # -- dials -----------------------------------------------------------------------------------------

    def dial(self, source: Leg | None, target: Leg) -> None:
        """`target` is called for `source`; without one the PBX itself calls (Originate)."""
        if source is target:
            return
        target.dial, target.dialled_by = "open", source
        if source is None:
            target.originated = True
        else:
            self.adopt(target, source.call)
        call = target.call
        call.verdicts.pop(target, None)
        call.abandoned = False
        if source is not None and source.is_person:
            call.caller = call.caller or source
        self.story.consult(target)
        if call.caller is not None and call.caller is not target:
            call.tried = True
            self.story.start(call)
        if target.state == AST_RINGING:
            self.story.ring(target)

    def dial_over(self, source: Leg | None, target: Leg, status: str) -> None:
        """The dial ended, one way or the other (a DialStatus, empty: forwarded)."""
        first, target.dial = target.dial != "over", "over"
        call = target.call
        verdict = dial_verdict(status)
        if verdict:
            call.verdicts.setdefault(target, verdict)
        by_caller = source is not None and source.is_person
        if status == "CANCEL" and first and by_caller and not call.heard:
            call.abandoned = True

    # -- bridges ---------------------------------------------------------------------------------------

    def join(self, leg: Leg, uid: str, *, silent: bool = False) -> None:
        """`leg` enters a bridge."""
        bridge = self._bridges.get(uid)
        if bridge is None:
            bridge = self._bridges[uid] = Bridge(uid)
        bridge.silent = silent
        if leg.bridge is not bridge:
            self.leave(leg)
            self._bridges[uid] = bridge  # leaving may have ended the call that was in it
            leg.bridge = bridge
            bridge.legs.append(leg)
        self.look_around(leg)

    def leave(self, leg: Leg) -> None:
        """`leg` leaves the bridge it is in, if any."""
        bridge = leg.bridge
        if bridge is None:
            return
        if not bridge.silent:
            self.story.left(leg)
        leg.bridge = None
        bridge.legs.remove(leg)
        if bridge.legs:
            self.look_around(bridge.legs[0])
        else:
            self._bridges.pop(bridge.uid, None)

    def dissolve(self, uid: str) -> None:
        """The bridge is no more."""
        bridge = self._bridges.get(uid)
        for leg in list(bridge.legs) if bridge is not None else ():
            self.leave(leg)

    def look_around(self, leg: Leg) -> None:
        """Somebody joined or left: who talks now, and for whom do telephones ring?"""
        self.story.heard(leg)
        group = hearers(leg)
        for call in {one.call: None for one in group}:
            for one in list(call.legs):
                if one.state == AST_RINGING and one.alerting and not one.rung:
                    self.story.ring(one)
            if call.state == "ringing" and call.caller is not None and call.caller not in group:
                self._check_dialler(call, group)

    def _check_dialler(self, call: Call, group: list[Leg]) -> None:
        """A telephone rings for another person now than for the one who dialled: a blonde transfer."""
        ringing = [leg for leg in call.last_to if leg.alerting]
        who = dialler(ringing[0]) if ringing else None
        if who is not None and who in group and who is not call.caller and who.call is not call:
            self.story.blonde(who, ringing, call.caller)

    # -- housekeeping ----------------------------------------------------------------------------------

    def _relink(self, other: Call, call: Call) -> None:
        for link in other.links:
            self._links[link] = call
        call.links |= other.links

    def _forget(self, call: Call) -> None:
        for link in call.links:
            if self._links.get(link) is call:
                del self._links[link]
        for leg in call.legs:
            self._bury(leg)
        while len(self._tombs) > TOMBSTONES:
            self._tombs.popitem(last=False)

    def _bury(self, leg: Leg) -> None:
        leg.gone = True
        bridge = leg.bridge
        if bridge is not None:
            bridge.legs.remove(leg)
            leg.bridge = None
            if not bridge.legs:
                self._bridges.pop(bridge.uid, None)
        if leg.pair is not None:
            leg.pair.pair = None
        if self.legs.get(leg.uid) is leg:
            del self.legs[leg.uid]
        if self.by_channel.get(leg.channel) is leg:
            del self.by_channel[leg.channel]
        self._tombs[leg.uid] = None


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 10


def _other_half(channel: str) -> str:
    """The name of the other half of a Local channel; empty for others."""
    if channel[:6].lower() == "local/" and channel[-2:] in (";1", ";2", ",1", ",2"):
        return channel[:-1] + ("2" if channel.endswith("1") else "1")
    return ""
