"""The recorded scenarios played again on a real PBX: the traces in the tree are no museum pieces."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.pbx.plain_pbx import PlainPbx
from tests.pbx.plain_scenarios import SCENARIOS
from tests.pbx.record_traces import play
from tests.pbx.stories import TRACES, of_trace, without_growth, written

REPLAYED = (
    "answered_caller_ends",
    "cancelled",
    "rejected",
    "group",
    "forwarded_302",
    "pickup_number",
    "hold_resume",
    "attended_by_called",
    "attended_two_incoming",
    "blind_by_caller",
    "blonde_by_called",
    "blonde_by_local",
    "keys_attended",
    "parked",
    "ami_redirect",
    "click_to_dial",
    "queue_by_local",
)


@pytest.mark.pbx
@pytest.mark.timeout(300)
async def test_a_real_pbx_still_tells_the_recorded_stories(tmp_path: Path) -> None:
    told: dict[str, list[str]] = {}
    async with PlainPbx(tmp_path) as pbx:
        for name in REPLAYED:
            told[name] = without_growth(of_trace(await play(pbx, name)))
    assert told == {name: without_growth(written(name)) for name in REPLAYED}


def test_every_scenario_has_its_trace_and_its_story() -> None:
    assert {path.stem for path in TRACES.glob("*.txt")} == set(SCENARIOS)
    assert {path.stem for path in TRACES.glob("*.story")} == set(SCENARIOS)
