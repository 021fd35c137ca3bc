"""Who is free, grouped by skill set, longest idle first; and who of them may serve which line.

Agents of one skill set are interchangeable to the filters, so a choice looks at one head per group instead of
at every agent. A group counts the standings of its members, so that an explanation costs no scan either.
"""

from __future__ import annotations

from collections import Counter
from heapq import heappop, heappush

from routing.agent_state import Agent
from routing.eligibility import Standing, has_skills
from routing.model import Medium, Requirement

Skills = tuple[tuple[str, int], ...]


class Group:
    """The agents of one skill set, for one medium."""

    def __init__(self, skills: Skills) -> None:
        self.skills = dict(skills)
        self.free: list[tuple[int, str]] = []
        self.standings: Counter[Standing] = Counter()


class Pool:
    """Every agent's standing, and the order of those available."""

    def __init__(self) -> None:
        self._groups: dict[tuple[Medium, Skills], Group] = {}
        self._standing: dict[tuple[Medium, str], tuple[Group, Standing, int]] = {}
        self._fits: dict[tuple[Medium, Skills, tuple[Requirement, ...]], bool] = {}

    def place(self, agent: Agent, medium: Medium, now_standing: Standing) -> bool:
        """Note where `agent` stands. True when they are available and were not before."""
        group = self._group(medium, agent.skills)
        before = self._standing.get((medium, agent.id))
        if before == (group, now_standing, agent.idle_since_at):
            return False
        if before is not None:
            before[0].standings[before[1]] -= 1
        group.standings[now_standing] += 1
        self._standing[medium, agent.id] = (group, now_standing, agent.idle_since_at)
        if now_standing is not Standing.AVAILABLE:
            return False
        heappush(group.free, (agent.idle_since_at, agent.id))
        return True

    def forget(self, agent: Agent, medium: Medium) -> None:
        """The agent is no more."""
        before = self._standing.pop((medium, agent.id), None)
        if before is not None:
            before[0].standings[before[1]] -= 1

    def standing(self, agent_id: str, medium: Medium) -> Standing:
        """Where the agent stands; LOGGED_OUT when never seen."""
        found = self._standing.get((medium, agent_id))
        return found[1] if found else Standing.LOGGED_OUT

    def fits(self, agent: Agent, medium: Medium, requirements: tuple[Requirement, ...]) -> bool:
        """Whether the agent's skills meet `requirements`; remembered per skill set."""
        return self._fits_skills(medium, agent.skills, requirements)

    def best(self, medium: Medium, requirements: tuple[Requirement, ...], most: int = 3) -> list[str]:
        """Available agents who fit, longest idle first, at most `most`; one per group beyond the first group
        is enough to know the runner-up, so this looks at heads only and at the winner's group twice."""
        heads = []
        for (group_medium, skills), group in self._groups.items():
            if group_medium is medium and self._fits_skills(medium, skills, requirements):
                heads += self._first(group, medium, most)
        return [agent_id for _, agent_id in sorted(heads)[:most]]

    def excluded(self, medium: Medium, requirements: tuple[Requirement, ...]) -> tuple[tuple[str, int], ...]:
        """How many agents each filter removes, `skill` for those who are there but cannot."""
        counts: Counter[str] = Counter()
        for (group_medium, skills), group in self._groups.items():
            if group_medium is not medium:
                continue
            fits = self._fits_skills(medium, skills, requirements)
            for name, count in group.standings.items():
                if name is not Standing.AVAILABLE or not fits:
                    counts[name if fits or name is Standing.LOGGED_OUT else "skill"] += count
        return tuple(sorted((name, count) for name, count in counts.items() if count))

    def count(self, medium: Medium, requirements: tuple[Requirement, ...]) -> tuple[int, int]:
        """(available, logged in) agents who fit."""
        available = staffed = 0
        for (group_medium, skills), group in self._groups.items():
            if group_medium is medium and self._fits_skills(medium, skills, requirements):
                available += group.standings[Standing.AVAILABLE]
                staffed += sum(group.standings.values()) - group.standings[Standing.LOGGED_OUT]
        return available, staffed

    def _first(self, group: Group, medium: Medium, most: int) -> list[tuple[int, str]]:
        """The first live entries of a group; stale ones at the head are dropped for good."""
        live: list[tuple[int, str]] = []
        while group.free and len(live) < most:
            entry = heappop(group.free)
            if (
                self._standing[medium, entry[1]] == (group, Standing.AVAILABLE, entry[0])
                and entry not in live
            ):
                live.append(entry)
        for entry in live:
            heappush(group.free, entry)
        return live

    def _group(self, medium: Medium, skills: Skills) -> Group:
        group = self._groups.get((medium, skills))
        if group is None:
            group = self._groups[medium, skills] = Group(skills)
        return group

    def _fits_skills(self, medium: Medium, skills: Skills, requirements: tuple[Requirement, ...]) -> bool:
        key = (medium, skills, requirements)
        known = self._fits.get(key)
        if known is None:
            if len(self._fits) > 100_000:
                self._fits.clear()
            known = self._fits[key] = has_skills(dict(skills), requirements)
        return known
