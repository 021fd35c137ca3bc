"""What an administrator can set: one frozen model per section of `config/ccserver.toml`.

A section with names in it (`[queues.sales]`) is a dict from the name to its model, in the order of the file;
each of those models knows its own name as `id`. Durations end in `_s` (whole seconds), money in `_cents`
(minor units of the site's currency). Paths are absolute after loading. What the sections mean to each other
is checked in `config_check`; the whole of them is `config_model.Config`.
"""

from __future__ import annotations

import datetime as dt
from ipaddress import IPv4Network, ip_address
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

import phonenumbers
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, field_validator

from ccserver.config_types import (
    Currency,
    DialogueOrNothing,
    Endpoint,
    Language,
    Level,
    NameOrNothing,
    Network,
    PhoneNumber,
    Port,
    Prompt,
    Seconds,
    SecondsOrNone,
    Text,
    Word,
)

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


class Section(BaseModel):
    """Base of all sections: no unknown keys, no silent conversions, no change after loading."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Named(Section):
    """Base of sections that have many: `id` is the name in the heading, never a key below it."""

    id: str


class Label(Section):
    """Words for people, per language. `label = "Sales"` is short for `label = {en = "Sales"}`."""

    en: Text
    id: Annotated[str, Field(max_length=80)] = ""

    def text(self, language: str) -> str:
        """The words in `language`, English where there are none."""
        return (self.id if language == "id" else "") or self.en


def _label(value: object) -> object:
    return {"en": value} if isinstance(value, str) else value


Words = Annotated[Label, BeforeValidator(_label)]


class Site(Section):
    """Who and where we are: the defaults for numbers, clocks, money and words."""

    name: Text = "My contact centre"
    region: str = "ID"
    time_zone: str = "Asia/Jakarta"
    currency: Currency = "IDR"
    language: Language = "en"

    @field_validator("region")
    @classmethod
    def _region(cls, value: str) -> str:
        if value not in phonenumbers.SUPPORTED_REGIONS:
            raise ValueError(f'"{value}" is no ISO 3166 country code; write two capital letters, like "ID"')
        return value

    @field_validator("time_zone")
    @classmethod
    def _time_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (OSError, ValueError, KeyError):
            raise ValueError(f'"{value}" is no IANA time zone; write one like "Asia/Jakarta"') from None
        return value

    @property
    def zone(self) -> ZoneInfo:
        """The site's time zone."""
        return ZoneInfo(self.time_zone)

    def local(self, now_utc: dt.datetime) -> dt.datetime:
        """The site's wall clock at an aware instant."""
        return now_utc.astimezone(self.zone)

    def midnight_before(self, now_utc: dt.datetime) -> dt.datetime:
        """The site's last midnight at or before an aware instant, in UTC."""
        start = dt.datetime.combine(self.local(now_utc).date(), dt.time(0), tzinfo=self.zone)
        return start.astimezone(dt.UTC)


class Server(Section):
    """Where the pages and sockets are served, and where data lies."""

    host: Text = "127.0.0.1"
    port: Port = 8080
    tls_certificate: Path | None = None
    tls_key: Path | None = None
    trusted_proxies: tuple[Network, ...] = ()
    """Whose `X-Forwarded-For` and `-Proto` are believed."""
    hosts: tuple[Text, ...] = ()
    """Names under which browsers reach us; IP addresses and `localhost` are always right."""
    data_dir: Path = Path("var")
    demo: bool = False
    metrics_port: Port | None = None
    """`/metrics` on a loopback listener of its own; without it `/metrics` is served in the demo only."""

    @property
    def loopback(self) -> bool:
        """Whether only this machine can reach the server."""
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"


class Database(Section):
    """Where interactions, customers and users are kept. `DATABASE_URL` goes before the file."""

    url: SecretStr = SecretStr("")


class Pbx(Named):
    """One Asterisk: how to reach its AMI, and how it proves itself to our FastAGI."""

    host: Text = "127.0.0.1"
    port: Port = 5038
    user: Word = "ccserver"
    secret: SecretStr = SecretStr("")
    """The AMI password: from `secret_file` or the environment, never written into this file."""
    secret_file: Path | None = None
    fastagi_secret: SecretStr = SecretStr("")
    """What the AGI URL of this PBX must carry: from `fastagi_secret_file` or the environment."""
    fastagi_secret_file: Path | None = None
    tls: bool = False
    tls_ca: Path | None = None
    technology: Word = "PJSIP"
    """Channel technology of the agents' phones: `PJSIP`."""
    outbound_context: Word = "ccserver-outbound"
    """Dialplan context in which a number dialled at the desk is placed."""


class FastAgi(Section):
    """The door through which Asterisk asks what to do with a call."""

    host: Text = "127.0.0.1"
    port: Port = 4573
    allow: tuple[Network, ...] = (IPv4Network("127.0.0.0/8"),)
    """Networks whose connections are taken; all others are closed at once."""
    max_connections: Annotated[int, Field(ge=1, le=10_000)] = 500
    max_dialogues: Annotated[int, Field(ge=1, le=1_000)] = 50
    """Dialogues (a thread each) at the same time; a caller beyond that goes straight to the queue."""
    dialogue_timeout_s: Seconds = 300
    sounds_folder: Path | None = None
    """The PBX's `sounds/ccserver` when it is on this machine: prompts nobody recorded are spoken there."""
    asterisk_sounds_folder: Path | None = None
    """All of that PBX's sounds, to use the numbers it has recorded."""
    dialogue_folder: Path | None = None
    """Your own `*.py` dialogues; one with the name of a shipped dialogue replaces it."""


class Number(Named):
    """A number that customers dial, as `+62215550100` or as the PBX gives it, and where it leads."""

    queue: str
    dialogue: DialogueOrNothing = ""
    """Name of the IVR dialogue before the queue; empty: none."""
    hours: str = ""
    """Name of the opening hours; empty: always open."""
    language: Language | None = None
    """Of prompts and script, until the customer is known; the site's when absent."""


class Hours(Named):
    """Opening hours in the site's time zone, as `"08:00-17:30"`; a day without any is closed."""

    monday: tuple[str, ...] = ()
    tuesday: tuple[str, ...] = ()
    wednesday: tuple[str, ...] = ()
    thursday: tuple[str, ...] = ()
    friday: tuple[str, ...] = ()
    saturday: tuple[str, ...] = ()
    sunday: tuple[str, ...] = ()
    holidays: tuple[str, ...] = ()
    """Closed all day, as `"2026-12-25"`."""
    closed_prompt: Prompt = "vm-nobodyavail"
    """The prompt a caller hears outside the hours."""

    @field_validator(*WEEKDAYS)
    @classmethod
    def _spans(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for span in value:
            parse_span(span)
        return value

    @field_validator("holidays")
    @classmethod
    def _holidays(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for day in value:
            try:
                dt.date.fromisoformat(day)
            except ValueError:
                raise ValueError(f'"{day}" is no date; write one like "2026-12-25"') from None
        return value

    def open_at(self, local: dt.datetime) -> bool:
        """Whether the site is open at its own wall-clock time `local`."""
        if local.date().isoformat() in self.holidays:
            return False
        minute = local.hour * 60 + local.minute
        spans: tuple[str, ...] = getattr(self, WEEKDAYS[local.weekday()])
        return any(start <= minute < end for start, end in map(parse_span, spans))


def parse_span(span: str) -> tuple[int, int]:
    """`"08:00-17:30"` as minutes since midnight; `24:00` is the day's end. Raises ValueError in words."""
    ends = [_minutes(part) for part in span.split("-")]
    if len(ends) != 2 or None in ends or not (ends[0] or 0) < (ends[1] or 0):
        raise ValueError(f'"{span}" is no span of a day; write one like "08:00-17:30"')
    return ends[0] or 0, ends[1] or 0


def _minutes(text: str) -> int | None:
    hour, colon, minute = text.strip().partition(":")
    if not (colon and hour.isascii() and hour.isdigit() and minute.isascii() and minute.isdigit()):
        return None
    total = int(hour) * 60 + int(minute)
    return total if int(minute) < 60 and total <= 24 * 60 and len(minute) == 2 else None


class QueueSettings(Named):
    """A waiting line: who may serve it, and what is promised to those who wait."""

    label: Words
    skills: dict[str, Level] = Field(default_factory=dict)
    """What an agent needs, with the minimum level."""
    offer_timeout_s: Annotated[int, Field(ge=3, le=300)] = 20
    wrap_up_s: SecondsOrNone = 60
    service_level_s: Seconds = 20
    short_abandon_s: SecondsOrNone = 5
    handle_time_s: Seconds = 300
    script: NameOrNothing = ""
    """Name of the agent script; empty: none."""
    transfer_only: bool = False
    """No number leads here: agents transfer to it."""


class AgentSettings(Named):
    """A person who serves customers."""

    name: Text
    skills: dict[str, Level] = Field(default_factory=dict)
    device: str = ""
    """The phone offered first at log-in; empty: the agent chooses."""
    language: Language | None = None
    """Of the desk and the scripts; the site's when absent."""


class Device(Named):
    """A phone on a desk."""

    label: Text
    pbx: str
    endpoint: Endpoint
    """As Asterisk names it: `PJSIP/a1`."""

    @property
    def address(self) -> str:
        """What events of the router call this phone: `pbx/endpoint`."""
        return f"{self.pbx}/{self.endpoint}"


class Routing(Section):
    """The dials of the router; see `routing.model.Policy`."""

    stake_doubling_s: Seconds = 120
    max_missed_offers: Annotated[int, Field(ge=1, le=20)] = 2
    reject_delay_s: SecondsOrNone = 5
    busy_delay_s: SecondsOrNone = 10
    no_answer_delay_s: SecondsOrNone = 5
    connect_timeout_s: Annotated[int, Field(ge=2, le=120)] = 10
    lease_s: Annotated[int, Field(ge=5, le=3_600)] = 60
    default_stake_cents: Annotated[int, Field(ge=1, le=10**12)] = 5_000


class Reason(Named):
    """A reason for not being ready."""

    label: Words


class Disposition(Named):
    """What came of a conversation, picked at wrap-up."""

    label: Words


class Tier(Named):
    """A class of customers, and what is at stake with each of them."""

    label: Words
    stake_percent: Annotated[int, Field(ge=1, le=100_000)] = 100
    """Stake of an interaction, in per cent of `routing.default_stake_cents`."""


class Blocked(Section):
    """Callers who are turned away, in E.164 (`+62…`)."""

    numbers: tuple[PhoneNumber, ...] = ()


class Emergency(Section):
    """One switch that plays a message to every caller before anything else."""

    active: bool = False
    prompt: Prompt = "an-error-has-occurred"
    then: Literal["hang_up", "wait"] = "hang_up"
    """What happens to the caller after the message."""


class Scripts(Section):
    """Agent scripts beside the shipped ones."""

    folder: Path | None = None
    """Your own `*.toml` scripts; one with the name of a shipped script replaces it."""


class Announce(Section):
    """What those who wait are told."""

    every_s: Annotated[int, Field(ge=0, le=3_600)] = 60
    """Seconds between announcements; 0: none."""
    position: bool = True
    wait: bool = True
