"""An ordinary PBX without ccserver, its telephones, and a recorder of what its AMI tells.

    async with PlainPbx(folder) as pbx:                phones 201 ... 204 and `trunk`, all softphones
        line = pbx.phones["201"].dial("202")           somebody does something
        await pbx.action("Originate", ...)
        trace = await pbx.recorded()                   all AMI bytes since the start or the last `record`

The dialplan is in `plain/`; modules, logger and music come from `asterisk-dialplan/`.
"""

from __future__ import annotations

import asyncio
import secrets
import shutil
from pathlib import Path
from types import TracebackType

from channels.asterisk.pbx.ports import take_ports
from channels.asterisk.pbx.process import AsteriskProcess
from channels.asterisk.pbx.provision import find_asterisk, project_root
from tests.pbx.softphone import SipLine, Softphone

NAMES = {"201": "Ani", "202": "Budi", "203": "Citra", "204": "Dewi"}
OUTSIDE = "0215550199"
MORE_MODULES = ("app_confbridge", "res_parking")
QUIET_S = 0.4
WAIT_S = 20.0


class PlainPbx:
    """One running plain PBX. Use it as an async context manager."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.absolute()
        self.ports = take_ports()
        self.process = AsteriskProcess(find_asterisk(), self.folder / "pbx")
        self.phones: dict[str, Softphone] = {}
        self._secret = secrets.token_urlsafe(18)
        self._bytes = bytearray()
        self._grown = asyncio.Event()
        self._writer: asyncio.StreamWriter | None = None
        self._reading: asyncio.Task[None] | None = None

    async def __aenter__(self) -> PlainPbx:
        address = ("127.0.0.1", self.ports.sip)
        for user in (*NAMES, "trunk"):
            self.phones[user] = await Softphone(user, address).open()
        self._configure()
        await self.process.start()
        await self._connect()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._writer is not None:
            self._writer.close()
        if self._reading is not None:
            self._reading.cancel()
        await self.process.stop()
        for phone in self.phones.values():
            phone.close()
        self.ports.release()

    async def action(self, name: str, **fields: str) -> None:
        """Send an AMI action; its answer is part of the trace."""
        assert self._writer is not None
        lines = [f"Action: {name}", *(f"{key}: {value}" for key, value in fields.items())]
        self._writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())
        await self._writer.drain()

    async def until(self, *words: str, count: int = 1, timeout_s: float = WAIT_S) -> None:
        """Wait until `count` packets of the trace hold all `words`. TimeoutError if that does not happen."""
        async with asyncio.timeout(timeout_s):
            while self._matching(words) < count:
                self._grown.clear()
                await self._grown.wait()

    async def both_talk(self, count: int = 2) -> None:
        """Wait until so many legs have entered bridges in this trace."""
        await self.until("Event: BridgeEnter", count=count)

    def entered(self) -> int:
        """How many legs have entered bridges in this trace."""
        return self._matching(("Event: BridgeEnter",))

    def from_outside(self, number: str) -> SipLine:
        """A call that comes in over the trunk."""
        return self.phones["trunk"].dial(number, [f"P-Asserted-Identity: <sip:{OUTSIDE}@127.0.0.1>"])

    def channel(self, user: str, nth: int = -1) -> str:
        """The name of the channel this phone got, the latest of the trace by default."""
        names = [
            line.partition(": ")[2]
            for packet in self._packets()
            if packet.startswith("Event: Newchannel")
            for line in packet.split("\r\n")
            if line.startswith(f"Channel: PJSIP/{user}-")
        ]
        return names[nth]

    def record(self) -> None:
        """Forget what was recorded: a new trace begins."""
        self._bytes.clear()

    async def recorded(self) -> bytes:
        """The trace, once every channel is gone and the PBX is quiet."""
        async with asyncio.timeout(WAIT_S):
            while self._matching(("Event: Newchannel",)) > self._matching(("Event: Hangup\r\n",)):
                self._grown.clear()
                await self._grown.wait()
        await asyncio.sleep(QUIET_S)  # what comes behind the last Hangup
        return bytes(self._bytes)

    def _packets(self) -> list[str]:
        return self._bytes.decode("utf-8", "replace").split("\r\n\r\n")

    def _matching(self, words: tuple[str, ...]) -> int:
        return sum(all(word in packet for word in words) for packet in self._packets())

    async def _connect(self) -> None:
        reader, self._writer = await asyncio.open_connection("127.0.0.1", self.ports.ami)
        await self.action("Login", Username="recorder", Secret=self._secret)
        self._reading = asyncio.ensure_future(self._read(reader))
        await self.until("Event: FullyBooted")
        self.record()

    async def _read(self, reader: asyncio.StreamReader) -> None:
        while data := await reader.read(65_536):
            self._bytes += data
            self._grown.set()

    def _configure(self) -> None:
        source = self.folder / "conf"
        source.mkdir(parents=True, exist_ok=True)
        shared = project_root() / "asterisk-dialplan"
        modules = (shared / "modules.conf").read_text(encoding="utf-8")
        modules += "".join(f"load = {name}.so\n" for name in MORE_MODULES)
        (source / "modules.conf").write_text(modules, encoding="utf-8")
        for name in ("logger.conf", "musiconhold.conf"):
            shutil.copyfile(shared / name, source / name)
        for path in (Path(__file__).parent / "plain").glob("*.conf"):
            shutil.copyfile(path, source / path.name)
        low, high = self.ports.rtp
        (source / "rtp.conf").write_text(f"[general]\nrtpstart={low}\nrtpend={high}\n", encoding="utf-8")
        (source / "manager.conf").write_text(self._manager_conf(), encoding="utf-8")
        (source / "pjsip.conf").write_text(self._pjsip_conf(), encoding="utf-8")
        self.process.configure(source, {})

    def _manager_conf(self) -> str:
        return (
            f"[general]\nenabled=yes\nbindaddr=127.0.0.1\nport={self.ports.ami}\n\n[recorder]\n"
            f"secret={self._secret}\nread=call,agent,user,system\nwrite=all\n"
            "eventfilter(action(exclude),name(ContactStatus)) =\n"
            "eventfilter(action(exclude),name(DeviceStateChange)) =\n"
        )

    def _pjsip_conf(self) -> str:
        text = f"[udp]\ntype=transport\nprotocol=udp\nbind=127.0.0.1:{self.ports.sip}\n"
        for user, phone in self.phones.items():
            own = "trust_id_inbound=yes" if user == "trunk" else f"callerid={NAMES[user]} <{user}>"
            text += (
                f"\n[{user}]\ntype=endpoint\ncontext=plain\ndisallow=all\nallow=ulaw\naors={user}\n"
                f"dtmf_mode=info\ndirect_media=no\nidentify_by=username\ncall_group=1\npickup_group=1\n{own}\n"
                f"\n[{user}]\ntype=aor\ncontact=sip:{user}@127.0.0.1:{phone.port}\n"
            )
        return text
