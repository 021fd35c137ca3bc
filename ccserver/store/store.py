"""The store: every query class over one database, and the audit log.

Store ── CustomerQueries ─┐
      ── InteractionQueries ├── Database (engine, limits, errors)
      ── UserQueries ──────┤
      ── ProjectionQueries ┘
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import insert, select

from ccserver.store.apply import ProjectionQueries
from ccserver.store.customers import CustomerQueries
from ccserver.store.database import StoreConflict, StoreFault, StoreUnavailable
from ccserver.store.interactions import InteractionQueries
from ccserver.store.migrations import upgrade
from ccserver.store.rows import AuditRow
from ccserver.store.schema import audit
from ccserver.store.texts import LINE, clean, clean_map
from ccserver.store.users import UserQueries

__all__ = ["Store", "StoreConflict", "StoreFault", "StoreUnavailable"]

_MIGRATION_TIMEOUT_S = 600.0


class Store(CustomerQueries, InteractionQueries, UserQueries, ProjectionQueries):
    """`Store.open(url)`, `await migrate()`, use, `await close()`. Every method raises StoreUnavailable when
    the database is away or takes longer than `timeout_s`."""

    async def migrate(self) -> None:
        """Bring the tables to this release; two servers starting at once take turns. Raises StoreUnavailable,
        also when the database is of a later release."""
        async with self.writing(_MIGRATION_TIMEOUT_S) as connection:
            await connection.run_sync(upgrade)

    async def audit(
        self, actor: str, action: str, subject: str, detail: Mapping[str, str], at_utc: datetime
    ) -> None:
        """Who did what to which thing."""
        values = {
            "at_utc": at_utc,
            "actor": clean(actor),
            "action": clean(action),
            "subject": clean(subject, LINE),
            "detail": clean_map(detail),
        }
        async with self.writing() as connection:
            await connection.execute(insert(audit).values(values))

    async def audit_log(self, limit: int = 100) -> list[AuditRow]:
        """Newest first."""
        query = select(audit).order_by(audit.c.id.desc()).limit(limit)
        async with self.reading() as connection:
            rows = (await connection.execute(query)).all()
        return [AuditRow(row.at_utc, row.actor, row.action, row.subject, row.detail) for row in rows]
