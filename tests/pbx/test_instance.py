"""Instances on the real thing: side by side, gone with their parent, clear when they fail."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from channels.asterisk.pbx.instance import PbxFailed, PbxInstance, PbxSpec, default_phones
from channels.asterisk.pbx.link import open_link

pytestmark = pytest.mark.pbx

CHILD = """
import asyncio, sys
from pathlib import Path
from channels.asterisk.pbx.instance import PbxInstance, PbxSpec

async def main():
    pbx = PbxInstance(PbxSpec(Path(sys.argv[1])))
    await pbx.start()
    print(pbx.pid, flush=True)
    await asyncio.sleep(600)

asyncio.run(main())
"""


async def test_two_side_by_side(tmp_path: Path) -> None:
    async with (
        PbxInstance(PbxSpec(tmp_path / "one", default_phones(1))) as one,
        PbxInstance(PbxSpec(tmp_path / "two", default_phones(1))) as two,
    ):
        for pbx in (one, two):
            link = await open_link(pbx.ami)
            await link.close()
        assert one.pid != two.pid


async def test_it_dies_with_its_parent(tmp_path: Path) -> None:
    parent = await asyncio.to_thread(
        subprocess.Popen,
        [sys.executable, "-c", CHILD, str(tmp_path / "pbx")],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert parent.stdout is not None
    pid = int(await asyncio.wait_for(asyncio.to_thread(parent.stdout.readline), 60))
    parent.send_signal(signal.SIGKILL)
    await asyncio.to_thread(parent.communicate)
    async with asyncio.timeout(30):
        while is_there(pid):
            await asyncio.sleep(0.05)


def is_there(pid: int) -> bool:
    """Whether the process runs; one that only waits to be collected does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


async def test_a_pbx_that_cannot_start_says_why(tmp_path: Path) -> None:
    pbx = PbxInstance(PbxSpec(tmp_path / "pbx", default_phones(1)))
    pbx.render()
    (pbx.folder / "etc" / "modules.conf").write_text("[modules]\nautoload = no\nrequire = res_nothing.so\n")
    with pytest.raises(PbxFailed, match="see "):
        await pbx.process.start()
    await pbx.stop()


async def test_its_files_are_for_our_eyes_only(pbx: PbxInstance) -> None:
    assert os.stat(pbx.folder).st_mode & 0o077 == 0
    assert os.stat(pbx.folder / "phones.json").st_mode & 0o077 == 0


async def test_an_admin_account_only_where_asked(tmp_path: Path) -> None:
    pbx = PbxInstance(PbxSpec(tmp_path / "pbx", default_phones(1)))
    with pytest.raises(PbxFailed, match="admin=True"):
        await pbx.set_global("A", "1")
    await pbx.stop()
