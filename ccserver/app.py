"""The server, put together by hand in one place, started and stopped in order.

    journal ─▶ router ─▶ hub ─┬─ phones ─── AMI clients ─── PBX
                              ├─ desks, boards ─── web (FastAPI on uvicorn)
                              ├─ projector ─── store (SQLAlchemy)
                              └─ meters
    FastAGI ─▶ call entry ─▶ hub

One loop, uvloop under Twisted's asyncio reactor; this is the only module that knows the reactor.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import structlog
from twisted.internet.error import CannotListenError

from ccserver import journal, logs, speech
from ccserver.clock import RouterClock
from ccserver.collector import Collector
from ccserver.config import Config, Pbx
from ccserver.contacts import Contacts
from ccserver.costs import Costs
from ccserver.customers.directory import Directory
from ccserver.desk.commands import Commands
from ccserver.desk.fold import DeskFold
from ccserver.desk.scripting import Scripting
from ccserver.desk.sessions import DeskSessions
from ccserver.entry import CallEntry
from ccserver.hub import Hub
from ccserver.ids import Ids
from ccserver.journal import Journal, JournalRecord
from ccserver.meters import Meters
from ccserver.only_one import CannotStart, hold
from ccserver.phones import Phones
from ccserver.recovery import recover
from ccserver.reports.board import Boards
from ccserver.reports.lookup import Lookup
from ccserver.store.grouped import Grouped
from ccserver.store.projection import Projector
from ccserver.store.store import Store
from ccserver.web.accounts import Accounts
from ccserver.web.api.fanout import Waker
from ccserver.web.app import create_app
from ccserver.web.metrics import Metrics
from ccserver.web.passwords import Passwords
from ccserver.web.ports import AuditEntry, Check, DemoLogin, WebDeps, WebSettings
from ccserver.web.server import WebServer
from channels.asterisk.ami_client import AmiCallbacks, AmiClient
from channels.asterisk.ami_endpoint import AmiAddress, AmiLogin, AmiTls, LoopClock
from channels.asterisk.dialogue import DialogueLimits, DialogueRunner, dialogue_handler
from channels.asterisk.dialogue_load import SHIPPED_FOLDER, load_dialogues
from channels.asterisk.fastagi_door import PbxDoor
from channels.asterisk.fastagi_server import FastAgiFactory, ServerLimits
from channels.asterisk.fastagi_session import AgiRequest
from channels.asterisk.voice import Voice
from channels.asterisk.voice_legs import WANTED, OpenCall
from routing.effects import MakeOffer
from routing.events import PolicySet
from routing.model import InteractionState
from scripts.loader import load_scripts

STOP_WITHIN_S = 10.0
DATABASE_LATE_S = 60.0
log = structlog.get_logger()


def release() -> str:
    """This release, for the journal's header."""
    try:
        return version("ccserver")
    except PackageNotFoundError:
        return "unknown"


class Server:
    """One contact centre. `await start()`, then it serves until `await stop()`."""

    def __init__(
        self,
        config: Config,
        reactor: Any,
        *,
        demo: Sequence[DemoLogin] = (),
        port: int | None = None,
        agi_port: int | None = None,
    ) -> None:
        """`port`, `agi_port`: instead of the configured ones; 0: any free port."""
        self.config, self._reactor, self._demo = config, reactor, tuple(demo)
        self._port = config.server.port if port is None else port
        self._agi_port = config.fastagi.port if agi_port is None else agi_port
        self._audits: set[asyncio.Task[None]] = set()
        self._following: asyncio.Task[None] | None = None
        self._collector = Collector()

    # -- building -------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Everything up: database, journal, doors, PBX lines, pages."""
        began = time.monotonic()
        self._folder_lock = hold(self.config.server.data_dir)
        self._build_core()
        await self.store.migrate()
        await self.directory.warm()
        self.prompts = await asyncio.to_thread(speech.prepare, self.config)
        self._build_desks()
        self._build_voice()
        self._build_entry()
        self._build_web()
        self._following = asyncio.get_running_loop().create_task(self.projector.run())
        self.hub.on_record(self.projector.offer)
        self.boards.begin(journal.read(self.journal.folder, self._first_seq_today()))
        self.hub.post(PolicySet(self.config.policy()))
        self.sessions.expect_back()
        self.entry.take_up()
        await self._listen()
        self._collector.start()
        log.info("ready", url=self.url, took_s=round(time.monotonic() - began, 3))

    def _build_core(self) -> None:
        folder = self.config.server.data_dir / "journal"
        state = recover(folder)
        if state.differences:
            log.warning("this release decides some past events otherwise", records=len(state.differences))
        self.clock = RouterClock(state.at)
        self.journal = Journal(folder, _epoch(folder), release(), state.seq)
        self.hub = Hub(state.router, self.journal, self.clock)
        self.ids = Ids(self.clock)
        self.store = Store.open(self.config.database_url)
        self.projector = Projector(
            self.store, self.journal.epoch, lambda seq: journal.read(folder, seq), self.clock
        )
        self.contacts, self.metrics = Contacts(), Metrics()
        self.directory = Directory(self.store)

    def _build_desks(self) -> None:
        config, hub = self.config, self.hub
        self.scripting = Scripting(
            config, load_scripts(config.scripts.folder), self.contacts, self._queued_at, self.clock
        )
        self.fold = DeskFold(config, hub, self.contacts, self.scripting, self.metrics)
        self.sessions = DeskSessions(config, hub, self.contacts, self.fold, self.metrics)
        self.boards = Boards(config, hub, self.metrics)
        self.costs = Costs(hub, self.contacts, self.store)
        self.scripting.on_answers = self.costs.answered
        hub.on_record(self._forget_closed)

    def _build_voice(self) -> None:
        self.clients: list[AmiClient] = []
        voices = [self._voice(pbx) for pbx in self.config.pbx.values()]
        self.phones = Phones(self.hub, voices)
        self.sessions.commander = Commands(
            self.config, self.hub, self.phones, self.store, self.scripting
        ).carry_out
        self.meters = Meters(self.hub, self.metrics, self.clients, self.projector.late)

    def _voice(self, pbx: Pbx) -> Voice:
        devices = [device.endpoint for device in self.config.devices.values() if device.pbx == pbx.id]
        voice = Voice(pbx.id, devices, self.hub.post)
        voice.open_calls = lambda: self._open_calls(pbx.id)
        voice.on_status = self._pbx_status
        voice.model.on_hold = self._held
        tls = AmiTls(pbx.tls_ca) if pbx.tls else None
        client = AmiClient(
            AmiAddress(pbx.id, pbx.host, pbx.port, tls),
            AmiLogin(pbx.user, pbx.secret.get_secret_value()),
            AmiCallbacks(voice.on_event, voice.on_up, voice.on_down),
            reactor=self._reactor,
            clock=LoopClock(asyncio.get_running_loop()),
            wanted=WANTED,
        )
        voice.ami = client
        self.clients.append(client)
        return voice

    def _build_entry(self) -> None:
        config, loop = self.config, asyncio.get_running_loop()
        self.entry = CallEntry(
            config, self.hub, self.ids, self.contacts, self.directory, Grouped(self.store), self.phones
        )
        speaker = self.prompts
        own = config.fastagi.dialogue_folder
        folders = [SHIPPED_FOLDER, *([own] if own else [])]
        limits = DialogueLimits(config.fastagi.max_dialogues, config.fastagi.dialogue_timeout_s)
        runner = DialogueRunner(load_dialogues(folders), loop, limits=limits, speaker=speaker)
        routes: dict[str, Any] = {
            "call": self.entry.call,
            "queue": self.entry.queue,
            "announce": self.entry.announce,
        }
        for name in runner.dialogues:
            routes[f"dialogue/{name}"] = dialogue_handler(runner, name, self.entry.dialogue_ended)
        sources = [str(network) for network in config.fastagi.allow]
        self.fastagi = FastAgiFactory(
            [PbxDoor(p.id, p.fastagi_secret.get_secret_value(), sources) for p in config.pbx.values()],
            routes,
            loop,
            confirm=self._confirm,
            speaker=speaker,
            limits=ServerLimits(connections=config.fastagi.max_connections),
        )

    def _build_web(self) -> None:
        server = self.config.server
        settings = WebSettings(
            self.config.site.name,
            server.host,
            self._port,
            server.tls_certificate,
            server.tls_key,
            tuple(str(network) for network in server.trusted_proxies),
            hosts=server.hosts,
            metrics_port=server.metrics_port,
            public_metrics=server.demo,
        )
        self.passwords = Passwords()
        accounts = Accounts(self.store, self.passwords, settings, self, self._utc_ms, time.monotonic)
        deps = WebDeps(
            settings, accounts, self.sessions, self.boards, Lookup(self.config, self.store), self,
            self.metrics, self, self._utc_ms, self._demo,
        )  # fmt: skip
        pages = create_app(deps)
        self._waker: Waker = pages.state.waker
        self.hub.on_record(self._offers_first, before_effects=True)
        self.web = WebServer(pages, deps)

    async def _listen(self) -> None:
        host = self.config.fastagi.host
        try:
            self._agi_listener = self._reactor.listenTCP(self._agi_port, self.fastagi, interface=host)
        except CannotListenError as error:
            where = f"fastagi: cannot listen on {host} port {self._agi_port}: {error.socketError.strerror}"
            raise CannotStart(
                f"{where}. End what has it, or set fastagi.port, here and in the dialplan"
            ) from error
        self.agi_port: int = self._agi_listener.getHost().port
        await self.web.start()
        for client in self.clients:
            client.start()
        self.meters.start()

    # -- what the parts ask of each other -------------------------------------------------------------------

    @property
    def url(self) -> str:
        """Where a browser on this machine finds the pages."""
        return self.web.url

    def checks(self) -> Sequence[Check]:
        """Health: named states, from memory."""
        late = self.projector.late()
        needed = not any(client.up for client in self.clients)  # one that is up is enough to serve
        pbx = [
            Check(f"pbx {c.name}", c.up, needed, "connected" if c.up else f"away: {c.last_error}")
            for c in self.clients
        ]
        written = Check("journal", not self.journal.failed, True, self.journal.failed or "written")
        words = f"{late.records} records behind, {late.seconds:.0f} s"
        return [*pbx, written, Check("database", late.seconds < DATABASE_LATE_S, False, words)]

    def record(self, entry: AuditEntry) -> None:
        """Audit: kept by the store, never waited for."""
        detail = {"address": entry.address, "detail": entry.detail}
        task = asyncio.ensure_future(self._audit(entry, detail))
        self._audits.add(task)
        task.add_done_callback(self._audits.discard)

    async def _audit(self, entry: AuditEntry, detail: dict[str, str]) -> None:
        try:
            await self.store.audit(entry.user, entry.what, entry.subject, detail, datetime.now(UTC))
        except Exception as error:  # noqa: BLE001  the entry is in the log then
            log.warning("audit entry not stored", what=entry.what, user=entry.user, why=str(error))

    async def _confirm(self, request: AgiRequest) -> bool:
        return await self.phones.voices[request.pbx].confirm(request.uniqueid)

    def _utc_ms(self) -> int:
        return self.clock() // 1_000

    def _queued_at(self, interaction: str) -> int | None:
        found = self.hub.router.interactions.get(interaction)
        return found.queued_at if found else None

    def _open_calls(self, pbx: str) -> dict[str, OpenCall]:
        """The router's calls at one PBX, but for those that are over for the customer."""
        connecting, engaged = InteractionState.CONNECTING, InteractionState.ENGAGED
        return {
            i.id: OpenCall(
                i.id,
                f"{i.id}.{i.offers}" if i.offers else "",
                i.agent,
                i.state in (connecting, engaged),
                i.state is engaged,
            )
            for i in self.hub.router.interactions.values()
            if i.pbx == pbx and i.state is not InteractionState.WRAP_UP
        }

    def _pbx_status(self, _pbx: str, _up: bool) -> None:
        up = any(client.up for client in self.clients)
        self.sessions.set_pbx(up)
        self.boards.set_pbx(up)

    def _held(self, interaction: str, held: bool) -> None:
        self.costs.held(interaction, held)
        for desk in self.sessions.desks():
            self.fold.held(desk, interaction, held)

    def _offers_first(self, record: JournalRecord) -> None:
        """The desk's frame leaves before the order that rings the phone."""
        if any(isinstance(effect, MakeOffer) for effect in record.effects):
            self._waker.hurry()

    def _forget_closed(self, record: JournalRecord) -> None:
        """A contact is kept while anybody may still look at it: until its interaction left every desk."""
        for effect in record.effects:
            interaction = getattr(effect, "interaction", "")
            if not interaction or interaction in self.hub.router.interactions:
                continue
            if not any(interaction in desk.work for desk in self.sessions.desks()):
                self.contacts.drop(interaction)

    def _first_seq_today(self) -> int:
        """Old files are passed over by their names; a day's records are read at most."""
        listed = journal.files(self.journal.folder)
        return listed[-3][0] if len(listed) > 2 else 0

    # -- the end --------------------------------------------------------------------------------------------

    async def stop(self) -> None:
        """In the order in which work comes in: doors, lines, then what is remembered."""
        self._collector.stop()
        stopped = self._agi_listener.stopListening()
        if stopped is not None:
            await asyncio.wait_for(stopped.asFuture(asyncio.get_running_loop()), 5)
        self.fastagi.close_all()
        await self.web.stop()
        self.meters.stop()
        self.boards.stop()
        for voice in self.phones.voices.values():
            await voice.stop()
        for client in self.clients:
            await client.stop()
        await self.entry.close()
        await self.costs.close()
        await self.directory.close()
        self.hub.stop()
        await self.projector.drain(STOP_WITHIN_S)
        if self._following is not None:
            self._following.cancel()
            await asyncio.gather(self._following, return_exceptions=True)
        await self.journal.close()
        await self.store.close()
        self.passwords.close()
        self._folder_lock.close()


def _epoch(folder: Path) -> str:
    """The name of this journal, made once: the database counts its records by it."""
    file = folder / "epoch"
    folder.mkdir(parents=True, exist_ok=True)
    with suppress(FileExistsError), file.open("x", encoding="ascii") as new:
        new.write(secrets.token_hex(8))
    return file.read_text(encoding="ascii").strip()


def install_loop() -> asyncio.AbstractEventLoop:
    """uvloop under Twisted's reactor; before anything imports `twisted.internet.reactor`."""
    import uvloop
    from twisted.internet import asyncioreactor

    loop: asyncio.AbstractEventLoop = uvloop.new_event_loop()
    asyncio.set_event_loop(loop)
    asyncioreactor.install(loop)  # type: ignore[no-untyped-call]  # Twisted annotates it in part
    return loop


def run_until_stopped(main: Callable[[Any, asyncio.Event], Any]) -> int:
    """Run `await main(reactor, stop)` until it ends; SIGINT and SIGTERM set `stop`. The exit code."""
    logs.set_up()
    os.umask(0o077)  # customers' data: nobody else's to read
    loop = install_loop()
    from twisted.internet import reactor

    stop = asyncio.Event()
    failures: list[BaseException] = []

    async def supervise() -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stop.set)
        try:
            await main(reactor, stop)
        except Exception as error:  # noqa: BLE001  told to the caller below
            failures.append(error)
        finally:
            _reactor_stop(reactor)

    task = loop.create_task(supervise())
    _reactor_run(reactor)
    for failure in failures:
        raise failure
    return 0 if task.done() else 1


def _reactor_run(reactor: Any) -> None:
    reactor.run(installSignalHandlers=False)


def _reactor_stop(reactor: Any) -> None:
    reactor.callLater(0, reactor.stop)


async def serve(config: Config, reactor: Any, stop: asyncio.Event) -> None:
    """Start, serve until `stop`, stop."""
    server = Server(config, reactor)
    await server.start()
    await stop.wait()
    await server.stop()


def run(config: Config) -> int:
    """`ccserver run`."""
    return run_until_stopped(lambda reactor, stop: serve(config, reactor, stop))
