"""Dialogues in their threads: what they can do, how each of them ends, and that no caller is ever lost."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from asterisk.agi import AGIAppError, AGIDBError, AGIInvalidCommand, AGIUsageError
from twisted.internet import reactor

from channels.asterisk.dialogue import (
    DialogueCall,
    DialogueFunction,
    DialogueLimits,
    DialogueOutcome,
    DialogueRunner,
    check_result,
    dialogue_handler,
)
from channels.asterisk.dialogue_load import SHIPPED_FOLDER, DialogueLoadError, load_dialogue, load_dialogues
from channels.asterisk.fastagi_door import PbxDoor
from channels.asterisk.fastagi_request import AgiRequest
from channels.asterisk.fastagi_server import FastAgiFactory
from channels.asterisk.fastagi_session import LocalProtocolError, Speaker
from channels.asterisk.prompts import load_prompts
from tests.fakes.agi_peer import SECRET, WAIT_S, AgiPeer, Caller, script

PROMPTS = Path(__file__).parents[3] / "config" / "prompts"
ADDRESS = script("dialogue/it")


class Desk:
    """The server's side of one dialogue: its outcomes, and the variables set after it."""

    def __init__(self, port: int, runner: DialogueRunner, factory: FastAgiFactory) -> None:
        self.port = port
        self.runner = runner
        self.factory = factory
        self.outcomes: list[DialogueOutcome] = []

    async def call(self, address: str = ADDRESS, language: str = "en") -> AgiPeer:
        return await AgiPeer.call(self.port, address, {"agi_language": language})

    async def outcome(self) -> DialogueOutcome:
        """The next outcome that nobody has asked for yet."""
        async with asyncio.timeout(WAIT_S):
            while not self.outcomes:
                await asyncio.sleep(0.005)
        return self.outcomes.pop(0)


@contextlib.asynccontextmanager
async def serving(
    function: DialogueFunction, limits: DialogueLimits | None = None, speaker: Speaker | None = None
) -> AsyncIterator[Desk]:
    loop = asyncio.get_running_loop()
    runner = DialogueRunner({"it": function}, loop, limits=limits, speaker=speaker)

    async def on_outcome(request: AgiRequest, outcome: DialogueOutcome) -> Mapping[str, str]:
        desk.outcomes.append(outcome)
        return {"ACD_IVR_STATUS": outcome.status}

    routes = {"dialogue/it": dialogue_handler(runner, "it", on_outcome)}
    factory = FastAgiFactory([PbxDoor("main", SECRET)], routes, loop)
    port = reactor.listenTCP(0, factory, interface="127.0.0.1")  # type: ignore[attr-defined]
    desk = Desk(port.getHost().port, runner, factory)
    try:
        yield desk
    finally:
        await port.stopListening().asFuture(loop)
        factory.close_all()
        async with asyncio.timeout(WAIT_S):
            while factory.open or runner.active:
                await asyncio.sleep(0.005)


async def test_a_dialogue_uses_pyst2_and_its_result_comes_back() -> None:
    def run(agi: Any, call: DialogueCall) -> dict[str, str]:
        agi.answer()
        number = agi.get_data("custom/number", 3000, 8)
        agi.set_variable("SEEN", 'a "quoted" \\ value')
        name = agi.get_variable("NAME").replace("\n", " ")
        return {"customer_number": number, "caller": call.caller_number, "name": name}

    async with serving(run) as desk:
        peer = await desk.call()
        assert await peer.command() == ["ANSWER"]
        peer.say("200 result=0")
        assert await peer.command() == ["GET DATA", "custom/number", "3000", "8"]
        peer.say("200 result=4711 (timeout)")
        assert await peer.command() == ["SET VARIABLE", "SEEN", 'a "quoted" \\ value']
        peer.say("200 result=1")
        assert await peer.command() == ["GET VARIABLE", "NAME"]
        peer.say("200 result=1 (hangup\nor not)")
        # The thread is done; the server speaks again on the same connection.
        assert await peer.command() == ["EXEC", "MSet", "ACD_IVR_STATUS=completed"]
        peer.say("200 result=1")
        assert await peer.closed() == b""
        outcome = await desk.outcome()
    assert outcome.status == "completed"
    assert outcome.result == {
        "customer_number": "4711",
        "caller": "+62215550101",
        "name": "hangup or not",
    }


async def test_every_error_of_pyst2_is_raised_as_there() -> None:
    def run(agi: Any, call: DialogueCall) -> dict[str, str]:
        with pytest.raises(AGIInvalidCommand):
            agi.execute("NONSENSE")
        with pytest.raises(AGIUsageError):
            agi.execute("ANSWER", "x")
        with pytest.raises(AGIAppError):
            agi.stream_file("nothing")
        assert agi.channel_status("PJSIP/other-1") == -1
        with pytest.raises(AGIDBError):
            agi.database_get("family", "key")
        with pytest.raises(LocalProtocolError):
            agi.set_variable("X", "1\nHANGUP")
        with pytest.raises(LocalProtocolError):
            agi.stream_file("beep\nHANGUP")
        agi.send_command("NOOP")
        with pytest.raises(AGIUsageError):
            agi.send_command("NOOP")
        agi.get_result()
        assert agi.database_get("family", "key") == "value"
        return {"env": agi.env["agi_channel"], "secret": str(SECRET in repr(agi.env))}

    async with serving(run) as desk:
        peer = await desk.call()
        answers = [
            ["510 Invalid or unknown command"],
            [
                "520-Invalid command syntax.  Proper usage follows:",
                "Usage: ANSWER",
                "520 End of proper usage.",
            ],
            ["200 result=-1 endpos=0"],
            ["200 result=-1"],
            ["200 result=0"],
            ["200 result=1"],
            ["200 result=1 (value)"],
            ["200 result=1"],
        ]
        heard = []
        for answer in answers:
            heard.append(await peer.command())
            peer.say(*answer)
        assert await peer.closed() == b""
        outcome = await desk.outcome()
    assert heard[4] == ["DATABASE GET", "family", "key"]
    assert outcome.result == {"env": "PJSIP/trunk-00000001", "secret": "False"}


async def test_hangup_ends_the_thread() -> None:
    ended = threading.Event()

    def run(agi: Any, call: DialogueCall) -> None:
        try:
            agi.wait_for_digit(60_000)
        finally:
            ended.set()

    async with serving(run) as desk:
        peer = await desk.call()
        await peer.command()
        peer.say("HANGUP")
        assert await peer.closed() == b""
        assert (await desk.outcome()).status == "hungup"
        assert ended.is_set()
        peer = await desk.call()
        await peer.command()
        peer.writer.close()
        assert (await desk.outcome()).status == "hungup"
    assert desk.runner.counters == {"hungup": 2}


async def test_minus_one_is_a_hangup_too() -> None:
    """With AGIEXITONHANGUP, which the dialplan sets, Asterisk says no more than that before it closes."""

    def run(agi: Any, call: DialogueCall) -> None:
        agi.stream_file("beep")

    async with serving(run) as desk:
        peer = await desk.call()
        await peer.command()
        peer.say("200 result=-1 endpos=800")
        peer.writer.close()
        assert (await desk.outcome()).status == "hungup"


async def test_a_dialogue_that_ignores_the_hangup_is_ended() -> None:
    def run(agi: Any, call: DialogueCall) -> None:
        while True:
            with contextlib.suppress(Exception):
                agi.wait_for_digit(60_000)

    async with serving(run) as desk:
        peer = await desk.call()
        await peer.command()
        peer.say("HANGUP")
        assert await peer.closed() == b""
        assert (await desk.outcome()).status == "hungup"


async def test_the_deadline_ends_the_dialogue_and_the_caller_goes_on(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def run(agi: Any, call: DialogueCall) -> None:
        agi.wait_for_digit(60_000)

    async with serving(run, DialogueLimits(deadline_s=0.1, grace_s=WAIT_S)) as desk:
        peer = await desk.call()
        assert (await peer.command())[0] == "WAIT FOR DIGIT"
        assert await peer.closed() == b""
        assert (await desk.outcome()).status == "timeout"
        assert desk.runner.counters == {"timeout": 1}
    assert sum("took longer than 0.1 s" in record.getMessage() for record in caplog.records) == 1


async def test_a_thread_that_never_ends_keeps_one_place_only(caplog: pytest.LogCaptureFixture) -> None:
    release = threading.Event()

    def run(agi: Any, call: DialogueCall) -> None:
        release.wait(WAIT_S)

    async with serving(run, DialogueLimits(threads=1, deadline_s=0.05, grace_s=0.05)) as desk:
        try:
            assert await (await desk.call()).closed() == b""
            assert (await desk.outcome()).status == "timeout"
            assert desk.runner.counters["stuck"] == 1
            # The only place is taken: the next caller goes on without the dialogue, at once.
            peer = await desk.call()
            assert await peer.command() == ["EXEC", "MSet", "ACD_IVR_STATUS=busy"]
            peer.say("200 result=1")
            assert await peer.closed() == b""
            assert (await desk.outcome()).status == "busy"
        finally:
            release.set()
    assert "keeps one of 1 threads" in caplog.text


@pytest.mark.parametrize(
    ("result", "why"),
    [
        (["a"], "not list"),
        ({"Bad Key": "x"}, "lower-case"),
        ({"a": 1}, "printable text"),
        ({"a": "x\ny"}, "printable text"),
        ({"a": "x" * 200}, "printable text"),
        ({f"k{n}": "" for n in range(20)}, "at most 16"),
    ],
)
def test_what_a_dialogue_may_not_return(result: Any, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        check_result(result)


def test_what_a_dialogue_may_return() -> None:
    assert check_result(None) == {}
    assert check_result({"need": "support", "name": "Wayan 你好"}) == {
        "need": "support",
        "name": "Wayan 你好",
    }


async def test_a_dialogue_that_fails_is_told_with_its_line(caplog: pytest.LogCaptureFixture) -> None:
    def run(agi: Any, call: DialogueCall) -> dict[str, str]:
        raise KeyError("its bug")

    async with serving(run) as desk:
        caller = await Caller(await desk.call()).follow()
        outcome = await desk.outcome()
    assert (outcome.status, outcome.result) == ("failed", {})
    assert "its bug" in outcome.error
    assert caller.variables == {"ACD_IVR_STATUS": "failed"}
    assert "test_dialogue.py" in caplog.text


async def test_sys_exit_is_an_ordinary_end() -> None:
    def run(agi: Any, call: DialogueCall) -> dict[str, str]:
        agi.answer()
        raise SystemExit(0)

    async with serving(run) as desk:
        await Caller(await desk.call()).follow()
        assert (await desk.outcome()).status == "completed"


async def test_a_peer_that_floods_a_dialogue_is_dropped(caplog: pytest.LogCaptureFixture) -> None:
    def run(agi: Any, call: DialogueCall) -> None:
        release.wait(WAIT_S)
        agi.answer()

    release = threading.Event()
    async with serving(run) as desk:
        peer = await desk.call()
        peer.say(*["200 result=0"] * 2_000)
        await peer.writer.drain()
        release.set()
        assert b"IVR" not in await peer.closed()
        assert (await desk.outcome()).status == "hungup"


async def test_nothing_of_a_call_is_printed(capfd: pytest.CaptureFixture[str]) -> None:
    def run(agi: Any, call: DialogueCall) -> dict[str, str]:
        return {"pin": agi.get_data("beep", 1000, 4)}

    async with serving(run) as desk:
        await Caller(await desk.call(), {"beep": ["9753"]}).follow()
        outcome = await desk.outcome()
    assert outcome.result == {"pin": "9753"}
    assert "9753" not in repr(outcome)
    assert "9753" not in "".join(capfd.readouterr())


async def test_many_dialogues_at_once_each_hear_their_own_caller() -> None:
    def run(agi: Any, call: DialogueCall) -> dict[str, str]:
        return {"got": agi.get_data("beep", 1000, 4), "sent": call.query["n"]}

    async with serving(run, DialogueLimits(threads=40)) as desk:
        callers = [
            Caller(await desk.call(f"{ADDRESS}&n={number}"), {"beep": [str(number)]}) for number in range(40)
        ]
        await asyncio.gather(*(caller.follow() for caller in callers))
        results = [(await desk.outcome()).result for _ in callers]
    assert sorted(int(result["got"]) for result in results) == list(range(40))
    assert all(result["got"] == result["sent"] for result in results)


def test_a_route_for_an_unknown_dialogue_is_refused() -> None:
    async def on_outcome(request: AgiRequest, outcome: DialogueOutcome) -> Mapping[str, str]:
        return {}

    loop = asyncio.new_event_loop()
    try:
        with pytest.raises(ValueError, match="there are: none"):
            dialogue_handler(DialogueRunner({}, loop), "it", on_outcome)
    finally:
        loop.close()


# Loading.


def test_the_shipped_dialogues_load() -> None:
    assert "identify" in load_dialogues([SHIPPED_FOLDER])


@pytest.mark.parametrize(
    ("name", "text", "why"),
    [
        ("it", "def run(agi, call):\n    retrun 1\n", r"it\.py:2: invalid syntax"),
        ("it", "x = 1\n\nimport no_such_module\n", r"it\.py:3: ModuleNotFoundError"),
        ("it", "x = 1\n", r"it\.py:1: write `def run\(agi, call\):`"),
        ("it", "\ndef run(agi):\n    pass\n", r"it\.py:2: write `def run\(agi, call\):`"),
        ("it", "async def run(agi, call):\n    pass\n", r"it\.py:1: write `def run`"),
        ("It-is", "", "name the file"),
    ],
)
def test_a_wrong_dialogue_is_told_with_file_and_line(tmp_path: Path, name: str, text: str, why: str) -> None:
    path = tmp_path / f"{name}.py"
    path.write_text(text)
    with pytest.raises(DialogueLoadError, match=why):
        load_dialogue(path)


def test_a_sites_dialogue_replaces_the_shipped_one(tmp_path: Path) -> None:
    (tmp_path / "identify.py").write_text("def run(agi, call):\n    return {'by': 'site'}\n")
    run = load_dialogues([SHIPPED_FOLDER, tmp_path])["identify"]
    assert run(None, None) == {"by": "site"}  # type: ignore[arg-type]
    with pytest.raises(DialogueLoadError, match="no such dialogue folder"):
        load_dialogues([tmp_path / "nowhere"])


# The shipped dialogue.

IN_ENGLISH = ["welcome", "choose-language"]
IN_INDONESIAN = ["welcome", "choose-language", "choose-language"]
READ_4711 = ["you-entered", "n-4", "n-7", "n-1", "n-1", "confirm-number"]
END = ["thank-you", "connecting"]


async def identify(
    keys: dict[str, list[str]], query: str = "", language: str = "en"
) -> tuple[DialogueOutcome, list[str]]:
    """Outcome, and what the caller heard."""
    run = load_dialogues([SHIPPED_FOLDER])["identify"]
    async with serving(run, speaker=load_prompts(PROMPTS)) as desk:
        caller = await Caller(await desk.call(ADDRESS + query, language), keys).follow()
        return await desk.outcome(), caller.heard


async def test_identify_asks_language_number_and_need() -> None:
    outcome, heard = await identify(
        {
            "choose-language": ["", "2"],
            "enter-customer-number": ["4711"],
            "confirm-number": ["1"],
            "choose-need": ["3"],
        }
    )
    assert outcome.status == "completed"
    assert outcome.result == {"language": "id", "customer_number": "4711", "need": "billing"}
    assert heard == [*IN_INDONESIAN, "enter-customer-number", *READ_4711, "choose-need", *END]


async def test_identify_asks_again_and_reads_back() -> None:
    outcome, heard = await identify(
        {
            "choose-language": ["1"],
            "enter-customer-number": ["47", "4711"],
            "confirm-number": ["2", "", "1"],
            "choose-need": ["", "1"],
        }
    )
    assert outcome.result == {"language": "en", "customer_number": "4711", "need": "sales"}
    assert heard == [
        *IN_ENGLISH,
        "enter-customer-number",
        *["you-entered", "n-4", "n-7", "confirm-number"],
        "enter-customer-number",
        *READ_4711,
        "not-understood",
        *READ_4711,
        "choose-need",
        "not-understood",
        "choose-need",
        *END,
    ]


async def test_identify_lets_a_silent_caller_through() -> None:
    outcome, heard = await identify({})
    assert (outcome.status, outcome.result) == ("completed", {})
    assert heard.count("choose-language") == 6
    assert heard.count("enter-customer-number") == 1
    assert heard.count("choose-need") == 3
    assert heard[-2:] == END


async def test_identify_takes_the_language_from_the_address_and_doubts_odd_input() -> None:
    outcome, heard = await identify(
        {"enter-customer-number": ["*12", "12*", "**"], "choose-need": ["2"]}, "&language=id"
    )
    assert outcome.result == {"language": "id", "need": "support"}
    assert heard == ["welcome", *["enter-customer-number"] * 3, "without-number", "choose-need", *END]
    outcome, _ = await identify({"choose-language": ["1"], "choose-need": ["2"]}, "&language=<b>")
    assert outcome.result["language"] == "en"


async def test_identify_hangup_in_the_middle() -> None:
    outcome, heard = await identify({"choose-language": ["1"], "enter-customer-number": ["hangup"]})
    assert outcome.status == "hungup"
    assert heard == [*IN_ENGLISH, "enter-customer-number"]


@pytest.fixture(autouse=True)
def _log_level(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
