"""`make demo`, as a newcomer runs it in a folder where nothing has run before."""

import asyncio
import json
import os
import re
import shutil
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.chain.stack import PATIENCE, Person
from tests.processes import ROOT

PARTS = ("app", "wire", "simulator", "telegram", "run_service.py", "run_telegram_bot.py")


@dataclass(frozen=True, slots=True)
class Demo:
    folder: Path
    process: asyncio.subprocess.Process
    said: str  # until it says how it ends

    @property
    def page(self) -> str:
        return _found(r"Chat page\s+(\S+)/\s", self.said)

    async def end(self) -> tuple[int, str]:
        """Press Ctrl-C, which every process of a terminal hears; return status and last words."""
        os.killpg(self.process.pid, signal.SIGINT)
        assert self.process.stdout is not None
        async with asyncio.timeout(PATIENCE):
            rest = (await self.process.stdout.read()).decode()
            return await self.process.wait(), rest


def _found(pattern: str, text: str) -> str:
    found = re.search(pattern, text)
    assert found, text
    return found[1]


@asynccontextmanager
async def demo(folder: Path) -> AsyncIterator[Demo]:
    for part in PARTS:
        copy = shutil.copytree if (ROOT / part).is_dir() else shutil.copy
        copy(ROOT / part, folder / part)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "simulator.demo"),
        cwd=folder,
        env={"PATH": os.environ["PATH"]},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(2 * PATIENCE):
            said = await process.stdout.readuntil(b"Ctrl-C ends everything.\n")
        yield Demo(folder, process, said.decode())
    finally:
        # It may have ended by itself without anybody having heard of it yet.
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()


async def test_a_newcomer_finds_everything_that_is_printed(tmp_path: Path) -> None:
    async with demo(tmp_path) as it:
        side = f"{it.page}/_sim/telegram"
        async with httpx.AsyncClient(base_url=side, timeout=30, trust_env=False) as http:
            assert "<title>Chat</title>" in (await http.get(f"{it.page}/")).text
            overview = (await http.get("/users/1001")).json()
            assert overview["bot"]["is_there"]
            assert "What can I do?" in str(await Person(http, 1001).ask("/start"))
            docs = await http.get(_found(r"API pages\s+(\S+)", it.said))
            assert docs.status_code == 200
        heard = await _pasted(_found(r"(?s)(curl -s .*?\}')\n", it.said))
        status, last = await it.end()

    assert json.loads(heard)["success"] is True
    assert (status, last.strip()) == (0, "Everything has ended.")
    assert it.said.startswith("Starting a simulated Telegram")
    assert "INFO" not in it.said


async def _pasted(command: str) -> str:
    """Run what was printed, as it was printed."""
    shell = await asyncio.create_subprocess_exec(
        "bash", "-c", command, stdout=asyncio.subprocess.PIPE
    )
    return (await shell.communicate())[0].decode()


async def test_a_program_that_does_not_start_is_named_with_its_words(tmp_path: Path) -> None:
    (tmp_path / ".demo").mkdir()
    (tmp_path / ".demo" / ".env").write_text("INTERNAL_API_KEY=short\n")

    with pytest.raises(asyncio.IncompleteReadError) as ended:
        async with demo(tmp_path):
            pass

    said = ended.value.partial.decode()
    assert "The service ended by itself. It said:" in said
    assert "INTERNAL_API_KEY" in said
    assert "Everything has ended." in said
