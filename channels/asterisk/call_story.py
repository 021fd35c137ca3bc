"""What happened, in the words of people: the part of the fold that decides which changes are told.

The graph says: this leg rings, these two hear each other, that leg is gone. Here that becomes

    started --> ringing --> answered <--> held/resumed --> ended
                   ^            |
                   '-transferred'        also straight to two who talk

Rules worth knowing:
- A call keeps its id for life. When two calls become one (attended transfer, a click-to-dial leg bridged to a
  waiting caller) the one that goes on tells what happened and the other ends as `completed`.
- A consultation over the same telephone (feature codes) is a call of its own, as one over a second line is.
- Two calls whose remaining parties meet were transferred; Asterisk says by whom an instant after it joins
  them, so that is waited for (`settle_unsure`).
- What an event says is sometimes explained by the next: a pickup answers before it takes over, a transfer
  ends the hold. So a call that the PBX answers, and the end of a hold, wait in `due` and `resuming` until an
  event comes that cannot explain them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from channels.asterisk.call_book import CallBook
from channels.asterisk.call_picture import (
    AST_UP,
    Call,
    Leg,
    dialler,
    people_heard,
)
from channels.asterisk.call_reasons import end_reason, note_hangup


class CallStory:
    """Tells changes. `forget` is called with each call that is over, so that the graph drops its legs."""

    def __init__(
        self, prefix: str, forget: Callable[[Call], None], relink: Callable[[Call, Call], None]
    ) -> None:
        self.book = CallBook(prefix)
        self.due: dict[Call, None] = {}  # answered by the PBX, not told of yet
        self._forget = forget
        self._relink = relink
        self.resuming: list[tuple[Call, Leg]] = []  # holds that ended
        self._unsure: tuple[Leg, Leg] | None = None

    # -- what the graph reports ------------------------------------------------------------------------

    def start(self, call: Call) -> None:
        """The PBX does something for the caller."""
        self.due.pop(call, None)
        if call.started or call.state == "ended" or call.caller is None:
            return
        call.started = True
        if call.caller.dialled_by is None and not call.caller.originated:
            call.dialled = call.dialled or call.caller.exten
        call.since = self.book.now
        self.book.calls[call.id] = call
        self.book.tell("started", call)

    def ring(self, leg: Leg) -> None:
        """Somebody's telephone rings because of `leg`; told once for each leg, with all that ring."""
        if leg.rung or not leg.is_person or leg.gone or leg.call.state == "ended":
            return
        self.consult(leg)
        call = leg.call
        who = dialler(leg) or self._who_waits(leg)
        if who is None:
            return
        leg.rung = True
        if who is leg:
            return
        self._note_moved(call, who)
        call.caller = who
        others = (one for one in call.legs if one.is_person and one is not who)
        ringing = [one for one in others if one.alerting or one.about_to_ring]
        for one in ringing:
            one.rung = True
        self.start(call)
        call.last_to = tuple(ringing)
        self.book.enter(call, "ringing")
        if call.handed is not None and not call.handed_told:
            self._tell_handed(call)
        else:
            self.book.tell("ringing", call)

    def _who_waits(self, leg: Leg) -> Leg | None:
        """For whom `leg` rings when no dial tells: itself for the first leg of an originated call."""
        call = leg.call
        first = call.caller
        if first is None or first.gone or first is leg:
            leg.originated = leg.originated or leg.dial == "open"
            call.caller = leg
            return leg
        if first.originated and first.state != AST_UP:
            return leg  # another device of the one who is called first
        if call.talking is not None and call.handed is None and not any(one.gone for one in call.talking):
            return None  # a consultation: who consults shows when the legs are joined
        return first

    def up(self, leg: Leg) -> None:
        """A leg was answered, or is seen answered."""
        call = leg.call
        if not leg.is_person or call.state == "ended":
            return
        first = call.caller
        if leg.originated and (first is None or first.gone or (first.originated and first.state != AST_UP)):
            call.caller = leg
        if leg is call.caller and not call.started:
            self.due[call] = None

    def heard(self, leg: Leg) -> None:
        """Who hears whom changed around `leg`."""
        people = people_heard(leg)
        if len(people) == 2:
            self._talk(people[0], people[1])

    def held(self, leg: Leg, *, by_music: bool = False) -> None:
        """`leg` put the other one on hold."""
        call = leg.call
        if call.state == "talking" and call.partner(leg) is not None:
            call.held_by, call.held_by_music = leg, by_music
            self.book.enter(call, "held")
            self.book.tell("held", call, by=leg)

    def resumed(self, leg: Leg, *, by_music: bool = False) -> None:
        """`leg` took the other one back; told with the next event, unless that is a transfer."""
        call = leg.call
        if call.state == "held" and call.held_by is leg and call.held_by_music == by_music:
            self.resuming.append((call, leg))

    def settle_due(self) -> None:
        """Start the calls that the PBX answered and nothing explained."""
        for call in list(self.due):
            self.start(call)

    def forget_pending(self) -> None:
        """Nothing waits any longer."""
        self.due.clear()
        self.resuming.clear()
        self._unsure = None

    def settle_resumed(self) -> None:
        """Tell the ends of holds, of those calls that are still held."""
        waiting, self.resuming = self.resuming, []
        for call, leg in waiting:
            if call.state == "held" and call.held_by is leg:
                call.held_by = None
                self.book.enter(call, "talking")
                self.book.tell("resumed", call, by=leg)

    def left(self, leg: Leg) -> None:
        """`leg` left a bridge: remember who of the two went first."""
        call = leg.call
        if call.first_out is None and call.partner(leg) is not None:
            call.first_out = leg

    def gone(self, leg: Leg) -> None:
        """`leg` hung up."""
        call = leg.call
        note_hangup(call, leg)
        if leg is call.caller and not call.heard and any(one.alerting for one in call.people):
            call.abandoned = True
        if call.state in ("talking", "held") and call.partner(leg) is not None:
            call.held_by = None
            self.book.enter(call, "setup")
        if not call.alive:
            self.end(call, end_reason(call))

    # -- transfers -------------------------------------------------------------------------------------

    def hand_over(self, call: Call, by: Leg, to: Leg | None, reason: str) -> None:
        """`by` sent the other one away without staying: told when somebody rings or talks."""
        call.handed, call.handed_told = (by, reason), False
        call.held_by = None
        call.first_out = None
        if to is not None and to.is_person:
            call.caller = to

    def attended(self, transferee: Leg, target: Leg, by: Leg | None) -> None:
        """`by` joined two who both had talked with it."""
        self._unsure = None
        call, other = transferee.call, target.call
        if call.talking is not None and set(call.talking) == {transferee, target}:
            return
        call.caller = call.caller or transferee
        self.start(call)
        self._converse(call, transferee, target)
        call.caller, call.last_to = transferee, (target,)
        self.book.tell("transferred", call, by=by, reason="attended")
        self.absorb(other, call)

    def blonde(self, transferee: Leg, targets: Sequence[Leg], by: Leg | None) -> None:
        """`by` left while the telephone of the one it called still rang; `transferee` hears it ring now."""
        self._unsure = None
        call, other = transferee.call, targets[0].call
        if call.handed_told and call.caller is transferee and call.last_to == tuple(targets):
            return
        call.caller = call.caller or transferee
        self.start(call)
        for leg in other.legs:
            if leg.dialled_by is by:
                leg.dialled_by = transferee
        call.caller, call.last_to = transferee, tuple(targets)
        call.heard, call.held_by, call.first_out = False, None, None
        call.verdicts.clear()
        call.handed, call.handed_told = (by, "blonde"), True
        self.book.enter(call, "ringing")
        self.book.tell("transferred", call, by=by, reason="blonde")
        self.absorb(other, call)

    def settle_unsure(self) -> None:
        """No AttendedTransfer came: the older call goes on, and the one whom both had talked with left."""
        if self._unsure is None:
            return
        transferee, target = sorted(self._unsure, key=lambda leg: leg.call.order)
        self._unsure = None
        if transferee.call is not target.call:
            self.attended(transferee, target, target.call.partner(target))

    def consult(self, leg: Leg) -> None:
        """If `leg` is dialled by one of two who talk while the other one waits, that is a call of its own."""
        who = dialler(leg)
        if who is None or leg.call is not who.call or leg.call.consult_of is not None:
            return
        call = who.call
        waiting = call.partner(who)
        if waiting is None or leg is waiting or waiting.gone or who.bridge is None:
            return
        if waiting.bridge is None or waiting.bridge.silent or waiting.bridge is who.bridge:
            return
        child = self.book.new_call(leg.uid)
        child.consult_of, child.caller, child.tried = call, who, True
        source = leg.dialled_by
        child.dialled = source.exten if source is not None and source is not who else leg.exten
        for one in (leg, source, source.pair if source else None):
            if one is not None and one.call is call and one is not who:
                self.move(one, child)

    # -- calls becoming one ----------------------------------------------------------------------------

    def move(self, leg: Leg, call: Call) -> None:
        """`leg` belongs to `call` from now on."""
        if leg.call is not call:
            leg.call.legs.remove(leg)
            leg.call = call
            call.legs.append(leg)

    def absorb(self, other: Call, call: Call) -> None:
        """`other` goes on as `call`."""
        if other is call:
            return
        if other.started and other.state != "ended":
            self.end(other, "completed", forget=False)
        other.state = "ended"
        self.due.pop(other, None)
        for leg in list(other.legs):
            self.move(leg, call)
        self._relink(other, call)
        call.tried = call.tried or other.tried

    def end(self, call: Call, reason: str, *, forget: bool = True) -> None:
        """All is over. A caller who was never told of is told of now: the call was there."""
        if call.state != "ended" and call.caller is not None:
            if not call.started and call.caller.state != 0:
                self.start(call)
            if call.started:
                self.book.enter(call, "ended")
                self.book.tell("ended", call, reason=reason)
        call.state = "ended"
        self.due.pop(call, None)
        self.book.calls.pop(call.id, None)
        if forget:
            self._forget(call)

    # -- inside ----------------------------------------------------------------------------------------

    def _talk(self, one: Leg, two: Leg) -> None:
        self.consult(one)
        self.consult(two)
        call = self._call_of_two(one, two)
        if call is None or call.state == "ended":
            return
        if call.talking is not None and set(call.talking) == {one, two}:
            call.first_out = None
            return
        stays = next((leg for leg in (one, two) if call.partner(leg) is not None), None)
        if stays is not None:
            self._note_moved(call, stays)
        if call.caller not in (one, two):
            call.caller = stays or min(one, two, key=lambda leg: leg.order)
        to = two if call.caller is one else one
        self.start(call)
        call.last_to = (to,)
        if call.handed is not None and not call.handed_told:
            self._tell_handed(call)
        assert call.caller is not None
        self._converse(call, call.caller, to)
        self.book.tell("answered", call)

    def _note_moved(self, call: Call, stays: Leg) -> None:
        """`stays` goes on without its partner. Taken away (parked, redirected), not left: a transfer."""
        partner = call.partner(stays)
        if partner is not None and call.handed is None and call.first_out is stays:
            self.hand_over(call, partner, stays, "blind")

    def _call_of_two(self, one: Leg, two: Leg) -> Call | None:
        """The call in which these two talk, made one if need be; None while that is not sure."""
        for leg, other in ((one, two), (two, one)):
            if leg.call.consult_of is not None and leg.call.caller is other:
                return leg.call
        if one.call is two.call:
            return one.call
        if one.standing != two.standing:
            return two.call if one.standing else one.call
        if one.call.partner(one) is not None and two.call.partner(two) is not None:
            self._unsure = (one, two)
            return None
        kept, absorbed = sorted((one.call, two.call), key=_weight)
        self.absorb(absorbed, kept)
        return kept

    def _converse(self, call: Call, one: Leg, two: Leg) -> None:
        call.talking, call.heard = (one, two), True
        call.handed, call.handed_told, call.held_by, call.first_out = None, False, None, None
        call.abandoned = False
        self.book.enter(call, "talking")

    def _tell_handed(self, call: Call) -> None:
        assert call.handed is not None
        by, reason = call.handed
        call.handed_told, call.heard = True, False
        call.verdicts.clear()
        self.book.tell("transferred", call, by=by, reason=reason)


def _weight(call: Call) -> tuple[bool, bool, int]:
    """Which of two calls goes on: one in conversation, one that somebody made, the older."""
    return call.talking is None, call.caller is None or call.caller.originated, call.order
