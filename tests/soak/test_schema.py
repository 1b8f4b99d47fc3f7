"""The running service against its own OpenAPI document, by schemathesis."""

import asyncio
import json
import os
import sys
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import httpx
import pytest
from fastapi import FastAPI
from pydantic import BaseModel

from simulator.plume import PARTNER, PlumeWorld, addresses, create_plume
from tests.processes import ROOT, Service, program
from tests.servers import serve
from tests.soak.hooks import ENGINEER

SOAK = bool(os.environ.get("SOAK"))
# Of each operation and phase; the examples and the coverage of the document come to some 400
# cases whatever is asked for.
EXAMPLES = 600 if SOAK else 5
LEAST_CASES = 5000 if SOAK else 300
# No key that is tried has a delivery to acknowledge: tests/api/test_webhook.py has.
UNREACHED = {"POST /deliveries/{delivery_id}/ack"}
PHASES = ("examples", "coverage", "fuzzing", "stateful")
Fault = Literal["broken", "untrue", "none"]
CONFIGURATION = Path(__file__).with_name("schemathesis.toml")


@dataclass(frozen=True, slots=True)
class Found:
    """What a run tells. `statuses` are of operations that the document has."""

    seed: int
    cases: int
    failures: list[dict[str, Any]]
    errors: list[dict[str, Any]]
    ran: dict[str, str]
    statuses: Mapping[tuple[str, str], Counter[int]]
    output: str

    @property
    def kinds(self) -> set[str]:
        return {failure["type"] for failure in self.failures}

    def all_statuses(self) -> dict[str, Counter[int]]:
        found: defaultdict[str, Counter[int]] = defaultdict(Counter)
        for (_, operation), counts in self.statuses.items():
            found[operation] += counts
        return dict(found)


@pytest.mark.soak
async def test_everything_the_document_allows_is_answered_as_it_says(tmp_path: Path) -> None:
    plume = PlumeWorld()
    async with (
        program("tests.soak.openrouter") as provider,
        serve(create_plume(plume)) as cloud,
    ):
        where = addresses(cloud)
        # Without a key of its own, administering is in the scope of the platform's.
        service = Service(
            tmp_path,
            provider,
            ADMIN_API_KEY="",
            ENABLE_API_DOCS="true",
            PLUME_SSO_URL=where.sso,
            PLUME_API_BASE=where.api,
            PLUME_REPORTS_BASE=where.reports,
            PLUME_CALLS_PER_SECOND="1000",
        )
        try:
            await service.start()
            await service.ready()
            await _signed_in(service, plume)
            found = await _tried(service.base, tmp_path, key=service.key, examples=EXAMPLES)
        finally:
            status = await service.stop()

    print(f"\nseed {found.seed}: {found.cases} cases; {_told(found)}")  # noqa: T201 - the figures of a soak
    assert status == 0, service.log[-2000:]
    assert not found.failures, found.output
    assert not found.errors, found.output
    assert found.ran == dict.fromkeys(PHASES, "success")
    assert found.cases >= LEAST_CASES
    unanswered = {
        name for name, counts in found.all_statuses().items() if not counts[200] + counts[202]
    }
    assert unanswered <= UNREACHED
    # A relaxed check would let an example pass that does not work when it is pressed.
    assert found.statuses["examples", "POST /message"][200] >= 4
    assert set(found.statuses["examples", "POST /message"]) <= {200, 401}
    assert "request.failed" not in service.log


@pytest.mark.soak
@pytest.mark.parametrize(
    ("fault", "kind"), [("broken", "ServerError"), ("untrue", "JsonSchemaError")]
)
async def test_the_gate_catches_planted_faults(tmp_path: Path, fault: Fault, kind: str) -> None:
    async with serve(_app(fault)) as base:
        found = await _tried(base, tmp_path, key="any", examples=20)

    assert kind in found.kinds, found.output


@pytest.mark.soak
async def test_the_gate_lets_a_sound_service_pass(tmp_path: Path) -> None:
    async with serve(_app("none")) as base:
        found = await _tried(base, tmp_path, key="any", examples=20)

    assert not found.kinds, found.output


class Thing(BaseModel):
    name: str
    size: int


def _app(fault: Fault) -> FastAPI:
    app = FastAPI()

    @app.get("/halves")
    async def halves(of: int) -> dict[str, int]:
        if fault == "broken" and of == 0:
            raise ZeroDivisionError
        return {"of": of}

    @app.get("/thing", response_model=None, responses={200: {"model": Thing}})
    async def thing() -> dict[str, Any]:
        return {"name": "a", "size": "large" if fault == "untrue" else 1}

    return app


async def _signed_in(service: Service, plume: PlumeWorld) -> None:
    """Let the engineer of the hooks sign in to Plume and choose a location."""
    home = plume.place("pod_down")
    chosen = f"/locations {home.customer.id} {home.id}"
    async with httpx.AsyncClient(base_url=service.base, timeout=30) as http:
        for number, text in enumerate(("/setup", PARTNER.header, PARTNER.id, chosen)):
            message = {
                "platform": "internal",
                "user_id": ENGINEER,
                "chat_id": ENGINEER,
                "message_id": f"{number}",
                "text": text,
            }
            bearer = {"Authorization": f"Bearer {service.key}"}
            answer = (await http.post("/message", json=message, headers=bearer)).json()
            assert answer["success"], answer


async def _tried(base: str, folder: Path, *, key: str, examples: int) -> Found:
    """Run schemathesis on a service, with the settings of the file beside this one."""
    report, events = folder / "report.json", folder / "events.ndjson"
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "schemathesis.cli", "--config-file", str(CONFIGURATION)),
        *("run", f"{base}/openapi.json", "--header", f"Authorization: Bearer {key}"),
        *("--phases", ",".join(PHASES), "--max-examples", str(examples), "--no-color"),
        *("--report-json-path", str(report), "--report-ndjson-path", str(events)),
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "SCHEMATHESIS_HOOKS": "tests.soak.hooks"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    return _read(report, events, output.decode())


def _read(report: Path, events: Path, output: str) -> Found:
    assert report.is_file(), output
    told = json.loads(report.read_text())
    statuses: defaultdict[tuple[str, str], Counter[int]] = defaultdict(Counter)
    with events.open() as lines:
        for line in lines:
            scenario = json.loads(line).get("ScenarioFinished", {})
            _count(scenario.get("phase", ""), scenario.get("recorder", {}), statuses)
    return Found(
        told["seed"],
        told["test_cases"]["generated"],
        told["failures"],
        told["errors"],
        {name: phase["status"] for name, phase in told["phases"].items()},
        statuses,
        output,
    )


def _count(
    phase: str,
    recorder: dict[str, Any],
    statuses: defaultdict[tuple[str, str], Counter[int]],
) -> None:
    for case, interaction in recorder.get("interactions", {}).items():
        asked, heard = recorder["cases"][case]["value"], interaction.get("response")
        if heard is not None and heard["status_code"] != 405:
            operation = f"{asked['method']} {asked['path']}"
            statuses[phase, operation][heard["status_code"]] += 1


def _told(found: Found) -> str:
    return "; ".join(
        f"{name} {dict(sorted(counts.items()))}" for name, counts in found.all_statuses().items()
    )
