"""The page's types are the server's: each field and type of `ui/src/lib/protocol` against protocol.py."""

from __future__ import annotations

import re
import types
import typing
from pathlib import Path
from typing import Any

import msgspec
import pytest

from ccserver.desk import protocol

FOLDER = Path(protocol.__file__).parents[1] / "web/ui/src/lib/protocol"
BASES = {protocol.Wire, msgspec.Struct}
PLAIN = {str: "string", int: "number", float: "number", bool: "boolean", type(None): "null"}


def _structs() -> dict[str, type[msgspec.Struct]]:
    found = {name: value for name, value in vars(protocol).items() if isinstance(value, type)}
    return {name: v for name, v in found.items() if issubclass(v, msgspec.Struct) and v not in BASES}


def _typescript(kind: Any) -> str:
    """The TypeScript for a Python annotation."""
    if kind in PLAIN:
        return PLAIN[kind]
    origin, args = typing.get_origin(kind), typing.get_args(kind)
    if origin is typing.Literal:
        return " | ".join(f"'{value}'" for value in args)
    if origin in (types.UnionType, typing.Union):
        return " | ".join(_typescript(arg) for arg in args)
    if origin is dict:
        return f"Readonly<Record<{_typescript(args[0])}, {_typescript(args[1])}>>"
    if origin is tuple and args[-1] is Ellipsis:
        inner = _typescript(args[0])
        return f"readonly ({inner})[]" if " " in inner else f"readonly {inner}[]"
    if origin is tuple:
        return f"readonly [{', '.join(_typescript(arg) for arg in args)}]"
    return str(kind.__name__)


def _expected(struct: type[msgspec.Struct]) -> dict[str, str]:
    config = struct.__struct_config__
    tag = {config.tag_field: f"'{config.tag}'"} if config.tag_field else {}
    return tag | {name: _typescript(kind) for name, kind in typing.get_type_hints(struct).items()}


def _written() -> dict[str, dict[str, str]]:
    text = "\n".join(path.read_text() for path in sorted(FOLDER.glob("*.ts")))
    bodies = re.findall(r"export interface (\w+) \{\n(.*?)\n\}", text, re.DOTALL)
    return {name: dict(re.findall(r"^  (\w+): (.+);$", body, re.MULTILINE)) for name, body in bodies}


def test_the_same_things_exist_on_both_sides() -> None:
    assert set(_written()) == set(_structs())


@pytest.mark.parametrize("name", sorted(_structs()))
def test_fields_and_types_are_the_same(name: str) -> None:
    assert _written()[name] == _expected(_structs()[name])


def test_version_and_limits_are_the_same() -> None:
    text = (FOLDER / "things.ts").read_text()
    assert f"VERSION = {protocol.VERSION};" in text
    assert f"MAX_NOTE_CHARS = {protocol.MAX_NOTE_CHARS};" in text
