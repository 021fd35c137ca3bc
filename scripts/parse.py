"""From the text of a script file to a `Script`, or to everything that is wrong with it. Pure; no templates.

title = { en = "Sales call", id = "Percakapan penjualan" }
start = "greeting"

[steps.greeting]
title = { en = "Greeting", id = "Salam" }
goto = "need"                                   # when no rule fits; without it the script ends here

[[steps.greeting.blocks]]
say = { en = "Good day, {{ customer.name }}." }  # or hint =, field =, choice =

[[steps.greeting.blocks]]
field = "customer_number"                        # the answer's name
text = { en = "Customer number" }
required = true
pattern = "digits"                               # text digits amount date email phone

[[steps.greeting.next]]
when = { "customer.known" = "no" }               # all must hold; a list means any of
goto = "identify"
"""

from __future__ import annotations

import difflib
import hashlib
import json
import re
from collections.abc import Iterable
from typing import Any

from scripts.model import (
    FACTS,
    FALLBACK_LANGUAGE,
    LANGUAGES,
    Block,
    BlockKind,
    Choice,
    Pattern,
    Problem,
    Rule,
    Script,
    ScriptError,
    Step,
    Text,
    reachable,
    shortest_ways_out,
)
from scripts.toml_lines import Route, TomlFault, line_of, parse, positions

MAX_STEPS = 100
MAX_BLOCKS = 30
MAX_TEMPLATE_CHARS = 4_000
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_NOTHING = Text(((FALLBACK_LANGUAGE, ""),))


class Reader:
    """Takes one file apart, noting what is wrong on the way instead of stopping at the first fault."""

    def __init__(self, file: str, text: str) -> None:
        self.file = file
        try:
            self.values = parse(text)
        except TomlFault as fault:
            raise ScriptError((Problem(f"{file}:{fault.line}", f"no TOML: {fault}"),)) from fault
        self._lines = positions(text)
        self.problems: list[Problem] = []
        self.templates: list[tuple[str, str]] = []
        """Every text with its place, for the renderer's own check."""

    def fault(self, route: Route, message: str) -> None:
        """Note a fault at a key."""
        self.problems.append(Problem(self.where(route), message))

    def where(self, route: Route) -> str:
        """`FILE:LINE` of a key."""
        return f"{self.file}:{line_of(self._lines, route)}"

    def script(self, script_id: str) -> Script:
        """The whole file. Raises ScriptError with every fault."""
        self._known((), self.values, ("title", "start", "steps"))
        steps = self._table((), self.values, "steps")
        if not 1 <= len(steps) <= MAX_STEPS:
            self.fault(("steps",), f"a script has 1 to {MAX_STEPS} steps: [steps.greeting]")
        script = Script(
            id=script_id,
            version=_version(self.values),
            title=self._text((), self.values, "title"),
            start=self._string((), self.values, "start"),
            steps=tuple(self._step(name, step) for name, step in steps.items()),
        )
        if not self.problems:
            self._way(script)
        if self.problems:
            raise ScriptError(tuple(self.problems))
        return script

    def _step(self, name: str, value: Any) -> Step:
        route: Route = ("steps", name)
        values = value if isinstance(value, dict) else {}
        self._known(route, values, ("title", "blocks", "next", "goto"))
        blocks = self._tables(route, values, "blocks")
        if not 1 <= len(blocks) <= MAX_BLOCKS:
            self.fault(route, f"a step has 1 to {MAX_BLOCKS} blocks: [[steps.{name}.blocks]]")
        rules = self._tables(route, values, "next")
        return Step(
            id=name,
            title=self._text(route, values, "title"),
            blocks=tuple(self._block((*route, "blocks", at), block) for at, block in enumerate(blocks)),
            rules=tuple(self._rule((*route, "next", at), rule) for at, rule in enumerate(rules)),
            goto=self._string(route, values, "goto") if "goto" in values else "",
        )

    def _block(self, route: Route, values: dict[str, Any]) -> Block:
        kinds = [kind for kind in BlockKind if kind in values]
        if len(kinds) != 1:
            self.fault(route, "a block has one of: say = …, hint = …, field = …, choice = …")
            return Block(BlockKind.HINT, _NOTHING)
        kind = kinds[0]
        if kind in (BlockKind.SAY, BlockKind.HINT):
            self._known(route, values, (kind,))
            return Block(kind, self._text(route, values, kind))
        own = "pattern" if kind is BlockKind.FIELD else "choices"
        self._known(route, values, (kind, "text", "required", own))
        return Block(
            kind,
            self._text(route, values, "text"),
            name=self._name(route, values, kind),
            required=self._truth(route, values, "required"),
            pattern=self._pattern(route, values),
            choices=self._choices(route, values) if kind is BlockKind.CHOICE else (),
        )

    def _choices(self, route: Route, values: dict[str, Any]) -> tuple[Choice, ...]:
        rows = self._tables(route, values, "choices")
        if not 2 <= len(rows) <= MAX_BLOCKS:
            self.fault((*route, "choices"), f'2 to {MAX_BLOCKS} choices: {{ value = "yes", text = … }}')
        choices = []
        for row in rows:
            self._known((*route, "choices"), row, ("value", "text"))
            below = (*route, "choices")
            choices.append(Choice(self._string(below, row, "value"), self._text(below, row, "text")))
        if len({choice.value for choice in choices}) < len(choices):
            self.fault((*route, "choices"), "two choices have the same value; give each its own")
        return tuple(choices)

    def _rule(self, route: Route, values: dict[str, Any]) -> Rule:
        self._known(route, values, ("when", "goto"))
        when = self._table(route, values, "when")
        if not when:
            self.fault(route, 'a rule needs when = { question = "answer" }; without a condition use goto')
        wanted = []
        for fact, value in when.items():
            texts = value if isinstance(value, list) else [value]
            if not texts or not all(isinstance(text, str) for text in texts):
                self.fault((*route, "when"), f'{fact}: compare with text in quotes, like "yes"')
                texts = []
            wanted.append((fact, tuple(texts)))
        return Rule(tuple(wanted), self._string(route, values, "goto"))

    def _way(self, script: Script) -> None:
        """Every step is there, can be reached, and leads to an end; rules ask what is asked."""
        known = {step.id for step in script.steps}
        if script.start not in known:
            self.fault(("start",), f'start = "{script.start}": no such step; {_near(script.start, known)}')
        names: dict[str, Block] = {}
        for step in script.steps:
            self._names_of(step, names)
        for step in script.steps:
            self._ways_of(step, known, names)
        if self.problems:
            return
        for step_id in sorted(known - reachable(script)):
            self.fault(("steps", step_id), f'no way leads to step "{step_id}"; go there, or take it out')
        for step_id in sorted(known - set(shortest_ways_out(script))):
            self.fault(("steps", step_id), f'from step "{step_id}" no way leads to an end; take one goto out')

    def _names_of(self, step: Step, names: dict[str, Block]) -> None:
        for at, block in enumerate(step.blocks):
            other = names.setdefault(block.name, block) if block.name else block
            if (other.kind, other.pattern, other.choices) != (block.kind, block.pattern, block.choices):
                self.fault(
                    ("steps", step.id, "blocks", at),
                    f'"{block.name}" is another question elsewhere; give this one another name',
                )

    def _ways_of(self, step: Step, known: set[str], names: dict[str, Block]) -> None:
        route: Route = ("steps", step.id)
        if step.goto and step.goto not in known:
            self.fault((*route, "goto"), f'goto = "{step.goto}": no such step; {_near(step.goto, known)}')
        for at, rule in enumerate(step.rules):
            below = (*route, "next", at)
            if rule.goto not in known:
                self.fault(below, f'goto = "{rule.goto}": no such step; {_near(rule.goto, known)}')
            for fact, values in rule.when:
                self._fact(below, fact, values, names)

    def _fact(self, route: Route, fact: str, values: tuple[str, ...], names: dict[str, Block]) -> None:
        if fact not in names and fact not in FACTS and not fact.startswith("entered."):
            self.fault(route, f'when: nobody asks "{fact}"; {_near(fact, {*names, *FACTS})}')
        elif fact in names and names[fact].kind is BlockKind.CHOICE:
            possible = {choice.value for choice in names[fact].choices}
            for value in (value for value in values if value not in possible):
                self.fault(route, f'when: "{value}" is no choice of "{fact}"; {_near(value, possible)}')

    def _known(self, route: Route, values: dict[str, Any], known: Iterable[str]) -> None:
        for key in values:
            if key not in known:
                self.fault((*route, key), f'unknown key "{key}"; {_near(key, known)}')

    def _table(self, route: Route, values: dict[str, Any], key: str) -> dict[str, Any]:
        value = values.get(key, {})
        if isinstance(value, dict):
            return value
        self.fault((*route, key), f"{key} must be a table of keys and values")
        return {}

    def _tables(self, route: Route, values: dict[str, Any], key: str) -> list[dict[str, Any]]:
        value = values.get(key, [])
        if isinstance(value, list) and all(isinstance(row, dict) for row in value):
            return value
        self.fault((*route, key), f"{key} must be a list of tables")
        return []

    def _string(self, route: Route, values: dict[str, Any], key: str) -> str:
        value = values.get(key)
        if isinstance(value, str) and 0 < len(value) <= 80:
            return value
        self.fault((*route, key), f'{key} is needed, as text in quotes: {key} = "…"')
        return ""

    def _name(self, route: Route, values: dict[str, Any], key: str) -> str:
        name = self._string(route, values, key)
        if name and not _NAME.fullmatch(name):
            self.fault((*route, key), f'"{name}": use small letters, digits and underscore, at most 40')
        return name

    def _truth(self, route: Route, values: dict[str, Any], key: str) -> bool:
        value = values.get(key, False)
        if not isinstance(value, bool):
            self.fault((*route, key), f"{key} must be true or false")
        return value is True

    def _pattern(self, route: Route, values: dict[str, Any]) -> Pattern:
        value = values.get("pattern", Pattern.TEXT)
        if value in list(Pattern):
            return Pattern(value)
        self.fault((*route, "pattern"), f"pattern must be one of {', '.join(Pattern)}")
        return Pattern.TEXT

    def _text(self, route: Route, values: dict[str, Any], key: str) -> Text:
        value = values.get(key)
        variants = {FALLBACK_LANGUAGE: value} if isinstance(value, str) else value
        if not isinstance(variants, dict) or FALLBACK_LANGUAGE not in variants:
            self.fault((*route, key), f'{key} is needed, with English: {key} = {{ en = "…", id = "…" }}')
            return _NOTHING
        for language, text in variants.items():
            if language not in LANGUAGES:
                self.fault((*route, key), f'no language "{language}"; there are {", ".join(LANGUAGES)}')
            elif not isinstance(text, str) or not 0 < len(text) <= MAX_TEMPLATE_CHARS:
                self.fault((*route, key), f"{language} must be text of 1 to {MAX_TEMPLATE_CHARS} characters")
        self.templates += [(self.where((*route, key)), str(text)) for text in variants.values()]
        return Text(tuple((language, str(text)) for language, text in variants.items()))


def read(script_id: str, file: str, text: str) -> tuple[Script, Reader]:
    """The script in `text`; `file` is named in complaints. Raises ScriptError with every fault."""
    reader = Reader(file, text)
    return reader.script(script_id), reader


def _version(values: dict[str, Any]) -> str:
    canonical = json.dumps(values, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(canonical.encode()).hexdigest()[:12]


def _near(word: str, known: Iterable[str]) -> str:
    names = sorted(known)
    near = difflib.get_close_matches(word, names, n=1)
    return f'did you mean "{near[0]}"?' if near else f"known are: {', '.join(names)}"
