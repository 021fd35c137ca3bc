"""FastAGI, the dialogue and the prompts on a real Asterisk: a caller dials in, hears, presses keys, is known.

world: caller ──SIP──▶ ccserver-in ─AGI call─▶ ours: ACD_DO=ivr ─▶ acd-ivr ─AGI dialogue/identify─▶ ours
                                                                        └─AGI queue─▶ ours: ACD_DO=wait
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from array import array
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from twisted.internet import reactor

from channels.asterisk.dialogue import DialogueOutcome, DialogueRunner, dialogue_handler
from channels.asterisk.dialogue_load import SHIPPED_FOLDER, load_dialogues
from channels.asterisk.fastagi_door import PbxDoor
from channels.asterisk.fastagi_request import AgiRequest
from channels.asterisk.fastagi_server import FastAgiFactory, Handler
from channels.asterisk.fastagi_session import AgiSession
from channels.asterisk.pbx.instance import PbxInstance, PbxSpec
from channels.asterisk.pbx.link import AmiLink, open_link
from channels.asterisk.pbx.world import World, WorldCall
from channels.asterisk.prompts import (
    LANGUAGES,
    PromptCatalog,
    SoundFolders,
    announce_position,
    load_prompts,
    missing_prompts,
    synthesise,
)

pytestmark = pytest.mark.pbx

WAIT_S = 30.0
PROMPTS = Path(__file__).parents[2] / "config" / "prompts"
CALLER = "0215550199"
DIGITS_23 = ["en/digits/20", "en/digits/3"]


@dataclass
class Centre:
    """A PBX with callers, and the least of a server: it asks everybody who they are, then lets them wait."""

    pbx: PbxInstance
    world: World
    ami: AmiLink
    factory: FastAgiFactory
    requests: list[AgiRequest] = field(default_factory=list)
    outcomes: list[DialogueOutcome] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)
    queued: list[str] = field(default_factory=list)
    played: dict[str, int] = field(default_factory=dict)

    def take(self, event: Mapping[str, str]) -> None:
        if event["Event"] == "AGIExecStart":
            self.commands.append(event["Command"])
        if event["Event"] == "QueueCallerJoin":
            self.queued.append(event["Uniqueid"])

    async def asked(self, words: str, count: int = 1) -> None:
        """Wait until Asterisk runs a command with these words, for the `count`th time."""
        await until(lambda: sum(words in command for command in self.commands) >= count)

    async def variable(self, channel: str, name: str) -> str:
        return (await self.ami.require("Getvar", {"Channel": channel, "Variable": name}))["Value"]


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(WAIT_S):
        while not condition():
            await asyncio.sleep(0.01)


def routes_of(centre: Callable[[], Centre], catalog: PromptCatalog) -> dict[str, Handler]:
    async def call(agi: AgiSession) -> None:
        centre().requests.append(agi.request)
        await agi.set_variables({"ACD_ID": "c-1", "ACD_DO": "ivr", "ACD_IVR": "identify"})

    async def queue(agi: AgiSession) -> None:
        await agi.set_variables({"ACD_DO": "wait", "ACD_QUEUE": "sales", "ACD_ANNOUNCE": "1"})

    async def announce(agi: AgiSession) -> None:
        for language in LANGUAGES:
            for name in catalog.sounds(announce_position(23, 61, language), language):
                reply = await agi.command("STREAM FILE", name, "", timeout_s=WAIT_S)
                centre().played[name] = reply.endpos or 0

    async def on_outcome(request: AgiRequest, outcome: DialogueOutcome) -> Mapping[str, str]:
        centre().outcomes.append(outcome)
        return {"ACD_NEED": outcome.result.get("need", "")}

    runner = DialogueRunner(load_dialogues([SHIPPED_FOLDER]), asyncio.get_running_loop(), speaker=catalog)
    identify = dialogue_handler(runner, "identify", on_outcome)
    return {"call": call, "queue": queue, "announce": announce, "dialogue/identify": identify}


@contextlib.asynccontextmanager
async def running(tmp_path: Path, sounds: Path, our_secret: str | None = None) -> AsyncIterator[Centre]:
    """Everything up, with all prompts spoken; the server's secret is the PBX's unless another is given."""
    spec = PbxSpec(folder=tmp_path / "pbx", admin=True, extra_sounds=sounds)
    catalog = load_prompts(PROMPTS)
    async with PbxInstance(spec) as pbx, World(pbx, robots=()) as world:
        folders = SoundFolders(sounds, pbx.folder / "data" / "sounds")
        synthesise(catalog, folders)
        assert missing_prompts(catalog, folders) == []
        catalog.resolve(folders)
        ami = await open_link(pbx.admin)
        await ami.require("Setvar", {"Variable": "ACD_BEAT", "Value": str(int(time.time()))})

        async def is_known(request: AgiRequest) -> bool:
            answer = await ami.action("Status", {"Channel": request.channel})
            return answer.get("Response") == "Success"

        loop = asyncio.get_running_loop()
        door = PbxDoor("main", our_secret or pbx.agi_secret)
        factory = FastAgiFactory([door], routes_of(lambda: centre, catalog), loop, confirm=is_known)
        centre = Centre(pbx, world, ami, factory)
        ami.listeners.append(centre.take)
        port = reactor.listenTCP(pbx.agi_port, factory, interface="127.0.0.1")  # type: ignore[attr-defined]
        try:
            yield centre
        finally:
            await port.stopListening().asFuture(loop)
            factory.close_all()
            await until(lambda: not factory.open)
            await ami.close()


@pytest.fixture(scope="module")
def sounds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that is spoken once for all tests here."""
    return tmp_path_factory.mktemp("sounds")


async def press(call: WorldCall, centre: Centre, steps: list[tuple[str, int, str]]) -> None:
    """(words of a command, how often it must have run, keys to press then), one after the other."""
    for words, count, keys in steps:
        await centre.asked(words, count)
        await call.press(keys)


async def test_a_caller_says_who_they_are_by_keys(tmp_path: Path, sounds: Path) -> None:
    async with running(tmp_path, sounds) as centre:
        call = await centre.world.call(CALLER, "5001", "Zaïd <&>")
        await centre.asked("ccserver/en/welcome")
        await call.record(tmp_path / "heard.sln")
        steps = [
            ("ccserver/id/choose-language", 1, "2"),
            ("GET DATA", 1, "4711#"),
            ("ccserver/id/confirm-number", 1, "1"),
            ("ccserver/id/choose-need", 1, "3"),
        ]
        await press(call, centre, steps)
        await until(lambda: bool(centre.outcomes))
        (request,), (outcome,) = centre.requests, centre.outcomes
        assert outcome.status == "completed"
        assert outcome.result == {"language": "id", "customer_number": "4711", "need": "billing"}
        assert (request.pbx, request.dialled, request.caller_number) == ("main", "5001", CALLER)
        assert request.caller_name == "Zaïd <&>"
        await until(lambda: centre.factory.counters["handled"] == 4)
        assert centre.factory.counters == {"handled": 4}
        # What was announced to the waiting caller: recorded numbers where there are some, all of them played.
        assert list(centre.played)[:4] == [
            "ccserver/en/you-are-number",
            *DIGITS_23,
            "ccserver/en/in-the-queue",
        ]
        assert "ccserver/id/n-ten" in centre.played
        assert min(centre.played.values()) > 800
        for name, value in {"ACD_ID": "c-1", "ACD_DO": "wait", "ACD_NEED": "billing"}.items():
            assert await centre.variable(request.channel, name) == value
        assert not any(centre.pbx.agi_secret in command for command in centre.commands)
        await call.hang_up()
        await call.until_ended()
        heard = array("h", (tmp_path / "heard.sln").read_bytes())
        assert sum(abs(sample) > 1_000 for sample in heard) > 4_000  # half a second of loud speech at least


async def test_a_caller_who_hangs_up_in_the_dialogue(tmp_path: Path, sounds: Path) -> None:
    async with running(tmp_path, sounds) as centre:
        call = await centre.world.call(CALLER, "5001")
        await centre.asked("ccserver/en/choose-language")
        await call.hang_up()
        await until(lambda: bool(centre.outcomes))
        assert centre.outcomes[0].status == "hungup"
        await until(lambda: not centre.factory.open)


async def test_a_wrong_secret_leaves_the_caller_to_asterisks_own_queue(tmp_path: Path, sounds: Path) -> None:
    async with running(tmp_path, sounds, our_secret="not-the-secret-of-this-pbx") as centre:
        call = await centre.world.call(CALLER, "5001")
        await until(lambda: bool(centre.queued))
        assert centre.requests == []
        assert centre.factory.counters["refused_secret"] >= 1
        await call.hang_up()
        await call.until_ended()
