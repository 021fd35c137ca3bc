"""AMI decoding: events per second of ours beside panoramisk and beside the limit, reading the bytes only.

All in one run on one core over the same 200,000 events, made up deterministically in the mix that a busy PBX
sends (most of it dialplan steps and variables that nobody here wants). It comes in pieces of 64 KiB, as
from a socket. Each figure is the best of several rounds, the peer's of one (it is the slow one).

    python -c "from tests.bench.bench_ami import run; print(run())"
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from typing import Any

from panoramisk.ami_protocol import AMIProtocol

from channels.asterisk.ami_codec import AmiDecoder, encode_message
from tests.bench.figures import row

EVENTS = 200_000
PEER_EVENTS = 20_000
PIECE = 65_536
GOAL = 180_000
ROUNDS = 3
# One call in a queue, as recorded: the dialplan's own chatter is most of it.
CALL = (
    ["Newchannel"]
    + ["Newexten", "VarSet", "VarSet"] * 9
    + [
        "Newstate",
        "BridgeEnter",
        "MusicOnHoldStart",
        "Newchannel",
        "DialBegin",
        "Newstate",
        "NewConnectedLine",
    ]
    + [
        "DialState",
        "DeviceStateChange",
        "Newstate",
        "DialEnd",
        "BridgeCreate",
        "MusicOnHoldStop",
        "BridgeLeave",
    ]
    + ["OriginateResponse", "BridgeEnter", "BridgeEnter", "RTCPSent", "RTCPReceived", "HangupRequest"]
    + ["BridgeLeave", "BridgeLeave", "SoftHangupRequest", "Hangup", "Hangup", "DeviceStateChange", "Cdr"]
)
WANTED = frozenset(
    b"Newchannel Newstate DialBegin DialState DialEnd BridgeCreate BridgeEnter BridgeLeave BridgeDestroy "
    b"OriginateResponse HangupRequest Hangup DeviceStateChange MusicOnHoldStart MusicOnHoldStop UserEvent "
    b"QueueCallerJoin QueueCallerLeave AttendedTransfer BlindTransfer Pickup LocalBridge Hold Unhold".split()
)


def events(count: int) -> Iterator[bytes]:
    """`count` events, the same ones each time."""
    for number in range(count):
        call, step = divmod(number, len(CALL))
        unique = f"17638{call:05}.{step % 2}"  # two legs, each with its own Hangup
        yield encode_message(
            [
                ("Event", CALL[step]),
                ("Privilege", "call,all"),
                ("Channel", f"PJSIP/a{call % 40}-{call:08x}"),
                ("ChannelState", str(4 + step % 3)),
                ("ChannelStateDesc", ("Ring", "Ringing", "Up")[step % 3]),
                ("CallerIDNum", f"+62215550{call % 1000:03}"),
                ("CallerIDName", f"Caller {call % 1000}"),
                ("ConnectedLineNum", "<unknown>"),
                ("ConnectedLineName", "<unknown>"),
                ("Language", "en"),
                ("AccountCode", ""),
                ("Context", "acd-wait"),
                ("Exten", "s"),
                ("Priority", str(step)),
                ("Uniqueid", unique),
                ("Linkedid", f"17638{call:05}.0"),
                ("Extension", "s"),
                ("Application", "BridgeWait"),
                ("AppData", "acd,participant,e(m)m(default)S(7)"),
                ("Variable", "ACD_ID"),
                ("Value", f"i-{call:010}"),
            ]
        )


def _ours(pieces: list[bytes], wanted: frozenset[bytes] | None, reads: int) -> None:
    """Decode, and read `reads` headers of each message that comes out, as the call model does."""
    headers = ("Channel", "Uniqueid", "Linkedid", "ChannelState", "CallerIDNum", "Context")[:reads]
    decoder = AmiDecoder(wanted, with_banner=False)
    for piece in pieces:
        for message in decoder.feed(piece):
            for header in headers:
                message.get(header)


class _Nobody:
    """The least that panoramisk's protocol wants of its manager."""

    save_stream = None

    def __init__(self) -> None:
        self.log = logging.getLogger("bench.panoramisk")
        self.events = 0

    def dispatch(self, event: Any) -> None:
        del event
        self.events += 1


def _panoramisk(pieces: list[bytes]) -> None:
    """Its protocol, fed as by a socket; debug log off, as in production. Raises when events went missing."""
    protocol: Any = AMIProtocol()
    protocol.connection_made(None)
    protocol.factory = _Nobody()
    protocol.encoding = "utf8"
    for piece in pieces:
        protocol.data_received(piece)
    if protocol.factory.events != PEER_EVENTS:
        raise RuntimeError(f"panoramisk gave {protocol.factory.events} of {PEER_EVENTS} events")


def _read_only(pieces: list[bytes]) -> None:
    """The limit: find the ends of the messages, look at nothing."""
    sum(piece.count(b"\r\n\r\n") for piece in pieces)


def _per_second(count: int, work: Callable[[], None], rounds: int = ROUNDS) -> int:
    best = float("inf")
    for _ in range(rounds):
        begin = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - begin)
    return int(count / best)


def run() -> list[dict[str, Any]]:
    """The table: one row per reader. Limit: `bytes only`; goal: `ours, filtered, none read` >= GOAL."""
    data = b"".join(events(EVENTS))
    pieces = [data[at : at + PIECE] for at in range(0, len(data), PIECE)]
    few = b"".join(events(PEER_EVENTS))
    few_pieces = [few[at : at + PIECE] for at in range(0, len(few), PIECE)]
    rates = {
        "bytes only (limit)": _per_second(EVENTS, lambda: _read_only(pieces)),
        "ours, filtered, 6 headers read of each wanted": _per_second(
            EVENTS, lambda: _ours(pieces, WANTED, 6)
        ),
        "ours, filtered, none read": _per_second(EVENTS, lambda: _ours(pieces, WANTED, 0)),
        "ours, every event, 6 headers read": _per_second(EVENTS, lambda: _ours(pieces, None, 6)),
        "panoramisk, every event": _per_second(PEER_EVENTS, lambda: _panoramisk(few_pieces), rounds=1),
    }
    return [
        row("ami", who, "AMI events decoded", rate, "events/s", f">= {GOAL:,}" if "none read" in who else "")
        for who, rate in rates.items()
    ]
