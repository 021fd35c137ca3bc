"""Customers: looked up by number, kept by import."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Select, bindparam, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from ccserver.store.database import Database
from ccserver.store.rows import CustomerDraft, CustomerRow, Saved
from ccserver.store.schema import customer_emails, customer_numbers, customers
from ccserver.store.texts import LINE, clean

MAX_ADDRESSES = 10
"""Numbers, and e-mail addresses, per customer."""
_IMPORT_TIMEOUT_S = 120.0
_AT_ONCE = 200
_MANY = 1_000

_WHOLE = (
    select(
        customers,
        customer_numbers.c.e164,
        customer_numbers.c.position.label("number_position"),
        customer_emails.c.address,
        customer_emails.c.position.label("email_position"),
    )
    .outerjoin(customer_numbers, customer_numbers.c.customer_id == customers.c.id)
    .outerjoin(customer_emails, customer_emails.c.customer_id == customers.c.id)
    .order_by(customers.c.id, customer_numbers.c.position, customer_emails.c.position)
)
"""A customer is a row per (number, address): at most 100, and one round trip."""

_BY_NUMBER = _WHOLE.where(
    customers.c.id.in_(
        select(customers.c.id)
        .join(customer_numbers, customer_numbers.c.customer_id == customers.c.id)
        .where(customer_numbers.c.e164 == bindparam("e164"))
        .order_by(customers.c.worth_cents.desc(), customers.c.id)
        .limit(bindparam("most"))
    )
)
"""Made once, for every call asks it: putting it together costs the loop more than the answer."""


def _gathered(rows: Iterable[Any]) -> list[CustomerRow]:
    found: dict[str, CustomerRow] = {}
    numbers: dict[str, dict[str, None]] = {}
    emails: dict[str, dict[str, None]] = {}
    for row in rows:
        if row.id not in found:
            found[row.id] = _customer(row)
        if row.e164 is not None:
            numbers.setdefault(row.id, {})[row.e164] = None
        if row.address is not None:
            emails.setdefault(row.id, {})[row.address] = None
    return [
        replace(customer, numbers=tuple(numbers.get(key, ())), emails=tuple(emails.get(key, ())))
        for key, customer in found.items()
    ]


def _customer(row: Any) -> CustomerRow:
    return CustomerRow(
        id=row.id,
        external_id=row.external_id,
        name=row.name,
        language=row.language,
        tier=row.tier,
        worth_cents=row.worth_cents,
        churn_per_mille=row.churn_per_mille,
        since=row.since,
        remarks=row.remarks,
    )


def _values(draft: CustomerDraft) -> dict[str, Any]:
    return {
        "name": clean(draft.name),
        "language": clean(draft.language),
        "tier": clean(draft.tier),
        "worth_cents": draft.worth_cents,
        "churn_per_mille": draft.churn_per_mille,
        "since": draft.since,
        "remarks": clean(draft.remarks, LINE),
    }


def _same(customer: CustomerRow, draft: CustomerDraft) -> bool:
    kept = {name: getattr(customer, name) for name in _values(draft)}
    wanted = _addresses(draft.numbers), _addresses(draft.emails)
    return kept == _values(draft) and (customer.numbers, customer.emails) == wanted


def _addresses(given: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(clean(one) for one in given))[:MAX_ADDRESSES]


class CustomerQueries(Database):
    """Every method raises StoreUnavailable when the database is away or too slow."""

    async def customers_by_number(self, e164: str, limit: int = 5) -> list[CustomerRow]:
        """Those who use this number, the worthiest first."""
        found = await self._customers(_BY_NUMBER, {"e164": clean(e164), "most": limit})
        return sorted(found, key=lambda customer: (-customer.worth_cents, customer.id))

    async def customer(self, customer_id: str) -> CustomerRow | None:
        found = await self._customers(_WHOLE.where(customers.c.id == clean(customer_id)))
        return found[0] if found else None

    async def customer_by_external_id(self, external_id: str) -> CustomerRow | None:
        """By the customer number that they know themselves by."""
        found = await self._customers(_WHOLE.where(customers.c.external_id == clean(external_id)))
        return found[0] if found else None

    async def _customers(self, query: Select[Any], values: dict[str, Any] | None = None) -> list[CustomerRow]:
        async with self.reading() as connection:
            return _gathered((await connection.execute(query, values)).all())

    async def save_customers(self, drafts: Sequence[CustomerDraft]) -> Saved:
        """All or none. The external id decides who is who; numbers and addresses are replaced by those given.
        Raises StoreFault when a value cannot be stored."""
        total = Saved()
        async with self.writing(_IMPORT_TIMEOUT_S) as connection:
            for start in range(0, len(drafts), _AT_ONCE):
                done = await self._save_some(connection, drafts[start : start + _AT_ONCE])
                total = Saved(
                    total.added + done.added, total.changed + done.changed, total.unchanged + done.unchanged
                )
            if self.dialect == "postgresql" and total.added >= _MANY:
                # Until PostgreSQL counts them by itself, it reads the whole table to find one caller.
                await connection.exec_driver_sql("ANALYZE customers, customer_numbers, customer_emails")
        return total

    async def _save_some(self, connection: AsyncConnection, drafts: Sequence[CustomerDraft]) -> Saved:
        by_id = {clean(draft.external_id): draft for draft in drafts}
        known_rows = await connection.execute(_WHOLE.where(customers.c.external_id.in_(list(by_id))))
        known = {row.external_id: row for row in _gathered(known_rows.all())}
        changed = [k for k, draft in by_id.items() if k in known and not _same(known[k], draft)]
        added = [k for k in by_id if k not in known]
        ids = {key: known[key].id if key in known else _new_id() for key in by_id}
        stamp = {"changed_utc": datetime.now(UTC)}
        new = [{"id": ids[k], "external_id": k, **_values(by_id[k]), **stamp} for k in added]
        if new:
            await connection.execute(insert(customers), new)
        for key in changed:
            change = update(customers).where(customers.c.id == ids[key])
            await connection.execute(change.values(**_values(by_id[key]), **stamp))
        await _replace_addresses(connection, {ids[k]: by_id[k] for k in (*added, *changed)})
        return Saved(len(added), len(changed), len(by_id) - len(added) - len(changed))


def _new_id() -> str:
    # A pseudonym: the journal carries it, and it says nothing once the row is erased.
    return f"cus_{secrets.token_hex(10)}"


async def _replace_addresses(connection: AsyncConnection, drafts: dict[str, CustomerDraft]) -> None:
    tables = (customer_numbers, "e164", "numbers"), (customer_emails, "address", "emails")
    for table, column, name in tables:
        await connection.execute(delete(table).where(table.c.customer_id.in_(list(drafts))))
        rows = [
            {"customer_id": customer, column: value, "position": position}
            for customer, draft in drafts.items()
            for position, value in enumerate(_addresses(getattr(draft, name)))
        ]
        if rows:
            await connection.execute(insert(table), rows)
