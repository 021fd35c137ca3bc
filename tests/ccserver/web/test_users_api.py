"""Administrators and users."""

from __future__ import annotations

from tests.fakes.web import Rig, browser

DEWI = {"name": "dewi", "label": "Dewi", "role": "agent", "password": "blue elephant 42"}


async def test_list_shows_everything_but_passwords() -> None:
    async with browser(Rig()) as tono:
        await tono.login("tono")
        answer = await tono.get("/api/v1/users")
    assert [user["name"] for user in answer.json()["users"]] == ["ayu", "budi", "sari", "tono"]
    assert set(answer.json()["users"][0]) == {"id", "name", "label", "role", "language", "disabled"}
    assert "argon2" not in answer.text


async def test_new_user_logs_in() -> None:
    rig = Rig()
    rig.desks.agents.add("dewi")
    app = rig.app()
    async with browser(rig, app) as tono, browser(rig, app) as dewi:
        await tono.login("tono")
        answer = await tono.post("/api/v1/users", json=DEWI)
        assert (answer.status_code, answer.json()["id"]) == (201, "dewi")
        assert (await dewi.login("dewi", "d1", DEWI["password"])).status_code == 200


async def test_what_cannot_be_is_refused_in_words() -> None:
    async with browser(Rig()) as tono:
        await tono.login("tono")
        for change, status, code in [
            ({"name": "AYU"}, 409, "name_taken"),
            ({"name": "a b"}, 400, "bad_name"),
            ({"password": "short"}, 400, "weak_password"),
            ({"role": "god"}, 422, "invalid"),
            ({"language": "xxx"}, 422, "invalid"),
            ({"label": ""}, 422, "invalid"),
        ]:
            answer = await tono.post("/api/v1/users", json=DEWI | change)
            assert (answer.status_code, answer.json()["error"]["code"]) == (status, code), change


async def test_disabled_user_is_logged_out_at_once() -> None:
    rig = Rig()
    app = rig.app()
    async with browser(rig, app) as tono, browser(rig, app) as ayu:
        await tono.login("tono")
        await ayu.login("ayu", "d1")
        answer = await tono.patch("/api/v1/users/ayu", json={"disabled": True})
        assert answer.json()["disabled"] is True
        assert (await ayu.get("/api/v1/me")).status_code == 401
        assert (await ayu.login("ayu", "d1")).status_code == 401
    assert rig.events == [("open", "ayu", "d1"), ("close", "ayu", "disabled")]


async def test_new_password_by_the_administrator() -> None:
    rig = Rig()
    app = rig.app()
    async with browser(rig, app) as tono, browser(rig, app) as ayu:
        await tono.login("tono")
        await ayu.login("ayu", "d1")
        assert (await tono.patch("/api/v1/users/ayu", json={"password": "short"})).status_code == 400
        assert (await ayu.get("/api/v1/me")).status_code == 200
        await tono.patch("/api/v1/users/ayu", json={"password": "blue elephant 42"})
        assert (await ayu.get("/api/v1/me")).status_code == 401
        assert (await ayu.login("ayu", "d1")).status_code == 401
        assert (await ayu.login("ayu", "d1", "blue elephant 42")).status_code == 200


async def test_new_language_and_label_disturb_nobody() -> None:
    rig = Rig()
    app = rig.app()
    async with browser(rig, app) as tono, browser(rig, app) as ayu:
        await tono.login("tono")
        await ayu.login("ayu", "d1")
        await tono.patch("/api/v1/users/ayu", json={"language": "id", "label": "Ayu L."})
        me = (await ayu.get("/api/v1/me")).json()
    assert (me["language"], me["name"]) == ("id", "Ayu L.")


async def test_administrator_cannot_lock_themselves_out() -> None:
    async with browser(Rig()) as tono:
        await tono.login("tono")
        for change in ({"disabled": True}, {"role": "agent"}):
            answer = await tono.patch("/api/v1/users/tono", json=change)
            assert (answer.status_code, answer.json()["error"]["code"]) == (409, "own_account")
        assert (await tono.patch("/api/v1/users/tono", json={"role": "admin"})).status_code == 200


async def test_unknown_user_cannot_be_changed() -> None:
    async with browser(Rig()) as tono:
        await tono.login("tono")
        assert (await tono.patch("/api/v1/users/nobody", json={"label": "X"})).status_code == 404


async def test_changes_are_audited_without_secrets() -> None:
    rig = Rig()
    async with browser(rig) as tono:
        await tono.login("tono")
        await tono.post("/api/v1/users", json=DEWI)
        await tono.patch("/api/v1/users/dewi", json={"password": "green elephant 43"})
    done = [(entry.what, entry.user, entry.subject) for entry in rig.audit.entries]
    assert done == [("login", "tono", ""), ("user_created", "tono", "dewi"), ("user_changed", "tono", "dewi")]
    assert "elephant" not in repr(rig.audit.entries)
