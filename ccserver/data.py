"""Where the data that ships lies: beside the packages in a checkout, inside the package in a wheel."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).parent


def shipped(name: str) -> Path:
    """The folder `config` or `asterisk-dialplan`. Raises FileNotFoundError for an incomplete installation."""
    # In a wheel the neighbours are strangers: a `config` beside the package would be somebody else's.
    for folder in (_PACKAGE / "_data" / name, _PACKAGE.parent / name):
        if folder.is_dir():
            return folder
    raise FileNotFoundError(f"this installation has no {name}/: install ccserver again")
