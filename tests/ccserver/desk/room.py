"""Two desks without sockets, phones or database: real router, journal, hub, fold, sessions and commands."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ccserver.config import load
from ccserver.contacts import Contact, Contacts
from ccserver.customers.identity import match, normalise
from ccserver.desk.commands import Commands
from ccserver.desk.desk import Desk
from ccserver.desk.fold import DeskFold
from ccserver.desk.scripting import Scripting
from ccserver.desk.sessions import DeskSessions
from ccserver.hub import Hub
from ccserver.journal import Journal
from ccserver.reports.board import Boards
from ccserver.store.database import StoreUnavailable
from ccserver.store.rows import CustomerRow
from ccserver.web.metrics import Metrics
from ccserver.web.ports import Role, User
from routing import events as ev
from routing.model import US_PER_S, DeviceState, Medium
from routing.router import Router
from scripts.loader import load_scripts

SECRETS = {"CCSERVER_PBX__MAIN__SECRET": "s" * 20, "CCSERVER_PBX__MAIN__FASTAGI_SECRET": "f" * 20}
CONFIG = """
[site]
time_zone = "Asia/Jakarta"
[pbx.main]
host = "127.0.0.1"
[numbers."+62215550101"]
queue = "billing"
[numbers."+62215550102"]
queue = "sales"
[queues.billing]
label = { en = "Billing", id = "Tagihan" }
skills = { billing = 1 }
wrap_up_s = 30
script = "support"
[queues.sales]
label = "Sales"
skills = { sales = 1 }
[agents.ayu]
name = "Ayu"
skills = { billing = 5 }
[agents.budi]
name = "Budi"
skills = { billing = 5, sales = 5 }
[devices.d1]
label = "Desk 1"
pbx = "main"
endpoint = "PJSIP/a1"
[devices.d2]
label = "Desk 2"
pbx = "main"
endpoint = "PJSIP/a2"
[routing]
lease_s = 5
[reasons.break]
label = "Break"
[dispositions.refund]
label = "Refund"
"""
AYU = User("ayu", "ayu", "Ayu (test)", Role.AGENT, "en", "")
BUDI = User("budi", "budi", "Budi (test)", Role.SUPERVISOR, "id", "")
SITI = CustomerRow("k1", "K-1", "Siti Contoh (test)", "id", "gold", 900, 0, None, "")


class Clock:
    """Router time that stands still until it is moved."""

    def __init__(self, at: int) -> None:
        self.at = at

    def __call__(self) -> int:
        return self.at


@dataclass
class Phones:
    """The PBX, recording what was asked of it; `up` False: it is away."""

    events: list[tuple[str, ...]]
    up: bool = True

    def hang_up_agent(self, interaction: str) -> bool:
        self.events.append(("hang_up", interaction))
        return self.up

    def send_back(self, interaction: str) -> bool:
        self.events.append(("send_back", interaction))
        return self.up

    def dial(self, device: str, number: str) -> bool:
        self.events.append(("dial", device, number))
        return self.up


@dataclass
class Memory:
    """The store, recording; `away`: the database does not answer."""

    events: list[tuple[str, ...]]
    away: bool = False

    def _keep(self, *what: str) -> None:
        if self.away:
            raise StoreUnavailable("away")
        self.events.append(what)

    async def save_note(self, interaction: str, agent: str, text: str, at: int) -> None:
        self._keep("note", interaction, agent, text)

    async def save_disposition(self, interaction: str, agent: str, disposition: str, at: int) -> None:
        self._keep("disposition", interaction, agent, disposition)

    async def save_script_answers(
        self, interaction: str, agent: str, script: str, version: str, answers: dict[str, str], at: int
    ) -> None:
        self._keep("answers", interaction, agent, str(sorted(answers.items())))


class Room:
    """`room.log_in(AYU, "d1")`, `room.arrive("i1")`, `await room.do(desk, p.Ready(id="c1"))`."""

    def __init__(self, folder: Path, at: int = 1_800_000_000 * US_PER_S) -> None:
        file = folder / "ccserver.toml"
        file.write_text(CONFIG)
        self.config = load(file, SECRETS)
        self.clock, self.events = Clock(at), list[tuple[str, ...]]()
        self.journal = Journal(folder / "journal", "e", "test", 0)
        self.hub = Hub(Router(), self.journal, self.clock)  # type: ignore[arg-type]
        self.contacts, self.metrics = Contacts(), Metrics()
        self.scripting = Scripting(
            self.config, load_scripts(None), self.contacts, self._queued_at, self.clock
        )
        self.fold = DeskFold(self.config, self.hub, self.contacts, self.scripting, self.metrics)
        self.sessions = DeskSessions(self.config, self.hub, self.contacts, self.fold, self.metrics)
        self.boards = Boards(self.config, self.hub, self.metrics)
        self.phones, self.memory = Phones(self.events), Memory(self.events)
        commands = Commands(self.config, self.hub, self.phones, self.memory, self.scripting)
        self.sessions.commander = commands.carry_out

    async def open(self) -> Room:
        """On the loop: the policy, and two phones that are there."""
        self.hub.post(ev.PolicySet(self.config.policy()))
        for name in ("a1", "a2"):
            self.hub.post(ev.DeviceChanged(f"main/PJSIP/{name}", DeviceState.NOT_INUSE))
        return self

    def _queued_at(self, interaction: str) -> int | None:
        found = self.hub.router.interactions.get(interaction)
        return found.queued_at if found else None

    async def close(self) -> None:
        self.boards.stop()
        for desk in self.sessions.desks():
            await self.sessions.close(desk.fixed.agent, desk.session, "logout")
        self.hub.stop()
        await self.journal.close()

    async def log_in(self, user: User, device: str, session: str = "s1", *, ready: bool = True) -> Desk:
        """An agent's open desk."""
        await self.sessions.open(user, f"{user.id}-{session}", device)
        if ready:
            self.hub.post(ev.AgentReadied(user.id))
        desk = self.sessions.find(user.id)
        assert desk is not None
        return desk

    def arrive(self, interaction: str, queue: str = "billing", known: bool = True) -> None:
        """A caller: Siti, or somebody without a number."""
        origin = normalise("+6281200000001" if known else "anonymous", "ID")
        found = match(origin, [SITI] if known else [])
        self.contacts.put(Contact(interaction, "voice", origin, "+62215550101", "en", found, stake_cents=77))
        self.hub.post(ev.InteractionArrived(interaction, Medium.VOICE, queue, pbx="main"))

    def answer(self, offer: str) -> None:
        """The agent picks up, and both are joined."""
        self.hub.post(ev.OfferAccepted(offer))
        self.hub.post(ev.ConnectionMade(offer))

    async def do(self, desk: Desk, command: Any) -> str:
        """Carry out a command; "" or the code of the refusal."""
        ack = await self.sessions.command(desk.fixed.agent, desk.session, command)
        return "" if ack.ok else ack.error
