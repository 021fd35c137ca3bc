"""Commands start a loop of their own, as a process does; tests run them in a thread of their own."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


def in_thread(work: Callable[P, T]) -> Callable[P, T]:
    """The same function, run in a thread that has no loop."""

    def run(*args: P.args, **kwargs: P.kwargs) -> T:
        with ThreadPoolExecutor(1) as threads:
            return threads.submit(work, *args, **kwargs).result(60)

    return run
