"""The whole configuration as one frozen model, and what others derive from it (the router's policy).

How files and environment become a `Config` is in `config_source`.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import phonenumbers
from pydantic import Field, PrivateAttr

from ccserver.config_sections import (
    AgentSettings,
    Announce,
    Blocked,
    Database,
    Device,
    Disposition,
    Emergency,
    FastAgi,
    Hours,
    Number,
    Pbx,
    QueueSettings,
    Reason,
    Routing,
    Scripts,
    Section,
    Server,
    Site,
    Tier,
)
from routing.model import AgentProfile, Policy, Queue, Requirement


class Config(Section):
    """The whole configuration of one server."""

    site: Site = Site()
    server: Server = Server()
    database: Database = Database()
    pbx: dict[str, Pbx] = Field(default_factory=dict)
    fastagi: FastAgi = FastAgi()
    numbers: dict[str, Number] = Field(default_factory=dict)
    hours: dict[str, Hours] = Field(default_factory=dict)
    queues: dict[str, QueueSettings] = Field(default_factory=dict)
    agents: dict[str, AgentSettings] = Field(default_factory=dict)
    devices: dict[str, Device] = Field(default_factory=dict)
    routing: Routing = Routing()
    reasons: dict[str, Reason] = Field(default_factory=dict)
    dispositions: dict[str, Disposition] = Field(default_factory=dict)
    worth: dict[str, Tier] = Field(default_factory=dict)
    blocked: Blocked = Blocked()
    emergency: Emergency = Emergency()
    announce: Announce = Announce()
    scripts: Scripts = Scripts()

    _file: Path = PrivateAttr(default=Path("config/ccserver.toml"))
    _warnings: tuple[str, ...] = PrivateAttr(default=())

    def loaded_from(self, file: Path, warnings: tuple[str, ...]) -> Config:
        """The same, knowing where it came from. For `config_source` only."""
        self._file, self._warnings = file, warnings
        return self

    @property
    def file(self) -> Path:
        """The main file this was read from."""
        return self._file

    @property
    def folder(self) -> Path:
        """Where relative paths in the files start."""
        return self._file.parent

    @property
    def warnings(self) -> tuple[str, ...]:
        """What is allowed but probably not meant, as `FILE:LINE: …`."""
        return self._warnings

    @property
    def journal_folder(self) -> Path:
        """Where the journal and its snapshots lie."""
        return self.server.data_dir / "journal"

    @property
    def database_url(self) -> str:
        """For SQLAlchemy's asyncio engines. May hold a password: not for logs."""
        url = self.database.url.get_secret_value()
        if not url:
            return f"sqlite+aiosqlite:///{self.server.data_dir / 'ccserver.db'}"
        for scheme in ("postgres://", "postgresql://"):
            if url.startswith(scheme):
                return "postgresql+asyncpg://" + url.removeprefix(scheme)
        return url.replace("sqlite://", "sqlite+aiosqlite://", 1) if url.startswith("sqlite://") else url

    @cached_property
    def blocked_numbers(self) -> frozenset[str]:
        """Callers turned away, E.164."""
        return frozenset(self.blocked.numbers)

    def device_at(self, address: str) -> Device | None:
        """The device whose `pbx/endpoint` this is."""
        return self._devices_by_address.get(address)

    @cached_property
    def _devices_by_address(self) -> dict[str, Device]:
        return {device.address: device for device in self.devices.values()}

    def number_for(self, dialled: str) -> Number | None:
        """The number a caller dialled, in whatever form the PBX gave it."""
        by_e164 = self._numbers_by_e164
        return self.numbers.get(dialled) or by_e164.get(self.e164(dialled)) or by_e164.get(f"+{dialled}")

    @cached_property
    def _numbers_by_e164(self) -> dict[str, Number]:
        return {self.e164(number.id): number for number in self.numbers.values()}

    def e164(self, dialled: str) -> str:
        """`dialled` as seen from the site, in E.164; as it is when it is no number of a numbering plan."""
        try:
            number = phonenumbers.parse(dialled, self.site.region)
        except phonenumbers.NumberParseException:
            return dialled
        return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)

    def stake_cents(self, tier: str) -> int:
        """What is at stake with a customer of this tier; the default for an unknown tier."""
        known = self.worth.get(tier)
        percent = known.stake_percent if known else 100
        return max(1, self.routing.default_stake_cents * percent // 100)

    def policy(self) -> Policy:
        """What the router is told, with `hash` over all of it."""
        policy = Policy(
            queues=tuple(_queue(queue) for queue in self.queues.values()),
            agents=tuple(
                AgentProfile(id=agent.id, skills=tuple(sorted(agent.skills.items())))
                for agent in self.agents.values()
            ),
            **self.routing.model_dump(),
        )
        return replace(policy, hash=_digest(asdict(policy)))


def _queue(queue: QueueSettings) -> Queue:
    return Queue(
        id=queue.id,
        requirements=tuple(Requirement(skill, level) for skill, level in sorted(queue.skills.items())),
        offer_timeout_s=queue.offer_timeout_s,
        wrap_up_s=queue.wrap_up_s,
        service_level_s=queue.service_level_s,
        short_abandon_s=queue.short_abandon_s,
        handle_time_s=queue.handle_time_s,
    )


def _digest(content: dict[str, Any]) -> str:
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(canonical.encode()).hexdigest()
