"""`ccserver demo` as whoever types `make run` starts it: a process with an environment, ended by Ctrl-C."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx

from tests.acceptance.centre import free_port
from tests.acceptance.desk import Desk
from tests.acceptance.steps import eventually

ALIVE_WITHIN_S = 60.0  # what `make run` promises
ENDED_WITHIN_S = 30.0
DEMO_PASSWORD = "lampu-contoh"
ROBOTS = {"ayu", "budi", "citra", "dewi", "eko"}
Board = dict[str, Any]


class DemoRun:
    """One run; `folder` and `port` may be those of an earlier one."""

    def __init__(self, folder: Path, **environ: str) -> None:
        self.folder = folder
        self.port = int(environ.get("PORT") or free_port())
        self.environ = {
            **{key: value for key, value in os.environ.items() if not key.startswith("CCSERVER_")},
            "CCSERVER_DEMO_DIR": str(folder),
            "CCSERVER_LOG": "json",
            "HEADLESS": "1",
            "PORT": str(self.port),
            **environ,
        }
        self.said = folder.with_name(f"{folder.name}-{self.port}.said")
        self.logged = folder.with_name(f"{folder.name}-{self.port}.log")
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def words(self) -> str:
        """What it printed so far."""
        return self.said.read_text("utf-8") if self.said.exists() else ""

    def start(self) -> None:
        """In a process group of its own, as a shell does."""
        with self.said.open("wb") as said, self.logged.open("wb") as logged:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "ccserver", "demo"],
                env=self.environ,
                stdout=said,
                stderr=logged,
                start_new_session=True,
            )

    def signal(self, number: signal.Signals) -> None:
        """To everything in the terminal, as a key does; SIGKILL to the one process."""
        assert self.process is not None
        if number == signal.SIGKILL:
            self.process.kill()
        else:
            os.killpg(self.process.pid, number)

    async def exit_code(self) -> int:
        """How it ended. TimeoutExpired when it does not."""
        assert self.process is not None
        return await asyncio.to_thread(self.process.wait, ENDED_WITHIN_S)

    async def open(self) -> None:
        """Wait until the doors are open: it says where, and is ready."""

        async def look() -> bool:
            assert self.process is not None
            assert self.process.poll() is None, self.words + self.logged.read_text("utf-8")[-2_000:]
            return "Ctrl-C ends it" in self.words and await self.get("/readyz") is not None

        await eventually("open", look, ALIVE_WITHIN_S)

    async def get(self, path: str) -> Any:
        """What a GET answers when the answer is 200; None before that."""
        async with httpx.AsyncClient(base_url=self.url, timeout=5) as client:
            try:
                answer = await client.get(path)
            except httpx.HTTPError:
                return None
        return answer.json() if answer.status_code == 200 else None

    @asynccontextmanager
    async def logged_in(
        self, name: str, password: str = DEMO_PASSWORD, device: str | None = None
    ) -> AsyncIterator[Desk]:
        """Somebody with a session."""
        desk = Desk(self.url, name, password, device)
        try:
            await desk.log_in()
            yield desk
        finally:
            await desk.close()

    async def alive(self) -> Board:
        """Wait until every robot sits at a desk and somebody was answered; the wallboard then."""
        await self.open()
        async with self.logged_in("supervisor") as boss:

            async def look() -> Board | None:
                board: Board = (await boss.http.get("/api/v1/wallboard")).json()
                seated = {line["agent"] for line in board["agents"] if line["status"] != "LOGGED_OUT"}
                return board if board["answered"] > 0 and seated >= ROBOTS else None

            return await eventually("alive", look, ALIVE_WITHIN_S)

    def pbxs(self) -> list[int]:
        """Process ids of every Asterisk that works in this folder."""
        return [pid for pid, words in _processes() if f"{self.folder}/" in words and "asterisk" in words]

    async def __aenter__(self) -> DemoRun:
        self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            await self.exit_code()


def _processes() -> list[tuple[int, str]]:
    """Every process of this machine that is not just ending, with its command line."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                words = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            except OSError:
                continue  # it ended meanwhile
            found.append((int(folder.name), words))
    return found
