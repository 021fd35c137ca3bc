"""The store's whole interface. Being filled in; signatures are settled."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Self

from ccserver.store.rows import (
    AuditRow,
    ContactRow,
    CustomerRow,
    DecisionRow,
    ImportReport,
    InteractionFacts,
    InteractionRow,
    PastInteraction,
    Role,
    TodayCounts,
    UserRow,
    WebSessionRow,
)


class StoreUnavailable(Exception):
    """The database did not answer in time or is away."""


class StoreConflict(Exception):
    """What was to be written is there already (a user name, say)."""


class Store:
    """Every method raises StoreUnavailable when the database is away or takes longer than `timeout_s`."""

    @classmethod
    def open(cls, url: str, timeout_s: float = 5.0) -> Self:
        """`url`: sqlite:///path, sqlite+aiosqlite:///path, postgresql://… (as DATABASE_URL says it)."""
        raise NotImplementedError

    async def migrate(self) -> None: ...
    async def check(self) -> None:
        """One round trip, for /readyz."""

    async def close(self) -> None: ...

    # customers
    async def customers_by_number(self, e164: str, limit: int = 5) -> list[CustomerRow]:
        raise NotImplementedError

    async def customer(self, customer_id: str) -> CustomerRow | None:
        raise NotImplementedError

    async def customer_by_external_id(self, external_id: str) -> CustomerRow | None:
        raise NotImplementedError

    async def history(self, customer_id: str, limit: int = 10, before: str = "") -> list[PastInteraction]:
        """Newest first; `before` leaves out the interaction being popped."""
        raise NotImplementedError

    async def contacts_within(self, customer_id: str, days: int, now_at: int) -> int:
        raise NotImplementedError

    async def import_customers(self, rows: Iterable[Mapping[str, str]], region: str) -> ImportReport:
        raise NotImplementedError

    # interactions
    async def save_contact(self, contact: ContactRow) -> None: ...
    async def save_facts(self, interaction: str, facts: InteractionFacts) -> None: ...
    async def save_note(self, interaction: str, agent: str, text: str, at: int) -> None:
        """The agent's note on this interaction, whole: replaces their earlier one."""

    async def save_script_answers(
        self, interaction: str, agent: str, script: str, version: str, answers: Mapping[str, str], at: int
    ) -> None: ...

    async def save_disposition(self, interaction: str, agent: str, disposition: str, at: int) -> None:
        """After the wrap-up ran out."""

    async def interaction(self, interaction_id: str) -> InteractionRow | None:
        raise NotImplementedError

    async def decisions(self, interaction_id: str) -> list[DecisionRow]:
        raise NotImplementedError

    async def today_counts(self, agent: str, since_at: int) -> TodayCounts:
        raise NotImplementedError

    # users
    async def create_user(
        self,
        name: str,
        display_name: str,
        role: Role,
        password_hash: str,
        *,
        language: str = "en",
        user_id: str = "",
    ) -> UserRow:
        """Raises StoreConflict when name or id is taken."""
        raise NotImplementedError

    async def user(self, user_id: str) -> UserRow | None:
        raise NotImplementedError

    async def user_by_name(self, name: str) -> UserRow | None:
        raise NotImplementedError

    async def users(self) -> list[UserRow]:
        raise NotImplementedError

    async def set_password_hash(self, user_id: str, password_hash: str) -> None: ...
    async def set_user(
        self,
        user_id: str,
        *,
        display_name: str | None = None,
        role: Role | None = None,
        language: str | None = None,
        disabled: bool | None = None,
    ) -> None: ...

    async def login_failed(self, user_id: str, locked_until_utc: datetime | None) -> int:
        """Counts it and sets the lock; the new count."""
        raise NotImplementedError

    async def login_succeeded(self, user_id: str) -> None: ...

    # web sessions
    async def create_web_session(self, session: WebSessionRow) -> None: ...
    async def web_session(self, token_hash: str, now_utc: datetime) -> WebSessionRow | None:
        """None when unknown or expired."""
        raise NotImplementedError

    async def touch_web_session(self, token_hash: str, seen_utc: datetime, expires_utc: datetime) -> None: ...
    async def set_web_session_device(self, token_hash: str, device: str) -> None: ...
    async def delete_web_session(self, token_hash: str) -> None: ...
    async def delete_web_sessions_of(self, user_id: str) -> int:
        raise NotImplementedError

    async def delete_expired_web_sessions(self, now_utc: datetime) -> int:
        raise NotImplementedError

    # audit
    async def audit(
        self, actor: str, action: str, subject: str, detail: Mapping[str, object], at_utc: datetime
    ) -> None: ...
    async def audit_log(self, limit: int = 100) -> list[AuditRow]:
        raise NotImplementedError
