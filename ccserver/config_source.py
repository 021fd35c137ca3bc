"""From TOML files and the environment to a `Config`."""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from ccserver.config_model import Config

DEFAULT_FILE = Path("config/ccserver.toml")


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


def load(path: Path | None = None, environ: Mapping[str, str] | None = None) -> Config:
    """Read the configuration. Raises ConfigError with every problem found."""
    environ = os.environ if environ is None else environ
    file = path or Path(environ.get("CCSERVER_CONFIG", DEFAULT_FILE))
    try:
        tree: dict[str, Any] = tomllib.loads(file.read_text("utf-8"))
        for name in (
            "pbx",
            "numbers",
            "hours",
            "queues",
            "agents",
            "devices",
            "reasons",
            "dispositions",
            "worth",
        ):
            for key, section in tree.get(name, {}).items():
                section["id"] = key
        return Config.model_validate_json(json.dumps(tree))
    except (OSError, tomllib.TOMLDecodeError, ValidationError) as error:
        raise ConfigError((Problem(str(file), str(error)),)) from error
