"""A whole PBX of our own: the dialplan of `asterisk-dialplan/`, our ports and secrets, one Asterisk.

    spec ──render──▶ FOLDER/etc/*.conf        copied from asterisk-dialplan/
                     FOLDER/etc/site/*.conf   written here: ports, secrets, phones, trunk (mode 0600)
                     FOLDER/phones.json       the phones' user names and passwords (mode 0600)
    start ─▶ Asterisk ready, AMI, SIP, HTTP listening on loopback

    async with PbxInstance(PbxSpec(folder=Path("var/pbx/demo"))) as pbx:
        connect(pbx.ami.host, pbx.ami.port, pbx.ami.user, pbx.ami.secret)

Ports come from a locked block of the machine (`ports.py`); the same instance keeps them over restarts.
"""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

from channels.asterisk.pbx import site_files
from channels.asterisk.pbx.link import open_link
from channels.asterisk.pbx.ports import PortBlock, take_ports
from channels.asterisk.pbx.process import AsteriskProcess, PbxFailed
from channels.asterisk.pbx.provision import AsteriskBuild, find_asterisk, project_root
from channels.asterisk.pbx.site_files import AmiAccess, Phone

__all__ = ["AmiAccess", "PbxFailed", "PbxInstance", "PbxSpec", "Phone", "default_phones"]


def default_phones(count: int = 6) -> tuple[Phone, ...]:
    """`count` agents' phones a1... with numbers 201..., and `desk` (299) for a person's own softphone."""
    agents = tuple(Phone(f"a{number}", str(200 + number)) for number in range(1, count + 1))
    return (*agents, Phone("desk", "299"))


@dataclass(frozen=True)
class PbxSpec:
    """What an instance is to be. Everything has a default that suits the demo."""

    folder: Path = field(default_factory=lambda: project_root() / "var" / "pbx" / "main")
    phones: tuple[Phone, ...] = field(default_factory=default_phones)
    bind: str = "127.0.0.1"  # where SIP and HTTP listen; AMI is always on loopback
    agi: str | None = None  # "host:port" of ccserver's FastAGI; None: the block's own, see `PbxInstance.agi`
    agi_secret: str | None = None  # None: made up
    admin: bool = False  # a second AMI account with every right, for tests
    extra_sounds: Path | None = None  # folder that becomes sounds/ccserver
    dialplan: Path | None = None  # None: asterisk-dialplan/ of the checkout
    opening_hours: str = "*,*,*,*"  # while ccserver is away
    turn_s: int = 5  # how often (up to 2 s later) a waiting caller looks for a sign of life


class PbxInstance:
    """One PBX. `start`, `stop`, `kill`, or use it as an async context manager."""

    def __init__(self, spec: PbxSpec | None = None, build: AsteriskBuild | None = None) -> None:
        self.spec = spec or PbxSpec()
        self.build = build or find_asterisk()
        self.ports: PortBlock = take_ports()
        self.process = AsteriskProcess(self.build, self.spec.folder.absolute())
        self.phones = tuple(phone.with_password() for phone in self.spec.phones)
        self.agi = self.spec.agi or f"127.0.0.1:{self.ports.agi}"
        self.agi_secret = self.spec.agi_secret or secrets.token_urlsafe(24)
        self.ami = AmiAccess("127.0.0.1", self.ports.ami, "ccserver", secrets.token_urlsafe(24))
        self._admin = AmiAccess("127.0.0.1", self.ports.ami, "admin", secrets.token_urlsafe(24))

    @property
    def admin(self) -> AmiAccess:
        """The account with every right.

        Raises:
            PbxFailed: the spec did not ask for one.
        """
        if not self.spec.admin:
            raise PbxFailed("this PBX has no admin account: ask for it with PbxSpec(admin=True)")
        return self._admin

    @property
    def folder(self) -> Path:
        return self.process.folder

    @property
    def sip_host(self) -> str:
        """Where phones of this machine find the PBX."""
        return "127.0.0.1" if self.spec.bind == "0.0.0.0" else self.spec.bind

    @property
    def sip_port(self) -> int:
        return self.ports.sip

    @property
    def agi_url(self) -> str:
        """The address that the dialplan asks, without path and secret."""
        return f"agi://{self.agi}"

    @property
    def agi_port(self) -> int:
        """The port on which the dialplan expects ccserver's FastAGI."""
        return int(self.agi.rpartition(":")[2])

    @property
    def pid(self) -> int:
        return self.process.pid

    async def start(self) -> None:
        """Write the configuration and start.

        Raises:
            PbxFailed: Asterisk did not start; the text says why.
        """
        self.render()
        await self.process.start()

    async def stop(self) -> None:
        """End in order and give the ports back: the end of this instance."""
        await self.process.stop()
        self.ports.release()

    async def kill(self) -> None:
        """End at once, as a loss of power would; `start` brings it back on the same ports."""
        await self.process.kill()

    async def set_global(self, name: str, value: str) -> None:
        """Set a global variable of the dialplan in the running PBX. Needs `admin`; gone after a restart."""
        await self._as_admin("Setvar", {"Variable": name, "Value": value})

    async def set_agi(self, address: str, secret: str) -> None:
        """Let the dialplan ask another FastAGI server ("host:port") from now on. Needs `admin`."""
        self.agi, self.agi_secret = address, secret
        await self.set_global("CCSERVER_AGI", address)
        await self.set_global("CCSERVER_SECRET", secret)

    async def database_put(self, family: str, key: str, value: str) -> None:
        """Write into Asterisk's own database, as an administrator does. Needs `admin`."""
        await self._as_admin("DBPut", {"Family": family, "Key": key, "Val": value})

    async def _as_admin(self, action: str, fields: dict[str, str]) -> None:
        link = await open_link(self.admin, events="off")
        try:
            await link.require(action, fields)
        finally:
            await link.close()

    async def __aenter__(self) -> PbxInstance:
        try:
            await self.start()
        except BaseException:
            await self.stop()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    def render(self) -> None:
        """Write the whole folder anew, but for what Asterisk itself keeps (database, spool, keys)."""
        dialplan = self.spec.dialplan or project_root() / "asterisk-dialplan"
        self.process.configure(dialplan, self._site_files(), self.spec.extra_sounds)
        accounts = {phone.name: {"number": phone.number, "password": phone.password} for phone in self.phones}
        site_files.write_private(self.folder / "phones.json", json.dumps(accounts, indent=1))

    def _site_files(self) -> dict[str, str]:
        values = {
            "CCSERVER_AGI": self.agi,
            "CCSERVER_SECRET": self.agi_secret,
            "CCSERVER_TURN": str(self.spec.turn_s),
            "CCSERVER_HOURS": self.spec.opening_hours,
        }
        accounts = (self.ami, self._admin) if self.spec.admin else (self.ami,)
        return {
            "extensions.conf": site_files.extensions_conf(values, self.phones),
            "manager.conf": site_files.manager_conf(accounts),
            "pjsip.conf": site_files.pjsip_conf(self.spec.bind, self.ports, self.phones),
            "queues.conf": site_files.queues_conf(self.phones),
            "rtp.conf": site_files.rtp_conf(self.ports.rtp),
            "http.conf": site_files.http_conf(self.spec.bind, self.ports.http),
        }
