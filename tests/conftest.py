"""One event loop for everything: Twisted's reactor on asyncio, installed before any test module imports it.

`async def` tests run on that loop as Tasks. Tests that need no loop (most of them) stay plain functions.
"""

from __future__ import annotations

import asyncio
import functools
import inspect
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from hypothesis import settings
from twisted.internet.defer import Deferred

from tests.real_parts import without_missing_parts

settings.register_profile("ccserver", derandomize=True, deadline=None)
settings.load_profile("ccserver")


def _as_deferred(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., Deferred[None]]:
    @functools.wraps(test)
    def run(*args: Any, **kwargs: Any) -> Deferred[None]:
        return Deferred.fromFuture(asyncio.ensure_future(test(*args, **kwargs)))

    return run


NOT_RUN: dict[str, list[str]] = {}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let pytest-twisted run coroutine tests: it knows Deferreds, the code under test is asyncio."""
    _wrap_coroutines(items)
    items[:], missing = without_missing_parts(items)
    NOT_RUN.update(missing)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Name what did not run, and why."""
    for reason, tests in NOT_RUN.items():
        terminalreporter.section(f"{len(tests)} tests did not run: {reason}")
        terminalreporter.write_line("\n".join(tests))


def _wrap_coroutines(items: list[pytest.Item]) -> None:
    for item in items:
        if not isinstance(item, pytest.Function):
            continue
        hypothesis_handle = getattr(item.obj, "hypothesis", None)
        if hypothesis_handle is not None and inspect.iscoroutinefunction(hypothesis_handle.inner_test):
            hypothesis_handle.inner_test = _as_deferred(hypothesis_handle.inner_test)
        elif inspect.iscoroutinefunction(item.obj):
            item.obj = _as_deferred(item.obj)
