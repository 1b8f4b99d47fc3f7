"""The service where nothing can be written but its data and /tmp, as in its container."""

import asyncio
import base64
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from simulator.openrouter import OpenRouterWorld, create_openrouter
from simulator.plume import PARTNER, PlumeWorld, addresses, create_plume
from tests.api.service import bearer, said
from tests.deploy.tools import found
from tests.processes import ROOT, Service
from tests.servers import serve

USER = "10001"
BEGINNING_OF_PNG = b"\x89PNG"
# As a service of systemd with MemoryDenyWriteExecute: prctl(PR_SET_MDWE, REFUSE_EXEC_GAIN). The
# kernel hands it on to all that is started. Older kernels do not know it.
NO_NEW_CODE = "import ctypes, os, sys; ctypes.CDLL(None).prctl(65, 1, 0, 0, 0); os.execv(*ARGS)"


def confines() -> bool:
    """Tell whether there is bubblewrap, and the machine lets it make namespaces."""
    bwrap = found("bwrap")
    if bwrap is None:
        return False
    trial = [bwrap, "--ro-bind", "/", "/", "--unshare-user", "--unshare-pid", "true"]
    return subprocess.run(trial, capture_output=True, check=False).returncode == 0


pytestmark = pytest.mark.skipif(not confines(), reason="bubblewrap is missing, or may not confine")


class Confined(Service):
    """A service with a read-only root, as user 10001 and the first process of its container."""

    def __init__(self, folder: Path, provider: str, **settings: str) -> None:
        self._data = folder / "data"
        self._data.mkdir(mode=0o700)
        own = {
            "TMPDIR": "/tmp",
            "MPLCONFIGDIR": "/tmp/matplotlib",
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        super().__init__(folder, provider, **(own | settings))

    async def start(self) -> None:
        script = [sys.executable, str(ROOT / "run_service.py")]
        code = NO_NEW_CODE.replace("ARGS", repr((script[0], script)))
        reading, writing = os.pipe()
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *(found("bwrap") or "bwrap", "--ro-bind", "/", "/", "--dev", "/dev"),
                *("--proc", "/proc", "--tmpfs", "/tmp"),
                # The project itself may lie in a folder below /tmp.
                *("--ro-bind", str(ROOT), str(ROOT)),
                *("--bind", str(self._data), str(self._data)),
                *("--ro-bind", str(self._key_file), str(self._key_file)),
                *("--unshare-user", "--unshare-pid", "--unshare-ipc", "--as-pid-1"),
                *("--uid", USER, "--gid", USER, "--cap-drop", "ALL", "--new-session"),
                *("--chdir", "/", "--info-fd", str(writing)),
                *(sys.executable, "-c", code),
                env=self._environment,
                stdout=log,
                stderr=log,
                pass_fds=[writing],
            )
        os.close(writing)
        with os.fdopen(reading) as told:
            self._inside = int(json.loads(await asyncio.to_thread(told.read))["child-pid"])

    def capabilities(self) -> int:
        status = Path(f"/proc/{self._inside}/status").read_text()
        return int(status.partition("CapEff:")[2].split()[0], 16)

    async def stop(self) -> int:
        """Send SIGTERM to the service itself; return the exit status."""
        assert self._process is not None
        if self._process.returncode is None:
            os.kill(self._inside, signal.SIGTERM)
        return await self._process.wait()


@asynccontextmanager
async def confined(folder: Path, **settings: str) -> AsyncIterator[Confined]:
    world = OpenRouterWorld()
    async with serve(create_plume(PlumeWorld())) as cloud, serve(create_openrouter(world)) as api:
        where = addresses(cloud)
        service = Confined(
            folder,
            f"{api}/api/v1",
            PLUME_SSO_URL=where.sso,
            PLUME_API_BASE=where.api,
            PLUME_REPORTS_BASE=where.reports,
            **settings,
        )
        await service.start()
        try:
            yield service
        finally:
            await service.stop()


async def test_it_answers_draws_and_stops_where_the_root_is_read_only(tmp_path: Path) -> None:
    async with confined(tmp_path) as service, httpx.AsyncClient(trust_env=False) as http:
        await service.ready()

        async def say(text: str) -> dict[str, Any]:
            url, headers = f"{service.base}/message", bearer(service.key)
            heard = await http.post(url, json=said(text), headers=headers, timeout=90)
            answer: dict[str, Any] = heard.json()
            assert answer["success"], answer
            return answer

        hello = await say("Hello, my name is Ann")
        for step in ("/setup", PARTNER.header, PARTNER.id, "/locations ben broken"):
            await say(step)
        drawn = await _with_picture(say)
        capabilities = service.capabilities()
        async with asyncio.timeout(30):
            ended = await service.stop()

    assert "Ann" in hello["response"]
    assert base64.b64decode(drawn["images"][0]["data"]).startswith(BEGINNING_OF_PNG)
    assert capabilities == 0
    assert ended == 0
    assert "service.stopped" in service.log


async def _with_picture(say: Any) -> dict[str, Any]:
    """Ask until there is a picture: the first start of a painter reads all fonts."""
    for _ in range(10):
        heard: dict[str, Any] = await say("/wan")
        if heard["images"]:
            return heard
    raise AssertionError(heard)


async def test_what_would_be_written_elsewhere_is_refused(tmp_path: Path) -> None:
    async with confined(tmp_path, LOG_FILE="logs/service.log") as service:
        assert service._process is not None
        async with asyncio.timeout(30):
            status = await service._process.wait()

    assert status == 78
    assert "LOG_FILE" in service.log
