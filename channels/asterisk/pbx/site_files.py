"""The files of `etc/site/` and asterisk.conf of an instance, as text. Pure: no files but in `write_private`.

Every value that comes in is ours (ports, made-up secrets, names of phones checked here), never a caller's.
"""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from channels.asterisk.pbx.ports import PortBlock
from channels.asterisk.pbx.provision import AsteriskBuild

CALLERS_ADDRESS = "127.0.0.4"  # where the world's trunk comes from
PHONES_ADDRESS = "127.0.0.5"  # where its robot phones come from: not the trunk's, which is known by address

DEFAULTS = {
    "CCSERVER_TURN": "5",
    "CCSERVER_QUEUE": "ccserver-fallback",
    "CCSERVER_MUSIC": "default",
    "CCSERVER_HOURS": "*,*,*,*",
    "CCSERVER_CLOSED": "vm-nobodyavail",
    "CCSERVER_EMERGENCY_ON": "0",
    "CCSERVER_EMERGENCY": "an-error-has-occurred",
    "CCSERVER_MAILBOX": "",
    "CCSERVER_TRUNK": "trunk",
    "CCSERVER_NUMBER": "0215550100",
}
# Files that every Asterisk has, whatever it does: an instance of ours gets them as small as possible.
COMMON_FILES = {
    "acl.conf": "",
    "ccss.conf": "[general]\n",
    "cel.conf": "[general]\nenable = no\n",
    "indications.conf": (
        "[general]\ncountry = id\n\n[id]\ndescription = Indonesia\nringcadence = 1000,4000\n"
        "dial = 425\nbusy = 425/500,0/500\nring = 425/1000,0/4000\ncongestion = 425/250,0/250\n"
    ),
    "pjproject.conf": "[startup]\nlog_mappings = 0\n",
    "udptl.conf": "[general]\n",
}
NUMBER_PLAN = ("_0X.", "_+X.")


@dataclass(frozen=True)
class AmiAccess:
    """Where and as whom to log in to AMI."""

    host: str
    port: int
    user: str
    secret: str = field(repr=False)


@dataclass(frozen=True)
class Phone:
    """A phone that registers at the PBX: `name` is user name and endpoint, `number` the internal number."""

    name: str
    number: str
    browser: bool = False  # registers over a WebSocket, media by WebRTC
    password: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[a-z][a-z0-9-]{0,31}", self.name) or not re.fullmatch(
            r"[0-9]{2,8}", self.number
        ):
            raise ValueError(f"phone {self.name!r}/{self.number!r}: lower-case name, number of 2-8 digits")

    def with_password(self) -> Phone:
        """The same phone, with a made-up password if it has none."""
        return self if self.password else replace(self, password=secrets.token_urlsafe(18))


def asterisk_conf(folder: Path, build: AsteriskBuild) -> str:
    """Every path of the instance inside `folder`. (`[directories](!)` would silently be ignored.)"""
    paths = {
        "astetcdir": folder / "etc",
        "astmoddir": build.modules,
        "astvarlibdir": folder / "data",
        "astdatadir": folder / "data",
        "astdbdir": folder / "db",
        "astkeydir": folder,
        "astspooldir": folder / "spool",
        "astrundir": folder / "run",
        "astlogdir": folder / "log",
    }
    options = ("verbose = 1", "nocolor = yes", "live_dangerously = no", "hideconnect = yes", "maxload = 0")
    return _section("directories", [f"{key} = {value}" for key, value in paths.items()]) + _section(
        "options", options
    )


def extensions_conf(values: Mapping[str, str], phones: Sequence[Phone]) -> str:
    """Globals, the internal numbers with their hints, and the number plan."""
    internal: list[str] = []
    for phone in phones:
        internal.append(f"exten => {phone.number},hint,PJSIP/{phone.name}")
        internal.append(f"exten => {phone.number},1,Gosub(ccserver-ring,s,1({phone.name}))")
    outbound = [f"exten => {pattern},1,Gosub(ccserver-dial-out,s,1(${{EXTEN}}))" for pattern in NUMBER_PLAN]
    merged = {**DEFAULTS, **values}
    return (
        _section("globals", [f"{key} = {value}" for key, value in merged.items()])
        + _section("ccserver-internal", internal)
        + _section("ccserver-outbound", outbound)
    )


def manager_conf(accounts: Iterable[AmiAccess]) -> str:
    """Address and secrets of AMI; the rights of `ccserver` are in the common part."""
    text = ""
    for account in accounts:
        if not text:
            text = _section("general](+)", [f"bindaddr = {account.host}", f"port = {account.port}"])
        if account.user == "ccserver":
            text += _section("ccserver](+)", [f"secret = {account.secret}"])
        else:
            limits = (
                "deny = 0.0.0.0/0.0.0.0",
                "permit = 127.0.0.1/255.255.255.255",
                "read = all",
                "write = all",
            )
            text += _section(account.user, [f"secret = {account.secret}", *limits])
    return text


def pjsip_conf(bind: str, ports: PortBlock, phones: Sequence[Phone]) -> str:
    """Transports, the trunk to the outside world, and the phones."""
    text = _section("transport-udp", ["type = transport", "protocol = udp", f"bind = {bind}:{ports.sip}"])
    text += _section("transport-ws", ["type = transport", "protocol = ws", f"bind = {bind}"])
    text += _section("trunk](ccserver-trunk)", ["transport = transport-udp", "aors = trunk"])
    text += _section("trunk", ["type = aor", f"contact = sip:{CALLERS_ADDRESS}:{ports.world_sip}"])
    text += _section("trunk-identify", ["type = identify", "endpoint = trunk", f"match = {CALLERS_ADDRESS}"])
    return text + "".join(_phone(phone) for phone in phones)


def world_pjsip_conf(pbx: tuple[str, int], world_port: int, robots: Sequence[Phone]) -> str:
    """The world's side: callers at one address, one registration for each robot at another."""
    registrar = f"sip:{pbx[0]}:{pbx[1]}"
    text = ""
    for name, address in (("callers", CALLERS_ADDRESS), ("phones", PHONES_ADDRESS)):
        text += _section(name, ["type = transport", "protocol = udp", f"bind = {address}:{world_port}"])
    text += _section(
        "pbx](world-endpoint)", [*_world_side("callers", CALLERS_ADDRESS, "from-pbx"), "aors = pbx"]
    )
    text += _section("pbx", ["type = aor", f"contact = {registrar}"])
    text += _section("pbx-identify", ["type = identify", "endpoint = pbx", f"match = {pbx[0]}"])
    text += _section("robots](world-endpoint)", _world_side("phones", PHONES_ADDRESS, "robot"))
    for robot in robots:
        identity = [f"username = {robot.name}", f"password = {robot.password}"]
        text += _section(f"{robot.name}-auth](world-auth)", identity)
        registration = [
            f"server_uri = {registrar}",
            f"client_uri = sip:{robot.name}@{pbx[0]}:{pbx[1]}",
            f"contact_user = robot{robot.name}",
            f"outbound_auth = {robot.name}-auth",
        ]
        text += _section(f"{robot.name}](world-registration)", registration)
    return text


def _world_side(transport: str, address: str, context: str) -> list[str]:
    return [f"transport = {transport}", f"media_address = {address}", f"context = {context}"]


def queues_conf(phones: Sequence[Phone]) -> str:
    """Members of the fallback queue, continuing its section."""
    lines = [f"member => PJSIP/{phone.name},0,{phone.name},PJSIP/{phone.name}" for phone in phones]
    return "\n".join(lines) + "\n"


def rtp_conf(ports: tuple[int, int]) -> str:
    """The range of media ports."""
    return _section("general](+)", [f"rtpstart = {ports[0]}", f"rtpend = {ports[1]}"])


def http_conf(bind: str, port: int) -> str:
    """Address of the WebSockets for browser phones."""
    return _section("general](+)", ["enabled = yes", f"bindaddr = {bind}", f"bindport = {port}"])


def write_private(path: Path, text: str) -> None:
    """Write a file that only we may read: most of them hold secrets."""
    with open(path, "w", encoding="utf-8", opener=lambda name, flags: os.open(name, flags, 0o600)) as handle:
        handle.write(text)
    path.chmod(0o600)


def _phone(phone: Phone) -> str:
    template = "ccserver-browser-phone" if phone.browser else "ccserver-phone"
    endpoint = [f"aors = {phone.name}", f"auth = {phone.name}", f'callerid = "{phone.name}" <{phone.number}>']
    return (
        _section(f"{phone.name}]({template})", endpoint)
        + _section(f"{phone.name}](ccserver-phone-aor)", [])
        + _section(
            f"{phone.name}](ccserver-phone-auth)",
            [f"username = {phone.name}", f"password = {phone.password}"],
        )
    )


def _section(name: str, lines: Iterable[str]) -> str:
    """One section; `name` may bring its own bracket and template, as in `a1](ccserver-phone)`."""
    head = f"[{name}" if "]" in name else f"[{name}]"
    return "\n".join([head, *lines, "", ""])
