"""The raw values of all configuration files and the environment in one tree, each with where it came from.

The main file may say `include = ["queues.toml"]`: those files are read after it, beside it. A section or key
stands in one of the files only. The environment goes before the files: `CCSERVER_QUEUES__SALES__WRAP_UP_S=30`
sets `queues.sales.wrap_up_s`; a name's dashes and dots are underscores there, and case does not matter.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ccserver.config_schema import (
    Kind,
    child,
    is_names,
    is_table,
    is_text,
    keys_of,
    kind_at,
    suggestion,
)
from ccserver.config_sections import Label
from scripts.toml_lines import Route, TomlFault, line_of, parse, positions

PREFIX = "CCSERVER_"
MAX_FILE_BYTES = 4_000_000


class TreeFault(ValueError):
    """A value that cannot be put into the tree: `where` it stands and the message."""

    def __init__(self, where: str, message: str) -> None:
        super().__init__(message)
        self.where = where


class Tree:
    """Values by key, and for every route the place to name in a complaint."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.values: dict[str, Any] = {}
        self.faults: list[tuple[str, str]] = []
        self._places: dict[Route, str] = {}
        self._from_environment: set[Route] = set()

    def where(self, route: Route) -> str:
        """`FILE:LINE` or the variable that set this, or the nearest thing above it."""
        while route and route not in self._places:
            route = route[:-1]
        return self._places.get(route, f"{self.file}:1")

    def is_from_environment(self, route: Route) -> bool:
        """Whether a variable set this very key."""
        return route in self._from_environment

    def get(self, *route: str) -> Any:
        """The raw value at a route, None when there is none."""
        value: Any = self.values
        for key in route:
            value = value.get(key) if isinstance(value, dict) else None
        return value

    def put(self, route: tuple[str, ...], value: object, place: str) -> None:
        """Set a value; tables above it are made."""
        below = self.values
        for depth, key in enumerate(route[:-1], start=1):
            inside = below.get(key)
            if not isinstance(inside, dict):
                short = kind_at(route[:depth]) is Label and isinstance(inside, str)
                below[key] = inside = {"en": inside} if short else {}
            below = inside
        below[route[-1]] = value
        self._places[route] = place

    def fault(self, where: str, message: str) -> None:
        """Note one more thing that is wrong."""
        self.faults.append((where, message))

    def read_files(self) -> None:
        """The main file and what it includes. Raises TreeFault when one cannot be read or is no TOML."""
        self._read(self.file)
        included = self.values.pop("include", [])
        if not isinstance(included, list) or not all(isinstance(name, str) for name in included):
            raise TreeFault(self.where(("include",)), 'include must be a list: include = ["queues.toml"]')
        for name in included:
            self._read(self.file.parent / name, asked_at=self.where(("include",)))

    def _read(self, file: Path, asked_at: str = "") -> None:
        text = _text(file, asked_at)
        try:
            values = parse(text)
        except TomlFault as fault:
            raise TreeFault(f"{file}:{fault.line}", f"no TOML: {fault}") from fault
        lines = positions(text)
        self._merge(values, file, lines)

    def _merge(self, values: dict[str, Any], file: Path, lines: Mapping[Route, int]) -> None:
        for route, line in lines.items():
            if route not in self._places:
                self._places[route] = f"{file}:{line}"
        for key, value in values.items():
            self._merge_key((key,), value, file, lines)

    def _merge_key(
        self, route: tuple[str, ...], value: object, file: Path, lines: Mapping[Route, int]
    ) -> None:
        """Named sections of several files stand side by side; anything else only once."""
        present = self.get(*route)
        if present is None:
            self.put(route, value, self._places.get(route, f"{file}:{line_of(lines, route)}"))
        elif is_names(kind_at(route)) and isinstance(present, dict) and isinstance(value, dict):
            for name, section in value.items():
                self._merge_key((*route, name), section, file, lines)
        else:
            here = f"{file}:{line_of(lines, route)}"
            self.fault(here, f"[{'.'.join(route)}] is already at {self.where(route)}; keep one of the two")

    def read_environment(self, environ: Mapping[str, str]) -> None:
        """Lay `CCSERVER_SECTION__KEY` over the files."""
        for name in sorted(environ):
            if name.startswith(PREFIX) and "__" in name:
                self._set_from(name, environ[name])

    def _set_from(self, variable: str, value: str) -> None:
        place = f"environment variable {variable}"
        try:
            route = self._route(variable.removeprefix(PREFIX).split("__"))
        except ValueError as fault:
            self.fault(place, str(fault))
            return
        self.put(route, _typed(kind_at(route), value), place)
        self._from_environment.add(route)

    def _route(self, words: list[str]) -> tuple[str, ...]:
        """The route that the words of a variable mean. Raises ValueError in words."""
        route: tuple[str, ...] = ()
        for word in words:
            kind = kind_at(route)
            names = self._names(route, kind)
            found = next((name for name in names if _plain(name) == _plain(word)), None)
            if found is None and is_names(kind):
                known = suggestion(word.lower(), names)
                raise ValueError(f"there is no [{'.'.join(route)}.{word.lower()}] in the files; {known}")
            if found is None and (not is_table(kind) or keys_of(kind)):
                raise ValueError(f'unknown key "{word}"; {suggestion(word.lower(), names)}')
            route = (*route, found or word.lower())
        return route

    def _names(self, route: tuple[str, ...], kind: Kind) -> tuple[str, ...]:
        present = self.get(*route) if route else {}
        return keys_of(kind) or (tuple(present) if isinstance(present, dict) else ())

    def prune(self) -> None:
        """Complain of unknown keys and take them out."""
        self._prune((), self.values)

    def _prune(self, route: tuple[str, ...], values: dict[str, Any]) -> None:
        kind = kind_at(route)
        for key in list(values):
            below = (*route, key)
            if child(kind, key) is None:
                self.fault(self.where(below), _unknown(route, key, values[key], keys_of(kind)))
                del values[key]
            elif isinstance(values[key], dict):
                self._prune(below, values[key])


def _unknown(route: tuple[str, ...], key: str, value: object, known: tuple[str, ...]) -> str:
    if not route and isinstance(value, dict):
        return f"unknown section [{key}]; {suggestion(key, known, '[]')}"
    place = f" in [{'.'.join(route)}]" if route else " outside any section"
    return f'unknown key "{key}"{place}; {suggestion(key, known)}'


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")


def _typed(kind: Kind, value: str) -> object:
    """A variable's text as the key wants it: as it is, or as TOML would read it."""
    if is_text(kind):
        return value
    try:
        return parse(f"value = {value}")["value"]
    except TomlFault:
        return value


def _text(file: Path, asked_at: str) -> str:
    try:
        with file.open("rb") as source:
            data = source.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        hint = "" if asked_at else '; "ccserver init DIR" writes one, CCSERVER_CONFIG names another'
        raise TreeFault(asked_at or str(file), f"cannot read {file}: {error.strerror}{hint}") from error
    if len(data) > MAX_FILE_BYTES:
        raise TreeFault(str(file), f"larger than {MAX_FILE_BYTES} bytes; is this a configuration?")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise TreeFault(f"{file}:{line}", "not UTF-8; save the file as UTF-8") from error
