"""Who is behind each open interaction: what the desk shows and the router must not know.

Personal data lives here (in memory) and in the store, never in the journal. Filled by the doors (call entry,
later mail and chat), read by desks, forgotten when the interaction is over and nobody works on it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from ccserver.customers.identity import IdentityMatch, Origin
from ccserver.store.rows import PastInteraction

LIMIT = 50_000


@dataclass(frozen=True, slots=True)
class Contact:
    """One interaction's person."""

    interaction: str
    medium: str
    origin: Origin
    destination: str
    language: str
    match: IdentityMatch
    history: tuple[PastInteraction, ...] = ()
    contacts_7d: int = 0
    entered: tuple[tuple[str, str], ...] = ()
    stake_cents: int | None = None

    @property
    def customer_id(self) -> str:
        """The customer's id when we are sure enough to name one, else empty."""
        return self.match.customer.id if self.match.customer else ""

    @property
    def label(self) -> str:
        """A name when known, else where the contact came from."""
        return self.match.customer.name if self.match.customer else self.origin.label


class Contacts:
    """By interaction id; at most LIMIT, oldest out first."""

    def __init__(self) -> None:
        self._by_id: dict[str, Contact] = {}
        self._watchers: list[Callable[[Contact], None]] = []

    def __len__(self) -> int:
        return len(self._by_id)

    def __contains__(self, interaction: str) -> bool:
        return interaction in self._by_id

    def get(self, interaction: str) -> Contact | None:
        """The contact, or None when it is over or from before a restart and not read again yet."""
        return self._by_id.get(interaction)

    def put(self, contact: Contact) -> None:
        """New or better knowledge; watchers (desks that show it) are told."""
        if len(self._by_id) >= LIMIT and contact.interaction not in self._by_id:
            del self._by_id[next(iter(self._by_id))]
        self._by_id[contact.interaction] = contact
        for watcher in self._watchers:
            watcher(contact)

    def improve(self, interaction: str, **changes: object) -> Contact | None:
        """Change some fields of a contact that is still of interest."""
        contact = self._by_id.get(interaction)
        if contact is None:
            return None
        better = replace(contact, **changes)  # type: ignore[arg-type]
        self.put(better)
        return better

    def drop(self, interaction: str) -> None:
        """Nobody will ask for it again."""
        self._by_id.pop(interaction, None)

    def watch(self, watcher: Callable[[Contact], None]) -> None:
        """Call `watcher` with every new or changed contact."""
        self._watchers.append(watcher)
