"""The wheel holds everything: packages, pages, configuration, dialplan, scripts; and no secret."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.source_tree import PACKAGES, ROOT

WANTED = (
    "ccserver/_data/config/ccserver.toml",
    "ccserver/_data/config/queues.toml",
    "ccserver/_data/config/skills.toml",
    "ccserver/_data/config/prompts/en.toml",
    "ccserver/_data/config/demo/ccserver.toml",
    "ccserver/_data/asterisk-dialplan/ccserver-extensions.conf",
    "ccserver/_data/asterisk-dialplan/site/manager.conf",
    "ccserver/store/migrations/env.py",
    "ccserver/web/ui/dist/admin.html",
    "ccserver/web/ui/dist/desk.html",
    "ccserver/web/ui/dist/login.html",
    "ccserver/web/ui/dist/wallboard.html",
    "channels/asterisk/dialogues/identify.py",
    "scripts/library/sales.toml",
    "scripts/library/support.toml",
)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from this checkout, which for the time holds a secret and a note that must not travel."""
    folder = tmp_path_factory.mktemp("wheel")
    assert (ROOT / "ccserver/web/ui/dist/desk.html").is_file(), "the pages are not built: run `make setup`"
    secret = ROOT / "config" / "secrets" / f"test-{os.getpid()}"
    secret.parent.mkdir(exist_ok=True)
    secret.write_text("must not travel", "utf-8")
    try:
        run([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)], ROOT)
    finally:
        secret.unlink()
        if not any(secret.parent.iterdir()):
            secret.parent.rmdir()
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel's packages in a folder of their own."""
    target = tmp_path_factory.mktemp("installed")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
    run([*pip, "--no-index", "--target", str(target), str(wheel)], target)
    return target


def run(words: Sequence[str], folder: Path, **environ: str) -> str:
    done = subprocess.run(
        words,
        cwd=folder,
        env={**os.environ, **environ},
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_everything_is_inside_and_no_secret(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    assert [name for name in WANTED if name not in names] == []
    odd = [name for name in names if "secrets" in name or "node_modules" in name or "/ui/src/" in name]
    assert odd == []


def test_every_module_is_inside(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    ours = {
        file.relative_to(ROOT).as_posix() for package in PACKAGES for file in (ROOT / package).rglob("*.py")
    }
    assert sorted(name for name in ours - names if "node_modules" not in name) == []


def test_a_site_is_made_from_the_installed_wheel(installed: Path, tmp_path: Path) -> None:
    environ = {"PYTHONPATH": str(installed)}
    where = run([sys.executable, "-c", "import ccserver; print(ccserver.__file__)"], tmp_path, **environ)
    assert where.startswith(str(installed))
    command = [sys.executable, "-m", "ccserver"]
    shown = run([*command, "init", "site"], tmp_path, **environ)
    assert "written  site/config/ccserver.toml" in shown
    assert "written  site/asterisk-dialplan/ccserver-extensions.conf" in shown
    config = {"CCSERVER_CONFIG": str(tmp_path / "site" / "config" / "ccserver.toml")}
    assert "good." in run([*command, "check-config"], tmp_path, **environ, **config)


def test_the_command_is_an_entry_point(wheel: Path) -> None:
    archive = zipfile.ZipFile(wheel)
    (name,) = (name for name in archive.namelist() if name.endswith("entry_points.txt"))
    assert "ccserver = ccserver.__main__:main" in archive.read(name).decode()
