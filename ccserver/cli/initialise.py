"""`ccserver init DIR`: what an administrator edits, copied out of the package.

    DIR/config/            ccserver.toml, queues.toml, skills.toml, README.md
    DIR/config/secrets/    a random secret for each the configuration names, readable by its owner only
    DIR/asterisk-dialplan/ to include in the PBX
    DIR/scripts/library/   agent scripts

A file that is there stays as it is.
"""

from __future__ import annotations

import os
import secrets
import tomllib
from collections.abc import Iterator
from pathlib import Path

from ccserver.cli.faults import OperatorFault
from ccserver.data import shipped

LEFT_OUT = {"demo", "secrets", "__pycache__", ".keep"}
SECRET_KEYS = ("secret_file", "fastagi_secret_file")


def initialise(folder: Path) -> list[str]:
    """Copy everything; gives a line for each file and what to do next. Raises OperatorFault."""
    from scripts.loader import LIBRARY

    try:
        parts = (
            (shipped("config"), folder / "config"),
            (shipped("asterisk-dialplan"), folder / "asterisk-dialplan"),
            (LIBRARY, folder / "scripts" / "library"),
        )
        lines = [line for origin, target in parts for line in _copy(origin, target)]
        lines += _make_secrets(folder / "config")
    except OSError as error:
        reason = f"cannot write {error.filename}: {error.strerror}" if error.filename else str(error)
        raise OperatorFault(reason) from error
    return [*lines, "", *_next_steps(folder)]


def _copy(origin: Path, target: Path) -> Iterator[str]:
    for file in sorted(origin.rglob("*")):
        inside = file.relative_to(origin)
        if file.is_file() and not LEFT_OUT.intersection(inside.parts) and file.suffix != ".py":
            yield _write(target / inside, file.read_bytes(), 0o644)


def _write(file: Path, content: bytes, mode: int) -> str:
    file.parent.mkdir(parents=True, exist_ok=True)
    try:
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    except FileExistsError:
        return f"kept     {file}"
    with os.fdopen(handle, "wb") as output:
        output.write(content)
    return f"written  {file}"


def _make_secrets(config: Path) -> Iterator[str]:
    """For each secret file that the (perhaps already edited) main file names inside its folder."""
    try:
        sections = tomllib.loads((config / "ccserver.toml").read_text("utf-8")).get("pbx", {})
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise OperatorFault(f"{config / 'ccserver.toml'}: {error}; mend it, then init again") from error
    for section in sections.values() if isinstance(sections, dict) else ():
        names = [section.get(key) for key in SECRET_KEYS] if isinstance(section, dict) else []
        for name in names:
            if isinstance(name, str) and not Path(name).is_absolute() and ".." not in Path(name).parts:
                yield _write(config / name, f"{secrets.token_urlsafe(24)}\n".encode(), 0o600)


def _next_steps(folder: Path) -> list[str]:
    config, dialplan = folder / "config", folder / "asterisk-dialplan"
    return [
        "Next:",
        f"  1. edit {config / 'queues.toml'} and {config / 'skills.toml'}: numbers, queues, agents",
        f"  2. put the words in {config / 'secrets'} into the PBX: {dialplan / 'README.md'}",
        f"  3. export CCSERVER_CONFIG={config / 'ccserver.toml'}",
        "  4. ccserver check-config && ccserver doctor && ccserver migrate",
        "  5. ccserver user add NAME --role admin, then ccserver run",
    ]
