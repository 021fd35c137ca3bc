"""`python -m routing`: one reply line per event line; whoever drives it needs no other knowledge of us."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from typing import Any

import pytest

from routing.__main__ import Session, main

PUBLIC = {
    "horizon": 3600,
    "skills": 2,
    "chat_max": 3,
    "classes": [
        {"name": "vip", "skill": 0, "channel": "voice", "tier": 0, "mean_handle": 300},
        {"name": "std", "skill": 1, "channel": "voice", "tier": 1, "mean_handle": 300},
        {"name": "talk", "skill": 0, "channel": "chat", "tier": 1, "mean_handle": 300},
        {"name": "mail", "skill": 1, "channel": "email", "tier": 1, "mean_handle": 300},
    ],
    "agents": [{"skills": {"0": 3, "1": 1}}, {"skills": {"1": 2}}],
}
INIT = {"e": "init", "t": 0, "public": PUBLIC}
CLASS = {"vip": (0, "voice"), "std": (1, "voice"), "talk": (2, "chat"), "mail": (3, "email")}


def arrive(number: int, kind: str, at_s: float = 1.0, value: float = 10.0) -> dict[str, Any]:
    cls, channel = CLASS[kind]
    return {"e": "arrive", "t": at_s, "id": number, "cls": cls, "channel": channel, "tier": 0, "value": value}


def replies(*events: dict[str, Any] | str) -> list[dict[str, Any]]:
    """What is said to these lines."""
    sink = io.StringIO()
    lines = [event if isinstance(event, str) else json.dumps(event) for event in events]
    main(io.StringIO("\n".join(lines) + "\n"), sink)
    return [json.loads(line) for line in sink.getvalue().splitlines()]


def ready(agent: int, at_s: float = 0.5) -> dict[str, Any]:
    return {"e": "ready", "t": at_s, "agent": agent}


def test_every_event_has_exactly_one_reply_and_the_end_has_none() -> None:
    said = replies(INIT, ready(0), arrive(1, "vip"), {"e": "end"}, arrive(2, "vip"))
    assert len(said) == 3
    assert all(set(reply) == {"assign", "wake"} for reply in said)


def test_a_free_agent_with_the_skill_is_assigned_at_once() -> None:
    assert [r["assign"] for r in replies(INIT, ready(0), arrive(7, "vip"))] == [[], [], [[7, 0]]]


def test_nobody_without_the_skill_is_assigned() -> None:
    assert replies(INIT, ready(1), arrive(7, "vip"))[-1]["assign"] == []


def test_one_who_waits_is_assigned_when_somebody_is_ready_and_the_dearer_first() -> None:
    events = [INIT, arrive(1, "vip", 1, 10), arrive(2, "vip", 2, 10_000), ready(0, 3)]
    assert replies(*events)[-1]["assign"] == [[2, 0]]


def test_who_gave_up_is_not_assigned() -> None:
    gone = {"e": "abandon", "t": 2, "id": 1}
    assert replies(INIT, arrive(1, "vip"), gone, ready(0, 3))[-1]["assign"] == []


def test_a_busy_agent_gets_the_next_when_finished_and_none_after_notready() -> None:
    finished = {"e": "finished", "t": 9, "agent": 0, "id": 1}
    busy = [INIT, ready(0), arrive(1, "vip"), arrive(2, "vip", 2)]
    assert replies(*busy, finished)[-1]["assign"] == [[2, 0]]
    away = {"e": "notready", "t": 3, "agent": 0}
    assert replies(*busy, away, finished)[-1]["assign"] == []


def test_three_chats_at_once_and_none_beside_a_call() -> None:
    chats = [arrive(number, "talk", number) for number in range(1, 5)]
    assert [r["assign"] for r in replies(INIT, ready(0), *chats)][2:] == [[[1, 0]], [[2, 0]], [[3, 0]], []]
    assert replies(INIT, ready(0), arrive(1, "vip"), arrive(2, "talk", 2))[-1]["assign"] == []


def test_a_mail_takes_the_whole_agent() -> None:
    assert replies(INIT, ready(1), arrive(1, "mail"), arrive(2, "std", 2))[-1]["assign"] == []


@pytest.mark.parametrize(
    "line",
    [
        "not json",
        "{}",
        '{"e": "dance", "t": 1}',
        '{"e": "arrive", "t": 1}',
        '{"e":"ready","t":"x","agent":0}',
    ],
)
def test_a_bad_line_is_answered_with_an_error_and_changes_nothing(line: str) -> None:
    said = replies(INIT, ready(0), line, arrive(1, "vip"))
    assert "error" in said[2]
    assert said[3]["assign"] == [[1, 0]]


def test_wake_is_the_next_time_it_wants_to_be_called_or_null() -> None:
    session = Session()
    first = session.reply(json.dumps(INIT))
    assert first is not None
    assert first["wake"] is None or first["wake"] >= 0
    assert session.reply('{"e": "wake", "t": 5}') is not None


def test_the_same_lines_give_the_same_replies() -> None:
    events = [INIT, ready(0), ready(1)] + [arrive(n, "std", n, n * 7 % 11 + 1) for n in range(1, 40)]
    assert replies(*events) == replies(*events)


def test_it_runs_as_a_program() -> None:
    lines = "\n".join(map(json.dumps, [INIT, ready(0), arrive(1, "vip"), {"e": "end"}])) + "\n"
    done = subprocess.run(
        [sys.executable, "-m", "routing"], input=lines, capture_output=True, text=True, timeout=60, check=True
    )
    assert [json.loads(line)["assign"] for line in done.stdout.splitlines()] == [[], [], [[1, 0]]]
