"""The built pages: `/login`, `/desk`, `/wallboard`, `/admin`, and their hashed files below `/assets/`.

Hashed files never change, so each is read (and compressed) once and kept; browsers keep them for a year.
Pages are asked for anew each time: they name the files. Who may see something is decided by the API, not by
the page.
"""

from __future__ import annotations

import gzip
import mimetypes
import re
from pathlib import Path

from fastapi import APIRouter, Request, Response
from starlette.responses import PlainTextResponse, RedirectResponse

from ccserver.web.errors import ApiError

BUILT = Path(__file__).parent / "ui" / "dist"
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
FOREVER = "public, max-age=31536000, immutable"
COMPRESSIBLE = ("text/", "application/json", "image/svg", "application/javascript")
MISSING = """The pages of ccserver are not built.

From a checkout: run `make setup` (or `make run`, which does it too), then reload.
From a package: it was made without its pages; report it to whoever built it.
"""


class Assets:
    """The hashed files, read once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._kept: dict[str, tuple[bytes, bytes | None, str]] = {}

    def answer(self, name: str, gzip_accepted: bool) -> Response:
        """The file of that name. Raises ApiError when there is none."""
        found = self._kept.get(name) or self._read(name)
        body, packed, media_type = found
        headers = {"Cache-Control": FOREVER, "Vary": "Accept-Encoding"}
        if gzip_accepted and packed is not None:
            return Response(packed, headers={**headers, "Content-Encoding": "gzip"}, media_type=media_type)
        return Response(body, headers=headers, media_type=media_type)

    def _read(self, name: str) -> tuple[bytes, bytes | None, str]:
        path = self._folder / name
        if NAME.fullmatch(name) is None or not path.is_file():
            raise ApiError(404, "not_found", "There is no such file; reload the page, it was renewed.")
        body = path.read_bytes()
        media_type = mimetypes.guess_type(name)[0] or "application/octet-stream"
        packed = gzip.compress(body, mtime=0) if media_type.startswith(COMPRESSIBLE) else None
        self._kept[name] = (body, packed, media_type)
        return self._kept[name]


def _page(folder: Path, name: str) -> Response:
    path = folder / f"{name}.html"
    if not path.is_file() and any(folder.glob("*.html")):
        raise ApiError(404, "not_found", "This release has no such page; /desk and /wallboard may be there.")
    if not path.is_file():
        return PlainTextResponse(MISSING, 503)
    return Response(path.read_bytes(), headers={"Cache-Control": "no-cache"}, media_type="text/html")


def pages(folder: Path | None) -> APIRouter:
    """The routes. `folder`: where the pages are built, None for the usual place."""
    built = folder or BUILT
    assets = Assets(built / "assets")
    router = APIRouter(include_in_schema=False)

    @router.get("/")
    async def home() -> Response:
        return RedirectResponse("/desk")

    @router.get("/login")
    async def login() -> Response:
        return _page(built, "login")

    @router.get("/desk")
    async def desk() -> Response:
        return _page(built, "desk")

    @router.get("/wallboard")
    async def wallboard() -> Response:
        return _page(built, "wallboard")

    @router.get("/admin")
    async def admin() -> Response:
        return _page(built, "admin")

    @router.get("/assets/{name}")
    async def asset(name: str, request: Request) -> Response:
        return assets.answer(name, "gzip" in request.headers.get("accept-encoding", ""))

    return router
