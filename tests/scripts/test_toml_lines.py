"""Every key of a TOML text has its line, whatever stands between."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.toml_lines import TomlFault, line_of, parse, positions

TEXT = '''\
# comment with [heading] and key = 1
top = 1
"quoted.key" = "a # b ] \\" c"
dotted.name = 'it''
list = [ # opened
  "x]", 'y[',
  [1, 2],
]
long = """
[not.a.heading]
no = "key"
quote: \\""" and ""
"""
raw = \'\'\'
[neither]\'\'\'
[table]
inline = { a = 1, b = { c = "}" } }

  [ table . "sub.table" ]  # spaces
deep = true
[[rows]]
name = "first"
[[rows]]
name = "second"
[rows.part]
x = 1
[[rows.items]]
y = 1
[[rows.items]]
y = 2
'''.replace("'it''", "'it'")


def test_each_key_has_its_line() -> None:
    found = positions(TEXT)
    wanted = {
        ("top",): "top =",
        ("quoted.key",): '"quoted.key"',
        ("dotted",): "dotted.name",
        ("dotted", "name"): "dotted.name",
        ("list",): "list =",
        ("long",): "long =",
        ("raw",): "raw =",
        ("table",): "[table]",
        ("table", "inline"): "inline",
        ("table", "sub.table"): "  [ table",
        ("table", "sub.table", "deep"): "deep",
        ("rows",): "[[rows]]",
        ("rows", 0): "[[rows]]",
        ("rows", 0, "name"): 'name = "first"',
        ("rows", 1, "name"): 'name = "second"',
        ("rows", 1, "part"): "[rows.part]",
        ("rows", 1, "part", "x"): "x = 1",
        ("rows", 1, "items", 0, "y"): "y = 1",
        ("rows", 1, "items", 1, "y"): "y = 2",
    }
    lines = TEXT.splitlines()
    for route, start in wanted.items():
        assert lines[found[route] - 1].startswith(start), route
    assert ("not", "a", "heading") not in found
    assert ("neither",) not in found
    assert ("no",) not in found


def test_windows_line_ends_count_once() -> None:
    assert positions("a = 1\r\nb = 2\r\n")[("b",)] == 2


def test_a_route_without_a_line_has_that_of_the_nearest_above() -> None:
    found = positions(TEXT)
    assert line_of(found, ("table", "inline", "b", "c")) == found["table", "inline"]
    assert line_of(found, ("nowhere",)) == 1


@pytest.mark.parametrize(
    ("text", "line"),
    [("a = 1\nb = \n", 2), ("a = 1\na = 2", 2), ("x = [\n1,\n", 2), ("a = '''\n\n", 2), ("[" * 9000, 1)],
)
def test_a_fault_has_its_line(text: str, line: int) -> None:
    with pytest.raises(TomlFault) as caught:
        parse(text)
    assert caught.value.line == line
    assert "(at" not in str(caught.value)


names = st.text(st.characters(codec="ascii", exclude_categories=["C"]), min_size=1, max_size=5)
values = st.one_of(
    st.integers(-9, 9).map(str),
    st.text(st.sampled_from("ab[]{}#=. '"), max_size=6).map(lambda text: f'"{text}"'),
    st.lists(st.text(st.sampled_from("ab[]{}#=. \n"), max_size=4), max_size=3).map(
        lambda texts: "[\n" + "".join(f'  """{text}""", # ]\n' for text in texts) + "]"
    ),
)


@given(st.dictionaries(names, st.dictionaries(names, values, max_size=4), max_size=4))
def test_every_key_that_tomllib_sees_is_found_on_its_line(tables: dict[str, dict[str, str]]) -> None:
    text = ""
    wanted: dict[tuple[str, ...], int] = {}
    for table, keys in tables.items():
        wanted[(table,)] = text.count("\n") + 1
        text += f"[{_quoted(table)}]\n"
        for key, value in keys.items():
            wanted[table, key] = text.count("\n") + 1
            text += f"{_quoted(key)} = {value}\n"
    parsed: dict[str, Any] = tomllib.loads(text)
    found = positions(text)
    assert found == wanted
    assert {(table, key) for table in parsed for key in parsed[table]} <= set(found)


def _quoted(key: str) -> str:
    return '"' + key.replace("\\", "\\\\").replace('"', '\\"') + '"'
