"""The one HTTP request a robot makes: log in. Off the loop, with the standard library."""

from __future__ import annotations

import asyncio
import json
import urllib.error
import urllib.request
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import urlsplit

TIMEOUT_S = 20.0


class HttpFailed(Exception):
    """The server refused; the message is its own."""


async def post_json(url: str, body: dict[str, Any]) -> str:
    """POST `body`; the session cookie that came back, as a Cookie header. Raises HttpFailed, OSError."""
    return await asyncio.to_thread(_post, url, body)


def _post(url: str, body: dict[str, Any]) -> str:
    parts = urlsplit(url)
    headers = {"Content-Type": "application/json", "Origin": f"{parts.scheme}://{parts.netloc}"}
    request = urllib.request.Request(url, json.dumps(body).encode(), headers)
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as response:
            cookies: SimpleCookie = SimpleCookie(response.headers["Set-Cookie"])
    except urllib.error.HTTPError as error:
        raise HttpFailed(f"{error.code}: {error.read(500).decode(errors='replace')}") from error
    return "; ".join(f"{name}={morsel.value}" for name, morsel in cookies.items())
