"""From files, secret files and the environment to a `Config`, or to everything that is wrong with them.

Steps: read and lay over each other (`config_tree`) → refuse secrets in the files, read the secret files →
make paths absolute → build the models → check what the sections mean to each other (`config_check`).
All problems of a step are listed at once. Relative paths in a file start at the main file's folder, those in
the environment at the current one.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pydantic import ValidationError

from ccserver.config_check import check
from ccserver.config_model import Config
from ccserver.config_problems import ConfigError, Problem, from_validation
from ccserver.config_schema import child, is_names, is_path, kind_at
from ccserver.config_tree import PREFIX, Tree, TreeFault

DEFAULT_FILE = Path("config/ccserver.toml")
SECRETS = ("secret", "fastagi_secret")
MAX_SECRET_BYTES = 1_024


def load(path: Path | None = None, environ: Mapping[str, str] | None = None) -> Config:
    """Read the configuration: `path`, else `CCSERVER_CONFIG`, else `config/ccserver.toml`.

    Raises ConfigError with everything that is wrong, each with file and line.
    """
    environ = os.environ if environ is None else environ
    tree = Tree(path or Path(environ.get("CCSERVER_CONFIG") or DEFAULT_FILE))
    _fill(tree, environ)
    warnings = _take_secrets(tree)
    _make_paths_absolute(tree)
    config = _build(tree)
    problems, more_warnings = check(config, tree.where)
    _refuse([Problem(*fault) for fault in problems])
    return config.loaded_from(tree.file, tuple(f"{at}: {words}" for at, words in warnings + more_warnings))


def _refuse(problems: list[Problem]) -> None:
    if problems:
        raise ConfigError(tuple(problems))


def _fill(tree: Tree, environ: Mapping[str, str]) -> None:
    try:
        tree.read_files()
    except TreeFault as fault:
        raise ConfigError((Problem(fault.where, str(fault)),)) from fault
    _refuse_secrets_in_files(tree)
    if url := environ.get("DATABASE_URL"):
        tree.put(("database", "url"), url, "environment variable DATABASE_URL")
    tree.read_environment(environ)
    tree.prune()


def _build(tree: Tree) -> Config:
    """The models, or every fault of the tree and of its values in one ConfigError."""
    problems = [Problem(*fault) for fault in tree.faults]
    try:
        config = Config.model_validate_json(json.dumps(_with_ids(tree.values), default=str))
    except ValidationError as error:
        raise ConfigError((*problems, *from_validation(error, tree))) from None
    _refuse(problems)
    return config


def _with_ids(values: dict[str, Any]) -> dict[str, Any]:
    """Every named section told its name."""
    told = dict(values)
    for section, names in values.items():
        if is_names(kind_at((section,))) and isinstance(names, dict):
            told[section] = {
                name: {**keys, "id": name} if isinstance(keys, dict) else keys for name, keys in names.items()
            }
    return told


def _refuse_secrets_in_files(tree: Tree) -> None:
    """Called before the environment is laid over the files, which alone may hold a secret itself."""
    url = tree.get("database", "url")
    if isinstance(url, str) and _has_password(url):
        tree.fault(
            tree.where(("database", "url")),
            "a password does not belong in this file; set the whole URL by DATABASE_URL instead",
        )
    for name in _pbx_names(tree):
        for key in SECRETS:
            if tree.get("pbx", name, key) is not None:
                tree.fault(
                    tree.where(("pbx", name, key)),
                    "a secret does not belong in this file; put it into a file that only its owner can read "
                    f'and write {key}_file = "secrets/{name}-{key}", or set {_variable(name, key)}',
                )
                tree.put(("pbx", name, key), "", tree.where(("pbx", name, key)))


def _pbx_names(tree: Tree) -> tuple[str, ...]:
    sections = tree.get("pbx")
    return tuple(sections) if isinstance(sections, dict) else ()


def _variable(name: str, key: str) -> str:
    return f"{PREFIX}PBX__{name.upper().replace('-', '_')}__{key.upper()}"


def _has_password(url: str) -> bool:
    try:
        return bool(urlsplit(url).password)
    except ValueError:
        return True


def _take_secrets(tree: Tree) -> list[tuple[str, str]]:
    """Put the content of secret files where secrets go; gives warnings about files others can read."""
    routes = [("pbx", name, key) for name in _pbx_names(tree) for key in SECRETS]
    return [warning for route in routes for warning in _take_secret(tree, route)]


def _take_secret(tree: Tree, route: tuple[str, str, str]) -> list[tuple[str, str]]:
    _, name, key = route
    if tree.get(*route) is not None:
        return []  # from the environment, or complained of already
    file = tree.get("pbx", name, f"{key}_file")
    if isinstance(file, str):
        return _read_secret(tree, route, _absolute(tree, ("pbx", name, f"{key}_file"), file))
    if file is None:
        wanted = f'{key}_file = "secrets/{name}-{key}"'
        tree.fault(tree.where(route), f"[pbx.{name}] needs {wanted}, or {_variable(name, key)}")
    return []


def _read_secret(tree: Tree, route: tuple[str, str, str], file: Path) -> list[tuple[str, str]]:
    where = tree.where((*route[:2], f"{route[2]}_file"))
    try:
        with file.open("rb") as source:
            secret = source.read(MAX_SECRET_BYTES + 1).strip()
            mode = os.fstat(source.fileno()).st_mode
    except OSError as error:
        tree.fault(where, f"cannot read {file}: {error.strerror}; write the secret into it, one line")
        return []
    if not secret or len(secret) > MAX_SECRET_BYTES or not secret.isascii() or b"\n" in secret:
        tree.fault(where, f"{file} must hold one line of at most {MAX_SECRET_BYTES} ASCII characters")
        return []
    tree.put(route, secret.decode("ascii"), where)
    if mode & (stat.S_IRGRP | stat.S_IROTH):
        return [(where, f"others can read {file}; say chmod 600 {file}")]
    return []


def _make_paths_absolute(tree: Tree) -> None:
    for route, value in list(_texts(tree.values, ())):
        if is_path(kind_at(route)):
            tree.put(route, str(_absolute(tree, route, value)), tree.where(route))
    server = tree.get("server")
    if server is None or (isinstance(server, dict) and "data_dir" not in server):
        tree.put(("server", "data_dir"), str(_absolute(tree, (), "var")), tree.where(("server",)))


def _absolute(tree: Tree, route: tuple[str, ...], value: str) -> Path:
    base = Path() if tree.is_from_environment(route) else tree.file.parent
    return Path(os.path.abspath(base / Path(value).expanduser()))


def _texts(values: dict[str, Any], route: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str]]:
    for key, value in values.items():
        if isinstance(value, dict) and child(kind_at(route), key) is not None:
            yield from _texts(value, (*route, key))
        elif isinstance(value, str):
            yield (*route, key), value
