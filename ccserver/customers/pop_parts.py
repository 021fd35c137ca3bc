"""Parts of the screen pop, from what the store knows and for the eyes of whoever sees it. Pure.

match_part      who this is, how sure, and why        in the agent's language
customer_part   the card; money only for roles that may see it
contacts_part   the last contacts, newest first
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ccserver.customers.identity import Evidence, IdentityMatch
from ccserver.desk import protocol
from ccserver.store.rows import CustomerRow, PastInteraction

MONEY_ROLES = frozenset({"supervisor", "admin"})
MAX_NOTE_CHARS = 500
"""Of a past note on a pop; the whole note is in the history."""
LANGUAGES = ("en", "id")

EVIDENCE_WORDS: dict[str, dict[Evidence, str]] = {
    "en": {
        Evidence.NUMBER: "calls from a number we know",
        Evidence.NUMBER_SHARED: "several customers use this number",
        Evidence.ENTERED: "entered this customer number",
        Evidence.ENTERED_UNKNOWN: "entered a customer number that nobody has",
        Evidence.DISAGREE: "number and entered customer number belong to different customers",
        Evidence.NO_NUMBER: "the number is withheld",
        Evidence.NOT_A_NUMBER: "what was sent is not a number",
        Evidence.EXTENSION: "calls from an extension of ours",
        Evidence.NOBODY: "nobody has this number yet",
        Evidence.LOOKUP_LATE: "still looking",
        Evidence.LOOKUP_FAILED: "could not be looked up",
    },
    "id": {
        Evidence.NUMBER: "menelepon dari nomor yang kita kenal",
        Evidence.NUMBER_SHARED: "beberapa pelanggan memakai nomor ini",
        Evidence.ENTERED: "memasukkan nomor pelanggan ini",
        Evidence.ENTERED_UNKNOWN: "memasukkan nomor pelanggan yang tidak terdaftar",
        Evidence.DISAGREE: "nomor telepon dan nomor pelanggan milik orang yang berbeda",
        Evidence.NO_NUMBER: "nomornya disembunyikan",
        Evidence.NOT_A_NUMBER: "yang dikirim bukan nomor",
        Evidence.EXTENSION: "menelepon dari ekstensi kita",
        Evidence.NOBODY: "nomor ini belum terdaftar",
        Evidence.LOOKUP_LATE: "masih dicari",
        Evidence.LOOKUP_FAILED: "tidak dapat dicari",
    },
}


def may_see_money(role: str) -> bool:
    """Worth, stake and risk are for supervisors and administrators."""
    return role in MONEY_ROLES


def match_part(match: IdentityMatch, language: str = "en") -> protocol.Match:
    """In words of `language` (English when we do not speak it). A look-up that is late is `pending`."""
    words = EVIDENCE_WORDS.get(language, EVIDENCE_WORDS["en"])
    pending = Evidence.LOOKUP_LATE in match.evidence
    return protocol.Match(
        kind="pending" if pending else match.kind.value,
        confidence=round(match.confidence * 100),
        evidence=tuple(words[evidence] for evidence in match.evidence),
        candidates=tuple(
            protocol.Candidate(customer=one.id, name=one.name, tier=one.tier) for one in match.candidates
        ),
    )


def customer_part(
    customer: CustomerRow,
    role: str,
    stake_cents: int | None = None,
    label_of: Callable[[str], str] = str,
) -> protocol.CustomerCard:
    """`stake_cents` of the present interaction; `label_of` gives a number as people write it."""
    money = may_see_money(role)
    return protocol.CustomerCard(
        id=customer.id,
        name=customer.name,
        tier=customer.tier,
        language=customer.language,
        since="" if customer.since is None else customer.since.isoformat(),
        numbers=tuple(label_of(number) for number in customer.numbers),
        email=customer.emails[0] if customer.emails else "",
        remarks=customer.remarks,
        worth_cents=customer.worth_cents if money else None,
        stake_cents=stake_cents if money else None,
    )


def contacts_part(history: Sequence[PastInteraction]) -> tuple[protocol.PastContact, ...]:
    """In the order given, which is the newest first."""
    return tuple(
        protocol.PastContact(
            interaction=past.interaction,
            at_utc_ms=past.at // 1000,
            medium=past.medium,
            queue=past.queue,
            outcome=past.outcome,
            disposition=past.disposition,
            agent=past.agent_name or past.agent,
            note=past.note[:MAX_NOTE_CHARS],
        )
        for past in history
    )
