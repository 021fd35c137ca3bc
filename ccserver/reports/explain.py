"""Skeleton: decisions in plain words. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from ccserver.store.rows import DecisionRow, InteractionRow
from routing.model import Explanation

Audience = Literal["agent", "supervisor"]


def explanation_of(fields: Mapping[str, object]) -> Explanation:
    raise NotImplementedError


def why_line(why: Explanation, language: str = "en", labels: Mapping[str, str] | None = None) -> str:
    """One neutral sentence for the pop: no money, no names of colleagues."""
    raise NotImplementedError


def explain(
    interaction: InteractionRow,
    decisions: Sequence[DecisionRow],
    names: Mapping[str, str],
    audience: Audience = "supervisor",
    language: str = "en",
) -> str:
    """The whole story, a line per step. `names`: ids of agents, queues, customers and interactions to words."""
    raise NotImplementedError
