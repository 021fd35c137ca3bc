"""Asterisk 22 without installing it: the machine's own, or one unpacked into a folder of the project.

    find_asterisk(cache)
      1. `asterisk` of major 22 on PATH                        -> used as it is
      2. CACHE/asterisk-22/ from an earlier run                -> used as it is
      3. mmdebstrap --variant=extract of Debian `forky` into a temporary folder, renamed to 2. when complete

The folder is no chroot: a wrapper runs its programs with its own dynamic loader and libraries, so it works on
any host distribution, without a daemon, users or systemd. The package mirror is the one that the machine's
own apt uses. Two provisioners at once: the second waits on a lock and finds the first one's work.
Trap: the suite moves on. The version is checked before the folder is put in place.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from channels.asterisk.pbx.apt import NoPackages, ensure_debian_packages, last_line

MAJOR = 22
SUITE = "forky"
PACKAGES = ("asterisk", "asterisk-core-sounds-en-gsm", "asterisk-moh-opsound-gsm")
EXTRACT_TIMEOUT_S = 900
WRAPPER = """#!/bin/sh
# Runs the unpacked Asterisk with its own dynamic loader and libraries, wherever this folder lies.
root=$(dirname "$(readlink -f "$0")")
exec "$root/{loader}" --library-path "$root/{libraries}" --argv0 asterisk "$root/usr/sbin/asterisk" "$@"
"""


class NoAsterisk(Exception):
    """No usable Asterisk can be had here; the text is one line: what is missing, and what would help."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class AsteriskBuild:
    """An Asterisk that can be started: its program and the folders its configuration must name."""

    program: Path
    modules: Path
    data: Path  # holds sounds/, moh/, documentation/
    version: str

    @property
    def english_sounds(self) -> Path:
        """The folder with the English prompts, whose name differs between a package and an unpacked one."""
        sounds = self.data / "sounds"
        for name in ("en_US_f_Allison", "en"):
            if (sounds / name).is_dir():
                return sounds / name
        raise NoAsterisk(f"no English prompts below {sounds}: install asterisk-core-sounds-en-gsm")


def project_root() -> Path:
    """The checkout this file lies in, or the working folder when ccserver is installed from a wheel."""
    checkout = Path(__file__).resolve().parents[3]
    return checkout if (checkout / "pyproject.toml").is_file() else Path.cwd()


def cache_folder(environ: Mapping[str, str] = os.environ) -> Path:
    """Where what was fetched is kept: `CCSERVER_CACHE`, else `.cache` of the project."""
    return Path(environ.get("CCSERVER_CACHE") or project_root() / ".cache")


def find_asterisk(cache: Path | None = None) -> AsteriskBuild:
    """Return an Asterisk 22, fetching it into `cache` when need be (10-15 s the first time, then 20 ms).

    Raises:
        NoAsterisk: none is installed and none can be fetched here.
    """
    installed = installed_asterisk()
    if installed is not None:
        return installed
    folder = (cache or cache_folder() / "asterisk").absolute()
    home = folder / f"asterisk-{MAJOR}"
    folder.mkdir(parents=True, exist_ok=True)
    with _locked(folder / "lock"):
        if not (home / "asterisk").exists():
            _fetch(folder, home)
    return unpacked_asterisk(home)


def installed_asterisk() -> AsteriskBuild | None:
    """The Asterisk on PATH when it is of the right major version, else None."""
    program = shutil.which("asterisk")
    if program is None:
        return None
    version = _version([program])
    modules = _first_folder(
        ["/usr/lib/asterisk/modules", *map(str, Path("/usr/lib").glob("*/asterisk/modules"))]
    )
    data = _first_folder(["/usr/share/asterisk", "/var/lib/asterisk"])
    if not is_wanted(version) or modules is None or data is None:
        return None
    return AsteriskBuild(Path(program), modules, data, version)


def unpacked_asterisk(home: Path) -> AsteriskBuild:
    """The Asterisk that `find_asterisk` unpacked into `home`.

    Raises:
        NoAsterisk: the folder is incomplete or of another major version.
    """
    modules = _first_folder([str(path) for path in home.glob("usr/lib/*/asterisk/modules")])
    version = _version([str(home / "asterisk")])
    if modules is None or not is_wanted(version):
        raise NoAsterisk(
            f"{home} holds no Asterisk {MAJOR} ({version or 'it does not start'}): delete that folder"
        )
    return AsteriskBuild(home / "asterisk", modules, home / "usr/share/asterisk", version)


def is_wanted(version: str) -> bool:
    """Whether the answer to `asterisk -V` names our major version, as in `Asterisk 22.10.1~dfsg...`."""
    words = version.split()
    return len(words) >= 2 and words[0] == "Asterisk" and words[1].split(".")[0] == str(MAJOR)


def mirrors(index_targets: str) -> list[str]:
    """The Debian archives among apt's own index targets (lines `SITE ORIGIN`), security archives left out."""
    found: list[str] = []
    for line in index_targets.splitlines():
        site, _, origin = line.strip().partition(" ")
        if origin in ("", "Debian") and "security" not in site and site and site not in found:
            found.append(site)
    return found


def mmdebstrap_command(target: Path, sites: Sequence[str]) -> list[str]:
    """The command that unpacks the packages and what they need into `target`; runs none of their scripts."""
    options = (
        'Acquire::Check-Valid-Until "false"',  # a mirror's Release can be older than it promises
        'APT::Install-Recommends "false"',
        'Apt::Sandbox::User "root"',
    )
    return [
        "mmdebstrap",
        "--quiet",
        "--variant=extract",
        f"--include={','.join(PACKAGES)}",
        *(f"--aptopt={option}" for option in options),
        SUITE,
        str(target),
        *sites,
    ]


def _fetch(folder: Path, home: Path) -> None:
    """Unpack into a temporary folder beside `home`; only a complete, checked one gets the name `home`."""
    sites = _own_mirrors()
    try:
        ensure_debian_packages(["mmdebstrap"])
    except NoPackages as error:
        raise NoAsterisk(f"mmdebstrap, which unpacks Asterisk {MAJOR}, is missing: {error}") from error
    if os.geteuid() != 0:
        raise NoAsterisk(
            f"unpacking Asterisk {MAJOR} needs root, or install asterisk {MAJOR} on this machine"
        )
    with tempfile.TemporaryDirectory(prefix="unpacking-", dir=folder) as temporary:
        root = Path(temporary) / "root"
        _extract(root, sites)
        _slim(root)
        _write_wrapper(root)
        unpacked_asterisk(root)
        shutil.rmtree(home, ignore_errors=True)
        root.rename(home)


def _own_mirrors() -> list[str]:
    if shutil.which("apt-get") is None:
        raise NoAsterisk(f"no Asterisk {MAJOR} on PATH, and no apt on this machine to fetch it with")
    query = ["apt-get", "indextargets", "--format", "$(SITE) $(ORIGIN)", "Created-By: Packages"]
    answer = subprocess.run(query, capture_output=True, text=True, timeout=60, check=False)
    sites = mirrors(answer.stdout)
    if not sites:
        raise NoAsterisk(
            "apt knows no Debian archive on this machine: run `apt-get update`, or add one to its sources"
        )
    return sites


def _extract(root: Path, sites: Sequence[str]) -> None:
    try:
        done = subprocess.run(
            mmdebstrap_command(root, sites),
            capture_output=True,
            text=True,
            timeout=EXTRACT_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise NoAsterisk(
            f"fetching Asterisk took more than {EXTRACT_TIMEOUT_S} s: is the mirror slow?"
        ) from error
    if done.returncode != 0:
        raise NoAsterisk(f"fetching Asterisk {MAJOR} failed: {last_line(done.stderr)}")


def _slim(root: Path) -> None:
    """Drop what only a whole system would use: a quarter of the size."""
    for name in ("usr/share/doc", "usr/share/man", "usr/share/locale", "var", "dev", "etc"):
        shutil.rmtree(root / name, ignore_errors=True)


def _write_wrapper(root: Path) -> None:
    loaders = sorted(root.glob("usr/lib/*/ld-linux*.so.*"))
    if not loaders:
        raise NoAsterisk("the unpacked Asterisk brought no dynamic loader for this kind of machine")
    loader = loaders[0].relative_to(root)
    wrapper = root / "asterisk"
    wrapper.write_text(WRAPPER.format(loader=loader, libraries=loader.parent), encoding="utf-8")
    wrapper.chmod(0o755)


def _version(command: list[str]) -> str:
    try:
        answer = subprocess.run([*command, "-V"], capture_output=True, text=True, timeout=30, check=False)
    except OSError:
        return ""  # not there, or not for this machine: the caller says so
    return answer.stdout.strip()


def _first_folder(candidates: Sequence[str]) -> Path | None:
    return next((Path(name) for name in candidates if Path(name).is_dir()), None)


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold an exclusive lock on `path`; it ends with this process, however that ends."""
    with path.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
