"""Provisioning: what is decided without fetching anything."""

from __future__ import annotations

from pathlib import Path

import pytest

from channels.asterisk.pbx import provision
from channels.asterisk.pbx.apt import NoPackages, last_line, missing_packages
from channels.asterisk.pbx.provision import NoAsterisk, find_asterisk, is_wanted, mirrors, mmdebstrap_command


@pytest.mark.parametrize(
    ("answer", "wanted"),
    [
        ("Asterisk 22.10.1+dfsg+~cs6.17.60671434-1", True),
        ("Asterisk 22.0.0", True),
        ("Asterisk 20.6.0~dfsg", False),
        ("Asterisk 222.1", False),
        ("Asterisk certified/22.8", False),
        ("Asterisk", False),
        ("", False),
    ],
)
def test_only_major_22_will_do(answer: str, wanted: bool) -> None:
    assert is_wanted(answer) is wanted


def test_the_mirror_is_the_machines_own_and_no_security_archive() -> None:
    targets = (
        "http://mirror.example/debian Debian\nhttp://mirror.example/debian Debian\n"
        "http://mirror.example/debian-security Debian\nhttp://other.example/apt Somebody\n\n"
    )
    assert mirrors(targets) == ["http://mirror.example/debian"]


def test_nothing_of_the_packages_is_run() -> None:
    command = mmdebstrap_command(Path("/nowhere/root"), ["http://mirror.example/debian"])
    assert "--variant=extract" in command
    assert command[-3:] == ["forky", "/nowhere/root", "http://mirror.example/debian"]


def test_a_machine_without_apt_says_so_in_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NoAsterisk) as caught:
        find_asterisk(tmp_path / "cache")
    assert "no apt" in caught.value.reason
    assert "\n" not in caught.value.reason
    assert not (tmp_path / "cache" / "asterisk-22").exists()


def test_somebody_who_is_not_root_is_told_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("shutil.which", lambda name: None if name == "asterisk" else f"/bin/{name}")
    monkeypatch.setattr(provision, "_own_mirrors", lambda: ["http://mirror.example/debian"])
    monkeypatch.setattr(provision, "ensure_debian_packages", lambda _names: None)
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    with pytest.raises(NoAsterisk, match="needs root"):
        find_asterisk(tmp_path / "cache")


def test_a_broken_cache_names_the_folder_to_delete(tmp_path: Path) -> None:
    broken = tmp_path / "asterisk-22"
    broken.mkdir()
    (broken / "asterisk").write_text("#!/bin/sh\nexit 1\n")
    (broken / "asterisk").chmod(0o755)
    with pytest.raises(NoAsterisk, match="delete that folder"):
        provision.unpacked_asterisk(broken)


def test_the_last_words_of_a_program() -> None:
    assert last_line("E: one\n\n  E: two  \n\n") == "E: two"
    assert last_line("\n") == ""


def test_packages_without_dpkg(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NoPackages, match="install chromium by its own means"):
        missing_packages(["chromium"])
