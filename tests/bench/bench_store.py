"""The database: how fast it follows the journal, what that costs the loop, and how fast a caller is found.

On SQLite and on a real PostgreSQL, in one run. Records are a random working day of the real router. The limit
beside us is the same number of plain rows put in by the bare driver, a transaction per 100. `held`: CPU time
of the loop between two ticks of a timer of 1 ms, which is how long others had to wait for it at most.

    python -m tests.bench.bench_store
"""

from __future__ import annotations

import asyncio
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from typing import Any

from ccserver.store import Store
from ccserver.store.projection import Projector, Record
from ccserver.store.rows import CustomerDraft
from tests.ccserver.store.shifts import Shift
from tests.real_postgres import running_postgres

RECORDS = 20_000
CUSTOMERS = 20_000
LOOKUPS = 2_000
ROWS_PER_TRANSACTION = 100

Row = dict[str, Any]


def _row(who: str, figure: str, value: float, unit: str) -> Row:
    return {"bench": "store", "who": who, "figure": figure, "value": round(value, 2), "unit": unit}


async def _timer(held_ms: list[float]) -> None:
    """CPU time of the loop's thread from one tick to the next; other programs on the machine do not count."""
    while True:
        begin = time.thread_time()
        await asyncio.sleep(0.001)
        held_ms.append((time.thread_time() - begin) * 1_000)


def _share(sorted_values: list[float], share: float) -> float:
    return sorted_values[min(len(sorted_values) - 1, int(len(sorted_values) * share))]


async def _projection(store: Store, who: str, records: list[Any]) -> list[Row]:
    def read_since(seq: int) -> Iterator[Record]:
        return (record for record in records if record.seq > seq)

    projector = Projector(store, "bench", read_since, lambda: 0)
    held_ms: list[float] = []
    begin, cpu = time.perf_counter(), time.process_time()
    tasks = [asyncio.ensure_future(projector.run()), asyncio.ensure_future(_timer(held_ms))]
    if not await projector.drain(600):
        raise RuntimeError("the projection did not end")
    took_s, cpu_s = time.perf_counter() - begin, time.process_time() - cpu
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    held_ms.sort()
    return [
        _row(who, "journal records projected", RECORDS / took_s, "records/s"),
        _row(who, "CPU per record", cpu_s / RECORDS * 1e6, "µs"),
        _row(who, "loop held while projecting, p99 (goal 5)", _share(held_ms, 0.99), "ms"),
        _row(who, "loop held while projecting, longest", held_ms[-1], "ms"),
    ]


async def _lookups(store: Store, who: str) -> list[Row]:
    drafts = [
        CustomerDraft(f"K{n}", f"N{n}", numbers=(f"+62840{n:08}", f"+62841{n:08}")) for n in range(CUSTOMERS)
    ]
    await store.save_customers(drafts)
    took_ms = []
    for n in range(LOOKUPS):
        begin = time.perf_counter()
        await store.customers_by_number(f"+62840{n * 7 % CUSTOMERS:08}")
        took_ms.append((time.perf_counter() - begin) * 1_000)
    took_ms.sort()
    figure = f"caller found among {CUSTOMERS:,} (goal 50)"
    return [
        _row(who, f"{figure}, p50", _share(took_ms, 0.5), "ms"),
        _row(who, f"{figure}, p99", _share(took_ms, 0.99), "ms"),
    ]


async def _measure(url: str, who: str, records: list[Any]) -> list[Row]:
    store = Store.open(url)
    await store.migrate()
    rows = [*await _projection(store, who, records), *await _lookups(store, who)]
    await store.close()
    return rows


def _bare_sqlite(path: str) -> Row:
    database = sqlite3.connect(path, isolation_level=None)
    database.execute("PRAGMA journal_mode=WAL")
    database.execute("CREATE TABLE plain (seq INTEGER PRIMARY KEY, at INTEGER, words TEXT)")
    begin = time.perf_counter()
    for start in range(0, RECORDS, ROWS_PER_TRANSACTION):
        rows = [(seq, seq, "x" * 200) for seq in range(start, start + ROWS_PER_TRANSACTION)]
        database.execute("BEGIN")
        database.executemany("INSERT INTO plain VALUES (?, ?, ?)", rows)
        database.execute("COMMIT")
    took_s = time.perf_counter() - begin
    database.close()
    return _row("bare sqlite3 (limit)", "plain rows put in", RECORDS / took_s, "records/s")


def run() -> list[Row]:
    """The table. Goals: the loop held at most 5 ms; a caller found within 50 ms."""
    records = Shift(1, ("", *(f"cus_{n}" for n in range(2_000)))).work(RECORDS)
    with tempfile.TemporaryDirectory() as folder:
        rows = [_bare_sqlite(f"{folder}/bare.db")]
        rows += asyncio.run(_measure(f"sqlite:///{folder}/store.db", "ours on SQLite", records))
    with running_postgres() as url:
        rows += asyncio.run(_measure(url, "ours on PostgreSQL", records))
    return rows


if __name__ == "__main__":
    for row in run():
        print(f"{row['who']:24} {row['figure']:48} {row['value']:>12,} {row['unit']}")
