"""`ccserver doctor` finds what would go wrong, whatever answers at the other end."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ccserver.cli import doctor
from ccserver.cli.initialise import initialise
from channels.asterisk.standin.server import StandIn
from tests.ccserver.cli.helpers import in_thread


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """The main file of a fresh site."""
    initialise(tmp_path)
    return tmp_path / "config" / "ccserver.toml"


@pytest.fixture(autouse=True)
def _own_ports(monkeypatch: pytest.MonkeyPatch) -> None:
    for section, host in (("SERVER", "127.0.0.1"), ("FASTAGI", "127.0.0.1"), ("PBX__MAIN", "127.0.0.1")):
        with socket.create_server((host, 0)) as door:
            monkeypatch.setenv(f"CCSERVER_{section}__PORT", str(door.getsockname()[1]))


@contextmanager
def peer(monkeypatch: pytest.MonkeyPatch, says: bytes) -> Iterator[None]:
    """Something that listens where AMI should be, says `says` and then nothing."""
    with socket.create_server(("127.0.0.1", 0)) as door:
        monkeypatch.setenv("CCSERVER_PBX__MAIN__PORT", str(door.getsockname()[1]))
        held: list[socket.socket] = []

        def serve() -> None:
            connection, _ = door.accept()
            held.append(connection)
            connection.sendall(says)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield
        thread.join(30)
        for connection in held:
            connection.close()


def found(site: Path) -> list[str]:
    return [finding.words for finding in in_thread(doctor.examine)(site) if not finding.good]


def test_the_only_thing_missing_on_this_machine_is_the_pbx(site: Path) -> None:
    (bad,) = found(site)
    assert bad.startswith("[pbx.main] AMI at 127.0.0.1:")
    assert "Connection refused; is Asterisk up" in bad


async def test_a_pbx_that_takes_the_login_is_good(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = (site.parent / "secrets" / "main-secret").read_text().strip()
    async with StandIn(secret=secret) as pbx:
        monkeypatch.setenv("CCSERVER_PBX__MAIN__PORT", str(pbx.ami_port))
        assert await asyncio.to_thread(found, site) == []


async def test_a_wrong_secret_is_told_and_not_shown(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with StandIn(secret="another") as pbx:
        monkeypatch.setenv("CCSERVER_PBX__MAIN__PORT", str(pbx.ami_port))
        (bad,) = await asyncio.to_thread(found, site)
    assert 'user "ccserver" or its secret was refused' in bad
    assert (site.parent / "secrets" / "main-secret").read_text().strip() not in bad


@pytest.mark.parametrize(
    "says",
    [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\xff" * 100, b"x/1\r\n\r\n"],
    ids=["nothing", "http", "rubbish", "greeting only"],
)
def test_a_peer_that_is_no_ami_ends_by_itself(
    site: Path, monkeypatch: pytest.MonkeyPatch, says: bytes
) -> None:
    monkeypatch.setattr(doctor, "PROBE_S", 1.0)
    with peer(monkeypatch, says):
        (bad,) = found(site)
    assert "is this AMI?" in bad or "was refused" in bad


def test_a_port_in_use_is_told(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as door:
        monkeypatch.setenv("CCSERVER_SERVER__PORT", str(door.getsockname()[1]))
        assert any("server.port" in words and "is ccserver running?" in words for words in found(site))


def test_a_bad_configuration_is_told_with_its_lines(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site.write_text("[server]\nprot = 1\n", "utf-8")
    monkeypatch.delenv("CCSERVER_PBX__MAIN__PORT")
    assert found(site) == [f'{site}:2: unknown key "prot" in [server]; did you mean "port"?']


def test_a_bad_script_is_told_with_its_line(site: Path) -> None:
    script = site.parents[1] / "scripts" / "library" / "sales.toml"
    script.write_text(script.read_text("utf-8").replace("{{ agent.name }}", "{{ agent.age }}", 1), "utf-8")
    assert any('no variable "agent.age"' in words for words in found(site))


def test_a_database_that_is_away_is_told(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as door:
        port = door.getsockname()[1]
    monkeypatch.setenv("DATABASE_URL", f"postgresql://nobody:hush@127.0.0.1:{port}/none")
    (bad,) = (words for words in found(site) if words.startswith("database"))
    assert "hush" not in bad


def test_a_foreign_package_of_the_same_name_is_found(tmp_path: Path) -> None:
    foreign = tmp_path / "foreign"
    (foreign / "routing").mkdir(parents=True)
    (foreign / "routing" / "__init__.py").write_text("", "utf-8")
    environ = {**os.environ, "PYTHONPATH": str(foreign)}
    words = [str(Path(sys.executable).with_name("ccserver")), "doctor"]
    done = subprocess.run(
        words, capture_output=True, text=True, timeout=60, check=False, env=environ, cwd=tmp_path
    )
    assert done.returncode == 1, done.stderr
    assert f"BAD   package routing is a foreign one, at {foreign / 'routing'}" in done.stdout
    assert "good  package scripts is ours" in done.stdout
