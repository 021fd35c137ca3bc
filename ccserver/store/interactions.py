"""What is remembered of interactions: history, notes, answers, dispositions, decisions, an agent's day."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from functools import cache
from typing import Any

from sqlalchemy import Executable, Table, and_, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from ccserver.store.database import Database
from ccserver.store.rows import (
    ContactRow,
    DecisionRow,
    InteractionFacts,
    InteractionRow,
    NoteRow,
    PastInteraction,
    SegmentRow,
    TodayCounts,
)
from ccserver.store.schema import (
    decisions,
    dispositions,
    interaction_contacts,
    interactions,
    notes,
    script_answers,
    segments,
    users,
)
from ccserver.store.texts import LINE, TEXT, clean, clean_map, clean_pairs
from routing.model import OfferState

DAY_US = 24 * 3600 * 1_000_000
_OF_SEGMENT = "interaction_id", "agent_id"


def _same_segment(table: Table) -> Any:
    return and_(table.c.interaction_id == segments.c.interaction_id, table.c.agent_id == segments.c.agent_id)


_DISPOSITION = func.coalesce(dispositions.c.disposition, segments.c.disposition).label("disposition")
"""What was saved late wins."""

_SEGMENTS = (
    select(segments, _DISPOSITION.label("said"))
    .outerjoin(dispositions, _same_segment(dispositions))
    .order_by(segments.c.answered_at, segments.c.offer_id)
)


def _segment(row: Any) -> SegmentRow:
    return SegmentRow(
        offer=row.offer_id,
        interaction=row.interaction_id,
        agent=row.agent_id,
        queue=row.queue,
        answered_at=row.answered_at,
        talk_ended_at=row.talk_ended_at,
        wrap_up_ended_at=row.wrap_up_ended_at,
        ended_by=row.ended_by,
        disposition=row.said,
        finished=row.finished,
    )


def _contact(row: Any) -> ContactRow:
    return ContactRow(
        interaction=row.interaction_id,
        origin_raw=row.origin_raw,
        origin_e164=row.origin_e164,
        origin_name=row.origin_name,
        destination=row.destination,
        entered=tuple((str(name), str(value)) for name, value in row.entered),
    )


_RENAMED = {"conversation": "conversation_id", "customer": "customer_id"}
_PLAIN = tuple(
    f.name for f in fields(InteractionRow) if f.name not in {"contact", "segments"} | _RENAMED.keys()
)


class InteractionQueries(Database):
    """Every method raises StoreUnavailable when the database is away or too slow."""

    async def save_contact(self, contact: ContactRow) -> None:
        """Who is at the other end; saved again when more is known. May come before the interaction."""
        await self._save_rows(interaction_contacts, ("interaction_id",), [_contact_values(contact)])

    async def save_facts(self, interaction: str, facts: InteractionFacts) -> None:
        """What is None stays as it is. May come before the interaction itself is projected."""
        values = _facts_values(interaction, facts)
        if len(values) > 1:
            await self._save_rows(interactions, ("id",), [values])

    async def save_entries(
        self, contacts: Sequence[ContactRow], facts: Sequence[tuple[str, InteractionFacts]]
    ) -> None:
        """Many contacts and facts, each as if saved alone, in one transaction."""
        rows = [_contact_values(contact) for contact in contacts]
        if self.dialect == "postgresql":
            # The projection writes the same interactions in another order: row by row nobody deadlocks.
            if rows:
                await self._save_rows(interaction_contacts, ("interaction_id",), rows)
            for interaction, known in facts:
                await self.save_facts(interaction, known)
            return
        async with self.writing() as connection:
            if rows:
                await _upsert_rows(connection, self.dialect, interaction_contacts, ("interaction_id",), rows)
            for group in _by_columns(_facts_values(interaction, known) for interaction, known in facts):
                await _upsert_rows(connection, self.dialect, interactions, ("id",), group)

    async def save_note(self, interaction: str, agent: str, text: str, at: int) -> None:
        """The agent's note on this interaction, whole: it replaces their earlier one."""
        key = {"interaction_id": interaction, "agent_id": agent}
        await self._save(notes, key, {"text": clean(text, TEXT), "saved_at": at})

    async def save_disposition(self, interaction: str, agent: str, disposition: str, at: int) -> None:
        """After the wrap-up ran out; it wins over what the journal says."""
        key = {"interaction_id": interaction, "agent_id": agent}
        await self._save(dispositions, key, {"disposition": clean(disposition), "saved_at": at})

    async def save_script_answers(
        self, interaction: str, agent: str, script: str, version: str, answers: Mapping[str, str], at: int
    ) -> None:
        """The newest answer to each question counts."""
        common = {"agent_id": agent, "script": clean(script), "version": clean(version), "saved_at": at}
        cleaned = clean_map(answers).items()
        rows = [{"interaction_id": interaction, "name": k, "value": v, **common} for k, v in cleaned]
        if rows:
            await self._save_rows(script_answers, ("interaction_id", "name"), rows)

    async def script_answers(self, interaction: str) -> dict[str, str]:
        query = select(script_answers.c.name, script_answers.c.value)
        query = query.where(script_answers.c.interaction_id == clean(interaction))
        async with self.reading() as connection:
            rows = (await connection.execute(query.order_by(script_answers.c.name))).all()
        return {row.name: row.value for row in rows}

    async def notes(self, interaction: str) -> list[NoteRow]:
        """Oldest first."""
        query = select(notes).where(notes.c.interaction_id == clean(interaction)).order_by(notes.c.saved_at)
        async with self.reading() as connection:
            rows = (await connection.execute(query)).all()
        return [NoteRow(row.interaction_id, row.agent_id, row.text, row.saved_at) for row in rows]

    async def _save(self, table: Table, key: dict[str, Any], values: dict[str, Any]) -> None:
        await self._save_rows(table, tuple(key), [{**key, **values}])

    async def _save_rows(self, table: Table, key: tuple[str, ...], rows: list[dict[str, Any]]) -> None:
        async with self.writing() as connection:
            await _upsert_rows(connection, self.dialect, table, key, rows)

    async def interaction(self, interaction_id: str) -> InteractionRow | None:
        """With its contact and segments; late by as much as the projection is."""
        key = clean(interaction_id)
        async with self.reading() as connection:
            row = (await connection.execute(select(interactions).where(interactions.c.id == key))).first()
            if row is None:
                return None
            of_contact = select(interaction_contacts).where(interaction_contacts.c.interaction_id == key)
            contact = (await connection.execute(of_contact)).first()
            parts = await connection.execute(_SEGMENTS.where(segments.c.interaction_id == key))
            found = tuple(_segment(part) for part in parts)
        whole = {name: getattr(row, name) for name in _PLAIN}
        whole |= {name: getattr(row, column) for name, column in _RENAMED.items()}
        return InteractionRow(**whole, contact=None if contact is None else _contact(contact), segments=found)

    async def decisions(self, interaction_id: str) -> list[DecisionRow]:
        """Every offer made for it, oldest first."""
        query = select(decisions).where(decisions.c.interaction_id == clean(interaction_id))
        async with self.reading() as connection:
            rows = (await connection.execute(query.order_by(decisions.c.seq, decisions.c.offer_id))).all()
        return [
            DecisionRow(
                offer=row.offer_id,
                seq=row.seq,
                interaction=row.interaction_id,
                agent=row.agent_id,
                queue=row.queue,
                made_at=row.made_at,
                outcome=row.outcome,
                cause=row.cause,
                explanation=row.explanation,
            )
            for row in rows
        ]

    async def history(self, customer_id: str, limit: int = 10, except_for: str = "") -> list[PastInteraction]:
        """Newest first, without the interaction `except_for` (the one that is popping)."""
        recent = (
            select(interactions)
            .where(interactions.c.customer_id == clean(customer_id), interactions.c.id != clean(except_for))
            .order_by(interactions.c.arrived_at.desc().nulls_last(), interactions.c.id.desc())
            .limit(limit)
            .subquery()
        )
        query = (
            select(recent, _DISPOSITION, segments.c.agent_id, users.c.label, notes.c.text)
            .outerjoin(segments, segments.c.interaction_id == recent.c.id)
            .outerjoin(dispositions, _same_segment(dispositions))
            .outerjoin(notes, _same_segment(notes))
            .outerjoin(users, users.c.id == segments.c.agent_id)
            .order_by(recent.c.arrived_at.desc().nulls_last(), recent.c.id.desc(), segments.c.answered_at)
        )
        async with self.reading() as connection:
            rows = (await connection.execute(query)).all()
        # A row per segment; the last agent's word is the one that counts.
        return list({row.id: _past(row) for row in rows}.values())

    async def contacts_within(self, customer_id: str, days: int, now_at: int) -> int:
        """How often this customer came in the last `days` days, the present contact included."""
        query = select(func.count()).where(
            interactions.c.customer_id == clean(customer_id),
            interactions.c.arrived_at >= now_at - days * DAY_US,
        )
        async with self.reading() as connection:
            return int((await connection.execute(query)).scalar_one())

    async def agents_of_customer(self, customer_id: str, limit: int = 200) -> frozenset[str]:
        """Who talked with this customer before, for the access check."""
        query = (
            select(segments.c.agent_id)
            .join(interactions, interactions.c.id == segments.c.interaction_id)
            .where(interactions.c.customer_id == clean(customer_id))
            .distinct()
            .limit(limit)
        )
        async with self.reading() as connection:
            return frozenset((await connection.execute(query)).scalars())

    async def today_counts(self, agent: str, since_at: int) -> TodayCounts:
        """Segments begun, and offers not answered, since `since_at` (the site's midnight)."""
        handled = select(func.count()).where(
            segments.c.agent_id == clean(agent), segments.c.answered_at >= since_at
        )
        missed = select(func.count()).where(
            decisions.c.agent_id == clean(agent),
            decisions.c.made_at >= since_at,
            decisions.c.outcome == OfferState.EXPIRED.value,
        )
        both = select(handled.scalar_subquery().label("handled"), missed.scalar_subquery().label("missed"))
        async with self.reading() as connection:
            row = (await connection.execute(both)).one()
        return TodayCounts(row.handled, row.missed)


def _past(row: Any) -> PastInteraction:
    return PastInteraction(
        interaction=row.id,
        at=row.arrived_at or row.queued_at or 0,
        medium=row.medium,
        queue=row.queue,
        outcome=row.outcome,
        disposition=row.disposition or "",
        agent=row.agent_id or "",
        agent_name=row.label or "",
        note=row.text or "",
    )


def _contact_values(contact: ContactRow) -> dict[str, Any]:
    return {
        "interaction_id": contact.interaction,
        "origin_raw": clean(contact.origin_raw, LINE),
        "origin_e164": clean(contact.origin_e164),
        "origin_name": clean(contact.origin_name),
        "destination": clean(contact.destination),
        "entered": [list(pair) for pair in clean_pairs(contact.entered)],
    }


def _facts_values(interaction: str, facts: InteractionFacts) -> dict[str, Any]:
    given = {field.name: getattr(facts, field.name) for field in fields(facts)}
    values = {name: clean(v) if isinstance(v, str) else v for name, v in given.items() if v is not None}
    return {"id": interaction, **values}


def _by_columns(rows: Iterable[dict[str, Any]]) -> Iterable[list[dict[str, Any]]]:
    """Rows with the same columns go into one statement; those that say nothing are left out."""
    groups: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for row in rows:
        if len(row) > 1:
            groups.setdefault(tuple(row), []).append(row)
    return groups.values()


async def _upsert_rows(
    connection: AsyncConnection, dialect: str, table: Table, key: tuple[str, ...], rows: list[dict[str, Any]]
) -> None:
    await connection.execute(_upsert(dialect, table, key, tuple(rows[0])), rows)


@cache
def _upsert(dialect: str, table: Table, key: tuple[str, ...], columns: tuple[str, ...]) -> Executable:
    """Made once: putting a statement together costs the loop more than sending it."""
    new: Any = postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)
    changes = {name: new.excluded[name] for name in columns if name not in key}
    statement: Executable = new.on_conflict_do_update(index_elements=key, set_=changes)
    return statement
