"""Models and migrations say the same, on both databases."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, inspect, text

from ccserver.store import Store, StoreUnavailable
from ccserver.store.schema import metadata
from tests.real_postgres import database


@asynccontextmanager
async def _postgres(url: str, name: str) -> AsyncIterator[Store]:
    admin = Store.open(url)
    outside = admin._engine.execution_options(isolation_level="AUTOCOMMIT")
    async with outside.connect() as connection:
        await connection.execute(text(f"CREATE DATABASE {name}"))
    store = Store.open(database(url, name))
    try:
        yield store
    finally:
        await store.close()
        async with outside.connect() as connection:
            await connection.execute(text(f"DROP DATABASE {name}"))
        await admin.close()


@asynccontextmanager
async def _sqlite(folder: Path, name: str) -> AsyncIterator[Store]:
    store = Store.open(f"sqlite:///{folder}/{name}.db")
    try:
        yield store
    finally:
        await store.close()


def _described(connection: Connection) -> dict[str, Any]:
    """Everything about the tables that a database knows."""
    inspector = inspect(connection)
    return {
        name: {
            "columns": sorted(
                (c["name"], str(c["type"]), c["nullable"], str(c["default"]))
                for c in inspector.get_columns(name)
            ),
            "key": inspector.get_pk_constraint(name),
            "foreign": sorted(map(str, inspector.get_foreign_keys(name))),
            "unique": sorted(map(str, inspector.get_unique_constraints(name))),
            "indexes": sorted(map(str, inspector.get_indexes(name))),
        }
        for name in inspector.get_table_names()
        if name != "alembic_version"
    }


async def _compare(modelled: Store, migrated: Store) -> None:
    async with modelled.writing() as connection:
        await connection.run_sync(metadata.create_all)
        by_model = await connection.run_sync(_described)
    await migrated.migrate()
    async with migrated.reading() as connection:
        by_migration = await connection.run_sync(_described)
    assert by_migration == by_model


async def test_models_and_migrations_agree_on_sqlite(tmp_path: Path) -> None:
    async with _sqlite(tmp_path, "modelled") as modelled, _sqlite(tmp_path, "migrated") as migrated:
        await _compare(modelled, migrated)


@pytest.mark.postgres
async def test_models_and_migrations_agree_on_postgres(postgres_url: str) -> None:
    modelled, migrated = _postgres(postgres_url, "modelled"), _postgres(postgres_url, "migrated")
    async with modelled as one, migrated as other:
        await _compare(one, other)


@pytest.mark.postgres
async def test_two_servers_that_start_at_once_take_turns(postgres_url: str) -> None:
    async with _postgres(postgres_url, "together") as one:
        other = Store.open(database(postgres_url, "together"))
        await asyncio.gather(one.migrate(), other.migrate())
        await other.close()


async def test_migrating_again_changes_nothing(store: Store) -> None:
    await store.save_note("i1", "ayu", "kept", 1)
    await store.migrate()
    assert [note.text for note in await store.notes("i1")] == ["kept"]


async def test_a_database_of_a_later_release_is_refused_in_words(tmp_path: Path) -> None:
    async with _sqlite(tmp_path, "later") as store:
        await store.migrate()
        async with store.writing() as connection:
            await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
        with pytest.raises(StoreUnavailable, match="made by a later release"):
            await store.migrate()
