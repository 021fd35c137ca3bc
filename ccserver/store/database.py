"""One database behind two verbs, `reading()` and `writing()`: one connection, one transaction, one limit.

    DATABASE_URL          engine            notes
    sqlite:///var/cc.db   aiosqlite         WAL, foreign keys on, one writer at a time (BEGIN IMMEDIATE)
    postgresql://…        asyncpg           reads in autocommit, so that a look-up is one round trip

What goes wrong comes out as one of three errors, each saying whose fault it is:

    StoreUnavailable   the database is away, too slow, out of space or not ours: try again later
    StoreConflict      it is there already: the caller's choice
    StoreFault         it refuses the values: our fault, trying again is useless
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, Self

from sqlalchemy import URL, Connection, event, exc, make_url
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

_WRITES = "ccserver_writes"
SQLITE_BUSY_S = 5.0


class StoreUnavailable(Exception):
    """The database did not answer in time, is away or cannot write."""


class StoreConflict(Exception):
    """What was to be written is there already."""


class StoreFault(Exception):
    """The database refused the values: a fault of ours, not worth a second try."""


def engine_url(url: str) -> URL:
    """DATABASE_URL as people write it, with the driver we use. Raises ValueError saying what to write."""
    try:
        parsed = make_url(url)
    except exc.ArgumentError as error:
        raise ValueError("the database URL cannot be read; write sqlite:///FILE or postgresql://…") from error
    kind = parsed.drivername.partition("+")[0]
    if kind == "sqlite":
        return parsed.set(drivername="sqlite+aiosqlite")
    if kind in {"postgres", "postgresql"}:
        query = dict(parsed.query)
        if "sslmode" in query:
            query["ssl"] = query.pop("sslmode")
        return parsed.set(drivername="postgresql+asyncpg", query=query)
    raise ValueError(f"no database of kind {kind!r}; write sqlite:///FILE or postgresql://…")


class Database:
    """The engine and its limits; the store's query classes build on it."""

    def __init__(self, engine: AsyncEngine, timeout_s: float) -> None:
        self._engine = engine
        self.timeout_s = timeout_s
        self.dialect = engine.dialect.name
        self._turn = asyncio.Lock() if self.dialect == "sqlite" else None
        autocommit = {} if self.dialect == "sqlite" else {"isolation_level": "AUTOCOMMIT"}
        self._reader = engine.execution_options(**autocommit)
        self._writer = engine.execution_options(**{_WRITES: True})
        self._value_errors = _value_errors(self.dialect)
        self._driver_errors = _driver_errors(self.dialect)

    @classmethod
    def open(cls, url: str, timeout_s: float = 5.0) -> Self:
        """Connects when first used. Raises ValueError for a URL of another kind."""
        target = engine_url(url)
        engine = _sqlite(target) if target.drivername.startswith("sqlite") else _postgres(target, timeout_s)
        return cls(engine, timeout_s)

    async def close(self) -> None:
        await self._engine.dispose()

    async def check(self) -> None:
        """One round trip. Raises StoreUnavailable."""
        async with self.reading() as connection:
            await connection.exec_driver_sql("SELECT 1")

    @asynccontextmanager
    async def reading(self, timeout_s: float | None = None) -> AsyncIterator[AsyncConnection]:
        """Each statement sees what is committed."""
        with self._in_our_words():
            async with asyncio.timeout(timeout_s or self.timeout_s), self._reader.connect() as connection:
                yield connection

    @asynccontextmanager
    async def writing(self, timeout_s: float | None = None) -> AsyncIterator[AsyncConnection]:
        """All of the block or nothing."""
        with self._in_our_words():
            limit = asyncio.timeout(timeout_s or self.timeout_s)
            async with limit, self._one_writer(), self._writer.begin() as connection:
                yield connection

    @asynccontextmanager
    async def _one_writer(self) -> AsyncIterator[None]:
        # SQLite's own waiting for the write lock is polling in a thread; among ourselves we queue.
        if self._turn is None:
            yield
            return
        async with self._turn:
            yield

    @contextmanager
    def _in_our_words(self) -> Iterator[None]:
        try:
            yield
        except TimeoutError as error:
            raise StoreUnavailable(f"the database took longer than {self.timeout_s} s") from error
        except exc.IntegrityError as error:
            raise StoreConflict(_first_line(error.orig)) from error
        except exc.DBAPIError as error:
            if isinstance(error.orig, self._value_errors) or _caused_by(error.orig, self._value_errors):
                raise StoreFault(_first_line(error.orig).partition(":")[0]) from error
            raise StoreUnavailable(f"the database: {_first_line(error.orig)}") from error
        except (OverflowError, UnicodeError) as error:
            raise StoreFault(type(error).__name__) from error
        except self._driver_errors as error:
            raise StoreUnavailable(f"the database: {_first_line(error)}") from error


def _first_line(error: BaseException | None) -> str:
    # Drivers append the values below the first line, and for one that does not fit behind a colon; those may
    # be personal data, and errors go to the log.
    lines = str(error).splitlines() or [""]
    return f"{type(error).__name__}: {lines[0][:200]}"


def _caused_by(error: BaseException | None, kinds: tuple[type[Exception], ...]) -> bool:
    return error is not None and isinstance(error.__cause__, kinds)


def _value_errors(dialect: str) -> tuple[type[Exception], ...]:
    """What a driver raises for a value that does not fit."""
    if dialect == "sqlite":
        return (sqlite3.DataError, sqlite3.InterfaceError, OverflowError, UnicodeError)
    import asyncpg  # not loaded, and not paid for, on SQLite

    return (asyncpg.DataError,)


def _driver_errors(dialect: str) -> tuple[type[Exception], ...]:
    """What else means that the database is away; a driver's own errors come out unwrapped on connecting."""
    if dialect == "sqlite":
        return (exc.SQLAlchemyError, OSError, sqlite3.Error)
    import asyncpg

    return (exc.SQLAlchemyError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError)


def _postgres(url: URL, timeout_s: float) -> AsyncEngine:
    return create_async_engine(
        url,
        pool_size=5,
        max_overflow=5,
        pool_timeout=timeout_s,
        pool_pre_ping=True,
        connect_args={
            "timeout": timeout_s,
            "command_timeout": timeout_s,
            "server_settings": {"application_name": "ccserver", "timezone": "UTC"},
        },
    )


def _sqlite(url: URL) -> AsyncEngine:
    if url.database and url.database != ":memory:":
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_async_engine(url, connect_args={"timeout": SQLITE_BUSY_S})

    @event.listens_for(engine.sync_engine, "connect")
    def prepare(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves, below
        cursor = connection.cursor()
        for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def begin(connection: Connection) -> None:
        # Taking the write lock at once: a transaction that reads first cannot be promoted once it is stale.
        if connection.get_execution_options().get(_WRITES):
            connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine
