"""`ccserver init`: everything an administrator edits, never over what is there."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from ccserver.cli.check import summary
from ccserver.cli.faults import OperatorFault
from ccserver.cli.initialise import initialise
from ccserver.config import load


def test_a_new_folder_is_ready_to_start(tmp_path: Path) -> None:
    lines = initialise(tmp_path / "site")
    config = load(tmp_path / "site" / "config" / "ccserver.toml", {})
    assert config.warnings == ()
    assert "good" in summary(config)
    assert config.scripts.folder == tmp_path / "site" / "scripts" / "library"
    assert (tmp_path / "site" / "asterisk-dialplan" / "ccserver-extensions.conf").is_file()
    assert not (tmp_path / "site" / "config" / "demo").exists()
    assert lines[-6] == "Next:"


def test_secrets_are_random_and_nobody_elses(tmp_path: Path) -> None:
    for name in ("a", "b"):
        initialise(tmp_path / name)
    files = sorted((tmp_path / "a" / "config" / "secrets").iterdir())
    assert [file.name for file in files] == ["main-fastagi_secret", "main-secret"]
    assert all(stat.S_IMODE(file.stat().st_mode) == 0o600 for file in files)
    words = {file.read_text() for name in ("a", "b") for file in (tmp_path / name).glob("config/secrets/*")}
    assert len(words) == 4
    assert all(len(word) > 30 for word in words)


def test_a_second_time_changes_nothing(tmp_path: Path) -> None:
    initialise(tmp_path)
    edited = tmp_path / "config" / "queues.toml"
    edited.write_text("# mine\n", "utf-8")
    before = {file: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()}
    lines = initialise(tmp_path)
    assert {file: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()} == before
    assert f"kept     {edited}" in lines
    assert not any(line.startswith("written") for line in lines)


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", "utf-8")
    with pytest.raises(OperatorFault, match=r"cannot write .*file"):
        initialise(tmp_path / "file" / "site")


def test_a_present_configuration_that_is_no_toml_is_named(tmp_path: Path) -> None:
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "ccserver.toml").write_text("[pbx", "utf-8")
    with pytest.raises(OperatorFault, match=r"ccserver.toml: .*mend it"):
        initialise(tmp_path)


def test_secret_files_outside_the_folder_are_not_made(tmp_path: Path) -> None:
    (tmp_path / "config").mkdir()
    text = '[pbx.main]\nsecret_file = "../../outside"\nfastagi_secret_file = "/nowhere/secret"\n'
    (tmp_path / "config" / "ccserver.toml").write_text(text, "utf-8")
    initialise(tmp_path)
    assert not (tmp_path / "config" / "secrets").exists()
    assert not (tmp_path.parent / "outside").exists()
