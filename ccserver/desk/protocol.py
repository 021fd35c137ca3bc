"""The desk and wallboard protocols: JSON over `/ws/desk` and `/ws/wallboard`, version 1. Pure.

Server to client. Each frame is one JSON object with `v` (1), `type`, and, except for `hello`, `ack` and
`pong`, a number `n` that counts up by one within an `epoch`. A client connects with `?epoch=E&last=N`:

    hello      {epoch, resumed, n, server_utc_ms}    always first; `resumed` true: the missed frames follow
    snapshot   the whole desk, when there is nothing to resume; every later frame changes it
    agent      the agent's declared state          device     the phone's state
    offer      a new offer with pop and first script page (before or with the ring)
    offer_ended  outcome of the open offer          work       one work item, whole, replaces the one before
    work_gone  a work item left the desk           pop        a late look-up: a better pop for an interaction
    script     the script page to show             queues     waiting counts of the agent's queues
    today      handled and missed since midnight   pbx        the phone system went away or came back
    notice     one line for the notice strip       ack        answer to a command: {id, ok, error}
    pong       answer to ping

Client to server: `{"id": "c1", "cmd": "...", ...}`; `id` is the client's, repeated commands with one id are
carried out once and acked again:

    ready · not_ready {reason} · accept {offer} · decline {offer} · hangup {interaction}
    transfer {interaction, queue} · dial {number} · script {interaction, step, answers}
    note {interaction, text} · finish {interaction, disposition, note, next} · extend {interaction}
    ping

Text in frames is plain text, never markup. Instants are UTC milliseconds (`_utc_ms`) of the server's clock;
`hello.server_utc_ms` gives the offset. Unknown fields are ignored by both sides, unknown commands refused.
"""

from __future__ import annotations

from typing import Literal

import msgspec

VERSION = 1
MAX_COMMAND_BYTES = 32_768
MAX_NOTE_CHARS = 8_000


class Wire(msgspec.Struct, kw_only=True):
    """Base of everything that goes over the wire."""


class AgentState(Wire):
    status: Literal["LOGGED_OUT", "NOT_READY", "READY"]
    reason: str
    since_utc_ms: int


class DeviceInfo(Wire):
    id: str
    label: str
    state: str


class Candidate(Wire):
    """One of several customers the evidence fits."""

    customer: str
    name: str
    tier: str


class Match(Wire):
    """Who this is, how sure we are, and why we think so."""

    kind: Literal["known", "several", "unknown", "withheld", "malformed", "pending"]
    confidence: int
    """Per cent."""
    evidence: tuple[str, ...] = ()
    candidates: tuple[Candidate, ...] = ()


class PastContact(Wire):
    interaction: str
    at_utc_ms: int
    medium: str
    queue: str
    outcome: str
    disposition: str
    agent: str
    note: str


class CustomerCard(Wire):
    """What the desk may know of the customer. Money only where the role allows it (else None)."""

    id: str
    name: str
    tier: str
    language: str
    since: str
    numbers: tuple[str, ...] = ()
    email: str = ""
    remarks: str = ""
    worth_cents: int | None = None
    stake_cents: int | None = None


class Pop(Wire):
    """The screen pop."""

    interaction: str
    medium: str
    origin: str
    origin_label: str
    destination: str
    queue: str
    queue_label: str
    queued_utc_ms: int
    match: Match
    customer: CustomerCard | None = None
    contacts: tuple[PastContact, ...] = ()
    contacts_7d: int = 0
    entered: tuple[tuple[str, str], ...] = ()
    """What the customer already told the machine, so that nobody asks twice: (label, value)."""
    why: str = ""
    """In neutral words: why this call comes to this desk."""


class Choice(Wire):
    value: str
    label: str


class Block(Wire):
    """One thing on a script page. `say` is read aloud, `hint` is for the agent's eyes."""

    kind: Literal["say", "hint", "field", "choice"]
    text: str
    name: str = ""
    required: bool = False
    choices: tuple[Choice, ...] = ()
    value: str = ""


class ScriptPage(Wire):
    interaction: str
    script: str
    version: str
    step: str
    title: str
    index: int
    total: int
    blocks: tuple[Block, ...]
    last: bool = False
    problems: tuple[str, ...] = ()
    """What is wrong with the answers given, in the agent's language."""


class WorkItem(Wire):
    """One interaction on the desk. `phase` drives what may be done with it."""

    interaction: str
    medium: str
    phase: Literal["connecting", "talking", "held", "wrap_up", "unfinished"]
    label: str
    queue_label: str
    since_utc_ms: int
    answered_utc_ms: int
    wrap_up_until_utc_ms: int | None = None
    pop: Pop | None = None
    script: ScriptPage | None = None
    note: str = ""


class OfferCard(Wire):
    offer: str
    interaction: str
    medium: str
    made_utc_ms: int
    deadline_utc_ms: int
    pop: Pop
    script: ScriptPage | None = None


class QueueLine(Wire):
    id: str
    label: str
    waiting: int
    oldest_utc_ms: int | None


class Code(Wire):
    code: str
    label: str


class Today(Wire):
    handled: int
    missed: int


class PbxStatus(Wire):
    up: bool
    since_utc_ms: int


class Hello(Wire, tag_field="type", tag="hello"):
    epoch: str
    resumed: bool
    n: int
    server_utc_ms: int
    v: int = VERSION


class Snapshot(Wire, tag_field="type", tag="snapshot"):
    n: int
    agent: str
    name: str
    language: str
    role: str
    state: AgentState
    device: DeviceInfo
    offer: OfferCard | None
    work: tuple[WorkItem, ...]
    queues: tuple[QueueLine, ...]
    today: Today
    pbx: PbxStatus
    reasons: tuple[Code, ...]
    dispositions: tuple[Code, ...]
    all_queues: tuple[Code, ...]
    demo: bool = False
    v: int = VERSION


class AgentFrame(Wire, tag_field="type", tag="agent"):
    n: int
    state: AgentState
    v: int = VERSION


class DeviceFrame(Wire, tag_field="type", tag="device"):
    n: int
    device: DeviceInfo
    v: int = VERSION


class OfferFrame(Wire, tag_field="type", tag="offer"):
    n: int
    offer: OfferCard
    v: int = VERSION


class OfferEndedFrame(Wire, tag_field="type", tag="offer_ended"):
    n: int
    offer: str
    interaction: str
    outcome: Literal["accepted", "rejected", "expired", "revoked"]
    cause: str
    v: int = VERSION


class WorkFrame(Wire, tag_field="type", tag="work"):
    n: int
    item: WorkItem
    v: int = VERSION


class WorkGoneFrame(Wire, tag_field="type", tag="work_gone"):
    n: int
    interaction: str
    v: int = VERSION


class PopFrame(Wire, tag_field="type", tag="pop"):
    n: int
    pop: Pop
    v: int = VERSION


class ScriptFrame(Wire, tag_field="type", tag="script"):
    n: int
    page: ScriptPage
    v: int = VERSION


class QueuesFrame(Wire, tag_field="type", tag="queues"):
    n: int
    queues: tuple[QueueLine, ...]
    v: int = VERSION


class TodayFrame(Wire, tag_field="type", tag="today"):
    n: int
    today: Today
    v: int = VERSION


class PbxFrame(Wire, tag_field="type", tag="pbx"):
    n: int
    pbx: PbxStatus
    v: int = VERSION


class NoticeFrame(Wire, tag_field="type", tag="notice"):
    """`code` selects the words in the client's language, `params` fill them; see ui/src/lib/words."""

    n: int
    code: str
    params: dict[str, str]
    v: int = VERSION


class Ack(Wire, tag_field="type", tag="ack"):
    id: str
    ok: bool
    error: str = ""
    v: int = VERSION


class Pong(Wire, tag_field="type", tag="pong"):
    server_utc_ms: int
    v: int = VERSION


DeskFrame = (
    Snapshot
    | AgentFrame
    | DeviceFrame
    | OfferFrame
    | OfferEndedFrame
    | WorkFrame
    | WorkGoneFrame
    | PopFrame
    | ScriptFrame
    | QueuesFrame
    | TodayFrame
    | PbxFrame
    | NoticeFrame
)


class Ready(Wire, tag_field="cmd", tag="ready"):
    id: str


class NotReady(Wire, tag_field="cmd", tag="not_ready"):
    id: str
    reason: str


class Accept(Wire, tag_field="cmd", tag="accept"):
    id: str
    offer: str


class Decline(Wire, tag_field="cmd", tag="decline"):
    id: str
    offer: str


class Hangup(Wire, tag_field="cmd", tag="hangup"):
    id: str
    interaction: str


class Transfer(Wire, tag_field="cmd", tag="transfer"):
    id: str
    interaction: str
    queue: str


class Dial(Wire, tag_field="cmd", tag="dial"):
    id: str
    number: str


class ScriptAnswer(Wire, tag_field="cmd", tag="script"):
    id: str
    interaction: str
    step: str
    answers: dict[str, str]
    back: bool = False


class Note(Wire, tag_field="cmd", tag="note"):
    id: str
    interaction: str
    text: str


class Finish(Wire, tag_field="cmd", tag="finish"):
    id: str
    interaction: str
    disposition: str
    note: str
    next: Literal["ready", "not_ready"] = "ready"


class Extend(Wire, tag_field="cmd", tag="extend"):
    id: str
    interaction: str


class Ping(Wire, tag_field="cmd", tag="ping"):
    id: str


Command = (
    Ready
    | NotReady
    | Accept
    | Decline
    | Hangup
    | Transfer
    | Dial
    | ScriptAnswer
    | Note
    | Finish
    | Extend
    | Ping
)


class QueueBoard(Wire):
    id: str
    label: str
    waiting: int
    oldest_utc_ms: int | None
    ready: int
    staffed: int
    offered: int
    answered: int
    answered_in_target: int
    abandoned: int
    short_abandoned: int
    service_level: float | None
    """Since midnight: answered within the target ÷ offered (answered + long abandons + flowed out)."""
    target_s: int
    asa_s: float | None


class AgentLine(Wire):
    agent: str
    name: str
    status: str
    """LOGGED_OUT, NOT_READY, READY, RESERVED, TALKING, WRAP_UP."""
    reason: str
    since_utc_ms: int
    queue_label: str
    device: str


class Board(Wire, tag_field="type", tag="board"):
    """The wallboard, whole: small enough that a change sends all of it (at most four times a second)."""

    n: int
    at_utc_ms: int
    midnight_utc_ms: int
    site: str
    waiting: int
    oldest_utc_ms: int | None
    ready: int
    staffed: int
    offered: int
    answered: int
    abandoned: int
    service_level: float | None
    service_level_30min: float | None
    """The same ratio over the last 30 minutes, None below 10 offered."""
    formula: str
    target_s: int
    asa_s: float | None
    queues: tuple[QueueBoard, ...]
    agents: tuple[AgentLine, ...]
    """Empty for those who may not see names."""
    pbx_up: bool
    v: int = VERSION


_encoder = msgspec.json.Encoder()
_command_decoder = msgspec.json.Decoder(Command)


class BadCommand(ValueError):
    """The client sent something that is no command; the message says what to send instead."""


def encode(frame: DeskFrame | Board | Hello | Ack | Pong) -> bytes:
    """One frame as JSON."""
    return _encoder.encode(frame)


def decode_command(data: bytes | str) -> Command:
    """One command from the client. Raises BadCommand with the client's fault in words."""
    if len(data) > MAX_COMMAND_BYTES:
        raise BadCommand(f"command too large: {len(data)} bytes, limit {MAX_COMMAND_BYTES}")
    try:
        command: Command = _command_decoder.decode(data)
    except (msgspec.DecodeError, UnicodeError) as error:
        raise BadCommand(f"not a command: {error}") from error
    return command
