"""All desks: opened and closed by the web, folded from the hub's records, commanded by their agents.

    hub record ─▶ effects by agent ─▶ Desk ─▶ stream ─▶ every socket of that agent
    command ─▶ commands.py ─▶ hub.post / PBX / store

One agent, one desk, however many sockets; a second login of the same agent takes the desk over. When the last
socket is gone a lease runs (`routing.lease_s`); a desk that is back in time has missed nothing, one that is
not is logged out.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import structlog

from ccserver.config import Config
from ccserver.contacts import Contact, Contacts
from ccserver.desk import protocol as p
from ccserver.desk.desk import Desk, Fixed
from ccserver.desk.fold import DeskFold, QueueLines
from ccserver.desk.stream import Stream, Subscriber
from ccserver.hub import Hub
from ccserver.journal import JournalRecord
from ccserver.web.ports import (
    NOT_LOGGED_IN,
    TAKEN_OVER,
    DeviceInUse,
    DeviceOption,
    Meter,
    NoDesk,
    NotAnAgent,
    UnknownDevice,
    User,
)
from routing.events import AgentPaused, DeviceChanged, SessionClosed, SessionOpened
from routing.model import AgentStatus, DeviceState

QUEUES_EVERY_S = 0.5
QUEUES_AT_ONCE = 50
log = structlog.get_logger()


@dataclass(slots=True)
class _Seat:
    """A desk with what keeps it open."""

    desk: Desk
    device: str
    lease: asyncio.TimerHandle | None = None


class DeskSessions:
    """Implements `ccserver.web.ports.Desks`."""

    def __init__(self, config: Config, hub: Hub, contacts: Contacts, fold: DeskFold, meter: Meter) -> None:
        self.config, self.hub, self.contacts, self.meter = config, hub, contacts, meter
        self.commander: Callable[[Desk, p.Command], Any] | None = None
        self._fold = fold
        self._seats: dict[str, _Seat] = {}
        self._pbx = p.PbxStatus(up=False, since_utc_ms=hub.clock() // 1_000)
        self._queues_due: asyncio.TimerHandle | None = None
        hub.on_record(self._on_record, before_effects=True)
        contacts.watch(self._on_contact)

    # -- the web's port -------------------------------------------------------------------------------------

    def devices(self) -> Sequence[DeviceOption]:
        """Every configured phone; free when nobody sits at it and the PBX can reach it."""
        router = self.hub.router
        return [
            DeviceOption(
                device.id,
                device.label,
                device.address not in router.device_owner
                and router.devices.get(device.address) is not DeviceState.UNAVAILABLE,
            )
            for device in self.config.devices.values()
        ]

    async def open(self, user: User, session: str, device: str) -> None:
        """See the port. The router decides; a refusal there is DeviceInUse here."""
        known = self.config.devices.get(device)
        if known is None:
            raise UnknownDevice(device)
        if user.id not in self.config.agents:
            raise NotAnAgent(user.id)
        seat = self._seats.get(user.id)
        if seat is not None and (seat.desk.session, seat.device) == (session, device):
            return
        owner = self.hub.router.device_owner.get(known.address, user.id)
        if owner != user.id:
            if owner in self._seats:
                self._seats[owner].desk.notice("device_wanted", who=user.label)
            raise DeviceInUse(device, owner, self._name(owner))
        self.hub.post(SessionOpened(user.id, session, known.address))
        agent = self.hub.router.agents[user.id]
        if agent.session != session:
            raise DeviceInUse(device, user.id, self._name(user.id))
        self._seat(user, session, device)

    def _seat(self, user: User, session: str, device: str) -> None:
        old = self._seats.get(user.id)
        desk = self._new_desk(user, session, device)
        if old is not None:
            self._take_over(old, desk)
        self._seats[user.id] = _Seat(desk, device)
        self._fold.restore(desk)
        self._start_lease(user.id)
        self._refresh_queues()

    def _take_over(self, old: _Seat, desk: Desk) -> None:
        desk.work, desk.offer, desk.today = old.desk.work, old.desk.offer, old.desk.today
        old.desk.notice("taken_over")
        old.desk.stream.close(TAKEN_OVER, "logged in elsewhere")
        self._stop_lease(old)

    def _new_desk(self, user: User, session: str, device: str) -> Desk:
        config, agent = self.config, self.hub.router.agents[user.id]
        known, language = config.devices[device], user.language
        fixed = Fixed(
            user.id,
            user.label,
            language,
            str(user.role),
            tuple(p.Code(code=r.id, label=r.label.text(language)) for r in config.reasons.values()),
            tuple(p.Code(code=d.id, label=d.label.text(language)) for d in config.dispositions.values()),
            tuple(p.Code(code=q.id, label=q.label.text(language)) for q in config.queues.values()),
            config.server.demo,
        )
        state = p.AgentState(
            status=agent.status.value, reason=agent.reason, since_utc_ms=agent.changed_at // 1_000
        )
        phone = self.hub.router.devices.get(known.address, DeviceState.UNKNOWN)
        info = p.DeviceInfo(id=device, label=known.label, state=phone.value)
        return Desk(fixed, session, info, state, Stream(secrets.token_hex(6)), self._pbx)

    async def close(self, agent: str, session: str, reason: str) -> None:
        """Log out; what the agent has in hand goes on at the phone."""
        seat = self._seats.get(agent)
        if seat is None or seat.desk.session != session:
            return
        self._stop_lease(seat)
        del self._seats[agent]
        seat.desk.stream.close(NOT_LOGGED_IN, reason)
        self.hub.post(SessionClosed(agent, session, reason))

    def attach(self, agent: str, session: str, epoch: str, last: int, wake: Callable[[], None]) -> Subscriber:
        """A socket looks at the desk."""
        seat = self._seat_of(agent, session)
        self._stop_lease(seat)
        return seat.desk.stream.attach(epoch, last, wake, seat.desk.snapshot)

    def detach(self, agent: str, session: str, subscriber: Subscriber) -> None:
        """A socket is gone; the last one starts the lease."""
        seat = self._seats.get(agent)
        if seat is None or seat.desk.session != session:
            return
        seat.desk.stream.detach(subscriber)
        if not seat.desk.stream.subscribers:
            self._start_lease(agent)

    async def command(self, agent: str, session: str, command: p.Command) -> p.Ack:
        """Carry out one command of the agent."""
        seat = self._seat_of(agent, session)
        if self.commander is None:
            raise RuntimeError("no commander: DeskSessions.commander is set by the composition root")
        ack: p.Ack = await self.commander(seat.desk, command)
        return ack

    def _seat_of(self, agent: str, session: str) -> _Seat:
        seat = self._seats.get(agent)
        if seat is None or seat.desk.session != session:
            raise NoDesk(agent)
        return seat

    # -- leases ---------------------------------------------------------------------------------------------

    def _start_lease(self, agent: str) -> None:
        seat = self._seats[agent]
        self._stop_lease(seat)
        loop = asyncio.get_running_loop()
        seat.lease = loop.call_later(self.config.routing.lease_s, self._lease_over, agent, seat)

    def _stop_lease(self, seat: _Seat) -> None:
        if seat.lease is not None:
            seat.lease.cancel()
            seat.lease = None

    def _lease_over(self, agent: str, seat: _Seat) -> None:
        if self._seats.get(agent) is seat:
            del self._seats[agent]
            self.hub.post(SessionClosed(agent, seat.desk.session, "desk_lost"))

    def expect_back(self) -> None:
        """After a restart: agents the journal has logged in keep their state for one lease."""
        for agent in self.hub.router.agents.values():
            if agent.status is not AgentStatus.LOGGED_OUT and agent.id not in self._seats:
                loop = asyncio.get_running_loop()
                loop.call_later(self.config.routing.lease_s, self._not_back, agent.id, agent.session)

    def _not_back(self, agent: str, session: str) -> None:
        if agent not in self._seats:
            self.hub.post(SessionClosed(agent, session, "desk_lost"))

    # -- what happens ---------------------------------------------------------------------------------------

    def _on_record(self, record: JournalRecord) -> None:
        if isinstance(record.event, DeviceChanged):
            self._device_changed(record.event)
        queues_moved = False
        for effect in record.effects:
            seat = self._seats.get(getattr(effect, "agent", ""))
            if seat is not None:
                self._fold.apply(seat.desk, effect, record)
            queues_moved = queues_moved or not hasattr(effect, "agent") or hasattr(effect, "offer")
        if queues_moved and self._queues_due is None and self._seats:
            loop = asyncio.get_running_loop()
            self._queues_due = loop.call_later(QUEUES_EVERY_S, self._refresh_queues)

    def _device_changed(self, event: DeviceChanged) -> None:
        seat = self._seats.get(self.hub.router.device_owner.get(event.device, ""))
        if seat is not None:
            seat.desk.set_device(event.state.value)

    def _on_contact(self, contact: Contact) -> None:
        for desk in self.desks():
            offered = desk.offer is not None and desk.offer.interaction == contact.interaction
            if offered or contact.interaction in desk.work:
                self._fold.refresh_pop(desk, contact)

    def _refresh_queues(self) -> None:
        if self._queues_due is not None:
            self._queues_due.cancel()
            self._queues_due = None
        self._push_queues(list(self.desks()), self._fold.queue_lines())

    def _push_queues(self, desks: list[Desk], lines: QueueLines) -> None:
        """A few desks at a time, others in between: all of them in one go would hold the loop."""
        for desk in desks[:QUEUES_AT_ONCE]:
            desk.set_queues(lines.for_desk(desk))
        if len(desks) > QUEUES_AT_ONCE:
            asyncio.get_running_loop().call_soon(self._push_queues, desks[QUEUES_AT_ONCE:], lines)

    def set_pbx(self, up: bool) -> None:
        """The phone system came or went; every desk says so."""
        self._pbx = p.PbxStatus(up=up, since_utc_ms=self.hub.clock() // 1_000)
        for desk in self.desks():
            desk.set_pbx(self._pbx)

    def desks(self) -> Iterable[Desk]:
        """Every open desk."""
        return [seat.desk for seat in self._seats.values()]

    def find(self, agent: str) -> Desk | None:
        """The open desk of an agent."""
        seat = self._seats.get(agent)
        return seat.desk if seat else None

    def pause(self, agent: str, reason: str) -> None:
        """A supervisor or a rule takes the agent out."""
        self.hub.post(AgentPaused(agent, reason))

    def _name(self, agent: str) -> str:
        known = self.config.agents.get(agent)
        return known.name if known else agent
