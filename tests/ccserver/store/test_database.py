"""One database, its limits, and whose fault it was."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from sqlalchemy import text

from ccserver.store import Store, StoreUnavailable
from ccserver.store.database import engine_url
from ccserver.store.texts import clean, clean_map


@pytest.mark.parametrize(
    ("given", "driver"),
    [
        ("sqlite:///var/cc.db", "sqlite+aiosqlite"),
        ("postgres://u:p@h/d", "postgresql+asyncpg"),
        ("postgresql://u:p@h/d", "postgresql+asyncpg"),
        ("postgresql+psycopg://u:p@h/d", "postgresql+asyncpg"),
    ],
)
def test_urls_as_people_write_them(given: str, driver: str) -> None:
    assert engine_url(given).drivername == driver


def test_ssl_as_libpq_says_it() -> None:
    assert dict(engine_url("postgresql://h/d?sslmode=require").query) == {"ssl": "require"}


@pytest.mark.parametrize("given", ["mysql://h/d", "not a url", ""])
def test_other_urls_are_refused_with_what_to_write(given: str) -> None:
    with pytest.raises(ValueError, match="write sqlite:///FILE or postgresql://"):
        engine_url(given)


@pytest.mark.parametrize("url", ["postgresql://u:secret@127.0.0.1:1/x", "sqlite:////proc/nowhere.db"])
async def test_a_database_that_is_away_says_so_without_the_password(url: str) -> None:
    store = Store.open(url, timeout_s=2.0)
    with pytest.raises(StoreUnavailable) as caught:
        await store.check()
    assert "secret" not in str(caught.value)
    await store.close()


async def test_a_database_that_is_there(store: Store) -> None:
    await store.check()


async def test_a_write_that_waits_too_long_gives_up_and_the_next_one_works(store: Store) -> None:
    store.timeout_s = 0.2
    async with store.writing(20.0) as holding:
        await holding.execute(text("INSERT INTO conversations (id) VALUES ('c')"))
        with pytest.raises(StoreUnavailable):
            async with store.writing() as waiting:
                await waiting.execute(text("INSERT INTO conversations (id) VALUES ('c')"))
    store.timeout_s = 20.0
    await store.save_note("i1", "ayu", "text", 1)


async def test_what_fails_in_the_middle_leaves_nothing(store: Store) -> None:
    with pytest.raises(RuntimeError, match="in the middle"):
        await _fail_in_the_middle(store)
    async with store.reading() as connection:
        assert (await connection.execute(text("SELECT count(*) FROM conversations"))).scalar_one() == 0


async def _fail_in_the_middle(store: Store) -> None:
    async with store.writing() as connection:
        await connection.execute(text("INSERT INTO conversations (id) VALUES ('c')"))
        raise RuntimeError("in the middle")


async def test_many_readers_and_writers_at_once(store: Store) -> None:
    writes = [store.save_note(f"i{n}", "ayu", "text", n) for n in range(50)]
    reads = [store.interaction(f"i{n}") for n in range(50)]
    await asyncio.gather(*writes, *reads)
    assert len(await store.notes("i49")) == 1


async def test_a_caller_who_gives_up_does_not_break_the_store(store: Store) -> None:
    for _ in range(20):
        task = asyncio.ensure_future(store.customers_by_number("+62840"))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert await store.customers_by_number("+62840") == []


async def test_the_audit_log_is_newest_first_and_knows_the_time(store: Store) -> None:
    jakarta = datetime(2026, 1, 1, 7, tzinfo=timezone(timedelta(hours=7)))
    await store.audit("ayu", "login", "ayu", {"from": "127.0.0.1"}, jakarta)
    await store.audit("sys", "import", "customers", {}, jakarta)
    newest, oldest = await store.audit_log()
    assert (newest.action, oldest.detail) == ("import", {"from": "127.0.0.1"})
    assert oldest.at_utc == datetime(2026, 1, 1, tzinfo=UTC)


def test_the_folder_of_a_new_file_is_made(tmp_path: Path) -> None:
    Store.open(f"sqlite:///{tmp_path}/a/b/cc.db")
    assert (tmp_path / "a" / "b").is_dir()


def test_texts_are_made_fit() -> None:
    assert clean("a\x00b\ud800c") == "ab?c"
    assert len(clean("x" * 1_000, 10)) == 10
    assert len(clean_map({str(n): "v" for n in range(1_000)})) == 50
