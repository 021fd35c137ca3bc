"""Why an interaction went where it went, in plain words. Pure.

    interaction + decisions + names ──▶ opening, a line per offer, the end

Two audiences. Supervisors read what was at stake and what it counted for; agents read the same story without
money, and on the pop one neutral sentence without anybody's name (`why_line`). English and Indonesian.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from typing import Any, Literal

from ccserver.reports.explain_words import WORDS
from ccserver.store.rows import DecisionRow, InteractionRow, SegmentRow
from routing.model import US_PER_S, Explanation

Audience = Literal["agent", "supervisor"]
MOST_CANDIDATES = 3
"""The router names no more than so many; further ones fit too."""

_FIELDS = frozenset(field.name for field in fields(Explanation))


def explanation_of(explanation: Mapping[str, object]) -> Explanation:
    """Out of the database. Fields of other releases are left out; those it lacks raise TypeError."""
    known: dict[str, Any] = {name: value for name, value in explanation.items() if name in _FIELDS}
    known["candidates"] = tuple(known.get("candidates", ()))
    known["excluded"] = tuple((str(name), int(count)) for name, count in known.get("excluded", ()))
    return Explanation(**known)


def clock(duration_us: int) -> str:
    """0:48, 12:05, 1:02:03."""
    seconds = max(0, duration_us) // US_PER_S
    hours, minutes, seconds = seconds // 3600, seconds // 60 % 60, seconds % 60
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def plain_money(cents: int) -> str:
    """Major units with two decimals; the caller knows the currency."""
    return f"{cents // 100:,}.{cents % 100:02}"


def why_line(why: Explanation, language: str = "en", labels: Mapping[str, str] | None = None) -> str:
    """One neutral sentence for the pop: no money, nobody's name. `labels`: queue ids to words."""
    words = _words(language)
    queue = (labels or {}).get(why.queue, why.queue)
    sentence = words.get(f"why_{why.rule}", words["why_other"])
    return sentence.format(waited=clock(why.waited_us), queue=queue)


def decision_lines(
    decisions: Sequence[DecisionRow],
    names: Mapping[str, str],
    audience: Audience = "supervisor",
    language: str = "en",
    money: Callable[[int], str] = plain_money,
) -> list[str]:
    """A line per offer, oldest first. `names`: ids of agents, queues and interactions to words."""
    teller = _Teller(_words(language), names, audience == "supervisor", money)
    return [teller.offer(number, decision) for number, decision in enumerate(decisions, 1)]


def explain(
    interaction: InteractionRow,
    decisions: Sequence[DecisionRow],
    names: Mapping[str, str],
    audience: Audience = "supervisor",
    language: str = "en",
    money: Callable[[int], str] = plain_money,
) -> str:
    """The whole story. `names`: ids of agents, queues, customers, interactions and dispositions to words;
    what is not in it is told by its id."""
    teller = _Teller(_words(language), names, audience == "supervisor", money)
    lines = [teller.opening(interaction)]
    lines += decision_lines(decisions, names, audience, language, money) or [teller.words["no_offer"]]
    lines += [teller.segment(segment) for segment in interaction.segments]
    lines.append(teller.words[f"end_{interaction.outcome}"].format(wait=clock(interaction.wait_us)))
    return "\n".join(lines)


def _words(language: str) -> dict[str, str]:
    return WORDS.get(language, WORDS["en"])


class _Teller:
    """Puts the parts of the story into words."""

    def __init__(
        self, words: dict[str, str], names: Mapping[str, str], tell_money: bool, money: Callable[[int], str]
    ) -> None:
        self.words = words
        self._names = names
        self._tell_money = tell_money
        self._money = money

    def name(self, thing: str) -> str:
        return self._names.get(thing, thing)

    def opening(self, interaction: InteractionRow) -> str:
        who = self.name(interaction.customer) if interaction.customer else self.words["somebody"]
        medium = self.words.get(f"medium_{interaction.medium}", interaction.medium)
        parts = [self.words["opening"].format(who=who, queue=self.name(interaction.queue), medium=medium)]
        if self._tell_money:
            parts.append(self.words["stake"].format(money=self._money(interaction.stake_cents)))
        if interaction.repeat_of:
            parts.append(self.words["repeat"].format(interaction=self.name(interaction.repeat_of)))
        return " ".join(parts)

    def offer(self, number: int, decision: DecisionRow) -> str:
        why = explanation_of(decision.explanation)
        return self.words["offer"].format(
            n=number,
            waited=clock(why.waited_us),
            queue=self.name(decision.queue),
            agent=self.name(decision.agent),
            rule=self._rule(why),
            reasons=self._order(why) + self._runner_up(why) + self._excluded(why),
            outcome=self._outcome(decision),
        )

    def _rule(self, why: Explanation) -> str:
        fit = len(why.candidates)
        if why.rule != "longest_idle":
            return self.words.get(f"rule_{why.rule}", why.rule)
        if fit <= 1:
            return self.words["rule_only_one"].format(idle=clock(why.agent_idle_us))
        counted = str(fit) if fit < MOST_CANDIDATES else self.words["or_more"].format(count=fit)
        return self.words["rule_longest_idle"].format(idle=clock(why.agent_idle_us), fit=counted)

    def _order(self, why: Explanation) -> str:
        others = why.waiting - 1
        if others <= 0:
            return ""
        before = self.words["before_one" if others == 1 else "before"].format(count=others)
        if not self._tell_money or why.stake_credit_us <= 0:
            return before + self.words["no_credit"]
        credit = clock(why.stake_credit_us)
        return before + self.words["credit"].format(money=self._money(why.stake_cents), credit=credit)

    def _runner_up(self, why: Explanation) -> str:
        return self.words["runner_up"].format(agent=self.name(why.runner_up)) if why.runner_up else ""

    def _excluded(self, why: Explanation) -> str:
        if not why.excluded:
            return ""
        counts = [
            self.words.get(f"not_{code}", f"{{count}} {code}").format(count=count)
            for code, count in why.excluded
        ]
        return self.words["excluded"].format(counts=", ".join(counts))

    def _outcome(self, decision: DecisionRow) -> str:
        cause = self.words.get(f"cause_{decision.cause}", decision.cause)
        return self.words.get(f"state_{decision.outcome}", decision.outcome).format(cause=cause)

    def segment(self, segment: SegmentRow) -> str:
        agent = self.name(segment.agent)
        if segment.talk_ended_at is None:
            return self.words["talking"].format(agent=agent)
        wrap_up_us = (segment.wrap_up_ended_at or segment.talk_ended_at) - segment.talk_ended_at
        said = ""
        if segment.disposition:
            said = self.words["disposition"].format(disposition=self.name(segment.disposition))
        talk = clock(segment.talk_ended_at - segment.answered_at)
        told = self.words["talk"].format(agent=agent, talk=talk, wrap_up=clock(wrap_up_us), disposition=said)
        by = self.words.get(f"by_{segment.ended_by}")
        return f"{self.words['left_by'].format(by=by)} {told}" if by else told
