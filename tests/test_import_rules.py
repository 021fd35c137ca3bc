"""Who may import whom, and who may look at the clock: the design's rules, read from the source itself."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable

import pytest

from tests.source_tree import PACKAGES, Source, sources, within

STDLIB = frozenset(sys.stdlib_module_names)
ROUTING_MAY = [
    "__future__",
    "bisect",
    "collections",
    "dataclasses",
    "enum",
    "functools",
    "heapq",
    "itertools",
    "math",
    "operator",
    "typing",
]
ROUTING_SHELLS_MAY = [*ROUTING_MAY, "json", "random", "sys"]
ROUTING_SHELLS = ("routing/__main__.py", "routing/simulate.py")

ONLY_IN = {
    "twisted.internet.reactor": ("ccserver/app.py",),
    "twisted.internet.asyncioreactor": ("ccserver/app.py",),
    "sqlalchemy": ("ccserver/store/",),
    "alembic": ("ccserver/store/",),
    "prometheus_client": ("ccserver/web/",),
    "jinja2": ("scripts/render.py",),
    "asterisk": (
        "channels/asterisk/dialogue.py",
        "channels/asterisk/dialogue_agi.py",
        "ccserver/cli/ami_probe.py",
    ),
    "ccserver.demo": ("ccserver/demo/", "ccserver/cli/commands.py"),
    "ccserver": ("ccserver/",),
    "scripts": ("scripts/", "ccserver/"),
    "channels": ("channels/", "ccserver/"),
}
"""A library or package, and the only files that may import it: a folder ends in a slash."""

WALL_CLOCK = ("time.time", "time.time_ns", "datetime.now", "datetime.utcnow", "date.today", "dt.datetime.now")
WALL_CLOCK_IN = {
    "ccserver/clock.py": "router time starts from it",
    "ccserver/app.py": "stamps for people: the audit log",
    "ccserver/entry.py": "opening hours; given as an argument in tests",
    "ccserver/store/customers.py": "stamps for people: when a customer was changed",
    "channels/asterisk/voice.py": "the heartbeat is Asterisk's own EPOCH",
    "channels/asterisk/standin/server.py": "uniqueids begin with it, as Asterisk's do",
}
TIMERS_IN = {
    "ccserver/app.py": "stops the reactor",
    "channels/asterisk/ami_client.py": "its clock is an argument",
    "channels/asterisk/ami_endpoint.py": "gives that clock its shape",
}


def allowed(path: str, places: Iterable[str]) -> bool:
    return any(path == place or (place.endswith("/") and path.startswith(place)) for place in places)


def broken(rule: Callable[[Source, str], bool], *folders: str) -> list[str]:
    """`path:line name` of each import for which the rule does not hold."""
    return sorted(
        {
            f"{source.path}:{line} {name}"
            for source in sources(*folders)
            for line, name in source.imports()
            if not rule(source, name)
        }
    )


def top(name: str) -> str:
    return name.partition(".")[0]


def test_the_core_imports_little_and_nothing_of_ours() -> None:
    def rule(source: Source, name: str) -> bool:
        may = ROUTING_SHELLS_MAY if source.path in ROUTING_SHELLS else ROUTING_MAY
        return top(name) in (*may, "routing")

    assert broken(rule, "routing") == []


def test_scripts_need_the_standard_library_and_one_file_needs_jinja2() -> None:
    def rule(source: Source, name: str) -> bool:
        return top(name) in STDLIB or top(name) in ("scripts", "jinja2")

    assert broken(rule, "scripts") == []


def test_codecs_need_the_standard_library_alone() -> None:
    codecs = [source for source in sources(*PACKAGES) if source.path.endswith("_codec.py")]
    assert len(codecs) >= 2
    found = [f"{source.path} {name}" for source in codecs for _, name in source.imports()]
    assert [each for each in found if top(each.split()[1]) not in STDLIB] == []


@pytest.mark.parametrize("module", sorted(ONLY_IN))
def test_some_things_are_imported_in_one_place_only(module: str) -> None:
    def rule(source: Source, name: str) -> bool:
        return not within(name, module) or allowed(source.path, ONLY_IN[module])

    assert broken(rule, *PACKAGES) == []


def test_channels_know_the_core_by_its_words_only() -> None:
    """Events, effects and the model; never the router, or a channel could decide."""

    def rule(_source: Source, name: str) -> bool:
        words = ("routing.events", "routing.effects", "routing.model")
        return top(name) != "routing" or name == "routing" or any(within(name, word) for word in words)

    assert broken(rule, "channels") == []


def test_no_module_has_a_name_of_the_standard_library() -> None:
    taken = []
    for source in sources(*PACKAGES):
        *folders, file = source.path.split("/")
        names = [file.removesuffix(".py"), *folders]
        taken += [source.path for name in names if name in STDLIB and not name.startswith("__")]
    assert taken == []


def uses(names: tuple[str, ...], places: Iterable[str]) -> list[str]:
    return [
        f"{source.path}:{line} {name}"
        for source in sources(*PACKAGES)
        for line, name in source.calls()
        if name.endswith(names) and not allowed(source.path, places)
    ]


def test_the_wall_clock_is_read_in_few_places() -> None:
    exact = [
        each
        for each in uses(WALL_CLOCK, WALL_CLOCK_IN)
        if any(each.split()[1] in (name, f"datetime.{name}") for name in WALL_CLOCK)
    ]
    assert exact == []


def test_timers_of_the_reactor_are_set_in_few_places() -> None:
    assert uses((".callLater",), TIMERS_IN) == []


def test_nobody_sleeps_in_the_way_of_the_loop() -> None:
    assert uses(("time.sleep",), ()) == []


@pytest.mark.parametrize("path", sorted({*WALL_CLOCK_IN, *TIMERS_IN}))
def test_each_exception_is_still_needed(path: str) -> None:
    (source,) = (source for source in sources(*PACKAGES) if source.path == path)
    used = {name for _, name in source.calls()}
    clock = path in WALL_CLOCK_IN and any(name in used for name in WALL_CLOCK)
    timers = path in TIMERS_IN and ("callLater" in source.text)
    assert clock or timers, f"{path} is allowed what it does not use; take it out of the list"
