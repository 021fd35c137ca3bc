"""Where in a TOML file each key stands: `tomllib` gives the values, this gives the lines. Pure.

`positions(text)` reads a text that `parse` has already taken, so it may trust the grammar: statements are
headings (`[a.b]`, `[[a.b]]`) or keys (`a.b = value`); a value is skipped token by token to the line break
outside all brackets. Keys inside an inline table have the line of the key they belong to.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from typing import Any

Route = tuple[str | int, ...]
"""Keys, and indices of `[[…]]` tables, from the top of the file down to one value."""

_KEY = r"""(?:"(?:[^"\\\n]|\\.)*"|'[^'\n]*'|[A-Za-z0-9_-]+)"""
_STATEMENT = re.compile(rf"[ \t]*(?P<heading>\[\[?)?[ \t]*(?P<keys>{_KEY}(?:[ \t]*\.[ \t]*{_KEY})*)")
_TOKEN = re.compile(
    r'"""(?:[^\\]|\\.)*?"{3,5}'  # text over several lines
    r"|'''.*?'{3,5}"
    r'|"(?:[^"\\\n]|\\.)*"'
    r"|'[^'\n]*'"
    r"|\#[^\n]*"
    r"|[\[\]{}\n]"
    r"|[^\"'\#\[\]{}\n]+",
    re.DOTALL,
)
_AT = re.compile(r"\s*\(at (?:line (\d+), column \d+|end of document)\)")


class TomlFault(ValueError):
    """The text is no TOML; `line` counts from 1."""

    def __init__(self, message: str, line: int) -> None:
        super().__init__(message)
        self.line = line


def parse(text: str) -> dict[str, Any]:
    """The values of a TOML text. Raises TomlFault."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        message = str(error)
        at = _AT.search(message)
        line = int(at[1]) if at and at[1] else max(1, len(text.splitlines()))
        raise TomlFault(_AT.sub("", message), line) from error
    except RecursionError as error:
        raise TomlFault("brackets are nested too deep", 1) from error


def positions(text: str) -> dict[Route, int]:
    """The line of every key and heading of a TOML text that `parse` takes."""
    text = text.replace("\r\n", "\n")
    lines: dict[Route, int] = {}
    counts: dict[Route, int] = {}
    heading: Route = ()
    at, line = 0, 1
    while at < len(text):
        if statement := _STATEMENT.match(text, at):
            keys = tuple(map(_plain, re.findall(_KEY, statement["keys"])))
            if statement["heading"]:
                heading = route = _route(keys, counts, another=statement["heading"] == "[[")
            else:
                route = heading + keys
            for depth in range(1, len(route) + 1):
                lines.setdefault(route[:depth], line)
            at = statement.end()
        end = _end_of_statement(text, at)
        line += text.count("\n", at, end)
        at = end
    return lines


def line_of(lines: Mapping[Route, int], route: Route) -> int:
    """The line of a route, or of the nearest key above it that has one; 1 when none has."""
    while route and route not in lines:
        route = route[:-1]
    return lines.get(route, 1)


def _route(keys: tuple[str, ...], counts: dict[Route, int], *, another: bool) -> Route:
    """The keys of a heading with the index of the open `[[…]]` table after each array's name."""
    route: Route = ()
    for depth, key in enumerate(keys, start=1):
        route = (*route, key)
        if another and depth == len(keys):
            counts[route] = counts.get(route, 0) + 1
        if route in counts:
            route = (*route, counts[route] - 1)
    return route


def _end_of_statement(text: str, at: int) -> int:
    """Just after the line break that ends the statement at `at`."""
    depth = 0
    while token := _TOKEN.match(text, at):
        at = token.end()
        word = token[0]
        depth += (word in "[{") - (word in "]}")
        if word == "\n" and depth <= 0:
            return at
    return len(text)


def _plain(key: str) -> str:
    if key[0] not in "\"'":
        return key
    value: str = tomllib.loads(f"key = {key}")["key"]
    return value
