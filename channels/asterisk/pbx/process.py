"""One running Asterisk: a child process over one folder, which holds everything it reads and writes.

    FOLDER/etc/asterisk.conf ...   its configuration (written by the caller before `start`)
    FOLDER/log/messages            its log: `start` waits for "Asterisk Ready." in it
    FOLDER/log/console             what it prints itself, for the case that it dies early
    FOLDER/data/{sounds,moh,...}   links into the build; FOLDER/{spool,db,run,keys} its own

    new -> start() -> running -> stop() or kill() -> ended;  start() again is allowed

The child gets SIGTERM when the thread that started it ends (Linux `PR_SET_PDEATHSIG`), so that no Asterisk
outlives a test run. Start it from the main thread.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from channels.asterisk.pbx import site_files as rendering
from channels.asterisk.pbx.provision import AsteriskBuild

START_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 10.0
POLL_S = 0.02
READY = "Asterisk Ready."
PR_SET_PDEATHSIG = 1


class PbxFailed(Exception):
    """Asterisk did not start or did not stay up; the text names the reason and the log to read."""


class AsteriskProcess:
    """Starts and ends one Asterisk over `folder`."""

    def __init__(self, build: AsteriskBuild, folder: Path) -> None:
        self.build = build
        self.folder = folder
        self.log = folder / "log" / "messages"
        self.console = folder / "log" / "console"
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The process id while it runs.

        Raises:
            PbxFailed: it does not run.
        """
        if self._child is None or self._child.poll() is not None:
            raise PbxFailed(f"Asterisk of {self.folder} does not run; see {self.log}")
        return self._child.pid

    @property
    def running(self) -> bool:
        """Whether the process is there."""
        return self._child is not None and self._child.poll() is None

    def configure(
        self, source: Path, site_files: Mapping[str, str], extra_sounds: Path | None = None
    ) -> None:
        """Write the folder anew, but for what Asterisk itself keeps (database, spool).

        `source/*.conf` are copied; `site_files` are written into `etc/site/` for our eyes only.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        self.folder.chmod(0o700)  # its log shows the FastAGI address with its secret
        self._lay_out(extra_sounds)
        etc = self.folder / "etc"
        shutil.rmtree(etc)
        (etc / "site").mkdir(parents=True)
        for name, text in rendering.COMMON_FILES.items():
            (etc / name).write_text(text, encoding="utf-8")
        for path in sorted(source.glob("*.conf")):
            shutil.copyfile(path, etc / path.name)
        rendering.write_private(etc / "asterisk.conf", rendering.asterisk_conf(self.folder, self.build))
        for name, text in site_files.items():
            rendering.write_private(etc / "site" / name, text)

    def _lay_out(self, extra_sounds: Path | None) -> None:
        """Make the folders, and `data/` out of links to the build and to prompts of our own."""
        for name in ("etc", "log", "run", "spool", "db", "keys", "data/sounds"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        data = self.folder / "data"
        _link(data / "documentation", self.build.data / "documentation")
        _link(data / "moh", _music(self.build))
        _link(data / "sounds" / "en", self.build.english_sounds)
        if extra_sounds is not None:
            _link(data / "sounds" / "ccserver", extra_sounds.absolute())

    async def start(self, timeout_s: float = START_TIMEOUT_S) -> None:
        """Start it and return when it is fully booted.

        Raises:
            PbxFailed: it ended, or was not ready after `timeout_s`.
        """
        self.log.unlink(missing_ok=True)
        arguments = [str(self.build.program), "-C", str(self.folder / "etc" / "asterisk.conf"), "-f"]
        with self.console.open("ab") as console:
            self._child = subprocess.Popen(
                arguments,
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=console,
                cwd=self.folder,
                env={**os.environ, "HOME": str(self.folder), "LC_ALL": "C.UTF-8"},
                preexec_fn=_dies_with_parent(),
                start_new_session=True,  # a Ctrl-C at the terminal is for us; we end it in order
            )
        if not await self._until(lambda: self._is_ready() or not self.running, timeout_s):
            await self.kill()
            raise PbxFailed(f"Asterisk was not ready after {timeout_s:.0f} s; see {self.log}")
        if not self.running:
            raise PbxFailed(f"Asterisk ended while starting: {self._last_words()}; see {self.console}")

    async def stop(self) -> None:
        """End it in order (SIGTERM: calls are hung up), by force after `STOP_TIMEOUT_S`."""
        if self.running:
            assert self._child is not None
            self._child.send_signal(signal.SIGCONT)  # a stopped process would not see the SIGTERM
            self._child.terminate()
            if not await self._until(lambda: not self.running, STOP_TIMEOUT_S):
                await self.kill()

    async def kill(self) -> None:
        """End it at once, as a loss of power would."""
        if self._child is not None and self.running:
            self._child.kill()
            await self._until(lambda: not self.running, STOP_TIMEOUT_S)

    def complaints(self) -> list[str]:
        """The warnings and errors it has logged so far."""
        return [line for line in self._log_lines() if " WARNING[" in line or " ERROR[" in line]

    def _is_ready(self) -> bool:
        return any(READY in line for line in self._log_lines())

    def _log_lines(self) -> list[str]:
        if not self.log.exists():
            return []
        return self.log.read_text(encoding="utf-8", errors="replace").splitlines()

    def _last_words(self) -> str:
        words = self.console.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        return words[-1] if words else "it printed nothing"

    async def _until(self, condition: Callable[[], bool], timeout_s: float) -> bool:
        deadline = time.monotonic() + timeout_s
        while not condition():
            if time.monotonic() > deadline:
                return False
            await asyncio.sleep(POLL_S)
        return True


def _music(build: AsteriskBuild) -> Path:
    """Where the packaged hold music lies: the packages differ in that."""
    candidates = (build.data / "moh", Path("/usr/share/asterisk/moh"), Path("/var/lib/asterisk/moh"))
    return next((path for path in candidates if path.is_dir()), candidates[0])


def _link(link: Path, target: Path) -> None:
    if link.is_symlink() or link.exists():
        if link.is_symlink() and link.readlink() == target:
            return
        if link.is_dir() and not link.is_symlink():
            shutil.rmtree(link)
        else:
            link.unlink()
    link.symlink_to(target)


def _dies_with_parent() -> Callable[[], None] | None:
    """What the child runs before it becomes Asterisk, or None where the system knows no such thing."""
    with contextlib.suppress(OSError, AttributeError):
        prctl = ctypes.CDLL(None).prctl  # looked up before the fork: the child must not load libraries
        parent = os.getpid()

        def ask() -> None:
            prctl(PR_SET_PDEATHSIG, int(signal.SIGTERM), 0, 0, 0)
            if os.getppid() != parent:
                os._exit(1)  # the parent died in between

        return ask
    return None
