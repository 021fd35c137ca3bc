"""What the sections of a configuration mean to each other: references, reach, skills, doors. Pure but for
the existence of named files."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from ccserver.config_model import Config
from ccserver.config_schema import suggestion
from ccserver.config_types import NAME, NAME_WORDS
from channels.asterisk.dialogue_load import SHIPPED_FOLDER
from scripts.loader import script_files
from scripts.toml_lines import Route

Where = Callable[[Route], str]
Fault = tuple[str, str]
"""Where it is, and what is wrong."""


def check(config: Config, where: Where) -> tuple[list[Fault], list[Fault]]:
    """The faults that stop a start, and those that only deserve a warning."""
    faults = [(where(route), words) for find in CHECKS for route, words in find(config)]
    return faults, [(where(route), words) for route, words in _doubts(config)]


Finding = tuple[Route, str]


def _refer(route: Route, name: str, section: str, known: Iterable[str]) -> Iterator[Finding]:
    """A name that must be a heading of `section`."""
    names = tuple(known)
    if name and name not in names:
        yield route, f'{route[-1]} = "{name}": there is no [{section}.{name}]; {suggestion(name, names)}'


def _numbers(config: Config) -> Iterator[Finding]:
    seen: dict[str, str] = {}
    for name in config.numbers:
        route: Route = ("numbers", name)
        if not re.fullmatch(r"\+?[0-9]{2,15}", name):
            yield route, f'"{name}" is no number; write it like [numbers."+62215550100"]'
        elif (other := seen.setdefault(config.e164(name), name)) != name:
            yield route, f'"{name}" is the same number as [numbers."{other}"]; keep one of the two'


def _names(config: Config) -> Iterator[Finding]:
    """Names go into dial strings, file names and journals: no surprises in them."""
    for section in ("pbx", "hours", "queues", "agents", "devices", "reasons", "dispositions", "worth"):
        for name in getattr(config, section):
            if not re.fullmatch(NAME, name):
                yield (section, name), f'"{name}" is no {NAME_WORDS}'


def _references(config: Config) -> Iterator[Finding]:
    for number in config.numbers.values():
        yield from _refer(("numbers", number.id, "queue"), number.queue, "queues", config.queues)
        yield from _refer(("numbers", number.id, "hours"), number.hours, "hours", config.hours)
    for agent in config.agents.values():
        yield from _refer(("agents", agent.id, "device"), agent.device, "devices", config.devices)
    for device in config.devices.values():
        yield from _refer(("devices", device.id, "pbx"), device.pbx, "pbx", config.pbx)


def _scripts(config: Config) -> Iterator[Finding]:
    folder = config.scripts.folder
    if folder is not None and not folder.is_dir():
        yield ("scripts", "folder"), f"there is no folder {folder}"
        return
    known = script_files(folder)
    for queue in config.queues.values():
        if queue.script and queue.script not in known:
            yield (
                ("queues", queue.id, "script"),
                f'there is no script "{queue.script}"; {suggestion(queue.script, known)}',
            )


def _dialogues(config: Config) -> Iterator[Finding]:
    folder = config.fastagi.dialogue_folder
    if folder is not None and not folder.is_dir():
        yield ("fastagi", "dialogue_folder"), f"there is no folder {folder}"
        return
    folders = [SHIPPED_FOLDER] if folder is None else [SHIPPED_FOLDER, folder]
    known = {path.stem for each in folders for path in each.glob("*.py")} - {"__init__"}
    for number in config.numbers.values():
        if number.dialogue and number.dialogue not in known:
            yield (
                ("numbers", number.id, "dialogue"),
                f'there is no dialogue "{number.dialogue}"; {suggestion(number.dialogue, known)}',
            )


def _reach(config: Config) -> Iterator[Finding]:
    reached = {number.queue for number in config.numbers.values()}
    if reached - set(config.queues):
        return  # the misspelt name is complained of; once it is right, this may be too
    for queue in config.queues.values():
        if queue.id not in reached and not queue.transfer_only:
            yield (
                ("queues", queue.id),
                f'no number leads to queue "{queue.id}"; give one of [numbers] queue = "{queue.id}", '
                "or write transfer_only = true here",
            )


def _skills(config: Config) -> Iterator[Finding]:
    best: dict[str, int] = {}
    for agent in config.agents.values():
        for skill, level in agent.skills.items():
            best[skill] = max(level, best.get(skill, 0))
    for queue in config.queues.values():
        for skill, minimum in queue.skills.items():
            route: Route = ("queues", queue.id, "skills", skill)
            if skill not in best:
                yield route, f'no agent has the skill "{skill}"; {suggestion(skill, best)}'
            elif best[skill] < minimum:
                yield (
                    route,
                    f'no agent has the skill "{skill}" at level {minimum}; the best has {best[skill]}: '
                    "ask for less, or raise an agent's level",
                )
        yield from _together(config, queue.id, best)


def _together(config: Config, queue: str, best: dict[str, int]) -> Iterator[Finding]:
    """Each skill is there, but nobody has all of them."""
    needed = config.queues[queue].skills
    if any(best.get(skill, 0) < minimum for skill, minimum in needed.items()):
        return
    able = (
        agent
        for agent in config.agents.values()
        if all(agent.skills.get(skill, 0) >= minimum for skill, minimum in needed.items())
    )
    if needed and next(able, None) is None:
        words = ", ".join(f"{skill} {minimum}" for skill, minimum in needed.items())
        yield (
            ("queues", queue, "skills"),
            f"no agent has all of {words}; give them to one agent, or ask for less",
        )


def _devices(config: Config) -> Iterator[Finding]:
    seen: dict[str, str] = {}
    for device in config.devices.values():
        other = seen.setdefault(device.address.lower(), device.id)
        if other != device.id:
            yield (
                ("devices", device.id, "endpoint"),
                f"{device.endpoint} on {device.pbx} is already [devices.{other}]; one phone is one device",
            )


def _doors(config: Config) -> Iterator[Finding]:
    server = config.server
    if not server.loopback and server.tls_certificate is None and not server.trusted_proxies:
        yield (
            ("server", "host"),
            f"plain HTTP on {server.host} would send passwords in clear; set tls_certificate and tls_key, "
            'or trusted_proxies, or host = "127.0.0.1"',
        )
    if (server.tls_certificate is None) != (server.tls_key is None):
        present, absent = ("tls_certificate", "tls_key")[:: 1 if server.tls_certificate else -1]
        yield ("server", present), f"{present} needs {absent} beside it"
    yield from _ports(config)


def _ports(config: Config) -> Iterator[Finding]:
    taken: dict[int, str] = {config.server.port: "server.port"}
    others = (
        ("server", "metrics_port", config.server.metrics_port),
        ("fastagi", "port", config.fastagi.port),
    )
    for section, key, port in others:
        if port is not None and port in taken:
            yield (section, key), f"{section}.{key} = {port} is {taken[port]} already; take another port"
        elif port is not None:
            taken[port] = f"{section}.{key}"


def _files(config: Config) -> Iterator[Finding]:
    server = config.server
    named: list[tuple[Route, Path | None]] = [
        (("server", "tls_certificate"), server.tls_certificate),
        (("server", "tls_key"), server.tls_key),
    ]
    named += [(("pbx", pbx.id, "tls_ca"), pbx.tls_ca) for pbx in config.pbx.values()]
    for route, file in named:
        if file is not None and not file.is_file():
            yield route, f"{route[-1]}: there is no file {file}"


CHECKS = (_names, _numbers, _references, _scripts, _dialogues, _reach, _skills, _devices, _doors, _files)


def _doubts(config: Config) -> Iterator[Finding]:
    for pbx in config.pbx.values():
        if pbx.tls_ca is not None and not pbx.tls:
            yield ("pbx", pbx.id, "tls_ca"), "tls_ca does nothing without tls = true"
    if config.pbx and not config.numbers:
        yield ("pbx",), 'no [numbers."+62…"] yet: every call would be refused'
    if config.agents and not config.reasons:
        yield ("agents",), "no [reasons.NAME] yet: agents cannot say why they are not ready"
    if config.queues and not config.dispositions:
        yield ("queues",), "no [dispositions.NAME] yet: agents cannot say what came of a conversation"
