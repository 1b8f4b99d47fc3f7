"""A real Prometheus reads the service, takes the rules and answers the dashboard."""

import asyncio
import json
import shutil
import socket
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from app import metrics
from simulator.openrouter import OpenRouterWorld, create_openrouter
from tests.api.service import bearer, said
from tests.monitoring.files import ALERT_TESTS, ALERTS, CONFIG, DEPLOY, Query, queries
from tests.processes import Service
from tests.servers import serve

PROMETHEUS, PROMTOOL = shutil.which("prometheus"), shutil.which("promtool")
pytestmark = pytest.mark.skipif(
    PROMETHEUS is None or PROMTOOL is None, reason="prometheus is not installed"
)
KEY = "numbers-0123456789abcdefghijklmnop"
PATIENCE = 30.0  # seconds
EVERY = "250ms"
WINDOW = "30s"
# They show what did not happen here: no Plume, no Redis, and so on.
QUIET = {"Calls by outcome", "Calls by name"}


def promtool(*arguments: str | Path, given: str | None = None) -> None:
    """Run it on files.

    Raises:
        AssertionError: it finds something wrong.
    """
    command = [str(PROMTOOL), *map(str, arguments)]
    done = subprocess.run(command, input=given, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_rules_are_rules() -> None:
    promtool("check", "rules", ALERTS)


def test_the_rules_fire_when_they_should() -> None:
    promtool("test", "rules", ALERT_TESTS)


@dataclass(frozen=True, slots=True)
class Monitored:
    """A service and a Prometheus that reads it."""

    service: Service
    calls: httpx.AsyncClient  # of the service
    prometheus: httpx.AsyncClient

    async def ask(self, query: str) -> list[dict[str, Any]]:
        """Return the samples of an instant query.

        Raises:
            AssertionError: Prometheus refuses it, or has a warning.
        """
        heard = await self.prometheus.get("/api/v1/query", params={"query": query})
        told = heard.json()
        assert told["status"] == "success", (query, told)
        assert not told.get("warnings"), (query, told)
        found: list[dict[str, Any]] = told["data"]["result"]
        return found

    async def value(self, query: str) -> float:
        """Return the one value of a query, 0 where there is none."""
        found = await self.ask(query)
        return float(found[0]["value"][1]) if found else 0.0

    async def until(self, query: str, holds: Callable[[float], bool]) -> None:
        async with asyncio.timeout(PATIENCE):
            while not holds(await self.value(query)):  # noqa: ASYNC110 - it tells nobody
                await asyncio.sleep(0.1)

    async def rules(self) -> list[dict[str, Any]]:
        """Return the rules once each was evaluated."""
        async with asyncio.timeout(PATIENCE):
            while True:
                told = (await self.prometheus.get("/api/v1/rules")).json()["data"]["groups"]
                rules: list[dict[str, Any]] = [rule for group in told for rule in group["rules"]]
                if rules and all(rule["health"] != "unknown" for rule in rules):
                    return rules
                await asyncio.sleep(0.1)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def monitored(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Monitored]:
    folder = tmp_path_factory.mktemp("monitored")
    world = OpenRouterWorld(index_delay=0.0)
    async with serve(create_openrouter(world)) as provider:
        service = Service(folder, f"{provider}/api/v1", METRICS_API_KEY=KEY)
        await service.start()
        try:
            await service.ready()
            async with (
                _prometheus(folder, service) as url,
                httpx.AsyncClient(base_url=url) as prometheus,
                httpx.AsyncClient(base_url=service.base, timeout=30) as calls,
            ):
                world.next("http-429-daily")
                yield Monitored(service, calls, prometheus)
        finally:
            await service.stop()


@asynccontextmanager
async def _prometheus(folder: Path, service: Service) -> AsyncIterator[str]:
    config = folder / "prometheus.yml"
    config.write_text(_adapted(folder, service))
    promtool("check", "config", config)
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"127.0.0.1:{free.getsockname()[1]}"
    with (folder / "prometheus.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            str(PROMETHEUS),
            f"--config.file={config}",
            f"--storage.tsdb.path={folder / 'tsdb'}",
            f"--web.listen-address={address}",
            stdout=log,
            stderr=log,
        )
    try:
        async with httpx.AsyncClient(base_url=f"http://{address}") as http:
            await _ready(http, process)
        yield f"http://{address}"
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


def _adapted(folder: Path, service: Service) -> str:
    """Return our configuration, for this service, and in a hurry."""
    key = folder / "metrics.key"
    key.write_text(KEY)
    text = CONFIG.read_text()
    found = text.index("    dns_sd_configs:")
    changes = {
        "scrape_interval: 15s": f"scrape_interval: {EVERY}",
        "evaluation_interval: 15s": f"evaluation_interval: {EVERY}",
        "scrape_timeout: 5s": f"scrape_timeout: {EVERY}",
        "/run/secrets/metrics_key": str(key),
        "rule_files: [alerts.yml]": f"rule_files: [{ALERTS}]",
        text[found:]: f"    static_configs: [{{targets: ['127.0.0.1:{service.port}']}}]\n",
    }
    for old, new in changes.items():
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return text


async def _ready(http: httpx.AsyncClient, process: asyncio.subprocess.Process) -> None:
    async with asyncio.timeout(PATIENCE):
        while process.returncode is None:
            try:
                if (await http.get("/-/ready")).is_success:
                    return
            except httpx.TransportError:
                pass
            await asyncio.sleep(0.05)
    raise RuntimeError("Prometheus ended")


@pytest.mark.asyncio(loop_scope="module")
async def test_it_reads_the_service_and_answers_every_panel(monitored: Monitored) -> None:
    await monitored.until("up", lambda value: value == 1)
    key = bearer(monitored.service.key)
    for text in ("6 * 7", "/help", "5 + 6", "3 + 4"):
        await monitored.calls.post("/message", json=said(text), headers=key)
    await _delivered(monitored)
    answered = 'arash_messages_total{platform="internal", outcome="answered"}'
    await monitored.until(answered, lambda value: value >= 4)
    await monitored.until("count_over_time(up[1m])", lambda value: value >= 4)

    empty = [query for query in queries() if not await monitored.ask(_filled(query))]

    assert {query.panel for query in empty} <= QUIET, empty
    assert await monitored.value(f"sum(increase({answered}[{WINDOW}]))") > 0
    assert await monitored.value("sum(arash_delivery_seconds_count)") == 1
    rules = await monitored.rules()
    assert {rule["health"] for rule in rules} == {"ok"}, rules
    assert [rule["name"] for rule in rules if rule["state"] == "firing"] == []


@pytest.mark.asyncio(loop_scope="module")
async def test_a_service_that_is_killed_is_noticed(monitored: Monitored) -> None:
    await monitored.until("up", lambda value: value == 1)
    await monitored.service.kill()

    await monitored.until('ALERTS{alertname="ArashDown"} or vector(0)', lambda value: value == 1)


def test_the_page_keeps_the_conventions() -> None:
    metrics.know("1", ["a/model"], ["telegram"])

    promtool("check", "metrics", given=metrics.page("")[0].decode())


async def _delivered(monitored: Monitored) -> None:
    """Bring one answer to nobody, as whoever carries deliveries would."""
    http, headers = monitored.calls, bearer(monitored.service.key)
    await http.post("/webhook/internal", json=said("/help"), headers=headers)
    async with http.stream("GET", "/deliveries", headers=headers) as stream:
        async for line in stream.aiter_lines():
            found = json.loads(line[6:]) if line.startswith("data: ") else {}
            if found.get("final"):
                sent = {"outcome": "sent"}
                await http.post(f"/deliveries/{found['id']}/ack", json=sent, headers=headers)
                return


def _filled(query: Query) -> str:
    return query.text.replace("$platform", ".*").replace("$__rate_interval", WINDOW)


def test_grafana_is_told_where_prometheus_and_the_dashboard_are() -> None:
    compose = (DEPLOY.parent / "compose.yaml").read_text()

    assert "./deploy/grafana/provisioning:/etc/grafana/provisioning:ro" in compose
    assert "./deploy/prometheus:/etc/prometheus:ro" in compose
