"""The listener: what is refused before start, TLS, proxies, slow and greedy clients."""

from __future__ import annotations

import asyncio
import datetime as dt
import ssl
from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from ccserver.web import server as module
from ccserver.web.ports import WebSettings
from ccserver.web.server import WebRefused, WebServer, check_settings
from tests.fakes.web import PASSWORD, Rig, served, surfer

WAIT_S = 20


@pytest.mark.parametrize("host", ["0.0.0.0", "10.0.0.1", "cc.example", "::"])
def test_plain_http_beyond_this_machine_is_refused_before_start(host: str) -> None:
    with pytest.raises(WebRefused, match=r"plain HTTP.*tls_certificate.*trusted_proxies"):
        check_settings(WebSettings(site="x", host=host))


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost", "127.8.8.8"])
def test_plain_http_on_this_machine_is_allowed(host: str) -> None:
    check_settings(WebSettings(site="x", host=host))


def test_certificate_or_proxy_allows_the_world() -> None:
    both = WebSettings(site="x", host="0.0.0.0", tls_certificate=Path("c"), tls_key=Path("k"))
    check_settings(both)
    check_settings(WebSettings(site="x", host="0.0.0.0", trusted_proxies=("10.0.0.0/8", "::1")))


def test_half_a_certificate_and_proxies_that_are_none_are_refused() -> None:
    with pytest.raises(WebRefused, match="only one"):
        check_settings(WebSettings(site="x", tls_certificate=Path("c")))
    for proxy in ("*", "proxy.example", "10.0.0.0/99"):
        with pytest.raises(WebRefused, match="trusted_proxies"):
            check_settings(WebSettings(site="x", trusted_proxies=(proxy,)))


async def test_port_in_use_is_an_error_with_words() -> None:
    rig = Rig()
    async with served(rig) as server:
        second = Rig().with_settings(port=server.port)
        with pytest.raises(WebRefused, match=f"port {server.port}.*Another program"):
            await WebServer(second.app(), second.deps).start()


async def test_certificate_that_is_none_is_an_error_with_words(tmp_path: Path) -> None:
    bad = tmp_path / "bad.pem"
    bad.write_text("no certificate")
    rig = Rig().with_settings(tls_certificate=bad, tls_key=bad)
    with pytest.raises(WebRefused, match=r"bad\.pem.*cannot be used"):
        await WebServer(rig.app(), rig.deps).start()


async def test_stop_without_start_and_twice_is_nothing() -> None:
    rig = Rig()
    server = WebServer(rig.app(), rig.deps)
    await server.stop()
    await server.start()
    await server.stop()
    await server.stop()


def certificate(folder: Path) -> tuple[Path, Path]:
    """(certificate, key) of an invented host, signed by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    certificate_file, key_file = folder / "cert.pem", folder / "key.pem"
    certificate_file.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return certificate_file, key_file


async def test_https_by_certificate(tmp_path: Path) -> None:
    certificate_file, key_file = certificate(tmp_path)
    rig = Rig().with_settings(host="localhost", tls_certificate=certificate_file, tls_key=key_file)
    trust = ssl.create_default_context(cafile=str(certificate_file))
    async with served(rig) as server:
        assert server.url == f"https://localhost:{server.port}"
        async with httpx.AsyncClient(base_url=server.url, verify=trust) as ayu:
            body = {"name": "ayu", "password": PASSWORD, "device": "d1"}
            answer = await ayu.post("/api/v1/login", json=body, headers={"Origin": server.url})
            assert answer.headers["set-cookie"].startswith("__Host-ccserver=")
            assert (await ayu.get("/api/v1/me")).status_code == 200


async def test_trusted_proxy_is_believed_and_others_are_not() -> None:
    forwarded = {"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "https"}
    rig = Rig().with_settings(trusted_proxies=("127.0.0.1",))
    async with served(rig) as server, surfer(server) as proxy:
        del proxy.headers["Origin"]
        proxy.headers.update(forwarded)
        await proxy.login("ayu", "d1", "wrong")
        assert rig.audit.entries[-1].address == "203.0.113.9"
        plain = await proxy.get("/api/v1/login-options", headers={"X-Forwarded-Proto": "http"})
        assert plain.json()["error"]["code"] == "https_only"
    rig = Rig()
    async with served(rig) as server, surfer(server) as liar:
        liar.headers.update(forwarded)
        await liar.login("ayu", "d1", "wrong")
        assert rig.audit.entries[-1].address == "127.0.0.1"


async def until_cut(server: WebServer, send: Callable[[asyncio.StreamWriter], Awaitable[None]]) -> bytes:
    """What a client that sends like this gets before it is cut."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    got = b""
    try:
        async with asyncio.timeout(WAIT_S):
            await send(writer)
            while piece := await reader.read(1000):
                got += piece
    except ConnectionError:
        return got
    finally:
        writer.close()
    return got


async def test_client_that_says_nothing_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "HEAD_TIMEOUT_S", 0.05)

    async def nothing(writer: asyncio.StreamWriter) -> None:
        await writer.drain()

    async with served(Rig()) as server:
        assert await until_cut(server, nothing) == b""


async def test_client_that_never_ends_its_head_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "HEAD_TIMEOUT_S", 0.05)

    async def half(writer: asyncio.StreamWriter) -> None:
        writer.write(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Slow: ")
        await writer.drain()

    async with served(Rig()) as server:
        assert await until_cut(server, half) == b""


@pytest.mark.parametrize("unit", [b"x", b"\r\nX-Many: x"])
async def test_head_without_end_is_cut(unit: bytes) -> None:
    async def endless(writer: asyncio.StreamWriter) -> None:
        writer.write(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Long: ")
        while True:
            writer.write(unit * 1000)
            await writer.drain()

    async with served(Rig()) as server:
        assert b"200" not in await until_cut(server, endless)


@pytest.mark.parametrize("rubbish", [b"\x00\xff\x16\x03\x01", b"HELO mail\r\n\r\n", b"GET /\r\n\r\n\r\n"])
async def test_rubbish_is_refused_and_others_are_served(rubbish: bytes) -> None:
    async def send(writer: asyncio.StreamWriter) -> None:
        writer.write(rubbish)
        await writer.drain()

    async with served(Rig()) as server, surfer(server) as probe:
        assert b"200 OK" not in await until_cut(server, send)
        assert (await probe.get("/healthz")).status_code == 200


async def test_connections_are_limited() -> None:
    async with served(Rig().with_settings(max_connections=3)) as server:
        opened = [await asyncio.open_connection("127.0.0.1", server.port) for _ in range(3)]
        await asyncio.sleep(0.05)

        async def nothing(writer: asyncio.StreamWriter) -> None:
            await writer.drain()

        assert await until_cut(server, nothing) == b""
        for _, writer in opened:
            writer.close()


async def test_fault_of_ours_is_answered_without_its_details() -> None:
    rig = Rig()

    def broken() -> list[object]:
        raise RuntimeError("secret detail")

    rig.desks.devices = broken  # type: ignore[assignment,method-assign]
    async with served(rig) as server, surfer(server) as ayu:
        answer = await ayu.get("/api/v1/login-options")
    assert (answer.status_code, answer.json()["error"]["code"]) == (500, "internal")
    assert "secret" not in answer.text
    assert rig.metrics.registry.get_sample_value("ccserver_errors_total", {"where": "web"}) == 1
