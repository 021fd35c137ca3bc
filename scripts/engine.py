"""Walking through a script: pure functions from position and answers to the next position.

A `Position` is all there is to remember: it is plain data, small, and can be stored and taken up again.
The agent may go back; answers already given stay until they are given anew. A script may send the agent in a
circle ("anything else?"), but not more than MAX_TRAIL pages in all.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from scripts.model import Block, BlockKind, Pattern, Script, Step

MAX_TRAIL = 100
MAX_ANSWER_CHARS = 500

_SHAPES = {
    Pattern.DIGITS: re.compile(r"[0-9]{1,40}"),
    Pattern.AMOUNT: re.compile(r"[0-9]{1,15}([.,][0-9]{1,2})?"),
    Pattern.EMAIL: re.compile(r"[^@\s]{1,64}@[^@\s.]{1,63}(\.[^@\s.]{1,63}){1,8}"),
    Pattern.PHONE: re.compile(r"\+?[0-9][0-9 ()./-]{2,29}"),
}


class Fault(StrEnum):
    """What may be wrong with answers; `render` has the words."""

    REQUIRED = "required"
    TOO_LONG = "too_long"
    NOT_A_CHOICE = "not_a_choice"
    NOT_DIGITS = "not_digits"
    NOT_AN_AMOUNT = "not_an_amount"
    NOT_A_DATE = "not_a_date"
    NOT_AN_EMAIL = "not_an_email"
    NOT_A_PHONE = "not_a_phone"
    UNKNOWN_QUESTION = "unknown_question"
    ANOTHER_STEP = "another_step"
    ANOTHER_VERSION = "another_version"
    TOO_MANY_PAGES = "too_many_pages"


_NOT = {
    Pattern.DIGITS: Fault.NOT_DIGITS,
    Pattern.AMOUNT: Fault.NOT_AN_AMOUNT,
    Pattern.EMAIL: Fault.NOT_AN_EMAIL,
    Pattern.PHONE: Fault.NOT_A_PHONE,
}


@dataclass(frozen=True, slots=True)
class AnswerProblem:
    """`name` is the question, empty when it is about the whole page."""

    name: str
    fault: Fault


@dataclass(frozen=True, slots=True)
class Position:
    """Where an agent is in a script. `trail`: the pages before this one; `done`: the last one is answered."""

    script: str
    version: str
    step: str
    trail: tuple[str, ...] = ()
    answers: tuple[tuple[str, str], ...] = ()
    done: bool = False


def start(script: Script) -> Position:
    """The first page."""
    return Position(script.id, script.version, script.start)


def answer(
    script: Script, position: Position, step_id: str, answers: Mapping[str, str], facts: Mapping[str, str]
) -> Position | tuple[AnswerProblem, ...]:
    """The page after `step_id`, decided by the answers so far and the facts; or why it cannot be left yet.

    A second answer to a page already left (a double click) is ANOTHER_STEP and changes nothing.
    """
    if position.version != script.version:
        return (AnswerProblem("", Fault.ANOTHER_VERSION),)
    if step_id != position.step or position.done:
        return (AnswerProblem("", Fault.ANOTHER_STEP),)
    step = script.step(step_id)
    problems = check(step, answers)
    if problems:
        return problems
    given = dict(position.answers) | {name: value.strip() for name, value in answers.items()}
    position = replace(position, answers=tuple(sorted(given.items())))
    return _go_on(position, next_step(step, {**facts, **given}))


def _go_on(position: Position, target: str) -> Position | tuple[AnswerProblem, ...]:
    if not target:
        return replace(position, done=True)
    if len(position.trail) + 1 >= MAX_TRAIL:
        return (AnswerProblem("", Fault.TOO_MANY_PAGES),)
    return replace(position, step=target, trail=(*position.trail, position.step))


def back(position: Position) -> Position:
    """The page before; the first page stays. Answers are kept."""
    if position.done:
        return replace(position, done=False)
    if not position.trail:
        return position
    return replace(position, step=position.trail[-1], trail=position.trail[:-1])


def next_step(step: Step, facts: Mapping[str, str]) -> str:
    """Where the first fitting rule leads; empty: the end."""
    return next((rule.goto for rule in step.rules if rule.fits(facts)), step.goto)


def check(step: Step, answers: Mapping[str, str]) -> tuple[AnswerProblem, ...]:
    """What is wrong with the answers to a page."""
    questions = step.questions()
    known = {block.name for block in questions}
    problems = [AnswerProblem(name[:40], Fault.UNKNOWN_QUESTION) for name in answers if name not in known]
    for block in questions:
        fault = _fault(block, answers.get(block.name, "").strip())
        if fault:
            problems.append(AnswerProblem(block.name, fault))
    return tuple(problems)


def _fault(block: Block, value: str) -> Fault | None:
    if not value:
        return Fault.REQUIRED if block.required else None
    if len(value) > MAX_ANSWER_CHARS:
        return Fault.TOO_LONG
    if block.kind is BlockKind.CHOICE:
        known = {choice.value for choice in block.choices}
        return None if value in known else Fault.NOT_A_CHOICE
    if block.pattern is Pattern.DATE:
        return None if _is_date(value) else Fault.NOT_A_DATE
    shape = _SHAPES.get(block.pattern)
    return None if shape is None or shape.fullmatch(value) else _NOT[block.pattern]


def _is_date(value: str) -> bool:
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
        return False
    try:
        dt.date.fromisoformat(value)
    except ValueError:
        return False
    return True
