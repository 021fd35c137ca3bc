"""Pages and their files."""

from __future__ import annotations

from pathlib import Path

from tests.fakes.web import Rig, browser


def built(folder: Path) -> Rig:
    """A rig whose pages are built into `folder`."""
    (folder / "assets").mkdir()
    (folder / "assets" / "desk-abc123.js").write_text("console.log(1);" * 100)
    (folder / "assets" / "ring-abc123.ogg").write_bytes(b"OggS")
    for page in ("login", "desk", "wallboard"):
        (folder / f"{page}.html").write_text(f"<!doctype html><title>{page}</title>")
    (folder / "secret.txt").write_text("not below assets")
    return Rig().with_settings(ui=folder)


async def test_pages_are_asked_for_anew_and_their_files_kept_for_ever(tmp_path: Path) -> None:
    async with browser(built(tmp_path)) as ayu:
        page = await ayu.get("/desk")
        script = await ayu.get("/assets/desk-abc123.js")
    assert (page.status_code, page.headers["cache-control"]) == (200, "no-cache")
    assert page.headers["content-type"].startswith("text/html")
    assert "immutable" in script.headers["cache-control"]
    assert "javascript" in script.headers["content-type"]
    assert script.headers["content-encoding"] == "gzip"
    assert script.text == "console.log(1);" * 100


async def test_files_plain_for_who_does_not_take_gzip_and_what_is_packed_already(tmp_path: Path) -> None:
    async with browser(built(tmp_path)) as ayu:
        plain = await ayu.get("/assets/desk-abc123.js", headers={"Accept-Encoding": "identity"})
        sound = await ayu.get("/assets/ring-abc123.ogg")
    assert "content-encoding" not in plain.headers
    assert (sound.content, "content-encoding" in sound.headers) == (b"OggS", False)


async def test_nothing_beside_the_assets_is_served(tmp_path: Path) -> None:
    async with browser(built(tmp_path)) as ayu:
        for path in ("..%2Fsecret.txt", "../secret.txt", "%2e%2e/secret.txt", "...", "nothing.js", "%00"):
            assert (await ayu.get(f"/assets/{path}")).status_code == 404, path


async def test_start_page_leads_to_the_desk(tmp_path: Path) -> None:
    async with browser(built(tmp_path)) as ayu:
        answer = await ayu.get("/")
    assert (answer.status_code, answer.headers["location"]) == (307, "/desk")


async def test_page_this_release_does_not_have(tmp_path: Path) -> None:
    async with browser(built(tmp_path)) as tono:
        answer = await tono.get("/admin")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")


async def test_pages_that_are_not_built_say_what_to_do(tmp_path: Path) -> None:
    async with browser(Rig().with_settings(ui=tmp_path)) as ayu:
        answer = await ayu.get("/login")
    assert answer.status_code == 503
    assert "make setup" in answer.text
