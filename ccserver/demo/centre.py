"""Puts the demo together: switchboard, server, people, robots, callers; prints where to look; ends it all."""

from __future__ import annotations

import asyncio
import os
import random
import webbrowser
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import structlog

from ccserver.app import Server, run_until_stopped
from ccserver.config import Config
from ccserver.demo.callers import keep_calling
from ccserver.demo.people import PASSWORD, YOU, callers, first_admin, invite, logins
from ccserver.demo.robots import Robot
from ccserver.demo.switchboard import (
    AnySwitchboard,
    RealSwitchboard,
    StandInSwitchboard,
    best_switchboard,
)
from ccserver.demo.wishes import Wishes
from channels.asterisk.pbx.apt import NoPackages, ensure_debian_packages

SEED = 20261122
YOUR_PHONE_RINGS_S = 4.0
CONNECTED_WITHIN_S = 5.0
DIALOGUE_SHARE = 4  # calls to a plain number for each to one with a dialogue
SOFTPHONE = "softphone"
log = structlog.get_logger()


def main(environ: Mapping[str, str] = os.environ) -> int:
    """Run until Ctrl-C; the exit code. Raises OperatorFault and what else `faults` knows."""
    wishes = Wishes.of(environ)
    wishes.need_port()
    return run_until_stopped(lambda reactor, stop: run_demo(wishes, reactor, stop))


async def run_demo(wishes: Wishes, reactor: Any, stop: asyncio.Event) -> None:
    """The whole life of the demo; whatever happens, no telephone system stays behind."""
    wishes.folder.mkdir(parents=True, exist_ok=True)
    board = _switchboard(wishes)
    words = board.words if board else f"your Asterisk at {wishes.asterisk}"
    print(f"Telephone system: {words}.", flush=True)
    try:
        if board is not None:
            await board.start()
        await _run_server(wishes, board, reactor, stop)
    finally:
        if board is not None:
            await board.stop()
    print("Ended.", flush=True)


def _switchboard(wishes: Wishes) -> AnySwitchboard | None:
    """None: the user's own Asterisk is used."""
    if wishes.asterisk:
        return None
    print("Getting a telephone system ready; the first time Asterisk is fetched.", flush=True)
    board = best_switchboard(wishes.folder / "pbx", 6, wishes.folder / "sounds")
    if isinstance(board, RealSwitchboard):
        with suppress(NoPackages):  # it speaks the prompts that nobody recorded; found later when missing
            ensure_debian_packages(["espeak-ng"])
    return board


async def _run_server(
    wishes: Wishes, board: AnySwitchboard | None, reactor: Any, stop: asyncio.Event
) -> None:
    config = wishes.configure(board)
    agi_port = 0 if isinstance(board, StandInSwitchboard) else None
    server = Server(config, reactor, demo=logins(config) if wishes.alive else (), agi_port=agi_port)
    await server.start()
    life: asyncio.Task[None] | None = None
    try:
        if isinstance(board, StandInSwitchboard):
            board.listen_at(server.agi_port)
        if wishes.alive:
            await invite(server)
        else:
            await first_admin(server, wishes.folder / "admin-password")
        await _connected(server)
        if wishes.alive and board is not None:
            life = asyncio.ensure_future(_live(server, board))
            life.add_done_callback(_say_if_failed)
        print(_welcome(wishes, config, server, board), flush=True)
        _show(wishes, server)
        await stop.wait()
        print("Ending: calls are hung up, everybody logs out.", flush=True)
    finally:
        if life is not None:
            life.cancel()
            await asyncio.gather(life, return_exceptions=True)
        await server.stop()


async def _connected(server: Server) -> None:
    """Wait a little for the PBX; say in words what is still bad then."""
    with suppress(TimeoutError):
        async with asyncio.timeout(CONNECTED_WITHIN_S):
            while not all(check.ok for check in server.checks()):
                await asyncio.sleep(0.05)
    for check in server.checks():
        if not check.ok:
            print(f"  Not yet right: {check.name}: {check.words}", flush=True)


def _say_if_failed(life: asyncio.Task[None]) -> None:
    if not life.cancelled() and (error := life.exception()):
        log.error("the demo's people are gone, the centre goes on", exc_info=error)


# -- life ---------------------------------------------------------------------------------------------------


async def _live(server: Server, board: AnySwitchboard) -> None:
    """Robots at their desks, then callers."""
    config, chance = server.config, random.Random(SEED)
    await board.begin([_phone(config, agent.device) for agent in config.agents.values()])
    await board.answer(_phone(config, config.agents[YOU].device), YOUR_PHONE_RINGS_S)
    robots = [
        Robot(server.url, agent.id, PASSWORD, agent.device, random.Random(SEED + number))
        for number, agent in enumerate(config.agents.values())
        if agent.id != YOU
    ]
    async with asyncio.TaskGroup() as group:
        for robot in robots:
            group.create_task(robot.work())
        group.create_task(keep_calling(board, callers(), _doors(config), chance))


def _phone(config: Config, device: str) -> str:
    return config.devices[device].endpoint.partition("/")[2]


def _doors(config: Config) -> list[str]:
    """The numbers people call, the plain ones more often."""
    return [
        number.id
        for number in config.numbers.values()
        for _ in range(1 if number.dialogue else DIALOGUE_SHARE)
    ]


# -- words --------------------------------------------------------------------------------------------------


def _welcome(wishes: Wishes, config: Config, server: Server, board: AnySwitchboard | None) -> str:
    if not wishes.alive:
        where = f"log in as admin, password in {wishes.folder / 'admin-password'}"
        lines = [f"  Users        {server.url}/admin       {where}"]
    else:
        lines = [
            f"  Your desk    {server.url}/desk        log in as {YOU}, password {PASSWORD}",
            f"  Wallboard    {server.url}/wallboard   log in as supervisor, same password",
            f"  Users        {server.url}/admin       log in as admin, same password",
        ]
    lines.append(f"  API          {server.url}/api/docs")
    return "\n".join(
        ["", f"  {config.site.name} is open.", "", *lines, "", *_hints(wishes, config, board), ""]
    )


def _hints(wishes: Wishes, config: Config, board: AnySwitchboard | None) -> list[str]:
    hints = []
    if wishes.alive and board is not None:
        hints.append("  Go ready at your desk and calls come to you too.")
        hints.append(f"  Your phone there answers by itself after {YOUR_PHONE_RINGS_S:.0f} s.")
    if wishes.alive and isinstance(board, RealSwitchboard):
        label = config.devices[SOFTPHONE].label
        hints += [
            f"  To talk yourself: register a SIP phone as {board.softphone};",
            f"  its password is in {board.accounts_file}; log in with the phone “{label}”.",
        ]
    if board is None:
        hints += [f"  Call from your Asterisk: {', '.join(config.numbers)}, in the context ccserver-in."]
    invented = "Everybody in it is invented. " if wishes.alive else ""
    return [*hints, f"  {invented}Ctrl-C ends it."]


def _show(wishes: Wishes, server: Server) -> None:
    """Open the page where there is a screen."""
    if not wishes.headless and (wishes.environ.get("DISPLAY") or wishes.environ.get("WAYLAND_DISPLAY")):
        webbrowser.open(f"{server.url}/{'login' if wishes.alive else 'admin'}")
