"""The project's own Python files, parsed once: what the tests about the source itself look at."""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("routing", "channels", "scripts", "ccserver")


@dataclass(frozen=True)
class Source:
    """One file: its path from the root, its text and its syntax tree."""

    path: str
    text: str
    tree: ast.Module

    @property
    def package(self) -> str:
        """The top-level package it belongs to."""
        return self.path.partition("/")[0]

    def imports(self) -> Iterator[tuple[int, str]]:
        """(line, dotted name) of everything imported, at the top or inside a function."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                yield from ((node.lineno, alias.name) for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                module = self._absolute(node)
                yield node.lineno, module
                yield from ((node.lineno, f"{module}.{alias.name}") for alias in node.names)

    def _absolute(self, node: ast.ImportFrom) -> str:
        folder = self.path.split("/")[: -node.level] if node.level else []
        return ".".join([*folder, *([node.module] if node.module else [])])

    def calls(self) -> Iterator[tuple[int, str]]:
        """(line, dotted name) of every attribute used as `a.b` or `a.b.c`, called or passed on."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Attribute):
                yield node.lineno, _dotted(node)


def _dotted(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return f"{_dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else "…"


@functools.cache
def sources(*folders: str) -> tuple[Source, ...]:
    """Every Python file below these folders of the project."""
    files = (file for folder in folders for file in sorted((ROOT / folder).rglob("*.py")))
    return tuple(_parsed(file) for file in files if "node_modules" not in file.parts)


def _parsed(file: Path) -> Source:
    text = file.read_text("utf-8")
    return Source(file.relative_to(ROOT).as_posix(), text, ast.parse(text))


def within(name: str, module: str) -> bool:
    """Whether a dotted name is a module or something in it."""
    return name == module or name.startswith(f"{module}.")
