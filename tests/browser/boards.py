"""Wallboard numbers: a quiet morning, a busy one, and one with too few calls to say anything."""

from __future__ import annotations

from typing import Any

from ccserver.desk import protocol as p
from tests.browser.people import now_ms

TEAM = (
    ("Ani (demo)", "TALKING", "", 31, "Billing"),
    ("Ayu (demo)", "READY", "", 192, ""),
    ("Budi (demo)", "READY", "", 44, ""),
    ("Dewi (demo)", "TALKING", "", 842, "Billing"),
    ("Ira (demo)", "NOT_READY", "Break", 560, ""),
    ("Joko (demo)", "NOT_READY", "missed_offers", 95, ""),
    ("Rina (demo)", "RESERVED", "", 6, "Support"),
    ("Tono (demo)", "WRAP_UP", "", 190, "Billing"),
)


def agents() -> tuple[p.AgentLine, ...]:
    """Eight invented people."""
    return tuple(
        p.AgentLine(
            agent=name.split()[0].lower(),
            name=name,
            status=status,
            reason=reason,
            since_utc_ms=now_ms() - seconds * 1000,
            queue_label=queue,
            device=f"Desk {101 + i}",
        )
        for i, (name, status, reason, seconds, queue) in enumerate(TEAM)
    )


def queue(queue_id: str, label: str, **changes: Any) -> p.QueueBoard:
    """One queue's day."""
    fields: dict[str, Any] = {
        "id": queue_id,
        "label": label,
        "waiting": 0,
        "oldest_utc_ms": None,
        "ready": 2,
        "staffed": 5,
        "offered": 71,
        "answered": 69,
        "answered_in_target": 61,
        "abandoned": 2,
        "short_abandoned": 1,
        "service_level": 0.86,
        "target_s": 20,
        "asa_s": 11.4,
    }
    return p.QueueBoard(**(fields | changes))


def board(**changes: Any) -> p.Board:
    """A quiet morning."""
    at = now_ms()
    fields: dict[str, Any] = {
        "n": 0,
        "at_utc_ms": at,
        "midnight_utc_ms": at - 37_000_000,
        "site": "Nusantara Parcel (demo)",
        "waiting": 1,
        "oldest_utc_ms": at - 9_000,
        "ready": 4,
        "staffed": 8,
        "offered": 128,
        "answered": 124,
        "abandoned": 4,
        "service_level": 0.88,
        "service_level_30min": 0.86,
        "formula": "answered within 20 s ÷ (answered + abandoned after 5 s + sent elsewhere)",
        "target_s": 20,
        "asa_s": 11.0,
        "queues": (
            queue("billing", "Billing", waiting=1, oldest_utc_ms=at - 9_000),
            queue("support", "Support"),
        ),
        "agents": agents(),
        "pbx_up": True,
    }
    return p.Board(**(fields | changes))


def busy() -> dict[str, Any]:
    """What changes when it gets busy: two Watch, three Act."""
    return {
        "waiting": 3,
        "oldest_utc_ms": now_ms() - 41_000,
        "ready": 0,
        "service_level_30min": 0.78,
        "abandoned": 14,
    }
