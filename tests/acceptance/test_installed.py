"""From the wheel: a folder of its own, `ccserver init`, some words in the environment, and a call arrives."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from channels.asterisk.pbx.instance import PbxInstance
from channels.asterisk.pbx.world import World
from tests.acceptance.centre import PASSWORD, free_port
from tests.acceptance.desk import Desk
from tests.acceptance.steps import eventually
from tests.test_wheel import installed, wheel

__all__ = ["installed", "wheel"]

pytestmark = pytest.mark.pbx
DAYS = ("MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY")


async def test_a_site_of_its_own_takes_a_call(
    installed: Path, real_pbx: PbxInstance, outside: World, tmp_path: Path
) -> None:
    port = free_port()
    environ = {
        **{key: value for key, value in os.environ.items() if not key.startswith("CCSERVER_")},
        "PYTHONPATH": str(installed),
        "CCSERVER_CONFIG": str(tmp_path / "site" / "config" / "ccserver.toml"),
        "CCSERVER_SERVER__PORT": str(port),
        "CCSERVER_PBX__MAIN__PORT": str(real_pbx.ami.port),
        "CCSERVER_PBX__MAIN__SECRET": real_pbx.ami.secret,
        "CCSERVER_PBX__MAIN__FASTAGI_SECRET": real_pbx.agi_secret,
        "CCSERVER_FASTAGI__PORT": str(real_pbx.agi_port),
        # The shipped hours are an office's; the test runs at night too.
        **{f"CCSERVER_HOURS__OFFICE__{day}": '["00:00-24:00"]' for day in DAYS},
    }
    await ccserver(tmp_path, environ, "init", "site")
    assert "good. 1 PBX" in await ccserver(tmp_path, environ, "check-config")
    await ccserver(tmp_path, environ, "migrate")
    await ccserver(tmp_path, environ, "user", "add", "agent1", "--password-stdin", stdin=PASSWORD + "\n")
    async with running(tmp_path, environ):
        desk = Desk(f"http://127.0.0.1:{port}", "agent1", PASSWORD, "desk1")
        await eventually("ready", lambda: answers(desk, "/readyz"))
        page = await desk.http.get("/login")
        assert page.status_code == 200, "the pages are in the wheel"
        await desk.log_in()
        await desk.connect()
        await desk.do("ready")
        await outside.robot("a1", ring_s=0.3)
        call = await outside.call("+6281200000001", "+62215550100", talk_s=30)
        offer = (await desk.until("offer"))["offer"]
        assert offer["script"]["index"] == 1
        await call.until_heard()
        await desk.until("work", lambda f: f["item"]["phase"] == "talking")
        await call.hang_up()
        await desk.until("work", lambda f: f["item"]["phase"] == "wrap_up")
        await desk.close()


async def answers(desk: Desk, path: str) -> bool:
    """Whether that address answers 200."""
    try:
        return (await desk.http.get(path)).status_code == 200
    except httpx.HTTPError:
        return False


async def ccserver(folder: Path, environ: dict[str, str], *words: str, stdin: str = "") -> str:
    """`ccserver WORDS` in that folder; what it printed. AssertionError when it fails."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "ccserver", *words),
        cwd=folder,
        env=environ,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    printed, _ = await asyncio.wait_for(process.communicate(stdin.encode()), 60)
    assert process.returncode == 0, printed.decode()
    return printed.decode()


@asynccontextmanager
async def running(folder: Path, environ: dict[str, str]) -> AsyncIterator[None]:
    """`ccserver run`, ended in order: exit code 0."""
    with (folder / "log").open("wb") as log:
        words = (sys.executable, "-m", "ccserver", "run")
        process = await asyncio.create_subprocess_exec(
            *words, cwd=folder, env=environ, stdout=log, stderr=log
        )
    try:
        yield
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        code = await asyncio.wait_for(process.wait(), 30)
    assert code == 0, (folder / "log").read_text("utf-8")[-2_000:]
