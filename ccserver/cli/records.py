"""Commands about what is kept: `explain`, `journal export`, `replay`, `import`, `migrate`.

They work beside a running server: the journal is only read, the database asked as the server asks it.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeVar

from ccserver import journal
from ccserver.cli.faults import OperatorFault
from ccserver.config import Config
from ccserver.recovery import Recovered
from ccserver.recovery import replay as replay_into
from ccserver.store.store import Store

T = TypeVar("T")
SHOWN_DIFFERENCES = 20
SHOWN_MISTAKES = 20


def with_store(config: Config, work: Callable[[Store], Awaitable[T]]) -> T:
    """Open the database, do `work`, close it. Raises StoreUnavailable, OperatorFault."""

    async def whole() -> T:
        try:
            store = Store.open(config.database_url)
        except ValueError as error:
            raise OperatorFault(str(error)) from error
        try:
            return await work(store)
        finally:
            with suppress(OSError):
                await store.close()

    return asyncio.run(whole())


def migrated(config: Config) -> str:
    """Raises StoreUnavailable."""
    config.server.data_dir.mkdir(parents=True, exist_ok=True)

    async def work(store: Store) -> None:
        await store.migrate()

    with_store(config, work)
    return "The database is of this release."


def imported(config: Config, file: Path) -> str:
    """Customers from a CSV file, all or none. Raises OperatorFault with every mistake, StoreUnavailable."""
    from ccserver.customers.importing import BadImport, Rules, import_customers

    async def work(store: Store) -> str:
        saved = await import_customers(store, file, Rules(config.site.region, tuple(config.worth)))
        return f"{saved.added} customers added, {saved.changed} changed, {saved.unchanged} as they were."

    try:
        return with_store(config, work)
    except OSError as error:
        raise OperatorFault(f"cannot read {file}: {error.strerror}") from error
    except BadImport as error:
        lines = [f"{file}:{mistake.line}: {mistake.words}" for mistake in error.mistakes[:SHOWN_MISTAKES]]
        more = len(error.mistakes) - len(lines)
        rest = [f"… and {more} more"] if more else []
        raise OperatorFault("\n".join([*lines, *rest, "Nothing was imported."])) from error


def explained(config: Config, interaction_id: str, language: str = "en") -> str:
    """Raises OperatorFault when there is no such interaction, StoreUnavailable."""
    from ccserver.reports.explain import explain

    async def work(store: Store) -> str:
        interaction = await store.interaction(interaction_id)
        if interaction is None:
            raise OperatorFault(
                f"there is no interaction {interaction_id!r}; the desk and the log show its id"
            )
        decisions = await store.decisions(interaction_id)
        names = _names(config, language)
        customer = await store.customer(interaction.customer) if interaction.customer else None
        if customer is not None:
            names[customer.id] = customer.name
        return explain(interaction, decisions, names, "supervisor", language)

    return with_store(config, work)


def _names(config: Config, language: str) -> dict[str, str]:
    queues = {queue.id: queue.label.text(language) for queue in config.queues.values()}
    return queues | {agent.id: agent.name for agent in config.agents.values()}


@dataclass(frozen=True, slots=True)
class Replayed:
    """What a replay found."""

    words: str
    differences: tuple[int, ...]


def replayed(folder: Path) -> Replayed:
    """Raises OperatorFault when there is no journal, JournalDamaged."""
    _need_journal(folder)
    state = Recovered()
    replay_into(state, journal.read(folder))
    differences = tuple(state.differences)
    if not differences:
        return Replayed(f"{state.replayed} records: this release decides the same in all of them.", ())
    shown = ", ".join(map(str, differences[:SHOWN_DIFFERENCES]))
    more = " …" if len(differences) > SHOWN_DIFFERENCES else ""
    words = f"{state.replayed} records; this release decides otherwise in {len(differences)}: {shown}{more}"
    return Replayed(words, differences)


def exported(folder: Path, since: int = 0) -> Iterator[str]:
    """Each record as one JSON line, pseudonymous. Raises OperatorFault, JournalDamaged."""
    _need_journal(folder)
    names = Pseudonyms()
    for record in journal.read(folder, since):
        line = {
            "seq": record.seq,
            "at": record.at,
            "event": type(record.event).__name__,
            "facts": names.replace(asdict(record.event)),
            "effects": [[type(effect).__name__, names.replace(asdict(effect))] for effect in record.effects],
        }
        yield json.dumps(line, separators=(",", ":"), default=str)


def _need_journal(folder: Path) -> None:
    if not journal.files(folder):
        raise OperatorFault(f"there is no journal in {folder}; name its folder, or start the server once")


class Pseudonyms:
    """Made-up names in place of agents, customers and phones, the same within one export."""

    KINDS = {  # noqa: RUF012 (a constant table)
        "agent": "agent",
        "agents": "agent",
        "candidates": "agent",
        "runner_up": "agent",
        "customer": "customer",
        "device": "device",
        "session": "session",
    }

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], str] = {}

    def replace(self, value: Any, key: str = "") -> Any:
        """The same structure, with names replaced where `key` says what they are."""
        kind = self.KINDS.get(key, "")
        if isinstance(value, dict):
            return {name: self.replace(inner, self._inner(kind, name)) for name, inner in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.replace(inner, key) for inner in value]
        if isinstance(value, str) and key == "by":
            return self._known.get(("agent", value), value)
        return self._made_up(kind, value) if kind and isinstance(value, str) and value else value

    @staticmethod
    def _inner(kind: str, name: str) -> str:
        """The `id` inside a list of agents is an agent."""
        return "agent" if kind == "agent" and name == "id" else name

    def _made_up(self, kind: str, name: str) -> str:
        number = sum(1 for known_kind, _ in self._known if known_kind == kind) + 1
        return self._known.setdefault((kind, name), f"{kind}-{number}")
