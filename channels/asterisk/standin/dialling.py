"""Outgoing legs, conversations and hanging up: what Originate, Dial, Bridge and Hangup do in the exchange.

    ring ──▶ answered ──▶ Bridge(caller) | Dial's conversation | dialplan | an application that just stays
     ├─ reject, no answer, hung up by us ──▶ OriginateResponse Failure (or DialEnd of the Dial), Hangup

When one of a conversation leaves, the other goes on where its `on_unbridged` says; without one it is hung up.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from channels.asterisk.standin.exchange import RING_DELAY_S, Exchange
from channels.asterisk.standin.model import Channel, Headers, Leg, Phone, State

OUTSIDE_ANSWERS_AFTER_S = 1.0
_AFTERWARDS = re.compile(r"F\((?P<context>[^^)]*)\^(?P<exten>[^^)]*)\^[^)]*\)")


def ring(x: Exchange, channel: Channel, phone: Phone, leg: Leg, timeout_s: float) -> None:
    """The new channel rings at the phone; what its user does decides."""
    channel.leg = leg
    _dial_event(x, "DialBegin", channel, [("DialString", phone.name)])
    if phone.reject_cause is not None:
        x.after(RING_DELAY_S, lambda: _rejected(x, channel, phone.reject_cause or 0), channel)
        return
    x.after(RING_DELAY_S, lambda: _ringing(x, channel), channel, here=False)
    x.after(timeout_s, lambda: _no_answer(x, channel), channel)
    if phone.answer_after_s is not None:
        x.after(RING_DELAY_S + phone.answer_after_s, lambda: _answered(x, channel), channel)
    channel.talk_s = phone.talk_s


def _dial_event(x: Exchange, name: str, channel: Channel, more: Headers) -> None:
    dialler = channel.leg.dialler if channel.leg is not None else None
    own = [] if dialler is None else dialler.headers()
    x.event(name, own, channel.headers("Dest"), more)


def _ringing(x: Exchange, channel: Channel) -> None:
    if channel.state is not State.DOWN:
        return
    x.set_state(channel, State.RINGING)
    _dial_event(x, "DialState", channel, [("DialStatus", "RINGING")])
    x.tell_device(channel.device)


def _answered(x: Exchange, channel: Channel) -> None:
    leg = channel.leg
    x.set_state(channel, State.UP)
    x.tell_device(channel.device)
    _dial_event(x, "DialEnd", channel, [("DialStatus", "ANSWER")])
    channel.leg = None
    channel.turn += 1  # no time-out any more
    if leg is not None:
        leg.on_answer()


def _rejected(x: Exchange, channel: Channel, cause: int) -> None:
    x.event("HangupRequest", channel.headers(), [("Cause", str(cause))])
    leg = channel.leg
    if leg is not None and leg.dialler is None:
        leg.on_failure(0)
    _dial_event(x, "DialEnd", channel, [("DialStatus", "BUSY" if cause == 17 else "NOANSWER")])
    channel.leg = None
    x.end(channel, cause)
    if leg is not None and leg.dialler is not None:
        leg.on_failure(0)


def _no_answer(x: Exchange, channel: Channel) -> None:
    leg, channel.leg = channel.leg, None
    if leg is not None and leg.dialler is not None:
        channel.leg = leg
        _dial_event(x, "DialEnd", channel, [("DialStatus", "NOANSWER")])
        channel.leg = None
    elif leg is not None:
        leg.on_failure(3)
    x.end(channel, 19)
    if leg is not None and leg.dialler is not None:
        leg.on_failure(3)


def hang_up(x: Exchange, channel: Channel, cause: int, *, by_person: bool = False) -> None:
    """End a channel wherever it is, and let those it talks to, rings or is dialled by go on."""
    if not channel.alive:
        return
    if by_person:
        x.event("HangupRequest", channel.headers(), [("Cause", str(cause))])
    x.move(channel)
    for other in list(x.channels.values()):
        if other.leg is not None and other.leg.dialler is channel:
            _dial_event(x, "DialEnd", other, [("DialStatus", "CANCEL")])
            other.leg = None
            x.end(other, cause)
    leg = channel.leg
    if leg is not None:
        _dial_event(x, "DialEnd", channel, [("DialStatus", "NOANSWER")])
        channel.leg = None
        if leg.dialler is None:
            leg.on_failure(0)
    others = leave_conversation(x, channel)
    if channel.context.startswith(("acd-", "ccserver-in")):
        x.event("SoftHangupRequest", channel.headers(), [("Cause", str(cause or 16))])
    x.end(channel, cause)
    if leg is not None and leg.dialler is not None:
        leg.on_failure(0)
    go_on(x, others)


def leave_conversation(x: Exchange, channel: Channel) -> list[Channel]:
    """Take a channel out of its bridge; in a conversation the others come out too, and are returned."""
    bridge = channel.bridge
    x.leave(channel)
    if bridge is None or bridge.holding:
        return []
    others = list(bridge.members)
    for other in others:
        x.leave(other)
    return others


def go_on(x: Exchange, channels: list[Channel]) -> None:
    """Each continues where it was told to, or is hung up."""
    for channel in channels:
        then, channel.on_unbridged = channel.on_unbridged, None
        if then is not None:
            then()
        else:
            hang_up(x, channel, 16)


def converse(x: Exchange, first: Channel, second: Channel) -> None:
    """Put two channels, wherever they are, into a conversation of their own."""
    for channel in (first, second):
        x.move(channel)
        channel.on_unbridged = None
    bridge = x.new_bridge(holding=False)
    for channel in (first, second):
        others = [other for other in leave_conversation(x, channel) if other not in (first, second)]
        x.enter(bridge, channel)
        go_on(x, others)
    first.connected, second.connected = (
        (second.number, second.caller_name),
        (first.number, first.caller_name),
    )
    for channel in (second, first):
        x.event("NewConnectedLine", channel.headers())
        _begin_to_talk(x, channel)


def _begin_to_talk(x: Exchange, channel: Channel) -> None:
    if not channel.heard and channel.talk_s is not None:
        x.after(channel.talk_s, lambda: hang_up(x, channel, 16, by_person=True), channel, here=False)
    channel.heard = True


def bridge_application(x: Exchange, channel: Channel, data: str, then: Callable[[], None]) -> None:
    """Application Bridge: fetch the named channel and talk to it; `F(context^exten^1)`: its next place."""
    name, _, options = data.partition(",")
    other = x.find(name)
    if other is None or not other.alive or other.state is not State.UP:
        then()
        hang_up(x, channel, 0)
        return
    afterwards = _AFTERWARDS.search(options)
    then()
    converse(x, other, channel)
    if afterwards is not None:
        context, exten = afterwards["context"], afterwards["exten"]
        other.on_unbridged = lambda: _goto_or_end(x, other, context, exten)


def _goto_or_end(x: Exchange, channel: Channel, context: str, exten: str) -> None:
    if not x.goto(channel, context, exten):
        hang_up(x, channel, 16)


def dial(x: Exchange, dialler: Channel, number: str, *, timeout_s: float = 30.0) -> None:
    """Dial from the dialplan: an internal number rings its phone, any other a person outside who answers."""
    phone = next((phone for phone in x.phones.values() if phone.number == number), None)
    outside = phone is None and number.lstrip("+").isdigit()
    if not outside and (phone is None or not phone.registered):
        hang_up(x, dialler, 20)
        return
    target = phone or Phone("trunk", number, answer_after_s=OUTSIDE_ANSWERS_AFTER_S)
    channel = x.new_channel(target.device, State.DOWN, number, target.name, "ccserver-phones", "s")
    channel.linkedid = dialler.linkedid
    channel.connected = (dialler.number, dialler.caller_name)
    x.event("Newchannel", channel.headers())
    dialler.application, dialler.data = "Dial", f"{target.device},{timeout_s:g}"
    leg = Leg(
        on_answer=lambda: converse(x, dialler, channel),
        on_failure=lambda _reason: hang_up(x, dialler, 16),
        dialler=dialler,
    )
    ring(x, channel, target, leg, timeout_s)
