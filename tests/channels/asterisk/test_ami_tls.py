"""AMI over TLS: the right certificate is accepted, a wrong one refused unless the operator says so."""

from __future__ import annotations

import asyncio
import datetime
import ipaddress
import ssl
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from channels.asterisk.ami_client import (
    AmiAddress,
    AmiCallbacks,
    AmiClient,
    AmiLogin,
    AmiTls,
    LoopClock,
)
from channels.asterisk.standin.server import AmiSession, StandIn

WAIT_S = 20.0
DAY = datetime.timedelta(days=1)


def certificate(folder: Path, name: str) -> tuple[Path, Path]:
    """A self-signed certificate for 127.0.0.1 and its key, as PEM files."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - DAY)
        .not_valid_after(now + DAY)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False
        )
        .sign(key, hashes.SHA256())
    )
    certificate_file, key_file = folder / f"{name}.pem", folder / f"{name}.key"
    certificate_file.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return certificate_file, key_file


async def outcome(own: tuple[Path, Path], tls: AmiTls) -> str:
    """What comes of a client with `tls` at a PBX with that certificate: `up`, or why not."""
    from twisted.internet import reactor

    loop = asyncio.get_running_loop()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*own)
    async with StandIn() as pbx:
        server = await loop.create_server(lambda: AmiSession(pbx), "127.0.0.1", 0, ssl=context)
        port = server.sockets[0].getsockname()[1]
        up = asyncio.Event()
        client = AmiClient(
            AmiAddress("main", "127.0.0.1", port, tls),
            AmiLogin(pbx.user, pbx.secret),
            AmiCallbacks(lambda _pbx, _message: None, lambda _pbx: up.set(), lambda _pbx, _why: None),
            reactor=reactor,
            clock=LoopClock(loop),
        )
        client.start()
        async with asyncio.timeout(WAIT_S):
            while not client.up and client.last_error == "not connected yet":
                await asyncio.sleep(0.01)
        if client.up:
            assert (await client.action("Ping"))["Ping"] == "Pong"
        said = "up" if client.up else client.last_error
        await client.stop()
        server.close()
    return said


async def test_the_given_authority_is_trusted(tmp_path: Path) -> None:
    own = certificate(tmp_path, "pbx")
    assert await outcome(own, AmiTls(ca_file=own[0])) == "up"


async def test_an_unknown_authority_is_refused(tmp_path: Path) -> None:
    other, _ = certificate(tmp_path, "other")
    said = await outcome(certificate(tmp_path, "pbx"), AmiTls(ca_file=other))
    assert "certificate verify failed" in said


async def test_the_systems_authorities_do_not_know_it_either(tmp_path: Path) -> None:
    said = await outcome(certificate(tmp_path, "pbx"), AmiTls())
    assert "certificate verify failed" in said


async def test_another_name_is_refused(tmp_path: Path) -> None:
    own = certificate(tmp_path, "pbx")
    said = await outcome(own, AmiTls(ca_file=own[0], host_name="pbx.example"))
    assert "pbx.example" in said


async def test_the_operator_can_switch_verification_off(tmp_path: Path) -> None:
    assert await outcome(certificate(tmp_path, "pbx"), AmiTls(verify=False)) == "up"


async def test_a_ca_file_that_is_none_is_said_at_once(tmp_path: Path) -> None:
    with pytest.raises(OSError, match=r"none\.pem"):
        await outcome(certificate(tmp_path, "pbx"), AmiTls(ca_file=tmp_path / "none.pem"))
