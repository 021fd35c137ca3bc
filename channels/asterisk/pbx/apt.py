"""Debian packages that only tests and the demo need (a browser, SIPp), installed when we may.

One call: `ensure_debian_packages(["chromium"])`. It asks dpkg first: milliseconds when all is there.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence

INSTALL_TIMEOUT_S = 900
LOCK_WAIT_S = 600  # two test runs may install at the same time: the second waits for the first


class NoPackages(Exception):
    """Packages are missing and cannot be installed here; the text says which, why, and what to do."""


def missing_packages(names: Sequence[str]) -> list[str]:
    """Return those of `names` that dpkg does not report as installed.

    Raises:
        NoPackages: this machine has no dpkg.
    """
    if shutil.which("dpkg-query") is None:
        raise NoPackages(f"no apt on this machine: install {' '.join(names)} by its own means")
    return [name for name in names if not _is_installed(name)]


def ensure_debian_packages(names: Sequence[str]) -> None:
    """Install what is missing of `names`.

    Raises:
        NoPackages: no apt, not root, or apt-get failed (its last line is in the text).
    """
    missing = missing_packages(names)
    if not missing:
        return
    wanted = " ".join(missing)
    if os.geteuid() != 0:
        raise NoPackages(f"not root: run `apt-get install {wanted}` as root once")
    install = ["install", "--yes", "--quiet", "--no-install-recommends", *missing]
    if _apt_get(install) is None:
        return
    _apt_get(["update", "--quiet"])  # a new machine often has no package lists yet
    failure = _apt_get(install)
    if failure is not None:
        raise NoPackages(f"apt-get install {wanted} failed: {failure}")


def _is_installed(name: str) -> bool:
    query = ["dpkg-query", "--show", "--showformat=${db:Status-Status}", name]
    return subprocess.run(query, capture_output=True, text=True, check=False).stdout == "installed"


def _apt_get(arguments: list[str]) -> str | None:
    """Run apt-get; return None when it succeeded, else its last words."""
    command = ["apt-get", "-o", f"DPkg::Lock::Timeout={LOCK_WAIT_S}", *arguments]
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, env=environment, timeout=INSTALL_TIMEOUT_S, check=False
        )
    except subprocess.TimeoutExpired:
        return f"no end after {INSTALL_TIMEOUT_S} s"
    if done.returncode == 0:
        return None
    return last_line(done.stderr) or last_line(done.stdout) or f"exit code {done.returncode}"


def last_line(text: str) -> str:
    """The last line of a program's output that says something, for a one-line error."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else ""
