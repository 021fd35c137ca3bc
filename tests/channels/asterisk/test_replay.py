"""Traces as people record them, and the command line."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from channels.asterisk.calls import CallFold
from channels.asterisk.replay import NoTrace, read_trace, replay
from tests.pbx.stories import TRACES, of_trace, tell, written

NAME = "attended_by_called"


def raw() -> str:
    return (TRACES / f"{NAME}.txt").read_text(encoding="utf-8")


def as_objects() -> list[dict[str, str]]:
    packets = [packet for packet in raw().split("\n\n") if packet.startswith("Event")]
    return [dict(line.split(": ", 1) for line in packet.splitlines() if ": " in line) for packet in packets]


@pytest.mark.parametrize(
    "spelling",
    [
        pytest.param(lambda text: text.replace("\n", "\r\n"), id="as on the wire"),
        pytest.param(lambda text: "Asterisk Call Manager/11.0.0\r\n" + text, id="with the greeting"),
        pytest.param(lambda text: text.replace("Event:", "# a remark\nEvent:"), id="remarks"),
        pytest.param(
            lambda text: "\n".join(
                f"[2026-11-22 16:40:02.123] {line}" if line else "" for line in text.split("\n")
            ),
            id="time stamps in brackets",
        ),
        pytest.param(
            lambda text: "\n".join(f"1700000000.25 <-- {line}" if line else "" for line in text.split("\n")),
            id="epoch and arrow",
        ),
        pytest.param(lambda text: text.replace("\n\n", "\n\n\n\n"), id="more empty lines"),
        pytest.param(lambda text: text.replace("\n\n", "\n"), id="no empty lines"),
        pytest.param(lambda text: text[text.index("\n") + 1 :], id="the first line cut off"),
        pytest.param(
            lambda text: text.replace("\n\n", "\n\nResponse: Success\nActionID: 7\nMessage: Pong\n\n", 5),
            id="answers in between",
        ),
        pytest.param(lambda _: json.dumps(as_objects()), id="a JSON list"),
        pytest.param(lambda _: json.dumps({"events": as_objects()}), id="a JSON object"),
        pytest.param(lambda _: "\n".join(map(json.dumps, as_objects())), id="a JSON object a line"),
        pytest.param(
            lambda _: json.dumps(
                [{key.lower(): value for key, value in one.items()} for one in as_objects()]
            ),
            id="names of headers in lower case",
        ),
    ],
)
def test_a_trace_is_read_however_it_was_written_down(spelling) -> None:  # type: ignore[no-untyped-def]
    assert of_trace(spelling(raw()).encode()) == written(NAME)


def test_a_pulled_together_trace_begins_with_half_an_event() -> None:
    half = raw()[raw().index("\n") + 1 :]
    assert tell(replay(read_trace(half)))[-1].endswith("completed")


def test_json_values_may_be_numbers_lists_or_null() -> None:
    event = read_trace(
        '[{"Event": "Newstate", "ChannelState": 6, "Variable": ["a=1", "b=2"], "Exten": null}]'
    )[0]
    assert (event.name, event.get("channelstate"), event.get("Variable"), event.get("Exten", "-")) == (
        "Newstate",
        "6",
        "a=1",
        "-",
    )


@pytest.mark.parametrize(
    "text", ["", "nothing here", "[]", "{}", "[1, 2]", "[{", '{"Event": ""}', "Response: Success"]
)
def test_what_holds_no_event_is_said_to(text: str) -> None:
    with pytest.raises(NoTrace):
        read_trace(text)


def run(*arguments: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "channels.asterisk.replay", *arguments]
    return subprocess.run(command, input=stdin, capture_output=True, timeout=60, check=False)


def test_the_command_prints_one_json_line_for_each_change() -> None:
    done = run(str(TRACES / f"{NAME}.txt"))
    changes = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 0
    assert done.stderr == b""
    assert [one["change"] for one in changes] == [line.split()[1] for line in written(NAME)]
    assert all(set(one) == {"change", "call", "from", "to", "by", "reason"} for one in changes)
    transferred = next(one for one in changes if one["change"] == "transferred")
    assert transferred["by"]["number"] == "202"
    assert transferred["to"]["channel"].startswith("PJSIP/203-")
    assert transferred["from"]["name"] == "Ani"


def test_a_ringing_group_is_a_list() -> None:
    done = run(str(TRACES / "group.txt"))
    ringing = next(json.loads(line) for line in done.stdout.splitlines() if b'"ringing"' in line)
    assert [one["number"] for one in ringing["to"]] == ["202", "203"]


def test_the_command_reads_standard_input_in_any_encoding() -> None:
    done = run("-", stdin=raw().replace("Ani", "An\u00efs").encode("latin-1"))
    assert json.loads(done.stdout.splitlines()[0])["from"]["name"] == "An\u00efs"


def test_the_command_says_whose_fault_it_is(tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.write_text("nothing")
    for arguments, word in (
        ((), b"usage"),
        ((str(empty),), b"no AMI event"),
        (("/no/such",), b"No such file"),
    ):
        done = run(*arguments)
        assert done.returncode == 2
        assert word in done.stderr
        assert done.stdout == b""


def test_a_prefix_tells_calls_of_two_pbxs_apart() -> None:
    changes = list(replay(read_trace(raw()), "jakarta"))
    assert all(change.call.startswith("jakarta/") for change in changes)
    assert CallFold().calls == {}
