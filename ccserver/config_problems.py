"""What can be wrong with a configuration, in words that say where it is and what to write instead."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pydantic import SecretStr, ValidationError
from pydantic_core import ErrorDetails

from ccserver.config_schema import is_names, kind_at
from ccserver.config_tree import Tree

_WANTED = {
    "int": "a whole number without quotes",
    "bool": "true or false, without quotes",
    "string": "text in quotes",
    "tuple": "a list in square brackets",
    "dict": "a table of keys and values",
    "model": "a table of keys and values",
    "path": "a file or folder name in quotes",
    "literal": "one of {expected}",
}
_LIMITS = {
    "greater_than_equal": "at least {ge}",
    "less_than_equal": "at most {le}",
    "string_too_short": "at least {min_length} character long",
    "string_too_long": "at most {max_length} characters long",
}


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault of the operator: where it is (`FILE:LINE`, or a variable), and what to write instead."""

    where: str
    message: str

    def __str__(self) -> str:
        return f"{self.where}: {self.message}"


class ConfigError(ValueError):
    """The configuration cannot be used; `problems` holds everything that is wrong with it."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = problems


def dotted(route: tuple[str | int, ...]) -> str:
    """A route as people write it: `queues.sales.skills`."""
    return ".".join(str(key) for key in route)


def from_validation(error: ValidationError, tree: Tree) -> list[Problem]:
    """Pydantic's findings in our words."""
    return [_problem(finding, tree) for finding in error.errors(include_url=False)]


def _problem(finding: ErrorDetails, tree: Tree) -> Problem:
    route = tuple(finding["loc"])
    where = tree.where(route)
    if finding["type"] == "missing":
        section, key = dotted(route[:-1]), route[-1]
        return Problem(where, f'[{section}] lacks "{key}"; add a line {key} = …')
    if finding["type"] == "value_error":
        return Problem(where, f"{dotted(route)}: {finding['ctx']['error']}")
    return Problem(where, f"{dotted(route)} must be {_wanted(finding)}{_seen(route, finding)}")


def _wanted(finding: ErrorDetails) -> str:
    """What pydantic's kind of complaint asks for; its own words when it is none of the usual."""
    kind, context = finding["type"], dict(finding.get("ctx", {}))
    limit = _LIMITS.get(kind) or _WANTED.get(kind.partition("_")[0])
    return limit.format(**context) if limit else f"different: {finding['msg']}"


def _seen(route: tuple[str | int, ...], finding: ErrorDetails) -> str:
    """What was written instead, unless that may be a secret or is long."""
    value: Any = finding["input"]
    if kind_at(route) is SecretStr or is_names(kind_at(route)) or isinstance(value, dict):
        return ""
    shown = f'"{value}"' if isinstance(value, str) else str(value).lower()
    return f", not {shown}" if len(shown) <= 80 else ""
