"""Changes of the journal, carried out: a few statements for many records, in one transaction.

`projection_state` holds the last sequence number per epoch of the journal; records up to it are left out, so
that applying the same records twice changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

from sqlalchemy import Executable, bindparam, func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from ccserver.store.changes import EndTalk, EndWrapUp, Merged, Put, Record, Set, changes_of, merge
from ccserver.store.database import Database
from ccserver.store.schema import interactions, metadata, projection_state, segments

REPEAT_WITHIN_US = 7 * 24 * 3600 * 1_000_000
_ROWS_AT_ONCE = 100
"""The database library prepares a list of rows in one go, on the loop: keep it short."""


class ProjectionQueries(Database):
    """Every method raises StoreUnavailable when the database is away, StoreFault when it refuses a value."""

    async def projected(self, epoch: str) -> tuple[int, int]:
        """(sequence number, router time) of the last record in the database; (-1, 0) at first."""
        query = select(projection_state.c.seq, projection_state.c.at).where(projection_state.c.epoch == epoch)
        async with self.reading() as connection:
            row = (await connection.execute(query)).first()
        return (-1, 0) if row is None else (row.seq, row.at)

    async def project(self, epoch: str, records: Sequence[Record]) -> None:
        """All of them, in order, or none; those that are in the database already are left out."""
        if not records:
            return
        async with self.writing() as connection:
            if self.dialect == "postgresql":
                # The journal is the truth and is on disk: nobody needs to wait for this disk too.
                await connection.exec_driver_sql("SET LOCAL synchronous_commit TO OFF")
            done = await self._lock_state(connection, epoch)
            new = [record for record in records if record.seq > done]
            if not new:
                return
            merged = merge(change for record in new for change in changes_of(record))
            await self._apply(connection, epoch, merged)
            state = {"seq": new[-1].seq, "at": new[-1].at}
            await connection.execute(
                update(projection_state).where(projection_state.c.epoch == epoch).values(**state)
            )

    async def _lock_state(self, connection: AsyncConnection, epoch: str) -> int:
        """The row is locked (PostgreSQL), so that two projections of one journal take turns."""
        new = {"epoch": epoch, "seq": -1, "at": 0}
        await connection.execute(self._insert(projection_state).values(new).on_conflict_do_nothing())
        query = select(projection_state.c.seq).where(projection_state.c.epoch == epoch).with_for_update()
        return int((await connection.execute(query)).scalar_one())

    def _insert(self, table: Any) -> Any:
        return postgresql.insert(table) if self.dialect == "postgresql" else sqlite.insert(table)

    async def _apply(self, connection: AsyncConnection, epoch: str, merged: Merged) -> None:
        for table, values, first, rows in _grouped(merged.puts.values(), epoch):
            await _execute(connection, _put(self.dialect, table, values, first), rows)
        for table, values, _, rows in _grouped(merged.sets.values(), epoch):
            await _execute(connection, _set(table, values), rows)
        for column in ("transfers", "offers_missed"):
            counts = [
                {"b_id": a.interaction, "b_by": n} for a, n in merged.adds.items() if a.column == column
            ]
            await _execute(connection, _add(column), counts)
        await _execute(connection, _end_talk(), [_bound(change) for change in merged.end_talks])
        await _execute(connection, _end_wrap_up(), [_bound(change) for change in merged.end_wrap_ups])
        await _execute(connection, _sum_times(), [{"b_id": key} for key in merged.sums])
        await _execute(connection, _link_repeats(), [{"b_id": key} for key in merged.links])


async def _execute(connection: AsyncConnection, statement: Executable, rows: list[dict[str, Any]]) -> None:
    for start in range(0, len(rows), _ROWS_AT_ONCE):
        await connection.execute(statement, rows[start : start + _ROWS_AT_ONCE])


_Group = tuple[str, tuple[str, ...], tuple[str, ...], list[dict[str, Any]]]


def _grouped(changes: Iterable[Put | Set], epoch: str) -> list[_Group]:
    """Rows of one table with the same columns go into one statement."""
    groups: dict[tuple[str, tuple[str, ...], tuple[str, ...]], list[dict[str, Any]]] = {}
    for change in changes:
        first = change.first if isinstance(change, Put) else {}
        row: dict[str, Any] = {**change.values, **first}
        row |= {f"b_{name}": part for name, part in zip(_key_columns(change.table), change.key, strict=False)}
        if change.table == "agent_states":
            row |= {"b_epoch": epoch, "b_seq": change.key[0], "b_place": change.key[1]}
        signature = change.table, tuple(sorted(change.values)), tuple(sorted(first))
        groups.setdefault(signature, []).append(row)
    return [(*signature, rows) for signature, rows in groups.items()]


@cache
def _key_columns(table: str) -> tuple[str, ...]:
    return tuple(column.name for column in metadata.tables[table].primary_key)


@cache
def _put(dialect: str, table: str, values: tuple[str, ...], first: tuple[str, ...]) -> Executable:
    target = metadata.tables[table]
    keys = _key_columns(table)
    inserting: Any = postgresql.insert(target) if dialect == "postgresql" else sqlite.insert(target)
    bound = {name: bindparam(f"b_{name}", type_=target.c[name].type) for name in keys}
    bound |= {name: bindparam(name, type_=target.c[name].type) for name in (*values, *first)}
    inserting = inserting.values(bound)
    changes = {name: inserting.excluded[name] for name in values}
    changes |= {name: func.coalesce(target.c[name], inserting.excluded[name]) for name in first}
    statement: Executable = inserting.on_conflict_do_update(index_elements=list(keys), set_=changes)
    return statement


@cache
def _set(table: str, values: tuple[str, ...]) -> Executable:
    target = metadata.tables[table]
    statement = update(target).values({name: bindparam(name, type_=target.c[name].type) for name in values})
    for name in _key_columns(table):
        statement = statement.where(target.c[name] == bindparam(f"b_{name}"))
    return statement


@cache
def _add(column: str) -> Executable:
    changed = interactions.c[column]
    return (
        update(interactions)
        .where(interactions.c.id == bindparam("b_id"))
        .values({column: changed + bindparam("b_by")})
    )


def _bound(change: EndTalk | EndWrapUp) -> dict[str, Any]:
    return {f"b_{name}": getattr(change, name) for name in change.__slots__}


@cache
def _end_talk() -> Executable:
    return (
        update(segments)
        .where(
            segments.c.interaction_id == bindparam("b_interaction"),
            segments.c.agent_id == bindparam("b_agent"),
            segments.c.talk_ended_at.is_(None),
            segments.c.answered_at <= bindparam("b_at"),
        )
        .values(talk_ended_at=bindparam("b_at"), ended_by=bindparam("b_by"))
    )


@cache
def _end_wrap_up() -> Executable:
    return (
        update(segments)
        .where(
            segments.c.interaction_id == bindparam("b_interaction"),
            segments.c.agent_id == bindparam("b_agent"),
            segments.c.wrap_up_ended_at.is_(None),
            segments.c.talk_ended_at <= bindparam("b_at"),
        )
        .values(
            wrap_up_ended_at=bindparam("b_at"),
            disposition=bindparam("b_disposition"),
            finished=bindparam("b_finished"),
        )
    )


@cache
def _sum_times() -> Executable:
    def total(duration: Any) -> Any:
        mine = segments.c.interaction_id == interactions.c.id
        return select(func.coalesce(func.sum(duration), 0)).where(mine).scalar_subquery()

    talk = total(segments.c.talk_ended_at - segments.c.answered_at)
    wrap_up = total(segments.c.wrap_up_ended_at - segments.c.talk_ended_at)
    changing = update(interactions).where(interactions.c.id == bindparam("b_id"))
    return changing.values(talk_us=talk, wrap_up_us=wrap_up)


@cache
def _link_repeats() -> Executable:
    """The interaction itself, those that named it so far, and the same customer's in the week after it."""
    this, before = interactions.alias("this"), interactions.alias("before")
    customer = select(this.c.customer_id).where(this.c.id == bindparam("b_id")).scalar_subquery()
    arrived = select(this.c.arrived_at).where(this.c.id == bindparam("b_id")).scalar_subquery()
    predecessor = (
        select(before.c.id)
        .where(
            before.c.customer_id == interactions.c.customer_id,
            before.c.customer_id != "",
            before.c.arrived_at >= interactions.c.arrived_at - REPEAT_WITHIN_US,
            or_(
                before.c.arrived_at < interactions.c.arrived_at,
                (before.c.arrived_at == interactions.c.arrived_at) & (before.c.id < interactions.c.id),
            ),
        )
        .order_by(before.c.arrived_at.desc(), before.c.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    after = (
        (interactions.c.customer_id == customer)
        & (interactions.c.customer_id != "")
        & (interactions.c.arrived_at >= arrived)
        & (interactions.c.arrived_at <= arrived + REPEAT_WITHIN_US)
    )
    near = or_(interactions.c.id == bindparam("b_id"), interactions.c.repeat_of == bindparam("b_id"), after)
    return update(interactions).where(near).values(repeat_of=func.coalesce(predecessor, ""))
