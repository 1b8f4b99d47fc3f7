import asyncio
import re
import sys

import httpx
import pytest

from simulator.__main__ import arguments, create_world
from simulator.plume import PARTNER
from tests.servers import serve


async def test_it_runs_as_a_program_and_says_where() -> None:
    program = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "simulator", "--port", "0", "--key", "sk-test",
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert program.stdout is not None
    try:
        line = (await program.stdout.readline()).decode()
        base_url = line.partition(" ")[2].strip()
        async with httpx.AsyncClient(headers={"Authorization": "Bearer sk-test"}) as http:
            reply = await http.get(base_url + "/models")
    finally:
        program.terminate()
        await program.wait()

    assert re.fullmatch(r"OpenRouter: http://127\.0\.0\.1:[1-9]\d+/api/v1\n", line)
    assert reply.status_code == 200


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.5", "example.com", "::"])
def test_it_listens_to_this_machine_alone(host: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        arguments(["--host", host])

    assert "loopback only" in capsys.readouterr().err


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
def test_a_loopback_host_is_taken(host: str) -> None:
    assert arguments(["--host", host]).host == host


async def test_each_simulated_service_has_its_place() -> None:
    async with (
        serve(create_world(None)) as base,
        httpx.AsyncClient(base_url=base, trust_env=False) as here,
    ):
        found = (await here.get("/_sim/plume/credentials")).json()
        form = {"grant_type": "client_credentials", "scope": PARTNER.scope}
        headers = {"Authorization": found["partners"][0]["header"]}
        token = await here.post(found["addresses"]["sso"], data=form, headers=headers)
        api = found["addresses"]["api"]
        bearer = {"Authorization": f"Bearer {token.json()['access_token']}"}
        count = await here.get(f"{api}partners/{PARTNER.id}/customers/count", headers=bearer)
        paths = ("/", "/_sim/telegram/faults", "/api/v1/models", "/plume/customers")
        others = [(await here.get(path)).status_code for path in paths]

    assert api == f"{base}/plume/api/"
    assert count.json()["count"] > 5_000
    assert others == [200, 200, 401, 404]
