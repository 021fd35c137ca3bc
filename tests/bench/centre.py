"""ccserver as a process for the benchmarks: the acceptance tests' centre, with many agents made at once.

Configuration, command line, HTTP and sockets are those of a site. Only the users are written into the
database directly, with one password hash: a thousand runs of the command line would take many minutes.
"""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, cast

from websockets.asyncio.client import ClientConnection

from ccserver.store import Store
from ccserver.web.passwords import production_hasher
from ccserver.web.ports import Role, User
from channels.asterisk.pbx.site_files import AmiAccess
from channels.asterisk.standin.server import StandIn
from tests.acceptance.centre import CUSTOMERS, PASSWORD, READY_WITHIN_S, Centre, free_port, new_secret
from tests.acceptance.desk import Desk, Frame

LOG_IN_AT_ONCE = 8


class StampedConnection(ClientConnection):
    """Knows when the last bytes came, before anything was made of them."""

    came_at = 0.0

    def data_received(self, data: bytes) -> None:
        self.came_at = time.perf_counter()
        super().data_received(data)


class BenchDesk(Desk):
    """A desk whose offers are timed at the socket: `offered_at` by the caller's number."""

    connection = StampedConnection

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.offered_at: dict[str, float] = {}

    def took(self, frame: Frame) -> None:
        """Note the first offer of each caller."""
        if frame["type"] == "offer" and isinstance(self._socket, StampedConnection):
            self.offered_at.setdefault(frame["offer"]["pop"]["origin"], self._socket.came_at)


class BenchCentre(Centre):
    """`async with BenchCentre(folder, pbx, agents) as centre:`, then `await centre.log_in_all()`."""

    desk_class = BenchDesk

    def __init__(self, folder: Path, pbx: Any, agents: int, **options: Any) -> None:
        """`pbx`: a PbxInstance, or what has its `ami`, `agi_port` and `agi_secret`."""
        names = tuple(f"agent{number}" for number in range(1, agents + 1))
        super().__init__(folder, pbx, cast(Any, None), agents=names, wrap_up_s=0, **options)

    async def __aenter__(self) -> BenchCentre:
        await super().__aenter__()
        return self

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    def _sounds(self) -> str:
        """Nothing is spoken here."""
        return ""

    def write_config(self) -> None:
        """The acceptance tests' own; their spare phone is out of the way of so many agents."""
        super().write_config()
        text = self.config_file.read_text()
        spare = '[devices.d9]\nlabel = "Softphone"'
        self.config_file.write_text(text.replace(spare, spare.replace("d9", "spare")))

    async def people(self) -> None:
        """Users and customers."""
        await self.cli("migrate")
        (self.folder / "customers.csv").write_text(CUSTOMERS)
        await self.cli("import", str(self.folder / "customers.csv"))
        hashed = production_hasher().hash(PASSWORD)
        store = Store.open(f"sqlite:///{self.folder / 'data' / 'ccserver.db'}")
        for name in self.agents:
            await store.create_user(User(name, name, name.title(), Role.AGENT, "en", hashed))
        await store.create_user(User("boss", "boss", "Boss (test)", Role.SUPERVISOR, "en", hashed))
        await store.close()

    async def log_in_all(self, *, ready: bool = True) -> list[BenchDesk]:
        """Every agent at a desk."""
        places = asyncio.Semaphore(LOG_IN_AT_ONCE)

        async def one(name: str) -> BenchDesk:
            async with places:
                return cast(BenchDesk, await self.desk(name, ready=ready))

        return list(await asyncio.gather(*(one(name) for name in self.agents)))

    async def kill(self) -> None:
        """As a loss of power would."""
        await self.stop(signal.SIGKILL)

    async def seconds_to_ready(self) -> float:
        """Start the server; from the process's start until /readyz says so."""
        begin = time.perf_counter()
        with self.log.open("ab") as log:
            command = (sys.executable, "-m", "ccserver", "run")
            self.process = subprocess.Popen(command, env=self.env, stdout=log, stderr=log)
        async with asyncio.timeout(READY_WITHIN_S):
            while not await self._says_ready():
                if self.process.poll() is not None:
                    raise RuntimeError(f"ccserver ended: {self.log.read_text()[-2_000:]}")
                await asyncio.sleep(0.01)
        return time.perf_counter() - begin

    async def _says_ready(self) -> bool:
        """Asked by hand: an HTTP client a question would cost more than the server's start."""
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        except OSError:
            return False
        writer.write(f"GET /readyz HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\n\r\n".encode())
        status = await reader.readline()
        writer.close()
        return status.startswith(b"HTTP/1.1 200")


class StandInPbx:
    """The stand-in PBX in this process, with what a centre asks of a PBX; an async context manager."""

    def __init__(self, phones: int) -> None:
        self.agi_port, self.agi_secret = free_port(), new_secret()
        url = f"agi://127.0.0.1:{self.agi_port}/{{route}}?secret={self.agi_secret}"
        self.exchange = StandIn(agi_url=url)
        self._phones = phones

    async def __aenter__(self) -> StandInPbx:
        await self.exchange.start()
        for number in range(1, self._phones + 1):
            self.exchange.phone(f"a{number}", f"{2_000 + number}", answer_after_s=0.1, talk_s=1.0)
        self.ami = AmiAccess("127.0.0.1", self.exchange.ami_port, self.exchange.user, self.exchange.secret)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.exchange.stop()
