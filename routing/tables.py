"""A state machine as data: `(state, input) -> state`, nothing else. A pair that is not listed is refused.

    table = Table("offer", OfferState.OPEN, {(OPEN, "accept"): ACCEPTED, ...})
    table.next(OPEN, "accept")     # ACCEPTED
    table.next(ACCEPTED, "accept") # RefusedInput

`mermaid()` draws it; the drawings in the folder's README are compared with it by a test.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

S = TypeVar("S", bound=StrEnum)


class RefusedInput(Exception):
    """The input makes no sense in this state. The message says which and where."""


@dataclass(frozen=True, slots=True)
class Table(Generic[S]):
    """Transitions of one kind of thing."""

    name: str
    start: S
    transitions: Mapping[tuple[S, str], S]

    def next(self, state: S, given: str) -> S:
        """The state after `given`. Raises RefusedInput when the pair is not listed."""
        try:
            return self.transitions[state, given]
        except KeyError:
            raise RefusedInput(f"{self.name} in {state} cannot take {given!r}") from None

    def allows(self, state: S, given: str) -> bool:
        """Whether the pair is listed."""
        return (state, given) in self.transitions

    def states(self) -> set[S]:
        """Every state that can be reached from the start."""
        seen, todo = {self.start}, [self.start]
        while todo:
            state = todo.pop()
            new = {after for (before, _), after in self.transitions.items() if before == state} - seen
            seen |= new
            todo += sorted(new)
        return seen

    def mermaid(self) -> str:
        """The table as a mermaid state diagram, one arrow a pair of states."""
        arrows: dict[tuple[S, S], list[str]] = {}
        for (before, given), after in self.transitions.items():
            arrows.setdefault((before, after), []).append(given)
        lines = [f"    {before} --> {after}: {', '.join(given)}" for (before, after), given in arrows.items()]
        return "\n".join(["stateDiagram-v2", f"    [*] --> {self.start}", *lines])
