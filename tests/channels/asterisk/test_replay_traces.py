"""Every trace recorded from a real PBX gives the story that was written by hand beside it."""

from __future__ import annotations

import pytest

from channels.asterisk.ami_codec import AmiDecoder
from channels.asterisk.calls import CallFold
from tests.pbx.stories import TRACES, of_trace, tell, written

NAMES = sorted(path.stem for path in TRACES.glob("*.txt"))


def test_there_are_traces() -> None:
    assert len(NAMES) >= 50


@pytest.mark.parametrize("name", NAMES)
def test_the_trace_tells_the_story(name: str) -> None:
    assert of_trace((TRACES / f"{name}.txt").read_bytes()) == written(name)


@pytest.mark.parametrize("name", NAMES)
def test_the_codec_of_the_live_connection_gives_the_same_story(name: str) -> None:
    """Live, events are AmiMessages; flushed after each one, as if every event came in a read of its own."""
    raw = (TRACES / f"{name}.txt").read_bytes().replace(b"\n", b"\r\n")
    fold = CallFold("main")
    events = [event for event in AmiDecoder(with_banner=False).feed(raw) if event.kind == "event"]
    changes = [change for event in events for change in fold.handle(event)] + fold.flush()
    assert tell(changes) == written(name)
    assert all(change.call.startswith("main/") for change in changes)
    assert not fold.calls
