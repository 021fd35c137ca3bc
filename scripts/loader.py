"""Script files from folders: the shipped library, and the site's own beside it.

scripts/library/*.toml ──┐
[scripts] folder/*.toml ─┴─► parse ─► every template checked ─► {name: Script}

or a ScriptError with all faults of all files.
"""

from __future__ import annotations

from pathlib import Path

from scripts.model import Problem, Script, ScriptError
from scripts.parse import read
from scripts.render import refusal

LIBRARY = Path(__file__).parent / "library"
MAX_FILE_BYTES = 500_000
MAX_FILES = 500


def script_files(folder: Path | None = None) -> dict[str, Path]:
    """The file of each script by its name; one in `folder` hides a shipped one. Reads no file.

    Raises OSError when `folder` cannot be listed.
    """
    files = {path.stem: path for path in sorted(LIBRARY.glob("*.toml"))}
    if folder is not None:
        files |= {path.stem: path for path in sorted(folder.iterdir()) if path.suffix == ".toml"}
    return files


def load_scripts(folder: Path | None = None) -> dict[str, Script]:
    """Every script by its name. Raises ScriptError with everything that is wrong with any of them."""
    files = script_files(folder)
    if len(files) > MAX_FILES:
        raise ScriptError(
            (Problem(str(folder), f"more than {MAX_FILES} scripts; is this the right folder?"),)
        )
    scripts: dict[str, Script] = {}
    problems: list[Problem] = []
    for name, path in files.items():
        try:
            scripts[name] = load_script(name, path)
        except ScriptError as error:
            problems.extend(error.problems)
    if problems:
        raise ScriptError(tuple(problems))
    return scripts


def load_script(name: str, path: Path) -> Script:
    """One script, its templates checked. Raises ScriptError."""
    script, reader = read(name, str(path), _text(path))
    problems = [
        Problem(where, why)
        for where, template in reader.templates
        if (why := refusal(template, script.names()))
    ]
    if problems:
        raise ScriptError(tuple(problems))
    return script


def _text(path: Path) -> str:
    try:
        with path.open("rb") as source:
            data = source.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise ScriptError((Problem(str(path), f"cannot read it: {error.strerror}"),)) from error
    if len(data) > MAX_FILE_BYTES:
        raise ScriptError((Problem(str(path), f"larger than {MAX_FILE_BYTES} bytes; is this a script?"),))
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise ScriptError((Problem(f"{path}:{line}", "not UTF-8; save the file as UTF-8"),)) from error
