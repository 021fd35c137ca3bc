"""The same main path on a real PostgreSQL; and a look-up that is really slow there."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator

import asyncpg
import pytest

from channels.asterisk.pbx.instance import PbxInstance
from channels.asterisk.pbx.world import World
from tests.acceptance.centre import Centre
from tests.acceptance.steps import BILLING, SITI, STRANGER, finish, pop_that, remembered, talking
from tests.pbx.conftest import on_loop
from tests.real_postgres import running_postgres

pytestmark = [pytest.mark.pbx, pytest.mark.postgres]


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """A real PostgreSQL."""
    with running_postgres() as address:
        yield address


@pytest.fixture(scope="module")
def running(
    tmp_path_factory: pytest.TempPathFactory, real_pbx: PbxInstance, outside: World, url: str
) -> Iterator[Centre]:
    """ccserver on it, from migration and import on."""
    env = {**os.environ, "DATABASE_URL": url}
    made = Centre(tmp_path_factory.mktemp("postgres"), real_pbx, outside, agents=("ayu", "budi"), env=env)
    try:
        on_loop(made.__aenter__)
        yield made
    finally:
        on_loop(made.stop)
    assert made.faults() == []


async def test_a_call_is_recognised_answered_and_remembered_in_postgresql(centre: Centre, url: str) -> None:
    ayu = await centre.desk("ayu")
    call, interaction = await talking(centre, ayu, caller=SITI)
    pop = await pop_that(ayu, lambda pop: pop["customer"] is not None)
    assert pop["customer"]["name"] == "Siti Contoh (test)"
    await call.hang_up()
    await ayu.until("work", lambda f: f["item"]["phase"] == "wrap_up")
    assert (await finish(ayu, interaction, "refund", "kept in PostgreSQL"))["ok"]
    detail = await remembered(centre, interaction)
    assert [(s["agent"], s["disposition"], s["note"]) for s in detail["segments"]] == [
        ("ayu", "refund", "kept in PostgreSQL")
    ]
    connection = await asyncpg.connect(url)
    try:
        assert await connection.fetchval("SELECT outcome FROM interactions WHERE id = $1", interaction) == (
            "answered"
        )
    finally:
        await connection.close()
    assert "Ayu (test)" in await centre.cli("explain", interaction)


async def test_a_slow_look_up_delays_no_call_and_its_late_answer_updates_pop_and_place(
    centre: Centre, url: str
) -> None:
    """Customers' numbers are locked; when they are free again, the dear caller overtakes the stranger."""
    budi = await centre.desk("budi")
    await centre.world.robot("a2", ring_s=30)
    connection = await asyncpg.connect(url)
    try:
        transaction = connection.transaction()
        await transaction.start()
        await connection.execute("LOCK TABLE customer_numbers IN ACCESS EXCLUSIVE MODE")
        began = asyncio.get_running_loop().time()
        await centre.world.call("+6281299990001", BILLING, patience_s=40)
        offer = (await budi.until("offer"))["offer"]
        assert asyncio.get_running_loop().time() - began < 2, "the call waits 50 ms for the look-up at most"
        assert offer["pop"]["customer"] is None
        await centre.world.call(STRANGER, BILLING, patience_s=40)
        await budi.until("queues", lambda f: any(q["waiting"] == 1 for q in f["queues"]))
        dear = await centre.world.call(SITI, BILLING, patience_s=40)
        await budi.until("queues", lambda f: any(q["waiting"] == 2 for q in f["queues"]))
        await transaction.rollback()
    finally:
        await connection.close()
    ayu = await centre.desk("ayu", ready=False)
    await centre.world.robot("a1", ring_s=0.2)
    await asyncio.sleep(0.5)
    await ayu.do("ready")
    first = (await ayu.until("offer"))["offer"]
    assert first["pop"]["customer"]["name"] == "Siti Contoh (test)"
    await dear.until_heard()
