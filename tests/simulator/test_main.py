import asyncio
import re
import sys

import httpx
import pytest

from simulator.__main__ import arguments


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
