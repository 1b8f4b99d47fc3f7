"""Planted secrets: whatever is said and whatever fails, they are found nowhere afterwards."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import httpx

from simulator.openrouter import OpenRouterWorld, create_openrouter
from simulator.openrouter.world import KEY
from simulator.plume import PARTNER, PlumeWorld, addresses, create_plume
from tests.api.service import bearer, said
from tests.processes import Service
from tests.servers import serve

COMMANDS = (
    "/start", "/help", "/network", "/status", "/wan", "/stats 24h", "/nodes", "/wifi", "/devices",
    "/speed", "/incidents", "/check", "/grants", "/locations", "/cancel", "/settings",
)  # fmt: skip
REPORTS = ("status", "wan", "stats", "nodes", "wifi", "devices", "speed", "incidents", "check")
FAULTS = ("error:500", "html", "cut", "reset", "redirect")


def forms(secret: str) -> Iterator[bytes]:
    """Return the ways in which a secret may be written."""
    raw = secret.encode()
    yield raw
    for before in range(3):
        # Base64 of a text looks different by where it stands in what is encoded: these are the
        # characters that nothing but the text decides.
        bits, last = 8 * before, 8 * (before + len(raw))
        coded = base64.b64encode(b"\0" * before + raw + b"\0\0")[-(-bits // 6) : last // 6]
        yield coded
        yield coded.translate(bytes.maketrans(b"+/", b"-_"))
    yield raw.hex().encode()
    yield raw.hex().upper().encode()
    yield quote(secret, safe="").encode()
    yield json.dumps(secret)[1:-1].encode()


def leaks(secrets: list[str], places: dict[str, bytes]) -> list[str]:
    """Return where a secret stands in one of its forms."""
    return sorted(
        {
            f"{secret[:6]}… in {name}"
            for secret in secrets
            for form in forms(secret)
            for name, content in places.items()
            if form in content
        }
    )


def of_process(service: Service) -> bytes:
    folder = Path(f"/proc/{service.pid}")
    return b"\n".join((folder / name).read_bytes() for name in ("cmdline", "environ", "comm"))


async def everything(service: Service, plume: PlumeWorld) -> list[str]:
    """Use all there is, well and badly; return all replies."""
    heard = []
    async with httpx.AsyncClient(base_url=service.base, timeout=30) as http:

        async def say(text: str) -> None:
            answer = await http.post("/message", json=said(text), headers=bearer(service.key))
            heard.append(answer.text)

        async def ask(report: str) -> None:
            url = f"/network/{report}"
            found = await http.get(url, params={"user_id": "ann"}, headers=bearer(service.key))
            heard.append(found.text)

        code = PARTNER.header.removeprefix("Basic ")
        home = plume.place("pppoe")
        await say(f"my header is {PARTNER.header}, what is it?")
        await say(f"/translate german {PARTNER.header}")
        for text in ("/setup", f"Bearer {code}", PARTNER.header, "no id"):
            await say(text)
        await say(PARTNER.id)
        await say(f"/locations {home.customer.id} {home.id}")
        for command in COMMANDS:
            await say(command)
        for report in REPORTS:
            await ask(report)
        for fault in FAULTS:
            plume.fail("*", fault, times=3)
            await say("/network")
            await ask("wan")
        await say("/what is this?")
        await say("Summarise what I told you.")
    return heard


async def test_no_secret_is_found_anywhere(tmp_path: Path) -> None:
    plume, world = PlumeWorld(), OpenRouterWorld(index_delay=0.0, drip=0.0, pause=0.0)
    log = tmp_path / "service-file.log"
    async with serve(create_plume(plume)) as cloud, serve(create_openrouter(world)) as upstream:
        where = addresses(cloud)
        service = Service(
            tmp_path,
            f"{upstream}/api/v1",
            OPENROUTER_API_KEY=KEY,
            PLUME_SSO_URL=where.sso,
            PLUME_API_BASE=where.api,
            PLUME_REPORTS_BASE=where.reports,
            LOG_LEVEL="DEBUG",
            LOG_FILE=str(log),
        )
        await service.start()
        try:
            await service.ready()
            heard = await everything(service, plume)
            process = of_process(service)
        finally:
            await service.stop()
    secrets = plume.secrets()
    places = {
        "replies": "\n".join(heard).encode(),
        "prompts": json.dumps([str(ask) for ask in world.requests], ensure_ascii=False).encode(),
        "output": service.log.encode(),
        "log": log.read_bytes(),
        "process": process,
        **{path.name: path.read_bytes() for path in (tmp_path / "data").iterdir()},
    }

    assert len(secrets) > 6
    assert any(secret.startswith("CANARY") for secret in secrets)
    assert len(places["log"]) > 10_000
    assert sum(map(len, places.values())) > 100_000
    assert leaks(secrets, places) == []
    # Its environment holds its own keys, as they were given so.
    own = [service.key, service.admin_key, service.bot_key, KEY]
    assert leaks(own, {name: it for name, it in places.items() if name != "process"}) == []


def test_the_search_finds_what_is_planted() -> None:
    secret = "CANARY-client-secret-of-somebody"  # pragma: allowlist secret
    pair = f"0oaSIM:{secret}".encode()
    planted = {
        "plain": f"xx{secret}yy".encode(),
        "base64": base64.b64encode(pair),
        "in base64": base64.b64encode(b"a" + pair),
        "url-safe base64": base64.urlsafe_b64encode(b"\xff\xff" + pair),
        "hex": pair.hex().encode(),
        "quoted": quote(secret, safe="").encode(),
    }

    found = leaks([secret], planted)

    assert found == sorted(f"CANARY… in {name}" for name in planted)
    assert leaks([secret], {"clean": b"CANARY-client-secret-of-some other"}) == []
