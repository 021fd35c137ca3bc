"""What a script is: steps of blocks, and rules that choose the next step. Frozen, made by `parse`.

Script ── steps ──► Step ── blocks ──► Block (say, hint, field, choice)
                      ├── rules ──► Rule: when these facts hold, go there; the first that fits
                      └── goto ───► where to go when no rule fits; empty: the script ends here
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

FALLBACK_LANGUAGE = "en"
LANGUAGES = ("en", "id")
FACTS = ("customer.known", "customer.tier", "queue", "medium", "language")
"""What a rule may ask beside answers; `entered.NAME`, what the caller told the machine, may be asked too."""


class BlockKind(StrEnum):
    """`say` is read aloud, `hint` is for the agent's eyes, the others take an answer."""

    SAY = "say"
    HINT = "hint"
    FIELD = "field"
    CHOICE = "choice"


class Pattern(StrEnum):
    """What a field takes."""

    TEXT = "text"
    DIGITS = "digits"
    AMOUNT = "amount"
    DATE = "date"
    EMAIL = "email"
    PHONE = "phone"


@dataclass(frozen=True, slots=True)
class Text:
    """A template per language; `en` is always there."""

    variants: tuple[tuple[str, str], ...]

    def get(self, language: str) -> str:
        """The template in `language`, in English where there is none."""
        found = dict(self.variants)
        return found.get(language) or found[FALLBACK_LANGUAGE]


@dataclass(frozen=True, slots=True)
class Choice:
    """One of the answers to a choice."""

    value: str
    text: Text


@dataclass(frozen=True, slots=True)
class Block:
    """One thing on a page. `name` is the answer's name, empty for `say` and `hint`."""

    kind: BlockKind
    text: Text
    name: str = ""
    required: bool = False
    pattern: Pattern = Pattern.TEXT
    choices: tuple[Choice, ...] = ()


@dataclass(frozen=True, slots=True)
class Rule:
    """Go to `goto` when every fact has one of its values."""

    when: tuple[tuple[str, tuple[str, ...]], ...]
    goto: str

    def fits(self, facts: Mapping[str, str]) -> bool:
        """Whether the facts are as the rule wants them; an unknown fact is the empty text."""
        return all(facts.get(name, "") in values for name, values in self.when)


@dataclass(frozen=True, slots=True)
class Step:
    """One page of a script."""

    id: str
    title: Text
    blocks: tuple[Block, ...]
    rules: tuple[Rule, ...] = ()
    goto: str = ""

    @property
    def targets(self) -> tuple[str, ...]:
        """Where one can get from here; empty: the script may end here."""
        return (*(rule.goto for rule in self.rules), self.goto)

    @property
    def last(self) -> bool:
        """Whether the script always ends here."""
        return not any(self.targets)

    def questions(self) -> tuple[Block, ...]:
        """The blocks that take an answer."""
        return tuple(block for block in self.blocks if block.name)


@dataclass(frozen=True, slots=True)
class Script:
    """A whole script. `version` is a hash of its content: an answer belongs to one version."""

    id: str
    version: str
    title: Text
    start: str
    steps: tuple[Step, ...]

    def step(self, step_id: str) -> Step:
        """The step of that id. Raises KeyError."""
        for step in self.steps:
            if step.id == step_id:
                return step
        raise KeyError(step_id)

    def names(self) -> frozenset[str]:
        """The names of all answers."""
        return frozenset(block.name for step in self.steps for block in step.questions())


@dataclass(frozen=True, slots=True)
class Context:
    """What a script may know of the call it is for. Plain values only; lengths are cut by the renderer."""

    customer_name: str = ""
    customer_tier: str = ""
    """The tier's name in the configuration, for rules."""
    customer_tier_label: str = ""
    """The tier in words, for templates."""
    customer_known: bool = False
    customer_language: str = ""
    """What is said aloud is said in this language; empty: in the agent's."""
    agent_name: str = ""
    site_name: str = ""
    queue: str = ""
    queue_label: str = ""
    medium: str = "voice"
    waited_s: int = 0
    entered: tuple[tuple[str, str, str], ...] = ()
    """What the caller told the machine: (name, label, value)."""

    def facts(self, language: str) -> dict[str, str]:
        """For the rules: everything as text, yes and no for truth."""
        facts = {
            "customer.known": "yes" if self.customer_known else "no",
            "customer.tier": self.customer_tier,
            "queue": self.queue,
            "medium": self.medium,
            "language": language,
        }
        return facts | {f"entered.{name}": value for name, _, value in self.entered}


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault in a script: where it is (`FILE:LINE`), and what to write instead."""

    where: str
    message: str

    def __str__(self) -> str:
        return f"{self.where}: {self.message}"


class ScriptError(ValueError):
    """A script cannot be used; `problems` holds everything that is wrong with it."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = problems


def shortest_ways_out(script: Script) -> dict[str, int]:
    """For each step, how many pages are left at least, itself included; a step with no way out is missing."""
    left = {step.id: 1 for step in script.steps if "" in step.targets}
    for _ in script.steps:
        for step in script.steps:
            ways = [left[target] + 1 for target in step.targets if target in left]
            if ways:
                left[step.id] = min(*ways, left.get(step.id, min(ways)))
    return left


def reachable(script: Script) -> frozenset[str]:
    """The steps one can get to from the start."""
    seen: set[str] = set()
    ahead = [script.start]
    known = {step.id: step for step in script.steps}
    while ahead:
        step_id = ahead.pop()
        if step_id in known and step_id not in seen:
            seen.add(step_id)
            ahead.extend(known[step_id].targets)
    return frozenset(seen)
