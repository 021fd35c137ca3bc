"""Scripts on desks: which script an interaction gets, where its agent is in it, and what was answered.

Positions live as long as the interaction is on a desk; answers go to the store with every page, so that a
browser that dies takes nothing with it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol

from ccserver.config import Config
from ccserver.contacts import Contact, Contacts
from ccserver.desk import protocol as p
from ccserver.desk.desk import Desk
from ccserver.desk.screen_pop import labelled
from scripts import engine, render
from scripts.model import Context, Script

LIMIT = 20_000

SaveAnswers = Callable[[str, str, str, str, Mapping[str, str]], Awaitable[None]]
"""(interaction, agent, script, version, answers)"""


class Clock(Protocol):
    def __call__(self) -> int: ...


class Scripting:
    """Implements `ccserver.desk.fold.ScriptBook`, and answers."""

    def __init__(
        self,
        config: Config,
        scripts: Mapping[str, Script],
        contacts: Contacts,
        queued_at: Callable[[str], int | None],
        clock: Clock,
    ) -> None:
        self._config, self._scripts, self._contacts = config, scripts, contacts
        self._queued_at, self._clock = queued_at, clock
        self._positions: dict[tuple[str, str], engine.Position] = {}
        self.on_answers: Callable[[str, Mapping[str, str]], None] = lambda _interaction, _answers: None

    def first_page(self, desk: Desk, interaction: str, queue: str) -> p.ScriptPage | None:
        """The page where this agent is with this interaction; the first one at first."""
        settings = self._config.queues.get(queue)
        script = self._scripts.get(settings.script) if settings else None
        if script is None:
            return None
        key = (desk.fixed.agent, interaction)
        if key not in self._positions:
            if len(self._positions) >= LIMIT:
                del self._positions[next(iter(self._positions))]
            self._positions[key] = engine.start(script)
        return self._page(desk, interaction, script, queue)

    def answer(
        self, desk: Desk, interaction: str, queue: str, step: str, answers: Mapping[str, str], *, back: bool
    ) -> tuple[p.ScriptPage, dict[str, str]] | None:
        """The next page and all answers so far; None when there is no script here."""
        key = (desk.fixed.agent, interaction)
        position = self._positions.get(key)
        script = self._scripts.get(position.script) if position else None
        if position is None or script is None:
            return None
        problems: tuple[engine.AnswerProblem, ...] = ()
        if back:
            self._positions[key] = engine.back(position)
        else:
            result = engine.answer(
                script,
                position,
                step,
                answers,
                self._context(desk, interaction, queue).facts(desk.fixed.language),
            )
            if isinstance(result, engine.Position):
                self._positions[key] = result
                self.on_answers(interaction, answers)
            else:
                problems = result
        page = self._page(desk, interaction, script, queue, problems, answers)
        return page, dict(self._positions[key].answers)

    def script_of(self, agent: str, interaction: str) -> tuple[str, str]:
        """(script, version) the agent is in, empty when none."""
        position = self._positions.get((agent, interaction))
        return (position.script, position.version) if position else ("", "")

    def forget(self, agent: str, interaction: str) -> None:
        """The item left the desk."""
        self._positions.pop((agent, interaction), None)

    def _page(
        self,
        desk: Desk,
        interaction: str,
        script: Script,
        queue: str,
        problems: tuple[engine.AnswerProblem, ...] = (),
        given: Mapping[str, str] | None = None,
    ) -> p.ScriptPage:
        position = self._positions[desk.fixed.agent, interaction]
        shown = given if problems else None
        context = self._context(desk, interaction, queue)
        page = render.page(script, position, context, desk.fixed.language, problems, shown)
        return _to_wire(interaction, page)

    def _context(self, desk: Desk, interaction: str, queue: str) -> Context:
        contact = self._contacts.get(interaction)
        settings = self._config.queues.get(queue)
        queued_at = self._queued_at(interaction)
        waited_s = 0 if queued_at is None else max(0, self._clock() - queued_at) // 1_000_000
        return _context(
            contact,
            desk,
            self._config,
            queue,
            settings.label.text(desk.fixed.language) if settings else queue,
            waited_s,
        )


def _context(
    contact: Contact | None, desk: Desk, config: Config, queue: str, queue_label: str, waited_s: int
) -> Context:
    customer = contact.match.customer if contact else None
    return Context(
        customer_name=customer.name if customer else "",
        customer_tier=customer.tier if customer else "",
        customer_known=customer is not None,
        agent_name=desk.fixed.name,
        site_name=config.site.name,
        queue=queue,
        queue_label=queue_label,
        entered=labelled(contact, desk.fixed.language) if contact else (),
        waited_s=waited_s,
    )


def _to_wire(interaction: str, page: render.Page) -> p.ScriptPage:
    return p.ScriptPage(
        interaction=interaction,
        script=page.script,
        version=page.version,
        step=page.step,
        title=page.title,
        index=page.index,
        total=page.total,
        blocks=tuple(
            p.Block(
                kind=block.kind,  # type: ignore[arg-type]
                text=block.text,
                name=block.name,
                required=block.required,
                choices=tuple(p.Choice(value=c.value, label=c.label) for c in block.choices),
                value=block.value,
            )
            for block in page.blocks
        ),
        last=page.last,
        problems=page.problems,
    )
