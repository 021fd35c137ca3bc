"""What the web shell needs from the rest of the server, as Protocols, and what it offers back.

    browser ── HTTP/WS ──▶ web ──▶ UserStore     (users and web sessions; ccserver/store)
                            ├────▶ Desks         (agents' sessions, one stream each; ccserver/desk/sessions)
                            ├────▶ Boards        (the wallboard's streams; ccserver/reports/board)
                            ├────▶ Interactions  (what was, and why; ccserver/store)
                            ├────▶ Health        (named checks; ccserver/app)
                            └────▶ Audit         (who did what)
    everybody ─▶ Meter (figures; implemented by ccserver/web/metrics)

Lifecycle of an agent at the web: `login` checks the password, makes a web session (its public id is the
`session` of routing) and calls `Desks.open`. The socket calls `Desks.attach` (and `open` once more when the
desk was forgotten: lease over, or the server restarted); when it is cut it calls `Desks.detach`, and the
lease begins. `logout` calls `Desks.close`. All of it is called on the loop.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from ccserver.desk.protocol import Ack, Board, Command, CustomerCard, PastContact

if TYPE_CHECKING:
    from ccserver.desk.stream import Subscriber
    from ccserver.web.accounts import Accounts
    from ccserver.web.metrics import Metrics

TAKEN_OVER = 4001
"""Close code: the same agent logged in elsewhere; the desk moved there."""
DEVICE_IN_USE = 4009
"""Close code: another agent sits at this device now; log in again with another one."""
NOT_LOGGED_IN = 4401
"""Close code: no session, or it ran out; log in again."""
FORBIDDEN = 4403
"""Close code: logged in, but this socket is not for this user (no device, wrong role)."""


class Role(StrEnum):
    """What a user may do; see ccserver/web/access.py."""

    AGENT = "agent"
    SUPERVISOR = "supervisor"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class User:
    """A person with a login. `id` is the agent id of routing, `name` is typed at login (case-insensitive,
    stored in lower case), `label` is shown to others."""

    id: str
    name: str
    label: str
    role: Role
    language: str
    password_hash: str = field(repr=False)
    disabled: bool = False


@dataclass(frozen=True, slots=True)
class WebSession:
    """Login to logout. Only the SHA-256 of the cookie's token is kept; `id` is the session of routing."""

    token_hash: str = field(repr=False)
    id: str
    user: str
    device: str | None
    created_utc_ms: int
    seen_utc_ms: int
    address: str = ""


class NameTaken(Exception):
    """There is a user of that name or id already."""


class NoSuchUser(Exception):
    """The user to change does not exist."""


class UserStore(Protocol):
    """Users and web sessions. Written through: when a coroutine returns, the change is durable."""

    async def user_by_name(self, name: str) -> User | None:
        """`name` is in lower case already."""

    async def user_by_id(self, user: str) -> User | None: ...

    async def users(self) -> Sequence[User]:
        """All of them, by name."""

    async def create_user(self, user: User) -> None:
        """Raises NameTaken."""

    async def update_user(self, user: User) -> None:
        """Replaces all fields of the user with that id. Raises NoSuchUser, NameTaken."""

    async def add_web_session(self, session: WebSession) -> None: ...

    async def web_session(self, token_hash: str) -> WebSession | None: ...

    async def touch_web_session(self, token_hash: str, seen_utc_ms: int) -> None:
        """Unknown sessions are ignored."""

    async def delete_web_session(self, token_hash: str) -> None:
        """Unknown sessions are ignored."""

    async def web_sessions_of(self, user: str) -> Sequence[WebSession]: ...

    async def delete_web_sessions_before(self, created_utc_ms: int, seen_utc_ms: int) -> int:
        """Deletes those created before the one or last seen before the other; how many they were."""


@dataclass(frozen=True, slots=True)
class DeviceOption:
    """A phone one may log in with."""

    id: str
    label: str
    free: bool


class DeviceInUse(Exception):
    """Another agent sits at this device."""

    def __init__(self, device: str, agent: str, label: str) -> None:
        super().__init__(f"device {device} is in use by {label}")
        self.device, self.agent, self.label = device, agent, label


class UnknownDevice(Exception):
    """No such device is configured."""


class NotAnAgent(Exception):
    """This user may log in, but has no place in the configuration's agents, so no call can come to them."""


class NoDesk(Exception):
    """This agent has no open desk under this session."""


class Desks(Protocol):
    """The agents' sessions: one desk, one stream per agent, however many sockets look at it."""

    def devices(self) -> Sequence[DeviceOption]: ...

    async def open(self, user: User, session: str, device: str) -> None:
        """Open the desk. The same (user, session, device) again changes nothing. Another session of the same
        agent takes over: the first desk gets a `taken_over` notice and its stream is closed with TAKEN_OVER.
        Raises DeviceInUse, UnknownDevice, NotAnAgent."""

    async def close(self, agent: str, session: str, reason: str) -> None:
        """Log out (`logout`, `disabled`, `changed`); the stream is closed with NOT_LOGGED_IN. Unknown
        sessions are ignored."""

    def attach(self, agent: str, session: str, epoch: str, last: int, wake: Callable[[], None]) -> Subscriber:
        """A socket looks at the desk: `Stream.attach` on the agent's stream. `epoch` is empty at first
        contact. Stops the lease. Raises NoDesk."""

    def detach(self, agent: str, session: str, subscriber: Subscriber) -> None:
        """The socket is gone; when it was the last one, the lease begins. Never raises."""

    async def command(self, agent: str, session: str, command: Command) -> Ack:
        """Carry out one command (never Ping); refusals are `Ack(ok=False, error=code)`. Called once per
        command id."""


class Boards(Protocol):
    """The wallboard's two streams: with the agents' names, and without."""

    def current(self, names: bool) -> Board: ...

    def attach(self, names: bool, epoch: str, last: int, wake: Callable[[], None]) -> Subscriber: ...

    def detach(self, names: bool, subscriber: Subscriber) -> None: ...


@dataclass(frozen=True, slots=True)
class SegmentDetail:
    """One agent's part of an interaction."""

    agent: str
    agent_label: str
    queue: str
    offered_utc_ms: int
    answered_utc_ms: int | None
    ended_utc_ms: int | None
    disposition: str
    note: str


@dataclass(frozen=True, slots=True)
class InteractionDetail:
    """What is remembered of an interaction. `agents`: who worked on it or is being offered it, for the
    access check."""

    id: str
    conversation: str
    medium: str
    queue: str
    state: str
    outcome: str
    origin: str
    destination: str
    customer: str | None
    arrived_utc_ms: int
    ended_utc_ms: int | None
    waited_ms: int
    segments: tuple[SegmentDetail, ...]
    agents: frozenset[str]


@dataclass(frozen=True, slots=True)
class CustomerDetail:
    """The card with money in it (the web takes it out where the role may not see it), and the contacts.
    `agents`: who works with this customer now or did before, for the access check."""

    card: CustomerCard
    contacts: tuple[PastContact, ...]
    agents: frozenset[str]


class Interactions(Protocol):
    """What was, read from the database (late by the projection's lag)."""

    async def interaction(self, interaction: str) -> InteractionDetail | None: ...

    async def why(self, interaction: str, money: bool) -> Sequence[str] | None:
        """The decisions about an interaction in words, oldest first; neutral words without `money`."""

    async def customer(self, customer: str) -> CustomerDetail | None: ...


@dataclass(frozen=True, slots=True)
class Check:
    """One named state of health. What is not `needed` may be bad while we are ready."""

    name: str
    ok: bool
    needed: bool
    words: str


class Health(Protocol):
    """Answers from memory, at once: nothing is probed when asked."""

    def checks(self) -> Sequence[Check]:
        """`pbx`, `journal`, `database` and what else there is."""


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """Who did what, from where. Never a password, token, number or text of a customer."""

    what: str
    """`login`, `login_refused`, `logout`, `user_created`, `user_changed`, `interaction_read`,
    `customer_read`."""
    user: str
    address: str
    subject: str = ""
    detail: str = ""


class Audit(Protocol):
    """Where audit entries go. Never raises, never blocks."""

    def record(self, entry: AuditEntry) -> None: ...


class Meter(Protocol):
    """Figures for /metrics, as plain calls from anywhere on the loop. Durations in seconds."""

    def queue(self, queue: str, waiting: int, oldest_s: float) -> None: ...

    def agents(self, by_status: Mapping[str, int]) -> None:
        """How many agents are in each state, all states given."""

    def interaction_closed(self, queue: str, outcome: str, waited_s: float) -> None: ...

    def offer_ended(self, outcome: str) -> None: ...

    def event_handled(self, event: str, took_s: float) -> None:
        """One event through the hub: handle, journal, effects."""

    def event_refused(self, event: str) -> None: ...

    def handoff(self, took_s: float) -> None:
        """Agent became free → the command that rings the next caller's phone was written."""

    def pop(self, took_s: float) -> None:
        """Offer made → the desk acknowledged (or, without acknowledgement, the frame was handed over)."""

    def ami(self, pbx: str, up: bool, lag_s: float) -> None:
        """`lag_s`: round trip of the last ping."""

    def ami_event(self, pbx: str, count: int = 1) -> None: ...

    def projection(self, behind: int, late_s: float) -> None:
        """Journal records not yet in the database, and the age of the oldest of them."""

    def journal(self, written_bytes: int, sync_s: float) -> None:
        """One group written and synchronised."""

    def error(self, where: str) -> None:
        """A fault that was logged: `ami`, `fastagi`, `journal`, `database`, `web`, …"""


@dataclass(frozen=True, slots=True)
class DemoLogin:
    """A login shown on the login page of the demo."""

    name: str
    password: str
    role: Role
    device: str | None


@dataclass(frozen=True, slots=True)
class WebSettings:
    """How the web shell is set up; filled from the `[web]` section of the configuration."""

    site: str
    host: str = "127.0.0.1"
    port: int = 8000
    """0: any free port (`WebServer.port` tells which)."""
    tls_certificate: Path | None = None
    tls_key: Path | None = None
    trusted_proxies: tuple[str, ...] = ()
    """Addresses or networks whose X-Forwarded-For and -Proto are believed; they must speak HTTPS outside."""
    hosts: tuple[str, ...] = ()
    """Names under which browsers reach us; IP addresses and `localhost` are always right."""
    languages: tuple[str, ...] = ("en", "id")
    metrics_port: int | None = None
    """/metrics on a listener of its own, on `metrics_host`; 0: any free port."""
    metrics_host: str = "127.0.0.1"
    public_metrics: bool = False
    """/metrics on the main listener, for everybody (the demo)."""
    session_idle_s: int = 12 * 3600
    session_absolute_s: int = 24 * 3600
    logins_per_minute_and_name: int = 10
    logins_per_minute_and_address: int = 60
    max_connections: int = 4_000
    stop_timeout_s: int = 5
    ui: Path | None = None
    """The built pages; None: ccserver/web/ui/dist beside this file."""


@dataclass(frozen=True, slots=True)
class WebDeps:
    """Everything the web shell is given."""

    settings: WebSettings
    accounts: Accounts
    desks: Desks
    boards: Boards
    interactions: Interactions
    health: Health
    metrics: Metrics
    audit: Audit
    utc_ms: Callable[[], int]
    demo: tuple[DemoLogin, ...] = ()
