"""What `asterisk-dialplan/` does with a caller, context by context, on the stand-in's exchange.

    ccserver-in ─AGI call─▶ acd-go ─┬▶ acd-wait ⟲ (hold 6-9 s, announcements)   ─▶ acd-after
                                    ├▶ acd-ivr ─AGI dialogue/NAME, queue─▶ acd-go
                                    ├▶ acd-direct, acd-closed, acd-emergency, acd-blocked
                                    └▶ acd-away ─▶ acd-queue ─withdrawn─▶ acd-wait

Same names and variables as there. Two simplifications, both for the time that ccserver is away: it is always
open, and the members of Asterisk's own queue are not rung; a caller stays in it until withdrawn or gone.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from channels.asterisk.standin.dialling import dial, hang_up
from channels.asterisk.standin.exchange import Exchange
from channels.asterisk.standin.model import CallIn, Channel, Headers, Input, State

AGI_LIMIT_S = 3.0
HOLD_S = 7.0
MESSAGE_S = 2.0
PATH_HOPS = 5
QUEUE = "ccserver-fallback"
WITHDRAW_S = 0.1


def call_in(x: Exchange, item: Input) -> None:
    """A new caller at the public door."""
    if not isinstance(item, CallIn):
        raise TypeError(f"not a call: {item}")
    channel = x.new_channel(
        "PJSIP/trunk", State.RING, item.from_number, item.name, "ccserver-in", item.to_number
    )
    channel.dnid = item.to_number
    channel.digits.extend(item.digits)
    channel.talk_s = item.talk_s
    channel.patience_s = item.patience_s
    x.event("Newchannel", channel.headers())
    # One whom nobody answers at all gives up too.
    x.after(item.patience_s, lambda: _give_up(x, channel), channel, here=False)
    x.goto(channel, "ccserver-in", item.to_number)


def _give_up(x: Exchange, channel: Channel) -> None:
    if not channel.heard:
        hang_up(x, channel, 16, by_person=True)


def answer(x: Exchange, channel: Channel) -> None:
    """Application Answer."""
    if channel.state is not State.UP:
        x.set_state(channel, State.UP)
        x.tell_device(channel.device)


def ask(
    x: Exchange, channel: Channel, route: str, then: Callable[[], None], limit_s: float | None = None
) -> None:
    """Application AGI: connect, obey until the server is done, then go on. After `limit_s` go on without."""
    channel.application, channel.data = "AGI", route
    channel.priority += 1
    channel.after_agi = then
    x.open_agi(channel, route, _environment(channel))
    if limit_s is not None:
        x.after(limit_s, lambda: _too_late(x, channel, then), channel, here=False)


def _too_late(x: Exchange, channel: Channel, then: Callable[[], None]) -> None:
    """TIMEOUT(absolute): extension T, if that very AGI still runs."""
    if channel.after_agi is then:
        channel.variables["ACD_DO"] = ""
        x.goto(channel, "acd-go")


def _environment(channel: Channel) -> Headers:
    pairs = [
        ("channel", channel.name),
        ("language", "en"),
        ("type", "PJSIP"),
        ("uniqueid", channel.uniqueid),
        ("version", "22.10.1"),
        ("callerid", channel.number or "unknown"),
        ("calleridname", channel.caller_name or "unknown"),
        ("callingpres", "0"),
        ("callingani2", "0"),
        ("callington", "0"),
        ("callingtns", "0"),
        ("dnid", channel.dnid or "unknown"),
        ("rdnis", "unknown"),
        ("context", channel.context),
        ("extension", channel.exten),
        ("priority", str(channel.priority)),
        ("enhanced", "0.0"),
        ("accountcode", ""),
        ("threadid", "1"),
    ]
    return [(f"agi_{key}", value) for key, value in pairs]


def _entry(x: Exchange, channel: Channel) -> None:
    channel.variables["ACD_MODE"] = "entry"
    ask(x, channel, "call", lambda: _go_on(x, channel), AGI_LIMIT_S)


def _go_on(x: Exchange, channel: Channel) -> None:
    x.goto(channel, "acd-go")


def _go(x: Exchange, channel: Channel) -> None:
    do = channel.variables.get("ACD_DO", "")
    known = do in ("wait", "ivr", "direct", "closed", "emergency", "blocked")
    x.goto(channel, f"acd-{do}" if known and channel.variables.get("ACD_ID") else "acd-away")


def _wait(x: Exchange, channel: Channel) -> None:
    channel.variables["ACD_MODE"] = "wait"
    answer(x, channel)
    _wait_turn(x, channel)


def _wait_turn(x: Exchange, channel: Channel) -> None:
    """One turn of the loop: after, away, announce, or hold for some seconds."""
    channel.priority = 2
    if channel.variables.get("ACD_DONE") == "1":
        x.goto(channel, "acd-after")
    elif x.wall_s() - _number(x.globals.get("ACD_BEAT")) > _number(x.globals.get("CCSERVER_BEAT_LIMIT")):
        x.goto(channel, "acd-away")
    elif 0 < _number(channel.variables.get("ACD_ANNOUNCE")) <= x.wall_s():
        channel.variables["ACD_ANNOUNCE"] = "0"
        ask(x, channel, "announce", lambda: _announced(x, channel))
    else:
        _hold(x, channel)


def _hold(x: Exchange, channel: Channel) -> None:
    channel.application, channel.data = "BridgeWait", "acd,participant,e(m)m(default)S(7)"
    channel.priority = 6
    holding = next((bridge for bridge in x.bridges if bridge.holding), None)
    x.enter(holding or x.new_bridge(holding=True), channel)
    x.event("MusicOnHoldStart", channel.headers(), [("Class", "default")])
    x.after(HOLD_S, lambda: _hold_ended(x, channel), channel)


def _hold_ended(x: Exchange, channel: Channel) -> None:
    x.leave(channel)
    _wait_turn(x, channel)


def _announced(x: Exchange, channel: Channel) -> None:
    if channel.variables.get("ACD_DO") == "wait":
        _wait_turn(x, channel)
    else:
        x.goto(channel, "acd-go")


def _ivr(x: Exchange, channel: Channel) -> None:
    channel.variables["ACD_MODE"] = "ivr"
    answer(x, channel)
    hops = _number(channel.variables.get("ACD_HOPS")) + 1
    channel.variables["ACD_HOPS"] = str(hops)
    if hops > PATH_HOPS:
        x.goto(channel, "acd-away")
        return
    channel.variables["ACD_DO"] = ""
    dialogue = _path(channel.variables.get("ACD_IVR", ""))
    ask(
        x,
        channel,
        f"dialogue/{dialogue}",
        lambda: ask(x, channel, "queue", lambda: _go_on(x, channel), AGI_LIMIT_S),
    )


def _after(x: Exchange, channel: Channel) -> None:
    channel.variables |= {"ACD_MODE": "after", "ACD_DONE": "1"}
    dialogue = _path(channel.variables.pop("ACD_AFTER", ""))
    if dialogue:
        ask(x, channel, f"dialogue/{dialogue}", lambda: hang_up(x, channel, 16))
    else:
        channel.priority = 7
        hang_up(x, channel, 16)


def _direct(x: Exchange, channel: Channel) -> None:
    channel.variables["ACD_MODE"] = "direct"
    dial(x, channel, re.sub("[^0-9]", "", channel.variables.get("ACD_EXT", "")))


def _dial_exten(x: Exchange, channel: Channel) -> None:
    dial(x, channel, channel.exten)


def _message(x: Exchange, channel: Channel) -> None:
    """Closed and emergency: say something, then hang up or wait."""
    channel.variables["ACD_MODE"] = "message"
    answer(x, channel)
    waits = channel.context == "acd-emergency" and channel.variables.get("ACD_THEN") == "wait"

    def said() -> None:
        if waits:
            x.goto(channel, "acd-wait")
        else:
            hang_up(x, channel, 16)

    x.after(MESSAGE_S, said, channel)


def _blocked(x: Exchange, channel: Channel) -> None:
    hang_up(x, channel, 21)


def _away(x: Exchange, channel: Channel) -> None:
    x.goto(channel, "acd-queue")


def _queue(x: Exchange, channel: Channel) -> None:
    channel.variables["ACD_MODE"] = "queue"
    channel.variables.setdefault("ACD_ID", f"f-{channel.uniqueid}")
    answer(x, channel)
    channel.application, channel.data, channel.priority = "Queue", f"{QUEUE},ct", 4
    position = len(_queued(x))
    place = [("Queue", QUEUE), ("Position", str(position)), ("Count", str(position))]
    x.event("QueueCallerJoin", channel.headers(), place, privilege="agent")


def _queued(x: Exchange) -> list[Channel]:
    return [channel for channel in x.channels.values() if channel.application == "Queue"]


def withdraw(x: Exchange, channel: Channel) -> bool:
    """QueueWithdrawCaller: the caller leaves within a moment; False when not in the queue."""
    if channel.application != "Queue":
        return False
    x.after(WITHDRAW_S, lambda: _withdrawn(x, channel), channel)
    return True


def _withdrawn(x: Exchange, channel: Channel) -> None:
    channel.application, channel.priority = "", 5
    place = [("Queue", QUEUE), ("Position", "1")]
    x.event("QueueCallerAbandon", channel.headers(), place, privilege="agent")
    x.event("QueueCallerLeave", channel.headers(), place, privilege="agent")
    told = [("UserEvent", "AcdQueueOut"), ("AcdId", channel.variables["ACD_ID"]), ("QueueStatus", "WITHDRAW")]
    x.event("UserEvent", channel.headers(), told, privilege="user")
    channel.variables["ACD_DO"] = "wait"
    x.goto(channel, "acd-wait")


def _number(text: str | None) -> int:
    return int(text) if text and text.isdigit() else 0


def _path(name: str) -> str:
    """FILTER(a-z0-9_-,NAME)."""
    return re.sub("[^a-z0-9_-]", "", name)


CONTEXTS: dict[str, Callable[[Exchange, Channel], None]] = {
    "ccserver-in": _entry,
    "acd-go": _go,
    "acd-wait": _wait,
    "acd-ivr": _ivr,
    "acd-after": _after,
    "acd-direct": _direct,
    "acd-closed": _message,
    "acd-emergency": _message,
    "acd-blocked": _blocked,
    "acd-away": _away,
    "acd-queue": _queue,
    "ccserver-phones": _dial_exten,
    "ccserver-internal": _dial_exten,
    "ccserver-outbound": _dial_exten,
}
