"""Finds dialogues before the server starts: every `*.py` file of the folders, by its name.

A file NAME.py must have `def run(agi, call)`. A folder named later wins, so a site replaces a shipped
dialogue by a file of the same name. What is wrong is found here, with file and line, before the first call.
"""

from __future__ import annotations

import importlib.util
import inspect
import re
import traceback
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType

from channels.asterisk.dialogue import DialogueFunction

SHIPPED_FOLDER = Path(__file__).parent / "dialogues"
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")


class DialogueLoadError(Exception):
    """A dialogue cannot be used; the text says file, line, and what to write instead."""


def load_dialogues(folders: Iterable[Path]) -> dict[str, DialogueFunction]:
    """Name to function, of all folders. Raises DialogueLoadError."""
    found: dict[str, DialogueFunction] = {}
    for folder in folders:
        if not folder.is_dir():
            raise DialogueLoadError(f"{folder}: there is no such dialogue folder")
        for path in sorted(folder.glob("*.py")):
            if path.name != "__init__.py":
                found[path.stem] = load_dialogue(path)
    return found


def load_dialogue(path: Path) -> DialogueFunction:
    """The `run` of one file. Raises DialogueLoadError."""
    if not _NAME.fullmatch(path.stem):
        raise DialogueLoadError(f"{path}: name the file with lower-case letters, digits and _")
    module = _import(path)
    run = getattr(module, "run", None)
    if not inspect.isfunction(run):
        raise DialogueLoadError(f"{path}:1: write `def run(agi, call):`, which is missing")
    line = run.__code__.co_firstlineno
    if inspect.iscoroutinefunction(run):
        raise DialogueLoadError(f"{path}:{line}: write `def run`, not `async def run`; it has its own thread")
    try:
        inspect.signature(run).bind("agi", "call")
    except TypeError as error:
        raise DialogueLoadError(f"{path}:{line}: write `def run(agi, call):` ({error})") from error
    return run


def _import(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"ccserver_dialogue_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise DialogueLoadError(f"{path}: Python cannot load this file")
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except SyntaxError as error:
        raise DialogueLoadError(f"{path}:{error.lineno}: {error.msg}") from error
    except Exception as error:
        raise DialogueLoadError(f"{path}:{_line_in(path, error)}: {error!r}") from error
    return module


def _line_in(path: Path, error: Exception) -> int:
    lines = [
        frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)
    ]
    return (lines[-1] if lines else None) or 1
