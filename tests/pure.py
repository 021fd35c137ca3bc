"""The pure tests on every other interpreter found: `python -m tests.pure` (part of `make test`).

The core and the scripts' engine need the standard library alone, so their tests need pytest and Hypothesis
alone. For each Python 3.11 to 3.13 on this machine but the one that runs this:

    .cache/pure-3.X/   a virtual environment with those two, at the versions and hashes of requirements.lock

The real parts (database, PBX, browser) are tested on one interpreter only. An interpreter that cannot be used
is named with the reason; with CCSERVER_TEST_REQUIRE_ALL=1 one that is there must be usable.
"""

from __future__ import annotations

import importlib.metadata
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LOCK = ROOT / "requirements.lock"
VERSIONS = ((3, 11), (3, 12), (3, 13))
TOOLS = ("pytest", "hypothesis")
TESTS = (
    "tests/routing",
    "tests/scripts/test_engine.py",
    "tests/scripts/test_parse.py",
    "tests/scripts/test_toml_lines.py",
)
LIMIT_S = 900
INSIDE = "inside"


class NotHere(Exception):
    """This machine has no such interpreter."""


class Broken(Exception):
    """The interpreter is there, but its environment cannot be made; the message says why."""


def main() -> int:
    """Run the tests on every other interpreter; 0 when none failed."""
    failed = False
    for version in VERSIONS:
        if version == sys.version_info[:2]:
            continue
        print(f"python{_name(version)}: ", end="", flush=True)
        try:
            words = [_environment(version), "-m", "tests.pure", INSIDE]
            failed |= subprocess.run(words, cwd=ROOT, timeout=LIMIT_S, check=False).returncode != 0
        except NotHere:
            print("pure tests did not run: not on this machine")
        except Broken as why:
            print(f"pure tests did not run: {why}")
            failed |= os.environ.get("CCSERVER_TEST_REQUIRE_ALL") == "1"
    return int(failed)


def _name(version: tuple[int, int]) -> str:
    return f"{version[0]}.{version[1]}"


def interpreters(version: tuple[int, int]) -> Iterator[str]:
    """Where an interpreter of that version may be: on the path, or among those of pyenv."""
    name = f"python{_name(version)}"
    for folder in os.get_exec_path():
        found = shutil.which(name, path=folder)
        if found:
            yield found
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    own = sorted(pyenv.glob(f"versions/{_name(version)}*/bin/{name}"), reverse=True)
    yield from map(str, own)


def _usable(version: tuple[int, int]) -> str:
    """The first that starts (a pyenv shim may not). Raises NotHere."""
    check = f"import sys, venv, ensurepip; sys.exit(sys.version_info[:2] != {version!r})"
    for python in interpreters(version):
        done = subprocess.run([python, "-c", check], capture_output=True, timeout=60, check=False)
        if done.returncode == 0:
            return python
    raise NotHere


def _environment(version: tuple[int, int]) -> str:
    """The python of an environment that has the tools. Raises NotHere, Broken."""
    folder = ROOT / ".cache" / f"pure-{_name(version)}"
    python, wanted = folder / "bin" / "python", locked(closure(TOOLS), LOCK.read_text("utf-8"))
    requirements = folder / "requirements.txt"
    if requirements.is_file() and requirements.read_text("utf-8") == wanted:
        return str(python)
    base = _usable(version)
    shutil.rmtree(folder, ignore_errors=True)
    _run([base, "-m", "venv", str(folder)])
    draft = folder / "draft.txt"
    draft.write_text(wanted, "utf-8")
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
    _run([*pip, "--require-hashes", "-r", str(draft)])
    draft.rename(requirements)  # only a finished environment has this file
    return str(python)


def _run(words: list[str]) -> None:
    done = subprocess.run(words, capture_output=True, text=True, timeout=LIMIT_S, check=False)
    if done.returncode:
        lines = (done.stderr or done.stdout).strip().splitlines() or ["no words"]
        raise Broken(f"{' '.join(words[1:4])}: {lines[-1]}")


def closure(names: tuple[str, ...]) -> list[str]:
    """These distributions and all they need, as installed here."""
    from packaging.requirements import Requirement

    found: dict[str, None] = {}
    ahead = list(names)
    while ahead:
        name = ahead.pop().lower().replace("_", "-")
        if name in found:
            continue
        found[name] = None
        for line in importlib.metadata.requires(name) or []:
            requirement = Requirement(line)
            if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                ahead.append(requirement.name)
    return sorted(found)


def locked(names: list[str], lock: str) -> str:
    """The entries of these distributions in the lock, with their hashes."""
    entries = re.findall(r"^([A-Za-z0-9._-]+)==.*(?:\n    .*)*", lock, re.MULTILINE)
    texts = re.findall(r"^[A-Za-z0-9._-]+==.*(?:\n    .*)*", lock, re.MULTILINE)
    by_name = {entry.lower(): text for entry, text in zip(entries, texts, strict=True)}
    return "".join(f"{by_name[name]}\n" for name in names)


class Profile:
    """What tests/conftest.py sets up for Hypothesis; a plugin, so that pytest imports it first."""

    def pytest_configure(self) -> None:
        """Called by pytest."""
        from hypothesis import settings

        settings.register_profile("ccserver", derandomize=True, deadline=None, database=None)
        settings.load_profile("ccserver")


def inside() -> int:
    """Called by the other interpreter: the tests, without the conftest that wants the whole project."""
    import pytest

    own = ["-q", "--noconftest", "-p", "no:cacheprovider", "-c", os.devnull, "-W", "error"]
    tests = [str(ROOT / test) for test in TESTS]
    return int(pytest.main([*own, f"--rootdir={ROOT}", *tests], plugins=[Profile()]))


if __name__ == "__main__":
    sys.exit(inside() if sys.argv[1:] == [INSIDE] else main())
