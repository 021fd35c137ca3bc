"""The words on the command line: what is there, and how a fault looks to the one who made it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from ccserver.cli import commands
from ccserver.cli.faults import KNOWN, OperatorFault, is_known


def run(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    """The exit code of `ccserver words…`, run here."""
    monkeypatch.setattr(sys, "argv", ["ccserver", *words])
    with pytest.raises(SystemExit) as ended:
        commands.main()
    return int(ended.value.code or 0)


def test_help_names_every_command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "--help") == 0
    shown = capsys.readouterr().out
    words = "run demo init doctor check-config explain replay migrate journal user import"
    assert all(word in shown for word in words.split())


def test_help_is_shown_as_it_was_written(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "user", "add", "--help") == 0
    assert "from [agents.NAME]" in capsys.readouterr().out
    assert run(monkeypatch, "--help") == 0
    assert "..." not in capsys.readouterr().out.partition("Commands:")[2]


def test_help_imports_neither_database_nor_reactor() -> None:
    check = (
        "import sys; sys.argv = ['ccserver', '--help']\n"
        "from ccserver.cli import commands\n"
        "try: commands.main()\n"
        "except SystemExit: pass\n"
        "heavy = {'sqlalchemy', 'twisted.internet.reactor', 'fastapi', 'jinja2'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", check], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr


def test_the_module_is_the_command() -> None:
    words = [sys.executable, "-m", "ccserver", "check-config", "--config", "/nowhere/none.toml"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("ccserver: /nowhere/none.toml: cannot read")
    assert "Traceback" not in done.stderr


def test_several_faults_are_a_line_each(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = tmp_path / "c.toml"
    file.write_text('[server]\nport = "x"\nprot = 1\n', "utf-8")
    assert run(monkeypatch, "check-config", "--config", str(file)) == 2
    assert sorted(capsys.readouterr().err.splitlines()) == [
        f'{file}:2: server.port must be a whole number without quotes, not "x"',
        f'{file}:3: unknown key "prot" in [server]; did you mean "port"?',
    ]


def test_a_good_configuration_says_what_is_in_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for key in ("SECRET", "FASTAGI_SECRET"):
        monkeypatch.setenv(f"CCSERVER_PBX__DEMO__{key}", "x")
    file = Path(__file__).parents[3] / "config" / "demo" / "ccserver.toml"
    assert run(monkeypatch, "check-config", "--config", str(file)) == 0
    assert "good. 1 PBX, 3 numbers, 2 queues, 6 agents" in capsys.readouterr().out


def test_a_defect_of_ours_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        raise RuntimeError("a defect")

    monkeypatch.setattr(commands, "app", broken)
    with pytest.raises(RuntimeError, match="a defect"):
        commands.main()


@pytest.mark.parametrize(("module", "name"), KNOWN)
def test_each_known_fault_exists(module: str, name: str) -> None:
    kind = getattr(__import__(module, fromlist=[name]), name)
    assert issubclass(kind, Exception)
    assert is_known(kind.__new__(kind))


def test_an_unknown_error_is_unknown() -> None:
    assert is_known(OperatorFault("x"))
    assert not is_known(ValueError("x"))
