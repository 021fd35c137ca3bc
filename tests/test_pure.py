"""The environment of the pure tests: the locked versions with their hashes, and nothing more."""

from __future__ import annotations

import re
import sys

import pytest

from tests import pure

LOCK = """\
# made by make lock
pluggy==1.6.0 \\
    --hash=sha256:aa \\
    --hash=sha256:bb
pytest==9.2.0 ; python_version > "3" \\
    --hash=sha256:cc
zope==1 \\
    --hash=sha256:dd
"""


def test_the_subset_keeps_versions_markers_and_hashes() -> None:
    assert pure.locked(["pluggy", "pytest"], LOCK) == LOCK.partition("\n")[2].partition("zope")[0]


def test_what_is_not_locked_is_refused() -> None:
    with pytest.raises(KeyError):
        pure.locked(["unknown"], LOCK)


def test_every_tool_and_its_needs_are_in_the_real_lock() -> None:
    names = pure.closure(pure.TOOLS)
    assert {"pytest", "hypothesis", "pluggy", "sortedcontainers"} <= set(names)
    text = pure.locked(names, pure.LOCK.read_text("utf-8"))
    assert text.count("==") == len(names)
    assert text.count("--hash=sha256:") >= len(names)


def test_the_running_interpreter_is_found_and_usable() -> None:
    version = sys.version_info[:2]
    if version not in pure.VERSIONS:
        version = pure.VERSIONS[0]
    with pytest.raises(pure.NotHere):
        pure._usable((3, 99))
    assert all(path.endswith(f"python{version[0]}.{version[1]}") for path in pure.interpreters(version))


def test_pure_tests_exist_and_import_nothing_of_the_server() -> None:
    for test in pure.TESTS:
        path = pure.ROOT / test
        files = [path] if path.is_file() else sorted(path.glob("*.py"))
        assert files, test
        for file in files:
            text = file.read_text("utf-8")
            assert not re.search(r"^from (ccserver|channels|scripts\.render)", text, re.MULTILINE), file
