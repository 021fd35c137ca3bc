"""Changes of calls as lines a person can write and read; the language of `tests/traces/ami/*.story`.

A answered 201 -> 203              calls are lettered in the order in which they are told of
A ringing 201 -> 202,203           a group
A started 201 -> (220)             (220) is a number dialled, not yet a person
A transferred 201 -> 203 by 202 blind
# a remark
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from channels.asterisk.calls import Change, Person
from channels.asterisk.replay import read_trace, replay

TRACES = Path(__file__).parents[1] / "traces" / "ami"


def tell(changes: Iterable[Change]) -> list[str]:
    """The lines of a story."""
    letters: dict[str, str] = {}
    return [_line(letters.setdefault(one.call, chr(ord("A") + len(letters))), one) for one in changes]


def written(name: str) -> list[str]:
    """The story written by hand for a trace."""
    lines = (TRACES / f"{name}.story").read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def of_trace(raw: bytes) -> list[str]:
    """The story that the fold tells of a trace."""
    return tell(replay(read_trace(raw.decode())))


def without_growth(story: Iterable[str]) -> list[str]:
    """A story in which a group rings all at once: who is first is the PBX's own affair each time."""
    kept: list[str] = []
    for line in story:
        if kept and " ringing " in line and line.startswith(kept[-1] + ","):
            kept.pop()
        kept.append(line)
    return kept


def _line(letter: str, change: Change) -> str:
    by = f" by {_who(change.by)}" if change.by else ""
    reason = f" {change.reason}" if change.reason else ""
    return f"{letter} {change.change} {_who(change.frm)} -> {_who(change.to)}{by}{reason}"


def _who(person: Person | tuple[Person, ...] | None) -> str:
    if person is None:
        return "-"
    if isinstance(person, tuple):
        return ",".join(sorted(_who(one) for one in person))
    return person.number if person.channel else f"({person.number})"
