"""Puts the demo together: switchboard, server, users, customers, robots, callers; prints where to look."""

from __future__ import annotations

import asyncio
import csv
import os
import random
import webbrowser
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import structlog

from ccserver.app import Server, run_until_stopped
from ccserver.config import Config, load
from ccserver.customers.importing import Rules, import_customers
from ccserver.data import shipped
from ccserver.demo.callers import Person, keep_calling
from ccserver.demo.robots import Robot
from ccserver.demo.switchboard import (
    AnySwitchboard,
    Line,
    RealSwitchboard,
    StandInSwitchboard,
    best_switchboard,
)
from ccserver.web.passwords import Passwords
from ccserver.web.ports import DemoLogin, NameTaken, Role, User
from channels.asterisk.pbx.apt import NoPackages, ensure_debian_packages

PASSWORD = "lampu-contoh"  # noqa: S105  of the demo only; printed, and shown on its log-in page
YOU = "you"
SEED = 20261122
YOUR_PHONE_RINGS_S = 4.0
log = structlog.get_logger()


def main(environ: Mapping[str, str] = os.environ) -> int:
    """Run until Ctrl-C; the exit code."""
    folder = Path(environ.get("CCSERVER_DEMO_DIR", "var/demo"))
    return run_until_stopped(lambda reactor, stop: run_demo(folder, environ, reactor, stop))


async def run_demo(folder: Path, environ: Mapping[str, str], reactor: Any, stop: asyncio.Event) -> None:
    """The whole life of the demo."""
    folder.mkdir(parents=True, exist_ok=True)
    alive = environ.get("DEMO", "1") != "0"
    board = _switchboard(folder, environ)
    if board is not None:
        print(f"Telephone system: {board.words}.", flush=True)
        await board.start()
    config = _configure(folder, environ, board)
    if isinstance(board, RealSwitchboard):
        _need_a_voice()
    server = Server(config, reactor, demo=_logins(config) if alive else ())
    await server.start()
    if isinstance(board, StandInSwitchboard):
        board.listen_at(server.agi_port)
    await _people(server)
    life = asyncio.ensure_future(_live(server, board)) if alive and board else None
    _say(server, config, environ)
    await stop.wait()
    if life is not None:
        life.cancel()
        await asyncio.gather(life, return_exceptions=True)
    await server.stop()
    if board is not None:
        await board.stop()


def _switchboard(folder: Path, environ: Mapping[str, str]) -> AnySwitchboard | None:
    """None: the user's own Asterisk is used."""
    if environ.get("ASTERISK"):
        return None
    return best_switchboard(folder / "pbx", 6, folder / "sounds")


def _configure(folder: Path, environ: Mapping[str, str], board: AnySwitchboard | None) -> Config:
    values = {key: value for key, value in environ.items() if key.startswith("CCSERVER_")}
    values["CCSERVER_SERVER__DATA_DIR"] = str(folder.absolute())
    if isinstance(board, RealSwitchboard):
        values["CCSERVER_FASTAGI__SOUNDS_FOLDER"] = str((folder / "sounds").absolute())
        values["CCSERVER_FASTAGI__ASTERISK_SOUNDS_FOLDER"] = str(board.sounds)
    if "PORT" in environ:
        values["CCSERVER_SERVER__PORT"] = environ["PORT"]
    if "DATABASE_URL" in environ:
        values["DATABASE_URL"] = environ["DATABASE_URL"]
    if board is not None:
        values |= _line_values(board.line)
    elif "ASTERISK" in environ:
        host, _, port = environ["ASTERISK"].partition(":")
        values |= {"CCSERVER_PBX__DEMO__HOST": host, "CCSERVER_PBX__DEMO__PORT": port or "5038"}
    return load(shipped("config") / "demo" / "ccserver.toml", values)


def _need_a_voice() -> None:
    """Prompts that nobody recorded are spoken by espeak-ng; get it where that is possible."""
    with suppress(NoPackages):
        ensure_debian_packages(["espeak-ng"])


def _line_values(line: Line) -> dict[str, str]:
    return {
        "CCSERVER_PBX__DEMO__HOST": line.host,
        "CCSERVER_PBX__DEMO__PORT": str(line.port),
        "CCSERVER_PBX__DEMO__USER": line.user,
        "CCSERVER_PBX__DEMO__SECRET": line.secret,
        "CCSERVER_PBX__DEMO__FASTAGI_SECRET": line.agi_secret,
        "CCSERVER_FASTAGI__PORT": str(line.agi_port or 4573),
    }


# -- people -------------------------------------------------------------------------------------------------


def _logins(config: Config) -> tuple[DemoLogin, ...]:
    """Shown on the log-in page: your desk, a supervisor, an administrator."""
    yours = config.agents[YOU]
    return (
        DemoLogin(YOU, PASSWORD, Role.AGENT, yours.device),
        DemoLogin("supervisor", PASSWORD, Role.SUPERVISOR, None),
        DemoLogin("admin", PASSWORD, Role.ADMIN, None),
    )


async def _people(server: Server) -> None:
    """Users and customers, as an administrator would make them; those there already are left alone."""
    passwords = Passwords()
    hashed = await passwords.hash(PASSWORD)
    passwords.close()
    language = server.config.site.language
    users = [
        User(agent.id, agent.id, agent.name, Role.AGENT, agent.language or language, hashed)
        for agent in server.config.agents.values()
    ]
    users.append(User("supervisor", "supervisor", "Supervisor (demo)", Role.SUPERVISOR, language, hashed))
    users.append(User("admin", "admin", "Administrator (demo)", Role.ADMIN, language, hashed))
    for user in users:
        with suppress(NameTaken):
            await server.store.create_user(user)
    rules = Rules(server.config.site.region, tuple(server.config.worth))
    await import_customers(server.store, _customers_file(), rules)


def _customers_file() -> Path:
    return shipped("config") / "demo" / "customers.csv"


def _callers() -> list[Person]:
    with _customers_file().open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return [Person(row["numbers"].split(";")[0].strip(), row["name"]) for row in rows if row["numbers"]]


async def _live(server: Server, board: AnySwitchboard) -> None:
    """Robots at their desks, then callers."""
    config, chance = server.config, random.Random(SEED)
    phones = [device.endpoint.partition("/")[2] for device in config.devices.values()]
    await board.begin(phones)
    await board.answer(_endpoint(config, YOU), YOUR_PHONE_RINGS_S)
    robots = [
        Robot(server.url, agent.id, PASSWORD, agent.device, random.Random(SEED + number))
        for number, agent in enumerate(config.agents.values())
        if agent.id != YOU
    ]
    async with asyncio.TaskGroup() as group:
        for robot in robots:
            group.create_task(robot.work())
        group.create_task(keep_calling(board, _callers(), list(config.numbers), chance))


def _endpoint(config: Config, agent: str) -> str:
    return config.devices[config.agents[agent].device].endpoint.partition("/")[2]


def _say(server: Server, config: Config, environ: Mapping[str, str]) -> None:
    lines = [
        "",
        f"  {config.site.name} is open.",
        "",
        f"  Your desk    {server.url}/desk        log in as {YOU}, password {PASSWORD}",
        f"  Wallboard    {server.url}/wallboard   log in as supervisor, same password",
        f"  API          {server.url}/api/docs",
        "",
        "  Everybody in it is invented. Ctrl-C ends it.",
        "",
    ]
    print("\n".join(lines), flush=True)
    if not environ.get("HEADLESS") and (environ.get("DISPLAY") or environ.get("WAYLAND_DISPLAY")):
        webbrowser.open(f"{server.url}/desk")
