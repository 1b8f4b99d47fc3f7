"""nginx and caddy with the files of deploy/, on ports of their own, before a real service."""

import asyncio
import contextlib
import datetime as dt
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import httpx
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from simulator.ports import free_port
from tests.deploy.tools import DEPLOY, SEARCH, every, found

NAME = "arash.example.org"
START_SECONDS = 15.0
NGINX = """
daemon off;
user root;
worker_processes 1;
pid {folder}/nginx.pid;
error_log stderr;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/arash.conf;
}}
"""


class Named(httpx.AsyncHTTPTransport):
    """Asks for NAME, whatever address it connects to."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        request.extensions["sni_hostname"] = NAME
        request.headers["Host"] = NAME
        return await super().handle_async_request(request)


@dataclass(frozen=True, slots=True)
class Proxy:
    base: str
    plain: str  # without TLS
    trust: ssl.SSLContext

    def client(self, address: str = "127.0.0.1") -> httpx.AsyncClient:
        """Return a client that calls from one of this machine's addresses."""
        transport = Named(verify=self.trust, local_address=address)
        return httpx.AsyncClient(base_url=self.base, transport=transport, timeout=20)


def certificate(folder: Path) -> tuple[Path, Path]:
    """Write a certificate for NAME that signs itself, and its key; return both files."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    files = folder / "tls.crt", folder / "tls.key"
    files[0].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    files[1].write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return files


@contextlib.asynccontextmanager
async def nginx(folder: Path, *ports: int) -> AsyncIterator[Proxy]:
    """Run nginx before instances on `ports`: one, or two."""
    crt, key = certificate(folder)
    tls, plain = free_port(), free_port()
    first, *more = ports
    changes = {
        "listen 80;": f"listen 127.0.0.1:{plain};",
        "listen 443 ssl": f"listen 127.0.0.1:{tls} ssl",
        "listen [::]:80;": "",
        "listen [::]:443 ssl http2;": "",
        f"/etc/letsencrypt/live/{NAME}/fullchain.pem": str(crt),
        f"/etc/letsencrypt/live/{NAME}/privkey.pem": str(key),
        "127.0.0.1:8001": f"127.0.0.1:{first}",
    }
    if more:
        changes["# server 127.0.0.1:8002"] = f"server 127.0.0.1:{more[0]}"
    text = every((DEPLOY / "nginx" / "arash.conf").read_text(), changes)
    (folder / "arash.conf").write_text(text)
    (folder / "nginx.conf").write_text(NGINX.format(folder=folder))
    command = ("nginx", "-p", str(folder), "-c", str(folder / "nginx.conf"))
    async with _running(folder, *command):
        yield await _reached(crt, tls, plain)


@contextlib.asynccontextmanager
async def caddy(folder: Path, *ports: int) -> AsyncIterator[Proxy]:
    """Run caddy before instances on `ports`: one, or two."""
    crt, key = certificate(folder)
    tls, plain = free_port(), free_port()
    first, *more = ports
    options = f"{{\n\tadmin off\n\thttp_port {plain}\n\thttps_port {tls}\n\tservers {{"
    changes = {
        "{\n\tservers {": options,
        "\ttls {": f"\tbind 127.0.0.1\n\ttls {crt} {key} {{",
        "reverse_proxy 127.0.0.1:8001": f"reverse_proxy 127.0.0.1:{first}",
    }
    if more:
        changes["# to 127.0.0.1:8002"] = f"to 127.0.0.1:{more[0]}"
    text = every((DEPLOY / "caddy" / "Caddyfile").read_text(), changes)
    (folder / "Caddyfile").write_text(text)
    command = ("caddy", "run", "--config", str(folder / "Caddyfile"), "--adapter", "caddyfile")
    async with _running(folder, *command):
        yield await _reached(crt, tls, plain)


@contextlib.asynccontextmanager
async def _running(folder: Path, *command: str) -> AsyncIterator[None]:
    log = folder / "proxy.log"
    with log.open("wb") as out:
        process = await asyncio.create_subprocess_exec(
            found(command[0]) or command[0],
            *command[1:],
            env={"PATH": SEARCH, "HOME": str(folder), "XDG_DATA_HOME": str(folder)},
            stdout=out,
            stderr=out,
        )
    try:
        yield
    finally:
        if process.returncode is None:
            process.terminate()
        assert await process.wait() == 0, log.read_text()[-2000:]


async def _reached(crt: Path, tls: int, plain: int) -> Proxy:
    async with asyncio.timeout(START_SECONDS):
        for port in (tls, plain):
            while True:
                try:
                    _, writer = await asyncio.open_connection("127.0.0.1", port)
                except OSError:
                    await asyncio.sleep(0.02)
                    continue
                writer.close()
                break
    trust = ssl.create_default_context(cafile=str(crt))
    return Proxy(f"https://127.0.0.1:{tls}", f"http://127.0.0.1:{plain}", trust)
