"""What one can set, type, read or scrape is written down where one looks for it: in the folder's README."""

from __future__ import annotations

import ast
import re
from typing import Any, get_args

import click
import pytest
import typer

from ccserver.cli.commands import app
from ccserver.config_schema import every_key
from ccserver.desk import protocol
from routing import effects, events
from tests.source_tree import PACKAGES, ROOT, sources

CONFIG = (ROOT / "config" / "README.md").read_text("utf-8")
COMMANDS = (ROOT / "ccserver" / "cli" / "README.md").read_text("utf-8")
WEB = (ROOT / "ccserver" / "web" / "README.md").read_text("utf-8")


def part(text: str, heading: str) -> str:
    """What stands under a heading, up to the next one."""
    found = re.search(rf"^### {re.escape(heading)}\n(.*?)(?=^#|\Z)", text, re.MULTILINE | re.DOTALL)
    return found[1] if found else ""


KEYS = [(".".join(key[:-1]), key[-1]) for key in every_key()]


@pytest.mark.parametrize(("section", "key"), KEYS, ids=[f"{section}.{key}" for section, key in KEYS])
def test_every_configuration_key_has_a_row(section: str, key: str) -> None:
    assert f"\n| `{key}` |" in part(CONFIG, f"[{section}]"), f"config/README.md lacks {key} under [{section}]"


def test_no_row_is_about_a_key_that_is_gone() -> None:
    sections = set(re.findall(r"^### \[(.+)\]$", CONFIG, re.MULTILINE))
    assert sections == {section for section, _ in KEYS}
    for section in sections:
        rows = set(re.findall(r"^\| `(\w+)` \|", part(CONFIG, f"[{section}]"), re.MULTILINE))
        assert rows == {key for each, key in KEYS if each == section}, section


def commands(group: click.Group, before: str = "") -> list[tuple[str, click.Command]]:
    found: list[tuple[str, click.Command]] = []
    for name, command in group.commands.items():
        inner = commands(command, f"{before}{name} ") if isinstance(command, click.Group) else []
        found += inner or [(f"{before}{name}", command)]
    return found


def all_commands() -> list[tuple[str, Any]]:
    group: Any = typer.main.get_command(app)
    return commands(group)


ALL_COMMANDS = all_commands()


@pytest.mark.parametrize(("name", "command"), ALL_COMMANDS, ids=[name for name, _ in ALL_COMMANDS])
def test_every_command_has_a_row_with_its_options_and_a_help(name: str, command: Any) -> None:
    rows = [line for line in COMMANDS.splitlines() if line.startswith(f"| `ccserver {name}")]
    assert len(rows) == 1, f"ccserver/cli/README.md lacks a row for `ccserver {name}`"
    options = [option for each in command.params for option in each.opts if option.startswith("--")]
    missing = [option for option in options if option not in rows[0] and option != "--config"]
    assert missing == []
    assert command.help


def test_every_metric_is_listed() -> None:
    named = set(re.findall(r'"(ccserver_[a-z_]+)"', (ROOT / "ccserver/web/metrics.py").read_text("utf-8")))
    assert len(named) > 10
    assert sorted(name for name in named if f"`{name}" not in WEB) == []


@pytest.mark.parametrize("kind", [*get_args(events.Event), *get_args(effects.Effect)])
def test_every_event_and_effect_says_what_it_means(kind: type) -> None:
    assert kind.__doc__
    assert not kind.__doc__.startswith(f"{kind.__name__}("), "that is the text dataclass writes by itself"


@pytest.mark.parametrize("kind", [*get_args(protocol.DeskFrame), *get_args(protocol.Command)])
def test_every_frame_and_command_of_the_desk_is_in_the_protocol_text(kind: Any) -> None:
    tag = kind.__struct_config__.tag
    assert re.search(rf"(^|\W){tag}($|\W)", protocol.__doc__ or ""), tag


def folders() -> list[str]:
    """The packages, their parts that have several files, and the folders that hold data."""
    counts: dict[str, int] = {}
    for source in sources(*PACKAGES):
        folder = source.path.rpartition("/")[0]
        counts[folder] = counts.get(folder, 0) + (not source.path.endswith("__init__.py"))
    code = [folder for folder, count in counts.items() if count > 1 and "migrations" not in folder]
    return sorted({*code, "config", "asterisk-dialplan", "tests"})


@pytest.mark.parametrize("folder", folders())
def test_every_folder_explains_itself(folder: str) -> None:
    """First a sentence, then a picture, then how to change it."""
    file = ROOT / folder / "README.md"
    assert file.is_file(), f"{folder}/README.md is missing"
    text = file.read_text("utf-8")
    assert text.startswith("# ")
    assert "```" in text, f"{folder}/README.md has no picture"
    assert "chang" in text.lower(), f"{folder}/README.md does not say how to change it"


def test_the_changelog_names_this_release() -> None:
    version = re.search(r'^version = "(.+)"', (ROOT / "pyproject.toml").read_text("utf-8"), re.MULTILINE)
    assert version
    assert f"## {version[1]}" in (ROOT / "CHANGELOG.md").read_text("utf-8")


def test_every_make_target_is_explained_to_contributors() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    targets = re.search(r"^\.PHONY: (.+)$", makefile, re.MULTILINE)
    assert targets
    text = (ROOT / "CONTRIBUTING.md").read_text("utf-8") + (ROOT / "README.md").read_text("utf-8")
    assert [name for name in targets[1].split() if f"make {name}" not in text] == []


def test_no_docstring_is_left_as_a_skeleton() -> None:
    """A word that marks unfinished work must not be in a release."""
    unfinished = [
        source.path
        for source in sources(*PACKAGES)
        if re.match(r"skeleton", ast.get_docstring(source.tree) or "", re.IGNORECASE)
    ]
    assert unfinished == []
