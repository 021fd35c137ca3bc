"""The screen pop: a contact, the decision that brought it here, and this agent's eyes."""

from __future__ import annotations

import msgspec

from ccserver.config import Config
from ccserver.contacts import Contact
from ccserver.customers.pop_parts import contacts_part, customer_part, match_part
from ccserver.desk import protocol as p
from ccserver.reports.explain import why_line
from routing.model import Explanation

UNKNOWN_ORIGIN = "?"
LANGUAGE_NAMES = {
    "en": {"en": "English", "id": "Inggris"},
    "id": {"en": "Indonesian", "id": "Indonesia"},
}
OUTCOME_NAMES = {
    "answered": {"en": "Answered", "id": "Dijawab"},
    "abandoned": {"en": "Hung up while waiting", "id": "Menutup saat menunggu"},
    "flowed_out": {"en": "Passed on", "id": "Diteruskan"},
    "failed": {"en": "Line failed", "id": "Sambungan gagal"},
}
ENTERED_LABELS = {
    "customer_number": {"en": "Customer number", "id": "Nomor pelanggan"},
    "language": {"en": "Language", "id": "Bahasa"},
    "need": {"en": "Wants", "id": "Keperluan"},
}


def labelled(contact: Contact, language: str) -> tuple[tuple[str, str, str], ...]:
    """What the customer told the machine: (name, label, value)."""
    return tuple(
        (name, ENTERED_LABELS.get(name, {}).get(language, name), value) for name, value in contact.entered
    )


def make_pop(
    contact: Contact,
    queue: str,
    queued_at: int,
    why: Explanation | None,
    role: str,
    language: str,
    config: Config,
) -> p.Pop:
    """What the desk shows of `contact`, in `language`, with money only where `role` may see it."""
    match = contact.match
    labels = {q.id: q.label.text(language) for q in config.queues.values()}
    return p.Pop(
        interaction=contact.interaction,
        medium=contact.medium,
        origin=contact.origin.raw[:80],
        origin_label=contact.origin.label or UNKNOWN_ORIGIN,
        destination=contact.destination,
        queue=queue,
        queue_label=labels.get(queue, queue),
        queued_utc_ms=queued_at // 1_000,
        match=match_part(match, language),
        customer=_card(contact, role, language, config),
        contacts=_contacts(contact, language, config),
        contacts_7d=contact.contacts_7d,
        entered=tuple((label, value) for _, label, value in labelled(contact, language)),
        why=why_line(why, language, labels) if why else "",
    )


def _card(contact: Contact, role: str, language: str, config: Config) -> p.CustomerCard | None:
    """The card with words where the store has codes."""
    if contact.match.customer is None:
        return None
    card = customer_part(contact.match.customer, role, contact.stake_cents)
    tier = config.worth.get(card.tier)
    spoken = LANGUAGE_NAMES.get(card.language, {}).get(language, card.language)
    return msgspec.structs.replace(
        card, tier=tier.label.text(language) if tier else card.tier, language=spoken
    )


def _contacts(contact: Contact, language: str, config: Config) -> tuple[p.PastContact, ...]:
    queues = {q.id: q.label.text(language) for q in config.queues.values()}
    codes = {d.id: d.label.text(language) for d in config.dispositions.values()}
    return tuple(
        msgspec.structs.replace(
            past,
            queue=queues.get(past.queue, past.queue),
            disposition=codes.get(past.disposition, past.disposition),
            outcome=OUTCOME_NAMES.get(past.outcome, {}).get(language, past.outcome),
        )
        for past in contacts_part(contact.history)
    )


def bare_contact_pop(
    interaction: str, medium: str, queue: str, queued_at: int, config: Config, language: str
) -> p.Pop:
    """When nothing is known of the person (a restart lost it): the call still rings, with its queue."""
    label = config.queues[queue].label.text(language) if queue in config.queues else queue
    return p.Pop(
        interaction=interaction,
        medium=medium,
        origin="",
        origin_label=UNKNOWN_ORIGIN,
        destination="",
        queue=queue,
        queue_label=label,
        queued_utc_ms=queued_at // 1_000,
        match=p.Match(kind="pending", confidence=0),
    )
