"""The AGI commands of a channel in the stand-in: what res_agi does and answers.

One command at a time; some take time (a sound plays, a key is awaited), then the reply comes by a timer. Keys
come from the caller's `digits`, in order, whenever a command listens for keys.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable
from functools import partial

from channels.asterisk.standin.dialling import hang_up
from channels.asterisk.standin.dialplan import answer
from channels.asterisk.standin.exchange import Exchange
from channels.asterisk.standin.model import AgiEnded, AgiLine, AgiReply, Channel, Input, Press

PLAY_S = 0.02
OK, DONE = "200 result=0", "200 result=1"
# What EXEC accepts; others exist in Asterisk, but nothing of ours uses them.
APPLICATIONS = frozenset(
    {
        "answer",
        "background",
        "busy",
        "congestion",
        "goto",
        "hangup",
        "musiconhold",
        "mset",
        "noop",
        "playback",
    }
    | {"progress", "read", "ringing", "saydigits", "saynumber", "set", "startmusiconhold", "userevent"}
    | {"stopmusiconhold", "verbose", "voicemail", "wait"}
)
Command = Callable[[Exchange, Channel, list[str]], str | None]


def agi_line(x: Exchange, item: Input) -> None:
    """One command line; answers now or later, exactly once."""
    if not isinstance(item, AgiLine):
        raise TypeError(f"not an AGI line: {item}")
    channel = x.channels.get(item.uniqueid)
    if channel is None or channel.after_agi is None:
        return
    reply = _run(x, channel, item.line)
    if reply is not None:
        x.put(AgiReply(channel.uniqueid, reply))


def agi_ended(x: Exchange, item: Input) -> None:
    """The server closed (or refused) the connection: the dialplan goes on."""
    if not isinstance(item, AgiEnded):
        raise TypeError(f"not the end of an AGI: {item}")
    channel = x.channels.get(item.uniqueid)
    if channel is None or channel.after_agi is None:
        return
    then, channel.after_agi = channel.after_agi, None
    x.move(channel)
    then()


def press(x: Exchange, item: Input) -> None:
    """The caller presses keys."""
    if not isinstance(item, Press):
        raise TypeError(f"no keys: {item}")
    channel = x.channels.get(item.uniqueid)
    if channel is None:
        return
    channel.digits.extend(item.digits)
    if channel.on_digit is not None:
        channel.on_digit()


def _run(x: Exchange, channel: Channel, line: str) -> str | None:
    try:
        words = shlex.split(line)
    except ValueError:
        return "510 Invalid or unknown command"
    for length in (3, 2, 1):
        command = COMMANDS.get(" ".join(words[:length]).upper())
        if command is not None and len(words) >= length:
            return command(x, channel, words[length:])
    return "510 Invalid or unknown command"


def _reply_later(x: Exchange, channel: Channel, delay_s: float, reply: str) -> None:
    def send() -> None:
        channel.on_digit = None
        x.put(AgiReply(channel.uniqueid, reply))

    x.after(delay_s, send, channel)


def _answer(x: Exchange, channel: Channel, words: list[str]) -> str:
    del words
    answer(x, channel)
    return OK


def _hang_up(x: Exchange, channel: Channel, words: list[str]) -> None:
    del words
    x.put(AgiReply(channel.uniqueid, DONE))
    hang_up(x, channel, 16)


def _set(x: Exchange, channel: Channel, words: list[str]) -> str:
    del x
    if len(words) < 2:
        return "520 Invalid command syntax.  Proper usage not available."
    channel.variables[words[0]] = words[1]
    return DONE


def _get(x: Exchange, channel: Channel, words: list[str]) -> str:
    own = {"CALLERID(num)": channel.number, "CALLERID(name)": channel.caller_name}
    own |= {"CHANNEL(language)": "en", "UNIQUEID": channel.uniqueid, "EXTEN": channel.exten}
    name = words[0] if words else ""
    value = channel.variables.get(name, own.get(name, x.globals.get(name)))
    return OK if value is None else f"200 result=1 ({value})"


def _play(x: Exchange, channel: Channel, words: list[str]) -> None:
    """STREAM FILE: a key among the escape digits stops it."""
    escape = words[1] if len(words) > 1 else ""
    if channel.digits and channel.digits[0] in escape:
        key = channel.digits.popleft()
        _reply_later(x, channel, PLAY_S, f"200 result={ord(key)} endpos=800")
    else:
        _reply_later(x, channel, PLAY_S, "200 result=0 endpos=1600")


def _get_data(x: Exchange, channel: Channel, words: list[str]) -> None:
    """Keys up to # or the number asked for; what is missing ends with the time-out."""
    wait_s = int(words[1]) / 1000 if len(words) > 1 and words[1].isdigit() else 5.0
    most = int(words[2]) if len(words) > 2 and words[2].isdigit() else 1024
    got: list[str] = []

    def take() -> None:
        while channel.digits and len(got) < most:
            key = channel.digits.popleft()
            if key == "#":
                return done("")
            got.append(key)
        return done("") if len(got) >= most else None

    def done(remark: str) -> None:
        x.move_timers(channel)
        _reply_later(x, channel, PLAY_S, f"200 result={''.join(got)}{remark}")

    x.after(wait_s, lambda: done(" (timeout)"), channel)
    channel.on_digit = take
    take()


def _wait_for_digit(x: Exchange, channel: Channel, words: list[str]) -> None:
    wait_ms = int(words[0]) if words and words[0].lstrip("-").isdigit() else 0

    def take() -> None:
        if channel.digits:
            x.move_timers(channel)
            _reply_later(x, channel, 0.0, f"200 result={ord(channel.digits.popleft())}")

    if wait_ms >= 0:
        _reply_later(x, channel, wait_ms / 1000, OK)
    channel.on_digit = take
    take()


def _exec(x: Exchange, channel: Channel, words: list[str]) -> str | None:
    application = words[0].lower() if words else ""
    if application == "hangup":
        _hang_up(x, channel, words)
        return None
    if application == "answer":
        return _answer(x, channel, words)
    if application in ("set", "mset") and len(words) > 1:
        for pair in words[1].split(",") if application == "mset" else [words[1]]:
            name, _, value = pair.partition("=")
            channel.variables[name] = value
        return OK
    if application not in APPLICATIONS:
        return "200 result=-2"
    _reply_later(x, channel, PLAY_S, OK)
    return None


def _say(x: Exchange, channel: Channel, words: list[str]) -> None:
    """SAY …: as a sound, but the reply has no position."""
    escape = words[1] if len(words) > 1 else ""
    stopped = channel.digits and channel.digits[0] in escape
    key = ord(channel.digits.popleft()) if stopped else 0
    _reply_later(x, channel, PLAY_S, f"200 result={key}")


def _status(x: Exchange, channel: Channel, words: list[str]) -> str:
    del x, words
    return f"200 result={int(channel.state)}"


def _constant(reply: str, x: Exchange, channel: Channel, words: list[str]) -> str:
    del x, channel, words
    return reply


COMMANDS: dict[str, Command] = {
    "ANSWER": _answer,
    "HANGUP": _hang_up,
    "SET VARIABLE": _set,
    "GET VARIABLE": _get,
    "STREAM FILE": _play,
    "SAY NUMBER": _say,
    "SAY DIGITS": _say,
    "SAY ALPHA": _say,
    "GET DATA": _get_data,
    "WAIT FOR DIGIT": _wait_for_digit,
    "EXEC": _exec,
    "CHANNEL STATUS": _status,
    "VERBOSE": partial(_constant, DONE),
    "NOOP": partial(_constant, OK),
    "SET MUSIC": partial(_constant, OK),
}
