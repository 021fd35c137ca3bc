"""A real Asterisk with phones and callers for the voice benchmarks, the same for every contender.

callers (127.0.0.4) ──SIP──▶ Asterisk ──SIP──▶ phones (127.0.0.5)
                                │ AMI, FastAGI
                                ▼
                ccserver · a bare AMI script · nobody (app_queue)
"""

from __future__ import annotations

import asyncio
import itertools
import shutil
from pathlib import Path

from channels.asterisk.pbx.instance import PbxInstance, PbxSpec, default_phones
from channels.asterisk.pbx.link import open_link
from channels.asterisk.pbx.provision import project_root
from channels.asterisk.pbx.site_files import CALLERS_ADDRESS, PHONES_ADDRESS
from tests.acceptance.centre import new_secret
from tests.bench.sip import Callers, Phones

NUMBER = "+62215550101"


class Rig:
    """`async with Rig(folder, phones) as rig:`"""

    def __init__(self, folder: Path, phones: int) -> None:
        """`folder` is filled; `phones`: a1 to aN."""
        dialplan = folder / "dialplan"
        shutil.copytree(project_root() / "asterisk-dialplan", dialplan)
        queues = dialplan / "queues.conf"
        at_its_best = (
            queues.read_text().replace("wrapuptime = 5", "wrapuptime = 0").replace("retry = 1", "retry = 0")
        )
        queues.write_text(at_its_best)
        agents = tuple(phone for phone in default_phones(phones) if phone.name != "desk")
        self.pbx = PbxInstance(
            PbxSpec(folder / "pbx", agents, admin=True, agi_secret=new_secret(), dialplan=dialplan)
        )
        sip = (self.pbx.sip_host, self.pbx.sip_port)
        self.phones = Phones((PHONES_ADDRESS, self.pbx.ports.world_sip), sip, self.pbx.phones)
        self.callers = Callers((CALLERS_ADDRESS, self.pbx.ports.world_sip), sip)
        self._feeding: asyncio.Task[None] | None = None
        self._serials = itertools.count(1)

    async def __aenter__(self) -> Rig:
        try:
            await self.pbx.start()
            await self.phones.start()
            await self.callers.start()
            await self.phones.register()
        except BaseException:
            await self.pbx.stop()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop_feeding()
        self.phones.close()
        self.callers.close()
        await self.pbx.stop()

    def next_number(self) -> str:
        """A number nobody has called from yet."""
        return f"+62812990{next(self._serials):05}"

    def feed(self, calls: int) -> None:
        """Keep this many calls open."""
        self._feeding = asyncio.ensure_future(self._feed(calls))

    async def _feed(self, calls: int) -> None:
        while True:
            if len(self.callers.calls) < calls:
                self.callers.call(self.next_number(), NUMBER)
            await asyncio.sleep(0.01)

    async def stop_feeding(self) -> None:
        """No more callers; those who are there hang up."""
        if self._feeding is not None:
            self._feeding.cancel()
            await asyncio.gather(self._feeding, return_exceptions=True)
            self._feeding = None
        for call in list(self.callers.calls.values()):
            self.callers.hang_up(call)
        await self.callers.until_quiet()
        await self.phones.until_quiet()

    async def calls_processed(self) -> int:
        """How many calls Asterisk itself has counted since it started."""
        link = await open_link(self.pbx.admin, events="off")
        try:
            answer = await link.action("Command", {"Command": "core show calls"})
        finally:
            await link.close()
        words = answer.get("Output", "").split()
        return int(words[words.index("processed") - 2])
