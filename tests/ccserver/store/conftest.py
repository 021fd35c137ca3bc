"""Every test with `store` runs on SQLite and on a real PostgreSQL."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Coroutine, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest
import pytest_twisted
from sqlalchemy import text
from twisted.internet.defer import Deferred

from ccserver.store import Store
from ccserver.store.schema import metadata
from tests.real_postgres import running_postgres

T = TypeVar("T")

BOTH = ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]
_EMPTY = "TRUNCATE " + ", ".join(table.name for table in metadata.sorted_tables)


def wait(work: Coroutine[Any, Any, T]) -> T:
    """Run it on the loop, from a fixture."""
    result: T = pytest_twisted.blockon(Deferred.fromFuture(asyncio.ensure_future(work)))
    return result


async def _migrated(url: str) -> None:
    store = Store.open(url)
    await store.migrate()
    await store.close()


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A migrated database, the same one for all tests of this run."""
    with running_postgres() as url:
        wait(_migrated(url))
        yield url


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated file, copied for each test."""
    path = tmp_path_factory.mktemp("sqlite") / "template.db"
    wait(_migrated(f"sqlite:///{path}"))
    return path


async def _emptied(store: Store) -> None:
    async with store.writing() as connection:
        await connection.execute(text(_EMPTY))


@pytest.fixture(params=BOTH)
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database with empty tables."""
    if request.param == "sqlite":
        path = tmp_path / "store.db"
        shutil.copy(request.getfixturevalue("sqlite_template"), path)
        return f"sqlite:///{path}"
    url: str = request.getfixturevalue("postgres_url")
    store = Store.open(url)
    wait(_emptied(store))
    wait(store.close())
    return url


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    store = Store.open(store_url)
    yield store
    wait(store.close())
