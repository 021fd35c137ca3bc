"""Interactions, reasons, customers, wallboard: who sees what of them."""

from __future__ import annotations

import pytest

from tests.fakes.web import Rig, browser


@pytest.mark.parametrize("path", ["interactions/{}1", "interactions/{}1/why", "customers/{}1"])
async def test_what_is_not_yours_answers_like_what_does_not_exist(path: str) -> None:
    url = "/api/v1/" + path.format(path[0])
    async with browser(Rig()) as budi:
        await budi.login("budi", "d1")
        not_yours = await budi.get(url)
        nothing = await budi.get(url.replace("i1", "i9").replace("c1", "c9"))
    assert (not_yours.status_code, not_yours.content) == (nothing.status_code, nothing.content)
    assert not_yours.status_code == 404


async def test_reasons_are_neutral_for_agents() -> None:
    rig = Rig()
    app = rig.app()
    async with browser(rig, app) as ayu, browser(rig, app) as sari:
        await ayu.login("ayu", "d1")
        await sari.login("sari")
        assert (await ayu.get("/api/v1/interactions/i1/why")).json()["lines"] == ["longest idle"]
        lines = (await sari.get("/api/v1/interactions/i1/why")).json()["lines"]
        assert lines == ["longest idle, stake 5000"]


async def test_money_of_a_customer_is_for_leaders() -> None:
    rig = Rig()
    app = rig.app()
    async with browser(rig, app) as ayu, browser(rig, app) as sari:
        await ayu.login("ayu", "d1")
        await sari.login("sari")
        agents = (await ayu.get("/api/v1/customers/c1")).json()["card"]
        leaders = (await sari.get("/api/v1/customers/c1")).json()["card"]
    assert (agents["worth_cents"], agents["stake_cents"]) == (None, None)
    assert (leaders["worth_cents"], leaders["stake_cents"]) == (9, 5)
    assert agents["name"] == leaders["name"]


async def test_interaction_is_told_whole() -> None:
    async with browser(Rig()) as ayu:
        await ayu.login("ayu", "d1")
        detail = (await ayu.get("/api/v1/interactions/i1")).json()
    assert (detail["id"], detail["customer"], detail["agents"]) == ("i1", "c1", ["ayu"])


async def test_reading_is_audited() -> None:
    rig = Rig()
    async with browser(rig) as sari:
        await sari.login("sari")
        await sari.get("/api/v1/interactions/i1")
        await sari.get("/api/v1/customers/c1")
        await sari.get("/api/v1/customers/c9")
    done = [(entry.what, entry.subject) for entry in rig.audit.entries[1:]]
    assert done == [("interaction_read", "i1"), ("customer_read", "c1")]


async def test_wallboard_with_names_for_leaders_only() -> None:
    rig = Rig()
    app = rig.app()
    async with browser(rig, app) as ayu, browser(rig, app) as sari:
        await ayu.login("ayu", "d1")
        await sari.login("sari")
        assert (await ayu.get("/api/v1/wallboard")).json()["waiting"] == 0
        assert (await sari.get("/api/v1/wallboard")).json()["waiting"] == 1


async def test_ids_of_any_kind_are_only_ids() -> None:
    async with browser(Rig()) as sari:
        await sari.login("sari")
        for hostile in ("x" * 5000, "%27%20OR%201=1", "%00", "..%2F..", "%F0%9F%92%A9"):
            assert (await sari.get(f"/api/v1/interactions/{hostile}")).status_code == 404
