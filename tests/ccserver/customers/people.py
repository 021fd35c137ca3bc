"""Invented customers for tests."""

from __future__ import annotations

from datetime import date

from ccserver.store.rows import CustomerRow

SITI = CustomerRow(
    id="cus_siti",
    external_id="1001",
    name="Siti Contoh (demo)",
    language="id",
    tier="gold",
    worth_cents=2_000_000_000,
    churn_per_mille=250,
    since=date(2019, 4, 1),
    remarks="prefers mornings",
    numbers=("+6284055500001",),
    emails=("siti@contoh.example", "s@contoh.example"),
)
JOKO = CustomerRow("cus_joko", "1002", "Joko Contoh (demo)", "id", "standard", 5_000_000, 20, None, "")
