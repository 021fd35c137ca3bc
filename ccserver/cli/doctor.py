"""`ccserver doctor`: what on this machine would keep the server from running well.

Packages come first, then the configuration, since the rest follows from them; after that everything is looked
at, also after something bad was found. Nothing is changed, and nothing is asked of others but a connection.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    # Imported when needed: where a package of ours is hidden by a foreign one, even this would fail.
    from ccserver.config import Config, Pbx

ROOT = Path(__file__).resolve().parents[2]
"""The folder that holds ccserver and its three neighbours."""
OURS = ("routing", "channels", "scripts")
ALONE = "give ccserver an environment of its own"
PYTHONS = ((3, 11), (3, 13))
FREE_BYTES = 1_000_000_000
PROBE_S = 5.0


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at."""

    good: bool
    words: str

    def __str__(self) -> str:
        return f"{'good' if self.good else 'BAD '}  {self.words}"


def examine(config_file: Path | None) -> list[Finding]:
    """Look at everything."""
    findings = [_python(), *_foreign_packages()]
    if not all(finding.good for finding in findings):
        return findings
    from ccserver.config import ConfigError, load

    try:
        config = load(config_file)
    except ConfigError as error:
        return findings + [Finding(False, str(problem)) for problem in error.problems]
    findings += [Finding(False, warning) for warning in config.warnings]
    for look in (_content, _disk, _ports, _database, _ami):
        findings += look(config)
    return findings


def _python() -> Finding:
    version = sys.version_info[:2]
    good = PYTHONS[0] <= version <= PYTHONS[1]
    wanted = "" if good else "; ccserver runs on 3.11 to 3.13"
    return Finding(good, f"Python {version[0]}.{version[1]}{wanted}")


def _foreign_packages() -> Iterator[Finding]:
    """`routing`, `channels` and `scripts` are common names: another package may hide ours, or mix with it."""
    owners = importlib.metadata.packages_distributions()
    for name in OURS:
        others = sorted(set(owners.get(name, [])) - {"ccserver"})
        if others:
            yield Finding(False, f"package {name} also belongs to {', '.join(others)}; {ALONE}")
            continue
        spec = importlib.util.find_spec(name)
        places = list(spec.submodule_search_locations or [spec.origin or ""]) if spec else []
        foreign = [place for place in places if Path(place).resolve().parent != ROOT]
        if not places:
            yield Finding(False, f"package {name} is missing; install ccserver again")
        elif foreign:
            yield Finding(False, f"package {name} is a foreign one, at {foreign[0]}; {ALONE}")
        else:
            yield Finding(True, f"package {name} is ours")


def _content(config: Config) -> Iterator[Finding]:
    from ccserver.cli.check import summary
    from channels.asterisk.dialogue_load import DialogueLoadError
    from scripts.model import ScriptError

    try:
        yield Finding(True, summary(config))
    except (ScriptError, DialogueLoadError) as error:
        yield from (Finding(False, line) for line in str(error).splitlines())


def _disk(config: Config) -> Iterator[Finding]:
    folder = config.server.data_dir
    present = next(each for each in (folder, *folder.parents) if each.is_dir())
    free = shutil.disk_usage(present).free
    enough = free >= FREE_BYTES
    words = f"{free / 1e9:.1f} GB free for {folder}"
    yield Finding(enough, words if enough else f"{words}; keep {FREE_BYTES / 1e9:.0f} GB for the journal")
    if not os.access(present, os.W_OK | os.X_OK):
        yield Finding(False, f"cannot write into {present}; give it to the user who runs ccserver")


def _ports(config: Config) -> Iterator[Finding]:
    wanted = [
        ("server.port", config.server.host, config.server.port),
        ("fastagi.port", config.fastagi.host, config.fastagi.port),
    ]
    if config.server.metrics_port is not None:
        wanted.append(("server.metrics_port", "127.0.0.1", config.server.metrics_port))
    for key, host, port in wanted:
        fault = _cannot_listen(host, port)
        words = f"{key}: {host}:{port} " + (
            f"cannot be opened ({fault}); is ccserver running?" if fault else "is free"
        )
        yield Finding(not fault, words)


def _cannot_listen(host: str, port: int) -> str:
    """Why one cannot listen there; empty when one can."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as door:
            door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            door.bind(address)
    except OSError as error:
        return error.strerror or str(error)
    return ""


def _database(config: Config) -> Iterator[Finding]:
    from ccserver.cli.faults import OperatorFault
    from ccserver.cli.records import with_store
    from ccserver.store.store import Store, StoreUnavailable

    kind = config.database_url.partition("+")[0]
    if kind == "sqlite" and not config.server.data_dir.is_dir():
        yield Finding(True, "database: SQLite, made at the first start")
        return

    async def work(store: Store) -> None:
        await store.check()

    try:
        with_store(config, work)
        yield Finding(True, f"database: {kind} answers")
    except (StoreUnavailable, OperatorFault) as error:
        yield Finding(False, f"database: {error}")


def _ami(config: Config) -> Iterator[Finding]:
    for pbx in config.pbx.values():
        yield _probe(pbx)


def _probe(pbx: Pbx) -> Finding:
    """Ask in a process of its own; see `ami_probe`."""
    target = {
        "host": pbx.host,
        "port": pbx.port,
        "user": pbx.user,
        "secret": pbx.secret.get_secret_value(),
        "tls": pbx.tls,
        "tls_ca": str(pbx.tls_ca) if pbx.tls_ca else None,
        "timeout_s": PROBE_S,
    }
    command = [sys.executable, "-W", "ignore", "-m", "ccserver.cli.ami_probe"]
    try:
        done = subprocess.run(
            command, input=json.dumps(target), capture_output=True, text=True, timeout=PROBE_S * 2, check=True
        )
        answer = json.loads(done.stdout)
    except subprocess.TimeoutExpired:
        words = f"AMI at {pbx.host}:{pbx.port}: connected, but no answer in {PROBE_S * 2:.0f} s; is this AMI?"
        return Finding(False, f"[pbx.{pbx.id}] {words}")
    except (subprocess.CalledProcessError, json.JSONDecodeError) as error:
        return Finding(False, f"[pbx.{pbx.id}] AMI at {pbx.host}:{pbx.port}: the probe failed ({error})")
    return Finding(bool(answer["ok"]), f"[pbx.{pbx.id}] {answer['words']}")
