"""What may be written where: walks the models of `config_sections`, so that no list of keys is kept twice."""

from __future__ import annotations

import difflib
import types
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any, TypeAlias, Union, get_args, get_origin

from pydantic import BaseModel, SecretStr

from ccserver.config_model import Config
from ccserver.config_sections import Label, Named

Kind: TypeAlias = Any
"""An annotation of a model's field, without its wrapping."""


def _origin(kind: Kind) -> Any:
    return get_origin(kind)


def unwrap(annotation: Kind) -> Kind:
    """The type inside `Annotated[T, …]` and `T | None`."""
    if _origin(annotation) is Annotated:
        return unwrap(get_args(annotation)[0])
    if _origin(annotation) in (Union, types.UnionType):
        inner = [member for member in get_args(annotation) if member is not type(None)]
        return unwrap(inner[0]) if len(inner) == 1 else annotation
    return annotation


def is_table(kind: Kind) -> bool:
    """Whether keys may stand below this."""
    return _origin(kind) is dict or is_model(kind)


def is_model(kind: Kind) -> bool:
    """Whether only certain keys may stand below this."""
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def is_names(kind: Kind) -> bool:
    """Whether this holds named sections, like `queues`."""
    return _origin(kind) is dict and is_model(unwrap(get_args(kind)[1]))


def keys_of(kind: Kind) -> tuple[str, ...]:
    """The keys that may stand below a model; `id` of a named section is its heading, not a key."""
    if not is_model(kind):
        return ()
    hidden = {"id"} if issubclass(kind, Named) else set()
    return tuple(name for name in kind.model_fields if name not in hidden)


def child(kind: Kind, key: str) -> Kind | None:
    """What stands below `key`; None when it may not."""
    if _origin(kind) is dict:
        return unwrap(get_args(kind)[1])
    if key in keys_of(kind):
        return unwrap(kind.model_fields[key].annotation)
    return None


def kind_at(path: Iterable[str | int]) -> Kind | None:
    """What may stand at a path from the top; None when nothing may."""
    kind: Kind | None = Config
    for key in path:
        if isinstance(key, int):
            return None
        kind = child(kind, key)
        if kind is None:
            return None
    return kind


def every_key() -> Iterator[tuple[str, ...]]:
    """All keys an administrator can set, `NAME` in place of a section's own name."""
    return _below(Config, ())


def _below(kind: Kind, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    for key in keys_of(kind):
        below = child(kind, key)
        if is_names(below):
            yield from _below(child(below, "NAME"), (*path, key, "NAME"))
        elif is_model(below) and below is not Label:
            yield from _below(below, (*path, key))
        else:
            yield (*path, key)


def is_path(kind: Kind) -> bool:
    """Whether this is the name of a file or folder."""
    return kind is Path


def is_text(kind: Kind) -> bool:
    """Whether a value from the environment is taken as it is, without quotes."""
    return kind in (str, SecretStr, Path, Label) or _texts(kind)


def _texts(kind: Kind) -> bool:
    return bool(get_args(kind)) and all(isinstance(choice, str) for choice in get_args(kind))


def suggestion(word: str, known: Iterable[str], brackets: str = '""') -> str:
    """The end of a complaint about an unknown word: the nearest known one, or all of them."""
    names = sorted(known)
    near = difflib.get_close_matches(word, names, n=1, cutoff=0.6)
    if near:
        return f"did you mean {brackets[0]}{near[0]}{brackets[1]}?"
    return f"known are: {', '.join(names)}" if names else "there is none"
