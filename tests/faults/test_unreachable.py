"""L1: nobody listens there, the name is nobody's, the certificate is old or another's."""

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from app import http
from tests.api.service import said
from tests.faults.stage import running

SAYS = "The AI service cannot be reached. Try again in a moment."
ANSWER = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
HERE = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
ELSEWHERE = x509.DNSName("elsewhere.invalid")


def certificate(folder: Path, whose: x509.GeneralName, days: int) -> Path:
    """Write a key and its certificate, which vouches for itself and ends in so many days."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "provider")])
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=9))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([whose]), critical=False)
        .sign(key, hashes.SHA256())
    )
    written = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    file = folder / "provider.pem"
    file.write_bytes(written + made.public_bytes(serialization.Encoding.PEM))
    return file


@asynccontextmanager
async def encrypted(file: Path, patch: pytest.MonkeyPatch) -> AsyncIterator[str]:
    """Listen with a certificate that the service trusts as far as its date and name go."""
    trust = ssl.create_default_context(cafile=str(file))
    # Certificates are read once in a process, from where only the system says.
    patch.setattr(http, "_tls", lambda: trust)
    shown = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    shown.load_cert_chain(file)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(ANSWER)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=shown)
    yield f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    server.close()


@asynccontextmanager
async def provider(kind: str, folder: Path, patch: pytest.MonkeyPatch) -> AsyncIterator[str]:
    if kind == "refused":
        with socket.socket() as bound:  # and does not listen
            bound.bind(("127.0.0.1", 0))
            yield f"http://127.0.0.1:{bound.getsockname()[1]}"
    elif kind == "no-such-name":
        yield "https://provider.invalid"
    else:
        whose, days = {"tls-old": (HERE, -1), "tls-other": (ELSEWHERE, 9)}.get(kind, (HERE, 9))
        async with encrypted(certificate(folder, whose, days), patch) as url:
            yield url


@pytest.mark.parametrize("kind", ["refused", "no-such-name", "tls-old", "tls-other"])
async def test_a_provider_that_cannot_be_reached(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with (
        provider(kind, tmp_path, monkeypatch) as url,
        running(tmp_path, upstream=url) as stage,
    ):
        shown, plain, events = await asyncio.gather(
            stage.ask(stage.somebody(), "hello"),
            stage.service.post(said("hello", user_id="a", chat_id="a")),
            stage.service.events(said("hello", user_id="b", chat_id="b")),
        )

    assert (shown.texts, shown.buttons) == ((SAYS,), ("Try again",))
    assert (plain.status_code, plain.json()["error"]) == (503, "llm_unreachable")
    assert plain.json()["response"] == SAYS
    assert [(it.name, it.data["error"]) for it in events[-1:]] == [("error", "llm_unreachable")]
    # Nobody reads there what a provider, a library or a certificate said.
    assert url not in plain.text


async def test_a_good_certificate_is_accepted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with provider("tls-good", tmp_path, monkeypatch) as url, http.open_client(url) as client:
        assert (await client.get("/")).status_code == 200
