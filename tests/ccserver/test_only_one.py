"""One server per data folder."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from ccserver.only_one import CannotStart, hold

HOLD_AND_DIE = (
    "import os, sys, pathlib, ccserver.only_one as o; l = o.hold(pathlib.Path(sys.argv[1])); os._exit(9)"
)


def test_a_second_server_in_the_folder_is_told_what_to_do(tmp_path: Path) -> None:
    first = hold(tmp_path / "data")
    with pytest.raises(CannotStart, match=r"another ccserver works in .*/data; end it"):
        hold(tmp_path / "data")
    first.close()
    hold(tmp_path / "data").close()


def test_a_server_that_died_holds_nothing(tmp_path: Path) -> None:
    died = subprocess.run([sys.executable, "-c", HOLD_AND_DIE, str(tmp_path)], timeout=60, check=False)
    assert died.returncode == 9
    hold(tmp_path).close()
