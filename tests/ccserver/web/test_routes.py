"""Every route by every role, from one table; and every route described in OpenAPI."""

from __future__ import annotations

import json

import pytest
from fastapi.routing import APIRoute

from ccserver.web.ports import Role
from tests.fakes.web import Rig, browser

# What nobody, agent ayu (i1 and c1 are hers), agent budi, the supervisor and the administrator get.
ROUTES: dict[tuple[str, str], tuple[int, int, int, int, int]] = {
    ("GET", "/api/v1/login-options"): (200, 200, 200, 200, 200),
    ("POST", "/api/v1/login"): (422, 422, 422, 422, 422),
    ("GET", "/api/v1/me"): (401, 200, 200, 200, 200),
    ("GET", "/api/v1/interactions/{interaction}"): (401, 200, 404, 200, 200),
    ("GET", "/api/v1/interactions/{interaction}/why"): (401, 200, 404, 200, 200),
    ("GET", "/api/v1/customers/{customer}"): (401, 200, 404, 200, 200),
    ("GET", "/api/v1/wallboard"): (401, 200, 200, 200, 200),
    ("GET", "/api/v1/users"): (401, 403, 403, 403, 200),
    ("POST", "/api/v1/users"): (401, 403, 403, 403, 422),
    ("PATCH", "/api/v1/users/{user_id}"): (401, 403, 403, 403, 422),
    ("POST", "/api/v1/logout"): (401, 204, 204, 204, 204),
}
WHO = (None, "ayu", "budi", "sari", "tono")
IDS = {"{interaction}": "i1", "{customer}": "c1", "{user_id}": "ayu"}


def api_routes(rig: Rig) -> list[APIRoute]:
    """All of them, however they were added."""
    found, todo = [], list(rig.app().routes)
    while todo:
        route = todo.pop()
        todo += getattr(route, "routes", [])
        if isinstance(route, APIRoute):
            found.append(route)
    return found


async def test_table_knows_every_route() -> None:
    async with browser(Rig()) as anyone:
        schema = (await anyone.get("/api/openapi.json")).json()
    described = {(method.upper(), path) for path, methods in schema["paths"].items() for method in methods}
    assert described == set(ROUTES)


@pytest.mark.parametrize("column", range(len(WHO)), ids=[str(who) for who in WHO])
async def test_every_route_by_every_role(column: int) -> None:
    rig = Rig()
    async with browser(rig) as someone:
        name = WHO[column]
        if name is not None:
            await someone.login(name, "d1")
        found = {}
        for method, path in ROUTES:
            url = path
            for placeholder, value in IDS.items():
                url = url.replace(placeholder, value)
            # A body that is no object, so that who may do it gets 422 and nothing is changed.
            content = b"[]" if method != "GET" and path != "/api/v1/logout" else None
            answer = await someone.request(method, url, content=content)
            found[(method, path)] = answer.status_code
    assert found == {route: statuses[column] for route, statuses in ROUTES.items()}


async def test_every_refusal_has_the_one_shape() -> None:
    async with browser(Rig()) as anyone:
        for method, path in [*ROUTES, ("GET", "/api/v1/nothing"), ("DELETE", "/api/v1/me")]:
            answer = await anyone.request(method, path)
            if answer.status_code >= 400:
                assert set(answer.json()) == {"error"}, path
                assert set(answer.json()["error"]) == {"code", "message", "params"}, path
                assert answer.headers["content-type"] == "application/json"


async def test_openapi_is_3_1_whole_and_in_words() -> None:
    async with browser(Rig()) as anyone:
        schema = (await anyone.get("/api/openapi.json")).json()
    assert schema["openapi"].startswith("3.1")
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            assert operation["description"], (method, path)
            for status, answer in operation["responses"].items():
                assert answer["description"], (method, path, status)
                if status != "204":
                    assert answer["content"]["application/json"]["schema"], (method, path, status)
    text = json.dumps(schema)
    names = set(schema["components"]["schemas"])
    assert {part.split('"')[0] for part in text.split("#/components/schemas/")[1:]} <= names
    assert "password_hash" not in text


async def test_openapi_names_what_the_user_interface_reads() -> None:
    async with browser(Rig()) as anyone:
        schemas = (await anyone.get("/api/openapi.json")).json()["components"]["schemas"]
    assert set(schemas["Me"]["required"]) == {"agent", "name", "role", "language", "device", "csrf"}
    assert set(schemas["Role"]["enum"]) == {role.value for role in Role}
    assert {"Board", "CustomerCard", "PastContact", "InteractionDetail"} <= set(schemas)
