"""`make run`: alive within a minute, on a real Asterisk and without one; ended by Ctrl-C, and back again."""

from __future__ import annotations

import signal
import socket
import stat
from pathlib import Path

import pytest
from httpx import HTTPStatusError

from channels.asterisk.pbx.instance import PbxInstance
from channels.asterisk.pbx.world import World
from tests.acceptance.demo_run import DEMO_PASSWORD, DemoRun
from tests.acceptance.steps import eventually
from tests.real_postgres import running_postgres


@pytest.fixture
def bare(tmp_path: Path) -> dict[str, str]:
    """The environment of a machine with no Asterisk and no apt."""
    (tmp_path / "bin").mkdir()
    return {"PATH": str(tmp_path / "bin"), "CCSERVER_CACHE": str(tmp_path / "cache")}


async def test_without_asterisk_it_says_so_in_one_line_and_calls_arrive_on_the_stand_in(
    tmp_path: Path, bare: dict[str, str]
) -> None:
    async with DemoRun(tmp_path / "demo", **bare) as demo:
        await demo.alive()
        demo.signal(signal.SIGINT)
        assert await demo.exit_code() == 0
    (line,) = [line for line in demo.words.splitlines() if "stand-in" in line]
    assert line == (
        "Telephone system: a stand-in PBX without audio, because "
        "no Asterisk 22 on PATH, and no apt on this machine to fetch it with."
    )
    assert demo.words.endswith("Ended.\n")


@pytest.mark.pbx
async def test_alive_within_a_minute_and_ctrl_c_ends_everything(tmp_path: Path) -> None:
    async with DemoRun(tmp_path / "demo") as demo:
        await demo.alive()
        assert "Telephone system: a real Asterisk 22." in demo.words
        assert f"{demo.url}/desk        log in as you, password {DEMO_PASSWORD}" in demo.words
        assert len(demo.pbxs()) == 2  # the PBX and the world outside
        demo.signal(signal.SIGINT)
        assert await demo.exit_code() == 0
        assert demo.pbxs() == []
    assert '"level": "error"' not in demo.logged.read_text("utf-8")


@pytest.mark.pbx
async def test_killed_it_leaves_no_asterisk_and_comes_back_with_its_users_and_its_day(tmp_path: Path) -> None:
    async with DemoRun(tmp_path / "demo") as first:
        before = await first.alive()
        await _add_user(first, "rina")
        first.signal(signal.SIGKILL)
        await first.exit_code()
        await eventually("without an Asterisk", lambda: not first.pbxs())
    async with DemoRun(tmp_path / "demo") as second:
        after = await second.alive()
        assert after["offered"] >= before["offered"]
        assert after["midnight_utc_ms"] == before["midnight_utc_ms"], "midnight came in between: run it again"
        async with second.logged_in("rina", "a long password"):
            pass
        second.signal(signal.SIGINT)
        assert await second.exit_code() == 0
        assert second.pbxs() == []


async def _add_user(demo: DemoRun, name: str) -> None:
    async with demo.logged_in("admin") as admin:
        user = {"name": name, "label": name, "role": "supervisor", "password": "a long password"}
        answer = await admin.http.post("/api/v1/users", json=user)
        assert answer.status_code == 201, answer.text


@pytest.mark.parametrize(
    ("port", "words"),
    [("taken", "choose another one: PORT="), ("8o8o", "PORT=8o8o: write a port from 1 to 65535")],
)
async def test_a_port_that_cannot_be_is_said_at_once(tmp_path: Path, port: str, words: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        number = str(taken.getsockname()[1])
        demo = DemoRun(tmp_path / "demo", PORT=number)
        demo.environ["PORT"] = number if port == "taken" else port
        async with demo:
            assert await demo.exit_code() == 2
    said = demo.logged.read_text("utf-8")
    assert words in said
    assert said.count("\n") == 1
    assert demo.words == ""


async def test_two_in_one_folder_are_one_too_many(tmp_path: Path, bare: dict[str, str]) -> None:
    async with DemoRun(tmp_path / "demo", **bare) as first:
        await first.open()
        async with DemoRun(tmp_path / "demo", **bare) as second:
            assert await second.exit_code() == 2
        assert "another ccserver works in" in second.logged.read_text("utf-8")
        assert await first.get("/readyz")


async def test_without_the_demo_nobody_is_invented(tmp_path: Path, bare: dict[str, str]) -> None:
    async with DemoRun(tmp_path / "empty", DEMO="0", **bare) as empty:
        await empty.open()
        options = await empty.get("/api/v1/login-options")
        assert options["demo"] == []
        assert DEMO_PASSWORD not in empty.words
        with pytest.raises(HTTPStatusError, match="401"):
            async with empty.logged_in("supervisor"):
                pass
        file = tmp_path / "empty" / "admin-password"
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        async with empty.logged_in("admin", file.read_text().strip()) as admin:
            board = (await admin.http.get("/api/v1/wallboard")).json()
            users = (await admin.http.get("/api/v1/users")).json()["users"]
        assert (board["offered"], board["waiting"], board["staffed"]) == (0, 0, 0)
        assert [user["name"] for user in users] == ["admin"]
        empty.signal(signal.SIGINT)
        assert await empty.exit_code() == 0


async def test_a_browser_is_opened_unless_it_is_headless(tmp_path: Path, bare: dict[str, str]) -> None:
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" >> {tmp_path}/opened\n')
    browser.chmod(0o755)
    screen = bare | {"BROWSER": f"{browser} %s", "DISPLAY": ":7"}
    for headless, opened in (("1", False), ("0", True)):
        async with DemoRun(tmp_path / "demo", HEADLESS=headless, **screen) as demo:
            await demo.open()
            if opened:
                shown = await eventually("opened", lambda: (tmp_path / "opened").exists())
                assert shown
                assert (tmp_path / "opened").read_text().strip() == f"{demo.url}/login"
            else:
                assert not (tmp_path / "opened").exists()


@pytest.mark.postgres
async def test_another_database_is_used(tmp_path: Path, bare: dict[str, str]) -> None:
    with running_postgres() as url:
        async with DemoRun(tmp_path / "demo", DATABASE_URL=url, **bare) as demo:
            await demo.alive()
            assert not list((tmp_path / "demo").glob("*.db"))
            ready = await demo.get("/readyz")
            assert all(check["ok"] for check in ready["checks"]), ready
            demo.signal(signal.SIGINT)
            assert await demo.exit_code() == 0


@pytest.mark.pbx
async def test_an_asterisk_of_ones_own_is_used(tmp_path: Path, real_pbx: PbxInstance, outside: World) -> None:
    access = real_pbx.ami
    own = {
        "ASTERISK": f"{access.host}:{access.port}",
        "CCSERVER_PBX__DEMO__USER": access.user,
        "CCSERVER_PBX__DEMO__SECRET": access.secret,
        "CCSERVER_PBX__DEMO__FASTAGI_SECRET": real_pbx.agi_secret,
        "CCSERVER_FASTAGI__PORT": str(real_pbx.agi_port),
    }
    async with DemoRun(tmp_path / "demo", **own) as demo:
        await demo.open()
        assert f"Telephone system: your Asterisk at {access.host}:{access.port}." in demo.words
        assert demo.pbxs() == []
        await outside.robot("a6", ring_s=0.2)
        async with demo.logged_in("you", device="a6") as you:
            await you.connect()
            await you.do("ready")
            call = await outside.call("+6281200000001", "+62215550101", talk_s=30)
            await you.until("offer")
            await call.until_heard()
            await you.until("work", lambda f: f["item"]["phase"] == "talking")
            await call.hang_up()
        demo.signal(signal.SIGINT)
        assert await demo.exit_code() == 0
