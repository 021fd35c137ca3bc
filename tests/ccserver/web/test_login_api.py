"""Logging in and out over HTTP: cookies, fixation, CSRF, devices, limits."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest

from ccserver.web.ports import DemoLogin, Role
from tests.fakes.web import PASSWORD, Rig, browser, served, surfer


def code(answer: httpx.Response) -> str:
    """The error's code."""
    return str(answer.json()["error"]["code"])


async def test_login_page_is_told_what_it_needs() -> None:
    async with browser(Rig()) as ayu:
        options = (await ayu.get("/api/v1/login-options")).json()
    assert options["site"] == "Invented Ltd"
    assert options["devices"][0] == {"id": "d1", "label": "Desk d1", "free": True}
    assert options["demo"] == []


async def test_demo_logins_are_told_only_when_given() -> None:
    rig = Rig()
    object.__setattr__(rig.deps, "demo", (DemoLogin("ayu", PASSWORD, Role.AGENT, "d1"),))
    async with browser(rig) as ayu:
        options = (await ayu.get("/api/v1/login-options")).json()
    assert options["demo"] == [{"name": "ayu", "password": PASSWORD, "role": "agent", "device": "d1"}]


async def test_login_opens_the_desk_and_says_who() -> None:
    rig = Rig()
    async with browser(rig) as ayu:
        answer = await ayu.login("ayu", "d1")
        me = await ayu.get("/api/v1/me")
    assert answer.status_code == 200
    assert {k: v for k, v in answer.json().items() if k != "csrf"} == {
        "agent": "ayu",
        "name": "Ayu",
        "role": "agent",
        "language": "en",
        "device": "d1",
    }
    assert me.json() == answer.json()
    assert rig.events == [("open", "ayu", "d1")]


async def test_cookie_is_out_of_reach_of_scripts_and_other_sites() -> None:
    async with browser(Rig()) as ayu:
        cookie = (await ayu.login("ayu", "d1")).headers["set-cookie"]
    assert cookie.startswith("ccserver=")
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert "Path=/" in cookie
    assert "Secure" not in cookie


async def test_cookie_over_https_is_bound_to_the_host() -> None:
    async with browser(Rig(), base_url="https://localhost") as ayu:
        cookie = (await ayu.login("ayu", "d1")).headers["set-cookie"]
        assert cookie.startswith("__Host-ccserver=")
        assert "Secure" in cookie
        assert "Domain" not in cookie
        assert (await ayu.get("/api/v1/me")).status_code == 200


async def test_planted_cookie_gains_nothing() -> None:
    rig = Rig()
    async with browser(rig) as ayu:
        ayu.cookies.set("ccserver", "planted")
        await ayu.login("ayu", "d1")
    async with browser(rig) as attacker:
        attacker.cookies.set("ccserver", "planted")
        assert (await attacker.get("/api/v1/me")).status_code == 401


async def test_logging_in_again_ends_the_session_before() -> None:
    rig = Rig()
    app = rig.app()
    async with browser(rig, app) as ayu:
        await ayu.login("ayu", "d1")
        before = ayu.cookies["ccserver"]
        await ayu.login("ayu", "d2")
        assert ayu.cookies["ccserver"] != before
        async with browser(rig, app) as thief:
            thief.cookies.set("ccserver", before)
            assert (await thief.get("/api/v1/me")).status_code == 401
        assert (await ayu.get("/api/v1/me")).json()["device"] == "d2"
    assert rig.events == [("open", "ayu", "d1"), ("open", "ayu", "d2")]


async def test_unknown_name_and_wrong_password_get_one_answer() -> None:
    async with browser(Rig()) as ayu:
        wrong = await ayu.login("ayu", "d1", "wrong")
        unknown = await ayu.login("nobody", "d1", "wrong")
    assert (wrong.status_code, wrong.content) == (unknown.status_code, unknown.content)
    assert (wrong.status_code, code(wrong)) == (401, "wrong_login")
    assert "set-cookie" not in wrong.headers


async def test_guessing_is_slowed_down_and_told_for_how_long() -> None:
    async with browser(Rig().with_settings(logins_per_minute_and_name=2)) as ayu:
        answers = [await ayu.login("ayu", "d1", "wrong") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [401, 401, 429]
    assert int(answers[2].headers["retry-after"]) >= 1


async def test_agent_needs_a_device_and_a_supervisor_does_not() -> None:
    async with browser(Rig()) as someone:
        agent = await someone.login("ayu")
        assert (agent.status_code, code(agent)) == (400, "device_needed")
        supervisor = await someone.login("sari")
        assert (supervisor.status_code, supervisor.json()["device"]) == (200, None)


async def test_unknown_device_is_refused_and_no_session_made() -> None:
    rig = Rig()
    async with browser(rig) as ayu:
        answer = await ayu.login("ayu", "d99")
    assert (answer.status_code, code(answer)) == (400, "unknown_device")
    assert rig.users.sessions == {}


async def test_two_agents_on_one_device_the_second_is_told_who_has_it() -> None:
    rig = Rig()
    app = rig.app()
    async with browser(rig, app) as ayu, browser(rig, app) as budi:
        await ayu.login("ayu", "d1")
        answer = await budi.login("budi", "d1")
        assert (answer.status_code, code(answer)) == (409, "device_in_use")
        assert answer.json()["error"]["params"] == {"who": "Ayu", "device": "d1"}
        assert (await budi.get("/api/v1/me")).status_code == 401
        assert (await ayu.get("/api/v1/me")).status_code == 200
    assert rig.events == [("open", "ayu", "d1")]


async def test_login_elsewhere_ends_the_desk_login_but_not_a_wallboards() -> None:
    rig = Rig()
    app = rig.app()
    async with browser(rig, app) as desk, browser(rig, app) as wall, browser(rig, app) as elsewhere:
        await desk.login("sari", "d1")
        await wall.login("sari")
        await elsewhere.login("sari", "d2")
        statuses = [(await page.get("/api/v1/me")).status_code for page in (desk, wall, elsewhere)]
    assert statuses == [401, 200, 200]


async def test_who_is_no_agent_of_the_configuration_is_told_so() -> None:
    rig = Rig()
    rig.desks.agents.discard("tono")
    async with browser(rig) as tono:
        answer = await tono.login("tono", "d1")
        assert (answer.status_code, code(answer)) == (403, "not_an_agent")
        assert (await tono.login("tono")).status_code == 200


async def test_logout_closes_the_desk_and_the_cookie_is_worth_nothing() -> None:
    rig = Rig()
    async with browser(rig) as ayu:
        await ayu.login("ayu", "d1")
        token = ayu.cookies["ccserver"]
        assert (await ayu.post("/api/v1/logout")).status_code == 204
        assert "ccserver" not in ayu.cookies
        ayu.cookies.set("ccserver", token)
        assert (await ayu.get("/api/v1/me")).status_code == 401
    assert rig.events == [("open", "ayu", "d1"), ("close", "ayu", "logout")]


@pytest.mark.parametrize("csrf", ["", "wrong", "\xff"])
async def test_unsafe_request_without_the_csrf_token_is_refused(csrf: str) -> None:
    async with browser(Rig()) as ayu:
        await ayu.login("ayu", "d1")
        del ayu.headers["X-CSRF-Token"]
        headers = {b"X-CSRF-Token": csrf.encode("latin-1")} if csrf else {}
        answer = await ayu.post("/api/v1/logout", headers=headers)
        assert (answer.status_code, code(answer)) == (403, "csrf")
        assert (await ayu.get("/api/v1/me")).status_code == 200


async def test_csrf_token_of_another_session_is_refused() -> None:
    rig = Rig()
    app = rig.app()
    async with browser(rig, app) as ayu, browser(rig, app) as budi:
        await ayu.login("ayu", "d1")
        await budi.login("budi", "d2")
        answer = await ayu.post("/api/v1/logout", headers={"X-CSRF-Token": budi.headers["X-CSRF-Token"]})
        assert code(answer) == "csrf"


async def test_login_from_another_sites_page_is_refused() -> None:
    async with browser(Rig()) as ayu:
        ayu.headers["Origin"] = "https://evil.example"
        answer = await ayu.login("ayu", "d1")
    assert (answer.status_code, code(answer)) == (403, "wrong_origin")


MALFORMED = [
    b"",
    b"{",
    b"[]",
    b"\xff",
    b'{"name":"ayu"}',
    b'{"name":1,"password":"x"}',
    b'{"name":"a","password":"b","x":1}',
]


@pytest.mark.parametrize("body", MALFORMED)
async def test_malformed_login_is_told_what_is_wrong(body: bytes) -> None:
    async with browser(Rig()) as ayu:
        answer = await ayu.post("/api/v1/login", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code in (400, 422)
    assert set(answer.json()) == {"error"}
    assert answer.json()["error"]["message"]


async def test_body_in_many_pieces_is_limited_too() -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(80):
            yield b"x" * 1024

    rig = Rig()
    async with served(rig) as server, surfer(server) as ayu:
        answer = await ayu.post(
            "/api/v1/login", content=pieces(), headers={"Content-Type": "application/json"}
        )
    assert (answer.status_code, code(answer)) == (413, "too_large")


async def test_logins_are_counted() -> None:
    rig = Rig()
    async with browser(rig) as ayu:
        await ayu.login("ayu", "d1")
        await ayu.login("ayu", "d1", "wrong")
    assert rig.metrics.registry.get_sample_value("ccserver_logins_total", {"outcome": "ok"}) == 1
    assert rig.metrics.registry.get_sample_value("ccserver_logins_total", {"outcome": "wrong"}) == 1


async def test_password_is_in_no_answer_and_no_audit_entry() -> None:
    rig = Rig()
    async with browser(rig) as ayu:
        text = "".join([(await ayu.login("ayu", "d1", word)).text for word in (PASSWORD, "wrong-secret")])
    assert PASSWORD not in text + repr(rig.audit.entries)
    assert "wrong-secret" not in text + repr(rig.audit.entries)
