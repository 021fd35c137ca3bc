"""A whole contact centre for the acceptance tests: a real PBX, a world of callers, `ccserver run` a process.

Everything goes through what a site has too: the configuration file, environment, command line, HTTP,
sockets.
"""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import httpx

from channels.asterisk.pbx.instance import PbxInstance
from channels.asterisk.pbx.world import World
from tests.acceptance.desk import Desk

PASSWORD = "correct-horse-battery"
AGENTS = ("ayu", "budi", "citra", "dewi")
READY_WITHIN_S = 60.0

CONFIG = """
[site]
name = "Acceptance (invented)"
region = "ID"
time_zone = "Asia/Jakarta"
[server]
port = {port}
data_dir = "{data}"
{server}
[database]
[pbx.main]
host = "127.0.0.1"
port = {ami_port}
user = "{ami_user}"
[fastagi]
port = {agi_port}
{sounds}
[numbers."+62215550101"]
queue = "billing"
[numbers."+62215550102"]
queue = "sales"
[queues.billing]
label = "Billing"
skills = {{ billing = 1 }}
offer_timeout_s = {offer_timeout_s}
wrap_up_s = {wrap_up_s}
script = "support"
[queues.sales]
label = "Sales"
skills = {{ sales = 1 }}
offer_timeout_s = {offer_timeout_s}
wrap_up_s = {wrap_up_s}
script = "sales"
{agents}
[devices.d9]
label = "Softphone"
pbx = "main"
endpoint = "PJSIP/desk"
[routing]
lease_s = {lease_s}
no_answer_delay_s = 1
reject_delay_s = 1
busy_delay_s = 1
max_missed_offers = 2
[announce]
every_s = {announce_every_s}
[reasons.break]
label = "Break"
[dispositions.refund]
label = "Refund"
[dispositions.resolved]
label = "Resolved"
[worth.standard]
label = "Standard"
[worth.gold]
label = "Gold"
stake_percent = 800
{more}
"""
CUSTOMERS = """external_id,name,language,tier,worth_cents,numbers
K-1,Siti Contoh (test),id,gold,900000000,+6281200000001
K-2,Budi Contoh (test),en,standard,1000000,+6281200000002
K-3,Rina Contoh (test),en,standard,1000000,+6281200000003
K-4,Rono Contoh (test),en,standard,1000000,+6281200000003
4711,Wati Contoh (test),id,gold,900000000,+6281200000005
"""


def free_port() -> int:
    """A port nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass
class Centre:
    """`async with Centre(folder, pbx, world) as centre:`; desks log in with `await centre.desk("ayu")`."""

    folder: Path
    pbx: PbxInstance
    world: World
    offer_timeout_s: int = 8
    wrap_up_s: int = 30
    announce_every_s: int = 0
    lease_s: int = 20
    agents: tuple[str, ...] = AGENTS
    server: str = ""
    more: str = ""
    env: dict[str, str] = field(default_factory=dict)
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None
    desks: list[Desk] = field(default_factory=list)

    desk_class: ClassVar[type[Desk]] = Desk

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def config_file(self) -> Path:
        return self.folder / "ccserver.toml"

    @property
    def log(self) -> Path:
        return self.folder / "log.jsonl"

    def write_config(self) -> None:
        """The site's configuration; secrets go by the environment."""
        agents = "\n".join(
            f'[agents.{name}]\nname = "{name.title()} (test)"\nskills = {{ billing = 5, sales = 5 }}\n'
            f'device = "d{n}"\n[devices.d{n}]\nlabel = "Desk {n}"\npbx = "main"\nendpoint = "PJSIP/a{n}"'
            for n, name in enumerate(self.agents, 1)
        )
        self.folder.mkdir(parents=True, exist_ok=True)
        self.config_file.write_text(
            CONFIG.format(
                port=self.port,
                data=self.folder / "data",
                server=self.server,
                ami_port=self.pbx.ami.port,
                ami_user=self.pbx.ami.user,
                agi_port=self.pbx.agi_port,
                sounds=self._sounds(),
                announce_every_s=self.announce_every_s,
                lease_s=self.lease_s,
                offer_timeout_s=self.offer_timeout_s,
                wrap_up_s=self.wrap_up_s,
                agents=agents,
                more=self.more,
            )
        )
        self.env = {
            **os.environ,
            "CCSERVER_CONFIG": str(self.config_file),
            "CCSERVER_PBX__MAIN__SECRET": self.pbx.ami.secret,
            "CCSERVER_PBX__MAIN__FASTAGI_SECRET": self.pbx.agi_secret,
            "CCSERVER_LOG": "json",
            **self.env,
        }

    def _sounds(self) -> str:
        """Where prompts are spoken, when the PBX has a folder for them."""
        own = self.pbx.spec.extra_sounds
        if own is None:
            return ""
        return f'sounds_folder = "{own}"\nasterisk_sounds_folder = "{self.pbx.folder / "data" / "sounds"}"'

    async def cli(self, *arguments: str, stdin: str = "") -> str:
        """Run `ccserver ARGUMENTS`; its output. AssertionError when it fails."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "ccserver", *arguments),
            env=self.env,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        out, _ = await asyncio.wait_for(process.communicate(stdin.encode()), 60)
        assert process.returncode == 0, out.decode()
        return out.decode()

    async def people(self) -> None:
        """Users and customers, by the command line."""
        await self.cli("migrate")
        (self.folder / "customers.csv").write_text(CUSTOMERS)
        await self.cli("import", str(self.folder / "customers.csv"))
        for name in self.agents:
            await self.cli("user", "add", name, "--password-stdin", stdin=PASSWORD + "\n")
        boss = ("user", "add", "boss", "--role", "supervisor", "--name", "Boss (test)", "--language", "en")
        await self.cli(*boss, "--password-stdin", stdin=PASSWORD + "\n")

    async def start(self) -> None:
        """Start the server and wait until it says that it is ready."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "ccserver", "run"], env=self.env, stdout=log, stderr=log
            )
        try:
            async with asyncio.timeout(READY_WITHIN_S):
                while not await self.is_ready():
                    assert self.process.poll() is None, self.log.read_text()[-3_000:]
                    await asyncio.sleep(0.05)
        except TimeoutError:
            raise AssertionError(f"not ready: {self.log.read_text()[-3_000:]}") from None

    async def is_ready(self) -> bool:
        """`/readyz` says so."""
        async with httpx.AsyncClient(timeout=2) as client:
            try:
                return (await client.get(f"{self.url}/readyz")).status_code == 200
            except httpx.HTTPError:
                return False

    async def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """Stop the server, by default in order."""
        for desk in self.desks:
            await desk.close()
        self.desks.clear()
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(how)
            await asyncio.to_thread(self.process.wait, 20)

    async def desk(self, name: str, device: str | None = None, *, ready: bool = True) -> Desk:
        """Log in as an agent and open the desk."""
        desk = self.desk_class(self.url, name, PASSWORD, device or f"d{self.agents.index(name) + 1}")
        self.desks.append(desk)
        await desk.log_in()
        await desk.connect()
        if ready:
            await desk.do("ready")
            await desk.until("agent", lambda f: f["state"]["status"] == "READY")
        return desk

    async def get(self, path: str, who: str = "boss") -> Any:
        """A GET of the API as a supervisor."""
        desk = Desk(self.url, who, PASSWORD, None)
        await desk.log_in()
        try:
            answer = await desk.http.get(path)
            return answer.json() if answer.status_code == 200 else answer.status_code
        finally:
            await desk.close()

    def settle(self, people: Path) -> None:
        """Begin with the data of another centre (users and customers take seconds to make)."""
        shutil.copytree(people, self.folder / "data", dirs_exist_ok=True)

    def faults(self) -> list[str]:
        """Lines of the log that are faults of ours: errors, and anything with a traceback."""
        lines = self.log.read_text(errors="replace").splitlines() if self.log.exists() else []
        return [line for line in lines if _is_fault(line)]

    async def __aenter__(self) -> Centre:
        self.write_config()
        await self.people()
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()


def _is_fault(line: str) -> bool:
    try:
        entry = json.loads(line)
    except ValueError:
        return bool(line.strip())  # what is no log line was printed by a crash
    return entry.get("level") in ("error", "critical") or "exception" in entry


def new_secret() -> str:
    """A FastAGI secret as a site would make it."""
    return secrets.token_hex(16)
