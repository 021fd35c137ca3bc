"""Invented customers, calls and scripts for the pages. Everybody here bears the mark "(demo)"."""

from __future__ import annotations

import time
from typing import Any

from ccserver.desk import protocol as p

DAY_MS = 86_400_000


def now_ms() -> int:
    """UTC now, milliseconds."""
    return time.time_ns() // 1_000_000


REASONS = tuple(
    p.Code(code=code, label=label)
    for code, label in (("break", "Break"), ("lunch", "Lunch"), ("training", "Training"))
)
DISPOSITIONS = tuple(
    p.Code(code=code, label=label)
    for code, label in (
        ("refund", "Refund promised"),
        ("parcel", "Parcel question"),
        ("bill", "Bill explained"),
        ("fault", "Fault reported"),
        ("address", "Address changed"),
        ("complaint", "Complaint"),
        ("callback", "Follow-up needed"),
        ("wrong_number", "Wrong number"),
    )
)
DISPOSITIONS_ID = tuple(
    p.Code(code=code.code, label=label)
    for code, label in zip(
        DISPOSITIONS,
        (
            "Pengembalian dana dijanjikan",
            "Pertanyaan paket",
            "Tagihan dijelaskan",
            "Gangguan dilaporkan",
            "Perubahan alamat",
            "Keluhan",
            "Perlu tindak lanjut",
            "Salah sambung",
        ),
        strict=True,
    )
)
REASONS_ID = tuple(
    p.Code(code=code.code, label=label)
    for code, label in zip(REASONS, ("Istirahat", "Makan siang", "Pelatihan"), strict=True)
)
QUEUES = (p.Code(code="billing", label="Billing"), p.Code(code="support", label="Support"))
QUEUES_ID = (p.Code(code="billing", label="Tagihan"), p.Code(code="support", label="Layanan teknis"))

HISTORY = (
    (
        "Refund promised",
        "Billing",
        19,
        "Dewi (demo)",
        "Double charge of October. Refund of 240,000 until 25 Nov.",
    ),
    ("Bill explained", "Billing", 47, "Ani (demo)", "Asked why the bill rose; new tariff since September."),
    ("Parcel question", "Support", 120, "Joko (demo)", ""),
)


def contacts() -> tuple[p.PastContact, ...]:
    """What colleagues wrote before, newest first."""
    return tuple(
        p.PastContact(
            interaction=f"past{days}",
            at_utc_ms=now_ms() - days * DAY_MS - 3_600_000,
            medium="voice",
            queue=queue,
            outcome="answered",
            disposition=disposition,
            agent=agent,
            note=note,
        )
        for disposition, queue, days, agent, note in HISTORY
    )


def siti() -> p.CustomerCard:
    """The customer of most scenes."""
    return p.CustomerCard(
        id="c-881",
        name="Siti Rahma (demo)",
        tier="Gold",
        language="Indonesia",
        since="2019",
        numbers=("+62 812-0000-0881",),
        email="siti@example.invalid",
        remarks="Prefers to be called in the afternoon.",
    )


def pop(interaction: str = "i1", **changes: Any) -> p.Pop:
    """Siti calls billing."""
    fields: dict[str, Any] = {
        "interaction": interaction,
        "medium": "voice",
        "origin": "+6281200000881",
        "origin_label": "+62 812-0000-0881",
        "destination": "+62 21-5000-100",
        "queue": "billing",
        "queue_label": "Billing",
        "queued_utc_ms": now_ms() - 48_000,
        "match": p.Match(kind="known", confidence=97, evidence=("calls from a number we know",)),
        "customer": siti(),
        "contacts": contacts(),
        "contacts_7d": 2,
        "entered": (("Customer number", "100881"), ("Wants", "refund")),
        "why": "Speaks Indonesian, knows billing, longest idle.",
    }
    return p.Pop(**(fields | changes))


def greeting(interaction: str = "i1") -> p.ScriptPage:
    """The first page of a script."""
    return p.ScriptPage(
        interaction=interaction,
        script="support",
        version="1",
        step="greeting",
        title="Greeting",
        index=1,
        total=4,
        blocks=(
            p.Block(kind="say", text="Billing, good day, Siti Rahma, this is Ayu. How can I help you?"),
            p.Block(
                kind="hint",
                text="Already told the machine: customer number 100881, wants a refund. Do not ask again.",
            ),
        ),
    )


def verify(interaction: str = "i1", problems: tuple[str, ...] = ()) -> p.ScriptPage:
    """A page with questions."""
    return p.ScriptPage(
        interaction=interaction,
        script="support",
        version="1",
        step="verify",
        title="Verification",
        index=2,
        total=4,
        blocks=(
            p.Block(kind="say", text="For your safety: may I have your birth date, please?"),
            p.Block(
                kind="choice",
                text="Birth date",
                name="birth_date",
                required=True,
                choices=(
                    p.Choice(value="yes", label="Matches"),
                    p.Choice(value="no", label="Does not match"),
                ),
            ),
            p.Block(kind="field", text="Order or bill number", name="number"),
        ),
        problems=problems,
    )


def offer(offer_id: str = "o1", interaction: str = "i1", seconds: int = 20, **changes: Any) -> p.OfferCard:
    """A call that rings now."""
    at = now_ms()
    return p.OfferCard(
        offer=offer_id,
        interaction=interaction,
        medium="voice",
        made_utc_ms=at,
        deadline_utc_ms=at + seconds * 1000,
        pop=pop(interaction, **changes),
        script=greeting(interaction),
    )


def work(interaction: str = "i1", phase: Any = "talking", **changes: Any) -> p.WorkItem:
    """A call on the desk."""
    at = now_ms()
    fields: dict[str, Any] = {
        "interaction": interaction,
        "medium": "voice",
        "phase": phase,
        "label": "Siti Rahma (demo)",
        "queue_label": "Billing",
        "since_utc_ms": at,
        "answered_utc_ms": at,
        "wrap_up_until_utc_ms": at + 60_000 if phase == "wrap_up" else None,
        "pop": pop(interaction),
        "script": verify(interaction),
    }
    return p.WorkItem(**(fields | changes))


def missed() -> p.AgentState:
    """Taken out after a missed call."""
    return p.AgentState(status="NOT_READY", reason="missed_offers", since_utc_ms=now_ms())
