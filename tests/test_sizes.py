"""Files and functions stay small enough to read at one sitting, and say what they are."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tests.source_tree import PACKAGES, Source, sources

FILE_LINES = 500
FUNCTION_LINES = 60


def functions(source: Source) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(source.tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node


def test_no_file_is_longer_than_one_can_hold_in_mind() -> None:
    lines = {source.path: source.text.count("\n") for source in sources(*PACKAGES, "tests")}
    assert {path: count for path, count in lines.items() if count > FILE_LINES} == {}


def test_no_function_is_longer_than_a_screen() -> None:
    long = {
        f"{source.path}:{node.lineno} {node.name}": (node.end_lineno or 0) - node.lineno + 1
        for source in sources(*PACKAGES, "tests")
        for node in functions(source)
    }
    assert {name: count for name, count in long.items() if count > FUNCTION_LINES} == {}


def test_every_module_says_what_it_is() -> None:
    silent = [
        source.path
        for source in sources(*PACKAGES, "tests")
        if source.tree.body and ast.get_docstring(source.tree) is None
    ]
    assert silent == []


def test_every_function_has_its_types() -> None:
    """mypy checks them; this keeps a file from being left out of mypy's sight."""
    bare = [
        f"{source.path}:{node.lineno} {node.name}"
        for source in sources(*PACKAGES, "tests")
        for node in functions(source)
        if node.returns is None
    ]
    assert bare == []
