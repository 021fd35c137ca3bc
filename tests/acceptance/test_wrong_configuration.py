"""A wrong configuration is refused before start, with file, line and what to write instead."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from channels.asterisk.pbx.instance import PbxInstance
from channels.asterisk.pbx.world import World
from tests.acceptance.centre import Centre

pytestmark = pytest.mark.pbx

MISTAKES = [
    ('label = "Sales"', 'lable = "Sales"', "lable", "label"),
    ("wrap_up_s = 30", 'wrap_up_s = "soon"', "wrap_up_s", "number"),
    ('queue = "billing"', 'queue = "biling"', "biling", "billing"),
    ("skills = { billing = 1 }", "skills = { biling = 1 }", "no agent has the skill", "billing"),
    ('endpoint = "PJSIP/a2"', 'endpoint = "PJSIP/a1"', "already", "d1"),
    ('time_zone = "Asia/Jakarta"', 'time_zone = "Asia/Djakarta"', "Asia/Djakarta", "Asia/Jakarta"),
    ('script = "support"', 'script = "suport"', "suport", "support"),
    ("[routing]", "[routing", "TOML", ""),
]


@pytest.fixture
def wrong(tmp_path: Path, real_pbx: PbxInstance, outside: World) -> Centre:
    """A configuration, right so far."""
    centre = Centre(tmp_path, real_pbx, outside)
    centre.write_config()
    return centre


async def run(centre: Centre) -> tuple[int, str]:
    """`ccserver run`: (exit code, what it said)."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "ccserver", "run"),
        env=centre.env,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    out, _ = await asyncio.wait_for(process.communicate(), 60)
    return process.returncode or 0, out.decode()


@pytest.mark.parametrize(("right", "mistake", "named", "instead"), MISTAKES, ids=[m[2] for m in MISTAKES])
async def test_a_mistake_stops_the_start_and_is_told_by_file_and_line_with_what_to_write(
    wrong: Centre, right: str, mistake: str, named: str, instead: str
) -> None:
    text = wrong.config_file.read_text()
    assert right in text
    wrong.config_file.write_text(text.replace(right, mistake, 1))
    line = text[: text.index(right)].count("\n") + 1
    code, said = await run(wrong)
    assert code == 2
    assert f"{wrong.config_file.name}:{line}" in said
    assert named in said
    assert instead in said
    assert "Traceback" not in said


async def test_all_mistakes_are_told_at_once(wrong: Centre) -> None:
    text = wrong.config_file.read_text()
    for right, mistake, *_ in MISTAKES[:2]:
        text = text.replace(right, mistake, 1)
    wrong.config_file.write_text(text)
    code, said = await run(wrong)
    assert code == 2
    assert "lable" in said
    assert "wrap_up_s" in said


async def test_a_missing_secret_is_told_with_the_variable_to_set(wrong: Centre) -> None:
    del wrong.env["CCSERVER_PBX__MAIN__SECRET"]
    code, said = await run(wrong)
    assert code == 2
    assert "secret" in said
    assert "Traceback" not in said
