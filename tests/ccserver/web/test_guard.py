"""The guard: hosts, HTTPS, origins, sizes, deadlines, headers. Plain ASGI, no sockets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

from ccserver.web.guard import ABORT, MAX_BODY_BYTES, Guard
from ccserver.web.ports import WebSettings

SETTINGS = WebSettings(site="Invented Ltd", hosts=("cc.example",))


async def inner(scope: Scope, receive: Receive, send: Send) -> None:
    """Reads the body and answers its size."""
    body = await Request(scope, receive).body()
    await PlainTextResponse(str(len(body)))(scope, receive, send)


async def ask(
    method: str = "GET",
    url: str = "http://localhost:8000/",
    client: str = "127.0.0.1",
    content: bytes | AsyncIterator[bytes] = b"",
    **headers: str,
) -> httpx.Response:
    """One request through the guard."""
    transport = httpx.ASGITransport(Guard(inner, SETTINGS), client=(client, 1))
    async with httpx.AsyncClient(transport=transport) as asker:
        return await asker.request(method, url, content=content, headers=headers)


@pytest.mark.parametrize(
    ("url", "client", "status"),
    [
        ("http://localhost:8000/", "127.0.0.1", 200),
        ("http://127.0.0.1/", "127.0.0.1", 200),
        ("http://[::1]:8000/", "::1", 200),
        ("https://cc.example/", "10.0.0.5", 200),
        ("https://CC.Example.:8443/", "10.0.0.5", 200),
        ("https://10.1.2.3/", "10.0.0.5", 200),
        ("https://evil.example/", "10.0.0.5", 421),
        ("http://evil.example/", "127.0.0.1", 421),
        ("http://cc.example/", "10.0.0.5", 403),
        ("http://10.1.2.3/", "10.0.0.5", 403),
    ],
)
async def test_hosts_and_https(url: str, client: str, status: int) -> None:
    assert (await ask(url=url, client=client)).status_code == status


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("http://localhost:8000", 200),
        ("HTTP://LOCALHOST:8000", 200),
        ("http://localhost", 403),
        ("https://localhost:8000", 403),
        ("http://localhost:8000.evil.example", 403),
        ("http://evil.example", 403),
        ("null", 403),
        ("", 403),
        ("http://[", 403),
        ("http://cc.example", 200),
        ("https://cc.example", 403),
    ],
)
async def test_origin_of_unsafe_requests(origin: str, status: int) -> None:
    assert (await ask("POST", origin=origin)).status_code == status
    assert (await ask("GET", origin=origin)).status_code == 200


async def test_program_without_origin_may_post() -> None:
    assert (await ask("POST")).status_code == 200


async def test_body_up_to_the_limit_and_not_beyond() -> None:
    assert (await ask("POST", content=b"x" * MAX_BODY_BYTES)).text == str(MAX_BODY_BYTES)
    answer = await ask("POST", content=b"x" * (MAX_BODY_BYTES + 1))
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "too_large")


async def test_length_that_is_no_number_is_refused() -> None:
    answer = await ask("POST", **{"content-length": "-1"})
    assert answer.status_code == 413


async def test_answers_carry_the_security_headers() -> None:
    headers = (await ask()).headers
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-store"
    assert "strict-transport-security" not in headers
    refused = await ask(url="https://evil.example/")
    assert refused.headers["x-frame-options"] == "DENY"
    assert (await ask(url="https://cc.example/")).headers["strict-transport-security"]


def scope(kind: str = "http", **headers: str) -> Scope:
    """A scope as uvicorn makes it."""
    return {
        "type": kind,
        "scheme": "http" if kind == "http" else "ws",
        "method": "GET",
        "path": "/x",
        "client": ("127.0.0.1", 1),
        "headers": [(b"host", b"localhost"), *((k.encode(), v.encode()) for k, v in headers.items())],
        "extensions": {},
    }


async def test_client_that_never_sends_its_body_gets_an_end() -> None:
    sent: list[dict[str, object]] = []

    async def never() -> dict[str, object]:
        await asyncio.Event().wait()
        raise AssertionError

    async def send(message: object) -> None:
        assert isinstance(message, dict)
        sent.append(message)

    await Guard(inner, SETTINGS, deadline_s=0.01)(scope(), never, send)
    assert sent[0]["status"] == 408


async def test_client_that_never_reads_its_answer_is_cut() -> None:
    aborted: list[bool] = []

    async def stuck(message: object) -> None:
        assert isinstance(message, dict)
        if message["type"] == "http.response.body":
            await asyncio.Event().wait()

    async def answers(scope: Scope, receive: Receive, send: Send) -> None:
        await Response(b"x")(scope, receive, send)

    async def nothing() -> dict[str, object]:
        return {"type": "http.request", "body": b"", "more_body": False}

    cut = scope()
    cut["extensions"][ABORT] = lambda: aborted.append(True)
    await Guard(answers, SETTINGS, deadline_s=0.01)(cut, nothing, stuck)
    assert aborted == [True]


async def test_timeout_of_ours_is_not_taken_for_a_stalled_client() -> None:
    async def faulty(scope: Scope, receive: Receive, send: Send) -> None:
        raise TimeoutError("ours")

    with pytest.raises(TimeoutError, match="ours"):
        await Guard(faulty, SETTINGS)(scope(), lambda: None, lambda _: None)  # type: ignore[arg-type]
